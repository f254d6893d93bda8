"""What became of a trade with a stop and a target: which was touched first, and what it earned.

The triple barrier of López de Prado (Advances in Financial Machine Learning, 2018, ch. 3): target above, stop below,
time to the side. Judged on candles of the trade's own timeframe; this labels examples and measures scanners, for which
a candle that touches both levels counts as a stop.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plumbline.domain.candles import Candles, Floats, Ints

HORIZON = 24
"""Candles after which a trade expires: a day, where they are hours."""


@dataclass(frozen=True, slots=True)
class Brackets:
    """How each trade ended. Arrays (trades,).

    `ended` is +1 at the target, −1 at the stop, 0 at expiry, and −2 where the candles end or have a hole before it was
    decided; `r` is what it earned in units of its risk (the distance to the stop), before costs; `held` counts candles.
    """

    ended: NDArray[np.int8]
    r: Floats
    held: Ints

    @property
    def known(self) -> NDArray[np.bool_]:
        """Which trades were decided."""
        return self.ended > UNDECIDED


UNDECIDED = -2


def resolve(candles: Candles, at: Ints, side: int, stop: Floats, target: Floats, horizon: int = HORIZON) -> Brackets:
    """Trades entered at the close of candles `at` (trades,), long (side +1) or short (−1).

    `stop` and `target` are distances from the entry in units of the price (trades,). A candle that opens beyond a level
    fills at its open; one that touches both counts as stopped; a trade that touches neither ends at the close of
    candle `horizon`.
    """
    entry = candles.close[at]
    ended = np.full(len(at), UNDECIDED, dtype=np.int8)
    r, held = np.full(len(at), np.nan), np.zeros(len(at), dtype=np.int64)
    alive = np.flatnonzero(at >= 0)
    for step in range(1, horizon + 1):
        alive = alive[_follows(candles, at[alive], step)]
        now = at[alive] + step
        worst = side * (np.where(side > 0, candles.low[now], candles.high[now]) - entry[alive])
        best = side * (np.where(side > 0, candles.high[now], candles.low[now]) - entry[alive])
        opened = side * (candles.open[now] - entry[alive])
        last = side * (candles.close[now] - entry[alive])
        down, up = -stop[alive], target[alive]
        stopped = worst <= down
        # The open comes before the rest of its candle: one that opens beyond the target has touched nothing else yet.
        gained = (best >= up) & ~(stopped & (opened < up))
        stopped &= ~gained
        fill = np.where(gained, np.maximum(opened, up), np.where(stopped, np.minimum(opened, down), last))
        over = gained | stopped | (step == horizon)
        done = alive[over]
        ended[done] = np.where(gained, 1, np.where(stopped, -1, 0))[over]
        r[done] = (fill / stop[alive])[over]
        held[done] = step
        alive = alive[~over]
    return Brackets(ended, r, held)


def _follows(candles: Candles, at: Ints, step: int) -> NDArray[np.bool_]:
    """Whether candle `at + step` exists and no candle is missing on the way."""
    inside = at + step < len(candles)
    later = np.minimum(at + step, len(candles) - 1)
    whole: NDArray[np.bool_] = candles.open_time[later] - candles.open_time[at] == step * candles.timeframe.ms
    return inside & whole
