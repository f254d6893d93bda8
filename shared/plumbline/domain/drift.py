"""Whether the model still sees the market it was trained on, and still earns its place in it.

Probabilities are (n, 3) in the order HOLD, BUY, SELL; labels (n,) are 0, 1, 2: which of the two trades entered at that
candle, if any, reached its target before its stop.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from plumbline.domain.candles import Floats, Ints
from plumbline.domain.performance import Z_95, wilson

if TYPE_CHECKING:  # its module brings the indicators' library
    from plumbline.domain.policy import ModelFacts

DRIFTED = 0.1
"""Mean PSI above which the market is another one than the training's: for a single feature the usual sign of a moderate
shift. On recorded markets one slow feature or another is above 0.25 in every third month; the mean is above this in
every tenth, and with five markets or more in every fiftieth."""

ENOUGH = 30
"""Candles on which a model must have acted before its hits are held against it."""

_EMPTY = 1e-4
"""Share that an empty part counts as: its logarithm must be finite. An empty tenth alone then gives a PSI of 0.69."""

_LEAST = 5e-5
"""Opinions have four decimals: a 0 stands for anything below half of the last one."""

_LEAST_BLOCKS = 7
_BINS = 10


@dataclass(frozen=True, slots=True)
class Decided:
    """What a model said of n candles whose trades are decided, and what came of them.

    `acted` (n,) marks those on which it would have signalled. `block` (n,) numbers stretches of time as long as a trade
    may last: examples of one block share their market, those two blocks apart share no candle.
    """

    probabilities: Floats
    labels: Ints
    acted: NDArray[np.bool_]
    block: Ints

    def __len__(self) -> int:
        return len(self.labels)

    @classmethod
    def together(cls, parts: Sequence["Decided"]) -> Self:
        """Those of all parts, of which there must be one."""
        return cls(
            np.concatenate([part.probabilities for part in parts]),
            np.concatenate([part.labels for part in parts]),
            np.concatenate([part.acted for part in parts]),
            np.concatenate([part.block for part in parts]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelReport:
    """What became of the model over the `days` that ended with `day`, on all candles it was asked about.

    `psi` is each feature's population stability index against the training examples. The rest is about trades that had
    their whole time until the day's end, those entered in as many days before. `examples` counts those of them that are
    decided. Log-losses are nats per example; `skill` is the prior's minus the model's, positive where the model knows
    more than the frequencies of its training, with a 95 % interval (`mean_interval`). `brier` is summed over the three
    outcomes: 0 is perfect, 2 the worst. `acted` counts the candles on which it would have signalled, `hits` those of
    them whose trade reached its target, `stated` their mean probability; 0 where it never acted.
    """

    day: str
    days: int
    model: str
    version: str
    model_hash: str
    symbols: tuple[str, ...]
    examples: int
    psi: Mapping[str, float]
    log_loss: float
    prior_log_loss: float
    skill: float
    skill_low: float
    skill_high: float
    brier: float
    calibration_error: float
    acted: int
    hits: int
    stated: float
    earns_its_place: bool

    @classmethod
    def of(
        cls,
        day: str,
        days: int,
        facts: "ModelFacts",
        symbols: Iterable[str],
        psi: Mapping[str, float],
        decided: Decided,
    ) -> Self:
        """The figures of at least one example, with six decimals."""
        losses = log_losses(decided.probabilities, decided.labels)
        prior = np.broadcast_to(np.array(facts.prior), decided.probabilities.shape)
        prior_losses = log_losses(prior, decided.labels)
        skill, low, high = mean_interval(prior_losses - losses, decided.block)
        stated, hit = _acted(decided)
        return cls(
            day=day,
            days=days,
            model=facts.name,
            version=facts.version,
            model_hash=facts.hash,
            symbols=tuple(symbols),
            examples=len(decided),
            psi={name: round(value, 6) for name, value in psi.items()},
            log_loss=_rounded(losses.mean()),
            prior_log_loss=_rounded(prior_losses.mean()),
            skill=_rounded(skill),
            skill_low=_rounded(low),
            skill_high=_rounded(high),
            brier=_rounded(brier(decided.probabilities, decided.labels)),
            calibration_error=_rounded(calibration_error(decided.probabilities, decided.labels)),
            acted=len(hit),
            hits=int(hit.sum()),
            stated=_rounded(stated.mean()) if len(stated) else 0.0,
            earns_its_place=_rounded(high) >= 0 and not keeps_no_promise(stated, hit, decided.block[decided.acted]),
        )

    @property
    def drift(self) -> float:
        """Mean PSI of the features: one alone wanders, a market that has changed moves many."""
        return sum(self.psi.values()) / len(self.psi)


type Spread = tuple[Sequence[float], Sequence[float]]
"""The inner edges of a feature's parts in training, ascending, and the share of the examples in each part."""


