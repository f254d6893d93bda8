"""Clients of the live feed: they come, say what they want, are told what they missed, and go."""

import json
from typing import Any

import pytest

from plumbline.domain.calendar import DAY, HOUR, MINUTE, day_of
from plumbline.domain.errors import Unavailable
from plumbline.domain.feed import CONNECTED_AT_MOST, KEPT, Kind
from plumbline.pipeline.delivering import AT_ONCE
from plumbline.pipeline.listening import connect, disconnect, hear
from plumbline.pipeline.telling import tell
from plumbline.ports import Stores, Universe
from tests.builders import NOON, an_event
from tests.fakes import memory_stores
from tests.feed_fakes import FakeSockets, InMemoryFeed

NOW = NOON + HOUR
MARKETS = ("ADA/USDT", "BTC/USDT", "ETH/USDT")


class Client:
    """One connection, and what came over it."""

    def __init__(self, stores: Stores, sockets: FakeSockets, name: str = "a") -> None:
        self.stores = stores
        self.sockets = sockets
        self.name = name
        self.read = 0
        connect(stores, name, NOW)

    def say(self, **message: Any) -> dict[str, int]:
        return hear(self.stores, self.sockets, self.name, json.dumps(message), NOW)

    def new(self) -> list[Any]:
        """What arrived since this was last asked."""
        messages = self.sockets.messages(self.name)[self.read :]
        self.read += len(messages)
        return messages

    def ids(self) -> list[int]:
        """Places in the feed of the events that arrived since."""
        return [message["id"] for message in self.new() if message["type"] not in ("heartbeat", "error")]


@pytest.fixture
def stores() -> Stores:
    """A stack with a catalogue of three markets and five events, of BTC and ETH in turn."""
    stores = memory_stores()
    stores.markets.add(Universe(day=day_of(NOW), markets=MARKETS, most_traded={}))
    happen(stores, 5)
    return stores


@pytest.fixture
def sockets() -> FakeSockets:
    return FakeSockets()


@pytest.fixture
def client(stores: Stores, sockets: FakeSockets) -> Client:
    return Client(stores, sockets)


def happen(stores: Stores, count: int, at: int = NOON) -> None:
    first = stores.feed.head() + 1
    for n in range(first, first + count):
        symbol = MARKETS[1 + (n + 1) % 2]
        stores.feed.append(an_event(key=f"signal#{n}", symbols=(symbol,), at=at + n * MINUTE))


def test_who_connects_is_sent_nothing_before_saying_what_they_want(
    stores: Stores, sockets: FakeSockets, client: Client
) -> None:
    happen(stores, 2)
    tell(stores, sockets, [], NOW)
    assert not client.new()
    found = stores.connections.get("a")
    assert found
    assert (found.position, found.expires_at) == (5, NOW + CONNECTED_AT_MOST)


def test_who_hangs_up_is_forgotten(stores: Stores, client: Client) -> None:
    disconnect(stores, "a")
    disconnect(stores, "a")
    assert stores.connections.get("a") is None


def test_a_ping_is_answered_by_a_heartbeat_with_the_newest_number(stores: Stores, client: Client) -> None:
    happen(stores, 2)
    assert client.say(type="ping") == {}
    (beat,) = client.new()
    assert (beat["type"], beat["newest"], beat["at"]) == ("heartbeat", 7, "2026-11-20T13:00:00Z")
    assert (beat["id"], beat["listening"]) == (5, False)


def test_a_subscription_begins_with_what_comes(stores: Stores, sockets: FakeSockets, client: Client) -> None:
    client.say(type="subscribe")
    (beat,) = client.new()
    assert (beat["type"], beat["id"]) == ("heartbeat", 5)
    assert (beat["listening"], beat["symbols"], beat["channels"]) == (True, None, None)
    happen(stores, 2)
    tell(stores, sockets, [], NOW)
    assert client.ids() == [6, 7]


def test_a_subscription_since_a_message_begins_with_what_was_missed(client: Client) -> None:
    client.say(type="subscribe", since=2)
    *events, beat = client.new()
    assert [event["id"] for event in events] == [3, 4, 5]
    assert (beat["type"], beat["id"]) == ("heartbeat", 5)


def test_a_subscription_since_a_time_begins_with_what_was_published_from_then_on(client: Client) -> None:
    client.say(type="subscribe", since="2026-11-20T12:04:00Z")
    assert client.ids() == [4, 5]


def test_a_subscription_since_now_or_later_misses_nothing(client: Client) -> None:
    client.say(type="subscribe", since=5)
    client.say(type="subscribe", since="2030-01-01T00:00:00Z")
    assert [message["type"] for message in client.new()] == ["heartbeat", "heartbeat"]


def test_a_subscription_is_to_the_symbols_and_channels_that_it_names(client: Client) -> None:
    client.say(type="subscribe", symbols=["ETH", "ADAUSDT"], channels=["momentum-alpha", "external"], since=0)
    *events, beat = client.new()
    assert [event["id"] for event in events] == [2, 4]
    assert beat["symbols"] == ["ADA/USDT", "ETH/USDT"]
    assert beat["channels"] == ["external", "momentum-alpha"]
    assert beat["id"] == 5


