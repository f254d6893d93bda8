import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from pynamodb.exceptions import TransactWriteError

from plumbline.adapters.feed_items import EXPIRATION
from plumbline.adapters.stores import stores_over
from plumbline.adapters.stores.feed import BUCKET, KEPT_FOR, DynamoFeed
from plumbline.adapters.tables import Tables
from plumbline.domain.calendar import DAY, MINUTE, SECOND
from plumbline.domain.errors import StoreUnavailable
from plumbline.domain.feed import Entry, Event, Kind
from plumbline.ports import Feed, Stores
from tests.builders import NOON, an_event
from tests.capacity import CapacityMeter
from tests.contracts.wire import Answer, answer, before, crash_at_write, error
from tests.fakes import Crash, memory_stores

PRICES = an_event(
    key="board#1795176000000", kind=Kind.MARKET, symbols=(), channel_id=None, body={"prices": {"BTC/USDT": 4.2e4}}
)


def tell(feed: Feed, *times: int) -> list[Entry]:
    """One event for each of these times, in this order."""
    told = [feed.append(an_event(key=f"event#{i}", at=at)) for i, at in enumerate(times)]
    return [entry for entry in told if entry]


def test_an_empty_feed_has_no_head(stores: Stores) -> None:
    assert stores.feed.head() == 0
    assert stores.feed.after(0, 10) == []
    assert [stores.feed.number_at(instant) for instant in (-1, 0, NOON)] == [0, 0, 0]


def test_events_are_numbered_from_one_and_come_back_equal(stores: Stores) -> None:
    events = [an_event(), PRICES, an_event(key="trade#1", kind=Kind.POSITION, symbols=("A/B", "C/D"))]
    assert [stores.feed.append(event) for event in events] == [Entry(i + 1, event) for i, event in enumerate(events)]
    assert stores.feed.after(0, 10) == [Entry(i + 1, event) for i, event in enumerate(events)]
    assert stores.feed.head() == 3


def test_an_event_of_a_key_that_was_told_is_told_no_more(stores: Stores) -> None:
    first = stores.feed.append(an_event())
    assert stores.feed.append(PRICES)
    assert stores.feed.append(an_event(at=NOON + DAY, body={})) is None
    assert stores.feed.append(PRICES) is None
    assert stores.feed.after(0, 10)[0] == first
    assert stores.feed.head() == 2


@pytest.mark.parametrize("body", [{"tuple": (1, 2)}, {"at": {1: 2}}])
def test_a_body_comes_back_as_json_does(stores: Stores, body: dict[str, object]) -> None:
    stores.feed.append(an_event(body=body))
    assert stores.feed.after(0, 1)[0].event.body == json.loads(json.dumps(body))


@pytest.mark.parametrize(
    ("number", "limit", "expected"),
    [(0, 3, [1, 2, 3]), (0, 9, [1, 2, 3, 4, 5]), (3, 1, [4]), (4, 9, [5]), (5, 9, []), (6, 9, []), (-2, 2, [1, 2])],
)
def test_after_leaves_its_number_out_and_ends_at_the_limit(
    stores: Stores, number: int, limit: int, expected: list[int]
) -> None:
    tell(stores.feed, *range(NOON, NOON + 5))
    assert [entry.number for entry in stores.feed.after(number, limit)] == expected


@pytest.mark.parametrize("times", [(10, 20, 30, 40, 50, 60, 70, 80, 90), (10, 30, 20, 50, 40, 40, 90, 60, 80), (50,)])
def test_who_was_away_since_an_instant_misses_nothing_told_from_then_on(stores: Stores, times: tuple[int, ...]) -> None:
    tell(stores.feed, *(NOON + at for at in times))
    for instant in range(0, 110, 5):
        later = [i for i, at in enumerate(times) if at >= instant]
        assert stores.feed.number_at(NOON + instant) == (later[0] if later else len(times))


def test_two_sources_on_the_same_tables_do_not_hear_each_other(tables: Tables) -> None:
    simulated, live = stores_over(tables, "simulated"), stores_over(tables, "binance")
    tell(simulated.feed, NOON, NOON)
    assert live.feed.head() == 0
    assert live.feed.after(0, 9) == []
    assert live.feed.append(an_event(key="event#0")) == Entry(1, an_event(key="event#0"))


