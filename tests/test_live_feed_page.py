"""The client in docs/live-feed.md, as it stands there, against a feed that keeps breaking the connection."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from websockets.asyncio.server import ServerConnection, serve

from plumbline.pipeline.listening import connect, disconnect, hear
from plumbline.pipeline.telling import tell
from plumbline.ports import Stores
from tests.builders import NOON, an_event
from tests.fakes import memory_stores
from tests.feed_fakes import FakeSockets

PAGE = (Path(__file__).parents[1] / "docs" / "live-feed.md").read_text()

type Follow = Callable[..., Awaitable[None]]


def client() -> Follow:
    """The function of the page."""
    (program,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(program, "docs/live-feed.md", "exec"), names)
    follow: Follow = names["follow"]
    return follow


def alone[T](talk: Coroutine[Any, Any, T]) -> T:
    """Run it in a thread of its own: the tests with a browser keep this thread's event loop."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, talk).result()


class Gateway:
    """Passes on what clients and functions say to each other; hangs up after `patience` messages."""

    def __init__(self, stores: Stores, patience: int) -> None:
        self.stores = stores
        self.patience = patience
        self.dialled = 0

    async def accept(self, socket: ServerConnection) -> None:
        self.dialled += 1
        name, sockets = f"client-{self.dialled}", FakeSockets()
        connect(self.stores, name, NOON)
        listening = asyncio.ensure_future(self._listen(socket, name, sockets))
        passed_on = 0
        while passed_on < self.patience and not listening.done():
            tell(self.stores, sockets, [], NOON)
            for text in sockets.sent[name][passed_on : self.patience]:
                await socket.send(text)
                passed_on += 1
            await asyncio.sleep(0.005)
        await socket.close()
        await listening
        disconnect(self.stores, name)

    async def _listen(self, socket: ServerConnection, name: str, sockets: FakeSockets) -> None:
        async for text in socket:
            hear(self.stores, sockets, name, str(text), NOON)


@asynccontextmanager
async def serving(gateway: Gateway) -> AsyncIterator[str]:
    async with serve(gateway.accept, "127.0.0.1", 0) as server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def happen(stores: Stores, count: int) -> None:
    for n in range(1, count + 1):
        stores.feed.append(an_event(key=f"signal#{n}", symbols=(("BTC/USDT", "ETH/USDT")[n % 2],)))


async def followed(stores: Stores, patience: int, enough: int, **wants: Any) -> tuple[list[Any], int]:
    """What the page's client makes of a feed in which things happen while it listens, and how often it had to dial."""
    gateway, told, done = Gateway(stores, patience), list[Any](), asyncio.Event()

    def handle(message: dict[str, Any]) -> None:
        told.append(message)
        if len(told) == enough:
            done.set()

    async with serving(gateway) as url:
        following = asyncio.ensure_future(client()(url, handle, **wants))
        while gateway.dialled == 0 or not any(each.listening for each in stores.connections.all()):
            if done.is_set():
                break
            await asyncio.sleep(0.005)
        happen(stores, 12)
        await asyncio.wait_for(done.wait(), 30)
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
    return told, gateway.dialled


def test_the_pages_client_comes_back_with_its_last_id_and_misses_nothing() -> None:
    stores = memory_stores()
    stores.feed.append(an_event(key="before"))
    told, dialled = alone(followed(stores, 5, 12))
    assert [message["id"] for message in told] == list(range(2, 14))
    assert dialled > 2


def test_the_pages_client_wants_what_it_names() -> None:
    told, _ = alone(followed(memory_stores(), 5, 6, symbols=["BTC/USDT"]))
    assert [message["id"] for message in told] == [2, 4, 6, 8, 10, 12]


def test_the_pages_client_hands_errors_on() -> None:
    told, _ = alone(followed(memory_stores(), 5, 1, symbols=["BTK"]))
    assert "no market catalogue is stored yet" in told[0]["detail"]


def test_every_message_that_the_page_shows_is_understood() -> None:
    shown = re.findall(r"^\| `(\{.*?\})` \|", PAGE, re.MULTILINE)
    assert len(shown) == 6
    stores, sockets = memory_stores(), FakeSockets()
    connect(stores, "a", NOON)
    for text in shown:
        hear(stores, sockets, "a", json.dumps(json.loads(text)), NOON)
    kinds = [message["type"] for message in sockets.messages("a")]
    assert kinds == ["heartbeat", "heartbeat", "error", "heartbeat", "heartbeat", "error", "heartbeat"]
