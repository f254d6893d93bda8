"""The same data and seed make the same file, byte for byte. Needs the training environment: `make model` makes it."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from layers.model.training.checks import PARITY, Shipped
from layers.model.training.examples import Examples
from layers.model.training.trainer import ROOT, Trainer, TrainingFailed
from layers.model.training.walkforward import Course
from tests.builders import random_walk

PYTHON = ROOT / ".venv-train" / "bin" / "python"
pytestmark = pytest.mark.skipif(not PYTHON.exists(), reason="the training environment, .venv-train, is not installed")


def trained(folder: Path) -> Path:
    """The file of a fit that sees few examples and stops at once."""
    folder.mkdir()
    course = Course.of("tiny", Examples.of({"BTC/USDT": random_walk("1h", 2_400)}), folder)
    trainer = Trainer(PYTHON, folder, steps=1, rounds=1)
    result, file = trainer.fit("tiny", course.file, course.folds[-1], seed=5), folder / "policy.onnx"
    trainer.export(result, course.examples.windows(np.arange(4)), {"name": "tiny", "window": 32}, file)
    return file


def test_two_trainings_make_the_same_bytes(tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(trained, (tmp_path / "first", tmp_path / "second"))
    assert first.read_bytes() == second.read_bytes()
    policy = Shipped(first)
    assert policy.parity() < PARITY
    assert policy.swallowed() == 0
    assert policy.metadata["name"] == "tiny"
    assert policy.metadata["window"] == "32"


def test_a_training_that_fails_says_why(tmp_path: Path) -> None:
    course = Course.of("tiny", Examples.of({"BTC/USDT": random_walk("1h", 2_400)}), tmp_path)
    course.file.write_bytes(b"")
    with pytest.raises(TrainingFailed, match=r"fitting of tiny\.result\.npz failed"):
        Trainer(PYTHON, tmp_path, steps=1, rounds=1).fit("tiny", course.file, course.folds[-1], seed=5)
