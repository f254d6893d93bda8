"""Figures by hand, and intervals that hold what they promise."""

import numpy as np
import pytest

from layers.model.training import scores
from layers.model.training.scores import LEAST_WEEKS, Trades
from plumbline.domain.calendar import DAY, HOUR
from plumbline.domain.drift import brier, calibration_error

GIVEN = np.array([[0.5, 0.3, 0.2], [0.1, 0.8, 0.1], [0.2, 0.1, 0.7], [0.2, 0.7, 0.1]])
CAME = np.array([0, 1, 2, 0])


def trades(**changes: np.ndarray) -> Trades:
    n = len(CAME)
    usual = {
        "time": np.arange(n) * HOUR,
        "market": np.zeros(n, dtype=np.int64),
        "label": CAME,
        "net": np.array([[-1.1, -1.1], [1.4, -1.1], [-1.1, 1.4], [-1.1, -0.2]]),
        "held": np.full((n, 2), 2),
    }
    return Trades(**(usual | changes))


def test_log_loss_is_what_was_given_to_what_came() -> None:
    assert scores.log_losses(GIVEN, CAME) == pytest.approx(-np.log([0.5, 0.8, 0.7, 0.2]))


def test_a_certainty_that_was_wrong_costs_much_but_not_everything() -> None:
    assert np.isfinite(scores.log_losses(np.array([[1.0, 0.0, 0.0]]), np.array([1]))).all()


def test_losses_of_direction_and_of_movement_add_up() -> None:
    random = np.random.default_rng(1)
    given, came = random.dirichlet([2, 1, 1], 200), random.integers(0, 3, 200)
    moves = np.stack((given[:, 0], given[:, 1:].sum(axis=1)), axis=1)
    whole = scores.log_losses(moves, (came > 0).astype(np.int64)) + scores.direction_losses(given, came)
    np.testing.assert_allclose(whole, scores.log_losses(given, came))


def test_brier_is_the_squared_distance_from_what_came() -> None:
    by_hand = [0.25 + 0.09 + 0.04, 0.01 + 0.04 + 0.01, 0.04 + 0.01 + 0.09, 0.64 + 0.49 + 0.01]
    assert brier(GIVEN, CAME) == pytest.approx(sum(by_hand) / 4)


def test_reliability_counts_buy_and_sell_by_tenths() -> None:
    rows = scores.reliability(GIVEN, CAME)
    # Of BUY and SELL: .1 three times with no hit, .2 and .3 once, .7 twice with one hit, .8 once with a hit.
    assert [(n, came) for n, _, came in rows] == [(3, 0.0), (1, 0.0), (1, 0.0), (2, 0.5), (1, 1.0)]
    assert [said for _, said, _ in rows] == pytest.approx([0.1, 0.2, 0.3, 0.7, 0.8])


def test_the_calibration_error_is_the_weighted_distance() -> None:
    by_hand = (3 * 0.1 + 0.2 + 0.3 + 2 * 0.2 + 0.2) / 8
    assert calibration_error(GIVEN, CAME) == pytest.approx(by_hand)


def test_of_the_confident_answers_it_is_told_how_often_they_came() -> None:
    # From .4: BUY of .8 and SELL of .7, which came, and BUY of .7, which did not.
    figures = scores.of_confident(GIVEN, trades())
    assert figures["confident_n"] == 3
    assert figures["confident_said"] == pytest.approx(2.2 / 3, abs=1e-4)
    assert figures["confident_came"] == pytest.approx(2 / 3, abs=1e-4)
    assert figures["confident_surplus"] == pytest.approx(-0.2 / 3, abs=1e-4)
    assert figures["confident_surplus_interval"] is None


def test_both_directions_of_one_candle_may_be_confident() -> None:
    given = np.tile([0.1, 0.5, 0.4], (4, 1))
    figures = scores.of_confident(given, trades())
    assert (figures["confident_n"], figures["confident_came"]) == (8, 0.25)


def test_overconfidence_is_beyond_chance_where_weeks_agree() -> None:
    n = LEAST_WEEKS * 7 * 24
    came = (np.arange(n) % 5 < 2).astype(np.int64)
    long_enough = trades(time=np.arange(n) * HOUR, label=came)
    interval = scores.of_confident(np.tile([0.3, 0.6, 0.1], (n, 1)), long_enough)["confident_surplus_interval"]
    assert isinstance(interval, list)
    assert -0.22 < interval[0] < interval[1] < -0.18


