"""What happened is told once to each, in order, whatever becomes of a wire or of the one who tells."""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from plumbline.domain.calendar import MINUTE
from plumbline.domain.errors import InvalidInput, StoreUnavailable, Unavailable
from plumbline.domain.feed import Change, Kind, Subscription
from plumbline.domain.signals import Origin
from plumbline.domain.trades import Board
from plumbline.pipeline.delivering import AT_ONCE, catch_up, deliver
from plumbline.pipeline.telling import changes_of, event_of, tell
from plumbline.ports import Stores
from tests.builders import NOON, a_position, a_signal, a_trade, an_event
from tests.fakes import Crash, CrashAfter, memory_stores
from tests.feed_fakes import FakeLetters, FakeSockets, InMemoryConnections

LATER = NOON + MINUTE


def a_board(as_of: int = NOON, **prices: str) -> Board:
    symbols = {f"{base}/USDT": Decimal(price) for base, price in prices.items()}
    return Board(as_of=as_of, open=len(symbols), unrealised_usd=Decimal("1.25"), prices=symbols)


def signals(count: int, start: int = 0) -> list[Change]:
    return [Change(a_signal(timestamp=NOON + n * MINUTE)) for n in range(start, start + count)]


def listening(stores: Stores, *names: str, position: int = 0, **wanted: Any) -> None:
    for name in names:
        stores.connections.add(name, position, LATER)
        listener = Subscription(connection_id=name, position=position, expires_at=LATER, listening=True, **wanted)
        stores.connections.save(listener)


def ids(sockets: FakeSockets, name: str) -> list[int]:
    return [message["id"] for message in sockets.messages(name)]


def position(stores: Stores, name: str) -> int:
    found = stores.connections.get(name)
    assert found
    return found.position


def test_a_signal_is_told_with_all_that_the_record_says_of_it() -> None:
    event = event_of(Change(a_signal()), "simulated", LATER)
    assert event
    assert (event.key, event.kind, event.at) == (f"signal#{a_signal().signal_id}", Kind.SIGNAL, LATER)
    assert (event.symbols, event.channel_id) == (("BTC/USDT",), "momentum-alpha")
    told: Any = event.body["signal"]
    assert (told["signal_id"], told["action"], told["entry_price"]) == (a_signal().signal_id, "BUY", 42000.5)
    assert told["reasoning"] == ["RSI oversold (28.5)", "MACD bullish cross"]
    assert (told["simulated"], told["actual_outcome"]) == (True, "pending")


def test_a_trade_is_told_as_it_opens_and_as_it_closes() -> None:
    opened = event_of(Change(a_position()), "binance", LATER)
    closed = event_of(Change(a_trade()), "binance", LATER)
    assert opened
    assert closed
    signal_id = a_position().signal_id
    assert (opened.key, closed.key) == (f"opened#{signal_id}", f"closed#{signal_id}")
    assert (opened.kind, closed.kind) == (Kind.POSITION, Kind.POSITION)
    first: Any = opened.body["trade"]
    last: Any = closed.body["trade"]
    assert first.keys() == last.keys()
    assert (first["status"], first["pnl_usd"], first["closed_at"], first["simulated"]) == ("OPEN", None, None, False)
    assert (last["status"], last["outcome"], last["exit_price"]) == ("CLOSED_TP", "win", 43200.875)
    assert last["gross_pnl_usd"] > last["pnl_usd"] > 0


def test_a_position_that_is_replaced_is_told_once_when_its_entry_is_known() -> None:
    waiting = a_position(net_entry_price=None)
    assert event_of(Change(waiting, replaced=True), "simulated", LATER) is None
    entered = event_of(Change(a_position(), replaced=True), "simulated", LATER)
    assert entered
    assert entered.key == f"entered#{waiting.signal_id}"
    assert entered.body["event"] == "entered"


def test_the_board_is_told_as_prices_once_for_each_minute() -> None:
    event = event_of(Change(a_board(BTC="42000.5", ADA="0.45"), replaced=True), "simulated", LATER)
    assert event
    assert (event.key, event.kind, event.channel_id) == (f"prices#{NOON}", Kind.MARKET, None)
    assert event.symbols == ("ADA/USDT", "BTC/USDT")
    assert event.body == {
        "as_of": "2026-11-20T12:00:00Z",
        "open": 2,
        "unrealised_usd": 1.25,
        "prices": {"ADA/USDT": 0.45, "BTC/USDT": 42000.5},
    }


def test_what_is_backfilled_is_no_news() -> None:
    past = a_signal(origin=Origin.BACKFILL)
    for stored in (past, a_position(past), a_trade(a_position(past))):
        assert event_of(Change(stored), "simulated", LATER) is None
    assert event_of(Change(a_signal(origin=Origin.EXTERNAL)), "simulated", LATER)


