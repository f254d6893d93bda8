"""Fit the win probability and write it as one ONNX file. Runs in the training environment, in a process of its own.

`python -m layers.model.training.win_fit fit JOB RESULT` fits a logistic regression on each fold of a job and says what
it makes of the test part; `… export RESULT METADATA FILE` writes the last fold's as ONNX. Normaliser and calibration
are folded into one row of weights, so that the file is a product, a sum and a logistic function.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from sklearn.linear_model import LogisticRegression

Floats = NDArray[np.float64]

OPSET = 20
INPUT, OUTPUT = "signals", "win_probability"
STRENGTH = 1.0
"""Inverse strength of the penalty on weights of standardised inputs: scikit-learn's default, never tuned."""

_LEAST_SCALE = 1e-3
_STEPS = 20


def fitted(
    rows: Floats, won: NDArray[np.int64], train: NDArray[np.int64], cal: NDArray[np.int64]
) -> tuple[Floats, float]:
    """Weights (features,) and bias for plain rows, calibrated on a part of its own.

    Platt's scaling (1999) with a slope between 0 and 1: calibration may take confidence away, never add or turn it.
    """
    mean, scale = rows[train].mean(axis=0), np.maximum(rows[train].std(axis=0), _LEAST_SCALE)
    model = LogisticRegression(C=STRENGTH, max_iter=1_000).fit((rows[train] - mean) / scale, won[train])
    weights, bias = model.coef_[0] / scale, float(model.intercept_[0] - model.coef_[0] @ (mean / scale))
    slope, shift = platt(rows[cal] @ weights + bias, won[cal])
    return slope * weights, slope * bias + shift


def platt(logits: Floats, won: NDArray[np.int64]) -> tuple[float, float]:
    """Slope and shift of least log-loss, the slope cut to 0 to 1."""
    found = LogisticRegression(C=np.inf, max_iter=1_000).fit(logits[:, None], won)
    slope = float(np.clip(found.coef_[0, 0], 0, 1))
    shift = float(found.intercept_[0])
    for _ in range(_STEPS):  # Newton's, for the shift that belongs to the slope
        given = logistic(slope * logits + shift)
        shift += float((won - given).sum() / max((given * (1 - given)).sum(), _LEAST_SCALE))
    return slope, shift


def logistic(values: Floats) -> Floats:
    """1 / (1 + e^−x), in a form that does not overflow."""
    return 0.5 * (1 + np.tanh(values / 2))


def graph(weights: Floats, bias: float) -> onnx.ModelProto:
    """The probability as an ONNX graph. An infinite input comes out as NaN, as a NaN does by itself."""
    count = len(weights)
    constants = {
        "weights": weights.astype(np.float32).reshape(count, 1),
        "bias": np.array([bias], dtype=np.float32),
        "nothing": np.zeros((count, 1), dtype=np.float32),
        "last": np.array([1], dtype=np.int64),
    }
    nodes = [
        helper.make_node("MatMul", [INPUT, "weights"], ["weighed"]),
        helper.make_node("Add", ["weighed", "bias"], ["logits"]),
        helper.make_node("Sigmoid", ["logits"], ["columns"]),
        helper.make_node("MatMul", [INPUT, "nothing"], ["broken"]),
        helper.make_node("Add", ["columns", "broken"], ["told"]),
        helper.make_node("Squeeze", ["told", "last"], [OUTPUT]),
    ]
    body = helper.make_graph(
        nodes,
        "win",
        [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["batch", count])],
        [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["batch"])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return helper.make_model(body, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=10)


def fit(job: Path, result: Path) -> None:
    """Every fold of the job; what the last one says of the golden rows is kept for the check at every load."""
    with np.load(job) as data:
        columns: dict[str, NDArray[Any]] = dict(data)
    rows, won = columns["rows"].astype(np.float64), columns["won"]
    kept: dict[str, NDArray[Any]] = {}
    for k in range(int(columns["folds"])):
        weights, bias = fitted(rows, won, columns[f"train_{k}"], columns[f"cal_{k}"])
        kept[f"test_{k}"] = logistic(rows[columns[f"test_{k}"]] @ weights + bias)
    golden = columns["golden"]
    np.savez(
        result,
        allow_pickle=False,
        **kept,
        weights=weights,
        bias=np.array(bias),
        golden=golden,
        answers=logistic(golden.astype(np.float64) @ weights + bias),
    )


def export(result: Path, metadata: Path, file: Path) -> None:
    """Write the file; the same inputs give the same bytes."""
    with np.load(result) as data:
        model = graph(data["weights"], float(data["bias"]))
    said: dict[str, Any] = json.loads(metadata.read_text(encoding="utf-8")) | {"opset": OPSET}
    # A string is itself, anything else its JSON.
    properties = {name: value if isinstance(value, str) else json.dumps(value) for name, value in said.items()}
    helper.set_model_props(model, dict(sorted(properties.items())))
    onnx.checker.check_model(model, full_check=True)
    file.write_bytes(model.SerializeToString(deterministic=True))


if __name__ == "__main__":
    step, *files = sys.argv[1:]
    (fit if step == "fit" else export)(*map(Path, files))
