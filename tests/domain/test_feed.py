import json
from typing import Any

import pytest

from plumbline.domain.errors import InvalidInput
from plumbline.domain.feed import Entry, Event, Kind, Subscription, error, heartbeat, message, owed
from plumbline.domain.feed_requests import (
    EXAMPLES,
    MOST_BYTES,
    Ping,
    Subscribe,
    Unsubscribe,
    parse_request,
    without,
)
from tests.builders import NOON, an_event

EVERYTHING = Subscription(connection_id="a", position=0, expires_at=NOON, listening=True)


def a_listener(**changes: Any) -> Subscription:
    given: dict[str, Any] = {"connection_id": "a", "position": 0, "expires_at": NOON, "listening": True}
    return Subscription(**(given | changes))


def prices(*symbols: str) -> Event:
    body = {"prices": dict.fromkeys(symbols, 1.5)}
    return an_event(key="prices#1", kind=Kind.MARKET, symbols=symbols, channel_id=None, body=body)


def entries(*events: Event) -> list[Entry]:
    return [Entry(number, event) for number, event in enumerate(events, 1)]


@pytest.mark.parametrize(
    ("wanted", "is_wanted"),
    [
        ({}, True),
        ({"listening": False}, False),
        ({"symbols": frozenset({"BTC/USDT", "ETH/USDT"})}, True),
        ({"symbols": frozenset({"ETH/USDT"})}, False),
        ({"symbols": frozenset()}, False),
        ({"channels": frozenset({"momentum-alpha"})}, True),
        ({"channels": frozenset({"mean-revert"})}, False),
        ({"symbols": frozenset({"BTC/USDT"}), "channels": frozenset({"mean-revert"})}, False),
    ],
)
def test_an_event_goes_to_those_who_named_its_symbol_and_its_channel(wanted: dict[str, Any], is_wanted: bool) -> None:
    assert a_listener(**wanted).wants(an_event()) is is_wanted


def test_prices_have_no_channel_and_go_to_whoever_wants_one_of_their_symbols() -> None:
    assert a_listener(channels=frozenset()).wants(prices("BTC/USDT"))
    assert a_listener(symbols=frozenset({"BTC/USDT"})).wants(prices("BTC/USDT", "ETH/USDT"))
    assert not a_listener(symbols=frozenset({"ADA/USDT"})).wants(prices("BTC/USDT", "ETH/USDT"))


def test_of_many_prices_only_the_last_that_the_listener_wants_are_owed() -> None:
    feed = entries(prices("BTC/USDT"), an_event(), prices("BTC/USDT"), prices("ETH/USDT"), an_event())
    assert [entry.number for entry in owed(feed, EVERYTHING)] == [2, 4, 5]
    assert [entry.number for entry in owed(feed, a_listener(symbols=frozenset({"BTC/USDT"})))] == [2, 3, 5]


def test_a_message_names_its_place_in_the_feed_and_bears_the_mark_of_its_subscription() -> None:
    text = message(Entry(7, an_event(body={"signal": {"symbol": "BTC/USDT"}})), a_listener(ref="third"))
    assert json.loads(text) == {
        "type": "signal",
        "id": 7,
        "at": "2026-11-20T12:00:02Z",
        "ref": "third",
        "signal": {"symbol": "BTC/USDT"},
    }


def test_who_named_symbols_gets_their_prices_and_no_others() -> None:
    some = a_listener(symbols=frozenset({"ETH/USDT", "ADA/USDT"}))
    entry = Entry(7, prices("BTC/USDT", "ETH/USDT"))
    assert json.loads(message(entry, some))["prices"] == {"ETH/USDT": 1.5}
    assert json.loads(message(entry, EVERYTHING))["prices"] == {"BTC/USDT": 1.5, "ETH/USDT": 1.5}


def test_a_heartbeat_says_how_far_a_listener_was_told_and_claims_no_more_for_one_that_does_not_listen() -> None:
    told = json.loads(heartbeat(a_listener(position=40, ref=2), 41, NOON))
    assert told == {
        "type": "heartbeat",
        "id": 40,
        "at": "2026-11-20T12:00:00Z",
        "ref": 2,
        "newest": 41,
        "listening": True,
    }
    silent = json.loads(heartbeat(a_listener(position=12, listening=False), 41, NOON))
    assert (silent["id"], silent["newest"], silent["listening"]) == (12, 41, False)


def test_an_error_has_no_place_in_the_feed() -> None:
    told = json.loads(error("invalid", "there is no such thing", NOON, field="type"))
    assert told == {
        "type": "error",
        "at": "2026-11-20T12:00:00Z",
        "reason": "invalid",
        "detail": "there is no such thing",
        "field": "type",
    }


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES)
def test_every_example_is_understood(example: dict[str, Any]) -> None:
    wanted = {
        "ping": Ping(),
        "subscribe": Subscribe(symbols=("BTC/USDT",), channels=("momentum-alpha",), since=41, ref=1),
        "unsubscribe": Unsubscribe(symbols=("BTC/USDT",)),
    }
    assert parse_request(json.dumps(example)) == wanted[example["type"]]


