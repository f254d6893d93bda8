"""Statistics of a record: by hand, against plain arithmetic over all facts, and in any grouping."""

import math
from copy import deepcopy
from decimal import Decimal
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plumbline.domain.calendar import HOUR, Interval
from plumbline.domain.outcomes import Outcome
from plumbline.domain.performance import (
    Cell,
    Cells,
    Tally,
    count,
    dump_row,
    merge,
    parse_row,
    statistics,
    wilson,
)
from plumbline.domain.signals import Origin, Signal
from tests.builders import a_signal, an_outcome

ENTRY = Decimal(100)


def judged(exit_price: str | None, hour: int = 0, interval: Interval = Interval.H1, **changes: object) -> Outcome:
    signal = a_signal(timestamp=hour * HOUR, entry_price=ENTRY, **changes)
    return an_outcome(signal, interval, price=None if exit_price is None else Decimal(exit_price))


def overall(outcomes: list[Outcome]) -> dict[str, int | float | None]:
    return statistics(count((), (), outcomes)["all"]["all"])


def test_the_figures_of_four_outcomes_by_hand() -> None:
    found = overall([judged("110"), judged("106", 1), judged("96", 2), judged("101", 3)])
    assert (found["outcomes_checked"], found["wins"], found["losses"], found["neutral"]) == (4, 2, 1, 1)
    assert (found["win_rate"], found["loss_rate"], found["neutral_rate"]) == (50.0, 25.0, 25.0)
    assert (found["avg_win_pct"], found["avg_loss_pct"]) == (8.0, -4.0)
    assert (found["total_pnl_pct"], found["avg_pnl_pct"]) == (13.0, 3.25)
    assert found["break_even_win_rate"] == pytest.approx(100 * 4 / 12, abs=1e-4)


def test_an_unknown_outcome_counts_in_coverage_and_never_in_a_rate() -> None:
    signals = [a_signal(timestamp=hour * HOUR) for hour in range(3)]
    due = [(signal, Interval.H1) for signal in signals]
    cells = count(signals, due, [judged("110", 0), judged(None, 1)])
    found = statistics(cells["all"]["all"])
    assert (found["outcomes_due"], found["outcomes_checked"], found["outcomes_unknown"]) == (3, 1, 1)
    assert found["win_rate"] == 100.0
    assert found["coverage"] == pytest.approx(33.3333)


def test_nothing_checked_gives_no_rate_instead_of_a_zero() -> None:
    found = statistics(Cell(signals=2))
    assert found["total_signals"] == 2
    assert all(found[name] is None for name in ("win_rate", "win_rate_low", "win_rate_high", "avg_pnl_pct", "coverage"))


def test_every_rate_travels_with_its_sample_size_and_interval() -> None:
    found = overall([judged("110"), judged("96", 1)])
    assert found["outcomes_checked"] == 2
    assert found["win_rate_low"] < found["win_rate"] < found["win_rate_high"]  # type: ignore[operator]  # numbers here


def test_the_interval_of_a_pooled_rate_is_that_of_its_signals_not_of_their_five_outcomes() -> None:
    once = overall([judged("110"), judged("96", 1)])
    five_times = overall([judged(price, hour, i) for (hour, price), i in product([(0, "110"), (1, "96")], Interval)])
    assert five_times["outcomes_checked"] == 10
    assert five_times["independent_n"] == 2
    assert five_times["win_rate_low"] == once["win_rate_low"]


def test_backfilled_signals_do_not_count() -> None:
    late = a_signal(origin=Origin.BACKFILL)
    assert count([late], [(late, Interval.H1)], [judged("110", origin=Origin.BACKFILL)]) == {}


def test_the_same_outcome_stands_under_every_dimension() -> None:
    cells = count((), (), [judged("110")])
    assert {dimension: list(row) for dimension, row in cells.items()} == {
        "all": ["all"],
        "scanner": ["technical"],
        "tier": ["TIER_2_STRONG_BUY"],
        "type": ["LONG"],
        "symbol": ["BTC/USDT"],
        "channel": ["momentum-alpha"],
        "snapshot": ["5" * 64],
    }


