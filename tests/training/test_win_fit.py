"""The fit itself finds what is planted and nothing else. Needs the training environment: `make win` makes it."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from layers.model.training.trainer import ROOT, TrainingFailed, run_there
from layers.model.training.win import PARITY, Fitter, WinFile, release
from layers.model.training.win_record import Record
from layers.model.training.win_scores import folds_of, verdict
from plumbline.domain.errors import InvalidInput
from plumbline.domain.win import WIN_FEATURES
from tests.training.test_win import a_record, chance

PYTHON = ROOT / ".venv-train" / "bin" / "python"
pytestmark = pytest.mark.skipif(not PYTHON.exists(), reason="the training environment, .venv-train, is not installed")


def released(folder: Path, record: Record) -> tuple[dict[str, object], Path]:
    folder.mkdir(exist_ok=True)
    return release(Fitter(PYTHON, folder), record, "recorded")


def test_a_planted_edge_is_found_and_comes_out_of_the_file_twice_the_same(tmp_path: Path) -> None:
    record = a_record(edge=1.0)
    with ThreadPoolExecutor(2) as pool:
        (figures, file), (_, again) = pool.map(released, (tmp_path / "first", tmp_path / "second"), (record, record))
    assert file.read_bytes() == again.read_bytes()
    assert verdict(figures)[0]
    model, fresh = WinFile(file), a_record(edge=1.0, seed=2)
    assert model.metadata["enabled"] == "true"
    assert model.parity() < PARITY
    assert np.abs(model.probability(fresh.rows) - chance(fresh.rows, 1.0)).mean() < 0.03


def test_a_planted_nothing_is_not_found(tmp_path: Path) -> None:
    figures, _ = Fitter(PYTHON, tmp_path).judged("nothing", a_record())
    assert not verdict(figures)[0]


def test_calibration_takes_away_confidence_that_is_no_longer_due(tmp_path: Path) -> None:
    # What the first input told at the beginning it no longer tells in the last quarter.
    early, late = a_record(edge=2.0), a_record(seed=3)
    won = np.where(np.arange(len(early)) < 0.75 * len(early), early.won, late.won)
    record = replace(early, won=won)
    fitter = Fitter(PYTHON, tmp_path)
    with np.load(fitter.fit("changed", record, folds_of(record)[-1:])) as result:
        assert abs(result["weights"][0]) < 0.2


def test_an_outcome_among_the_inputs_is_never_fitted(tmp_path: Path) -> None:
    record = a_record()
    record.rows[:, 0] = record.won
    with pytest.raises(InvalidInput, match=rf"^{WIN_FEATURES[0]} alone tells"):
        released(tmp_path, record)


def test_a_short_record_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="150 signals with a known outcome; 200 are the least"):
        released(tmp_path, a_record(count=150))


def test_a_fit_that_fails_says_why(tmp_path: Path) -> None:
    job, result = tmp_path / "a.job.npz", tmp_path / "a.result.npz"
    job.write_bytes(b"")
    with pytest.raises(TrainingFailed, match=r"win_fit of a\.result\.npz failed"):
        run_there(PYTHON, "win_fit", "fit", job, result)
