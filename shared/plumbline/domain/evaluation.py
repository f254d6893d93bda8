"""Many markets at many candles at once: features, opinions, scores, and which of them fire after the cooldown."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plumbline.domain.candles import Candles, Floats, Ints
from plumbline.domain.features import Features
from plumbline.domain.policy import WINDOW, Policy, Windows, inputs, opinions
from plumbline.domain.scanners import Scene
from plumbline.domain.scores import Scores, score
from plumbline.domain.strategies import Configuration
from plumbline.domain.windows import WARM_UP

type Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Arrays (markets, candles). `closes` are the candles' closes (ms), None for values without a candle; `fires` says
    where a signal is due.
    """

    closes: Ints | None
    scene: Scene
    scores: Scores
    fires: Mask

    def part(self, market: int, candle: int) -> "Evaluation":
        """One market at one candle."""
        row, column = slice(market, market + 1), slice(candle, candle + 1)
        closes = None if self.closes is None else self.closes[column]
        return Evaluation(closes, self.scene.part(row, column), self.scores.part(row, column), self.fires[row, column])


def evaluate(
    configuration: Configuration, windows: Sequence[Candles], first: int, last: int, policy: Policy | None = None
) -> Evaluation:
    """Evaluate the candles that close in [first, last] (ms) of these windows, which begin where theirs do.

    A condition fires after `cooldown_bars` candles without it: a lasting condition is one signal. It is judged on the
    condition itself, not on what was signalled, so it needs no memory and no start.
    """
    asked = policy if configuration.asks_the_model else None
    back, history, step = configuration.cooldown_bars, WINDOW - 1 if asked else 0, windows[0].timeframe.ms
    grid = np.arange(first - (back + history + 1) * step, last, step)
    wide = Features.of(windows, grid)
    grid, features = grid[history:], wide.part(slice(None), slice(history, None))
    ready = _ready(windows, features.close, grid)
    if asked is None:
        scene = Scene(features)
        scores = score(configuration, scene)
    else:
        scene, scores = _with_opinions(configuration, features, asked, inputs(wide), ready)
    fires = ready & (_after_cooldown(scores.side, back) != 0)
    everyone, now = slice(None), slice(back, None)
    return Evaluation(grid[now] + step, scene.part(everyone, now), scores.part(everyone, now), fires[:, now])


def _with_opinions(
    configuration: Configuration, features: Features, policy: Policy, values: Windows, ready: Mask
) -> tuple[Scene, Scores]:
    """Scores with the policy's opinions, which cost more than everything else.

    The candles before the first are only there for the cooldown: the policy is asked about them where the market has
    found something soon after, which is rare.
    """
    back = configuration.cooldown_bars
    wanted = ready.copy()
    wanted[:, :back] = False
    now = opinions(policy, values, wanted)
    scene = Scene(features, now)
    scores = score(configuration, scene)
    looked_back_on = (scores.side[:, back : 2 * back] != 0).any(axis=1)
    if not looked_back_on.any():
        return scene, scores
    before = np.zeros_like(wanted)
    before[looked_back_on, :back] = ready[looked_back_on, :back]
    earlier = opinions(policy, values, before)
    scene = Scene(features, np.where(before[..., None], earlier, now))
    return scene, score(configuration, scene)


def _ready(windows: Sequence[Candles], close: Floats, grid: Ints) -> Mask:
    """Where there is a candle with enough history before it."""
    never = np.iinfo(np.int64).max
    warm = np.array([w.open_time[WARM_UP - 1] if len(w) >= WARM_UP else never for w in windows])
    return np.isfinite(close) & (grid >= warm[:, None])


def _after_cooldown(side: NDArray[np.int64], bars: int) -> NDArray[np.int64]:
    """Sides that were not held on any of the `bars` candles before."""
    kept = side.copy()
    for back in range(1, min(bars, side.shape[1] - 1) + 1):
        kept[:, back:] = np.where(side[:, back:] == side[:, :-back], 0, kept[:, back:])
    return kept
