"""Of what is written to the streamed tables, the template passes on what the live feed can tell, and no more."""

import base64
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from infra.local.template import Resolver, default_parameters
from plumbline.adapters.stores.changes import decode_change
from plumbline.domain.trades import Board
from plumbline.ports import Stores
from tests.builders import NOON, a_position, a_signal, a_trade
from tests.contracts.conftest import PREFIX
from tests.test_template import MAPPINGS, RAW, STREAMED

MARKET = Resolver(RAW, default_parameters(RAW) | {"Stage": "test", "Exchange": "simulated"})


def passes(pattern: Mapping[str, Any], record: Mapping[str, Any]) -> bool:
    """Lambda's filter rules, as far as the template uses them."""
    return all(_matches(wanted, record.get(name)) for name, wanted in pattern.items())


def _matches(wanted: Any, value: Any) -> bool:
    if isinstance(wanted, dict):
        return isinstance(value, dict) and passes(wanted, value)
    return any(_meets(rule, value) for rule in wanted)


def _meets(rule: Any, value: Any) -> bool:
    match rule:
        case {"exists": present}:
            return (value is not None) is present
        case {"prefix": start}:
            return isinstance(value, str) and value.startswith(start)
        case _:
            return bool(rule == value)


def patterns(table: str) -> list[dict[str, Any]]:
    [name] = [name for name, mapping in MAPPINGS.items() if f".{table}StreamArn" in mapping["EventSourceArn"]]
    filters = MARKET.resolve(RAW["Resources"][name]["Properties"]["FilterCriteria"])["Filters"]
    return [json.loads(each["Pattern"]) for each in filters]


def records(client: DynamoDBClient, table: str, event: str) -> list[dict[str, Any]]:
    """What a stream would say of every item that lies in a table."""
    items = client.scan(TableName=f"{PREFIX}-{table.lower()}")["Items"]
    return [
        {
            "eventName": event,
            "dynamodb": {
                "Keys": {name: item[name] for name in ("pk", "sk")},
                **({"NewImage": {name: _text(value) for name, value in item.items()}} if event != "REMOVE" else {}),
            },
        }
        for item in items
    ]


def _text(value: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"B": base64.b64encode(value["B"]).decode()} if "B" in value else value


@pytest.fixture
def written(dynamo: Stores) -> None:
    """One of everything: facts, their lists and marks, state."""
    signal = a_signal()
    dynamo.signals.add(signal)
    dynamo.signals.claim("an outside name", signal.signal_id)
    dynamo.positions.put(a_position(signal))
    dynamo.positions.mark(Board(as_of=NOON, open=1, unrealised_usd=Decimal(0), prices={"BTC/USDT": Decimal(1)}))
    dynamo.trades.add(a_trade(a_position(signal)))


@pytest.mark.usefixtures("written")
@pytest.mark.parametrize(("table", "told", "untold"), [("Signals", 1, 2), ("Positions", 2, 0), ("Trades", 1, 2)])
def test_what_can_be_told_passes_and_lists_and_marks_do_not(
    client: DynamoDBClient, table: str, told: int, untold: int
) -> None:
    passed: list[bool] = []
    stopped: list[bool] = []
    for record in records(client, table, "INSERT"):
        known = decode_change(record, "simulated") is not None
        (passed if any(passes(pattern, record) for pattern in patterns(table)) else stopped).append(known)
    assert passed == [True] * told
    assert stopped == [False] * untold


@pytest.mark.usefixtures("written")
@pytest.mark.parametrize("table", STREAMED)
def test_what_is_removed_is_never_told(client: DynamoDBClient, table: str) -> None:
    removed = records(client, table, "REMOVE")
    assert removed
    assert not [record for record in removed if any(passes(pattern, record) for pattern in patterns(table))]


@pytest.mark.usefixtures("written")
def test_the_board_is_told_again_whenever_it_is_replaced(client: DynamoDBClient) -> None:
    replaced = records(client, "Positions", "MODIFY")
    assert all(any(passes(pattern, record) for pattern in patterns("Positions")) for record in replaced)
