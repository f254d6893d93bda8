"""Prove the paper book: end every trade the API shows again, one minute of the market after the other.

As in `verify`, nothing is shared with the code it checks: a plain loop over the exchange's own candles, the rules of a
fill written out again, money in exact fractions.
"""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

from infra.local.verify import MINUTE, STALE, Minute, Minutes, Verdict, moment

_A_MILLIONTH = Fraction(1, 1_000_000)
"""The record rounds a dollar to it."""


class Ending(NamedTuple):
    """How a trade ended: when (ms), at what price, and whether its last minute touched both levels."""

    status: str
    closed_at: int
    price: Decimal
    ambiguous: bool = False


class Book(NamedTuple):
    """A trade's market price of entry, and its ending, None while it is open or lies in a hole of the data."""

    entry: Decimal | None
    ending: Ending | None


class Levels(NamedTuple):
    """Where a trade ends, from its holder's side."""

    long: bool
    stop: Decimal | None
    target: Decimal | None

    def stopped(self, price: Decimal) -> bool:
        """Whether this price is at the stop or beyond."""
        return self.stop is not None and (price <= self.stop if self.long else price >= self.stop)

    def won(self, price: Decimal) -> bool:
        """Whether this price is at the target or beyond."""
        return self.target is not None and (price >= self.target if self.long else price <= self.target)


def verify_trades(trades: Iterable[Mapping[str, Any]], minutes: Minutes, now: int) -> Verdict:
    """End these trades (as the API shows them, open and closed) by the minutes that closed by `now` (ms)."""
    verdict = Verdict()
    for trade in trades:
        verdict.signals += 1
        differences = [*_differences(trade, replay(trade, minutes, now))]
        if differences:
            verdict.differing.append(f"trade {trade['signal_id']} {trade['symbol']}: {'; '.join(differences)}")
        else:
            verdict.agreeing += 1
    return verdict


def replay(trade: Mapping[str, Any], minutes: Minutes, now: int) -> Book:
    """The trade again, by every minute that opened since its signal and closed by its deadline."""
    opened, deadline = moment(trade["opened_at"]), moment(trade["expires_at"])
    levels = Levels(trade["direction"] == "LONG", _price(trade["stop_loss"]), _price(trade["take_profit"]))
    entry = last = None
    for minute in minutes(trade["symbol"], opened, min(deadline, now) - MINUTE):
        entry = entry or minute.open
        ending = _touch(levels, minute)
        if ending:
            return Book(entry, ending)
        last = minute
    if last and deadline <= now and last.opened + MINUTE >= deadline - STALE:
        return Book(entry, Ending("CLOSED_EXPIRED", deadline, last.close))
    return Book(entry, None)


def _touch(levels: Levels, minute: Minute) -> Ending | None:
    """A minute that opens beyond a level fills at its open; of two levels touched in one minute the stop counts."""
    if levels.stopped(minute.open):
        return Ending("CLOSED_SL", minute.opened, minute.open)
    if levels.won(minute.open):
        return Ending("CLOSED_TP", minute.opened, minute.open)
    worst, best = (minute.low, minute.high) if levels.long else (minute.high, minute.low)
    if levels.stop is not None and levels.stopped(worst):
        return Ending("CLOSED_SL", minute.opened + MINUTE - 1, levels.stop, levels.won(best))
    if levels.target is not None and levels.won(best):
        return Ending("CLOSED_TP", minute.opened + MINUTE - 1, levels.target)
    return None


def _differences(trade: Mapping[str, Any], book: Book) -> Iterator[str]:
    ending = book.ending
    if ending is None or trade["exit_price"] is None:
        end = f"{ending.status} at {ending.price}" if ending else "without an end"
        if (ending is None) is not (trade["exit_price"] is None):
            yield f"shown {trade['status']}, by the candles {end}"
        return
    expected: dict[str, tuple[object, object]] = {
        "status": (trade["status"], ending.status),
        "closed_at": (moment(trade["closed_at"]), ending.closed_at),
        "ambiguous": (trade["ambiguous"], ending.ambiguous),
        "exit_price": (_price(trade["exit_price"]), ending.price),
        "net_entry_price": (_price(trade["net_entry_price"]), book.entry),
    }
    for name, (shown, ours) in expected.items():
        if shown != ours:
            yield f"{name} {trade[name]}, by the candles {ours}"
    for name, dollars in _profits(trade, book.entry or ending.price, ending.price).items():
        if abs(Fraction(str(trade[name])) - dollars) > _A_MILLIONTH:
            yield f"{name} {trade[name]}, by the candles {float(dollars):.6f}"


def _profits(trade: Mapping[str, Any], entry: Decimal, price: Decimal) -> dict[str, Fraction]:
    """Dollars of the ideal and of the net book."""
    sign, ended = (1 if trade["direction"] == "LONG" else -1), Fraction(price)
    size, signalled, fee, slippage = (
        Fraction(str(trade[name])) for name in ("position_usd", "entry_price", "fee_bps", "slippage_bps")
    )
    bought, sold = Fraction(entry) * (1 + sign * slippage / 10_000), ended * (1 - sign * slippage / 10_000)
    quantity = size / bought
    return {
        "gross_pnl_usd": size * sign * (ended - signalled) / signalled,
        "pnl_usd": quantity * sign * (sold - bought) - fee / 10_000 * (size + quantity * sold),
    }


def _price(shown: float | None) -> Decimal | None:
    return None if shown is None else Decimal(str(shown))
