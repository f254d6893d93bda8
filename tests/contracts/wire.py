"""Between PynamoDB and DynamoDB: botocore's own events, to answer in DynamoDB's place, to interfere, or to crash."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from plumbline.adapters.tables import Tables
from tests.fakes import Crash

type Answer = tuple[AWSResponse, dict[str, Any]]

WRITES = ("PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems")


@contextmanager
def before(tables: Tables, operation: str, act: Callable[[int], Answer | None]) -> Iterator[list[str]]:
    """Call `act` with 1, 2, … before each such request; what it returns is the answer. Yields the requests made."""
    events: Any = tables.connection.client.meta.events  # its stubs know no hooks that answer
    made = list[str]()

    def hook(model: Any, **_: Any) -> Answer | None:
        made.append(model.name)
        return act(len(made))

    event = f"before-call.dynamodb.{operation}" if operation else "before-call.dynamodb"
    events.register_first(event, hook)
    try:
        yield made
    finally:
        events.unregister(event, hook)


def answer(content: dict[str, Any]) -> Answer:
    """A good answer."""
    return AWSResponse("https://dynamodb", 200, HTTPHeaders(), None), content


def error(code: str, status: int = 400) -> Answer:
    """DynamoDB's refusal with this code."""
    return AWSResponse("https://dynamodb", status, HTTPHeaders(), None), {
        "Error": {"Code": code, "Message": "as the test wants"}
    }


@contextmanager
def crash_at_write(tables: Tables, at: int | None, *, performed: bool = False) -> Iterator[list[str]]:
    """Die at write request `at`: before it leaves, or after it was done and before anybody hears of it."""
    events, made = tables.connection.client.meta.events, list[str]()

    def hook(model: Any, **_: Any) -> None:
        if model.name in WRITES:
            made.append(model.name)
            if len(made) == at:
                raise Crash(f"at write {at}: {model.name}")

    event = "after-call.dynamodb" if performed else "before-call.dynamodb"
    events.register_first(event, hook)
    try:
        yield made
    finally:
        events.unregister(event, hook)
