"""What became of signals: their own trades and their outcomes, beside entries drawn at random.

Signals of different markets come together and their trades overlap, so that a week of all of them is nearer to one
observation than to thousands: every interval is drawn week by week.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from layers.model.training.examples import BUY, SELL, Examples
from layers.model.training.history import TIMEFRAME, History
from layers.model.training.scores import BLOCK_MS, block_interval
from plumbline.domain.calendar import DAY, Interval
from plumbline.domain.candles import Candles, Floats, Ints
from plumbline.domain.outcomes import Label, Outcome, judge
from plumbline.domain.performance import Z_95, wilson
from plumbline.domain.signals import Side, Signal, to_price

DRAWS = 1_000

type Figures = dict[str, object]


def outcome_of(signal: Signal, candles: Candles) -> Outcome:
    """The outcome at 24 hours: the price at the due time is the close of the candle that ends then."""
    due = signal.due(Interval.H24)
    last = int(np.searchsorted(candles.open_time, due - TIMEFRAME.ms))
    here = last < len(candles) and candles.open_time[last] + TIMEFRAME.ms == due
    return judge(signal, Interval.H24, to_price(candles.close[last]) if here else None, due)


@dataclass(frozen=True, slots=True)
class Ground:
    """Every entry that could have been made in a span: what each would have earned, long and short.

    Arrays (n,) or (n, 2): `net` is R after costs, `hit` whether the target was reached, `day` percent after 24 hours
    before costs, NaN where the candles have a hole.
    """

    history: History
    span: tuple[int, int]
    time: Ints
    market: Ints
    net: Floats
    hit: NDArray[np.bool_]
    day: Floats
    place: Mapping[tuple[str, int], int]

    @classmethod
    def of(cls, history: History, span: tuple[int, int]) -> "Ground":
        """Entries at the candles that close in [first, last] (ms)."""
        e = Examples.of({s: c for s, c in history.items() if len(c)})
        some = np.flatnonzero((e.time >= span[0]) & (e.time <= span[1]))
        time, market, label = e.time[some], e.market[some], e.label[some]
        symbols = e.symbols[market].tolist()
        day = _moves(e, some, history)
        return cls(
            history,
            span,
            time,
            market,
            e.net()[some],
            np.stack((label == BUY, label == SELL), axis=1),
            np.stack((day, -day), axis=1),
            {key: i for i, key in enumerate(zip(symbols, time.tolist(), strict=True))},
        )


@dataclass(frozen=True, slots=True)
class Taken:
    """Signals on a ground. Arrays (n,): `side` is 0 for long and 1 for short, `at` the entry, −1 where undecided."""

    time: Ints
    side: Ints
    at: Ints
    pnl: Floats
    label: NDArray[np.str_]

    @classmethod
    def of(cls, signals: Sequence[Signal], ground: Ground) -> "Taken":
        """Find each signal's entry, and judge it at 24 hours."""
        judged = [outcome_of(s, ground.history[s.symbol]) for s in signals]
        return cls(
            np.array([s.timestamp for s in signals], dtype=np.int64),
            np.array([int(s.side is Side.SHORT) for s in signals], dtype=np.int64),
            np.array([ground.place.get((s.symbol, s.timestamp), -1) for s in signals], dtype=np.int64),
            np.array([float("nan" if o.pnl_pct is None else o.pnl_pct) for o in judged]),
            np.array([str(o.outcome) for o in judged]),
        )

    def part(self, some: NDArray[np.bool_]) -> "Taken":
        """Some of them."""
        return Taken(self.time[some], self.side[some], self.at[some], self.pnl[some], self.label[some])


