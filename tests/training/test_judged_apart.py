"""What a policy is judged on teaches it nothing. Half of it needs the training environment: `make model` makes it."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from layers.model.training.examples import BUY, HOLD, SELL, Examples
from layers.model.training.trainer import ROOT, Trainer
from layers.model.training.walkforward import MODELS, PURGE, Course
from plumbline.domain.brackets import HORIZON
from plumbline.domain.calendar import HOUR
from plumbline.domain.policy import ACTIONS, WINDOW
from tests.builders import random_walk

PYTHON = ROOT / ".venv-train" / "bin" / "python"
WEIGHTS = ("backbone.", "head.", "actor.", "temperature")
EXAMPLES = Examples.of({"BTC/USDT": random_walk("1h", 2_400)})
needs_training = pytest.mark.skipif(not PYTHON.exists(), reason="the training environment, .venv-train, is missing")


def weights(result: Path) -> dict[str, bytes]:
    with np.load(result) as data:
        return {name: data[name].tobytes() for name in data if name.startswith(WEIGHTS)}


def scrambled(course: Course, path: Path) -> Path:
    """The same examples but for the test part of the first fold: other windows, other outcomes."""
    test = course.folds[0].test
    with np.load(course.file) as data:
        other = dict(data)
    shown = other["start"][test][:, None] + np.arange(WINDOW)
    other["rows"][shown] = 3 - other["rows"][shown]
    other["label"][test] = SELL
    other["earned"][test] *= -1
    np.savez(path, allow_pickle=False, **other)
    return path


@needs_training
def test_another_test_part_leaves_the_same_weights(tmp_path: Path) -> None:
    course = Course.of("tiny", EXAMPLES, tmp_path)
    trainer, fold = Trainer(PYTHON, tmp_path, steps=1, rounds=16), course.folds[0]
    first = weights(trainer.fit("first", course.file, fold, seed=5))
    second = weights(trainer.fit("second", scrambled(course, tmp_path / "other.npz"), fold, seed=5))
    assert len(first) > len(WEIGHTS) * 2
    assert [name for name in first if first[name] != second[name]] == []


@needs_training
def test_reinforcement_moves_backbone_and_policy(tmp_path: Path) -> None:
    course = Course.of("tiny", EXAMPLES, tmp_path)
    short, long = (
        weights(Trainer(PYTHON, tmp_path, steps, rounds=1).fit(f"{steps}", course.file, course.folds[0], seed=5))
        for steps in (1, 5_000)
    )
    moved = [name for name in short if short[name] != long[name]]
    assert {"backbone.lstm.weight_ih_l0", "actor.weight"} <= set(moved)


def test_no_label_of_a_part_reaches_a_window_of_the_next(tmp_path: Path) -> None:
    assert PURGE >= (HORIZON + WINDOW - 1) * HOUR
    course = Course.of("tiny", EXAMPLES, tmp_path)
    for fold in (*course.folds, course.last):
        parts = [EXAMPLES.time[part] for part in fold.parts() if len(part)]
        for early, late in pairwise(parts):
            assert early[-1] + HORIZON * HOUR <= late[0] - (WINDOW - 1) * HOUR


def test_the_prior_knows_the_frequencies_of_its_training_span_alone(tmp_path: Path) -> None:
    fold = Course.of("tiny", EXAMPLES, tmp_path).folds[0]
    label = np.full(len(EXAMPLES), SELL)
    label[fold.train] = np.resize([HOLD, HOLD, BUY, SELL], len(fold.train))
    label[fold.test] = HOLD
    course = replace(Course.of("tiny", replace(EXAMPLES, label=label), tmp_path), folds=[fold])
    thirds = np.full((len(fold.test), len(ACTIONS)), 1 / 3)
    answers = dict.fromkeys(MODELS, thirds) | {"temperature": np.array(1.0)}
    judged = course.judge([answers], {1: answers})
    # HOLD was one half of what it learned from, and is all that came.
    assert judged.models["prior"]["log_loss"] == pytest.approx(np.log(2), abs=0.01)
    assert judged.served["prior_log_loss"] == judged.models["prior"]["log_loss"]
    assert judged.served["log_loss_gain"] == pytest.approx(np.log(2) - np.log(3), abs=0.01)
    beside = judged.folds[0]["baselines"]
    assert isinstance(beside, dict)
    assert beside.pop("prior") == judged.models["prior"]["log_loss"]
    assert list(beside.values()) == [pytest.approx(np.log(3), abs=1e-4)] * 3
