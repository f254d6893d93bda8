import math
from dataclasses import replace

import numpy as np
import pytest

from plumbline.domain.calendar import Timeframe
from plumbline.domain.candles import Floats, Ints
from plumbline.domain.drift import (
    Decided,
    ModelReport,
    brier,
    calibration_error,
    keeps_no_promise,
    log_losses,
    mean_interval,
    parts,
    psi,
    student,
)
from plumbline.domain.policy import ModelFacts

HALVES = ((0.0,), (0.5, 0.5))
FACTS = ModelFacts(
    name="fake",
    version="1",
    hash="f" * 64,
    market="simulated",
    timeframe=Timeframe.H1,
    stop_atr=2.0,
    target_atr=3.0,
    prior=(0.4, 0.3, 0.3),
    spread={"rsi": HALVES},
    card={},
)


def chances(*rows: tuple[float, float, float]) -> Floats:
    return np.array(rows)


def labels(*values: int) -> Ints:
    return np.array(values, dtype=np.int64)


def decided(probabilities: Floats, came: Ints, block: Ints, threshold: float = 0.65) -> Decided:
    return Decided(probabilities, came, probabilities[:, 1:].max(axis=1) >= threshold, block)


def report(examples: Decided, **drift: float) -> ModelReport:
    return ModelReport.of("2026-11-20", 30, FACTS, ["BTC/USDT"], drift or {"rsi": 0.0}, examples)


# --- drift -----------------------------------------------------------------------------------------------------------


def test_a_value_on_an_edge_belongs_to_the_part_above_it() -> None:
    spread = ((-1.0, 0.0, 1.0), (0.25,) * 4)
    assert parts(spread, np.array([-5, -1, -0.5, 0, 0.5, 1, 9], np.float32)).tolist() == [1, 2, 2, 2]
    assert parts(spread, np.array([])).tolist() == [0, 0, 0, 0]


def test_psi_of_a_market_that_moved_from_halves_to_quarters() -> None:
    # (0.25 − 0.5) · ln(0.25 / 0.5) + (0.75 − 0.5) · ln(0.75 / 0.5) = 0.25 · 0.693147 + 0.25 · 0.405465
    assert psi(HALVES, np.array([25, 75])) == pytest.approx(0.274653, abs=1e-6)
    assert psi(HALVES, np.array([75, 25])) == pytest.approx(0.274653, abs=1e-6)


def test_psi_of_the_same_shares_is_nothing_whatever_their_number() -> None:
    assert psi(((0.0,), (0.2, 0.8)), np.array([20_000, 80_000])) == pytest.approx(0, abs=1e-12)


def test_an_empty_part_counts_as_a_ten_thousandth() -> None:
    # (0.0001 − 0.1) · ln(0.001) + (1 − 0.9) · ln(1 / 0.9) = 0.690085 + 0.010536
    assert psi(((0.0,), (0.1, 0.9)), np.array([0, 10])) == pytest.approx(0.700621, abs=1e-6)
    assert psi(((0.0,), (0.0, 1.0)), np.array([0, 10])) == 0


def test_the_drift_of_a_report_is_the_mean_over_its_features() -> None:
    examples = decided(chances((0.4, 0.3, 0.3)), labels(0), labels(0))
    assert report(examples, rsi=0.1, macd=0.35, trend=0.15).drift == pytest.approx(0.2)


# --- scores ----------------------------------------------------------------------------------------------------------


def test_log_loss_is_that_of_what_came() -> None:
    losses = log_losses(chances((0.5, 0.3, 0.2), (0.25, 0.5, 0.25)), labels(0, 2))
    assert losses.tolist() == pytest.approx([math.log(2), math.log(4)])


def test_what_was_called_impossible_and_came_costs_what_half_the_last_decimal_would() -> None:
    assert log_losses(chances((1, 0, 0)), labels(1)).tolist() == pytest.approx([9.903488])


