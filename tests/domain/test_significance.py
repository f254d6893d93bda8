"""Tests of rates against published figures and against every table there is."""

import math
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plumbline.domain.calendar import Interval
from plumbline.domain.errors import InvalidInput
from plumbline.domain.performance import Cell, Tally, wilson
from plumbline.domain.significance import (
    benjamini_hochberg,
    difference_interval,
    independent,
    rate_differs,
    trend_over_tiers,
    two_rates_differ,
)

# --- false discoveries -----------------------------------------------------------------------------------------------

# Benjamini & Hochberg 1995, section 4.1: fifteen endpoints of a trial; at 5 % the four smallest are findings.
ENDPOINTS = [
    0.0001,
    0.0004,
    0.0019,
    0.0095,
    0.0201,
    0.0278,
    0.0298,
    0.0344,
    0.0459,
    0.3240,
    0.4262,
    0.5719,
    0.6528,
    0.7590,
    1.0,
]


def test_the_fifteen_endpoints_of_the_original_paper() -> None:
    assert benjamini_hochberg(ENDPOINTS) == [True] * 4 + [False] * 11


def test_the_findings_do_not_depend_on_the_order_of_the_tests() -> None:
    assert benjamini_hochberg(ENDPOINTS[::-1]) == [False] * 11 + [True] * 4


def test_a_p_above_its_own_limit_is_a_finding_where_a_larger_one_is_below_its() -> None:
    # limits 0.0125 0.025 0.0375 0.05: the second fails its own, the fourth passes, so all four are findings
    assert benjamini_hochberg([0.01, 0.03, 0.036, 0.05]) == [True] * 4
    assert benjamini_hochberg([0.01, 0.03, 0.038, 0.051]) == [True, False, False, False]


def test_nothing_compared_finds_nothing() -> None:
    assert benjamini_hochberg([]) == []
    assert benjamini_hochberg([1.0]) == [False]


def test_no_share_of_false_findings_is_allowed_means_none_but_the_impossible() -> None:
    assert benjamini_hochberg([0.0, 1e-9], q=0.0) == [True, False]


# --- one rate --------------------------------------------------------------------------------------------------------


def by_counting(wins: int, n: int, rate: float) -> float:
    chances = [math.comb(n, k) * rate**k * (1 - rate) ** (n - k) for k in range(n + 1)]
    return math.fsum(chance for chance in chances if chance <= chances[wins] * (1 + 1e-7))


def test_mendels_peas() -> None:
    # 682 of 925 against three quarters: Conover 1971, p. 97, as in R's binom.test: 0.3825
    assert rate_differs(682, 925, 0.75) == pytest.approx(0.3825, abs=5e-5)


@pytest.mark.parametrize("rate", [0.05, 0.5, 0.55, 0.7, 0.8])
@pytest.mark.parametrize("n", [1, 2, 7, 20, 33])
def test_a_rate_against_a_line_by_counting_all_that_could_have_come(n: int, rate: float) -> None:
    for wins in range(n + 1):
        assert rate_differs(wins, n, rate) == pytest.approx(by_counting(wins, n, rate), rel=1e-9)


def test_wins_of_dependent_outcomes_are_rounded_toward_what_was_expected() -> None:
    assert rate_differs(8.9, 10, 0.5) == rate_differs(8, 10, 0.5)
    assert rate_differs(1.1, 10, 0.5) == rate_differs(2, 10, 0.5)
    assert rate_differs(5.4, 10, 0.5) == rate_differs(5, 10, 0.5) == pytest.approx(1)


def test_a_rate_of_many_signals_agrees_with_the_normal_distribution() -> None:
    # √(200,000 / 4) is the deviation; half a count less, since counts are whole
    z = 599.5 / math.sqrt(200_000 / 4)
    assert rate_differs(100_600, 200_000, 0.5) == pytest.approx(math.erfc(z / math.sqrt(2)), rel=1e-3)


def test_what_cannot_be_chance_has_no_probability() -> None:
    assert rate_differs(200_000, 200_000, 0.5) == 0
    assert rate_differs(0, 0, 0.5) == 1


@pytest.mark.parametrize(("wins", "n", "rate"), [(5, 4, 0.5), (-1, 4, 0.5), (1, 4, 0.0), (1, 4, 1.0), (1, 4, math.nan)])
def test_impossible_counts_and_certain_rates_are_refused(wins: int, n: int, rate: float) -> None:
    with pytest.raises(InvalidInput):
        rate_differs(wins, n, rate)


# --- two rates -------------------------------------------------------------------------------------------------------


def by_all_splits(wins_a: int, n_a: int, wins_b: int, n_b: int) -> float:
    wins = wins_a + wins_b
    splits = [math.comb(n_a, k) * math.comb(n_b, wins - k) for k in range(min(n_a, wins) + 1) if wins - k <= n_b]
    seen = math.comb(n_a, wins_a) * math.comb(n_b, wins_b)
    return sum(split for split in splits if split <= seen) / sum(splits)


