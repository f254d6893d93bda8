"""Many markets at many candles at once: features, opinions, scores, and which of them fire after the cooldown."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plumbline.domain.candles import Candles, Floats, Ints
from plumbline.domain.features import Features
from plumbline.domain.policy import ACTIONS, WINDOW, Policy, Windows, inputs, opinions
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
    """Evaluate the candles that close in [first, last] (ms) of these windows, which begin where theirs do."""
    return Panel(windows, first, last).evaluate(configuration, policy)


class Panel:
    """Markets at the candles that close in [first, last] (ms), both on the timeframe's grid.

    What several configurations need of them is computed once: the indicators, and each opinion of the policy.
    """

    def __init__(self, windows: Sequence[Candles], first: int, last: int) -> None:
        self.windows = windows
        self.first, self.last = first, last
        self._grounds: dict[int, _Ground] = {}

    def evaluate(self, configuration: Configuration, policy: Policy | None = None) -> Evaluation:
        """What a configuration makes of them; the policy is one and the same for all that ask it.

        A condition fires after `cooldown_bars` candles without it: a lasting condition is one signal. It is judged on
        the condition itself, not on what was signalled, so it needs no memory and no start.
        """
        back = configuration.cooldown_bars
        ground = self._ground(back)
        everyone, now = slice(None), slice(back, None)
        if policy is None or not configuration.asks_the_model:
            scene = Scene(ground.features)
            scores = score(configuration, scene)
            kept = _after_cooldown(scores.side, back)[:, now]
            scene, scores = scene.part(everyone, now), scores.part(everyone, now)
        else:
            wanted = ground.ready & (np.arange(ground.ready.shape[1]) >= back)
            scene = Scene(ground.features, ground.opinions(policy, wanted), policy.facts.has_edge).part(everyone, now)
            scores = score(configuration, scene)
            kept = _look_back(configuration, ground, policy, scores.side)
        return Evaluation(ground.closes[now], scene, scores, ground.ready[:, now] & (kept != 0))

    def _ground(self, back: int) -> "_Ground":
        if back not in self._grounds:
            self._grounds[back] = _Ground.of(self.windows, self.first, self.last, back)
        return self._grounds[back]


@dataclass(slots=True)
class _Ground:
    """What any configuration with this cooldown starts from: candles from `back` before the first to the last.

    `wide` are the features from a policy's window earlier on, `answers` its opinions as far as it was `asked`.
    """

    closes: Ints
    back: int
    wide: Features
    features: Features
    ready: Mask
    answers: Floats
    asked: Mask
    values: Windows | None = None

    @classmethod
    def of(cls, windows: Sequence[Candles], first: int, last: int, back: int) -> "_Ground":
        """Indicators of all markets."""
        history, step = WINDOW - 1, windows[0].timeframe.ms
        grid = np.arange(first - (back + history + 1) * step, last, step)
        wide = Features.of(windows, grid)
        features = wide.part(slice(None), slice(history, None))
        ready = _ready(windows, features.close, grid[history:])
        answers = np.full((*ready.shape, len(ACTIONS)), np.nan)
        return cls(grid[history:] + step, back, wide, features, ready, answers, np.zeros_like(ready))

    def opinions(self, policy: Policy, wanted: Mask) -> Floats:
        """The policy's opinions (markets, candles, 3) where they are wanted, NaN elsewhere; each asked for once."""
        missing = wanted & ~self.asked
        if missing.any():
            if self.values is None:
                self.values = inputs(self.wide)
            fresh = opinions(policy, self.values, missing)
            self.answers[missing] = fresh[missing]
            self.asked |= missing
        return np.where(wanted[..., None], self.answers, np.nan)


def _look_back(
    configuration: Configuration, ground: _Ground, policy: Policy, side: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Sides (markets, candles from the first on) that were not held on any of the `back` candles before.

    The policy is asked only where it matters: what the rules find by more than its whole weight stays found whatever
    it says, and a market whose side was held there needs no opinion.
    """
    kept, past, everyone = _after_cooldown(side, ground.back), slice(0, ground.back), slice(None)
    rules = score(configuration, Scene(ground.features.part(everyone, past)))
    certain = np.abs(rules.margin) > 100 * configuration.scanner_weights["model"]
    kept = _not_held(kept, np.where(certain, rules.side, 0))
    in_question = (kept[:, past] != 0).any(axis=1)
    if not in_question.any():
        return kept
    wanted = np.zeros_like(ground.ready)
    wanted[in_question, past] = ground.ready[in_question, past]
    scene = Scene(ground.features, ground.opinions(policy, wanted), policy.facts.has_edge).part(everyone, past)
    return np.where(in_question[:, None], _not_held(kept, score(configuration, scene).side), kept)


def _not_held(side: NDArray[np.int64], before: NDArray[np.int64]) -> NDArray[np.int64]:
    """`side` (markets, candles) where it was held on none of the candles `before` the first within the cooldown."""
    kept = side.copy()
    for candle in range(before.shape[1]):
        reached = kept[:, : candle + 1]
        reached[...] = np.where(reached == before[:, candle, None], 0, reached)
    return kept


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
