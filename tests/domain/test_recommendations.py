"""The rules of the recommendations: each with its edges, and what makes one significant."""

from collections.abc import Mapping
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plumbline.domain.calendar import Interval
from plumbline.domain.performance import Cell, Tally, merge
from plumbline.domain.recommendations import (
    Category,
    Priority,
    Recommendation,
    Standing,
    recommend,
    tier_trend,
)
from plumbline.domain.signals import Tier

TIER_1, TIER_2, TIER_3, TIER_4 = Tier


def cell(wins: int, n: int, interval: Interval = Interval.H24, win_pct: int = 6, other_pct: int = -2) -> Cell:
    """`n` signals with one outcome each; what did not win is neutral."""
    earned, lost = Decimal(win_pct * wins), Decimal(other_pct * (n - wins))
    return Cell(n, {interval: Tally(due=n, wins=wins, neutral=n - wins, pnl=earned + lost, pnl_wins=earned)})


def standing(
    overall: Cell | None = None,
    scanners: Mapping[str, Cell] | None = None,
    tiers: Mapping[str, Cell] | None = None,
    intervals: Mapping[Interval, Cell] | None = None,
) -> Standing:
    """Only what is named has outcomes, but for the whole, which is good enough for no rule but its own."""
    return Standing(
        overall=overall or cell(60, 100), scanners=scanners or {}, tiers=tiers or {}, intervals=intervals or {}
    )


def about(category: Category, found: list[Recommendation]) -> list[Recommendation]:
    return [one for one in found if one.category is category]


def only(category: Category, found: list[Recommendation]) -> Recommendation:
    (one,) = about(category, found)
    return one


# --- the whole -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wins", "n", "priority", "word"),
    [
        (100, 100, Priority.HIGH, "Excellent"),
        (70, 100, Priority.HIGH, "Excellent"),
        (14, 20, Priority.HIGH, "Excellent"),
        (699_999, 1_000_000, Priority.MEDIUM, "Good"),
        (55, 100, Priority.MEDIUM, "Good"),
        (11, 20, Priority.MEDIUM, "Good"),
        (549_999, 1_000_000, Priority.URGENT, "Needs work"),
        (0, 20, Priority.URGENT, "Needs work"),
    ],
)
def test_the_overall_win_rate_from_seventy_and_from_fifty_five(
    wins: int, n: int, priority: Priority, word: str
) -> None:
    (found,) = recommend(standing(cell(wins, n)))
    assert (found.priority, found.category) == (priority, Category.OVERALL)
    assert found.message.startswith(word)
    assert found.figures["win_rate"] == pytest.approx(100 * wins / n, abs=1e-4)


@pytest.mark.parametrize("n", [0, 1, 19])
def test_fewer_than_twenty_outcomes_recommend_nothing(n: int) -> None:
    few = cell(n, n)
    (found,) = recommend(standing(few, {"mss": few}, {TIER_1: few}, {Interval.H24: few}))
    assert (found.priority, found.category, found.significant) == (Priority.INFO, Category.OVERALL, False)
    assert found.message == f"Not enough data (20 outcomes needed): all signals {n}"
    assert found.figures == {"all signals": n}


# --- scanners --------------------------------------------------------------------------------------------------------


def test_the_best_scanner_is_to_get_more_weight() -> None:
    found = recommend(standing(scanners={"mss": cell(60, 100), "model": cell(90, 100), "technical": cell(55, 100)}))
    best = only(Category.SCANNER, found)
    assert (best.priority, best.action) == (Priority.HIGH, "Raise the weight of model")
    assert best.message == (
        "Best scanner model: 90.0 % of 100 outcomes won (95 %: 82.6–94.5, 100 signals); 57.5 % of the others"
    )
    assert best.figures["win_rate"] == 90
    assert (best.figures["other_win_rate"], best.figures["other_independent_n"]) == (57.5, 200)


def test_a_scanner_alone_or_among_equals_is_not_the_best() -> None:
    assert not about(Category.SCANNER, recommend(standing(scanners={"mss": cell(90, 100)})))
    assert not about(Category.SCANNER, recommend(standing(scanners={"mss": cell(90, 100), "model": cell(45, 50)})))


def test_of_two_equally_good_scanners_the_better_known_is_named() -> None:
    same = {"model": cell(45, 50), "mss": cell(90, 100), "technical": cell(50, 100)}
    assert only(Category.SCANNER, recommend(standing(scanners=same))).action == "Raise the weight of mss"


