"""What the policy sees, what it answers, and when an answer is worth a trade.

The policy is a neural network that looks at the last `WINDOW` candles of one market and says how likely each action is
to pay: the probability that a trade in that direction reaches its target before its stop within a day.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from plumbline.domain.calendar import Timeframe
from plumbline.domain.candles import Floats
from plumbline.domain.features import CHANNEL, DAY, SLOW, Features

type Windows = NDArray[np.float32]
"""Inputs of the policy: float32 (n, `WINDOW`, len(`FEATURES`)), oldest candle first."""

ACTIONS = ("HOLD", "BUY", "SELL")
WINDOW = 32

FEATURES = (
    "return_1",
    "return_24",
    "body",
    "close_location",
    "range",
    "rsi",
    "macd",
    "macd_hist",
    "percent_b",
    "band_width",
    "trend",
    "channel",
    "money_flow",
    "volume",
)
"""Names of the inputs, in order; each is free of the price's scale, so that one policy serves every market."""

MIRRORED = (1, 1, 1, 1, 0, 1, 1, 1, 1, 0, 1, 1, 1, 0)
"""1 where the input changes its sign in the market's mirror image, in which every rise is a fall."""

_LIMIT = 8.0
"""Inputs are cut here, in either direction: beyond lies an accident of the data, not a stronger signal."""


_BATCH = 8_192
"""Windows in one run: 15 MB of inputs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFacts:
    """What a model file says about itself. `hash` is the SHA-256 of the whole file.

    `market` is what it was trained on (`recorded`, `simulated`), `timeframe` the candles it reads, `stop_atr` and
    `target_atr` the levels of the trades its probabilities are about, in multiples of the ATR. `prior` holds the
    shares of `ACTIONS` among its examples; `spread` for each feature the inner edges of ten equal parts of its examples
    and the share that fell in each part; `card` its figures out of sample.
    """

    name: str
    version: str
    hash: str
    market: str
    timeframe: Timeframe
    stop_atr: float
    target_atr: float
    prior: tuple[float, ...]
    spread: Mapping[str, tuple[tuple[float, ...], tuple[float, ...]]]
    card: Mapping[str, Any]

    @property
    def has_edge(self) -> bool:
        """Whether it earned its costs out of sample, by its own card; one that did not may watch, and never acts."""
        return self.card.get("verdict") == "edge"


class Policy(Protocol):
    """A trained policy."""

    @property
    def facts(self) -> ModelFacts:
        """Where it comes from and how well it did."""

    def probabilities(self, windows: Windows) -> Floats:
        """Probability of each of `ACTIONS` at the end of each window: float64 (n, 3)."""


def inputs(features: Features) -> Windows:
    """Inputs at each candle: float32 (markets, candles, len(`FEATURES`)), NaN where one has no value."""
    f, atr = features, features.unit
    columns = (
        (f.close - f.close_prev) / atr,
        (f.close - f.close_day) / (atr * np.sqrt(DAY)),
        f.body / atr,
        f.close_location,
        (f.high - f.low) / atr - 1,
        f.rsi / 50 - 1,
        f.macd / atr,
        f.macd_hist / atr,
        2 * f.percent_b - 1,
        (f.bb_upper - f.bb_lower) / (4 * atr) - 1,
        (f.close - f.slow_average) / (atr * np.sqrt(SLOW)),
        (2 * f.close - f.channel_high - f.channel_low) / (atr * np.sqrt(CHANNEL)),
        f.money_flow,
        f.volume_ratio / (1 + f.volume_ratio) - 0.5,
    )
    stacked = np.stack([column.astype(np.float32) for column in columns], axis=-1)
    return np.clip(stacked, np.float32(-_LIMIT), np.float32(_LIMIT), out=stacked)


def opinions(policy: Policy, values: Windows, wanted: NDArray[np.bool_]) -> Floats:
    """Probabilities (markets, n, 3) at the last n candles where they are `wanted` (markets, n), NaN elsewhere.

    `values` are the `inputs` of these candles and the `WINDOW` − 1 before. A window with a value missing, as after a
    hole in the market's data, has no opinion. Four decimals: what is compared with a threshold is what is shown, and
    the last bits of a processor decide nothing.
    """
    whole = np.lib.stride_tricks.sliding_window_view(np.isfinite(values).all(axis=2), WINDOW, axis=1).all(axis=2)
    answer = np.full((*wanted.shape, len(ACTIONS)), np.nan)
    markets, candles = np.nonzero(wanted & whole)
    for start in range(0, len(markets), _BATCH):
        some = markets[start : start + _BATCH], candles[start : start + _BATCH]
        batch = values[some[0][:, None], some[1][:, None] + np.arange(WINDOW)]
        answer[some] = np.round(policy.probabilities(batch), 4)
    return answer


def expected_value(probability: Floats, reward: float, cost: Floats) -> Floats:
    """Least a trade earns on average, in units of its risk (the distance to its stop), after `cost` in the same units.

    A trade that does not reach its target is counted as stopped out, though some expire on the way: the figure is a
    lower bound.
    """
    return probability * reward - (1 - probability) - cost
