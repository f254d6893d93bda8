"""The same Idempotency-Key and body give the same answer; another body 422; one in flight 409."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from aws_lambda_powertools.utilities.idempotency.persistence.datarecord import DataRecord
from moto import mock_aws

from api.idempotency import stored_replies
from plumbline.ports import SignalFilter, Stores, Universe
from tests.fakes import Crash, CrashAfter, memory_stores
from tests.functions.gateway import OPERATOR, Gateway, InMemoryReplies, Reply, services
from tests.tables import create_tables

PATH = "/performance/track-signal"
ALERT = {
    "id": "a-1",
    "symbol": "BTC/USDT",
    "signal": "BUY",
    "price": 64250.5,
    "unified_score": 71,
    "scanner_type": "social",
}


class BrokenReplies(InMemoryReplies):
    """A table that does not answer."""

    def _put_record(self, data_record: DataRecord) -> None:
        raise ConnectionError("table of answers")


@pytest.fixture
def stores() -> Stores:
    stores = memory_stores()
    stores.markets.add(Universe(day="2026-11-20", markets=("BTC/USDT",), most_traded={}))
    return stores


@pytest.fixture
def replies() -> InMemoryReplies:
    return InMemoryReplies()


@pytest.fixture
def api(stores: Stores, replies: InMemoryReplies) -> Gateway:
    return Gateway(replace(services(stores), replies=lambda: replies), claims=OPERATOR)


def track(api: Gateway, key: str = "key-1", **changes: object) -> Reply:
    return api.post(PATH, ALERT | changes, idempotency_key=key)


def logged(stores: Stores) -> list[Any]:
    return list(stores.signals.page(SignalFilter(), 200).items)


def test_the_first_answer_is_given_again_to_the_byte(api: Gateway, stores: Stores) -> None:
    first, again = track(api), track(api)
    assert (first.status, again.status) == (201, 201)
    assert again.body == first.body
    assert "idempotent-replayed" not in first.headers
    assert again.headers == first.headers | {"idempotent-replayed": "true"}
    assert len(logged(stores)) == 1


def test_a_key_that_came_with_another_body_is_refused(api: Gateway, stores: Stores) -> None:
    track(api)
    reply = track(api, id="a-2")
    assert reply.status == 422
    assert [fault["field"] for fault in reply.json["errors"]] == ["Idempotency-Key"]
    assert len(logged(stores)) == 1


def test_a_request_that_is_still_at_work_makes_its_twin_wait(stores: Stores, replies: InMemoryReplies) -> None:
    twins: list[Reply] = []

    class Slow:
        """A log during whose write the same request arrives once more, at another container."""

        def __getattr__(self, name: str) -> Any:
            return getattr(stores.signals, name)

        def add(self, signal: Any) -> bool:
            twins.append(track(Gateway(asked, claims=OPERATOR)))
            return stores.signals.add(signal)

    asked = replace(services(replace(stores, signals=Slow())), replies=lambda: replies)
    first = track(Gateway(asked, claims=OPERATOR))
    [twin] = twins
    assert (first.status, twin.status) == (201, 409)
    assert twin.headers["retry-after"] == "1"


def test_a_request_that_was_refused_may_be_tried_again_under_its_key(api: Gateway, stores: Stores) -> None:
    assert track(api, symbol="BTX").status == 422
    reply = track(api, symbol="BTC")
    assert reply.status == 201
    assert "idempotent-replayed" not in reply.headers


def test_a_container_that_dies_between_writes_leaves_a_retry_the_same_record(
    stores: Stores, replies: InMemoryReplies
) -> None:
    dying = CrashAfter(stores, at=2, performed=True)
    with pytest.raises(Crash):
        track(Gateway(replace(services(dying.stores), replies=lambda: replies), claims=OPERATOR))
    replies.records.clear()  # its lock runs out with the function's time
    retry = track(Gateway(replace(services(stores), replies=lambda: replies), claims=OPERATOR))
    assert retry.status in {200, 201}
    assert len(logged(stores)) == 1


def test_nobody_meets_the_answer_of_another_caller(api: Gateway, stores: Stores) -> None:
    track(api)
    other = track(api.by(OPERATOR | {"sub": "another-operator"}))
    assert other.status == 200
    assert "idempotent-replayed" not in other.headers


@pytest.mark.parametrize("key", ["", "two words", "ü", "x" * 256])
def test_a_key_must_be_one_to_255_visible_characters(api: Gateway, key: str) -> None:
    reply = track(api, key)
    assert reply.status == 422
    assert [fault["field"] for fault in reply.json["errors"]] == ["Idempotency-Key"]


def test_a_table_of_answers_that_is_away_stops_the_call_before_it_writes(stores: Stores) -> None:
    api = Gateway(replace(services(stores), replies=BrokenReplies), claims=OPERATOR)
    reply = track(api)
    assert reply.status == 503
    assert "table of answers" not in reply.json["detail"].replace("the table of idempotent answers", "")
    assert logged(stores) == []


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The table as the stack declares it."""
    credentials = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
    for name, value in credentials.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        create_tables(boto3.client("dynamodb"), "plumbline-test")
        yield "plumbline-test-idempotency"


def test_the_same_holds_over_dynamodb(stores: Stores, table: str) -> None:
    stored_replies.cache_clear()
    api = Gateway(replace(services(stores), replies=lambda: stored_replies(table)), claims=OPERATOR)
    first, again, other = track(api), track(api), track(api, price=1.0)
    assert (first.status, again.status, other.status) == (201, 201, 422)
    assert (again.body, again.headers["idempotent-replayed"]) == (first.body, "true")
    [item] = boto3.client("dynamodb").scan(TableName=table)["Items"]
    assert item.keys() >= {"id", "expiration", "status", "data"}