@pytest.mark.parametrize(("wins", "n", "speaks"), [(50, 100, False), (499_999, 1_000_000, True), (10, 20, False)])
def test_a_scanner_below_fifty_is_to_be_reviewed(wins: int, n: int, speaks: bool) -> None:
    found = about(Category.SCANNER, recommend(standing(scanners={"social": cell(wins, n)})))
    assert [(one.priority, one.action) for one in found] == [
        (Priority.URGENT, "Review social or lower its weight")
    ] * speaks


def test_the_best_of_weak_scanners_is_to_be_reviewed_like_the_others_and_not_raised() -> None:
    found = about(Category.SCANNER, recommend(standing(scanners={"mss": cell(45, 100), "model": cell(20, 100)})))
    assert [one.priority for one in found] == [Priority.URGENT, Priority.URGENT]


def test_a_scanner_with_few_outcomes_is_neither_best_nor_weak_and_is_named_as_a_gap() -> None:
    scanners = {"mss": cell(60, 100), "model": cell(55, 100), "social": cell(19, 19), "external": cell(0, 3)}
    best, gap = about(Category.SCANNER, recommend(standing(scanners=scanners)))
    assert best.action == "Raise the weight of mss"
    assert best.figures["other_independent_n"] == 100
    assert gap.message == "Not enough data (20 outcomes needed): external 3, social 19"
    assert (gap.priority, gap.figures) == (Priority.INFO, {"social": 19, "external": 3})


def test_a_scanner_that_wins_often_and_loses_money_says_so() -> None:
    scanners = {"mss": cell(60, 100, win_pct=5, other_pct=-9), "model": cell(50, 100)}
    assert "; it loses 0.60 % on average" in only(Category.SCANNER, recommend(standing(scanners=scanners))).message


# --- tiers -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wins", "n", "said"),
    [
        (0, 20, (Priority.URGENT, "Raise the threshold of TIER_1 to 90")),
        (599_999, 1_000_000, (Priority.URGENT, "Raise the threshold of TIER_1 to 90")),
        (60, 100, None),
        (749_999, 1_000_000, None),
        (75, 100, (Priority.INFO, "Leave the threshold of TIER_1: it is fine")),
        (80, 100, (Priority.INFO, "Leave the threshold of TIER_1: it is fine")),
        (800_001, 1_000_000, (Priority.MEDIUM, "Consider lowering the threshold of TIER_1 to catch more")),
        (20, 20, (Priority.MEDIUM, "Consider lowering the threshold of TIER_1 to catch more")),
    ],
)
def test_the_threshold_of_the_first_tier(wins: int, n: int, said: tuple[Priority, str] | None) -> None:
    found = about(Category.TIER, recommend(standing(tiers={TIER_1: cell(wins, n)})))
    assert [(one.priority, one.action) for one in found] == ([said] if said else [])


def test_the_other_tiers_have_no_threshold_to_judge() -> None:
    assert not about(Category.TIER, recommend(standing(tiers={TIER_2: cell(10, 100), TIER_3: cell(10, 100)})))


def test_nineteen_outcomes_of_the_first_tier_are_a_gap() -> None:
    found = only(Category.TIER, recommend(standing(tiers={TIER_1: cell(0, 19)})))
    assert found.message == "Not enough data (20 outcomes needed): TIER_1_MUST_BUY 19"


def test_a_lower_tier_that_beats_its_neighbour_is_urgent() -> None:
    tiers: dict[str, Cell] = {
        TIER_4: cell(30, 100),
        TIER_3: cell(71, 100),
        TIER_2: cell(70, 100),
        TIER_1: cell(70, 100),
    }
    found = only(Category.TIER, recommend(standing(tiers=tiers)))
    assert found.priority is Priority.URGENT
    assert found.message.startswith(
        "Tiers out of order: TIER_3_WATCHLIST beats TIER_2_STRONG_BUY (70.0 %): 71.0 % of 100 outcomes won"
    )
    assert (found.figures["win_rate"], found.figures["other_win_rate"]) == (71, 70)
    assert found.figures["trend_p_value"] == tier_trend(tiers)


def test_a_tier_without_outcomes_lies_between_no_neighbours() -> None:
    found = only(Category.TIER, recommend(standing(tiers={TIER_1: cell(60, 100), TIER_4: cell(61, 100)})))
    assert "TIER_4_NEUTRAL beats TIER_1_MUST_BUY" in found.message