def test_brier_adds_the_three_squares() -> None:
    # 0.5² + 0.3² + 0.2² = 0.38; 0² + 1² + 1² = 2
    assert brier(chances((0.5, 0.3, 0.2)), labels(0)) == pytest.approx(0.38)
    assert brier(chances((0, 1, 0)), labels(2)) == pytest.approx(2)
    assert brier(chances((0.5, 0.3, 0.2), (0, 1, 0)), labels(0, 2)) == pytest.approx(1.19)


def test_calibration_error_weighs_each_bins_miss_by_its_number() -> None:
    # 0.6 twice, came once: off by 0.1. 0.2 twice, never came: off by 0.2. HOLD does not count.
    said = chances((0.2, 0.6, 0.2), (0.2, 0.6, 0.2))
    assert calibration_error(said, labels(1, 0)) == pytest.approx((2 * 0.1 + 2 * 0.2) / 4)


def test_misses_in_one_bin_cancel_and_in_two_bins_do_not() -> None:
    assert calibration_error(chances((0, 0.5, 0.5)), labels(1)) == pytest.approx(0)
    assert calibration_error(chances((0, 0.75, 0.25)), labels(1)) == pytest.approx(0.25)
    assert calibration_error(chances((0, 1, 0)), labels(1)) == pytest.approx(0)


def test_skill_is_what_the_model_saves_on_the_frequencies_of_its_training() -> None:
    found = report(decided(chances((0.2, 0.6, 0.2)), labels(1), labels(0)))
    assert found.log_loss == pytest.approx(-math.log(0.6), abs=1e-6)
    assert found.prior_log_loss == pytest.approx(-math.log(0.3), abs=1e-6)
    assert found.skill == pytest.approx(math.log(2), abs=1e-6)


def test_signals_are_counted_with_their_hits_and_what_was_stated() -> None:
    said = chances((0.1, 0.7, 0.2), (0.1, 0.1, 0.8), (0.2, 0.75, 0.05), (0.5, 0.3, 0.2))
    found = report(decided(said, labels(1, 2, 2, 0), labels(0, 0, 1, 1)))
    assert (found.examples, found.acted, found.hits) == (4, 3, 2)
    assert found.stated == pytest.approx((0.7 + 0.8 + 0.75) / 3, abs=1e-6)


def test_a_model_that_never_acts_says_so_and_keeps_its_place() -> None:
    found = report(decided(np.tile((0.4, 0.3, 0.3), (100, 1)), np.arange(100) % 3, np.arange(100)))
    assert (found.acted, found.hits, found.stated) == (0, 0, 0.0)
    assert (found.skill, found.skill_low, found.skill_high) == (0, 0, 0)
    assert found.earns_its_place


# --- intervals -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("degrees", "quantile"), [(6, 2.4469), (7, 2.3646), (29, 2.0452), (100, 1.9840)])
def test_students_quantile_is_that_of_the_tables(degrees: int, quantile: float) -> None:
    assert student(degrees) == pytest.approx(quantile, abs=1.5e-3)


def test_blocks_that_go_up_and_down_in_turns_leave_a_narrow_interval() -> None:
    # e = ±1: Σ e² = 8, Σ e·e′ = −7, so v = 8/7 · 1 / 64
    mean, low, high = mean_interval(np.array([1.0, -1] * 4), np.arange(8))
    assert mean == 0
    assert high == pytest.approx(student(7) * math.sqrt(1 / 56))
    assert low == -high


def test_blocks_that_hold_on_widen_it() -> None:
    # Σ e² = 8, Σ e·e′ = 3 − 1 + 3, so v = 8/7 · 13 / 64
    _, _, high = mean_interval(np.array([1.0] * 4 + [-1] * 4), np.arange(8))
    assert high == pytest.approx(student(7) * math.sqrt(13 / 56))


def test_many_values_of_one_block_are_no_more_than_one_observation() -> None:
    values, block = np.array([1.0, -1] * 4), np.arange(8)
    assert mean_interval(np.repeat(values, 50), np.repeat(block, 50)) == pytest.approx(mean_interval(values, block))


