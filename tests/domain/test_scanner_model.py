"""The model scanner: when the policy's choice is likely enough and worth its costs, by hand on both sides."""

from dataclasses import replace

import numpy as np
import pytest

from plumbline.domain.scanners import SCANNERS
from plumbline.domain.scanners.model import hesitation
from tests.builders import a_configuration, a_scene

MODEL = SCANNERS["model"]
NAN = float("nan")
COSTLY = {"fee_bps": 10.0, "slippage_bps": 5.0}
"""A round trip of 30 basis points: 0.003 of the price."""


def vote(hold: float, buy: float, sell: float, *, atr: float = 2.0, **settings: float) -> float:
    scene = a_scene([[hold, buy, sell]], close=100.0, atr=atr)
    return float(MODEL.votes(a_configuration(**settings), scene)["policy"].item())


@pytest.mark.parametrize(
    ("chances", "expected"),
    [
        ((0.20, 0.65, 0.15), 0.65),  # exactly the threshold acts
        ((0.20, 0.15, 0.65), -0.65),
        ((0.2001, 0.6499, 0.15), 0),
        ((0.2001, 0.15, 0.6499), 0),
        ((0.02, 0.95, 0.03), 0.95),
        ((0.90, 0.08, 0.02), 0),
        ((NAN, NAN, NAN), NAN),
    ],
)
def test_the_policy_acts_from_its_threshold(chances: tuple[float, float, float], expected: float) -> None:
    assert vote(*chances) == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize("chances", [(0.5, 0.4, 0.1), (0.5, 0.1, 0.4), (0.45, 0.45, 0.10), (0.45, 0.10, 0.45)])
def test_a_policy_that_would_rather_hold_or_cannot_choose_never_acts(chances: tuple[float, float, float]) -> None:
    assert vote(*chances, confidence_threshold=0.1, min_expected_value=-1.0) == 0


def test_a_policy_that_says_as_much_for_one_side_as_for_the_other_never_acts() -> None:
    assert vote(0.1, 0.45, 0.45, confidence_threshold=0.1) == 0


@pytest.mark.parametrize(
    ("atr", "expected"),
    [
        # 0.65 × 1.5 − 0.35 = 0.625 of the risk before costs; a round trip costs 0.003 of the price,
        (0.25, 0.65),  # the risk is 0.005 of it: 0.625 − 0.6 = +0.025
        (0.23, 0),  # 0.0046 of it: 0.625 − 0.652 = −0.027
        (0.0, 0),
        (NAN, 0),
    ],
)
def test_a_trade_that_costs_more_than_it_is_expected_to_earn_is_left(atr: float, expected: float) -> None:
    assert vote(0.2, 0.65, 0.15, atr=atr, **COSTLY) == expected
    assert vote(0.2, 0.15, 0.65, atr=atr, **COSTLY) == -expected


@pytest.mark.parametrize(("least", "acts"), [(0.024, True), (0.026, False)])
def test_it_must_be_expected_to_earn_more_than_the_least_that_is_configured(least: float, acts: bool) -> None:
    assert (vote(0.2, 0.65, 0.15, atr=0.25, min_expected_value=least, **COSTLY) > 0) is acts


@pytest.mark.parametrize(("costs", "acts"), [((0.0, 0.0), True), ((10.4, 0.0), True), ((10.6, 0.0), False)])
def test_fees_and_slippage_are_paid_on_both_sides(costs: tuple[float, float], acts: bool) -> None:
    # 0.625 of a risk of 0.0033 is 0.0020667 of the price: 10.3 basis points a side and a little more.
    fee, slippage = costs
    expected = 0.625 - 2 * (fee + slippage) / 10_000 / 0.00333
    assert (expected > 0) is acts
    assert (vote(0.2, 0.65, 0.15, atr=0.1665, fee_bps=fee, slippage_bps=slippage) > 0) is acts
    assert (vote(0.2, 0.65, 0.15, atr=0.1665, fee_bps=slippage, slippage_bps=fee) > 0) is acts


def test_a_farther_target_is_worth_more() -> None:
    near = vote(0.3, 0.65, 0.05, tp_threshold=1.0, sl_threshold=2.0)  # 0.65 × 0.5 − 0.35 = −0.025 before costs
    far = vote(0.3, 0.65, 0.05, tp_threshold=2.0, sl_threshold=2.0)  # 0.65 × 1.0 − 0.35 = +0.3
    assert (near, far) == (0, 0.65)


def test_without_a_policy_the_scanner_is_silent_everywhere() -> None:
    votes = MODEL.votes(a_configuration(), a_scene(close=[100, 101, 102], atr=1.0))["policy"]
    assert votes.shape == (3, 1)
    assert np.isnan(votes).all()


def test_what_the_policy_said_is_told_with_what_it_is_worth() -> None:
    scene = a_scene([[0.2, 0.15, 0.65]], close=100.0, atr=0.25)
    told = MODEL.tell(a_configuration(**COSTLY), scene, {"policy": -0.65})
    assert told == {"policy": "policy: HOLD 0.20, BUY 0.15, SELL 0.65; expected +0.03 of the risk after costs"}


def test_a_policy_that_said_nothing_is_not_told() -> None:
    assert MODEL.tell(a_configuration(), a_scene(close=100.0), {}) == {}
    assert MODEL.tell(a_configuration(), a_scene([[0.9, 0.05, 0.05]], close=100.0), {}) == {}


def test_a_policy_without_an_edge_by_its_own_card_watches_and_never_acts() -> None:
    configuration, scene = a_configuration(), a_scene([[0.1, 0.8, 0.1]], close=100.0, atr=2.0)
    idle = replace(scene, has_edge=False)
    assert MODEL.votes(configuration, scene)["policy"].item() == 0.8
    assert MODEL.votes(configuration, idle)["policy"].item() == 0
    assert idle.part(slice(0, 1), slice(0, 1)).has_edge is False
    assert hesitation(configuration, scene) == ""
    assert hesitation(configuration, idle) == (
        "policy: BUY is likeliest (0.80), but by its own card it has no edge: it only watches"
    )
