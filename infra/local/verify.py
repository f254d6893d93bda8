"""Prove the record: recompute every outcome the API shows from the market's own candles (`verify_trades`: every trade).

Deliberately shares nothing with the code it checks: the rules are written out again from the contract, prices come
straight from the exchange's REST answer, and the arithmetic is in exact fractions.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import Any, NamedTuple, Protocol

import httpx

BINANCE = "https://api.binance.com"
MINUTE = 60_000
STALE = 5 * MINUTE
"""A price is the close of the last minute that closed by then, at most this old."""
_HALF_DAY = 720 * MINUTE
_DELAYS = {"1h": 3_600, "4h": 14_400, "24h": 86_400, "7d": 604_800, "30d": 2_592_000}


class Minute(NamedTuple):
    """One of the market's 1m candles: its open time (ms) and its prices, every digit as the exchange wrote it."""

    opened: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal


class Minutes(Protocol):
    """The market's 1m candles."""

    def __call__(self, symbol: str, start: int, end: int) -> Iterable[Minute]:
        """Those that opened in [start, end], in order."""


@dataclass(slots=True)
class Verdict:
    """How many outcomes of how many signals agree (or trades, one a signal), and a sentence for each that does not."""

    signals: int = 0
    agreeing: int = 0
    differing: list[str] = field(default_factory=list)


def verify(signals: Iterable[Mapping[str, Any]], minutes: Minutes, now: int) -> Verdict:
    """Recompute the outcomes of these signals (as the API shows them) and look for those that are due and missing."""
    verdict = Verdict()
    for signal in signals:
        verdict.signals += 1
        shown = {outcome["interval"]: outcome for outcome in signal.get("outcomes", [])}
        for interval, expected in _expected(signal, minutes, now):
            difference = _difference(shown.pop(interval, {}), expected)
            if difference:
                verdict.differing.append(f"{signal['signal_id']} {signal['symbol']} {interval}: {difference}")
            else:
                verdict.agreeing += 1
        verdict.differing += [
            f"{signal['signal_id']} {i}: a price is shown that the candles do not have" for i in _judged(shown)
        ]
    return verdict


@contextmanager
def exchange_minutes(url: str) -> Iterator[Minutes]:
    """1m candles from an exchange that speaks Binance's REST, each half day asked for once."""
    with httpx.Client(base_url=url, timeout=30) as client:

        @cache
        def half_day(market: str, start: int) -> list[Minute]:
            query: dict[str, str | int] = {"symbol": market, "interval": "1m", "startTime": start, "limit": 720}
            response = client.get("/api/v3/klines", params=query | {"endTime": start + _HALF_DAY - 1})
            response.raise_for_status()
            return [Minute(int(row[0]), *map(Decimal, row[1:5])) for row in response.json()]

        def minutes(symbol: str, start: int, end: int) -> Iterator[Minute]:
            market = symbol.split(":", maxsplit=1)[0].replace("/", "")
            for half in range(start - start % _HALF_DAY, end + 1, _HALF_DAY):
                yield from (minute for minute in half_day(market, half) if start <= minute.opened <= end)

        yield minutes


def _expected(signal: Mapping[str, Any], minutes: Minutes, now: int) -> Iterator[tuple[str, tuple[Fraction, str]]]:
    """Exit price and label of every interval that was due by `now` and had a price."""
    made = moment(signal["timestamp"])
    for interval, seconds in _DELAYS.items():
        due = made + 1_000 * seconds
        price = _last_price(minutes, signal["symbol"], due) if due <= now else None
        if price is not None:
            yield interval, (price, _label(Fraction(str(signal["entry_price"])), price, signal["action"]))


def _last_price(minutes: Minutes, symbol: str, due: int) -> Fraction | None:
    closed = [
        (minute.opened, minute.close)
        for minute in minutes(symbol, due - STALE - 2 * MINUTE, due)
        if due - STALE <= minute.opened + MINUTE <= due
    ]
    return Fraction(max(closed)[1]) if closed else None


def moment(text: str) -> int:
    """A time as the API writes it, in ms."""
    return round(datetime.fromisoformat(text).timestamp() * 1_000)


def _label(entry: Fraction, price: Fraction, action: str) -> str:
    profit = (price - entry) / entry * (1 if action == "BUY" else -1)
    if profit >= Fraction(5, 100):
        return "WIN"
    return "LOSS" if profit <= Fraction(-3, 100) else "NEUTRAL"


def _difference(shown: Mapping[str, Any], expected: tuple[Fraction, str]) -> str:
    price, label = expected
    if not shown.get("outcome"):
        return f"due and not shown; the candles give {float(price)} {label}"
    if Fraction(str(shown["exit_price"] or 0)) != price or shown["outcome"] != label:
        return f"shown {shown['exit_price']} {shown['outcome']}, the candles give {float(price)} {label}"
    return ""


def _judged(shown: Mapping[str, Mapping[str, Any]]) -> list[str]:
    return [interval for interval, outcome in shown.items() if outcome.get("exit_price") is not None]