@pytest.mark.parametrize(
    ("wins", "n", "low", "high"),
    [(0, 10, 0.0, 0.27753), (5, 10, 0.23659, 0.76341), (10, 10, 0.72247, 1.0), (81, 263, 0.2553, 0.3662)],
)
def test_wilson_intervals_agree_with_published_ones(wins: int, n: int, low: float, high: float) -> None:
    # 81 of 263: Newcombe, Statistics in Medicine 17 (1998), table I: 0.2553 to 0.3662.
    assert wilson(wins / n, n) == pytest.approx((low, high), abs=5e-5)


def test_without_trials_nothing_is_known() -> None:
    assert wilson(0.0, 0) == (0.0, 1.0)


prices = st.one_of(st.none(), st.integers(80, 120).map(str))
facts = st.lists(st.tuples(prices, st.integers(0, 40), st.sampled_from(Interval), st.booleans()), max_size=25)


def cells_of(rows: list[tuple[str | None, int, Interval, bool]]) -> Cells:
    signals: dict[int, Signal] = {}
    outcomes = []
    for price, hour, interval, _ in rows:
        signals.setdefault(hour, a_signal(timestamp=hour * HOUR))
        outcomes.append(judged(price, hour, interval))
    return count(signals.values(), [(o, i) for o in signals.values() for i in Interval], outcomes)


@given(facts, facts, facts)
def test_merging_in_any_order_and_grouping_gives_the_same_cells(a: list, b: list, c: list) -> None:  # type: ignore[type-arg]  # rows as drawn
    one, two, three = map(cells_of, (a, b, c))
    expected = merge([one, two, three])
    assert merge([merge([one, two]), three]) == expected
    assert merge([three, merge([two, one])]) == expected


@given(facts)
def test_merged_parts_equal_the_whole(rows: list[tuple[str | None, int, Interval, bool]]) -> None:
    whole = count((), (), [judged(price, hour, interval) for price, hour, interval, _ in rows])
    parts = [count((), (), [judged(price, hour, interval)]) for price, hour, interval, _ in rows]
    assert merge(parts) == whole


@given(facts)
def test_a_row_written_and_read_again_is_the_same_and_its_bytes_do_not_depend_on_order(rows: list) -> None:  # type: ignore[type-arg]  # rows as drawn
    for row in cells_of(rows).values():
        assert parse_row(dump_row(row)) == row
        assert dump_row(dict(reversed(row.items()))) == dump_row(row)


@given(facts)
def test_figures_agree_with_plain_arithmetic_over_the_facts(rows: list[tuple[str | None, int, Interval, bool]]) -> None:
    outcomes = [judged(price, hour, interval) for price, hour, interval, _ in rows]
    pnl = [float(o.pnl_pct) for o in outcomes if o.pnl_pct is not None]
    if not pnl:
        return
    found = overall(outcomes)
    wins = [p for p in pnl if p >= 5]
    assert found["wins"] == len(wins)
    assert found["losses"] == sum(p <= -3 for p in pnl)
    assert found["total_pnl_pct"] == pytest.approx(math.fsum(pnl), abs=1e-6)
    assert found["avg_win_pct"] == (pytest.approx(math.fsum(wins) / len(wins), abs=1e-6) if wins else None)


def test_an_empty_tally_changes_nothing() -> None:
    tally = Tally.of(judged("110"))
    assert tally + Tally() == tally


def test_a_tally_can_be_copied() -> None:
    tally = Tally(due=3, wins=2, losses=1, pnl=Decimal("4.5"), pnl_wins=Decimal(6), score=Decimal("201.25"))
    assert deepcopy(tally) == tally
    assert deepcopy(tally).pnl == Decimal("4.5")
