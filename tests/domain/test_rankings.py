"""Symbols in order of three measures."""

from decimal import Decimal
from statistics import fmean, stdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plumbline.domain.calendar import Interval
from plumbline.domain.performance import Cell, count
from plumbline.domain.rankings import LEAST_SIGNALS, Ends, Ranked, consistency, rank
from tests.builders import NOON, a_signal, an_outcome


def cell(*percents: int, interval: Interval = Interval.H1) -> Cell:
    """The cell of one outcome for each of these P&L."""
    signals = [a_signal(timestamp=NOON + n, entry_price=Decimal(100)) for n in range(len(percents))]
    outcomes = [an_outcome(s, interval, price=Decimal(100 + p)) for s, p in zip(signals, percents, strict=True)]
    return count(signals, [], outcomes).get("all", {}).get("all", Cell())


def names(ends: Ends[Ranked]) -> tuple[list[str], list[str]]:
    return [one.symbol for one in ends.best], [one.symbol for one in ends.worst]


STEADY, WILD, POOR = cell(6, 7, 6, 7), cell(20, -4, 30, -4), cell(-4, -5, -4, 6)


def test_each_measure_has_its_own_order() -> None:
    found = rank({"STEADY": STEADY, "WILD": WILD, "POOR": POOR}, 2)
    assert names(found.by_win_rate) == (["STEADY", "WILD"], ["POOR", "WILD"])
    assert names(found.by_average_pnl) == (["WILD", "STEADY"], ["POOR", "STEADY"])
    assert names(found.by_consistency) == (["STEADY", "WILD"], ["POOR", "WILD"])


def test_a_symbol_of_two_signals_is_not_ranked_however_many_outcomes_they_have() -> None:
    two = cell(6, 6) + cell(7, 7, interval=Interval.H4)
    assert two.pooled().checked > LEAST_SIGNALS
    found = rank({"TWO": two, "THREE": cell(6, 6, 6)}, 5)
    assert names(found.by_win_rate) == (["THREE"], ["THREE"])


def test_of_equal_symbols_the_one_with_more_outcomes_comes_first_then_the_name_decides() -> None:
    found = rank({"B": cell(6, 6, 6), "A": cell(6, 6, 6), "C": cell(6, 6, 6, 6)}, 5)
    assert names(found.by_win_rate) == (["C", "A", "B"], ["C", "A", "B"])


def test_what_never_deviates_has_no_consistency_and_is_left_out_of_its_order() -> None:
    assert consistency(cell(6, 6, 6).pooled()) is None
    assert consistency(cell(6).pooled()) is None
    assert names(rank({"FLAT": cell(6, 6, 6), "POOR": POOR}, 5).by_consistency) == (["POOR"], ["POOR"])


@given(st.lists(st.integers(-20, 20), min_size=2, max_size=30).filter(lambda values: len(set(values)) > 1))
def test_consistency_is_mean_over_standard_deviation(percents: list[int]) -> None:
    assert consistency(cell(*percents).pooled()) == pytest.approx(fmean(percents) / stdev(percents), abs=1e-12)
