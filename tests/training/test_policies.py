"""The policies that are shipped are those of this code, and say so themselves."""

import json
from pathlib import Path

import numpy as np
import pytest

from layers.model.training import card, page
from layers.model.training.__main__ import FILES, PAGE, POLICIES, SIMULATED, publish
from layers.model.training.card import BRACKET
from layers.model.training.checks import PARITY, Gate, Shipped, verdict
from layers.model.training.history import TIMEFRAME, simulated
from plumbline.domain.brackets import HORIZON
from plumbline.domain.calendar import HOUR, parse_instant
from plumbline.domain.features import Features
from plumbline.domain.policy import ACTIONS, FEATURES, WINDOW, inputs
from plumbline.domain.windows import window_start

MARKETS = sorted(FILES)


def shipped(market: str) -> Shipped:
    return Shipped(POLICIES / FILES[market])


def stated(market: str, name: str) -> object:
    return json.loads(shipped(market).metadata[name])


@pytest.mark.parametrize("market", MARKETS)
def test_a_policy_was_made_for_the_inputs_and_actions_of_this_code(market: str) -> None:
    assert stated(market, "schema") == 1
    assert stated(market, "features") == list(FEATURES)
    assert stated(market, "window") == WINDOW
    assert stated(market, "actions") == list(ACTIONS)
    assert stated(market, "bracket") == BRACKET
    assert BRACKET["horizon"] == HORIZON
    assert shipped(market).metadata["timeframe"] == TIMEFRAME
    assert shipped(market).metadata["market"] == market
    assert shipped(market).metadata["code_sha256"] == card.CODE_SHA256


@pytest.mark.parametrize("market", MARKETS)
def test_a_policy_answers_its_own_examples_as_its_framework_did(market: str) -> None:
    assert shipped(market).parity() < PARITY


@pytest.mark.parametrize("market", MARKETS)
def test_a_broken_input_comes_out_as_broken_wherever_it_stands(market: str) -> None:
    assert shipped(market).swallowed() == 0


@pytest.mark.parametrize("market", MARKETS)
def test_an_answer_does_not_depend_on_its_neighbours(market: str) -> None:
    policy = shipped(market)
    windows = np.random.default_rng(1).normal(size=(300, WINDOW, len(FEATURES))).astype(np.float32)
    together = policy.run(windows)[0]
    for size in (1, 2, 3, 7, 64):
        apart = np.concatenate([policy.run(windows[k : k + size])[0] for k in range(0, len(windows), size)])
        assert apart.tobytes() == together.tobytes(), size


@pytest.mark.parametrize("market", MARKETS)
def test_answers_are_probabilities(market: str) -> None:
    windows = np.random.default_rng(1).normal(size=(50, WINDOW, len(FEATURES))).astype(np.float32) * 20
    for given in shipped(market).run(windows):
        assert given.shape == (50, len(ACTIONS))
        assert (given >= 0).all()
        np.testing.assert_allclose(given.sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("market", MARKETS)
def test_a_file_is_small_and_tells_nothing_of_where_it_was_made(market: str) -> None:
    content = (POLICIES / FILES[market]).read_bytes()
    assert len(content) < 100_000
    for trace in (b".py", b"/tmp", b"site-packages", b"stack_trace"):
        assert trace not in content


@pytest.mark.parametrize("market", MARKETS)
def test_the_distribution_of_every_feature_is_stated(market: str) -> None:
    spread = stated(market, "psi")
    assert isinstance(spread, dict)
    assert list(spread) == list(FEATURES)
    for part in spread.values():
        assert len(part["edges"]) == 9
        assert sorted(part["edges"]) == part["edges"]
        assert len(part["shares"]) == 10
        assert sum(part["shares"]) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("market", MARKETS)
def test_every_gate_of_a_shipped_policy_held(market: str) -> None:
    told = stated(market, "card")
    assert isinstance(told, dict)
    assert told["gates"]
    assert all(gate["passed"] for gate in told["gates"])
    assert told["verdict"] == verdict(told["pooled"])


@pytest.mark.parametrize("market", MARKETS)
def test_a_card_names_its_data(market: str) -> None:
    told = stated(market, "card")
    assert isinstance(told, dict)
    assert told["source"]
    assert told["data_sha256"] == shipped(market).metadata["data_sha256"]


@pytest.mark.parametrize("passed", [True, False])
def test_policies_and_page_are_replaced_together_or_not_at_all(passed: bool, tmp_path: Path) -> None:
    cards = {market: json.loads(shipped(market).metadata["card"]) for market in FILES}
    made, policies, text = tmp_path / "made", tmp_path / "policies", tmp_path / "page.md"
    for folder in (made, policies):
        folder.mkdir()
    for file in FILES.values():
        (made / file).write_bytes(b"new")
        (policies / file).write_bytes(b"old")
    text.write_text("old")
    code = publish(made, cards, [Gate("first", 1, "1", True), Gate("second", 1, "1", passed)], policies, text)
    assert code == (0 if passed else 1)
    assert {(policies / file).read_bytes() for file in FILES.values()} == {b"new" if passed else b"old"}
    assert text.read_text() == (page.write(cards) if passed else "old")


def test_the_code_still_computes_the_inputs_the_policy_was_trained_on() -> None:
    """The file names the candles its examples end with: the market that made them is drawn again."""
    policy = shipped("simulated")
    golden, *_ = policy.golden()
    for expected, (symbol, moment) in zip(golden, json.loads(policy.metadata["golden_candles"]), strict=True):
        close = parse_instant(moment)
        window = simulated(SIMULATED, window_start(TIMEFRAME, close - HOUR), close)[symbol]
        features = Features.of([window], np.arange(close - WINDOW * HOUR, close, HOUR))
        np.testing.assert_allclose(inputs(features)[0], expected, atol=1e-5)


def test_the_page_of_the_card_is_what_the_shipped_files_say() -> None:
    cards = {market: json.loads(shipped(market).metadata["card"]) for market in FILES}
    assert PAGE.read_text(encoding="utf-8") == page.write(cards)


@pytest.mark.parametrize(("interval", "says"), [([-0.07, -0.02], 2), ([-0.07, 0.02], 0), (None, 0)])
def test_the_page_says_where_a_policy_is_overconfident(interval: list[float] | None, says: int) -> None:
    cards = {market: json.loads(shipped(market).metadata["card"]) for market in FILES}
    for told in cards.values():
        told["pooled"]["confident_surplus_interval"] = interval
    assert page.write(cards).count("the served model is overconfident") == says
