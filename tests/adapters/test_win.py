"""The door of the second model: what is refused, and what the shipped one answers."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from plumbline.adapters.win import open_win
from plumbline.domain.errors import ModelRefused
from plumbline.domain.win import WIN_FEATURES, describe
from tests.adapters.onnx_files import stating
from tests.builders import a_signal

WIN = Path(__file__).parents[2] / "layers" / "model" / "policies" / "win.onnx"


def test_the_shipped_model_says_what_it_is_and_why_it_is_off() -> None:
    facts = open_win(WIN).facts
    assert (facts.name, facts.market, facts.enabled) == ("win", "recorded", False)
    assert "does not beat the base rate" in facts.reason
    assert facts.hash == hashlib.sha256(WIN.read_bytes()).hexdigest()


def test_a_signal_gets_a_probability_alone_as_among_others() -> None:
    model, row = open_win(WIN), describe(a_signal())
    [alone] = model.probability(row[None])
    assert 0 < alone < 1
    assert (model.probability(np.stack([row] * 300)) == alone).all()
    assert len(model.probability(np.empty((0, len(WIN_FEATURES)), dtype=np.float32))) == 0


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_no_number_gives_no_probability(broken: float) -> None:
    row = describe(a_signal())
    row[2] = broken
    assert np.isnan(open_win(WIN).probability(row[None])).all()


@pytest.mark.parametrize(
    ("metadata", "reason"),
    [
        ({"features": json.dumps(["price"])}, r"made for features \['price'\], this code computes \['unified_score'"),
        ({"schema": "2"}, "made for schema 2, this code computes 1"),
        ({"reason": None}, "no model of ours: KeyError\\('reason'\\)"),
        ({"timeframe": "2h"}, "no model of ours"),
        ({"golden": json.dumps({"signals": "", "win_probability": []})}, r"carries \(0,\) answers"),
    ],
)
def test_a_file_that_is_not_for_this_code_is_refused_with_the_difference(
    metadata: dict[str, str | None], reason: str, tmp_path: Path
) -> None:
    path = tmp_path / "other.onnx"
    path.write_bytes(stating(WIN.read_bytes(), metadata))
    with pytest.raises(ModelRefused, match=reason):
        open_win(path)
