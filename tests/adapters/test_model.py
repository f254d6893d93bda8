"""The door of the policy: what is refused, and that an answer depends on nothing but its window."""

import base64
import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest

from plumbline import wiring
from plumbline.adapters.model import SCHEMA, OnnxPolicy, open_policy
from plumbline.domain.calendar import Timeframe
from plumbline.domain.errors import InvalidInput, ModelRefused, SettingsError
from plumbline.domain.policy import ACTIONS, FEATURES, WINDOW, Windows
from plumbline.settings import NO_MODEL, Settings
from tests.adapters.onnx_files import stating

POLICIES = Path(__file__).parents[2] / "layers" / "model" / "policies"
SHIPPED = ("policy.onnx", "policy-simulated.onnx")

type Changed = Callable[..., Path]


@pytest.fixture(scope="module")
def model() -> bytes:
    return (POLICIES / "policy-simulated.onnx").read_bytes()


@pytest.fixture
def changed(model: bytes, tmp_path: Path) -> Changed:
    """Writes the shipped model stating something else."""

    def write(**metadata: str | None) -> Path:
        path = tmp_path / "other.onnx"
        path.write_bytes(stating(model, metadata))
        return path

    return write


def stated(path: Path) -> dict[str, str]:
    session = ort.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    found: dict[str, str] = session.get_modelmeta().custom_metadata_map
    return found


def some_windows(count: int) -> Windows:
    return np.random.default_rng(7).normal(0, 1, (count, WINDOW, len(FEATURES))).astype(np.float32)


@pytest.fixture(scope="module", params=SHIPPED)
def policy(request: pytest.FixtureRequest) -> OnnxPolicy:
    return open_policy(POLICIES / str(request.param))


# --- what a good file says ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_model_says_where_it_comes_from(name: str) -> None:
    path = POLICIES / name
    facts, metadata = open_policy(path).facts, stated(path)
    assert facts.hash == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (facts.name, facts.version, facts.market) == tuple(metadata[key] for key in ("name", "version", "market"))
    assert facts.market == ("simulated" if "simulated" in name else "recorded")
    assert facts.timeframe is Timeframe.H1
    assert sum(facts.prior) == pytest.approx(1)
    assert list(facts.spread) == list(FEATURES)
    assert facts.card == json.loads(metadata["card"])
    for edges, shares in facts.spread.values():
        assert list(edges) == sorted(edges)
        assert len(shares) == len(edges) + 1
        assert sum(shares) == pytest.approx(1, abs=1e-3)


def test_the_hash_is_of_the_whole_file_also_where_only_the_metadata_differs(changed: Changed) -> None:
    path = changed(version="2.0.0")
    facts = open_policy(path).facts
    assert facts.version == "2.0.0"
    assert facts.hash == hashlib.sha256(path.read_bytes()).hexdigest()
    assert facts.hash != open_policy(POLICIES / "policy-simulated.onnx").facts.hash


def test_a_model_of_another_timeframe_is_opened_and_says_so(changed: Changed) -> None:
    assert open_policy(changed(timeframe="4h")).facts.timeframe is Timeframe.H4


# --- what is refused ---------------------------------------------------------------------------------------------


def test_other_features_are_refused_with_both_lists(changed: Changed) -> None:
    theirs = [*FEATURES[1:], FEATURES[0]]
    with pytest.raises(ModelRefused) as refusal:
        open_policy(changed(features=json.dumps(theirs)))
    assert str(theirs) in str(refusal.value)
    assert str(list(FEATURES)) in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "theirs", "ours"),
    [
        ("window", WINDOW + 1, WINDOW),
        ("actions", ["BUY", "HOLD", "SELL"], list(ACTIONS)),
        ("actions", list(ACTIONS[:2]), list(ACTIONS)),
        ("schema", SCHEMA + 1, SCHEMA),
    ],
)
def test_whatever_else_it_was_made_for_is_refused_with_both(
    changed: Changed, name: str, theirs: object, ours: object
) -> None:
    complaint = f"other.onnx was made for {name} {theirs}, this code computes {ours}: train it again"
    with pytest.raises(ModelRefused, match=re.escape(complaint)):
        open_policy(changed(**{name: json.dumps(theirs)}))


NEEDED = ("schema", "name", "version", "features", "window", "actions", "timeframe", "market", "prior", "psi", "golden")


