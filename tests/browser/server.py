"""The real API and the real live feed over stores in memory, on two ports of this machine."""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field, fields, replace
from functools import cache, cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Condition, Lock, Thread
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import Server, ServerConnection, serve

from plumbline.domain.calendar import HOUR, MINUTE
from plumbline.domain.feed import Change
from plumbline.pipeline.listening import connect, disconnect, hear
from plumbline.pipeline.telling import tell
from plumbline.ports import Stores
from tests.fakes import memory_stores
from tests.functions.gateway import Gateway, Reply, services, settings
from tests.world import START, a_stack, an_exchange, collect, generate, run, steps, track

DIST = Path(__file__).parents[2] / "infra" / "dashboard" / "dist"
STAGE = "/v1"
API = "/api/public/paper-trading/"
DAYS = 3
END = START + DAYS * 24 * HOUR


@cache
def _finished_world() -> Stores:
    stores, exchange = a_stack(), an_exchange(DAYS + 1)
    run(stores, exchange, steps(DAYS, HOUR))
    return stores


def a_record() -> Stores:
    """Three days of five simulated markets with every signal, trade and outcome; a copy of its own for each caller."""
    held, empty = _finished_world(), memory_stores()
    # The feed and its listeners have locks, which cannot be copied; nothing has been told yet.
    names = {store.name for store in fields(Stores)} - {"source", "feed", "connections"}
    return replace(empty, **deepcopy({name: getattr(held, name) for name in names}))


@dataclass
class Wire:
    """The sockets of the live feed's listeners, by connection id."""

    open: dict[str, ServerConnection] = field(default_factory=dict)

    def send(self, connection_id: str, text: str) -> bool:
        """As ports.Sockets."""
        try:
            self.open[connection_id].send(text)
        except (KeyError, ConnectionClosed):
            return False
        return True

    def close(self, connection_id: str) -> None:
        """As ports.Sockets."""
        if found := self.open.get(connection_id):
            found.close()


@dataclass
class Record:
    """A service that a test can move through time, break, and take the live feed from."""

    stores: Stores
    now: int = END
    changes: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the summary that the test wants otherwise."""
    failing: bool = False
    port: int = 0
    feed_port: int = 0
    wire: Wire = field(default_factory=Wire)
    heard: list[dict[str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)
    arrival: Condition = field(default_factory=Condition)

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def page(self) -> str:
        return f"{self.origin}{STAGE}/bot-performance"

    @cached_property
    def gateway(self) -> Gateway:
        """The app, with the address of the live feed where there is one when it is first asked."""
        feed = {"PLUMBLINE_FEED_URL": f"ws://127.0.0.1:{self.feed_port}/live"} if self.feed_port else {}
        fakes = services(self.stores, page=DIST)
        return Gateway(
            replace(fakes, settings=lambda: settings(**feed), now=lambda: self.now), claims=None, prefix=STAGE
        )

    def api(self, path: str) -> Any:
        """What the API answers there, as the page would read it."""
        return json.loads(self.answer(f"{API}{path}", {}).body)

    def answer(self, path: str, headers: Mapping[str, str]) -> Reply:
        """One request at a time: the app keeps the current one in itself, as a Lambda may."""
        with self.lock:
            if self.failing and path.startswith(API):
                return Reply(503, {"content-type": "application/problem+json"}, '{"detail": "a store is away"}')
            reply = self.gateway.get(path, **{name.lower(): value for name, value in headers.items()})
        if self.changes and path.startswith(f"{API}summary") and reply.status == 200:
            changed = json.dumps({**reply.json, **self.changes})
            return Reply(200, {"content-type": "application/json", "cache-control": "no-store"}, changed)
        return reply

    def pass_time(self, length: int) -> None:
        """Let the market go on for so long (ms), minute by minute, and tell the feed's listeners what came of it."""
        with self.lock:
            before, self.now = self.now, self.now + length
            known = {position.signal_id for position in self.stores.positions.all()}
            moments = range(before + MINUTE, self.now + 1, MINUTE)
            run(self.stores, an_exchange(DAYS + 1), moments, (collect, generate, track))
            opened = [p for p in self.stores.positions.all() if p.signal_id not in known]
            board = self.stores.positions.board()
            changes = [Change(stored=position) for position in opened]
            changes += [Change(stored=trade) for trade in self.stores.trades.closed_between(before, self.now)]
            changes += [Change(stored=board, replaced=True)] if board else []
            tell(self.stores, self.wire, changes, self.now)

    def hears(self, message: dict[str, Any]) -> bool:
        """Whether a listener has sent this, or sends it within a while."""
        with self.arrival:
            return self.arrival.wait_for(lambda: message in self.heard, timeout=20)

    def listen(self, socket: ServerConnection) -> None:
        """One listener's connection, as the function `live_feed` handles it."""
        connection_id = str(socket.id)
        self.wire.open[connection_id] = socket
        connect(self.stores, connection_id, self.now)
        for text in socket:
            with self.arrival:
                self.heard.append(json.loads(text))
                self.arrival.notify_all()
            with self.lock:
                hear(self.stores, self.wire, connection_id, str(text), self.now)
        disconnect(self.stores, connection_id)


@contextmanager
def http_server(record: Record) -> Iterator[None]:
    """Serve the API and the page until the end of the block."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            record.asked.append(self.path)
            path = self.path.removeprefix(STAGE)
            if not self.path.startswith(STAGE):
                reply = Reply(404, {}, "")
            else:
                reply = record.answer(path, {n: v for n, v in self.headers.items() if n.lower() in _PASSED_ON})
            body = reply.body.encode()
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            if reply.status != 304:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Nothing: the test says what it cares for."""

    server = _Server(("127.0.0.1", 0), Handler)
    record.port = server.server_port
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


_PASSED_ON = {"accept", "if-none-match"}


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A reader who leaves before the answer is there is no error."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def feed_server(record: Record, port: int = 0) -> Iterator[Server]:
    """Serve the live feed until the end of the block."""
    with serve(record.listen, "127.0.0.1", port) as server:
        record.feed_port = server.socket.getsockname()[1]
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
            for socket in list(record.wire.open.values()):
                socket.close()
