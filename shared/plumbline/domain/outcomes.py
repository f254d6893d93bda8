"""What became of a signal: the price at the due time, and WIN, LOSS or NEUTRAL by it."""

from dataclasses import dataclass
from decimal import ROUND_DOWN, Context, Decimal
from enum import StrEnum

import numpy as np

from plumbline.domain.calendar import DAY, MINUTE, Interval
from plumbline.domain.candles import Candles, Floats, Ints
from plumbline.domain.signals import Origin, Side, Signal, Tier, to_price

WIN_AT = Decimal(5)
LOSS_AT = Decimal(-3)
STALE_AFTER = 5 * MINUTE
"""A last price older than this is a hole in the market's data, not a price."""
GIVE_UP_AFTER = 7 * DAY
"""A hole that is still open this long after the due time closes the check as UNKNOWN."""

_PERCENT_STEP = Decimal("0.000001")
_EXACT = Context(prec=80)


class Label(StrEnum):
    """Judgement of one signal at one interval. UNKNOWN counts in coverage, never in a rate."""

    WIN = "WIN"
    LOSS = "LOSS"
    NEUTRAL = "NEUTRAL"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One signal judged at one interval: a fact, written once.

    `price_change_pct` is the raw move of the market, `pnl_pct` the same from the holder's side; both are percent,
    cut (not rounded) to six decimals so that the stored figure and its label can never disagree.
    """

    signal_id: str
    interval: Interval
    symbol: str
    signal_type: Side
    entry_price: Decimal
    exit_price: Decimal | None
    price_change_pct: Decimal | None
    pnl_pct: Decimal | None
    outcome: Label
    unified_score: float
    tier: Tier
    scanner_type: str
    channel_id: str
    snapshot_id: str
    origin: Origin
    due_at: int
    checked_at: int


def judge(signal: Signal, interval: Interval, price: Decimal | None, now: int) -> Outcome:
    """Outcome of `signal` at `interval`, given the market's price at the due time (None: closed as UNKNOWN)."""
    change = None if price is None else change_pct(signal.entry_price, price)
    pnl = None if change is None else change * signal.side.sign
    return Outcome(
        signal_id=signal.signal_id,
        interval=interval,
        symbol=signal.symbol,
        signal_type=signal.side,
        entry_price=signal.entry_price,
        exit_price=price,
        price_change_pct=change,
        pnl_pct=pnl,
        outcome=label(pnl),
        unified_score=signal.unified_score,
        tier=signal.tier,
        scanner_type=signal.scanner_type,
        channel_id=signal.channel_id,
        snapshot_id=signal.snapshot_id,
        origin=signal.origin,
        due_at=signal.due(interval),
        checked_at=now,
    )


def label(pnl_pct: Decimal | None) -> Label:
    """WIN from +5.0, LOSS from −3.0, the edges included; UNKNOWN without a price."""
    if pnl_pct is None:
        return Label.UNKNOWN
    if pnl_pct >= WIN_AT:
        return Label.WIN
    return Label.LOSS if pnl_pct <= LOSS_AT else Label.NEUTRAL


def change_pct(entry: Decimal, exit_: Decimal) -> Decimal:
    """Move from entry to exit in percent, cut to six decimals toward zero."""
    change = _EXACT.divide(_EXACT.multiply(exit_ - entry, Decimal(100)), entry)
    return change.quantize(_PERCENT_STEP, ROUND_DOWN, _EXACT) + 0


def prices_at(minutes: Candles, instants: Ints) -> Floats:
    """Last price of the market at each instant: the close of the last 1m candle that closed at or before it.

    `minutes` are 1m candles, `instants` ms of any order, shape (n,). Returns float64 (n,), NaN where the last candle
    is older than `STALE_AFTER` or there is none: a hole is never bridged.
    """
    closes = minutes.open_time + minutes.timeframe.ms
    last = np.searchsorted(closes, instants, side="right") - 1
    if not len(minutes):
        return np.full(len(instants), np.nan)
    fresh = (last >= 0) & (instants - closes[last] <= STALE_AFTER)
    return np.where(fresh, minutes.close[last], np.nan)


def price_at(minutes: Candles, instant: int) -> Decimal | None:
    """`prices_at` for one instant, as money."""
    price = prices_at(minutes, np.array([instant]))[0]
    return None if np.isnan(price) else to_price(price)
