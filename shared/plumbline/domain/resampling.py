"""How much of a result may be chance: other orders in which the same days could have come, and the best of many tries.

Sharpe ratios here are per day, not annualised, and kurtosis is that of a normal series at 3.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from statistics import NormalDist
from typing import Protocol, Self

import numpy as np

from plumbline.domain.books import Book, BookCell, BookName
from plumbline.domain.calendar import day_of, days_between
from plumbline.domain.candles import Floats, Ints
from plumbline.domain.errors import InvalidInput
from plumbline.domain.trades import Trade

LEAST_DAYS = 7
"""Under so many days nothing is resampled."""

_SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)
_NORMAL = NormalDist()
_EULER = 0.5772156649015329


class Random(Protocol):
    """What is needed of numpy's Generator: the caller makes it, from a seed."""

    def random(self, size: int, /) -> Floats:
        """Uniform in [0, 1), shape (size,)."""

    def integers(self, high: int, /, *, size: int) -> Ints:
        """Uniform in 0 … high − 1, shape (size,)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bands:
    """Percentiles over the paths, USD, linear between neighbours."""

    p5: float
    p25: float
    p50: float
    p75: float
    p95: float

    @classmethod
    def of(cls, values: Floats) -> Self:
        """Of these (n,)."""
        p5, p25, p50, p75, p95 = (round(float(value), 6) for value in np.quantile(values, _SHARES))
        return cls(p5=p5, p25=p25, p50=p50, p75=p75, p95=p95)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resampled:
    """What `days` days like those of the record come to, over `paths` of them.

    `final` is the P&L at the end, `drawdown` (≥ 0) the deepest fall from a peak, from trade to trade: of it the high
    percentiles are the bad ones. `probability_of_loss` is the share of paths that end below zero.
    """

    paths: int
    days: int
    mean_block: float
    final: Bands
    drawdown: Bands
    probability_of_loss: float


def daily_books(trades: Iterable[Trade], name: BookName = "net") -> list[Book]:
    """The book of every calendar day from the first closing to the last, those without a trade among them."""
    ordered = sorted(trades, key=attrgetter("closed_at", "signal_id"))
    if not ordered:
        return []
    by_day = {
        day: sum((BookCell.of(trade).book(name) for trade in closed), Book())
        for day, closed in groupby(ordered, key=lambda trade: day_of(trade.closed_at))
    }
    return [by_day.get(day, Book()) for day in days_between(ordered[0].closed_at, ordered[-1].closed_at)]


def block_length(days: int) -> float:
    """Mean block for so many days: their cube root, as a block must grow for a variance to be estimated best (Hall,
    Horowitz & Jing 1995, Biometrika 82:561)."""
    return max(1.0, round(math.cbrt(days), 6))


def resample(
    daily: Sequence[Book], random: Random, paths: int = 10_000, mean_block: float | None = None
) -> Resampled | None:
    """The stationary bootstrap of a record by whole days; None under `LEAST_DAYS`.

    Each path is as long as the record: with probability 1 / mean_block the next day is any day of it, else the one that
    followed, the first after the last (Politis & Romano 1994, JASA 89:1303). The trades of a day stay together and in
    order, so that what moves together does. All paths go forward at once, a day at a time: (paths,) is all the memory.
    """
    length = block_length(len(daily)) if mean_block is None else mean_block
    if paths < 1 or length < 1:
        raise InvalidInput(f"{paths} paths of blocks of {length} days: give 1 or more of both", field="paths")
    if len(daily) < LEAST_DAYS:
        return None
    final, drawdown = _walk(daily, random, paths, length)
    return Resampled(
        paths=paths,
        days=len(daily),
        mean_block=length,
        final=Bands.of(final),
        drawdown=Bands.of(drawdown),
        probability_of_loss=float((final < 0).mean()),
    )


def _walk(daily: Sequence[Book], random: Random, paths: int, length: float) -> tuple[Floats, Floats]:
    """P&L at the end and deepest fall of each path (paths,): a day is joined on as `Book.__add__` joins books."""
    pnl, peak, trough, fall = (
        np.array([float(getattr(book, name)) for book in daily]) for name in ("pnl", "peak", "trough", "drawdown")
    )
    total, highest, deepest = np.zeros(paths), np.zeros(paths), np.zeros(paths)
    place = random.integers(len(daily), size=paths)
    for step in range(len(daily)):
        if step:
            anew = random.random(paths) < 1 / length
            place = np.where(anew, random.integers(len(daily), size=paths), (place + 1) % len(daily))
        deepest = np.maximum(deepest, np.maximum(fall[place], highest - (total + trough[place])))
        highest = np.maximum(highest, total + peak[place])
        total = total + pnl[place]
    return np.round(total, 6), deepest


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """A series of daily P&L: its Sharpe ratio per day (deviation with n − 1), skewness and kurtosis (population's)."""

    sharpe: float
    n: int
    skew: float
    kurtosis: float

    @classmethod
    def of(cls, daily: Sequence[float]) -> Self | None:
        """None under two days or without deviation."""
        values = np.asarray(daily, dtype=np.float64)
        if len(values) < 2 or not (values != values[0]).any():
            return None
        off = values - values.mean()
        variance = (off**2).mean()
        return cls(
            sharpe=float(values.mean() / values.std(ddof=1)),
            n=len(values),
            skew=float((off**3).mean() / variance**1.5),
            kurtosis=float((off**4).mean() / variance**2),
        )


def probabilistic_sharpe(sharpe: float, n: int, skew: float, kurtosis: float, benchmark: float = 0.0) -> float:
    """Probability that the true Sharpe ratio exceeds `benchmark`, given the one of `n` days.

    Φ((SR − SR*) · √(n − 1) / √(1 − γ₃ · SR + (γ₄ − 1) / 4 · SR²)); Bailey & López de Prado 2012, Journal of Risk
    15(2):3. `skew` γ₃, `kurtosis` γ₄.
    """
    if n < 2 or kurtosis < 1 + skew**2 - 1e-9:
        raise InvalidInput(f"no series of {n} days has skewness {skew} and kurtosis {kurtosis}", field="kurtosis")
    spread = 1 - skew * sharpe + (kurtosis - 1) / 4 * sharpe**2
    return _NORMAL.cdf((sharpe - benchmark) * math.sqrt((n - 1) / max(spread, 1e-12)))


def expected_best(trials: int, variance_of_trials: float) -> float:
    """The highest Sharpe ratio that so many tries without any skill lead one to expect; 0 of a single one.

    √V · ((1 − γ) · Φ⁻¹(1 − 1/N) + γ · Φ⁻¹(1 − 1/(N·e))), γ Euler's constant, V the variance of the tries' ratios.
    """
    if trials < 1 or variance_of_trials < 0:
        raise InvalidInput(f"{trials} tries with a variance of {variance_of_trials} cannot be", field="trials")
    if trials == 1:
        return 0.0
    usual, rare = _NORMAL.inv_cdf(1 - 1 / trials), _NORMAL.inv_cdf(1 - 1 / (trials * math.e))
    return math.sqrt(variance_of_trials) * ((1 - _EULER) * usual + _EULER * rare)


def deflated_sharpe(
    sharpe: float, n: int, skew: float, kurtosis: float, trials: int, variance_of_trials: float
) -> float:
    """Probability that the best of `trials` configurations has a true Sharpe ratio above what luck alone would show.

    `probabilistic_sharpe` against `expected_best`; Bailey & López de Prado 2014, Journal of Portfolio Management
    40(5):94. All ratios per day, `variance_of_trials` that of the ratios of all configurations tried.
    """
    return probabilistic_sharpe(sharpe, n, skew, kurtosis, expected_best(trials, variance_of_trials))