@given(st.permutations([40, 45, 50, 55]))
def test_tiers_in_any_other_order_than_their_own_are_out_of_order(rates: list[int]) -> None:
    tiers: dict[str, Cell] = {
        tier: cell(rate, 100) for tier, rate in zip((TIER_1, TIER_2, TIER_3, TIER_4), rates, strict=True)
    }
    found = [one for one in recommend(standing(tiers=tiers)) if one.message.startswith("Tiers out of order")]
    assert bool(found) is (rates != [55, 50, 45, 40])


def test_tiers_that_win_alike_are_in_order() -> None:
    assert not about(Category.TIER, recommend(standing(tiers={TIER_1: cell(62, 100), TIER_2: cell(62, 100)})))


def test_the_trend_over_tiers_takes_them_from_the_best_on() -> None:
    rising: dict[str, Cell] = {
        TIER_4: cell(40, 100),
        TIER_3: cell(50, 100),
        TIER_2: cell(60, 100),
        TIER_1: cell(70, 100),
    }
    falling: dict[str, Cell] = {
        TIER_1: cell(40, 100),
        TIER_2: cell(50, 100),
        TIER_3: cell(60, 100),
        TIER_4: cell(70, 100),
    }
    assert tier_trend(rising) < 1e-4
    assert tier_trend(falling) > 0.9999
    assert tier_trend({}) == 1


# --- intervals -------------------------------------------------------------------------------------------------------


def test_the_best_and_the_worst_interval_are_worth_knowing() -> None:
    rates = {Interval.H1: 50, Interval.H4: 55, Interval.H24: 80, Interval.D7: 30}
    found = recommend(standing(intervals={i: cell(wins, 100, i) for i, wins in rates.items()}))
    best, worst = sorted(about(Category.INTERVAL, found), key=lambda one: one.message)
    assert (best.priority, best.action) == (Priority.INFO, "Judge these signals at 24h first")
    assert (worst.priority, worst.action) == (Priority.INFO, "Do not count on these signals at 7d")
    assert best.message.startswith("Best interval 24h: 80.0 % of 100")
    assert worst.message.startswith("Worst interval 7d: 30.0 % of 100")
    assert best.figures["difference_low"] > 0 > worst.figures["difference_high"]
    assert best.significant
    assert worst.significant


def test_one_interval_or_equal_ones_are_neither_best_nor_worst() -> None:
    assert not about(Category.INTERVAL, recommend(standing(intervals={Interval.H1: cell(60, 100)})))
    equal = {Interval.H1: cell(60, 100), Interval.H4: cell(30, 50, Interval.H4)}
    assert not about(Category.INTERVAL, recommend(standing(intervals=equal)))


def test_an_interval_with_few_outcomes_is_a_gap() -> None:
    intervals = {Interval.H1: cell(60, 100), Interval.D30: cell(2, 4, Interval.D30)}
    found = only(Category.INTERVAL, recommend(standing(intervals=intervals)))
    assert found.message == "Not enough data (20 outcomes needed): 30d 4"


# --- what carries it -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wins", "n", "significant"),
    [(70, 100, False), (95, 100, True), (60, 100, False), (640, 1000, True), (50, 100, False), (300, 1000, True)],
)
def test_an_overall_verdict_is_significant_where_its_interval_lies_beyond_the_line(
    wins: int, n: int, significant: bool
) -> None:
    (found,) = recommend(standing(cell(wins, n)))
    assert found.significant is significant
    assert found.message.endswith("; not yet significant") is not significant


def test_five_outcomes_of_a_signal_carry_no_more_than_one() -> None:
    once = cell(85, 100)
    five = sum((cell(85, 100, interval) for interval in Interval), Cell())
    ((single,), (pooled,)) = (recommend(standing(overall)) for overall in (once, five))
    assert pooled.figures["outcomes_checked"] == 500
    assert pooled.figures["independent_n"] == 100
    assert pooled.figures["p_value"] == single.figures["p_value"]
    four = sum((cell(17, 20, interval) for interval in Interval), Cell())  # 85 of 100, of 20 signals
    assert [one.significant for one in recommend(standing(four))] == [False]


