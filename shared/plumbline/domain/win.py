"""How likely a signal is to be worth its costs a day later, told before anybody enters: what a second model sees.

Meta-labelling (López de Prado, Advances in Financial Machine Learning, 2018, ch. 3.6): the scanners choose market and
side, a model that was trained on what became of earlier signals says how far to trust this one. It sees what a recorded
signal holds and nothing else, so that it can be trained from the record alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from plumbline.domain.calendar import DAY, Interval, Timeframe
from plumbline.domain.candles import Floats
from plumbline.domain.outcomes import Outcome
from plumbline.domain.signals import Signal
from plumbline.domain.strategies import SCANNER_NAMES, SCANNER_WEIGHTS

type Rows = NDArray[np.float32]
"""Signals as the model sees them: float32 (n, len(`WIN_FEATURES`))."""

HORIZON = Interval.H24
"""The outcome that is foretold."""

COST_PCT = Decimal("0.3")
"""Fees and slippage of a trade's two sides together, in percent of its price: what a move must be worth."""

INDICATORS = (
    *("rsi", "macd", "bollinger", "volume"),
    *("money_flow", "accumulation", "absorption"),
    *("relative_strength", "structure", "participation"),
    "policy",
)
"""Every indicator that one of the scanners votes with."""

_STRATEGY_TYPES = tuple(SCANNER_WEIGHTS)

_WIDEST = 20.0
"""A stop is counted as no farther away than this many percent: beyond lies an accident of the data."""

WIN_FEATURES: tuple[str, ...] = (
    "unified_score",
    "confidence",
    "stop_pct",
    "hour_sin",
    "hour_cos",
    *(f"points_{name}" for name in INDICATORS),
    *(f"scanner_{name}" for name in SCANNER_NAMES),
    *(f"strategy_{name}" for name in _STRATEGY_TYPES),
)
"""Names of the inputs, in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WinFacts:
    """What a model file says about itself. `hash` is the SHA-256 of the whole file.

    `enabled` only where it beat the base rate on signals it had not seen; `reason` says by how much, or why not.
    `timeframe` is that of the signals it was trained on, `market` where they come from, `figures` what it showed.
    """

    name: str
    version: str
    hash: str
    market: str
    timeframe: Timeframe
    enabled: bool
    reason: str
    figures: Mapping[str, Any]


class WinModel(Protocol):
    """A trained model of the win probability."""

    @property
    def facts(self) -> WinFacts:
        """Where it comes from, how well it did, and whether it is to be used."""

    def probability(self, rows: Rows) -> Floats:
        """Probability that each signal is `worth_it`: float64 (n,); NaN where a value is missing."""


def describe(signal: Signal) -> NDArray[np.float32]:
    """A signal as the model sees it: float32 (len(`WIN_FEATURES`),), NaN where it has no stop.

    Seen from the holder's side: a short one that mirrors a long one is described alike. Scores, points and
    probabilities are fractions, the stop's distance is percent of the entry. An indicator that the signal does not
    name has no points; a scanner or strategy type from outside is none of those known.
    """
    angle = 2 * np.pi * (signal.timestamp % DAY) / DAY
    # + 0.0: what is no points for a long signal is not −0.0 for a short one.
    points = [signal.side.sign * signal.indicator_breakdown.get(name, 0.0) / 100 + 0.0 for name in INDICATORS]
    values = (
        signal.unified_score / 100,
        signal.confidence,
        _stop_pct(signal),
        np.sin(angle),
        np.cos(angle),
        *points,
        *(signal.scanner_type == name for name in SCANNER_NAMES),
        *(signal.strategy_type == name for name in _STRATEGY_TYPES),
    )
    return np.array(values, dtype=np.float32)


def worth_it(outcome: Outcome) -> bool | None:
    """The label: whether the signal earned more than its costs; None where the outcome is UNKNOWN."""
    return None if outcome.pnl_pct is None else outcome.pnl_pct > COST_PCT


def _stop_pct(signal: Signal) -> float:
    if signal.stop_loss is None:
        return float("nan")
    return min(_WIDEST, float(100 * abs(signal.entry_price - signal.stop_loss) / signal.entry_price))
