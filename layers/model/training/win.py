"""`python -m layers.model.training.win [--data FOLDER]`: learn the win probability from a record, judge it, ship it.

The record is a running stack's own, whose tables the environment names as it does for the functions, or what the
default channels' rules leave on a folder's recorded candles. Two controls on the simulated market are judged by the
same method: one where something can be found, one where nothing can.
"""

import argparse
import base64
import hashlib
import json
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from layers.model.training import history, record_page, win_page
from layers.model.training.folds import Fold
from layers.model.training.history import TIMEFRAME
from layers.model.training.record import PAGE, POLICIES
from layers.model.training.trainer import ROOT, TrainingFailed, run_there
from layers.model.training.win_record import Record, check_no_input_knows, in_stores, on_candles
from layers.model.training.win_scores import Figures, base_rate, folds_of, judge, span, verdict
from plumbline import wiring
from plumbline.adapters.model import open_policy
from plumbline.domain import win
from plumbline.domain.calendar import DAY, day_start
from plumbline.domain.candles import Floats
from plumbline.domain.errors import InvalidInput, PlumblineError
from plumbline.domain.win import COST_PCT, HORIZON, WIN_FEATURES, Rows

SCHEMA = 1
VERSION = "1.0.0"
FILE = POLICIES / "win.onnx"
PARITY = 1e-5
LEAST = 200
"""Signals below which there is nothing to cut into folds."""

GOLDEN = 4
CONTROL, LOTS = 106, 107
"""Seeds of the controls' simulated market, which no policy, demo or test has seen, and of the lots."""

_CONTROL_SPAN = day_start("2021-01-01"), day_start("2023-01-01")