# Many writers


@contextmanager
def one_request_at_a_time(tables: Tables) -> Iterator[None]:
    """moto rolls a cancelled transaction back by restoring whole tables: what others wrote meanwhile would be lost."""
    events, serving = tables.connection.client.meta.events, threading.Lock()

    def enter(**_: Any) -> None:
        serving.acquire()

    def leave(**_: Any) -> None:
        serving.release()

    events.register_first("before-call.dynamodb", enter)
    events.register_last("after-call.dynamodb", leave)
    try:
        yield
    finally:
        events.unregister("before-call.dynamodb", enter)
        events.unregister("after-call.dynamodb", leave)


def appended_at_once(feeds: list[Feed]) -> list[Entry]:
    """Every feed's writer appends an event of its own at the same moment; a reader watches that no number is missing
    before another."""
    together, done, seen = threading.Barrier(len(feeds) + 1), threading.Event(), list[list[int]]()

    def write(index: int) -> Entry | None:
        together.wait()
        return feeds[index].append(an_event(key=f"event#{index}", at=NOON + index))

    def watch() -> None:
        together.wait()
        while not done.is_set():
            seen.append([entry.number for entry in feeds[0].after(0, 100)])

    with ThreadPoolExecutor(len(feeds) + 1) as pool:
        watcher = pool.submit(watch)
        entries = list(pool.map(write, range(len(feeds))))
        done.set()
        watcher.result()
    assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in seen)
    return [entry for entry in entries if entry]


def test_fifty_writers_at_once_number_their_events_without_a_gap(stores: Stores, request: Any) -> None:
    if isinstance(stores.feed, DynamoFeed):
        tables: Tables = request.getfixturevalue("tables")
        with one_request_at_a_time(tables):
            entries = appended_at_once([stores_over(tables, "simulated").feed for _ in range(50)])
    else:
        entries = appended_at_once([stores.feed] * 50)
    assert sorted(entry.number for entry in entries) == list(range(1, 51))
    assert stores.feed.after(0, 99) == sorted(entries, key=lambda entry: entry.number)
    assert stores.feed.head() == 50


def test_of_many_writers_of_one_event_one_appends_it(tables: Tables, dynamo: Stores) -> None:
    feeds = [stores_over(tables, "simulated").feed for _ in range(8)]
    with one_request_at_a_time(tables), ThreadPoolExecutor(8) as pool:
        entries = list(pool.map(lambda feed: feed.append(an_event()), feeds))
    assert sum(entry is not None for entry in entries) == 1
    assert [entry.number for entry in dynamo.feed.after(0, 9)] == [1]


def test_a_writer_whose_number_was_taken_meanwhile_takes_the_next(tables: Tables, dynamo: Stores) -> None:
    rival = stores_over(tables, "simulated")

    def rival_is_faster(request: int) -> None:
        if request == 1:
            rival.feed.append(PRICES)

    with before(tables, "TransactWriteItems", rival_is_faster):
        entry = dynamo.feed.append(an_event())
    assert entry == Entry(2, an_event())
    assert dynamo.feed.after(0, 9) == [Entry(1, PRICES), Entry(2, an_event())]


def test_the_head_never_goes_back_even_where_the_entries_are_dropped(tables: Tables, dynamo: Stores) -> None:
    tell(dynamo.feed, NOON)

    def others_went_on_long_ago(request: int) -> None:
        if request == 1:
            begin_at(tables, 40)

    with before(tables, "TransactWriteItems", others_went_on_long_ago):
        assert dynamo.feed.append(an_event()) == Entry(41, an_event())


def test_a_writer_whose_event_was_told_meanwhile_tells_it_no_more(tables: Tables, dynamo: Stores) -> None:
    rival = stores_over(tables, "simulated")

    def rival_is_faster(request: int) -> None:
        if request == 1:
            rival.feed.append(an_event())

    with before(tables, "TransactWriteItems", rival_is_faster):
        assert dynamo.feed.append(an_event()) is None
    assert dynamo.feed.head() == 1


