"""What a comparison claims: which interval must lie where, at the number of independent signals."""

import pytest

from plumbline.domain.calendar import Interval
from plumbline.domain.claims import Sample, at_least, at_most, beats, loses, within
from plumbline.domain.performance import Cell, Tally, statistics, wilson
from plumbline.domain.significance import difference_interval, rate_differs, two_rates_differ


def sample(wins: int, n: int, intervals: int = 1) -> Sample:
    """`n` signals, of which the same ones win at each interval."""
    tally = Tally(due=n, wins=wins, neutral=n - wins)
    return Sample.of("mss", Cell(n, {interval: tally for interval, _ in zip(Interval, range(intervals), strict=False)}))


def test_a_sample_has_the_rate_of_its_outcomes_and_the_interval_of_its_signals() -> None:
    pooled = sample(80, 100, intervals=5)
    low, high = wilson(0.8, 100)
    assert (pooled.rate, pooled.wins, pooled.n) == (80, 80, 100)
    assert (pooled.low, pooled.high) == (100 * low, 100 * high)
    assert str(pooled) == "80.0 % of 500 outcomes won (95 %: 71.1–86.7, 100 signals)"


def test_the_figures_are_those_of_the_statistics_where_they_are_defined() -> None:
    one = sample(80, 100)
    assert one.figures == {
        name: statistics(one.cell)[name]
        for name in ("win_rate", "win_rate_low", "win_rate_high", "outcomes_checked", "independent_n", "avg_pnl_pct")
    }


@pytest.mark.parametrize(("wins", "above", "below"), [(71, False, False), (78, False, False), (79, True, False)])
def test_a_rate_is_at_least_a_line_where_its_interval_begins_beyond_it(wins: int, above: bool, below: bool) -> None:
    one = sample(wins, 100)  # 78: from 68.9; 79: from 70.01
    assert at_least(one, 70).supported is above
    assert at_most(one, 70).supported is below
    assert at_least(one, 70).p == at_most(one, 70).p == rate_differs(wins, 100, 0.7)
    assert at_least(one, 70).figures == {**one.figures, "line": 70, "p_value": at_least(one, 70).p}


@pytest.mark.parametrize(("wins", "supported"), [(60, False), (61, False), (49, True), (50, True), (51, False)])
def test_a_rate_is_at_most_a_line_where_its_interval_ends_before_it(wins: int, supported: bool) -> None:
    assert at_most(sample(wins, 100), 60).supported is supported  # 50: to 59.6; 51: to 60.6


def test_a_rate_lies_within_two_lines_where_its_interval_does_and_the_larger_p_counts() -> None:
    assert within(sample(76, 1000), 60, 80).supported is False
    assert within(sample(900, 1000), 60, 80).supported is False
    found = within(sample(770, 1000), 60, 80)
    assert found.supported
    assert found.p == found.figures["p_value"] == rate_differs(770, 1000, 0.8) > rate_differs(770, 1000, 0.6)
    assert (found.figures["line"], found.figures["upper_line"]) == (60, 80)


def test_one_rate_beats_another_where_the_interval_of_the_difference_is_above_zero() -> None:
    better, worse = sample(56, 70), sample(48, 80)
    low, high = difference_interval(56, 70, 48, 80)
    up, down, wrong = beats(better, worse), loses(worse, better), beats(worse, better)
    assert (up.supported, down.supported, wrong.supported) == (True, True, False)
    assert (up.p, down.p) == pytest.approx((two_rates_differ(56, 70, 48, 80),) * 2)
    assert (up.figures["difference_low"], up.figures["difference_high"]) == pytest.approx((100 * low, 100 * high), 1e-4)
    assert (down.figures["difference_low"], down.figures["difference_high"]) == pytest.approx(
        (-100 * high, -100 * low), 1e-4
    )
    assert (up.figures["win_rate"], up.figures["other_win_rate"], up.figures["other_independent_n"]) == (80, 60, 80)
    assert loses(better, worse).supported is False


def test_rates_that_are_close_beat_nothing() -> None:
    assert not beats(sample(52, 100), sample(50, 100)).supported
    assert not loses(sample(50, 100), sample(52, 100)).supported
