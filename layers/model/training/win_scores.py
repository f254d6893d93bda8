"""The judgement of the win probability: beside the base rate, on later signals, and whether that is enough."""

from collections.abc import Sequence

import numpy as np

from layers.model.training.folds import Fold, everything, walk_forward
from layers.model.training.scores import block_interval, log_losses, reliability
from layers.model.training.win_record import Record, area
from plumbline.domain.calendar import DAY, iso
from plumbline.domain.candles import Floats, Ints
from plumbline.domain.drift import calibration_error
from plumbline.domain.win import COST_PCT

type Figures = dict[str, object]

PURGE = 2 * DAY
"""An outcome is known a day after its signal; what lies further apart shares none of it."""

LEAST_SIGNALS = 1_000
MOST_CALIBRATION_ERROR = 0.05
HALF = 0.5


def folds_of(record: Record) -> list[Fold]:
    """Walk-forward folds, and last the one that is shipped, which has no test part.

    There is nothing to stop, so that what other models stop by is learned from.
    """
    folds = [*walk_forward(record.time, PURGE), everything(record.time, PURGE)]
    return [Fold(np.concatenate((f.train, f.val)), f.val[:0], f.cal, f.test) for f in folds]


def judge(record: Record, folds: Sequence[Fold], answers: Sequence[Floats]) -> Figures:
    """Figures of the answers to each fold's test part, all together, and of each."""
    test = np.concatenate([fold.test for fold in folds])
    rates = [np.full(len(fold.test), base_rate(record, fold)) for fold in folds]
    pooled = of_answers(record, test, np.concatenate(answers), np.concatenate(rates))
    each = [
        {"test": span(record, f.test), "learned": span(record, f.train), **of_answers(record, f.test, given, rate)}
        for f, given, rate in zip(folds, answers, rates, strict=True)
    ]
    told = reliability(_pairs(np.concatenate(answers)), record.won[test])
    return {**pooled, "folds": each, "reliability": [(n, round(a, 4), round(b, 4)) for n, a, b in told]}


def base_rate(record: Record, fold: Fold) -> float:
    """Share of signals worth it among all that the model learned from or was calibrated on."""
    return float(record.won[np.concatenate((fold.train, fold.cal))].mean())


def of_answers(record: Record, some: Ints, given: Floats, rate: Floats) -> Figures:
    """Figures of answers (n,) to these signals, beside a base rate (n,)."""
    won, time = record.won[some], record.time[some]
    losses, before = log_losses(_pairs(given), won), log_losses(_pairs(rate), won)
    taken = given >= HALF
    net = record.pnl[some] - float(COST_PCT)
    return {
        "signals": len(some),
        "won": _rounded(won.mean()),
        "base_rate": _rounded(rate.mean()),
        "log_loss": _rounded(losses.mean()),
        "base_log_loss": _rounded(before.mean()),
        "log_loss_gain": _rounded((before - losses).mean()),
        "log_loss_gain_interval": _interval(before - losses, time),
        "brier": _rounded(((given - won) ** 2).mean()),
        "base_brier": _rounded(((rate - won) ** 2).mean()),
        "ece": _rounded(calibration_error(_pairs(given), won)),
        "base_ece": _rounded(calibration_error(_pairs(rate), won)),
        "auc": _rounded(area(given, won)),
        "smallest": _rounded(given.min()),
        "largest": _rounded(given.max()),
        "net_pct": _rounded(net.mean()),
        "net_pct_interval": _interval(net, time),
        "at_half": int(taken.sum()),
        "at_half_won": _rounded(won[taken].mean()) if taken.any() else None,
        "at_half_net_pct": _rounded(net[taken].mean()) if taken.any() else None,
        "at_half_net_pct_interval": _interval(net[taken], time[taken]) if taken.any() else None,
    }


def verdict(figures: Figures) -> tuple[bool, str]:
    """Whether the model is to be used, and a sentence that says why, with the figures."""
    gain, interval, error, n = (figures[k] for k in ("log_loss_gain", "log_loss_gain_interval", "ece", "signals"))
    low, high = interval if isinstance(interval, list) else (float("-inf"), float("inf"))
    measured = (
        f"log-loss {figures['log_loss']:.4f} where the base rate has {figures['base_log_loss']:.4f}, a gain of "
        f"{gain:+.4f} [{low:+.4f}, {high:+.4f}] on {n:,} later signals; calibration error {error:.3f}"
    )
    missing = [
        reason
        for reason, fails in {
            "it does not beat the base rate beyond chance": not low > 0,
            f"its calibration error is above {MOST_CALIBRATION_ERROR}": not _number(error) <= MOST_CALIBRATION_ERROR,
            f"{LEAST_SIGNALS:,} signals are asked for": _number(n) < LEAST_SIGNALS,
        }.items()
        if fails
    ]
    return (False, f"off, because {' and '.join(missing)}: {measured}") if missing else (True, f"on: {measured}")


def span(record: Record, some: Ints) -> list[str]:
    """Times of the first and last of these signals."""
    return [iso(int(record.time[some[0]])), iso(int(record.time[some[-1]]))]


def _pairs(given: Floats) -> Floats:
    return np.stack((1 - given, given), axis=1)


def _interval(values: Floats, time: Ints) -> list[float] | None:
    pair = block_interval(values, time)
    return [_rounded(value) for value in pair] if pair else None


def _number(value: object) -> float:
    if not isinstance(value, int | float):
        raise TypeError(f"{value!r} is not a number")
    return value


def _rounded(value: float) -> float:
    return round(float(value), 4)
