"""What a trade earned: its exit priced in the three books, in money."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_EVEN, Context, Decimal

import numpy as np

from plumbline.domain.candles import Candles
from plumbline.domain.exits import EXPIRED, OPEN, STOP, TARGET, UNKNOWN, Exits, Orders, resolve
from plumbline.domain.outcomes import change_pct
from plumbline.domain.signals import to_price
from plumbline.domain.trades import Position, Profit, Status, Terms, Trade

_STATUS = {TARGET: Status.TARGET, STOP: Status.STOP, EXPIRED: Status.EXPIRED}
_EXACT = Context(prec=50, rounding=ROUND_HALF_EVEN)
_STEP = Decimal("0.000001")
_TEN_THOUSAND = Decimal(10_000)
_ZERO = Decimal(0)


def orders_of(positions: Sequence[Position]) -> Orders:
    """Open trades of one market as the kernel takes them."""
    return Orders(
        opened=np.array([p.opened_at for p in positions], dtype=np.int64),
        deadline=np.array([p.deadline for p in positions], dtype=np.int64),
        side=np.array([p.side.sign for p in positions], dtype=np.int64),
        stop=np.array([_level(p.stop_loss) for p in positions], dtype=np.float64),
        target=np.array([_level(p.take_profit) for p in positions], dtype=np.float64),
    )


@dataclass(frozen=True, slots=True)
class Settlement:
    """What the minutes say of a trade: `trade` once it is closed, else the `entry` price where that is known.

    `priceless`: its deadline has passed and the market's data has a hole there.
    """

    trade: Trade | None = None
    entry: Decimal | None = None
    priceless: bool = False


def settle(position: Position, minutes: Candles, known_until: int, recorded_at: int) -> Settlement:
    """The trade by the 1m candles from its opening on, as far as they are known (ms)."""
    exits = resolve(minutes, orders_of([position]), known_until)
    code, at = int(exits.code[0]), int(exits.entry[0])
    entry = to_price(minutes.open[at]) if at >= 0 else None
    if code == OPEN:
        return Settlement(entry=entry)
    if code == UNKNOWN or entry is None:
        return Settlement(entry=entry, priceless=True)
    return Settlement(trade=_closed(position, minutes, exits, entry, recorded_at), entry=entry)


def unknown(position: Position, recorded_at: int) -> Trade:
    """A trade whose deadline lies in a hole of the market's data that will not be filled: counted, never priced."""
    return Trade(position=position, status=Status.UNKNOWN, closed_at=position.deadline, recorded_at=recorded_at)


def unrealised(position: Position, price: Decimal) -> Profit | None:
    """What the net book would hold if the trade were closed at this price; None before it has entered."""
    entry = position.net_entry_price
    return None if entry is None else profit_after_costs(position, entry, price)


def profit_after_costs(position: Position, entry: Decimal, exit_price: Decimal) -> Profit:
    """The trade between two market prices: slippage moves each against the holder, the fee is due on both sums."""
    terms, sign = position.terms, position.side.sign
    slippage = terms.slippage_bps / _TEN_THOUSAND
    bought, sold = entry * (1 + sign * slippage), exit_price * (1 - sign * slippage)
    quantity = _EXACT.divide(terms.position_usd, bought)
    fees = terms.fee_bps / _TEN_THOUSAND * (terms.position_usd + quantity * sold)
    return _profit(terms, quantity * (sold - bought) * sign - fees)


def _closed(position: Position, minutes: Candles, exits: Exits, entry: Decimal, recorded_at: int) -> Trade:
    at, last, status = int(exits.entry[0]), int(exits.last[0]), _STATUS[int(exits.code[0])]
    price, ambiguous = to_price(exits.price[0]), bool(exits.ambiguous[0])
    in_percent = _moved(position)
    worst_entry = to_price((minutes.high if position.side.sign > 0 else minutes.low)[at])
    return Trade(
        position=replace(position, net_entry_price=entry),
        status=status,
        closed_at=_closed_at(position, minutes, exits),
        recorded_at=recorded_at,
        exit_price=price,
        ideal=_profit(position.terms, position.terms.position_usd * in_percent(price) / 100),
        net=profit_after_costs(position, entry, price),
        pessimistic=profit_after_costs(position, worst_entry, _worst_exit(position, minutes, last, status)),
        net_if_target=profit_after_costs(position, entry, to_price(exits.alternative[0])) if ambiguous else None,
        ambiguous=ambiguous,
        max_favourable_pct=max(_ZERO, in_percent(to_price(exits.best[0]))),
        max_adverse_pct=min(_ZERO, in_percent(to_price(exits.worst[0]))),
    )


def _closed_at(position: Position, minutes: Candles, exits: Exits) -> int:
    """The last millisecond of the candle that touched, its open where it opened beyond the level, or the deadline."""
    if int(exits.code[0]) == EXPIRED:
        return position.deadline
    opened = int(minutes.open_time[exits.last[0]])
    return opened if exits.gapped[0] else opened + minutes.timeframe.ms - 1


def _worst_exit(position: Position, minutes: Candles, last: int, status: Status) -> Decimal:
    """Of the minute of the exit; a target is a limit order, which fills at its level or not at all."""
    if status is Status.TARGET and position.take_profit is not None:
        return position.take_profit
    return to_price((minutes.low if position.side.sign > 0 else minutes.high)[last])


def _moved(position: Position) -> Callable[[Decimal], Decimal]:
    """A price as percent from the signal's own, from the holder's side."""
    return lambda price: change_pct(position.entry_price, price) * position.side.sign


def _profit(terms: Terms, usd: Decimal) -> Profit:
    rounded = usd.quantize(_STEP, ROUND_HALF_EVEN, _EXACT) + 0
    return Profit(usd=rounded, pct=(100 * rounded / terms.position_usd).quantize(_STEP, ROUND_HALF_EVEN, _EXACT) + 0)


def _level(price: Decimal | None) -> float:
    return float("nan") if price is None else float(price)
