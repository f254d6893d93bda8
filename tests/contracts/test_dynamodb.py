"""What only a real table can do wrong: lost races, unprocessed keys, throttling, corrupt items, crashes between two
requests of one call, and what a signal's life costs."""

import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from plumbline.adapters.stores import open_stores, stores_over
from plumbline.adapters.stores.keys import SHARDS, shard_of
from plumbline.adapters.tables import CandleChunk, Tables
from plumbline.domain.calendar import HOUR, MINUTE, Interval, Timeframe
from plumbline.domain.candles import Candles
from plumbline.domain.errors import CorruptChunk, StoreUnavailable
from plumbline.domain.feed import Subscription
from plumbline.domain.performance import DayRollup, count
from plumbline.domain.policy import FEATURES, WINDOW
from plumbline.domain.signals import Provenance, Signal, signal_id
from plumbline.pipeline.progress import move
from plumbline.pipeline.timing import KEPT, Timing, runs_of
from plumbline.ports import SignalFilter, Span, Stores, TradeFilter
from tests.builders import (
    NOON,
    a_configuration,
    a_signal,
    an_event,
    an_outcome,
    minute_candles,
    random_walk,
    signals_at,
)
from tests.capacity import CapacityMeter, item_size
from tests.contracts.wire import Answer, answer, before, crash_at_write, error
from tests.fakes import Crash, FakePolicy
from tests.tables import table_definitions

BTC = "BTC/USDT"
LISTENER = Subscription(connection_id="a1=", position=0, expires_at=NOON)


def this_hour(stores: Stores) -> Candles:
    return stores.candles.load([Span(BTC, Timeframe.M1, NOON, NOON + HOUR)])[0]


# Races