def test_what_is_left_out_or_null_means_all() -> None:
    assert parse_request('{"type": "subscribe"}') == Subscribe()
    assert parse_request('{"type": "subscribe", "symbols": null, "channels": null, "since": null}') == Subscribe()
    assert parse_request('{"type": "unsubscribe"}') == Unsubscribe()
    assert parse_request('{"type": "subscribe", "symbols": []}') == Subscribe(symbols=())


def test_since_is_a_message_or_a_time() -> None:
    assert parse_request('{"type": "subscribe", "since": 0}') == Subscribe(since=0)
    assert parse_request('{"type": "subscribe", "since": "2026-11-20T12:00:00Z"}') == Subscribe(since_time=NOON)


def test_a_name_that_is_written_twice_counts_once() -> None:
    assert parse_request('{"type": "subscribe", "symbols": ["BTC", "ETH", "BTC"]}') == Subscribe(symbols=("BTC", "ETH"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "'' is not JSON"),
        ("ping", "'ping' is not JSON"),
        ("[" * 20_000, "is not JSON"),
        ('"ping"', "is not a JSON object"),
        ("{}", "unknown type None; valid are ping subscribe unsubscribe"),
        ('{"type": "pong"}', "unknown type 'pong'; valid are ping subscribe unsubscribe"),
        ('{"type": ["ping"]}', r"unknown type \['ping'\]"),
        ('{"type": "ping", "id": 1}', "ping has no field 'id'; it takes none"),
        ('{"type": "subscribe", "symbol": "BTC"}', "no field 'symbol'; it takes channels ref since symbols"),
        ('{"type": "unsubscribe", "since": 1}', "no field 'since'; it takes channels symbols"),
        ('{"type": "subscribe", "symbols": "BTC"}', "symbols 'BTC' must be a list of names"),
        ('{"type": "subscribe", "channels": [1]}', r"channels \[1\] must be a list of names"),
        ('{"type": "subscribe", "symbols": [""]}', r"symbols \[''\] must be a list of names"),
        ('{"type": "subscribe", "since": -1}', "since -1 must be the id of a message, such as 41, or a time"),
        ('{"type": "subscribe", "since": 1.5}', "since 1.5 must be"),
        ('{"type": "subscribe", "since": 9007199254740992}', "since 9007199254740992 must be"),
        ('{"type": "subscribe", "since": true}', "since True must be"),
        ('{"type": "subscribe", "since": "41"}', "since '41' must be"),
        ('{"type": "subscribe", "since": "2026-11-20T12:00:00"}', "since '2026-11-20T12:00:00' must be"),
        ('{"type": "subscribe", "since": "0001-01-01T00:00:00+14:00"}', "since '0001-01-01T00:00:00"),
        ('{"type": "subscribe", "ref": 1.5}', "ref 1.5 must be a whole number or a text of at most 64 characters"),
        ('{"type": "subscribe", "ref": true}', "ref True must be"),
        (json.dumps({"type": "subscribe", "ref": "r" * 65}), "ref 'rrr"),
        (json.dumps({"type": "subscribe", "symbols": ["B" * 65]}), "in symbols is longer than 64 characters"),
        (json.dumps({"type": "subscribe", "symbols": [str(n) for n in range(201)]}), "201 symbols are too many"),
        ("é" * (MOST_BYTES // 2 + 1), f"a message of {MOST_BYTES + 2} bytes is too long; at most {MOST_BYTES}"),
    ],
)
def test_what_cannot_be_understood_is_refused_with_what_is_valid(text: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        parse_request(text)


def test_a_refusal_repeats_no_more_of_a_message_than_a_person_reads() -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_request("x" * 30_000)
    assert len(str(refused.value)) < 200


def test_names_are_dropped_one_by_one_and_without_names_everything_is() -> None:
    some = a_listener(symbols=frozenset({"BTC/USDT", "ETH/USDT"}), channels=frozenset({"momentum-alpha"}))
    assert without(some, Unsubscribe(symbols=("ETH/USDT", "ADA/USDT"))) == (
        True,
        frozenset({"BTC/USDT"}),
        frozenset({"momentum-alpha"}),
    )
    assert without(some, Unsubscribe(channels=("momentum-alpha",)))[2] == frozenset()
    assert without(some, Unsubscribe()) == (False, None, None)


def test_one_name_of_all_cannot_be_dropped() -> None:
    with pytest.raises(InvalidInput, match="you listen to all symbols, of which single ones cannot be dropped"):
        without(EVERYTHING, Unsubscribe(symbols=("BTC/USDT",)))