@pytest.mark.parametrize("name", [*NEEDED, "card"])
def test_a_model_that_does_not_state_everything_is_refused_with_what_it_must(changed: Changed, name: str) -> None:
    with pytest.raises(ModelRefused, match=f"is no model of ours: .*'{name}'.*; it must state .*{name}"):
        open_policy(changed(**{name: None}))


@pytest.mark.parametrize(
    "metadata",
    [
        {"schema": "one"},
        {"card": "{"},
        {"timeframe": "7h"},
        {"psi": "[]"},
        {"psi": '{"rsi": {}}'},
        {"prior": "1"},
        {"golden": "{}"},
        {"golden": '{"windows": "", "action_probs": []}'},
        {"golden": '{"windows": "AAAA", "action_probs": [[1, 0, 0]]}'},
        {"golden": '{"windows": "!", "action_probs": [[1, 0, 0]]}'},
    ],
)
def test_a_statement_that_cannot_be_read_is_refused(changed: Changed, metadata: dict[str, str]) -> None:
    with pytest.raises(ModelRefused, match=r"other\.onnx (is no model of ours|carries .* answers)"):
        open_policy(changed(**metadata))


@pytest.mark.parametrize("content", [b"", b"no model at all", b"\x00" * 100, b"\x08\x07"])
def test_what_is_no_onnx_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelRefused, match=r"broken\.onnx is no model of ours"):
        open_policy(path)


