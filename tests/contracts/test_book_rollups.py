from typing import Any

from plumbline.adapters.stores import stores_over
from plumbline.adapters.tables import Tables
from plumbline.domain.books import BOOK_DIMENSIONS, BookCells, BookRollup, count_trades
from plumbline.domain.performance import DayRollup, count
from plumbline.domain.trades import Status
from plumbline.ports import Stores
from tests.builders import NOON, a_signal, a_trade

TODAY = "2026-11-20"


def cells(**changes: Any) -> BookCells:
    return count_trades([a_trade(**changes), a_trade(status=Status.STOP, snapshot_id="7" * 64, **changes)])


def test_a_rollup_comes_back_equal(stores: Stores) -> None:
    rollup = BookRollup(TODAY, NOON, cells())
    stores.book_rollups.put(rollup, 1)
    assert stores.book_rollups.days([TODAY], BOOK_DIMENSIONS) == [rollup]
    assert set(rollup.cells) == set(BOOK_DIMENSIONS)


def test_a_whole_day_is_read_with_all_that_it_holds(stores: Stores) -> None:
    assert stores.book_rollups.get(TODAY) is None
    rollup = BookRollup(TODAY, NOON, cells())
    stores.book_rollups.put(rollup, 1)
    assert stores.book_rollups.get(TODAY) == rollup


def test_only_the_dimensions_asked_for_come_back(stores: Stores) -> None:
    rollup = BookRollup(TODAY, NOON, cells())
    stores.book_rollups.put(rollup, 1)
    (found,) = stores.book_rollups.days([TODAY], ["timeframe", "interval"])
    assert found.cells == {"timeframe": rollup.cells["timeframe"]}


def test_days_come_oldest_first_over_the_years_and_missing_ones_are_left_out(stores: Stores) -> None:
    days = ["2025-12-31", "2026-01-01", TODAY]
    for day in (*days, "2026-06-01"):
        stores.book_rollups.put(BookRollup(day, NOON, cells()), 1)
    found = stores.book_rollups.days([TODAY, "2026-03-01", *days], ["all"])
    assert [rollup.day for rollup in found] == days
    assert stores.book_rollups.days([], ["all"]) == []


def test_recomputing_a_day_replaces_it_whole(stores: Stores) -> None:
    stores.book_rollups.put(BookRollup(TODAY, NOON, cells(symbol="ETH/USDT")), 1)
    again = BookRollup(TODAY, NOON + 1, {"all": cells()["all"]})
    stores.book_rollups.put(again, 1)
    assert stores.book_rollups.days([TODAY], ["all", "symbol"]) == [again]


def test_a_day_on_which_nothing_closed_is_still_a_day(stores: Stores) -> None:
    quiet = BookRollup(TODAY, NOON, {})
    stores.book_rollups.put(quiet, 1)
    assert stores.book_rollups.days([TODAY], ["all", "tier"]) == [quiet]


def test_a_run_that_was_overtaken_cannot_replace_the_newer_rollup(stores: Stores) -> None:
    newer, older = BookRollup(TODAY, NOON, cells()), BookRollup(TODAY, NOON - 1, {})
    stores.book_rollups.put(newer, 7)
    stores.book_rollups.put(older, 6)
    assert stores.book_rollups.days([TODAY], ["all"])[0].through == NOON
    stores.book_rollups.put(older, 7)
    assert stores.book_rollups.days([TODAY], ["all"])[0].through == NOON - 1


def test_trades_and_outcomes_share_a_table_and_nothing_else(stores: Stores) -> None:
    books, outcomes = BookRollup(TODAY, NOON, cells()), DayRollup(TODAY, NOON + 1, count([a_signal()], [], []))
    stores.book_rollups.put(books, 5)
    stores.rollups.put(outcomes, 1)
    assert stores.book_rollups.days([TODAY], BOOK_DIMENSIONS) == [books]
    assert stores.rollups.days([TODAY], list(outcomes.cells)) == [outcomes]


def test_the_same_trades_leave_the_same_bytes(tables: Tables, dynamo: Stores) -> None:
    stored = []
    for again in (cells(), {d: dict(reversed(row.items())) for d, row in reversed(cells().items())}):
        dynamo.book_rollups.put(BookRollup(TODAY, NOON, again), 1)
        keys = [(f"simulated#book#{dimension}#2026", TODAY) for dimension in BOOK_DIMENSIONS]
        stored.append(sorted((item.pk, bytes(item.cells)) for item in tables.rollups.fetch(keys)))
    assert stored[0] == stored[1]
    assert len(stored[0]) == len(BOOK_DIMENSIONS)


def test_two_sources_on_the_same_tables_do_not_see_each_other(tables: Tables) -> None:
    stores_over(tables, "simulated").book_rollups.put(BookRollup(TODAY, NOON, cells()), 1)
    assert stores_over(tables, "binance").book_rollups.days([TODAY], BOOK_DIMENSIONS) == []
