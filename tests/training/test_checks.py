"""A release is stopped by what it must be stopped by, and no edge is claimed that chance explains."""

from typing import Any

import pytest

from layers.model.training import checks
from layers.model.training.walkforward import Judged

FOUND = {
    "examples": 10_000,
    "log_loss_gain": 0.05,
    "direction_gain_interval": [0.03, 0.07],
    "ece": 0.01,
    "n": 500,
    "hit_rate": 0.7,
    "one_at_a_time_n": 100,
    "one_at_a_time_interval": [0.1, 0.5],
    "confident_surplus_interval": [-0.06, -0.01],
}
NOTHING = FOUND | {
    "log_loss_gain": 0.0,
    "direction_gain_interval": [-0.002, 0.001],
    "n": 0,
    "hit_rate": None,
    "one_at_a_time_n": 0,
    "one_at_a_time_interval": None,
}


def judged(**changes: Any) -> Judged:
    return Judged([], {"action_probs": FOUND | changes}, {}, [], [])


def failed(gates: list[checks.Gate]) -> list[str]:
    return [gate.name for gate in gates if not gate.passed]


def test_controls_that_behave_pass() -> None:
    assert not failed(checks.of_controls(judged(), judged(**NOTHING)))


@pytest.mark.parametrize(
    ("positive", "negative", "gate"),
    [
        ({"log_loss_gain": 0.019}, {}, "positive control: log-loss"),
        ({"n": 99}, {}, "positive control: signals"),
        ({"hit_rate": 0.59}, {}, "positive control: their hit rate"),
        ({"hit_rate": 0.81}, {}, "positive control: their hit rate"),
        ({"n": 0, "hit_rate": None}, {}, "positive control: their hit rate"),
        ({}, {"n": 11, "hit_rate": 0.9}, "negative control: share"),
        ({}, {"log_loss_gain": -0.011}, "negative control: log-loss"),
        ({}, {"direction_gain_interval": [0.001, 0.004]}, "negative control: least gain of direction"),
        ({}, {"direction_gain_interval": None}, "negative control: least gain of direction"),
    ],
)
def test_a_control_that_misbehaves_stops_the_release(
    positive: dict[str, Any], negative: dict[str, Any], gate: str
) -> None:
    names = failed(checks.of_controls(judged(**positive), judged(**(NOTHING | negative))))
    assert any(name.startswith(gate) for name in names), names


@pytest.mark.parametrize("changes", [{"ece": 0.051}, {"log_loss_gain": -0.011}])
def test_a_policy_that_deceives_its_own_market_is_not_shipped(changes: dict[str, Any]) -> None:
    assert failed(checks.of_market(judged(**changes)))


@pytest.mark.parametrize(
    "changes",
    [
        NOTHING,
        {"direction_gain_interval": [-0.001, 0.07]},
        {"one_at_a_time_interval": [-0.1, 0.9]},
        {"one_at_a_time_n": 29},
        {"direction_gain_interval": None},
        {"one_at_a_time_interval": None},
    ],
)
def test_what_chance_explains_is_no_edge(changes: dict[str, Any]) -> None:
    assert checks.verdict(FOUND | changes) == "no edge"


@pytest.mark.parametrize("surplus", [[-0.2, -0.051], None])
def test_who_says_more_than_comes_has_no_edge_whatever_it_earned(surplus: list[float] | None) -> None:
    assert checks.verdict(FOUND | {"confident_surplus_interval": surplus}) == "no edge"


def test_an_edge_is_better_than_nothing_beyond_chance_twice() -> None:
    assert checks.verdict(FOUND) == "edge"