def test_half_a_file_is_refused(model: bytes, tmp_path: Path) -> None:
    path = tmp_path / "half.onnx"
    path.write_bytes(model[: len(model) // 2])
    with pytest.raises(ModelRefused, match="is no model of ours"):
        open_policy(path)


def test_a_graph_with_another_output_under_the_policys_metadata_is_refused(model: bytes, tmp_path: Path) -> None:
    path = tmp_path / "other.onnx"
    metadata = stated(POLICIES / "policy-simulated.onnx")
    path.write_bytes(stating(model.replace(b"action_probs", b"another_name"), metadata))
    with pytest.raises(ModelRefused, match=r"is no model of ours.*action_probs"):
        open_policy(path)


def golden_of(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(stated(path)["golden"])
    return found


@pytest.mark.parametrize("error", [2e-5, -2e-5, 0.5, float("nan")])
def test_a_single_answer_that_differs_from_the_training_frameworks_is_refused(changed: Changed, error: float) -> None:
    golden = golden_of(POLICIES / "policy-simulated.onnx")
    golden["action_probs"][-1][2] += error
    with pytest.raises(ModelRefused, match=r"answers its own examples .* away .* at most 1e-05 is allowed"):
        open_policy(changed(golden=json.dumps(golden)))


def test_a_difference_in_the_last_digits_is_the_same_model(changed: Changed) -> None:
    golden = golden_of(POLICIES / "policy-simulated.onnx")
    golden["action_probs"][-1][2] += 2e-6
    open_policy(changed(golden=json.dumps(golden)))


def test_golden_windows_that_are_no_numbers_are_refused(changed: Changed) -> None:
    golden = golden_of(POLICIES / "policy-simulated.onnx")
    windows = np.frombuffer(base64.b64decode(golden["windows"]), dtype="<f4").copy()
    windows[5] = np.nan
    golden["windows"] = base64.b64encode(windows.tobytes()).decode()
    with pytest.raises(ModelRefused):
        open_policy(changed(golden=json.dumps(golden)))


# --- what it answers ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize(("row", "candle", "feature"), [(0, 0, 0), (3, 31, 5), (6, 17, 13)])
def test_what_is_no_finite_number_is_an_error_that_says_where(
    policy: OnnxPolicy, value: float, row: int, candle: int, feature: int
) -> None:
    windows = some_windows(7)
    windows[row, candle, feature] = value
    complaint = f"window {row}: {FEATURES[feature]} of candle {candle} is {np.float32(value)};"
    with pytest.raises(InvalidInput, match=re.escape(complaint)) as refusal:
        policy.probabilities(windows)
    assert refusal.value.field == "candles"


def test_of_many_faults_the_first_is_named(policy: OnnxPolicy) -> None:
    windows = some_windows(3)
    windows[1:, 4, 2] = np.nan
    with pytest.raises(InvalidInput, match=f"window 1: {FEATURES[2]} of candle 4 is nan"):
        policy.probabilities(windows)


def test_answers_are_probabilities_of_every_action(policy: OnnxPolicy) -> None:
    answers = policy.probabilities(8 * some_windows(50))
    assert answers.shape == (50, len(ACTIONS))
    assert answers.dtype == np.float64
    assert answers.min() >= 0
    assert answers.sum(axis=1) == pytest.approx(np.ones(50), abs=1e-5)


def test_a_window_is_answered_alike_to_the_last_bit_alone_and_among_three_hundred(policy: OnnxPolicy) -> None:
    windows = some_windows(300)
    together = policy.probabilities(windows)
    alone = np.concatenate([policy.probabilities(windows[i : i + 1]) for i in range(300)])
    backwards = policy.probabilities(np.ascontiguousarray(windows[::-1]))[::-1]
    assert alone.tobytes() == together.tobytes() == backwards.tobytes()


def test_two_sessions_of_one_file_answer_alike_to_the_last_bit(policy: OnnxPolicy) -> None:
    path = next(p for p in map(POLICIES.joinpath, SHIPPED) if open_policy(p).facts == policy.facts)
    assert open_policy(path).probabilities(some_windows(9)).tobytes() == policy.probabilities(some_windows(9)).tobytes()


def test_nothing_asked_is_nothing_answered(policy: OnnxPolicy) -> None:
    assert policy.probabilities(some_windows(0)).shape == (0, len(ACTIONS))


def test_one_thread_does_the_work(policy: OnnxPolicy) -> None:
    options = policy.session.get_session_options()
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (1, 1)


# --- which file --------------------------------------------------------------------------------------------------


def settings(**changes: str) -> Settings:
    return Settings(**({"stage": "test", "tables": "test", "exchange": "binance"} | changes))  # type: ignore[arg-type]  # all of them text


@pytest.fixture
def layer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A layer's folder on Python's path, as /opt/python is in Lambda, and no other."""
    folder = tmp_path / "policies"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.syspath_prepend(str(tmp_path / "elsewhere"))
    return folder


def test_the_shipped_model_is_that_of_the_market(layer: Path) -> None:
    for name in SHIPPED:
        layer.joinpath(name).touch()
    assert wiring.model_file(settings()) == layer / "policy.onnx"
    assert wiring.model_file(settings(exchange="recorded")) == layer / "policy.onnx"
    assert wiring.model_file(settings(exchange="simulated")) == layer / "policy-simulated.onnx"


def test_a_model_of_another_market_does_not_stand_in(layer: Path) -> None:
    layer.joinpath("policy.onnx").touch()
    assert wiring.model_file(settings(exchange="simulated")) is None


def test_without_a_layer_there_is_no_model(layer: Path) -> None:
    assert wiring.model_file(settings()) is None


def test_a_model_that_is_named_goes_before_the_shipped_one(layer: Path, tmp_path: Path) -> None:
    layer.joinpath("policy.onnx").touch()
    own = tmp_path / "own.onnx"
    own.touch()
    assert wiring.model_file(settings(model=str(own))) == own


def test_a_model_that_is_named_and_missing_is_an_error_and_no_quiet_placeholder(layer: Path) -> None:
    layer.joinpath("policy.onnx").touch()
    with pytest.raises(SettingsError, match=r"/missing\.onnx.* is no file; for none at all write none"):
        wiring.model_file(settings(model="/missing.onnx"))


def test_no_model_on_purpose_is_none_whatever_is_shipped(layer: Path) -> None:
    layer.joinpath("policy.onnx").touch()
    assert wiring.model_file(settings(model=NO_MODEL)) is None


def test_a_simulated_policy_is_refused_on_a_live_market_and_a_recorded_one_on_the_simulated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(str(POLICIES.parent))
    with pytest.raises(ModelRefused, match="trained on a simulated market, this one is binance"):
        wiring.policy_for(settings(model=str(POLICIES / "policy-simulated.onnx")))
    with pytest.raises(ModelRefused, match="trained on a recorded market, this one is simulated"):
        wiring.policy_for(settings(exchange="simulated", model=str(POLICIES / "policy.onnx")))
    for exchange in ("binance", "recorded", "simulated"):
        assert wiring.policy_for(settings(exchange=exchange))


def test_the_win_probability_is_that_of_the_same_kind_of_market(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(POLICIES.parent))
    assert wiring.win_for(settings())
    assert wiring.win_for(settings(exchange="recorded"))
    assert wiring.win_for(settings(exchange="simulated")) is None
    assert wiring.win_for(settings(model=NO_MODEL)) is None


def test_a_win_model_that_is_refused_is_left_out_and_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "win.onnx").write_bytes(b"no model")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert wiring.win_for(settings()) is None
    assert "the win probability is left out: win.onnx is no model of ours" in caplog.text
