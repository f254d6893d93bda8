"""How good probabilities are, what the trades taken on them earned, and how sure one can be of either.

Probabilities are (n, k), labels (n,) indices of the outcome that came. Everything that needs confidence is resampled
in blocks of time (Künsch 1989): hourly examples overlap by a day and markets move together, so that a week of all of
them is nearer to one observation than to thousands.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plumbline.domain.drift import brier, calibration_error

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

THRESHOLD = 0.65
"""The service's default threshold of confidence."""

BLOCK_MS = 7 * 24 * 3_600_000
DRAWS = 2_000
CONFIDENCE = 0.95
LEAST_WEEKS = 10
"""Weeks below which no interval is given: so few, drawn again, know too little of how they differ."""

CONFIDENT = 0.4
"""From here on an answer says that more is known than how often a target is reached: the prior never says so much."""

BINS = 10
_LEAST = 1e-12


def log_losses(probabilities: Floats, labels: Ints) -> Floats:
    """−log of what was given to the outcome that came: (n,), nats."""
    given = probabilities[np.arange(len(labels)), labels]
    losses: Floats = -np.log(np.maximum(given, _LEAST))
    return losses


def direction_losses(probabilities: Floats, labels: Ints) -> Floats:
    """The part of `log_losses` that is about direction: (n,), nats, nothing where HOLD came.

    −log of the share that the direction that came had of what was given to both. The rest of the loss is about whether
    either target is reached at all, which a market's changing volatility tells without any direction in it.
    """
    moved = labels > 0
    both = np.maximum(probabilities[moved, 1:].sum(axis=1, keepdims=True), _LEAST)
    losses = np.zeros(len(labels))
    losses[moved] = log_losses(probabilities[moved, 1:] / both, labels[moved] - 1)
    return losses


def reliability(probabilities: Floats, labels: Ints) -> list[tuple[int, float, float]]:
    """For each tenth of probability that occurs: how many, their mean, and how often the outcome came.

    Of the actions only, BUY and SELL together: HOLD is nobody's signal.
    """
    actions = probabilities[:, 1:]
    came = np.eye(probabilities.shape[1])[labels][:, 1:]
    place = np.minimum((actions * BINS).astype(np.int64), BINS - 1)
    rows = []
    for k in range(BINS):
        inside = place == k
        if inside.any():
            rows.append((int(inside.sum()), float(actions[inside].mean()), float(came[inside].mean())))
    return rows


def block_interval(values: Floats, time: Ints, seed: int = 0) -> tuple[float, float] | None:
    """95 % interval of the mean of `values` at `time` (ms), by drawing whole weeks again; None under `LEAST_WEEKS`."""
    _, place = np.unique(time // BLOCK_MS, return_inverse=True)
    sums, counts = np.bincount(place, weights=values), np.bincount(place)
    if len(sums) < LEAST_WEEKS:
        return None
    drawn = np.random.default_rng(seed).integers(len(sums), size=(DRAWS, len(sums)))
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.quantile(means, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return float(low), float(high)


def chosen(probabilities: Floats, threshold: float = THRESHOLD) -> Ints:
    """The action of each row as the service takes it: the likeliest, if it is BUY or SELL and reaches the threshold.

    Rounded to four decimals first, as the service does.
    """
    rounded = np.round(probabilities, 4)
    action = rounded.argmax(axis=1)
    sure = rounded[np.arange(len(action)), action] >= threshold
    return np.where(sure, action, 0)


@dataclass(frozen=True)
class Trades:
    """What the trades of each example would do. Arrays (n,) or (n, 2) for long and short."""

    time: Ints
    market: Ints
    label: Ints
    net: Floats
    held: Ints


def one_at_a_time(action: Ints, trades: Trades, step: int) -> Ints:
    """Indices of the signals that find no trade of their market open, in order of time; `step` (ms) is a candle."""
    free: dict[int, int] = {}
    taken = []
    for i in np.flatnonzero(action).tolist():
        market, now = int(trades.market[i]), int(trades.time[i])
        if now >= free.get(market, now):
            taken.append(i)
            free[market] = now + int(trades.held[i, action[i] - 1]) * step
    return np.array(taken, dtype=np.int64)


def of_trades(action: Ints, trades: Trades, step: int) -> dict[str, object]:
    """Number and hits of the signals, their mean R after costs, and the same of one trade at a time per market."""
    some = np.flatnonzero(action)
    hit, alone = (action[some] == trades.label[some]).astype(np.float64), one_at_a_time(action, trades, step)
    earned, earned_alone = (trades.net[i, action[i] - 1] for i in (some, alone))
    return {
        "n": len(some),
        "hits": int(hit.sum()),
        "hit_rate": _mean(hit),
        "hit_interval": _pair(block_interval(hit, trades.time[some])) if len(some) else None,
        "expectancy_r": _mean(earned),
        "expectancy_interval": _pair(block_interval(earned, trades.time[some])) if len(some) else None,
        "one_at_a_time_n": len(alone),
        "one_at_a_time_hits": int((action[alone] == trades.label[alone]).sum()),
        "one_at_a_time_r": _mean(earned_alone),
        "one_at_a_time_interval": _pair(block_interval(earned_alone, trades.time[alone])) if len(alone) else None,
    }


def of_probabilities(probabilities: Floats, prior: Floats, trades: Trades, step: int) -> dict[str, object]:
    """Every figure of a model beside the prior's (n, k), which knew each outcome's frequency in its training span."""
    losses, before = log_losses(probabilities, trades.label), log_losses(prior, trades.label)
    direction = direction_losses(prior, trades.label) - direction_losses(probabilities, trades.label)
    return {
        "examples": len(trades.label),
        "log_loss": _rounded(losses.mean()),
        "prior_log_loss": _rounded(before.mean()),
        "log_loss_gain": _rounded((before - losses).mean()),
        "log_loss_gain_interval": _pair(block_interval(before - losses, trades.time)),
        "direction_gain": _rounded(direction.mean()),
        "direction_gain_interval": _pair(block_interval(direction, trades.time)),
        "brier": _rounded(brier(probabilities, trades.label)),
        "ece": _rounded(calibration_error(probabilities, trades.label)),
        "largest_probability": _rounded(probabilities[:, 1:].max()),
        **of_confident(probabilities, trades),
        **of_trades(chosen(probabilities), trades, step),
    }


def of_confident(probabilities: Floats, trades: Trades) -> dict[str, object]:
    """Of the answers BUY and SELL of at least `CONFIDENT`: what they said, how often it came, and the difference.

    Signals come from these answers alone, while the calibration error is mostly that of the many below.
    """
    row, side = np.nonzero(probabilities[:, 1:] >= CONFIDENT)
    said, came = probabilities[row, side + 1], (trades.label[row] == side + 1).astype(np.float64)
    surplus = came - said
    return {
        "confident_n": len(row),
        "confident_said": _mean(said),
        "confident_came": _mean(came),
        "confident_surplus": _mean(surplus),
        "confident_surplus_interval": _pair(block_interval(surplus, trades.time[row])) if len(row) else None,
    }


def _mean(values: Floats) -> float | None:
    return _rounded(values.mean()) if len(values) else None


def _pair(interval: tuple[float, float] | None) -> list[float] | None:
    return [_rounded(value) for value in interval] if interval else None


def _rounded(value: float) -> float:
    return round(float(value), 4)
