"""The rollups of the paper book: each day's trades by the time they closed, up to where the tracker has come."""

from typing import Any

import pytest

from plumbline.domain.books import BookCell, count_trades
from plumbline.domain.calendar import DAY, HOUR, MINUTE, day_of, day_start
from plumbline.domain.signals import Origin
from plumbline.pipeline.progress import SUMMARISE, TRACK
from plumbline.pipeline.summarising import book_rollup, summarise_day
from plumbline.ports import Stores
from tests.builders import NOON, a_trade
from tests.fakes import Crash, CrashAfter, memory_stores

TODAY = day_start(day_of(NOON))
YESTERDAY = TODAY - DAY


def a_book(*closings: int, tracked: int | None = None, **changes: Any) -> Stores:
    """Stores with a trade closed at each of these instants, none of them summarised yet."""
    stores = memory_stores()
    for n, closed_at in enumerate(closings):
        stores.trades.add(a_trade(opened_at=closed_at - HOUR - n * MINUTE, closed_at=closed_at, **changes))
    stores.cursors.move(None, SUMMARISE, YESTERDAY - 1, {})
    if tracked is not None:
        stores.cursors.move(None, TRACK, tracked, {})
    return stores


def closed_on(stores: Stores, day: int) -> int:
    """Trades that the rollup of a day holds."""
    found = stores.book_rollups.days([day_of(day)], ["all"])
    return found[0].cells.get("all", {}).get("all", BookCell()).closed if found else 0


def test_a_trade_belongs_to_the_day_in_which_it_closed() -> None:
    stores = a_book(YESTERDAY, YESTERDAY + 5 * HOUR, TODAY - 1, TODAY)
    summarise_day(stores, NOON)
    assert (closed_on(stores, YESTERDAY), closed_on(stores, TODAY)) == (3, 1)


def test_a_day_holds_the_cells_of_its_trades_along_every_dimension() -> None:
    stores = a_book(YESTERDAY + HOUR, YESTERDAY + 2 * HOUR)
    summarise_day(stores, NOON)
    expected = count_trades(stores.trades.closed_between(YESTERDAY - 1, TODAY - 1))
    assert stores.book_rollups.days([day_of(YESTERDAY)], list(expected))[0].cells == expected


def test_nothing_is_summarised_beyond_what_the_tracker_has_matched() -> None:
    stores = a_book(YESTERDAY + HOUR, tracked=YESTERDAY + 2 * HOUR)
    summarise_day(stores, NOON)
    cursor = stores.cursors.read(SUMMARISE)
    assert cursor
    assert cursor.position == YESTERDAY + 2 * HOUR - 1
    [rollup] = stores.book_rollups.days([day_of(YESTERDAY)], ["all"])
    assert rollup.through == cursor.position


def test_a_trade_that_ends_at_the_open_of_the_next_candle_is_not_passed_over() -> None:
    """The tracker at 02:00 has not seen the candle that opens at 02:00; it may open beyond a level and end a trade."""
    tracked = YESTERDAY + 2 * HOUR
    stores = a_book(tracked=tracked)
    summarise_day(stores, NOON)
    stores.trades.add(a_trade(opened_at=tracked - HOUR, closed_at=tracked))
    stores.cursors.move(stores.cursors.read(TRACK), TRACK, tracked + MINUTE, {})
    summarise_day(stores, NOON)
    assert closed_on(stores, YESTERDAY) == 1


def test_without_a_tracker_the_day_is_summarised_as_before() -> None:
    stores = a_book()
    summarise_day(stores, NOON)
    cursor = stores.cursors.read(SUMMARISE)
    assert cursor
    assert cursor.position == NOON


def test_a_trade_that_closed_late_enters_its_own_day_when_the_summary_is_called_back() -> None:
    stores = a_book(YESTERDAY + HOUR, tracked=NOON)
    summarise_day(stores, NOON)
    late = a_trade(opened_at=YESTERDAY + HOUR, closed_at=YESTERDAY + 3 * HOUR)
    stores.trades.add(late)
    stores.cursors.rewind(SUMMARISE, late.closed_at - 1)
    summarise_day(stores, NOON)
    assert closed_on(stores, YESTERDAY) == 2


def test_backfilled_trades_leave_no_trace_in_the_rollups() -> None:
    stores = a_book(YESTERDAY + HOUR, origin=Origin.BACKFILL)
    summarise_day(stores, NOON)
    assert stores.book_rollups.days([day_of(YESTERDAY)], ["all"])[0].cells == {}


def test_summarising_hour_by_hour_leaves_the_same_rollups_as_summarising_once() -> None:
    closings = [YESTERDAY + n * 7 * HOUR // 2 for n in range(10)]
    at_once, hourly = a_book(*closings), a_book(*closings)
    summarise_day(at_once, NOON)
    for now in range(YESTERDAY + HOUR, NOON + 1, HOUR):
        summarise_day(hourly, now)
    days = [day_of(YESTERDAY), day_of(TODAY)]
    dimensions = ["all", "scanner", "symbol"]
    assert hourly.book_rollups.days(days, dimensions) == at_once.book_rollups.days(days, dimensions)


def test_the_same_trades_give_the_same_rollup_in_whatever_order_they_were_stored() -> None:
    closings = [YESTERDAY + n * HOUR for n in range(5)]
    assert book_rollup(a_book(*closings), YESTERDAY, TODAY - 1).cells.keys()
    forwards, backwards = (sorted(closings, reverse=way) for way in (False, True))
    stores = [memory_stores(), memory_stores()]
    for of, closings_of in zip(stores, (forwards, backwards), strict=True):
        for closed_at in closings_of:
            of.trades.add(a_trade(opened_at=closed_at - HOUR, closed_at=closed_at))
    first, second = (book_rollup(of, YESTERDAY, TODAY - 1) for of in stores)
    assert first == second


@pytest.mark.parametrize("performed", [True, False])
def test_a_crash_between_any_two_writes_and_a_retry_leave_the_same_rollups(performed: bool) -> None:
    closings = [YESTERDAY + HOUR, YESTERDAY + 30 * HOUR]
    whole = a_book(*closings)
    counting = CrashAfter(whole)
    summarise_day(counting.stores, NOON)
    days = [day_of(YESTERDAY), day_of(TODAY)]
    for at in range(1, counting.writes + 1):
        stores = a_book(*closings)
        with pytest.raises(Crash):
            summarise_day(CrashAfter(stores, at=at, performed=performed).stores, NOON)
        summarise_day(stores, NOON)
        assert stores.book_rollups.days(days, ["all"]) == whole.book_rollups.days(days, ["all"])
