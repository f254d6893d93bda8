"""The live feed through the local cloud: how many messages a second reach how many clients over real sockets."""

import asyncio
import json
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from infra.local import lifecycle
from infra.local.cloud import Cloud
from infra.local.processes import free_port
from infra.local.stack import Stack
from infra.local.workspace import Workspace
from tests.cloud.listeners import Listener, hanging_up, together
from tests.cloud.test_live_feed import renamed

CROWDS = (1, 50, 200, 500)
UPDATES = 10
RECORD = json.loads((Path(__file__).parents[1] / "events" / "notify.json").read_text())["Records"][0]


def lines() -> Iterator[str]:
    """One row for each size of the crowd: how fast it comes, and how fast it is told."""
    yield f"MiniStack on this machine, gateway and functions included; a batch of {UPDATES} signals told to everybody"
    yield ""
    yield "| clients | connected and subscribed, a second | updates a second | messages a second |"
    yield "|---|---|---|---|"
    with _deployed() as stack, Cloud(stack.aws_endpoint) as cloud:
        for clients in CROWDS:
            coming, telling = asyncio.run(_measure(stack, cloud, clients))
            updates = UPDATES / telling
            yield f"| {clients} | {clients / coming:.0f} | {updates:.1f} | {updates * clients:.0f} |"


async def _measure(stack: Stack, cloud: Cloud, clients: int) -> tuple[float, float]:
    """Seconds until the whole crowd listens, and from the batch's report until the last client has all of it."""
    crowd = [Listener(stack.feed_url) for _ in range(clients)]
    run = f"bench {clients}"

    def report(first: int, count: int) -> None:
        records = [renamed(RECORD, run, number) for number in range(first, first + count)]
        cloud.functions.invoke(FunctionName=stack.functions["notify"], Payload=json.dumps({"Records": records}))

    async with hanging_up(*crowd):
        began = time.perf_counter()
        await together(crowd, Listener.connect)
        await together(crowd, Listener.subscribe)
        coming = time.perf_counter() - began
        await asyncio.to_thread(report, 0, 1)  # what a first call costs is no matter of the crowd
        await together(crowd, lambda listener: listener.until(lambda: len(listener.events) == 1))
        began = time.perf_counter()
        await asyncio.to_thread(report, 1, UPDATES)
        await together(crowd, lambda listener: listener.until(lambda: len(listener.events) == 1 + UPDATES))
        return coming, time.perf_counter() - began


@contextmanager
def _deployed() -> Iterator[Stack]:
    """The template on a local cloud of its own, gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        ports = {"PLUMBLINE_PORT": str(free_port(0)), "PLUMBLINE_EXCHANGE_PORT": str(free_port(0))}
        workspace = replace(Workspace.of(os.environ | ports), state=Path(folder))
        try:
            yield lifecycle.up(workspace, lifecycle.Options(exchange="simulated", schedules=False), lambda _: None)
        finally:
            lifecycle.down(workspace)