def parts(spread: Spread, values: NDArray[np.floating]) -> Ints:
    """How many of `values` (n,) fall in each part: at or above the edge before it, below the one after."""
    edges, shares = spread
    counts: Ints = np.bincount(np.digitize(values, edges), minlength=len(shares))
    return counts


def psi(spread: Spread, counts: Ints) -> float:
    """Population stability index of `counts` (parts,) against training: Σ (a − e) · ln(a / e) over the parts' shares.

    Siddiqi, Credit Risk Scorecards (2006): below 0.1 the same population, above 0.25 another one. It is the symmetric
    divergence of Kullback and Leibler (1951). A share below 0.0001 counts as that, here and in training.
    """
    expected = np.maximum(np.asarray(spread[1]), _EMPTY)
    actual = np.maximum(counts / counts.sum(), _EMPTY)
    return float(((actual - expected) * np.log(actual / expected)).sum())


def log_losses(probabilities: Floats, labels: Ints) -> Floats:
    """−log of the probability given to what came: (n,), nats; never more than that of 0.00005."""
    given = probabilities[np.arange(len(labels)), labels]
    losses: Floats = -np.log(np.maximum(given, _LEAST))
    return losses


def brier(probabilities: Floats, labels: Ints) -> float:
    """Mean squared distance of the probabilities from what came, summed over the three outcomes (Brier 1950)."""
    came = np.eye(probabilities.shape[1])[labels]
    return float(((probabilities - came) ** 2).sum(axis=1).mean())


def calibration_error(probabilities: Floats, labels: Ints) -> float:
    """Expected calibration error of BUY and SELL together; HOLD is nobody's signal.

    The 2n probabilities are put in ten bins of equal width; the error is the distance between a bin's mean and the
    share of it that came, averaged over the bins by their number (Naeini et al. 2015), as on the model's card.
    """
    said = probabilities[:, 1:].ravel()
    came = (labels[:, None] == np.arange(1, probabilities.shape[1])).ravel()
    place = np.minimum((said * _BINS).astype(np.int64), _BINS - 1)
    misses = np.bincount(place, weights=said - came)
    return float(np.abs(misses).sum() / len(said))


def mean_interval(values: Floats, block: Ints) -> tuple[float, float, float]:
    """Mean of `values` (n,) and its 95 % interval, with the blocks (n,), not the values, as what is independent.

    With n_b values and the sum s_b in block b of B, and e_b = s_b − mean · n_b: mean ± t · √v, where t is Student's
    quantile with B − 1 degrees of freedom and

        v = B / (B − 1) · (Σ e_b² + Σ e_b · e_(b+1)) / n²

    is the variance of a ratio of block sums (Cochran, Sampling Techniques, 1977, ch. 6) with the covariance of
    neighbours, whose trades overlap, in Newey and West's weighting (1987, lag 1), which keeps v from being negative.
    Under 7 blocks nothing can be said: the interval is then as wide as log-losses can differ.
    """
    mean = float(values.mean())
    _, place, sizes = np.unique(block, return_inverse=True, return_counts=True)
    count = len(sizes)
    if count < _LEAST_BLOCKS:
        return mean, log(_LEAST), -log(_LEAST)
    excess = np.bincount(place, weights=values) - mean * sizes
    variance = count / (count - 1) * float(excess @ excess + excess[:-1] @ excess[1:]) / len(values) ** 2
    half = student(count - 1) * max(variance, 0.0) ** 0.5
    return mean, mean - half, mean + half


def student(degrees: int) -> float:
    """Two-sided 95 % quantile of Student's t, within 0.0015 from 6 degrees of freedom (Abramowitz, Stegun 26.7.5).

    The normal quantile z with the first three terms of its expansion in 1 / degrees.
    """
    z, z2 = Z_95, Z_95 * Z_95
    first = (z2 + 1) / 4
    second = ((5 * z2 + 16) * z2 + 3) / 96
    third = (((3 * z2 + 19) * z2 + 17) * z2 - 15) / 384
    return z * (1 + first / degrees + second / degrees**2 + third / degrees**3)


def keeps_no_promise(stated: Floats, hit: NDArray[np.bool_], block: Ints) -> bool:
    """Whether the signals (n,) reached their targets less often than was stated, and that is no accident.

    The share of hits must lie below the mean stated probability by Wilson's interval, which takes every signal for an
    independent one, and by that of `mean_interval`, which does not: one move of the market decides many trades.
    """
    if len(hit) < ENOUGH:
        return False
    _, most = wilson(float(hit.mean()), len(hit))
    _, _, surplus = mean_interval(hit - stated, block)
    return most < float(stated.mean()) and surplus < 0


def _acted(decided: Decided) -> tuple[Floats, NDArray[np.bool_]]:
    """Of the signals: the probability stated, and whether the target was reached."""
    directions = decided.probabilities[decided.acted, 1:]
    hit: NDArray[np.bool_] = decided.labels[decided.acted] == directions.argmax(axis=1) + 1
    return directions.max(axis=1), hit


def _rounded(value: float) -> float:
    return round(float(value), 6)