def test_an_interval_beyond_the_line_is_not_enough_where_the_exact_test_says_no() -> None:
    # 20 outcomes of four signals, none won: Wilson's interval ends at 49.0; by the exact test 2 of 16 are as far off
    four = sum((cell(0, 4, interval) for interval in Interval), Cell())
    (weak,) = about(Category.SCANNER, recommend(standing(scanners={"social": four})))
    assert weak.figures["win_rate_high"] < 50
    assert weak.figures["p_value"] == pytest.approx(0.125)
    assert not weak.significant


def test_an_exact_test_that_says_yes_is_not_enough_where_the_interval_holds_nothing_possible() -> None:
    # 37 of 37 against 30 of 34: p is 0.0477, and the interval of the difference begins at −0.02 points
    tiers: dict[str, Cell] = {TIER_2: cell(30, 34), TIER_3: cell(37, 37)}
    found = only(Category.TIER, recommend(standing(cell(950, 1000), tiers=tiers)))
    assert found.figures["p_value"] < 0.05
    assert found.figures["difference_low"] < 0
    assert not found.significant


def test_one_finding_among_many_comparisons_may_be_chance() -> None:
    """A p of 0.03 carries a scanner that is compared alone, not one of twenty that are like the others."""
    weak, plain = {"social": cell(39, 100)}, {f"scanner {n}": cell(50, 100) for n in range(20)}
    alone = about(Category.SCANNER, recommend(standing(cell(560, 1000), scanners=weak)))
    among = about(Category.SCANNER, recommend(standing(cell(560, 1000), scanners=weak | plain)))
    ((one,), (same, *_)) = alone, [found for found in among if found.priority is Priority.URGENT]
    assert one.figures["p_value"] == same.figures["p_value"] == pytest.approx(0.035, abs=1e-3)
    assert same.figures["win_rate_high"] < 50
    assert not same.significant
    assert same.message.endswith("; not yet significant")


@pytest.mark.parametrize(
    ("wins", "n", "significant"), [(78, 100, False), (780, 1000, False), (700, 1000, None), (770, 1000, True)]
)
def test_a_first_tier_that_is_fine_is_so_by_both_lines(wins: int, n: int, significant: bool | None) -> None:
    found = about(Category.TIER, recommend(standing(tiers={TIER_1: cell(wins, n)})))
    assert [one.significant for one in found] == ([] if significant is None else [significant])


def test_the_most_urgent_come_first_and_everything_names_its_figures() -> None:
    cells = merge(
        [
            {"all": {"all": cell(500, 1000)}},
            {"scanner": {"mss": cell(480, 600), "model": cell(20, 400)}},
            {"tier": {TIER_1: cell(78, 100), TIER_2: cell(422, 900)}},
        ]
    )
    found = recommend(Standing.of(cells))
    assert [one.priority for one in found] == [Priority.URGENT, Priority.URGENT, Priority.HIGH, Priority.INFO]
    assert [one.category for one in found] == ["overall", "scanner", "scanner", "tier"]
    for one in found:
        assert {"win_rate", "win_rate_low", "win_rate_high", "independent_n", "p_value"} <= set(one.figures)
        assert f"{one.figures['win_rate']:.1f} %" in one.message


def test_a_standing_is_read_from_the_cells_of_a_period() -> None:
    overall = cell(30, 60) + cell(20, 40, Interval.H4)
    found = Standing.of({"all": {"all": overall}, "scanner": {"mss": overall}, "symbol": {"BTC/USDT": overall}})
    assert found.overall == found.scanners["mss"] == overall
    assert found.tiers == {}
    assert {i: c.pooled().checked for i, c in found.intervals.items()} == {Interval.H4: 40, Interval.H24: 60}
    assert Standing.of({}).overall == Cell()


def test_the_order_in_which_cells_are_given_changes_nothing() -> None:
    scanners = [("mss", cell(60, 100)), ("model", cell(60, 100)), ("social", cell(2, 40)), ("external", cell(1, 40))]
    tiers = [(TIER_2, cell(2, 9)), (TIER_1, cell(1, 9)), (TIER_3, cell(3, 40))]
    intervals = [(i, cell(60, 100, i)) for i in (Interval.H4, Interval.H1)] + [(Interval.D7, cell(9, 99, Interval.D7))]
    said = {
        repr(
            recommend(
                standing(scanners=dict(scanners[::way]), tiers=dict(tiers[::way]), intervals=dict(intervals[::way]))
            )
        )
        for way in (1, -1)
    }
    assert len(said) == 1
