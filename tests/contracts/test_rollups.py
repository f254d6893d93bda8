from plumbline.adapters.tables import Tables
from plumbline.domain.calendar import Interval, day_start
from plumbline.domain.extremes import EXTREMES, Extremes
from plumbline.domain.performance import Cells, DayRollup, count
from plumbline.ports import Stores
from tests.builders import NOON, a_signal, an_outcome

TODAY = "2026-11-20"
BEST = Extremes.of([an_outcome(interval=Interval.H24)])


def cells(**changes: object) -> Cells:
    signal = a_signal(**changes)
    due = [(signal, interval) for interval in Interval]
    return count([signal], due, [an_outcome(signal), an_outcome(signal, Interval.D7)])


def test_a_rollup_comes_back_equal(stores: Stores) -> None:
    rollup = DayRollup(TODAY, NOON, cells())
    stores.rollups.put(rollup, 1)
    assert stores.rollups.days([TODAY], list(rollup.cells)) == [rollup]


def test_only_the_dimensions_asked_for_come_back(stores: Stores) -> None:
    rollup = DayRollup(TODAY, NOON, cells())
    stores.rollups.put(rollup, 1)
    (found,) = stores.rollups.days([TODAY], ["tier", "interval"])
    assert found.cells == {"tier": rollup.cells["tier"]}


def test_days_come_oldest_first_over_the_years_and_missing_ones_are_left_out(stores: Stores) -> None:
    days = ["2025-12-31", "2026-01-01", TODAY]
    for day in (*days, "2026-06-01"):
        stores.rollups.put(DayRollup(day, NOON, cells()), 1)
    found = stores.rollups.days([TODAY, "2026-03-01", *days], ["all"])
    assert [rollup.day for rollup in found] == days
    assert stores.rollups.days([], ["all"]) == []


def test_recomputing_a_day_replaces_it_whole(stores: Stores) -> None:
    stores.rollups.put(DayRollup(TODAY, NOON, cells(symbol="ETH/USDT")), 1)
    again = DayRollup(TODAY, NOON + 1, {"all": cells()["all"]})
    stores.rollups.put(again, 1)
    assert stores.rollups.days([TODAY], ["all", "symbol"]) == [again]


def test_a_day_on_which_nothing_happened_is_still_a_day(stores: Stores) -> None:
    quiet = DayRollup(TODAY, NOON, {})
    stores.rollups.put(quiet, 1)
    assert stores.rollups.days([TODAY], ["all", "tier"]) == [quiet]


def test_a_run_that_was_overtaken_cannot_replace_the_newer_rollup(stores: Stores) -> None:
    newer, older = DayRollup(TODAY, NOON, cells()), DayRollup(TODAY, NOON - 1, {})
    stores.rollups.put(newer, 7)
    stores.rollups.put(older, 6)
    assert stores.rollups.days([TODAY], ["all"])[0].through == NOON
    stores.rollups.put(older, 7)
    assert stores.rollups.days([TODAY], ["all"])[0].through == NOON - 1


def test_the_best_and_worst_come_where_they_are_asked_for(stores: Stores) -> None:
    rollup = DayRollup(TODAY, NOON, cells(), BEST)
    assert BEST.best
    stores.rollups.put(rollup, 1)
    (without,), (with_them,) = (stores.rollups.days([TODAY], names) for names in (["all"], ["all", EXTREMES]))
    assert (without.extremes, with_them.extremes) == (Extremes(), BEST)


def test_a_whole_day_is_read_with_all_that_it_holds(stores: Stores) -> None:
    assert stores.rollups.get(TODAY) is None
    rollup = DayRollup(TODAY, NOON, cells(), BEST)
    stores.rollups.put(rollup, 1)
    assert stores.rollups.get(TODAY) == rollup


def test_a_day_that_is_just_being_written_counts_as_not_begun(dynamo: Stores, tables: Tables) -> None:
    """What was read of it is of two moments: no instant is right for both."""
    dynamo.rollups.put(DayRollup(TODAY, NOON, cells(), BEST), 1)
    overtaken = tables.rollups.read("simulated#tier#2026", TODAY)
    assert overtaken
    overtaken.through = NOON - 1
    overtaken.put()
    not_begun = DayRollup(TODAY, day_start(TODAY) - 1, {})
    assert dynamo.rollups.get(TODAY) == not_begun
    assert dynamo.rollups.days([TODAY], ["all", "tier"]) == [not_begun]
    assert dynamo.rollups.days([TODAY], ["tier"])[0].through == NOON - 1
    tables.rollups.remove("simulated#tier#2026", TODAY)
    assert dynamo.rollups.days([TODAY], ["all", "tier"]) == [not_begun]
    assert dynamo.rollups.days([TODAY], ["all", "symbol"])[0].through == NOON