def test_fishers_lady_and_fishers_convicts() -> None:
    assert two_rates_differ(3, 4, 1, 4) == pytest.approx(34 / 70)  # The Design of Experiments, 1935, ch. 2
    # Of 13 identical twins of convicts 10 were convicted, of 17 others 2: JRSS 98:39; two-sided as in R: 0.0005367
    assert two_rates_differ(10, 13, 2, 17) == pytest.approx(0.0005367, abs=5e-8)


def test_two_rates_by_counting_every_split() -> None:
    for n_a, n_b in [(1, 1), (3, 9), (8, 7), (12, 4)]:
        for wins_a, wins_b in product(range(n_a + 1), range(n_b + 1)):
            expected = by_all_splits(wins_a, n_a, wins_b, n_b)
            assert two_rates_differ(wins_a, n_a, wins_b, n_b) == pytest.approx(expected, rel=1e-9)


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 30), st.integers(0, 30))
def test_two_rates_differ_as_much_the_other_way_round(wins_a: int, lost_a: int, wins_b: int, lost_b: int) -> None:
    one = two_rates_differ(wins_a, wins_a + lost_a, wins_b, wins_b + lost_b)
    assert two_rates_differ(wins_b, wins_b + lost_b, wins_a, wins_a + lost_a) == pytest.approx(one, rel=1e-9)
    assert two_rates_differ(lost_a, wins_a + lost_a, lost_b, wins_b + lost_b) == pytest.approx(one, rel=1e-9)
    assert 0 <= one <= 1


def test_fractional_wins_of_two_groups_are_rounded_toward_each_other() -> None:
    assert two_rates_differ(15.9, 20, 4.1, 20) == two_rates_differ(15, 20, 5, 20)


def test_an_empty_group_differs_from_nothing() -> None:
    assert two_rates_differ(0, 0, 5, 9) == two_rates_differ(5, 9, 0, 0) == 1
    assert difference_interval(0, 0, 5, 9) == (-1, 1)


@pytest.mark.parametrize(
    ("table", "low", "high"),
    [  # Newcombe, Statistics in Medicine 17 (1998) 873, table II, method 10
        ((56, 70, 48, 80), 0.0524, 0.3339),
        ((9, 10, 3, 10), 0.1705, 0.8090),
        ((5, 56, 0, 29), -0.0381, 0.1926),
        ((10, 10, 0, 20), 0.6791, 1.0),
    ],
)
def test_intervals_of_differences_agree_with_published_ones(
    table: tuple[int, int, int, int], low: float, high: float
) -> None:
    assert difference_interval(*table) == pytest.approx((low, high), abs=5e-5)


# --- trend -----------------------------------------------------------------------------------------------------------


def test_the_trend_of_smokers_in_four_groups_of_patients() -> None:
    # Fleiss 1981, p. 139, as in R's prop.trend.test: chi² 8.2249, p 0.004132 two-sided; the rates fall
    found = trend_over_tiers([83, 90, 129, 70], [86, 93, 136, 82])
    assert found == pytest.approx(0.004132 / 2, abs=5e-7)
    assert trend_over_tiers([70, 129, 90, 83], [82, 136, 93, 86]) == pytest.approx(1 - found)


def test_two_tiers_have_the_trend_of_the_pooled_test_of_two_rates() -> None:
    # z = (0.7 − 0.5) / √(0.6 · 0.4 · (1/50 + 1/50)) = 2.0412
    assert trend_over_tiers([35, 25], [50, 50]) == pytest.approx(math.erfc(2.0412415 / math.sqrt(2)) / 2)


def test_an_empty_tier_keeps_its_place_in_the_order() -> None:
    assert trend_over_tiers([35, 0, 25], [50, 0, 50]) == trend_over_tiers([35, 25], [50, 50])
    with_gap, without = ([35, 30, 0, 20], [50, 50, 0, 50]), ([35, 30, 20], [50, 50, 50])
    assert trend_over_tiers(*with_gap) != trend_over_tiers(*without)


@pytest.mark.parametrize(("wins", "n"), [([], []), ([0, 0], [0, 0]), ([5], [9]), ([5, 0], [9, 0]), ([9, 4], [9, 4])])
def test_where_there_is_nothing_to_compare_no_trend_is_found(wins: list[float], n: list[int]) -> None:
    assert trend_over_tiers(wins, n) == 1


def test_tiers_without_their_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        trend_over_tiers([1, 2], [3])
    with pytest.raises(InvalidInput, match="4 wins of 3"):
        trend_over_tiers([4], [3])


# --- what is independent ---------------------------------------------------------------------------------------------


def test_a_cell_pooled_over_intervals_counts_its_signals_at_its_own_rate() -> None:
    cell = Cell(50, {Interval.H1: Tally(wins=10, neutral=40), Interval.H4: Tally(wins=30, losses=10)})
    assert independent(cell) == pytest.approx((40 * 50 / 90, 50))
    assert independent(Cell(3)) == (0, 0)


@given(st.integers(1, 400), st.data())
def test_a_small_p_and_an_interval_beyond_the_line_go_together(n: int, data: st.DataObject) -> None:
    """Both say the same of large samples; of small ones the exact test is the stricter. Neither contradicts."""
    wins = data.draw(st.integers(0, n))
    low, high = wilson(wins / n, n)
    if rate_differs(wins, n, 0.6) < 0.02:
        assert not low <= 0.6 <= high
