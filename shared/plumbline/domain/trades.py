"""The paper trade that every signal opens, and what became of it.

A trade is resolved from its signal and the market's candles alone (`domain.exits`): whoever computes it, live or years
later, in one step or in thousands, comes to the same record. Three books say what it earned:

* ideal: entered at the signal's own price, no costs. This is the `gross` figure.
* net: entered at the open of the next 1m candle, fees and slippage on both sides. This is the headline.
* pessimistic: as net, but every fill at the worst price of its minute; only a limit order fills at its level.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from plumbline.domain.calendar import DAY, Timeframe
from plumbline.domain.errors import InvalidInput
from plumbline.domain.signals import MarketType, Origin, Side, Signal, Tier

LIFETIME = DAY
"""A trade that has touched neither level by then expires."""

FLAT_WITHIN = Decimal("0.01")
"""Dollars net: a winning trade made more, a losing one lost more, the rest are flat."""


class Status(StrEnum):
    """State of a trade. CLOSED_UNKNOWN: the market's data had a hole where it should have been closed."""

    OPEN = "OPEN"
    TARGET = "CLOSED_TP"
    STOP = "CLOSED_SL"
    EXPIRED = "CLOSED_EXPIRED"
    UNKNOWN = "CLOSED_UNKNOWN"


class TradeOutcome(StrEnum):
    """What a signal's trade came to, as the signal's `actual_outcome` says it."""

    PENDING = "pending"
    WIN = "win"
    LOSS = "loss"
    EXPIRED = "expired"
    UNKNOWN = "unknown"


_OUTCOMES = {
    Status.OPEN: TradeOutcome.PENDING,
    Status.TARGET: TradeOutcome.WIN,
    Status.STOP: TradeOutcome.LOSS,
    Status.EXPIRED: TradeOutcome.EXPIRED,
    Status.UNKNOWN: TradeOutcome.UNKNOWN,
}


class Trigger(StrEnum):
    """What opened a trade: the unified score, or momentum across the universe (the scanner `mss`) above all.

    `tp_sl` is for trades that an outside source opens with levels of its own.
    """

    SCORE = "score"
    MOMENTUM = "roc_momo"
    LEVELS = "tp_sl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """On what terms a paper trade is opened. Costs are basis points a side; `position_usd` is its size.

    A trade carries its own terms: a change holds for trades that are opened after it.
    """

    position_usd: Decimal = Decimal(100)
    fee_bps: Decimal = Decimal(10)
    slippage_bps: Decimal = Decimal(5)

    def __post_init__(self) -> None:
        if not (self.position_usd.is_finite() and self.position_usd > 0):
            raise InvalidInput(f"position size {self.position_usd} must be above zero", field="position_usd")
        for name in ("fee_bps", "slippage_bps"):
            value: Decimal = getattr(self, name)
            if not (value.is_finite() and 0 <= value <= 1_000):
                raise InvalidInput(f"{name} {value} must lie in 0–1000", field=name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """An open paper trade. Prices are Decimal in quote currency, times ms UTC.

    `opened_at` is the signal's time. `net_entry_price` is the open of the first 1m candle from then on, before
    slippage; None while that candle is not collected. Levels are None where the signal has none.
    """

    signal_id: str
    opened_at: int
    symbol: str
    side: Side
    market_type: MarketType
    timeframe: Timeframe
    scanner_type: str
    channel_id: str
    strategy_type: str
    snapshot_id: str
    origin: Origin
    tier: Tier
    unified_score: float
    confidence: float
    entry_price: Decimal
    stop_loss: Decimal | None
    take_profit: Decimal | None
    trigger_type: Trigger = Trigger.SCORE
    indicators_fired: tuple[str, ...] = ()
    indicator_breakdown: Mapping[str, float] = field(default_factory=dict)
    terms: Terms = field(default_factory=Terms)
    net_entry_price: Decimal | None = None

    @property
    def deadline(self) -> int:
        """When it expires."""
        return self.opened_at + LIFETIME

    @property
    def buy_score(self) -> float | None:
        """The unified score where it spoke for buying."""
        return self.unified_score if self.side is Side.LONG else None

    @property
    def sell_score(self) -> float | None:
        """The unified score where it spoke for selling."""
        return self.unified_score if self.side is Side.SHORT else None


def position_of(signal: Signal, terms: Terms) -> Position:
    """The trade that a signal opens."""
    return Position(
        signal_id=signal.signal_id,
        opened_at=signal.timestamp,
        symbol=signal.symbol,
        side=signal.side,
        market_type=signal.market_type,
        timeframe=signal.timeframe,
        scanner_type=signal.scanner_type,
        channel_id=signal.channel_id,
        strategy_type=signal.strategy_type,
        snapshot_id=signal.snapshot_id,
        origin=signal.origin,
        tier=signal.tier,
        unified_score=signal.unified_score,
        confidence=signal.confidence,
        entry_price=signal.entry_price,
        stop_loss=signal.stop_loss,
        take_profit=signal.take_profit,
        trigger_type=Trigger.MOMENTUM if signal.scanner_type == "mss" else Trigger.SCORE,
        indicators_fired=signal.indicators_fired,
        indicator_breakdown=signal.indicator_breakdown,
        terms=terms,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Profit:
    """What one book made of a trade: USD and percent of the position, from the holder's side."""

    usd: Decimal
    pct: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """A closed paper trade: a fact, written once under its signal's id.

    `closed_at` is the last millisecond of the 1m candle that touched a level (the open of one that opened beyond it),
    or the deadline. `exit_price` is before slippage; it and the profits are None where the status is UNKNOWN.
    `net_if_target` is what the net book would hold had the target come first in the one candle that touched both;
    None unless `ambiguous`. Excursions are percent of the signal's price, the best ≥ 0 and the worst ≤ 0: whole
    candles, but of one that touched a level only the open and the fill, since what else came before it is not known.
    """

    position: Position
    status: Status
    closed_at: int
    recorded_at: int
    exit_price: Decimal | None = None
    ideal: Profit | None = None
    net: Profit | None = None
    pessimistic: Profit | None = None
    net_if_target: Profit | None = None
    ambiguous: bool = False
    max_favourable_pct: Decimal | None = None
    max_adverse_pct: Decimal | None = None

    def __post_init__(self) -> None:
        if self.status is Status.OPEN:
            raise InvalidInput("an open trade is a position", field="status")
        known = self.status is not Status.UNKNOWN
        if any((value is not None) is not known for value in (self.exit_price, self.ideal, self.net, self.pessimistic)):
            raise InvalidInput(f"{self.status} with exit {self.exit_price} and net {self.net}", field="status")
        if self.ambiguous is not (self.net_if_target is not None):
            raise InvalidInput(f"ambiguous {self.ambiguous} with {self.net_if_target}", field="ambiguous")

    @property
    def signal_id(self) -> str:
        """Its signal's."""
        return self.position.signal_id

    @property
    def outcome(self) -> TradeOutcome:
        """How it closed."""
        return outcome_of(self.status)

    @property
    def held_seconds(self) -> int:
        """Whole seconds between opening and closing: below 60 where it closed within its first minute."""
        return max(0, self.closed_at - self.position.opened_at) // 1_000


def outcome_of(status: Status) -> TradeOutcome:
    """A status as the signal's outcome."""
    return _OUTCOMES[status]


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """The open trades at a glance, as of the last minute matched: derived, replaced whole.

    `prices` are the last closes of the symbols with open trades; `unrealised_usd` is what closing all of them at these
    prices would make net.
    """

    as_of: int
    open: int
    unrealised_usd: Decimal
    prices: Mapping[str, Decimal]
