"""The exchange over HTTP: Binance's paths for its clients, `/_simulated/` for whoever runs the replay or a test."""

import json
import socket
import sys
from collections import deque
from email.utils import formatdate
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from infra.local.exchange.admin import manage
from infra.local.exchange.binance import Refused, answer
from infra.local.exchange.faults import REFUSALS, ROWS, Fault, Faults
from infra.local.exchange.market import Market
from infra.local.exchange.venue import Hole, Venue
from plumbline.domain.errors import InvalidInput

ADMIN = "/_simulated/"
REMEMBERED = 10_000
PAGE = b"<!DOCTYPE html><html><head><title>Just a moment...</title></head><body>Under maintenance.</body></html>"


class ExchangeServer:
    """The simulated exchange on a port of this machine; 0 takes a free one. Use it as a context manager."""

    def __init__(self, market: Market, *, host: str = "127.0.0.1", port: int = 0, now: int | None = None) -> None:
        self.venue = Venue(market)
        self.venue.set_clock(now)
        self.faults = Faults()
        self.requests: deque[tuple[str, dict[str, str]]] = deque(maxlen=REMEMBERED)
        """Path and parameters of what clients asked, oldest first."""
        self.stopping = Event()
        self._http = _Server((host, port), self)
        self._thread = Thread(target=self._http.serve_forever, args=(0.01,), name="exchange", daemon=True)

    @property
    def url(self) -> str:
        """Where it answers, without a slash at the end."""
        host, port = self._http.server_address[:2]
        return f"http://{host!s}:{port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopping.set()
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    def serve_forever(self) -> None:
        """Serve in this thread until interrupted."""
        try:
            self._http.serve_forever()
        finally:
            self.stopping.set()
            self._http.server_close()

    def set_clock(self, now: int | None) -> None:
        """Set the exchange's time (ms); None lets it follow the wall clock."""
        self.venue.set_clock(now)

    def fail(
        self,
        kind: str,
        path: str = "",
        *,
        symbol: str = "",
        interval: str = "",
        times: int | None = 1,
        skip: int = 0,
        retry_after: float | str | None = None,
    ) -> None:
        """Let the next `times` matching requests, after `skip` that pass, meet this fault (`faults.KINDS`)."""
        self.faults.add(
            Fault(
                kind=kind,
                path=path,
                symbol=symbol,
                interval=interval,
                times=times,
                skip=skip,
                retry_after=retry_after,
            )
        )

    def take_away(self, symbol: str, start: int, end: int) -> None:
        """Lose the candles of `BTC/USDT` that open in [start, end) until `give_back`."""
        self.venue.take_away(Hole(symbol, start, end))

    def give_back(self, symbol: str | None = None) -> None:
        """Fill the holes of one symbol, or all."""
        self.venue.give_back(symbol)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], exchange: ExchangeServer) -> None:
        self.exchange = exchange
        self._open: set[socket.socket] = set()
        self._lock = Lock()
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up is no error of ours."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def server_close(self) -> None:
        """Hang up on clients that keep their connection alive, or their threads would wait for them."""
        super().server_close()
        with self._lock:
            for connection in self._open:
                _hang_up(connection)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # header and body leave in one packet: two would wait for the client's acknowledgement
    server: _Server

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base's name; silence is wanted
        pass

    def _serve(self) -> None:
        exchange = self.server.exchange
        parts = urlsplit(self.path)
        query = dict(parse_qsl(parts.query))
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if parts.path.startswith(ADMIN):
            status, value = manage(exchange, self.command, parts.path.removeprefix(ADMIN), query, body)
            self._send(status, json.dumps(value).encode(), exchange.venue.now)
            return
        exchange.requests.append((parts.path, query))
        # Read once and first: what the answer holds is never older than its Date says.
        now = exchange.venue.now
        fault = exchange.faults.next(parts.path, query)
        if fault and fault.kind in REFUSALS:
            status, code, message = REFUSALS[fault.kind]
            self._send(status, json.dumps({"code": code, "msg": message}).encode(), now, fault.retry_after)
            return
        status, content = self._content(parts.path, query, now, fault)
        if fault and fault.kind not in ROWS:
            self._spoil(fault, content, now)
        else:
            self._send(status, content, now)

    def _content(self, path: str, query: dict[str, str], now: int, fault: Fault | None) -> tuple[int, bytes]:
        try:
            value = answer(self.server.exchange.venue, path, query, now)
        except Refused as refused:
            return refused.status, json.dumps(refused.body).encode()
        except InvalidInput as bad_file:
            return HTTPStatus.INTERNAL_SERVER_ERROR, json.dumps({"code": -1000, "msg": str(bad_file)}).encode()
        if fault and fault.kind in ROWS:
            value = ROWS[fault.kind](value)
        return HTTPStatus.OK, json.dumps(value, separators=(",", ":")).encode()

    def _spoil(self, fault: Fault, content: bytes, now: int) -> None:
        match fault.kind:
            case "html":
                self._send(HTTPStatus.OK, PAGE, now, kind="text/html")
            case "half":
                self._send(HTTPStatus.OK, content[: len(content) // 2], now)
            case "empty":
                self._send(HTTPStatus.OK, b"", now)
            case "null":
                self._send(HTTPStatus.OK, b"null", now)
            case "not_a_list":
                self._send(HTTPStatus.OK, b"{}", now)
            case "cut":
                self._send(HTTPStatus.OK, content[: len(content) // 2], now, length=len(content))
                self.close_connection = True
            case _:  # hang, drop
                if fault.kind == "hang":
                    self.server.exchange.stopping.wait(fault.seconds)
                self.close_connection = True

    def _send(
        self,
        status: int,
        content: bytes,
        now: int,
        retry_after: float | str | None = None,
        *,
        kind: str = "application/json;charset=UTF-8",
        length: int | None = None,
    ) -> None:
        self.send_response_only(status)
        self.send_header("Date", formatdate(now // 1000, usegmt=True))
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content) if length is None else length))
        self.send_header("X-Plumbline-Source", self.server.exchange.venue.market.source)
        if retry_after is not None:
            self.send_header("Retry-After", str(retry_after))
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()


def _hang_up(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # the client was faster