def measure(taken: Taken, ground: Ground) -> Figures:
    """The figures of these signals; an interval is None where they fall into fewer than ten weeks."""
    decided = taken.at >= 0
    at, side, time = taken.at[decided], taken.side[decided], taken.time[decided]
    hit, net = ground.hit[at, side], ground.net[at, side]
    figures: Figures = {"n": len(taken.time), "long": int((taken.side == 0).sum()), "decided": len(at)}
    known = np.isfinite(taken.pnl)
    figures |= {str(label): int((taken.label == label).sum()) for label in Label}
    if not len(at) or not known.any():
        return figures
    chance = random_entries(ground, at, side)
    worth = effective(hit.astype(np.float64), time)
    r = block_interval(net, time)
    return figures | {
        "effective": worth,
        "hit_rate": float(hit.mean()),
        "hit_interval": wilson(float(hit.mean()), worth),
        "random_hit_rate": float(chance["hit"].mean()),
        "r": float(net.mean()),
        "r_interval": r,
        "random_r": float(chance["net"].mean()),
        "random_r_band": band(chance["net"]),
        "pnl": float(taken.pnl[known].mean()),
        "pnl_interval": block_interval(taken.pnl[known], taken.time[known]),
        "random_pnl": float(chance["day"].mean()),
        "random_pnl_band": band(chance["day"]),
        "shown": shown(r, band(chance["net"])),
    }


def random_entries(ground: Ground, at: Ints, side: Ints, draws: int = DRAWS, seed: int = 0) -> dict[str, Floats]:
    """Means of as many entries of the same markets and sides, drawn at random: each (draws,).

    They come from the same table as the signals' own, and so have their exits and costs.
    """
    random = np.random.default_rng(seed)
    drawn = np.empty((draws, len(at)), dtype=np.int64)
    for market in np.unique(ground.market[at]).tolist():
        pool, mine = np.flatnonzero(ground.market == market), np.flatnonzero(ground.market[at] == market)
        drawn[:, mine] = pool[random.integers(len(pool), size=(draws, len(mine)))]
    return {name: np.nanmean(getattr(ground, name)[drawn, side], axis=1) for name in ("hit", "net", "day")}


def effective(values: Floats, time: Ints) -> float:
    """How many independent signals would be known as well: their variance over that of the mean, drawn week by week.

    As many as there are weeks where these are too few to be drawn, or all the same.
    """
    interval = block_interval(values, time)
    if interval is None or interval[0] == interval[1]:
        return float(len(np.unique(time // BLOCK_MS)))
    error = (interval[1] - interval[0]) / (2 * Z_95)
    return min(float(len(values)), float(values.var() / error**2))


def band(means: Floats) -> tuple[float, float]:
    """Where 95 % of the draws lie."""
    low, high = np.quantile(means, (0.025, 0.975))
    return float(low), float(high)


def shown(interval: tuple[float, float] | None, chance: tuple[float, float]) -> str:
    """What the signals' interval and the band of random entries say together."""
    if interval is None or (interval[0] <= chance[1] and interval[1] >= chance[0]):
        return "no edge shown"
    if interval[1] < chance[0]:
        return "worse than random"
    return "edge after costs" if interval[0] > 0 else "better than random, not than its costs"


def held(ground: Ground) -> dict[str, tuple[float, float]]:
    """Return and largest fall in percent of holding each market over the span, and all of them, bought in equal parts.

    A market that ends earlier is held as cash from there.
    """
    grid = np.arange(ground.span[0], ground.span[1] + 1, TIMEFRAME.ms)
    values = {}
    for symbol, candles in ground.history.items():
        part = candles.between(ground.span[0] - TIMEFRAME.ms, ground.span[1])
        if len(part):
            last = np.searchsorted(part.open_time + TIMEFRAME.ms, grid, "right") - 1
            values[symbol] = part.close[np.maximum(last, 0)] / part.close[0]
    values["all, in equal parts"] = np.mean([*values.values()], axis=0)
    return {
        name: (100 * (v[-1] - 1), 100 * float((v / np.maximum.accumulate(v) - 1).min())) for name, v in values.items()
    }


def _moves(examples: Examples, some: Ints, history: History) -> Floats:
    """Percent that each market moved in the 24 hours after these examples."""
    moves = np.full(len(some), np.nan)
    for number, symbol in enumerate(examples.symbols.tolist()):
        mine, candles = np.flatnonzero(examples.market[some] == number), history[symbol]
        closes = candles.open_time + TIMEFRAME.ms
        now, due = (np.searchsorted(closes, examples.time[some][mine] + wait) for wait in (0, DAY))
        due = np.minimum(due, len(closes) - 1)
        there = closes[due] - closes[now] == DAY
        moves[mine] = np.where(there, 100 * (candles.close[due] / candles.close[now] - 1), np.nan)
    return moves
