"""Clients of the deployed live feed, many at once, each written as docs/live-feed.md says."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

DIALLING = 8
"""Requests made at one moment: the local cloud starts a process for each that finds all others busy."""

PATIENCE = 300.0
"""Seconds after which a test gives up waiting."""


class Listener:
    """One client, over any number of connections. `events` holds what it was told, each once."""

    def __init__(self, url: str, **wants: Any) -> None:
        self.events: list[dict[str, Any]] = []
        self.errors: list[dict[str, Any]] = []
        self.last = 0
        self._url = url
        self._wants = wants
        self._ref = 0
        self._answered = -1
        self._socket: ClientConnection | None = None
        self._reading: asyncio.Task[None] | None = None
        self._changed = asyncio.Condition()

    async def connect(self) -> None:
        """Dial, and read whatever comes from then on."""
        self._socket = await connect(self._url, open_timeout=PATIENCE, ping_interval=None, max_queue=None)
        self._reading = asyncio.create_task(self._read(self._socket))

    async def subscribe(self, since: int | str | None = None) -> None:
        """Say what is wanted, and wait until what was missed has been told."""
        self._ref += 1
        given = {} if since is None else {"since": since}
        await self.say(type="subscribe", ref=self._ref, **given, **self._wants)
        await self.until(lambda: self._answered == self._ref)

    async def say(self, **message: Any) -> None:
        assert self._socket
        await self._socket.send(json.dumps(message))

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait for something to have arrived; a failure shows what had."""
        try:
            async with asyncio.timeout(PATIENCE), self._changed:
                await self._changed.wait_for(true)
        except TimeoutError:
            raise AssertionError(f"after {PATIENCE} s: last {self.last}, {len(self.events)} events") from None

    async def hang_up(self) -> None:
        """Vanish without a word, as a phone in a tunnel does."""
        if self._socket and self._reading:
            self._socket.transport.abort()
            await self._reading
            self._socket = self._reading = None

    async def _read(self, socket: ClientConnection) -> None:
        try:
            async for text in socket:
                async with self._changed:
                    self._take(json.loads(text))
                    self._changed.notify_all()
        except ConnectionClosed:
            return

    def _take(self, message: dict[str, Any]) -> None:
        if message["type"] == "error":
            self.errors.append(message)
        elif message["ref"] == self._ref:
            if message["type"] == "heartbeat":
                self._answered = message["ref"]
            elif message["id"] > self.last:
                self.events.append(message)
            self.last = max(self.last, message["id"])

    @property
    def ids(self) -> list[int]:
        """Places in the feed of what it was told."""
        return [event["id"] for event in self.events]


async def together(listeners: Sequence[Listener], do: Callable[[Listener], Awaitable[None]]) -> None:
    """The same for each, a few at once."""
    gate = asyncio.Semaphore(DIALLING)

    async def one(listener: Listener) -> None:
        async with gate:
            await do(listener)

    async with asyncio.TaskGroup() as group:
        for listener in listeners:
            group.create_task(one(listener))


async def come(listener: Listener) -> None:
    """Connect and subscribe: to what comes, or, after the first time, to what was missed."""
    await listener.connect()
    await listener.subscribe(listener.last or None)


async def leave(listeners: Iterable[Listener]) -> None:
    """All of them hang up."""
    async with asyncio.TaskGroup() as group:
        for listener in listeners:
            group.create_task(listener.hang_up())


@asynccontextmanager
async def hanging_up(*listeners: Listener) -> AsyncIterator[None]:
    """Whatever happens in the block, at its end everybody has hung up."""
    try:
        yield
    finally:
        await leave(listeners)
