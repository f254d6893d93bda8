"""The live feed's functions, called as Lambda calls them: by the tables' streams and by clients."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import live_feed
import notify
from plumbline import wiring
from plumbline.adapters.stores.changes import decode_change
from plumbline.domain.calendar import HOUR
from plumbline.domain.errors import SettingsError
from plumbline.domain.feed import Change
from plumbline.observability import brief
from plumbline.ports import Stores
from plumbline.wiring import App, FeedWires
from tests.builders import NOON
from tests.fakes import memory_stores
from tests.feed_fakes import FakeLetters, FakeSockets
from tests.functions.test_handlers import Context
from tests.world import SETTINGS, an_exchange

EVENTS = Path(__file__).parent.parent / "events"
BATCH: dict[str, Any] = json.loads((EVENTS / "notify.json").read_text())
MESSAGE: dict[str, Any] = json.loads((EVENTS / "live_feed.json").read_text())
CLIENT: str = MESSAGE["requestContext"]["connectionId"]


class Stack:
    """An app over fakes, and what it sent."""

    def __init__(self) -> None:
        self.stores: Stores = memory_stores()
        self.sockets = FakeSockets()
        self.letters = FakeLetters()
        self.app = App(SETTINGS, self.stores, an_exchange, feed=self.wires)

    def wires(self) -> FeedWires:
        return FeedWires(self.sockets, self.letters, decode, lambda: NOON + HOUR)

    def report(self, *records: Mapping[str, Any]) -> dict[str, Any]:
        return notify.handler({"Records": list(records)}, Context(), self.app)

    def client(self, route: str, message: str | None = None) -> dict[str, Any]:
        context = MESSAGE["requestContext"] | {"routeKey": route}
        return live_feed.handler(MESSAGE | {"requestContext": context, "body": message}, Context(), self.app)

    def messages(self) -> list[Any]:
        return self.sockets.messages(CLIENT)


def decode(record: Mapping[str, Any]) -> Change | None:
    """As the wiring does it, for the market of these events."""
    stored = decode_change(record, "simulated")
    return None if stored is None else Change(stored, replaced=record["eventName"] == "MODIFY")


def test_a_batch_of_the_streams_becomes_messages_to_whoever_listens() -> None:
    stack = Stack()
    assert stack.client("$connect") == {"statusCode": 200}
    stack.client("$default", '{"type": "subscribe"}')
    told = stack.report(*BATCH["Records"])
    assert told == {"events": 5, "sent": 5, "gone": 0, "unreached": 0, "behind": 0}
    assert [(message["type"], message.get("event")) for message in stack.messages()[1:]] == [
        ("signal", None),
        ("position_update", "opened"),
        ("position_update", "entered"),
        ("market_update", None),
        ("position_update", "closed"),
    ]
    assert [message["id"] for message in stack.messages()[1:]] == [1, 2, 3, 4, 5]
    assert {message["at"] for message in stack.messages()} == {"2026-11-20T13:00:00Z"}
    assert not stack.letters.kept


def test_the_same_batch_again_is_no_news() -> None:
    stack = Stack()
    stack.report(*BATCH["Records"])
    assert stack.report(*BATCH["Records"])["events"] == 0


def test_a_record_that_cannot_be_read_is_set_aside_and_holds_nothing_up() -> None:
    stack = Stack()
    first, *others = BATCH["Records"]
    image = first["dynamodb"]["NewImage"] | {"z": {"B": "bm90IGNvbXByZXNzZWQ="}}
    broken = first | {"dynamodb": first["dynamodb"] | {"NewImage": image}}
    assert stack.report(broken, *others)["events"] == 4
    ((letter, reason),) = stack.letters.kept
    assert letter == broken
    assert reason.startswith("error: ")


def test_what_is_deleted_is_no_news() -> None:
    record = BATCH["Records"][1]
    removed = record | {"eventName": "REMOVE", "dynamodb": {"Keys": record["dynamodb"]["Keys"]}}
    assert Stack().report(removed)["events"] == 0


def test_a_message_is_answered_by_message_and_the_gateway_hears_no_more_than_that_it_worked() -> None:
    stack = Stack()
    stack.client("$connect")
    assert live_feed.handler(MESSAGE, Context(), stack.app) == {"statusCode": 200}
    assert stack.client("$default", "nonsense") == {"statusCode": 200}
    assert stack.client("$default") == {"statusCode": 200}
    assert [message["type"] for message in stack.messages()] == ["heartbeat", "error", "error"]


def test_who_hangs_up_is_told_nothing_more() -> None:
    stack = Stack()
    stack.client("$connect")
    stack.client("$default", '{"type": "subscribe"}')
    assert stack.client("$disconnect") == {"statusCode": 200}
    assert stack.report(*BATCH["Records"])["sent"] == 0


def test_a_catch_up_ends_before_lambda_ends_it() -> None:
    stack = Stack()
    stack.report(*BATCH["Records"])
    stack.client("$connect")
    late = Context(remaining=14_000)
    live_feed.handler(MESSAGE | {"body": '{"type": "subscribe", "since": 0}'}, late, stack.app)
    (beat,) = stack.messages()
    assert (beat["id"], beat["newest"]) == (0, 5)


def test_the_log_holds_neither_batches_nor_whole_messages_nor_addresses(caplog: pytest.LogCaptureFixture) -> None:
    stack = Stack()
    stack.client("$connect")
    stack.client("$default", "x" * 5_000)
    stack.report(*BATCH["Records"])
    logged = [vars(record)["event"] for record in caplog.records]
    assert logged == [
        {"route": "$connect", "connection": CLIENT, "body": ""},
        {"route": "$default", "connection": CLIENT, "body": "x" * 200},
        {"records": 6},
    ]
    assert brief({"time": "2026-11-20T12:00:00Z"}) == {"time": "2026-11-20T12:00:00Z"}


def test_the_wired_feed_reads_the_streams_of_its_own_market(monkeypatch: pytest.MonkeyPatch) -> None:
    names = {"STAGE": "test", "TABLES": "test", "EXCHANGE": "simulated", "EXCHANGE_URL": "http://127.0.0.1"}
    for name, value in (names | {"SOCKETS_ENDPOINT": "http://127.0.0.1/live"}).items():
        monkeypatch.setenv(f"PLUMBLINE_{name}", value)
    wiring.settings.cache_clear()
    wiring.feed.cache_clear()
    try:
        wires = wiring.feed()
        read = [wires.decode(record) for record in BATCH["Records"]]
        assert [change and change.replaced for change in read] == [False, False, True, False, False, None]
        assert list(wires.each(len, ["a", "bb"])) == [1, 2]
        monkeypatch.delenv("PLUMBLINE_SOCKETS_ENDPOINT")
        wiring.settings.cache_clear()
        wiring.feed.cache_clear()
        with pytest.raises(SettingsError, match="PLUMBLINE_SOCKETS_ENDPOINT is missing"):
            wiring.feed()
    finally:
        wiring.settings.cache_clear()
        wiring.feed.cache_clear()


def test_an_app_without_a_feed_says_what_it_lacks() -> None:
    with pytest.raises(SettingsError, match="built without a live feed"):
        App(SETTINGS, memory_stores(), an_exchange).feed()
