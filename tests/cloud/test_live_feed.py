"""The live feed as it is deployed: real sockets, real streams, and as many clients as a machine of two cores bears."""

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from infra.local.cloud import Cloud
from infra.local.report import Reader
from infra.local.stack import Stack
from plumbline.domain.calendar import HOUR, MINUTE, day_of, iso, parse_instant
from plumbline.domain.signals import signal_id
from tests.cloud.conftest import END
from tests.cloud.listeners import Listener, come, hanging_up, leave, together

CROWD = 500
BURST = 4
"""Signals that every one of the crowd is told at once: the local gateway passes on some hundred messages a second."""

type Notify = Callable[[Sequence[int]], None]
"""Reports signals by their numbers, as a stream would."""


@pytest.fixture
def notify(stack: Stack, cloud: Cloud, events: Path) -> Notify:
    """Batches for the deployed `notify`: signals of no record, so that the other tests' facts stay as they are."""
    record = json.loads((events / "notify.json").read_text())["Records"][0]
    run = str(time.time_ns())

    def report(numbers: Sequence[int]) -> None:
        payload = json.dumps({"Records": [renamed(record, run, number) for number in numbers]})
        answer = cloud.functions.invoke(FunctionName=stack.functions["notify"], Payload=payload)
        assert "FunctionError" not in answer, answer["Payload"].read()

    return report


def renamed(record: dict[str, Any], run: str, number: int) -> dict[str, Any]:
    """The same signal of another minute, under an id that no run had before."""
    at = END + number * MINUTE
    key = {"pk": {"S": f"simulated#{day_of(at)}#0"}, "sk": {"S": signal_id(at, run)}}
    content = record["dynamodb"]
    return record | {"dynamodb": content | {"Keys": key, "NewImage": content["NewImage"] | key}}


@pytest.fixture
def listener(stack: Stack) -> Listener:
    return Listener(stack.feed_url)


def connections(cloud: Cloud, stack: Stack) -> int:
    pages = cloud.tables.get_paginator("scan").paginate(TableName=f"{stack.tables}-connections", Select="COUNT")
    return sum(page["Count"] for page in pages)


def test_all_that_the_replay_recorded_has_been_told(stack: Stack, listener: Listener) -> None:
    async def listen() -> None:
        async with hanging_up(listener):
            await listener.connect()
            await listener.subscribe(since=iso(END - 23 * HOUR))

    asyncio.run(listen())
    reader = Reader(stack, stack.tokens["user"])
    try:
        signals = {signal["signal_id"]: dict(signal) for signal in reader.signals()}
        trades = {trade["signal_id"]: dict(trade) for trade in reader.trades()}
    finally:
        reader.close()
    told = [event["signal"] for event in listener.events if event["type"] == "signal"]
    told = [signal for signal in told if parse_instant(signal["timestamp"]) <= END]
    updates = [event for event in listener.events if event["type"] == "position_update"]
    closed = [event["trade"] for event in updates if event["event"] == "closed"]
    assert told
    assert closed
    for trade in closed:
        assert trade == trades[trade["signal_id"]]
    of_trade = {"actual_outcome", "actual_profit_pct", "close_price", "closed_at"}
    for signal in told:
        recorded = signals[signal["signal_id"]]
        assert {k: v for k, v in signal.items() if k not in of_trade} == {
            k: v for k, v in recorded.items() if k not in {*of_trade, "outcomes"}
        }
    opened = {event["trade"]["signal_id"] for event in updates if event["event"] == "opened"}
    assert opened == {signal["signal_id"] for signal in told}
    assert sum(event["type"] == "market_update" for event in listener.events) == 1
    assert listener.ids == sorted({*listener.ids})


def test_a_message_that_makes_no_sense_is_answered_by_what_does(listener: Listener) -> None:
    async def talk() -> None:
        async with hanging_up(listener):
            await listener.connect()
            await listener.say(type="join")
            await listener.until(lambda: len(listener.errors) == 1)
            await listener.say(type="subscribe", symbols=["BTK"])
            await listener.until(lambda: len(listener.errors) == 2)

    asyncio.run(talk())
    unknown, near = (error["detail"] for error in listener.errors)
    assert "unknown type 'join'; valid are ping subscribe unsubscribe" in unknown
    assert "unknown symbol 'BTK'; did you mean BTC/USDT?" in near


def test_a_crowd_hears_a_burst_of_several_reporters_whole_and_in_one_order_and_comes_back_to_what_it_missed(
    stack: Stack, cloud: Cloud, notify: Notify
) -> None:
    numbers = iter(range(1, 10_000))

    def batch(size: int) -> list[int]:
        return [next(numbers) for _ in range(size)]

    async def burst() -> None:
        """Two reports at once, as the streams of several tables make them."""
        parts = [batch(BURST // 2) for _ in range(2)]
        await asyncio.gather(*(asyncio.to_thread(notify, part) for part in parts))

    crowd = [Listener(stack.feed_url) for _ in range(CROWD)]
    tunnel, others = crowd[::5], [listener for n, listener in enumerate(crowd) if n % 5]

    async def live() -> None:
        await together(crowd, come)
        await burst()
        await together(crowd, lambda one: one.until(lambda: len(one.events) == BURST))
        await leave(tunnel)
        await burst()
        await together(tunnel, come)
        await together(crowd, lambda one: one.until(lambda: len(one.events) == 2 * BURST))
        await leave(tunnel)
        await asyncio.to_thread(notify, batch(1))
        await together(others, lambda one: one.until(lambda: len(one.events) == 2 * BURST + 1))
        left = await asyncio.to_thread(connections, cloud, stack)
        assert left == len(others), "who hung up is forgotten"

    async def live_and_leave() -> None:
        async with hanging_up(*crowd):
            await live()

    asyncio.run(live_and_leave())
    longest = max((listener.ids for listener in crowd), key=len)
    assert longest == list(range(longest[0], longest[0] + 2 * BURST + 1))
    for listener in crowd:
        assert listener.ids == longest[: len(listener.ids)]