def test_a_writer_that_loses_every_race_says_so(tables: Tables, dynamo: Stores) -> None:
    def conflict(_: int) -> Any:
        response, content = error("TransactionCanceledException")
        reasons = [{"Code": "None"}, {"Code": "TransactionConflict"}, {"Code": "ConditionalCheckFailed"}]
        return response, content | {"CancellationReasons": reasons}

    impatient = DynamoFeed(
        tables.feed_entries, tables.feed_marks, tables.feed_heads, "simulated", pauses=(0.0, 0.0, 0.0)
    )
    with (
        before(tables, "TransactWriteItems", conflict) as made,
        pytest.raises(StoreUnavailable, match=r"signal#.* lost 4 races"),
    ):
        impatient.append(an_event())
    assert len(made) == 4
    assert dynamo.feed.head() == 0


def test_a_transaction_that_is_wrong_in_itself_is_not_taken_for_done(tables: Tables, dynamo: Stores) -> None:
    with (
        before(tables, "TransactWriteItems", lambda _: error("ValidationException")),
        pytest.raises(TransactWriteError) as wrong,
    ):
        dynamo.feed.append(an_event())
    assert wrong.value.cause_response_code == "ValidationException"


@pytest.mark.parametrize("reason", ["ThrottlingError", "ProvisionedThroughputExceeded"])
def test_a_transaction_that_is_throttled_is_unavailable_not_lost(tables: Tables, dynamo: Stores, reason: str) -> None:
    response, content = error("TransactionCanceledException")
    cancelled = response, content | {"CancellationReasons": [{"Code": "ConditionalCheckFailed"}, {"Code": reason}]}
    with (
        before(tables, "TransactWriteItems", lambda _: cancelled),
        pytest.raises(StoreUnavailable, match="TransactWriteItems on table plumbline-test-feed"),
    ):
        dynamo.feed.append(an_event())


@pytest.mark.parametrize("performed", [False, True])
def test_a_crash_leaves_an_event_told_whole_or_not_at_all(tables: Tables, dynamo: Stores, performed: bool) -> None:
    with crash_at_write(tables, 1, performed=performed), pytest.raises(Crash):
        dynamo.feed.append(an_event())
    told = dynamo.feed.after(0, 9)
    assert [entry.number for entry in told] == ([1] if performed else [])
    assert (dynamo.feed.append(an_event()) is None) is performed
    assert dynamo.feed.after(0, 9) == [Entry(1, an_event())]


# A query is no snapshot


@pytest.mark.parametrize(
    ("missed", "number", "expected"),
    [(3, 0, [1, 2]), (3, 1, [2]), (1, 0, [1, 2, 3, 4, 5]), (4, 3, []), (2, 1, []), (5, 3, [4])],
)
def test_an_entry_that_a_query_passed_before_it_was_written_is_not_skipped(
    tables: Tables, dynamo: Stores, missed: int, number: int, expected: list[int]
) -> None:
    tell(dynamo.feed, *range(NOON, NOON + 5))
    stored = [item.serialize() for item in tables.feed_entries.select("simulated#feed#0")]
    seen = [raw for n, raw in enumerate(stored, 1) if n >= number and n != missed]

    def passed_by(request: int) -> Answer | None:
        return answer({"Items": seen, "Count": len(seen), "ScannedCount": len(seen)}) if request == 1 else None

    with before(tables, "Query", passed_by):
        assert [entry.number for entry in dynamo.feed.after(number, 9)] == expected


# Buckets and what is dropped


def begin_at(tables: Tables, number: int) -> None:
    """A feed whose head stands here, all entries before it long dropped."""
    tables.feed_heads("simulated#feed", "head", number=number, latest=NOON - 8 * DAY).put()


def test_a_feed_goes_on_where_it_stood_when_all_it_said_is_dropped(tables: Tables, dynamo: Stores) -> None:
    begin_at(tables, 41)
    assert dynamo.feed.head() == 41
    assert dynamo.feed.after(0, 9) == []
    assert dynamo.feed.after(41, 9) == []
    assert dynamo.feed.append(an_event()) == Entry(42, an_event())
    assert [entry.number for entry in dynamo.feed.after(0, 9)] == [42]