def test_larger_blocks_count_for_more() -> None:
    # sums 3, 0, 0, 0, 0, 0, 0 over sizes 3, 1, 1, 1, 1, 1, 1: mean 1/3; e = 2, then −1/3 six times
    mean, _, high = mean_interval(np.array([1.0] * 3 + [0] * 6), labels(0, 0, 0, 1, 2, 3, 4, 5, 6))
    assert mean == pytest.approx(1 / 3)
    variance = 7 / 6 * (4 + 6 / 9 - 2 / 3 + 5 / 9) / 81
    assert high - mean == pytest.approx(student(6) * math.sqrt(variance))


def test_of_a_few_days_nothing_can_be_said() -> None:
    mean, low, high = mean_interval(np.full(600, -0.5), np.arange(600) // 100)
    assert mean == -0.5
    assert (low, high) == pytest.approx((-9.903488, 9.903488))


def test_the_interval_holds_the_truth_as_often_as_it_says_where_days_depend_on_their_neighbours() -> None:
    random, held = np.random.default_rng(1), 0
    block = np.repeat(np.arange(30), 24)
    for _ in range(400):
        hours = np.convolve(random.normal(size=31 * 24), np.ones(24) / 24, mode="valid")[: 30 * 24]
        _, low, high = mean_interval(hours + 1, block)
        held += low <= 1 <= high
    assert 0.9 <= held / 400 <= 0.98


# --- a place earned or lost ------------------------------------------------------------------------------------------


def test_a_model_that_certainly_knows_less_than_its_frequencies_loses_its_place() -> None:
    came = np.arange(300) % 3
    wrong = np.where(np.eye(3)[(came + 1) % 3] > 0, 0.6, 0.2)
    found = report(decided(wrong, came, np.arange(300) // 10))
    assert found.skill_high < 0
    assert found.acted == 0
    assert not found.earns_its_place


def test_a_loss_that_may_be_an_accident_costs_no_place() -> None:
    came = np.arange(300) % 3
    wrong = np.where(np.eye(3)[(came + 1) % 3] > 0, 0.6, 0.2)
    found = report(decided(wrong, came, np.arange(300) // 60))
    assert found.skill < 0 < found.skill_high
    assert found.earns_its_place


def signals(count: int, hits: int, stated: float, blocks: int) -> tuple[Floats, np.ndarray, Ints]:
    hit = np.arange(count) * hits % count < hits
    return np.full(count, stated), hit, np.arange(count) * blocks // count


def test_signals_that_hit_less_often_than_was_stated_cost_the_place() -> None:
    assert keeps_no_promise(*signals(200, 90, 0.7, blocks=20))
    assert not keeps_no_promise(*signals(200, 140, 0.7, blocks=20))


def test_more_hits_than_were_stated_are_no_fault() -> None:
    assert not keeps_no_promise(*signals(200, 190, 0.7, blocks=20))


def test_from_thirty_signals_on_hits_are_held_against_a_model() -> None:
    assert keeps_no_promise(*signals(30, 0, 0.7, blocks=10))
    assert not keeps_no_promise(*signals(29, 0, 0.7, blocks=10))


def test_many_signals_of_a_few_moves_of_the_market_prove_nothing() -> None:
    assert not keeps_no_promise(*signals(200, 90, 0.7, blocks=3))
    stated, _, block = signals(200, 90, 0.7, blocks=20)
    in_turns = block % 2 == 0
    assert keeps_no_promise(stated, in_turns, block)
    in_one_stretch = block < 10
    assert not keeps_no_promise(stated, in_one_stretch, block)


def test_a_shortfall_that_so_few_signals_cannot_show_is_none_however_evenly_it_is_spread() -> None:
    # 18 of 30: Wilson's interval reaches up to 0.75
    assert not keeps_no_promise(*signals(30, 18, 0.7, blocks=10))
    assert keeps_no_promise(*signals(300, 180, 0.7, blocks=10))


def test_parts_of_a_report_are_put_together_in_order() -> None:
    one = decided(chances((0.1, 0.7, 0.2)), labels(1), labels(5))
    other = replace(one, labels=labels(2), block=labels(4))
    both = Decided.together([one, other])
    assert (len(both), both.labels.tolist(), both.block.tolist(), both.acted.tolist()) == (
        2,
        [1, 2],
        [5, 4],
        [True] * 2,
    )