def test_the_interval_of_a_hit_rate_is_drawn_by_weeks() -> None:
    """Weeks in which all hit or all miss: twenty observations, not thousands."""
    n = 20 * 7 * 24
    time = np.arange(n) * HOUR
    label = np.repeat(np.arange(20) % 2, 7 * 24)
    some = trades(time=time, market=np.zeros(n), label=label, net=np.zeros((n, 2)), held=np.ones((n, 2)))
    figures = scores.of_trades(np.ones(n, dtype=np.int64), some, HOUR)
    interval = figures["hit_interval"]
    assert isinstance(interval, list)
    assert interval[0] < 0.35
    assert interval[1] > 0.65


def test_the_action_is_taken_as_the_service_takes_it() -> None:
    given = np.array([[0.2, 0.65, 0.15], [0.2, 0.6499, 0.15], [0.2, 0.64996, 0.15], [0.66, 0.2, 0.14]])
    assert scores.chosen(given).tolist() == [1, 0, 1, 0]


def test_a_signal_while_a_trade_is_open_is_not_taken() -> None:
    action = np.array([1, 1, 1, 1])
    assert scores.one_at_a_time(action, trades(), HOUR).tolist() == [0, 2]


def test_each_market_has_its_own_open_trade() -> None:
    action = np.array([1, 1, 1, 1])
    some = trades(market=np.array([0, 1, 0, 1]))
    assert scores.one_at_a_time(action, some, HOUR).tolist() == [0, 1, 2, 3]


def test_the_figures_of_trades_are_those_counted_by_hand() -> None:
    figures = scores.of_trades(scores.chosen(GIVEN), trades(), HOUR)
    assert (figures["n"], figures["hits"], figures["hit_rate"]) == (3, 2, 0.6667)
    assert figures["expectancy_r"] == pytest.approx((1.4 + 1.4 - 1.1) / 3, abs=1e-4)
    # The SELL of hour 2 meets the BUY of hour 1, which is open until hour 3.
    assert (figures["one_at_a_time_n"], figures["one_at_a_time_r"]) == (2, pytest.approx(0.15))


def test_no_signals_are_no_figures() -> None:
    figures = scores.of_trades(np.zeros(4, dtype=np.int64), trades(), HOUR)
    assert (figures["n"], figures["hit_rate"], figures["expectancy_r"], figures["hit_interval"]) == (
        0,
        None,
        None,
        None,
    )


def test_the_prior_gains_nothing_on_itself() -> None:
    prior = np.tile([0.4, 0.3, 0.3], (4, 1))
    assert scores.of_probabilities(prior, prior, trades(), HOUR)["log_loss_gain"] == 0


def test_the_block_interval_holds_the_truth_as_often_as_it_says() -> None:
    """Hourly values that keep a day's mood: an interval for independent values would be far too narrow."""
    held = plain = 0
    for seed in range(200):
        random = np.random.default_rng(seed)
        mood = np.repeat(random.normal(size=40 * 7), 24)
        values, time = mood + random.normal(size=len(mood)), np.arange(len(mood)) * HOUR
        low, high = scores.block_interval(values, time) or (0.0, 0.0)
        error = 1.96 * values.std() / np.sqrt(len(values))
        held += low <= 0 <= high
        plain += abs(values.mean()) <= error
    assert 180 <= held <= 200
    assert plain < 120


def test_all_markets_of_one_time_are_drawn_together() -> None:
    """The same values of eight markets say nothing more than those of one."""
    time = np.arange(20 * 7) * DAY
    values = np.random.default_rng(1).normal(size=len(time))
    assert scores.block_interval(np.tile(values, 8), np.tile(time, 8)) == pytest.approx(
        scores.block_interval(values, time)
    )


def test_under_ten_weeks_there_is_no_interval() -> None:
    assert scores.block_interval(np.ones(5), np.arange(5) * HOUR) is None
    weeks = np.arange(LEAST_WEEKS) * 7 * DAY
    assert scores.block_interval(np.ones(LEAST_WEEKS - 1), weeks[:-1]) is None
    assert scores.block_interval(np.ones(LEAST_WEEKS), weeks) == (1.0, 1.0)
    assert LEAST_WEEKS == 10