def test_a_new_subscription_takes_the_place_of_the_old_and_every_message_bears_its_mark(client: Client) -> None:
    client.say(type="subscribe", symbols=["BTC"], since=0, ref=1)
    client.say(type="subscribe", symbols=["ETH"], since=0, ref="second")
    assert [(message["ref"], message["id"]) for message in client.new()] == [
        *((1, 1), (1, 3), (1, 5), (1, 5)),
        *(("second", 2), ("second", 4), ("second", 5)),
    ]


def test_who_changes_a_subscription_is_still_owed_what_was_on_its_way(stores: Stores, client: Client) -> None:
    client.say(type="subscribe")
    happen(stores, 2)
    client.say(type="subscribe", symbols=["BTC"])
    assert client.ids() == [7]


def test_names_can_be_dropped_one_by_one(stores: Stores, sockets: FakeSockets, client: Client) -> None:
    client.say(type="subscribe", symbols=["BTC", "ETH"])
    client.say(type="unsubscribe", symbols=["BTCUSDT"])
    assert client.new()[-1]["symbols"] == ["ETH/USDT"]
    happen(stores, 3)
    tell(stores, sockets, [], NOW)
    assert client.ids() == [6, 8]


def test_a_name_that_no_catalogue_knows_any_more_can_be_dropped(stores: Stores, client: Client) -> None:
    client.say(type="subscribe", symbols=["BTC", "ETH"])
    stores.markets.add(Universe(day=day_of(NOW + DAY), markets=("ADA/USDT",), most_traded={}))
    hear(stores, client.sockets, "a", '{"type": "unsubscribe", "symbols": ["ETH/USDT"]}', NOW + DAY)
    assert client.new()[-1]["symbols"] == ["BTC/USDT"]


def test_unsubscribing_from_everything_ends_the_messages_and_keeps_the_connection(
    stores: Stores, sockets: FakeSockets, client: Client
) -> None:
    client.say(type="subscribe")
    client.say(type="unsubscribe")
    assert client.new()[-1]["listening"] is False
    happen(stores, 2)
    tell(stores, sockets, [], NOW)
    assert client.ids() == []
    client.say(type="ping")
    beat = client.new()[-1]
    assert (beat["id"], beat["newest"]) == (5, 7)


def test_one_symbol_of_all_cannot_be_dropped_and_nothing_changes(stores: Stores, client: Client) -> None:
    client.say(type="subscribe")
    assert client.say(type="unsubscribe", symbols=["BTC"]) == {"wrong": 1}
    problem = client.new()[-1]
    assert (problem["type"], problem["field"]) == ("error", "symbols")
    found = stores.connections.get("a")
    assert found
    assert found.symbols is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("hello", "'hello' is not JSON"),
        ("x" * 40_000, "too long"),
        ('{"type": "join"}', "unknown type 'join'; valid are ping subscribe unsubscribe"),
        ('{"type": "subscribe", "symbols": ["BTK"]}', "unknown symbol 'BTK'; did you mean BTC/USDT?"),
        ('{"type": "subscribe", "channels": ["momentum"]}', "no channel 'momentum'; there are "),
    ],
)
def test_a_message_that_makes_no_sense_is_answered_by_what_does(client: Client, text: str, said: str) -> None:
    assert hear(client.stores, client.sockets, "a", text, NOW) == {"wrong": 1}
    (problem,) = client.new()
    assert (problem["type"], problem["reason"]) == ("error", "invalid")
    assert said in problem["detail"]
    assert problem["example"]["type"] == "subscribe"
    found = client.stores.connections.get("a")
    assert found
    assert not found.listening


def test_the_near_matches_of_a_channel_are_all_there_are(client: Client) -> None:
    client.say(type="subscribe", channels=["momentum"])
    assert "external, " in client.new()[-1]["detail"]
    assert "momentum-alpha" in client.sockets.messages("a")[-1]["detail"]


def test_without_a_catalogue_a_symbol_is_taken_as_it_is_written(sockets: FakeSockets) -> None:
    client = Client(memory_stores(), sockets)
    client.say(type="subscribe", symbols=["btc/usdt"])
    assert client.new()[-1]["symbols"] == ["BTC/USDT"]
    client.say(type="subscribe", symbols=["BTC"])
    assert "no market catalogue is stored yet" in client.new()[-1]["detail"]


