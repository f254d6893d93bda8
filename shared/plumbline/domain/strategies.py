"""What a channel computes: its configuration, identified by content, and when each one was current."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from types import MappingProxyType
from typing import Any, Self

from plumbline.domain.calendar import HOUR, Timeframe
from plumbline.domain.errors import InvalidInput

INDICATORS = ("rsi", "macd", "bollinger", "volume")
_EVEN = MappingProxyType({"rsi": 30.0, "macd": 30.0, "bollinger": 20.0, "volume": 20.0})


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """Everything that decides whether a candle becomes a signal. Immutable; two with the same content are one.

    `score_*_target` are unified scores (0–100) from which a signal is made, `tp_threshold` and `sl_threshold` multiples
    of the ATR, `cooldown_bars` the number of candles during which a condition must have been silent before it may fire.
    """

    strategy: str
    strategy_type: str
    score_buy_target: float = 55.0
    score_sell_target: float = 55.0
    indicator_weights: Mapping[str, float] = field(default_factory=lambda: dict(_EVEN))
    rsi_buy_threshold: float = 30.0
    rsi_sell_threshold: float = 70.0
    tp_threshold: float = 3.0
    sl_threshold: float = 2.0
    cooldown_bars: int = 6
    min_indicators_required: int = 2
    excluded_symbols: tuple[str, ...] = ()
    confidence_threshold: float = 0.65
    position_size_pct: float = 0.02

    def __post_init__(self) -> None:
        faults = [*self._faults()]
        if faults:
            raise InvalidInput(f"configuration of {self.strategy!r}: {'; '.join(faults)}", field="configuration")

    @property
    def config_hash(self) -> str:
        """SHA-256 of the canonical JSON (sorted keys, no spaces): the snapshot's id."""
        return hashlib.sha256(self.canonical().encode()).hexdigest()

    def canonical(self) -> str:
        """Canonical JSON of the content: 55 and 55.0 are the same setting."""
        content = asdict(self)
        for name, value in content.items():
            if _FIELD_TYPES[name] is float:
                content[name] = float(value)
        content["indicator_weights"] = {name: float(weight) for name, weight in self.indicator_weights.items()}
        return json.dumps(content, sort_keys=True, separators=(",", ":"))

    @classmethod
    def parse(cls, content: Mapping[str, Any]) -> Self:
        """Build from JSON content; unknown names are refused, so that a typing error cannot pass for a setting."""
        unknown = set(content) - {f.name for f in fields(cls)}
        if unknown:
            raise InvalidInput(f"unknown settings {sorted(unknown)}", field="configuration")
        plain = dict(content)
        plain["excluded_symbols"] = tuple(plain.get("excluded_symbols", ()))
        return cls(**plain)

    def _faults(self) -> list[str]:
        weights = self.indicator_weights
        checks = {
            f"indicator_weights must name {INDICATORS}, got {sorted(weights)}": set(weights) <= set(INDICATORS),
            f"indicator_weights {dict(weights)} must be ≥ 0 with a sum above 0": sum(weights.values()) > 0
            and min(weights.values(), default=0) >= 0,
            f"score targets {self.score_buy_target}, {self.score_sell_target} must lie in 0–100": 0
            <= min(self.score_buy_target, self.score_sell_target)
            <= max(self.score_buy_target, self.score_sell_target)
            <= 100,
            f"rsi_buy_threshold {self.rsi_buy_threshold} must be below rsi_sell_threshold {self.rsi_sell_threshold}": (
                0 <= self.rsi_buy_threshold < self.rsi_sell_threshold <= 100
            ),
            f"tp_threshold {self.tp_threshold} and sl_threshold {self.sl_threshold} must be above 0": min(
                self.tp_threshold, self.sl_threshold
            )
            > 0,
            f"cooldown_bars {self.cooldown_bars} must be ≥ 0": self.cooldown_bars >= 0,
            f"min_indicators_required {self.min_indicators_required} must be 1–{len(INDICATORS)}": 1
            <= self.min_indicators_required
            <= len(INDICATORS),
            f"confidence_threshold {self.confidence_threshold} must lie in 0–1": 0 <= self.confidence_threshold <= 1,
            f"position_size_pct {self.position_size_pct} must lie in 0–1": 0 < self.position_size_pct <= 1,
        }
        return [fault for fault, holds in checks.items() if not holds]


_FIELD_TYPES = {f.name: f.type for f in fields(Configuration)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Activation:
    """From when, by whom and why a snapshot was the current one of its strategy. Ends where the next one begins."""

    strategy: str
    config_hash: str
    active_from: int
    activated_by: str = "plumbline"
    notes: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A published stream of signals. Without symbols it scans the most traded pairs of its quote currency.

    `max_lag` (ms): a signal recorded later than this after its candle closed is a backfill and does not count.
    """

    channel_id: str
    name: str
    strategy_type: str
    timeframe: Timeframe
    symbols: tuple[str, ...] = ()
    quote: str = "USDT"
    max_lag: int = HOUR


DEFAULT_CHANNELS = (
    Channel(channel_id="momentum-alpha", name="Momentum Alpha", strategy_type="momentum", timeframe=Timeframe.H1),
    Channel(
        channel_id="reversion-beta",
        name="Reversion Beta",
        strategy_type="mean_reversion",
        timeframe=Timeframe.H1,
    ),
)