def test_of_many_adders_at_once_one_stores_the_signal(tables: Tables) -> None:
    rivals = [stores_over(tables, "simulated") for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        stored = list(pool.map(lambda stores: stores.signals.add(a_signal()), rivals))
    assert sorted(stored) == [False] * 7 + [True]


@pytest.mark.parametrize("stored", [[], [1]])
def test_two_writers_of_one_chunk_lose_nothing(tables: Tables, dynamo: Stores, stored: list[float]) -> None:
    dynamo.candles.add(BTC, minute_candles(*stored))
    rival = stores_over(tables, "simulated")

    def rival_is_faster(request: int) -> None:
        if request == 1:
            rival.candles.add(BTC, minute_candles(7, start=NOON + 2 * MINUTE))

    with before(tables, "PutItem", rival_is_faster):
        assert dynamo.candles.add(BTC, minute_candles(5, start=NOON + MINUTE)) == 1
    assert this_hour(dynamo).close.tolist() == [*stored, 5, 7]


def test_a_chunk_this_container_wrote_last_is_not_read_again_and_still_nothing_is_lost(
    tables: Tables, dynamo: Stores
) -> None:
    dynamo.candles.add(BTC, minute_candles(1))
    with CapacityMeter(tables) as meter:
        assert dynamo.candles.add(BTC, minute_candles(1, 2)) == 1
    assert meter.requests == {"PutItem": 1}
    stores_over(tables, "simulated").candles.add(BTC, minute_candles(7, start=NOON + 3 * MINUTE))
    assert dynamo.candles.add(BTC, minute_candles(3, start=NOON + 2 * MINUTE)) == 1
    assert this_hour(dynamo).close.tolist() == [1, 2, 3, 7]


def test_a_writer_that_loses_every_time_gives_up_with_a_reason(tables: Tables, dynamo: Stores) -> None:
    with (
        before(tables, "PutItem", lambda _: error("ConditionalCheckFailedException")),
        pytest.raises(StoreUnavailable, match=r"BTC/USDT#1m.*10 other writers"),
    ):
        dynamo.candles.add(BTC, minute_candles(5))


def test_a_move_between_the_two_halves_of_a_rewind_is_rewound_too(tables: Tables, dynamo: Stores) -> None:
    read = dynamo.cursors.move(None, "check#1h", 50, {})

    def a_run_moves_on(request: int) -> None:
        if request == 2:  # the first half found position 50 not beyond 80
            stores_over(tables, "simulated").cursors.move(read, "check#1h", 200, {})

    with before(tables, "UpdateItem", a_run_moves_on):
        dynamo.cursors.rewind("check#1h", 80)
    after = dynamo.cursors.read("check#1h")
    assert after is not None
    assert after.position == 80


# Half an answer


def keys_left_out(tables: Tables, times: int) -> Callable[[int], Answer | None]:
    """BatchGetItem returns nothing and every key, that many times; then DynamoDB answers."""
    table = tables.outcomes.Meta.table_name
    outcome = an_outcome()
    (pk, sk) = "simulated#2026-11-20", f"1h#{outcome.signal_id}"
    left = {table: {"Keys": [{"pk": {"S": f"{pk}#{shard_of(outcome.signal_id)}"}, "sk": {"S": sk}}]}}
    return lambda request: answer({"Responses": {table: []}, "UnprocessedKeys": left}) if request <= times else None


@pytest.fixture
def without_pauses(tables: Tables) -> Iterator[int]:
    """Number of tries, none of which waits."""
    usual, tables.outcomes.pauses = tables.outcomes.pauses, (0.0, 0.0, 0.0)
    yield len(tables.outcomes.pauses)
    tables.outcomes.pauses = usual


def test_keys_left_unprocessed_are_asked_for_again(tables: Tables, dynamo: Stores, without_pauses: int) -> None:
    outcome = an_outcome()
    dynamo.outcomes.add(outcome)
    with before(tables, "BatchGetItem", keys_left_out(tables, times=without_pauses)) as made:
        found = dynamo.outcomes.get([(outcome.signal_id, Interval.H1)])
    assert list(found.values()) == [outcome]
    assert len(made) == without_pauses + 1


def test_keys_that_stay_unprocessed_end_as_unavailable(tables: Tables, dynamo: Stores, without_pauses: int) -> None:
    with (
        before(tables, "BatchGetItem", keys_left_out(tables, times=without_pauses + 1)),
        pytest.raises(StoreUnavailable, match="plumbline-test-outcomes: 1 keys still unprocessed"),
    ):
        dynamo.outcomes.get([(an_outcome().signal_id, Interval.H1)])


# No answer


CALLS: dict[str, tuple[str, Callable[[Stores], object]]] = {
    "signals.add": ("PutItem", lambda stores: stores.signals.add(a_signal())),
    "signals.get": ("GetItem", lambda stores: stores.signals.get(a_signal().signal_id)),
    "signals.between": ("Query", lambda stores: list(stores.signals.between(NOON - 1, NOON))),
    "signals.page": ("Query", lambda stores: stores.signals.page(SignalFilter(), 1)),
    "outcomes.get": ("BatchGetItem", lambda stores: stores.outcomes.get([(a_signal().signal_id, Interval.H1)])),
    "candles.add": ("PutItem", lambda stores: stores.candles.add(BTC, minute_candles(1))),
    "cursors.rewind": ("UpdateItem", lambda stores: stores.cursors.rewind("check#1h", 1)),
    "positions.remove": ("DeleteItem", lambda stores: stores.positions.remove(a_signal().signal_id)),
    "trades.page": ("Query", lambda stores: stores.trades.page(TradeFilter(symbol=BTC), 1)),
    "feed.append": ("TransactWriteItems", lambda stores: stores.feed.append(an_event())),
    "connections.advance": ("UpdateItem", lambda stores: stores.connections.advance(LISTENER, 1)),
    "rollups.put": ("PutItem", lambda stores: stores.rollups.put(DayRollup("2026-11-20", NOON, {}), 1)),
}


@pytest.mark.parametrize(("operation", "call"), CALLS.values(), ids=CALLS)
@pytest.mark.parametrize(
    "code",
    ["ProvisionedThroughputExceededException", "ThrottlingException", "InternalServerError", "AccessDeniedException"],
)
def test_a_refusal_names_operation_table_and_reason(
    tables: Tables, dynamo: Stores, operation: str, call: Callable[[Stores], object], code: str
) -> None:
    with (
        before(tables, operation, lambda _: error(code)),
        pytest.raises(StoreUnavailable, match=f"{operation} on table plumbline-test-[a-z]+ failed with {code}") as away,
    ):
        call(dynamo)
    assert away.value.retry_after


def test_a_missing_table_is_named(aws: None) -> None:
    with pytest.raises(StoreUnavailable, match="plumbline-nowhere-signals failed with ResourceNotFoundException"):
        open_stores("plumbline-nowhere", "simulated").signals.get(a_signal().signal_id)


def test_an_address_where_nobody_answers_is_unavailable(dynamo: Stores) -> None:
    nobody = open_stores("plumbline-test", "simulated", region="eu-central-1", host="http://127.0.0.1:1")
    with pytest.raises(StoreUnavailable, match="GetItem on table plumbline-test-cursors failed with"):
        nobody.cursors.read("check#1h")


def test_opening_the_stores_connects_to_nothing() -> None:
    assert open_stores("plumbline-nowhere", "simulated", host="http://127.0.0.1:1").source == "simulated"


# Damage


@pytest.mark.parametrize(
    "damage",
    [
        {"packed": b"not zlib"},
        {"packed": zlib.compress(b"no candles")},
        {"packed": zlib.compress(minute_candles(6).pack())},
        {"length": 2},
    ],
)
def test_a_damaged_chunk_is_an_error_that_names_it(tables: Tables, dynamo: Stores, damage: dict[str, Any]) -> None:
    dynamo.candles.add(BTC, minute_candles(5))
    key = "simulated#BTC/USDT#1m#2026-11", "2026-11-20T12:00:00Z"
    stored = tables.candles.read(*key)
    assert stored is not None
    whole: dict[str, Any] = {"length": stored.length, "checksum": stored.checksum, "packed": stored.packed}
    tables.candles(*key, **(whole | damage)).save()
    for touch in (this_hour, lambda stores: stores.candles.add(BTC, minute_candles(5, 6))):
        with pytest.raises(CorruptChunk, match=r"BTC/USDT#1m#2026-11 from 2026-11-20T12:00:00Z"):
            touch(stores_over(tables, "simulated"))


# Crashes between two requests of one call


def fill(stores: Stores) -> None:
    """Every call that may need more than one write, and some that need one."""
    stores.candles.add(BTC, random_walk("1m", 150))
    signal = a_signal()
    stores.signals.add(signal)
    stores.outcomes.add(an_outcome(signal))
    stores.strategies.save(a_configuration())
    stores.markets.follow("DOGE/USDT", NOON)
    stores.rollups.put(DayRollup("2026-11-20", NOON, count([signal], [], [an_outcome(signal)])), 1)


def contents(stores: Stores) -> tuple[object, ...]:
    series = random_walk("1m", 150)
    first, last = int(series.open_time[0]), int(series.open_time[-1])
    return (
        stores.candles.load([Span(BTC, Timeframe.M1, first, last + MINUTE)]),
        list(stores.signals.between(0, NOON)),
        stores.signals.page(SignalFilter(symbol=BTC), 9),
        list(stores.outcomes.due_between(NOON, NOON + HOUR)),
        stores.strategies.get("momentum-alpha", a_configuration().config_hash),
        stores.markets.followed(NOON),
        stores.rollups.days(["2026-11-20"], ["all", "tier"]),
    )


REQUESTS_OF_FILL = 16  # three chunks, the day's mark, signal, outcome, snapshot, follow, seven dimensions, the extremes


@pytest.mark.parametrize("performed", [False, True])
@pytest.mark.parametrize("at", range(1, REQUESTS_OF_FILL + 1))
def test_a_crash_at_any_request_and_a_retry_end_as_no_crash_does(
    tables: Tables, dynamo: Stores, at: int, performed: bool
) -> None:
    with crash_at_write(tables, at, performed=performed), pytest.raises(Crash):
        fill(dynamo)
    retried = stores_over(tables, "simulated")
    with crash_at_write(tables, None) as made:
        fill(retried)
    assert len(made) <= REQUESTS_OF_FILL
    candles, log, *rest = contents(retried)
    assert (candles, log) == ([random_walk("1m", 150)], [a_signal()])
    assert all(rest)


@pytest.mark.parametrize("performed", [False, True])
@pytest.mark.parametrize("at", [1, 2])
def test_a_signal_that_a_crash_left_behind_is_in_every_list(
    tables: Tables, dynamo: Stores, at: int, performed: bool
) -> None:
    signal = a_signal()
    with crash_at_write(tables, at, performed=performed), pytest.raises(Crash):
        dynamo.signals.add(signal)
    stored = [signal] if dynamo.signals.get(signal.signal_id) else []
    assert list(dynamo.signals.between(0, NOON)) == stored
    assert list(dynamo.signals.page(SignalFilter(symbol=signal.symbol), 9).items) == stored


# Keys and cost


def test_shards_are_the_same_on_every_machine_and_even() -> None:
    assert shard_of("01KAF4ZKG0ABCDEFGHJKMNPQRS") == 1
    shards = [shard_of(signal_id(NOON, str(i))) for i in range(2_000)]
    assert {shard: 900 < shards.count(shard) < 1_100 for shard in range(SHARDS)} == dict.fromkeys(range(SHARDS), True)


def test_no_store_ever_scans(tables: Tables, dynamo: Stores) -> None:
    with CapacityMeter(tables) as meter:
        fill(dynamo)
        contents(dynamo)
        dynamo.cursors.all()
        dynamo.channels.all()
    assert set(meter.requests) <= {"PutItem", "UpdateItem", "BatchWriteItem", "GetItem", "BatchGetItem", "Query"}


def test_candles_are_fetched_a_hundred_chunks_a_call_and_shared_ones_once(tables: Tables, dynamo: Stores) -> None:
    hours = [Span(BTC, Timeframe.M1, NOON + i * HOUR, NOON + (i + 1) * HOUR) for i in range(150)]
    with CapacityMeter(tables) as meter:
        dynamo.candles.load([*hours, *hours, Span(BTC, Timeframe.M1, NOON, NOON + 150 * HOUR)])
    assert meter.requests == {"BatchGetItem": 2}


def a_long_winded_signal() -> Signal:
    return a_signal(
        unified_score=87.35714285714286,
        confidence=0.8735714285714286,
        snapshot_id="0123456789abcdef" * 4,
        provenance=Provenance("fedcba9876543210" * 4, "0f1e2d3c4b5a6978" * 4, "simulated", "0.1.0+g1a2b3c4"),
        model_version="ppo-lstm-2026-11-01",
        entry_price=Decimal("42000.51234"),
        risk_reward_ratio=Decimal("1.499999999"),
        indicator_breakdown={"rsi": 29.512345678, "macd": 30.0, "bollinger": 17.845, "volume": 10.000000001},
        indicators_fired=("rsi", "macd", "bollinger", "volume"),
        reasoning=(
            "RSI oversold (28.5)",
            "MACD bullish cross: histogram turned from -12.41 to 3.07",
            "Close 42000.51 is below the lower Bollinger band at 42104.88",
            "Volume is 2.4 times its average of the last 20 candles",
        ),
    )


def test_a_signal_and_its_five_outcomes_fit_one_write_unit_each(tables: Tables, dynamo: Stores) -> None:
    signal = a_long_winded_signal()
    sizes: list[int] = []
    dynamo.signals.add(signal)
    for interval in Interval:
        dynamo.outcomes.add(an_outcome(signal, interval))
    (stored,) = tables.signals.fetch([("simulated#2026-11-20#" + str(shard_of(signal.signal_id)), signal.signal_id)])
    sizes.append(item_size(stored.serialize()))
    outcome_day = f"simulated#2026-11-20#{shard_of(signal.signal_id)}"
    sizes += [item_size(item.serialize()) for item in tables.outcomes.select(outcome_day)]
    assert max(sizes) <= 1_024, sizes


def test_a_signals_life_is_eight_writes_and_a_day_one_more(tables: Tables, dynamo: Stores) -> None:
    first, second = signals_at(NOON, NOON + 1)
    indexes = next(each for each in table_definitions("any") if each["TableName"] == "any-signals")
    with CapacityMeter(tables) as meter:
        for signal in (first, second):
            dynamo.signals.add(signal)
            for interval in Interval:
                dynamo.outcomes.add(an_outcome(signal, interval))
    entries = 2 * len(indexes["GlobalSecondaryIndexes"])  # moto charges nothing for them, DynamoDB one unit each
    assert meter.requests["PutItem"] + entries == 2 * 8 + 1


def test_a_full_chunk_stays_small(tables: Tables, dynamo: Stores) -> None:
    dynamo.candles.add(BTC, random_walk("1m", 60, start=NOON))
    chunk = tables.candles.read("simulated#BTC/USDT#1m#2026-11", "2026-11-20T12:00:00Z")
    assert isinstance(chunk, CandleChunk)
    assert item_size(chunk.serialize()) < 2_048


def test_a_generators_cursor_with_all_the_runs_it_remembers_is_one_write_unit(tables: Tables, dynamo: Stores) -> None:
    """Forty runs of fifty markets, one of them a month after an outage; no two alike."""
    watch = iter([0.0, *np.cumsum(np.random.default_rng(1).uniform(0.01, 9, 10_000)).tolist()])
    policy, cursor = FakePolicy(), None
    for hours in (480, 240, *[1] * KEPT, 480):
        timing, count = Timing(lambda: policy, lambda: next(watch)), {"evaluated": 0}
        opened = timing.policies()
        assert opened
        with timing.run(count):
            opened.probabilities(np.zeros((50 * hours - hours % 7, WINDOW, len(FEATURES)), dtype=np.float32))
            count["evaluated"] += 250 * hours - hours % 7
        notes = {"runs": timing.notes(cursor), "gone": ["LUNA/USDT"]}
        cursor = move(dynamo.cursors, cursor, "generate#1h", NOON, **notes)
    assert len(runs_of(dynamo.cursors.read("generate#1h"))) == KEPT
    stored = tables.cursors.read("simulated", "generate#1h")
    assert stored
    assert item_size(stored.serialize()) < 1_024
