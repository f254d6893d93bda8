"""What the streams of the tables report, through moto's own streams and in the form of a Lambda event."""

import base64
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import boto3
import pytest
from botocore.config import Config
from mypy_boto3_dynamodb import DynamoDBClient

from plumbline.adapters.stores import stores_over
from plumbline.adapters.stores.changes import decode_change
from plumbline.adapters.tables import Tables
from plumbline.domain.signals import Signal
from plumbline.domain.trades import Board, Position, Profit, Status, Trade
from plumbline.ports import Stores
from tests.builders import NOON, a_position, a_signal, a_trade, an_outcome
from tests.contracts.conftest import PREFIX
from tests.contracts.wire import crash_at_write
from tests.fakes import Crash

BOARD = Board(as_of=NOON, open=1, unrealised_usd=Decimal("-0.5"), prices={"BTC/USDT": Decimal("42000.50")})
AMBIGUOUS = a_trade(
    status=Status.STOP, ambiguous=True, net_if_target=Profit(usd=Decimal("2.5"), pct=Decimal("2.5")), symbol="A/B"
)


def reported(client: DynamoDBClient, table: str) -> list[dict[str, Any]]:
    """Every record of a table's stream, as a Lambda function is handed it: JSON, with binary values in base64."""
    streams = boto3.client("dynamodbstreams", config=Config(account_id_endpoint_mode="disabled"))  # moto knows no other
    arn = client.describe_table(TableName=f"{PREFIX}-{table}")["Table"]["LatestStreamArn"]
    (shard,) = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
    start = streams.get_shard_iterator(StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON")
    records = streams.get_records(ShardIterator=start["ShardIterator"])["Records"]
    parsed: list[dict[str, Any]] = json.loads(json.dumps(records, default=_in_json))
    return parsed


def _in_json(value: object) -> str:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)


def changes(client: DynamoDBClient, source: str = "simulated") -> list[Signal | Position | Board | Trade]:
    """What the three streams say, in the domain's words."""
    records = [record for table in ("signals", "positions", "trades") for record in reported(client, table)]
    decoded = (decode_change(record, source) for record in records)
    return [change for change in decoded if change is not None]


@pytest.mark.parametrize(
    ("fact", "write"),
    [
        (a_signal(), lambda stores, fact: stores.signals.add(fact)),
        (a_signal(stop_loss=None, win_probability=0.5), lambda stores, fact: stores.signals.add(fact)),
        (a_position(), lambda stores, fact: stores.positions.put(fact)),
        (a_position(net_entry_price=None, take_profit=None), lambda stores, fact: stores.positions.put(fact)),
        (BOARD, lambda stores, fact: stores.positions.mark(fact)),
        (a_trade(), lambda stores, fact: stores.trades.add(fact)),
        (a_trade(status=Status.UNKNOWN), lambda stores, fact: stores.trades.add(fact)),
        (AMBIGUOUS, lambda stores, fact: stores.trades.add(fact)),
    ],
)
def test_what_was_written_is_reported_equal_in_every_field_and_once(
    client: DynamoDBClient, dynamo: Stores, fact: Any, write: Callable[[Stores, Any], object]
) -> None:
    write(dynamo, fact)
    assert changes(client) == [fact]
    assert changes(client, "binance") == changes(client, "sim") == []


def test_what_is_no_fact_is_not_reported(client: DynamoDBClient, dynamo: Stores) -> None:
    dynamo.signals.claim("social#42", a_signal().signal_id)
    dynamo.outcomes.add(an_outcome())
    assert changes(client) == []
    assert len(reported(client, "signals")) == 1


def test_writing_a_fact_again_reports_nothing(client: DynamoDBClient, dynamo: Stores) -> None:
    for _ in range(2):
        dynamo.signals.add(a_signal())
        dynamo.trades.add(a_trade())
    assert changes(client) == [a_signal(), a_trade()]


def test_a_removed_position_is_reported_without_an_image(client: DynamoDBClient, dynamo: Stores) -> None:
    dynamo.positions.put(a_position())
    dynamo.positions.remove(a_position().signal_id)
    names = [record["eventName"] for record in reported(client, "positions")]
    assert names == ["INSERT", "REMOVE"]
    assert changes(client) == [a_position()]


def test_a_trade_whose_listing_a_crash_prevented_is_reported_once(
    client: DynamoDBClient, tables: Tables, dynamo: Stores
) -> None:
    with crash_at_write(tables, 3), pytest.raises(Crash):
        dynamo.trades.add(a_trade())
    stores_over(tables, "simulated").trades.add(a_trade())
    assert changes(client) == [a_trade()]


def test_a_record_without_an_image_says_nothing() -> None:
    assert (
        decode_change({"eventName": "REMOVE", "dynamodb": {"Keys": {"pk": {"S": "simulated#open#1"}}}}, "simulated")
        is None
    )


@pytest.mark.parametrize(
    "pk",
    [
        "simulated#days",
        "simulated#closed",
        "simulated#closed#2026-11-20#1",
        "simulated#claim#0123",
        "simulated#2026-11-20#1#more",
        "simulated",
        "binance#2026-11-20#1",
        "simulated2#board",
        "",
    ],
)
def test_keys_of_anything_else_are_passed_over(pk: str) -> None:
    assert decode_change({"dynamodb": {"NewImage": {"pk": {"S": pk}, "sk": {"S": "now"}}}}, "simulated") is None
