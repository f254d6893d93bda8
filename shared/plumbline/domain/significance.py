"""Whether a difference between rates is more than chance: exact tests, and control over many of them at once.

Rates here come from correlated outcomes: a cell pooled over intervals has up to five of every signal. Its counts are
brought down to the signals behind them (`independent`), which makes them fractions: a test that needs whole ones rounds
them toward its null hypothesis, so that it never finds more than was seen.
"""

import math
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np

from plumbline.domain.candles import Floats, Ints
from plumbline.domain.errors import InvalidInput
from plumbline.domain.performance import Cell, wilson

FALSE_DISCOVERIES = 0.05
"""Share of the findings, on average, that may be chance."""

_DEVIATIONS = 40
_AS_LIKELY = 1 + 1e-7


def independent(cell: Cell) -> tuple[float, int]:
    """Wins and trials of a cell at the size of what is independent in it, its rate kept.

    The trials are the signals behind it: the most outcomes that any one interval has. (0, 0) of an empty cell.
    """
    tally = cell.pooled()
    n = max((t.checked for t in cell.tallies.values()), default=0)
    return (tally.wins * n / tally.checked if n else 0.0), n


def benjamini_hochberg(p_values: Sequence[float], q: float = FALSE_DISCOVERIES) -> list[bool]:
    """Which of these tests are findings when on average at most the share `q` of findings may be false; in their order.

    The k smallest are, k the largest rank with p₍ₖ₎ ≤ q · k / m (Benjamini & Hochberg 1995, JRSS B 57:289). It holds
    for independent and for positively dependent tests (Benjamini & Yekutieli 2001), such as those of overlapping cells.
    """
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    limits = [q * (rank + 1) / len(order) for rank in range(len(order))]
    found = max((rank + 1 for rank, place in enumerate(order) if p_values[place] <= limits[rank]), default=0)
    chosen = set(order[:found])
    return [place in chosen for place in range(len(p_values))]


def rate_differs(wins: float, n: int, rate0: float) -> float:
    """Two-sided p of `wins` in `n` independent trials if each won with probability `rate0`, in (0, 1).

    The exact binomial test: the probability of all counts that are no likelier than the one seen. Fractional wins are
    rounded toward rate0 · n. 1 without trials. Below some 1e-300 the answer is 0.
    """
    _check(wins, n)
    if not 0 < rate0 < 1:
        raise InvalidInput(f"rate {rate0} to test against must lie between 0 and 1", field="rate0")
    seen = _toward(wins, n * rate0)
    counts = _around(n * rate0, math.sqrt(n * rate0 * (1 - rate0)), 0, n)
    steps = np.log((n - counts[:-1]) / (counts[:-1] + 1)) + math.log(rate0 / (1 - rate0))
    return _no_likelier(counts, steps, seen)


def two_rates_differ(wins_a: float, n_a: int, wins_b: float, n_b: int) -> float:
    """Two-sided p of two independent groups' wins if both win alike.

    Fisher's exact test (Fisher 1935, JRSS 98:39): given both sizes and all wins together, the probability of all splits
    that are no likelier than the one seen. Fractional wins are rounded toward the common rate. 1 if a group is empty.
    """
    _check(wins_a, n_a)
    _check(wins_b, n_b)
    total = n_a + n_b
    if not n_a or not n_b:
        return 1.0
    common = (wins_a + wins_b) / total
    seen, other = _toward(wins_a, n_a * common), _toward(wins_b, n_b * common)
    wins = seen + other
    mean, rate = n_a * wins / total, wins / total
    deviation = math.sqrt(max(0.0, n_a * rate * (1 - rate) * n_b / (total - 1)))
    counts = _around(mean, deviation, max(0, wins - n_b), min(n_a, wins))
    at = counts[:-1].astype(np.float64)
    steps = np.log((wins - at) * (n_a - at)) - np.log((at + 1) * (n_b - wins + at + 1))
    return _no_likelier(counts, steps, seen)


def difference_interval(wins_a: float, n_a: int, wins_b: float, n_b: int) -> tuple[float, float]:
    """95 % interval of rate a − rate b of two independent groups, as fractions; (−1, 1) where a group is empty.

    Newcombe's, made of both Wilson intervals (1998, Statistics in Medicine 17:873, method 10).
    """
    _check(wins_a, n_a)
    _check(wins_b, n_b)
    if not n_a or not n_b:
        return -1.0, 1.0
    a, b = wins_a / n_a, wins_b / n_b
    (low_a, high_a), (low_b, high_b) = wilson(a, n_a), wilson(b, n_b)
    return a - b - math.hypot(a - low_a, high_b - b), a - b + math.hypot(high_a - a, b - low_b)


def trend_over_tiers(wins: Sequence[float], n: Sequence[int]) -> float:
    """One-sided p of rates that rise toward the first of ordered groups, the best tier first, if all win alike.

    Cochran (1954, Biometrics 10:417) and Armitage (1955, Biometrics 11:375), groups one step apart: with scores t, the
    common rate r and N trials in all, z = Σ t·(wins − n·r) / √(r·(1 − r)·(Σ n·t² − (Σ n·t)² / N)). Small: the order of
    the tiers is that of their rates. 1 where nothing can be said: under two groups, or all won, or none.
    """
    for part, whole in zip(wins, n, strict=True):
        _check(part, whole)
    won, sizes = np.array(wins, dtype=np.float64), np.array(n, dtype=np.float64)
    trials, scores = sizes.sum(), np.arange(len(sizes), 0, -1, dtype=np.float64)
    if not trials:
        return 1.0
    rate = won.sum() / trials
    variance = rate * (1 - rate) * (sizes @ scores**2 - (sizes @ scores) ** 2 / trials)
    if variance <= 1e-12 * trials:
        return 1.0
    return NormalDist().cdf(-float(scores @ (won - sizes * rate)) / math.sqrt(variance))


def _check(wins: float, n: int) -> None:
    if not 0 <= wins <= n:
        raise InvalidInput(f"{wins} wins of {n} cannot be: give 0 to n", field="wins")


def _toward(wins: float, expected: float) -> int:
    """A whole number of wins, no farther from what was expected."""
    return math.floor(wins) if wins > expected else math.ceil(wins)


def _around(mean: float, deviation: float, least: int, most: int) -> Ints:
    """Counts within forty deviations of the mean: outside them no float is small enough for a probability."""
    reach = _DEVIATIONS * (deviation + 1)
    return np.arange(max(least, math.floor(mean - reach)), min(most, math.ceil(mean + reach)) + 1)


def _no_likelier(counts: Ints, log_steps: Floats, seen: int) -> float:
    """Probability of the counts that are no likelier than `seen`; steps (k − 1,) are log P(next) − log P(this)."""
    place = seen - int(counts[0])
    if not 0 <= place < len(counts):
        return 0.0
    logs = np.concatenate(([0.0], np.cumsum(log_steps)))
    chances = np.exp(logs - logs.max())
    return min(1.0, float(chances[chances <= chances[place] * _AS_LIKELY].sum() / chances.sum()))