def test_who_asks_for_more_than_the_feed_keeps_is_told_so_and_gets_what_there_is(sockets: FakeSockets) -> None:
    stores = memory_stores()
    happen(stores, 5, NOW - KEPT - 3 * MINUTE)
    client = Client(stores, sockets)
    client.say(type="subscribe", since=0)
    problem, *events, beat = client.new()
    assert (problem["type"], problem["reason"], problem["oldest"]) == ("error", "since_too_old", 3)
    assert "kept for 24 hours and no longer holds all since 0; it goes on from 3" in problem["detail"]
    assert "/api/public/paper-trading/" in problem["detail"]
    assert [event["id"] for event in events] == [3, 4, 5]
    assert beat["id"] == 5
    client.say(type="subscribe", since="2026-11-19T12:00:00Z")
    problem, *events, beat = client.new()
    assert (problem["reason"], [event["id"] for event in events]) == ("since_too_old", [3, 4, 5])


def test_entries_that_are_gone_from_the_log_are_too_old_whatever_their_age(stores: Stores, client: Client) -> None:
    assert isinstance(stores.feed, InMemoryFeed)
    stores.feed.drop(3)
    client.say(type="subscribe", since=1)
    problem, *events, _ = client.new()
    assert (problem["reason"], problem["oldest"]) == ("since_too_old", 4)
    assert [event["id"] for event in events] == [4, 5]
    client.say(type="subscribe", since=3)
    assert [message["type"] for message in client.new()] == ["signal", "signal", "heartbeat"]
    client.say(type="subscribe", since="2026-11-18T12:00:00Z")
    assert [message["type"] for message in client.new()] == ["error", "signal", "signal", "heartbeat"]


def test_a_time_before_the_first_event_of_a_young_feed_is_not_too_old(client: Client) -> None:
    client.say(type="subscribe", since="2024-01-01T00:00:00Z")
    assert [message["type"] for message in client.new()] == ["signal"] * 5 + ["heartbeat"]


def test_who_comes_from_a_feed_that_was_begun_anew_is_told_so_and_gets_everything(client: Client) -> None:
    client.say(type="subscribe", since=900)
    problem, *events, _ = client.new()
    assert (problem["reason"], problem["oldest"]) == ("since_unknown", 1)
    assert "the feed is at 5 and never came to 900" in problem["detail"]
    assert [event["id"] for event in events] == [1, 2, 3, 4, 5]


def test_a_catch_up_that_takes_too_long_says_how_far_it_came_and_goes_on_with_the_next_ping(
    stores: Stores, client: Client
) -> None:
    happen(stores, 3 * AT_ONCE)
    left = iter([True] * 7)
    text = json.dumps({"type": "subscribe", "since": 0})
    hear(stores, client.sockets, "a", text, NOW, lambda: next(left, False))
    *events, beat = client.new()
    assert [event["id"] for event in events] == [1, 2, 3, 4, 5, 6]
    assert (beat["id"], beat["newest"]) == (6, 305)
    client.say(type="ping")
    *events, beat = client.new()
    assert [event["id"] for event in events] == list(range(7, 306))
    assert beat["id"] == 305


def test_prices_that_were_missed_are_told_once_at_their_last(stores: Stores, client: Client) -> None:
    for n in range(1, 4):
        body = {"prices": {"BTC/USDT": n, "ETH/USDT": -n}}
        event = an_event(key=f"prices#{n}", kind=Kind.MARKET, symbols=("BTC/USDT",), channel_id=None, body=body)
        stores.feed.append(event)
    client.say(type="subscribe", symbols=["BTC"], channels=[], since=0)
    (told,) = [message for message in client.new() if message["type"] != "heartbeat"]
    assert (told["id"], told["prices"]) == (8, {"BTC/USDT": 3})


def test_who_was_forgotten_and_yet_speaks_is_hung_up_on_so_that_they_come_again(
    stores: Stores, sockets: FakeSockets, client: Client
) -> None:
    disconnect(stores, "a")
    assert client.say(type="ping") == {"gone": 1}
    assert sockets.closed == ["a"]
    assert not client.new()


def test_who_is_gone_before_the_answer_is_forgotten(stores: Stores, sockets: FakeSockets, client: Client) -> None:
    client.say(type="subscribe")
    sockets.gone.add("a")
    assert client.say(type="ping") == {"gone": 1}
    assert stores.connections.get("a") is None
    client = Client(stores, sockets)
    assert client.say(type="nonsense") == {"wrong": 1, "gone": 1}
    assert stores.connections.get("a") is None
    client = Client(stores, sockets)
    assert client.say(type="subscribe", since=0) == {"gone": 1}
    assert stores.connections.get("a") is None


def test_a_busy_wire_loses_the_answer_but_not_what_is_owed(
    stores: Stores, sockets: FakeSockets, client: Client
) -> None:
    sockets.fail_with = [Unavailable("busy"), Unavailable("busy")]
    assert client.say(type="subscribe", since=0) == {"unreached": 1}
    assert not client.new()
    tell(stores, sockets, [], NOW)
    assert client.ids() == [1, 2, 3, 4, 5]


def test_a_heartbeat_claims_no_more_than_was_sent(sockets: FakeSockets, stores: Stores, client: Client) -> None:
    client.say(type="subscribe", since=0)
    happen(stores, 2)
    sockets.fail_with = [Unavailable("busy")]
    client.say(type="ping")
    assert client.new()[-1]["id"] == 5