def test_everybody_who_listens_is_told_in_order_and_nobody_else() -> None:
    stores, sockets = memory_stores(), FakeSockets()
    listening(stores, "a", "b")
    stores.connections.add("silent", 0, LATER)
    told = tell(stores, sockets, signals(3), LATER)
    assert told == {"events": 3, "sent": 6, "gone": 0, "unreached": 0, "behind": 0}
    assert ids(sockets, "a") == ids(sockets, "b") == [1, 2, 3]
    assert not sockets.sent["silent"]
    assert position(stores, "a") == 3


def test_the_same_batch_again_tells_nothing_new() -> None:
    stores, sockets = memory_stores(), FakeSockets()
    listening(stores, "a")
    tell(stores, sockets, signals(3), LATER)
    assert tell(stores, sockets, signals(3), LATER)["sent"] == 0
    assert ids(sockets, "a") == [1, 2, 3]


def test_a_listener_is_told_what_it_wants_and_passes_over_the_rest() -> None:
    stores, sockets = memory_stores(), FakeSockets()
    listening(stores, "a", symbols=frozenset({"ETH/USDT"}))
    changes = [*signals(2), Change(a_signal(symbol="ETH/USDT")), *signals(2, start=2)]
    tell(stores, sockets, changes, LATER)
    assert ids(sockets, "a") == [3]
    assert position(stores, "a") == 5


def test_a_listener_that_hung_up_is_forgotten_at_the_first_failed_send() -> None:
    stores, sockets = memory_stores(), FakeSockets("a")
    listening(stores, "a", "b")
    assert tell(stores, sockets, signals(3), LATER)["gone"] == 1
    assert stores.connections.get("a") is None
    assert ids(sockets, "b") == [1, 2, 3]


def test_a_listener_out_of_reach_keeps_its_place_and_is_told_the_rest_with_the_next_event() -> None:
    stores, sockets = memory_stores(), FakeSockets()
    listening(stores, "a", "b")
    sockets.fail_with = [Unavailable("the gateway is busy")]
    told = tell(stores, sockets, signals(3), LATER)
    assert (told["unreached"], told["sent"]) == (1, 3)
    reached, missed = ("b", "a") if ids(sockets, "b") else ("a", "b")
    assert (position(stores, reached), position(stores, missed)) == (3, 0)
    tell(stores, sockets, signals(1, start=3), LATER)
    assert ids(sockets, "a") == ids(sockets, "b") == [1, 2, 3, 4]


def test_a_listener_that_is_lost_in_the_middle_goes_on_from_where_it_was() -> None:
    stores = memory_stores()

    class Weak(FakeSockets):
        """Takes two messages, then none for a while."""

        def send(self, connection_id: str, text: str) -> bool:
            if len(self.sent[connection_id]) == 2 and not self.rested:
                raise Unavailable("busy")
            return super().send(connection_id, text)

        rested = False

    sockets = Weak()
    listening(stores, "a")
    tell(stores, sockets, signals(5), LATER)
    assert position(stores, "a") == 2
    sockets.rested = True
    tell(stores, sockets, [], LATER)
    assert ids(sockets, "a") == [1, 2, 3, 4, 5]


def test_a_table_that_is_away_for_one_listener_costs_the_others_nothing() -> None:

    class Flaky(InMemoryConnections):
        """Cannot write one of its items."""

        def advance(self, subscription: Subscription, to: int) -> bool:
            if subscription.connection_id == "a":
                raise StoreUnavailable("throttled")
            return super().advance(subscription, to)

    stores, sockets = replace(memory_stores(), connections=Flaky()), FakeSockets()
    listening(stores, "a", "b")
    assert tell(stores, sockets, signals(2), LATER)["unreached"] == 1
    assert (position(stores, "a"), position(stores, "b")) == (0, 2)
    assert ids(sockets, "b") == [1, 2]


def test_who_was_told_meanwhile_by_another_is_not_told_again() -> None:
    stores = memory_stores()

    class Slow(FakeSockets):
        """While it sends its first message, another function tells everybody."""

        begun = False

        def send(self, connection_id: str, text: str) -> bool:
            if not self.begun:
                self.begun = True
                tell(stores, self, [], LATER)
            return super().send(connection_id, text)

    sockets = Slow()
    listening(stores, "a", "b", "c")
    assert tell(stores, sockets, signals(3), LATER)["sent"] == 3
    assert sorted(len(ids(sockets, name)) for name in ("a", "b", "c")) == [3, 3, 6]
    for name in ("a", "b", "c"):
        assert fresh(ids(sockets, name)) == [1, 2, 3]


def test_runs_at_the_same_time_go_through_the_listeners_in_different_orders_and_leave_out_nobody() -> None:
    orders = set[str]()
    for turn in (5, 6, 7, 8):
        stores, sockets = memory_stores(), FakeSockets()
        stores.feed.append(an_event())
        listening(stores, *"abcdefghij")
        assert deliver(stores, sockets, turn=turn)["sent"] == 10
        orders.add("".join(sockets.sent))
    assert len(orders) == 4


