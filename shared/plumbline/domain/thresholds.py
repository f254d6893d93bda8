"""The threshold that would have been best, and what it was worth on signals it was not chosen on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from plumbline.domain.calibration import Result, Stated
from plumbline.domain.candles import Floats
from plumbline.domain.performance import wilson

LEAST_KEPT = 20
"""Signals that a threshold must keep, and that a part must have, before anything is said."""
SEARCHED = 70
"""Percent of the signals, the earlier ones, on which the threshold is chosen; the rest is held out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What some signals came to: share that won (0–1) with its 95 % Wilson interval, P&L in percent of a position.

    None where there are no signals.
    """

    n: int
    win_rate: float | None
    win_rate_low: float
    win_rate_high: float
    average_pnl_pct: float | None
    total_pnl_pct: float

    @classmethod
    def of(cls, results: Sequence[Result]) -> Self:
        """Of these."""
        n, won = len(results), sum(result.won for result in results)
        total = float(sum(result.pnl_pct for result in results))
        low, high = wilson(won / n if n else 0.0, n)
        return cls(
            n=n,
            win_rate=won / n if n else None,
            win_rate_low=low,
            win_rate_high=high,
            average_pnl_pct=round(total / n, 6) if n else None,
            total_pnl_pct=round(total, 6),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BestThreshold:
    """The threshold (0–1) with the highest total P&L on the earlier signals. The held-out figures stand first.

    `held_out` are the later signals that it keeps, `held_out_all` all later ones; `searched` and `searched_all` are the
    same of the part it was chosen on. `hindsight` is the best threshold over all signals, with what it would have kept.
    """

    stated: Stated
    threshold: float
    held_out: Kept
    held_out_all: Kept
    searched: Kept
    searched_all: Kept
    hindsight: float
    hindsight_kept: Kept

    @property
    def holds(self) -> bool:
        """Whether its signals did better, on average, than all of those held out."""
        ours, everyone = self.held_out.average_pnl_pct, self.held_out_all.average_pnl_pct
        return ours is not None and everyone is not None and ours > everyone

    @property
    def warning(self) -> str:
        """What to make of it, in words."""
        return f"{self._judgement} {_HINDSIGHT}"

    @property
    def _judgement(self) -> str:
        ours, everyone, before = self.held_out, self.held_out_all, self.searched
        if ours.average_pnl_pct is None:
            return f"None of the {everyone.n} signals held out reaches it."
        if ours.n == everyone.n:
            return f"It leaves out none of the {everyone.n} signals held out: nothing is gained by it."
        return (
            f"Held out it {'held' if self.holds else 'did not hold'}: {ours.average_pnl_pct:+.2f} % a signal "
            f"on {ours.n}, {everyone.average_pnl_pct:+.2f} % on all {everyone.n}; "
            f"where it was chosen {before.average_pnl_pct:+.2f} % on {before.n}."
        )


_HINDSIGHT = (
    "This is hindsight: a threshold that is best on a record owes part of that to chance. Only the held-out figures "
    "were not chosen, and only the first time they are looked at."
)


def best_threshold(results: Sequence[Result], stated: Stated = "score") -> BestThreshold | None:
    """Chosen on the earlier signals, judged on the later ones; None where either part has too few.

    Signals whose result came after the first one held out are left out of the search: it would have seen what happened
    in the time that is to judge it.
    """
    ordered = sorted(results, key=lambda result: (result.at, result.known_at))
    cut = len(ordered) * SEARCHED // 100
    later = [result for result in ordered if result.at >= ordered[cut].at] if ordered else []
    earlier = [result for result in ordered if result.known_at < later[0].at] if later else []
    if min(len(earlier), len(later)) < LEAST_KEPT:
        return None
    threshold, hindsight = _best(earlier, stated), _best(ordered, stated)
    return BestThreshold(
        stated=stated,
        threshold=threshold,
        held_out=Kept.of(_reaching(later, stated, threshold)),
        held_out_all=Kept.of(later),
        searched=Kept.of(_reaching(earlier, stated, threshold)),
        searched_all=Kept.of(earlier),
        hindsight=hindsight,
        hindsight_kept=Kept.of(_reaching(ordered, stated, hindsight)),
    )


def _best(results: Sequence[Result], stated: Stated) -> float:
    """Of the stated values, the one from which on the total P&L is highest; of equals the lowest."""
    said: Floats = np.array([result.stated(stated) for result in results])
    values, place = np.unique(said, return_inverse=True)
    pnl = np.bincount(place, weights=[float(result.pnl_pct) for result in results])
    kept, total = _from_each_on(np.bincount(place)), _from_each_on(pnl)
    return float(values[np.argmax(np.where(kept >= LEAST_KEPT, np.round(total, 9), -np.inf))])


def _from_each_on(amounts: NDArray[Any]) -> Floats:
    sums: Floats = np.cumsum(amounts[::-1].astype(np.float64))[::-1]
    return sums


def _reaching(results: Sequence[Result], stated: Stated, threshold: float) -> list[Result]:
    return [result for result in results if result.stated(stated) >= threshold]
