"""The training environment, called as a program: fit and export in a process of their own, on one thread."""

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from layers.model.training.folds import Fold
from plumbline.domain.policy import Windows

ROOT = Path(__file__).parents[3]
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class TrainingFailed(Exception):
    """The training environment ended with an error; its own words are the message."""


@dataclass(frozen=True, slots=True)
class Trainer:
    """Fits with `python` of the training environment and keeps its files in `folder`.

    `steps` are those of PPO, `rounds` the most of the warm start.
    """

    python: Path
    folder: Path
    steps: int
    rounds: int

    def fit(self, name: str, examples: Path, fold: Fold, seed: int) -> Path:
        """Fit on one fold; the result's file holds weights and what each model says of the test part."""
        job, result = self.folder / f"{name}.job.npz", self.folder / f"{name}.result.npz"
        parts = {"train": fold.train, "val": fold.val, "cal": fold.cal, "test": fold.test}
        numbers = {"seed": np.array(seed), "steps": np.array(self.steps), "rounds": np.array(self.rounds)}
        np.savez(job, allow_pickle=False, **parts, **numbers)
        run_there(self.python, "fitting", examples, job, result)
        return result

    def export(self, result: Path, golden: Windows, metadata: Mapping[str, object], file: Path) -> None:
        """Write a fitted policy as ONNX with this metadata and its answers to the `golden` windows."""
        windows, said = file.with_suffix(".golden.npy"), file.with_suffix(".metadata.json")
        np.save(windows, golden)
        said.write_text(json.dumps(metadata), encoding="utf-8")
        run_there(self.python, "export", result, windows, said, file)


def run_there(python: Path, module: str, *words: str | Path) -> None:
    """Run a module of this package with the training environment's `python`; TrainingFailed with its last words."""
    command = [str(python), "-m", f"layers.model.training.{module}", *map(str, words)]
    environment = {**os.environ, **_ONE_THREAD, "PYTHONHASHSEED": "0", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603  # our own module
    if done.returncode:
        raise TrainingFailed(f"{module} of {Path(words[-1]).name} failed:\n{done.stderr[-4_000:]}")