def test_a_long_catch_up_takes_turns_with_those_who_are_up_to_date() -> None:
    stores, order = memory_stores(), list[str]()

    class Noting(FakeSockets):
        """Notes whose turn it was."""

        def send(self, connection_id: str, text: str) -> bool:
            order.append(connection_id)
            return super().send(connection_id, text)

    sockets = Noting()
    for change in signals(3 * AT_ONCE):
        event = event_of(change, "simulated", NOON)
        assert event
        stores.feed.append(event)
    listening(stores, "new", position=0)
    listening(stores, "live", position=3 * AT_ONCE)
    tell(stores, sockets, signals(1, start=3 * AT_ONCE), LATER)
    assert order[0] == "live"
    assert ids(sockets, "new") == list(range(1, 3 * AT_ONCE + 2))
    assert ids(sockets, "live") == [3 * AT_ONCE + 1]


def test_when_time_runs_out_the_rest_is_told_with_the_next_event() -> None:
    stores, sockets = memory_stores(), FakeSockets()
    listening(stores, "a", "b")

    def first(count: int) -> Callable[[], bool]:
        left = iter([True] * count)
        return lambda: next(left, False)

    told = tell(stores, sockets, signals(4), LATER, first(5))
    assert (told["sent"], told["behind"]) == (5, 1)
    assert sorted((position(stores, "a"), position(stores, "b"))) == [1, 4]
    tell(stores, sockets, [], LATER)
    assert ids(sockets, "a") == ids(sockets, "b") == [1, 2, 3, 4]


@pytest.mark.parametrize("performed", [False, True])
@pytest.mark.parametrize("at", range(1, 8))
def test_a_crash_between_any_two_writes_and_a_retry_lose_and_reorder_nothing(at: int, performed: bool) -> None:
    stores, sockets = memory_stores(), FakeSockets()
    listening(stores, "a", "b")
    with pytest.raises(Crash):
        tell(CrashAfter(stores, at, performed=performed).stores, sockets, signals(5), LATER)
    tell(stores, sockets, signals(5), LATER)
    assert [entry.number for entry in stores.feed.after(0, 10)] == [1, 2, 3, 4, 5]
    for name in ("a", "b"):
        assert sorted({*ids(sockets, name)}) == [1, 2, 3, 4, 5]
        assert fresh(ids(sockets, name)) == [1, 2, 3, 4, 5]
        assert position(stores, name) == 5


def fresh(received: Iterable[int]) -> list[int]:
    """What a client keeps: every number above its last one."""
    kept = [0]
    for number in received:
        if number > kept[-1]:
            kept.append(number)
    return kept[1:]


def test_no_more_writes_are_there_to_crash_at() -> None:
    stores = memory_stores()
    listening(stores, "a", "b")
    counting = CrashAfter(stores)
    tell(counting.stores, FakeSockets(), signals(5), LATER)
    assert counting.writes == 5 + 2


def test_a_burst_reaches_five_hundred_listeners_side_by_side_in_order() -> None:
    stores, sockets = memory_stores(), FakeSockets()
    names = [f"client-{n:03d}" for n in range(500)]
    listening(stores, *names)
    with ThreadPoolExecutor(10) as pool:
        for start in range(0, 20, 5):
            told = tell(stores, sockets, signals(5, start), LATER, each=pool.map)
            assert told["sent"] == 5 * 500
    for name in names:
        assert ids(sockets, name) == list(range(1, 21))


def test_what_cannot_be_read_is_set_aside_and_the_rest_is_told() -> None:
    letters = FakeLetters()

    def decode(record: Mapping[str, Any]) -> Change | None:
        if record["n"] == 2:
            raise KeyError("NewImage")
        if record["n"] == 3:
            raise InvalidInput("a price of zero")
        return Change(a_signal(timestamp=NOON + record["n"] * MINUTE)) if record["n"] != 4 else None

    changes = changes_of([{"n": n} for n in range(1, 6)], decode, letters)
    assert [change.stored for change in changes] == [a_signal(timestamp=NOON + n * MINUTE) for n in (1, 5)]
    assert letters.kept == [({"n": 2}, "KeyError: 'NewImage'"), ({"n": 3}, "InvalidInput: a price of zero")]


def test_one_listener_catches_up_over_any_number_of_entries_and_gets_only_the_last_prices_of_each_stretch() -> None:
    stores, sockets = memory_stores(), FakeSockets()
    for n in range(250):
        stores.feed.append(an_event(key=f"prices#{n}", kind=Kind.MARKET, body={"prices": {"BTC/USDT": n}}))
        if n % 10 == 0:
            stores.feed.append(an_event(key=f"signal#{n}"))
    listening(stores, "a")
    listener = stores.connections.get("a")
    assert listener
    reached = catch_up(stores, sockets, listener)
    assert reached
    assert reached.position == stores.feed.head() == 275
    kinds = [message["type"] for message in sockets.messages("a")]
    assert (kinds.count("signal"), kinds.count("market_update")) == (25, 3)
    assert sockets.messages("a")[-1]["prices"] == {"BTC/USDT": 249}
