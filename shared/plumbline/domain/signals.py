"""The signal: an immutable statement that at this time, at this price, this market was worth this trade."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Context, Decimal
from enum import StrEnum

from plumbline.domain.calendar import Interval, Timeframe
from plumbline.domain.errors import InvalidInput, RecordRefused

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PRICE = Context(prec=10, rounding=ROUND_HALF_EVEN)


class Action(StrEnum):
    """What to do; HOLD is an answer, never a stored signal."""

    BUY = "BUY"
    SELL = "SELL"
    HOLD = "HOLD"

    @property
    def side(self) -> "Side":
        """BUY is LONG, SELL is SHORT."""
        if self is Action.HOLD:
            raise InvalidInput("HOLD takes no side", field="action")
        return Side.LONG if self is Action.BUY else Side.SHORT


class Side(StrEnum):
    """Direction of a position, as outcomes and trades name it."""

    LONG = "LONG"
    SHORT = "SHORT"

    @property
    def sign(self) -> int:
        """+1 where a rising price earns, −1 where a falling one does."""
        return 1 if self is Side.LONG else -1


class Tier(StrEnum):
    """Class of a unified score."""

    MUST_BUY = "TIER_1_MUST_BUY"
    STRONG_BUY = "TIER_2_STRONG_BUY"
    WATCHLIST = "TIER_3_WATCHLIST"
    NEUTRAL = "TIER_4_NEUTRAL"

    @classmethod
    def of(cls, score: float) -> "Tier":
        """Tier of a unified score in 0–100."""
        if not 0 <= score <= 100:
            raise InvalidInput(f"unified score {score} is outside 0–100", field="unified_score")
        return next(tier for tier, least in _LEAST_SCORE.items() if score >= least)


_LEAST_SCORE = {Tier.MUST_BUY: 85, Tier.STRONG_BUY: 70, Tier.WATCHLIST: 55, Tier.NEUTRAL: 0}


class Origin(StrEnum):
    """How a signal came into the log; only live and external ones count in the record."""

    LIVE = "live"
    BACKFILL = "backfill"
    EXTERNAL = "external"

    @property
    def counts(self) -> bool:
        """Whether such a signal counts in the record."""
        return self is not Origin.BACKFILL


class MarketType(StrEnum):
    """What is traded."""

    SPOT = "SPOT"
    FUTURES = "FUTURES"


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a signal comes from, so that anybody can compute it again."""

    candles_hash: str = ""
    model_hash: str = ""
    data_source: str = ""
    code_version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """One signal. Prices are Decimal in quote currency, times are ms UTC, `position_size` a share of equity.

    `win_probability` is how likely it is to be worth its costs a day later (`domain.win`); None where no model that
    beat the base rate says so.
    """

    signal_id: str
    timestamp: int
    recorded_at: int
    origin: Origin
    symbol: str
    timeframe: Timeframe
    action: Action
    confidence: float
    unified_score: float
    tier: Tier
    scanner_type: str
    channel_id: str
    strategy_type: str
    entry_price: Decimal
    snapshot_id: str
    provenance: Provenance
    market_type: MarketType = MarketType.SPOT
    stop_loss: Decimal | None = None
    take_profit: Decimal | None = None
    position_size: Decimal | None = None
    risk_reward_ratio: Decimal | None = None
    model_version: str = ""
    win_probability: float | None = None
    indicator_breakdown: Mapping[str, float] = field(default_factory=dict)
    indicators_fired: tuple[str, ...] = ()
    reasoning: tuple[str, ...] = ()
    latency_ms: int = 0
    placeholder: bool = False

    def __post_init__(self) -> None:
        if self.action is Action.HOLD:
            raise InvalidInput("HOLD is never a signal", field="action")
        if not (self.entry_price.is_finite() and self.entry_price > 0):
            raise InvalidInput(f"entry price {self.entry_price} must be above zero", field="entry_price")
        if not 0 <= self.confidence <= 1:
            raise InvalidInput(f"confidence {self.confidence} is outside 0–1", field="confidence")
        if not 0 <= (self.win_probability or 0) <= 1:
            raise InvalidInput(f"win probability {self.win_probability} is outside 0–1", field="win_probability")
        if Tier.of(self.unified_score) is not self.tier:
            raise InvalidInput(f"score {self.unified_score} is not {self.tier}", field="tier")

    @property
    def side(self) -> Side:
        """LONG or SHORT."""
        return self.action.side

    def due(self, interval: Interval) -> int:
        """When the outcome at `interval` is to be judged."""
        return self.timestamp + interval.ms


def signal_id(timestamp: int, *natural_key: str) -> str:
    """ULID made from the natural key: 48 bits of time, then 80 of its SHA-256, so a signal can exist only once.

    Sorts by time, names its own day, and is the same on every machine (layout: github.com/ulid/spec).
    """
    digest = hashlib.sha256("\n".join((str(timestamp), *natural_key)).encode()).digest()
    value = timestamp << 80 | int.from_bytes(digest[:10], "big")
    return "".join(_CROCKFORD[value >> shift & 31] for shift in range(125, -1, -5))


def timestamp_of(id_: str) -> int:
    """The time inside a signal id; InvalidInput where it is not one."""
    if len(id_) != 26 or id_[0] > "7" or not set(id_) <= set(_CROCKFORD):
        raise InvalidInput(f"{id_!r} is not a signal id", field="signal_id")
    return sum(_CROCKFORD.index(char) << 5 * place for place, char in enumerate(reversed(id_[:10])))


def first_id(timestamp: int) -> str:
    """Smallest id a signal of this time could have: a bound for ranges."""
    return "".join(_CROCKFORD[timestamp >> shift & 31] for shift in range(45, -1, -5)) + "0" * 16


def to_price(value: float) -> Decimal:
    """The border between kernels (float64) and money (Decimal): ten significant digits, no exponent noise."""
    return _PRICE.create_decimal(repr(float(value))).normalize() + 0


def admit(signal: Signal, source: str) -> Signal:
    """Door of the record: returns the signal, or raises RecordRefused with the reason.

    Placeholder output never enters (promise P9), nor does a signal computed from another market than the one this
    record is about: a simulated signal can never stand among live ones.
    """
    if signal.placeholder:
        raise RecordRefused(f"signal {signal.signal_id} is placeholder output: it was not made by the model it names")
    if signal.provenance.data_source != source:
        raise RecordRefused(
            f"signal {signal.signal_id} comes from {signal.provenance.data_source!r}, this record is about {source!r}"
        )
    return signal