@pytest.mark.parametrize("number", [0, 5, BUCKET - 4, BUCKET - 2, BUCKET - 1, BUCKET, BUCKET + 2])
@pytest.mark.parametrize("limit", [1, 3, 100])
def test_entries_are_read_over_the_edge_of_a_bucket(tables: Tables, dynamo: Stores, number: int, limit: int) -> None:
    begin_at(tables, BUCKET - 4)
    tell(dynamo.feed, *range(NOON, NOON + 8))
    kept = range(BUCKET - 3, BUCKET + 5)
    expected = [n for n in kept if n > number][:limit]
    assert [entry.number for entry in dynamo.feed.after(number, limit)] == expected


def test_reading_far_behind_begins_with_the_oldest_that_is_kept(tables: Tables, dynamo: Stores) -> None:
    begin_at(tables, 7 * BUCKET)
    tell(dynamo.feed, *range(NOON, NOON + 5))
    with CapacityMeter(tables) as meter:
        assert [entry.number for entry in dynamo.feed.after(3, 2)] == [7 * BUCKET + 1, 7 * BUCKET + 2]
    assert meter.requests["Query"] <= 3
    assert meter.requests["GetItem"] <= 20


@pytest.mark.parametrize(("away", "expected"), [(DAY, 7 * BUCKET), (-3, 7 * BUCKET + 3), (-99, 7 * BUCKET + 5)])
def test_an_instant_before_all_that_is_kept_is_before_the_oldest(
    tables: Tables, dynamo: Stores, away: int, expected: int
) -> None:
    begin_at(tables, 7 * BUCKET)
    tell(dynamo.feed, *range(NOON, NOON + 5))
    assert dynamo.feed.number_at(NOON - away) == expected


def test_the_fake_drops_what_is_old_as_time_does() -> None:
    feed: Any = memory_stores().feed
    tell(feed, *range(NOON, NOON + 5))
    feed.drop(3)
    assert [entry.number for entry in feed.after(0, 9)] == [4, 5]
    assert feed.append(PRICES) == Entry(6, PRICES)


@pytest.mark.parametrize("present", [NOON - 300 * DAY, NOON + MINUTE])
def test_entries_and_marks_expire_a_week_after_they_were_told_and_the_head_never(tables: Tables, present: int) -> None:
    """An event of a replayed market may tell of any time: it is kept for a week of the present all the same."""
    feed = DynamoFeed(
        tables.feed_entries, tables.feed_marks, tables.feed_heads, "simulated", clock=lambda: present / SECOND
    )
    feed.append(an_event(at=NOON))
    stored = [
        *tables.feed_entries.select("simulated#feed#0"),
        *(mark for shard in range(16) for mark in tables.feed_marks.select(f"simulated#told#{shard}")),
    ]
    due = {"N": str((max(present, NOON) + KEPT_FOR) // SECOND)}
    assert [item.serialize()[EXPIRATION] for item in stored] == [due, due]
    (head,) = tables.feed_heads.select("simulated#feed")
    assert EXPIRATION not in head.serialize()


def test_a_week_begins_in_the_present_by_itself(tables: Tables, dynamo: Stores) -> None:
    dynamo.feed.append(an_event(at=0))
    (entry,) = tables.feed_entries.select("simulated#feed#0")
    assert 0 <= entry.expiration - 7 * 86_400 - time.time() + 60 < 120


# Cost


def test_an_event_is_one_read_and_one_transaction_and_asking_for_news_one_query(tables: Tables, dynamo: Stores) -> None:
    tell(dynamo.feed, NOON, NOON)
    with CapacityMeter(tables) as meter:
        dynamo.feed.append(PRICES)
    assert meter.requests == {"GetItem": 1, "TransactWriteItems": 1}
    for number in (0, 2, 3):
        with CapacityMeter(tables) as meter:
            dynamo.feed.after(number, 9)
        assert meter.requests == {"Query": 1}
    with CapacityMeter(tables) as meter:
        dynamo.feed.head()
    assert meter.requests == {"GetItem": 1}


def test_an_event_may_be_any(stores: Stores) -> None:
    event = Event(key="k" * 900, kind=Kind.SIGNAL, at=0, symbols=(), channel_id="", body={})
    assert stores.feed.append(event) == Entry(1, event)
    assert stores.feed.after(0, 1) == [Entry(1, event)]
