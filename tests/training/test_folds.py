"""No fold learns from what it is judged on."""

from itertools import pairwise

import numpy as np
import pytest

from layers.model.training.folds import FOLDS, SLICES, Fold, everything, walk_forward
from plumbline.domain.calendar import HOUR
from plumbline.domain.errors import InvalidInput

PURGE = 56 * HOUR
MARKETS = 3
TIME = np.repeat(np.arange(2_000) * HOUR, MARKETS)


def leaks(fold: Fold, time: np.ndarray, purge: int) -> bool:
    """Whether two parts come nearer to each other than `purge`, or stand in the wrong order."""
    parts = [time[part] for part in fold.parts() if len(part)]
    return any(late[0] - early[-1] < purge for early, late in pairwise(parts))


@pytest.mark.parametrize("fold", [*walk_forward(TIME, PURGE), everything(TIME, PURGE)])
def test_no_two_parts_of_a_fold_come_nearer_than_the_purge(fold: Fold) -> None:
    assert not leaks(fold, TIME, PURGE)


def test_a_fold_without_a_purge_is_caught() -> None:
    assert all(leaks(fold, TIME, PURGE) for fold in walk_forward(TIME, 0))


def test_a_fold_whose_training_part_knows_one_candle_of_the_test_part_is_caught() -> None:
    fold = walk_forward(TIME, PURGE)[0]
    peeking = Fold(np.append(fold.train, fold.test[0]), fold.val, fold.cal, fold.test)
    assert leaks(peeking, TIME, PURGE)


def test_the_test_parts_follow_one_another_and_end_with_the_data() -> None:
    folds = walk_forward(TIME, PURGE)
    assert len(folds) == FOLDS
    assert folds[-1].test[-1] == len(TIME) - 1
    for early, late in pairwise(folds):
        assert early.test[-1] < late.test[0]


def test_an_hour_is_never_on_both_sides_of_a_border() -> None:
    uneven = np.sort(np.random.default_rng(1).integers(0, 500, 5_000)) * HOUR
    for fold in walk_forward(uneven, 0):
        for early, late in pairwise(fold.parts()):
            assert uneven[early[-1]] < uneven[late[0]]


def test_each_fold_learns_from_one_slice_more_than_the_one_before() -> None:
    learned = [len(fold.train) + PURGE // HOUR * MARKETS for fold in walk_forward(TIME, PURGE)]
    slices = [round(count / (len(TIME) / SLICES)) for count in learned]
    assert slices == [2, 3, 4, 5]


def test_the_shipped_policy_learns_from_all_but_two_slices_and_has_no_test_part() -> None:
    fold = everything(TIME, PURGE)
    assert not len(fold.test)
    assert fold.cal[-1] == len(TIME) - 1


@pytest.mark.parametrize("hours", [0, 1, SLICES * PURGE // HOUR])
def test_a_history_too_short_for_its_folds_is_refused(hours: int) -> None:
    with pytest.raises(InvalidInput, match="examples"):
        walk_forward(np.arange(hours) * HOUR, PURGE)
    with pytest.raises(InvalidInput, match="examples"):
        everything(np.arange(hours) * HOUR, PURGE)
