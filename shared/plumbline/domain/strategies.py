"""What a channel computes: its configuration, identified by content, and when each one was current."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from math import inf, isfinite
from types import MappingProxyType
from typing import Any, Self

from plumbline.domain.calendar import HOUR, Timeframe
from plumbline.domain.errors import InvalidInput

INDICATORS = ("rsi", "macd", "bollinger", "volume")
_EVEN = MappingProxyType({"rsi": 30.0, "macd": 30.0, "bollinger": 20.0, "volume": 20.0})
SCANNER_NAMES = ("technical", "smart_money", "mss", "model")
_RULES_AND_MODEL = MappingProxyType({"technical": 50.0, "smart_money": 25.0, "model": 25.0})
SCANNER_WEIGHTS: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {
        "momentum": _RULES_AND_MODEL,
        "mean_reversion": _RULES_AND_MODEL,
        "breakout": MappingProxyType({"technical": 50.0, "smart_money": 50.0}),
        "trend_following": MappingProxyType({"technical": 50.0, "mss": 50.0}),
        "model": MappingProxyType({"model": 100.0}),
    }
)
"""The scanners with which a strategy type starts, and how much each counts in the unified score."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """Everything that decides whether a candle becomes a signal. Immutable; two with the same content are one.

    `score_*_target` are the scores (0–100) from which a scanner has found something, `tp_threshold` and `sl_threshold`
    multiples of the ATR, `cooldown_bars` the number of candles during which a condition must have been silent before
    it may fire. `scanner_weights` say how much each scanner counts; one that is not named is not asked. The model acts
    from `confidence_threshold`, and where a trade's expected value after fees and slippage (basis points a side) is
    above `min_expected_value`, in units of its risk.
    """

    strategy: str
    strategy_type: str
    score_buy_target: float = 55.0
    score_sell_target: float = 55.0
    indicator_weights: Mapping[str, float] = field(default_factory=lambda: dict(_EVEN))
    scanner_weights: Mapping[str, float] = field(default_factory=lambda: dict(_RULES_AND_MODEL))
    rsi_buy_threshold: float = 30.0
    rsi_sell_threshold: float = 70.0
    tp_threshold: float = 3.0
    sl_threshold: float = 2.0
    cooldown_bars: int = 6
    min_indicators_required: int = 2
    excluded_symbols: tuple[str, ...] = ()
    confidence_threshold: float = 0.65
    min_expected_value: float = 0.0
    fee_bps: float = 10.0
    slippage_bps: float = 5.0
    position_size_pct: float = 0.02

    def __post_init__(self) -> None:
        for name in ("indicator_weights", "scanner_weights"):  # our own copies: nobody else can change them
            object.__setattr__(self, name, dict(getattr(self, name)))
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
        for name in ("indicator_weights", "scanner_weights"):
            content[name] = {key: float(weight) for key, weight in getattr(self, name).items()}
        return json.dumps(content, sort_keys=True, separators=(",", ":"))

    @property
    def asks_the_model(self) -> bool:
        """Whether the policy's opinion counts."""
        return self.scanner_weights.get("model", 0) > 0

    @property
    def compares_markets(self) -> bool:
        """Whether a market's score depends on the others that are scanned with it."""
        return self.scanner_weights.get("mss", 0) > 0

    def by_the_rules(self) -> Self:
        """The same without a model: the technical score alone. What it finds is a placeholder, never a record."""
        return replace(self, scanner_weights={"technical": 100.0}, min_indicators_required=2)

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
        costs = self.fee_bps, self.slippage_bps
        numbers = {f.name: getattr(self, f.name) for f in fields(self) if f.type is float}
        endless = {name: value for name, value in numbers.items() if not isfinite(value)}
        checks = {
            f"{endless} must be finite numbers": not endless,
            **_weights("indicator_weights", self.indicator_weights, INDICATORS),
            **_weights("scanner_weights", self.scanner_weights, SCANNER_NAMES),
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
            f"min_indicators_required {self.min_indicators_required} must be ≥ 1": self.min_indicators_required >= 1,
            f"fee_bps {self.fee_bps} and slippage_bps {self.slippage_bps} must lie in 0–1000": 0
            <= min(costs)
            <= max(costs)
            <= 1_000,
            f"confidence_threshold {self.confidence_threshold} must lie in 0–1": 0 <= self.confidence_threshold <= 1,
            f"position_size_pct {self.position_size_pct} must lie in 0–1": 0 < self.position_size_pct <= 1,
        }
        return [fault for fault, holds in checks.items() if not holds]


def _weights(name: str, weights: Mapping[str, float], known: tuple[str, ...]) -> dict[str, bool]:
    return {
        f"{name} must name {known}, got {sorted(weights)}": set(weights) <= set(known),
        f"{name} {dict(weights)} must be ≥ 0 with a sum above 0": 0 < sum(weights.values()) < inf
        and min(weights.values(), default=0) >= 0,
    }


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


DEFAULT_CHANNELS = tuple(
    Channel(channel_id=slug, name=name, strategy_type=kind, timeframe=Timeframe.H1)
    for slug, name, kind in (
        ("momentum-alpha", "Momentum Alpha", "momentum"),
        ("reversion-beta", "Reversion Beta", "mean_reversion"),
        ("breakout-gamma", "Breakout Gamma", "breakout"),
        ("trend-delta", "Trend Delta", "trend_following"),
        ("policy-epsilon", "Policy Epsilon", "model"),
    )
)


def default_configuration(channel: Channel, **settings: float) -> Configuration:
    """The configuration with which a channel starts. The policy is one indicator: it needs no second one."""
    plain = Configuration(
        strategy=channel.channel_id,
        strategy_type=channel.strategy_type,
        scanner_weights=dict(SCANNER_WEIGHTS.get(channel.strategy_type, _RULES_AND_MODEL)),
        min_indicators_required=1 if channel.strategy_type == "model" else 2,
    )
    return replace(plain, **settings)  # type: ignore[arg-type]  # mypy asks each field to be a float