class WinFile:
    """A file of the win probability, as the service would run it."""

    def __init__(self, file: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
        self.metadata: dict[str, str] = self._session.get_modelmeta().custom_metadata_map

    def probability(self, rows: Rows) -> Floats:
        """Probability of each signal: float64 (n,)."""
        [answer] = self._session.run(["win_probability"], {"signals": rows})
        return np.asarray(answer, dtype=np.float64)

    def golden(self) -> tuple[Rows, Floats]:
        """The rows the file carries, and what the training framework made of them."""
        kept = json.loads(self.metadata["golden"])
        rows = np.frombuffer(base64.b64decode(kept["signals"]), "<f4").reshape(kept["shape"])
        return rows, np.array(kept["win_probability"])

    def parity(self) -> float:
        """Largest difference between this runtime and the framework on the golden rows."""
        rows, answers = self.golden()
        return float(np.abs(self.probability(rows) - answers).max())

    def swallowed(self) -> int:
        """Values of a row where a NaN or an infinity does not come out as NaN; there must be none."""
        rows = np.repeat(self.golden()[0][:1], len(WIN_FEATURES), axis=0)
        answered = 0
        for fault in (np.nan, np.inf, -np.inf):
            broken = rows.copy()
            np.fill_diagonal(broken, fault)
            answered += int((~np.isnan(self.probability(broken))).sum())
        return answered


@dataclass(frozen=True, slots=True)
class Fitter:
    """The training environment's `python`, and a folder for the files that pass between the two."""

    python: Path
    folder: Path

    def judged(self, name: str, record: Record) -> tuple[Figures, Path]:
        """Fit on every fold; figures of the tests, and the file that holds the last fold's weights."""
        if len(record) < LEAST:
            raise InvalidInput(f"{len(record)} signals with a known outcome; {LEAST} are the least to learn from")
        check_no_input_knows(record)
        folds = folds_of(record)
        result = self.fit(name, record, folds)
        with np.load(result) as data:
            answers = [data[f"test_{k}"] for k in range(len(folds) - 1)]
        return judge(record, folds[:-1], answers), result

    def fit(self, name: str, record: Record, folds: list[Fold]) -> Path:
        """Fit on every fold."""
        job, result = self.folder / f"{name}.job.npz", self.folder / f"{name}.result.npz"
        parts = {f"{part}_{k}": getattr(f, part) for k, f in enumerate(folds) for part in ("train", "cal", "test")}
        shown = np.linspace(0, len(record) - 1, GOLDEN).astype(np.int64)
        columns: dict[str, Any] = {
            "rows": record.rows,
            "won": record.won,
            "golden": record.rows[shown],
            "folds": np.array(len(folds)),
        }
        np.savez(job, allow_pickle=False, **columns, **parts)
        run_there(self.python, "win_fit", "fit", job, result)
        return result

    def export(self, result: Path, metadata: Mapping[str, object], file: Path) -> None:
        """Write the last fold's model as ONNX with this metadata and its golden answers."""
        with np.load(result) as data:
            golden = {
                "signals": base64.b64encode(data["golden"].astype("<f4").tobytes()).decode(),
                "shape": list(data["golden"].shape),
                "win_probability": data["answers"].tolist(),
            }
        said = result.with_suffix(".metadata.json")
        said.write_text(json.dumps({**metadata, "golden": golden}), encoding="utf-8")
        run_there(self.python, "win_fit", "export", result, said, file)


def release(fitter: Fitter, record: Record, market: str) -> tuple[Figures, Path]:
    """Judge and write a record's model into the fitter's folder; its figures, and the file.

    TrainingFailed where the file does not compute what was fitted, or hides a broken input.
    """
    figures, result = fitter.judged(market, record)
    file = fitter.folder / "win.onnx"
    fitter.export(result, metadata(record, figures, market), file)
    shipped = WinFile(file)
    if not shipped.parity() < PARITY or shipped.swallowed():
        raise TrainingFailed(f"the file answers {shipped.parity():.2g} away, and {shipped.swallowed()} broken rows")
    return figures, file


def metadata(record: Record, figures: Figures, market: str) -> Figures:
    """The properties of the file, but for the opset, which the export adds, and the golden rows."""
    enabled, reason = verdict(figures)
    last = folds_of(record)[-1]
    return {
        "schema": SCHEMA,
        "name": "win",
        "version": VERSION,
        "features": WIN_FEATURES,
        "timeframe": str(TIMEFRAME),
        "market": market,
        "label": f"P&L at {HORIZON} above {COST_PCT} %",
        "enabled": enabled,
        "reason": reason,
        "figures": figures,
        "trained_on": {
            "signals": len(record),
            "markets": record.markets,
            "train": span(record, last.train),
            "cal": span(record, last.cal),
            "base_rate": round(base_rate(record, last), 6),
        },
        "data_sha256": record.digest(),
        "code_sha256": hashlib.sha256(Path(win.__file__).read_bytes()).hexdigest(),
    }


def main() -> int:
    """Everything of `make win`; 1 where the record is too short or the training fails."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="plumbline-win-") as folder:
        try:
            record, market = _record(options)
            fitter = Fitter(options.python.absolute(), Path(folder))
            figures, file = release(fitter, record, market)
            controls = {name: fitter.judged(name, control)[0] for name, control in _controls().items()}
        except (TrainingFailed, PlumblineError) as exc:
            sys.stderr.write(f"{exc}\n")
            return 1
        options.file.write_bytes(file.read_bytes())
    record_page.rewrite(PAGE, "win", win_page.write(figures, market, controls))
    sys.stderr.write(f"written: {options.file}; it is {verdict(figures)[1]}\n")
    return 0


def _record(options: argparse.Namespace) -> tuple[Record, str]:
    if options.data:
        return on_candles(history.recorded(options.data)), "recorded"
    now = wiring.now()
    return in_stores(wiring.stores(), now - options.days * DAY, now), wiring.settings().source


def _controls() -> dict[str, Record]:
    market, policy = history.simulated(CONTROL, *_CONTROL_SPAN), open_policy(POLICIES / "policy-simulated.onnx")
    return {
        "simulated": on_candles(market, policy),
        "directionless": on_candles(history.without_direction(market, LOTS), policy),
    }


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m layers.model.training.win", description=__doc__)
    parser.add_argument("--data", type=Path, help="folder of <BASE>-USDT_1h.csv.gz instead of a stack's record")
    parser.add_argument("--days", type=int, default=730, help="of a stack's record, up to now")
    parser.add_argument("--python", type=Path, default=ROOT / ".venv-train" / "bin" / "python")
    parser.add_argument("--file", type=Path, default=FILE, help="where to write the model")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
