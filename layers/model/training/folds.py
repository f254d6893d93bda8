"""Walk-forward folds: learn from the past, stop, calibrate, and be judged on what came after, never the other way."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plumbline.domain.errors import InvalidInput

Ints = NDArray[np.int64]

SLICES = 8
FOLDS = 4
_PARTS_AFTER_TRAIN = 3
_ASKED = f"each of {SLICES} spans must be longer than what is left out at its end"


@dataclass(frozen=True)
class Fold:
    """Indices of the examples to learn from, to stop by, to calibrate on and to be judged on. `test` may be empty."""

    train: Ints
    val: Ints
    cal: Ints
    test: Ints

    def parts(self) -> list[Ints]:
        """In order of time."""
        return [self.train, self.val, self.cal, self.test]


def walk_forward(time: Ints, purge: int) -> list[Fold]:
    """`FOLDS` folds of examples at `time` (ms, sorted), whose parts lie at least `purge` (ms) apart.

    The calendar is cut into `SLICES` spans of equally many examples, all markets together, so that an hour is never on
    both sides of a border. Fold k learns from the first k + 2 spans, stops by the next, calibrates on the next and is
    judged on the one after it. InvalidInput where the examples are too few for that.
    """
    edges = _edges(time)
    return [_fold(time, edges, first, purge) for first in range(SLICES - FOLDS - 2, SLICES - 2)]


def everything(time: Ints, purge: int) -> Fold:
    """The fold of the policy that is shipped: the last two spans stop and calibrate it, none is left to judge it."""
    return _fold(time, _edges(time), SLICES - 2, purge)


def _edges(time: Ints) -> list[int]:
    if not len(time):
        raise InvalidInput("there are no examples")
    cuts = np.arange(1, SLICES) * len(time) // SLICES
    return [int(time[0]), *time[cuts].tolist(), int(time[-1]) + 1]


def _fold(time: Ints, edges: list[int], first: int, purge: int) -> Fold:
    """A fold whose train part is the first `first` spans. What a part's end could know of the next is left out."""
    spans = [(edges[0], edges[first])]
    spans += [(edges[k], edges[k + 1]) for k in range(first, min(first + _PARTS_AFTER_TRAIN, SLICES))]
    parts = [_between(time, begin, end - purge) for begin, end in spans[:-1]] + [_between(time, *spans[-1])]
    if not all(len(part) for part in parts):
        raise InvalidInput(f"{len(time):,} examples are too few to learn from, stop, calibrate and judge by: {_ASKED}")
    empty = [np.empty(0, dtype=np.int64)] * (_PARTS_AFTER_TRAIN + 1 - len(parts))
    return Fold(*parts, *empty)


def _between(time: Ints, begin: int, end: int) -> Ints:
    low, high = np.searchsorted(time, (begin, end))
    return np.arange(low, high)
