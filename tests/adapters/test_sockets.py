"""The wire to the listeners, against a small gateway on this machine: botocore's own client over real HTTP."""

import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import unquote

import pytest

from plumbline.adapters.sockets import FAN_OUT, GatewaySockets
from plumbline.domain.errors import Unavailable


class Gateway(ThreadingHTTPServer):
    """Answers like API Gateway. `refusals` holds (status, error) for coming requests; `delivered` what arrived."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.refusals: list[tuple[int, str]] = []
        self.delivered: list[tuple[str, str, str]] = []
        self.dialled = 0
        self.hangs_up_after: int | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/live"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Gateway

    def setup(self) -> None:
        super().setup()
        self.server.dialled += 1
        self.answered = 0

    def do_POST(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def _answer(self) -> None:
        text = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        if self.server.hangs_up_after == self.answered:
            self.close_connection = True
            return
        self.answered += 1
        status, error = self.server.refusals.pop(0) if self.server.refusals else (200, "")
        if not error:
            self.server.delivered.append((self.command, unquote(self.path), text))
        body = json.dumps({"message": error}).encode() if error else b""
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if error:
            self.send_header("x-amzn-ErrorType", error)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with Gateway() as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def sockets(gateway: Gateway) -> GatewaySockets:
    return GatewaySockets(gateway.url, region="us-east-1", pauses=(0.001, 0.001))


def test_a_message_arrives_as_it_was_written(gateway: Gateway, sockets: GatewaySockets) -> None:
    assert sockets.send("L0SM9cOFvHcCIhw=", '{"type":"signal","reasoning":["RSI ≤ 30"]}')
    assert gateway.delivered == [
        ("POST", "/live/@connections/L0SM9cOFvHcCIhw=", '{"type":"signal","reasoning":["RSI ≤ 30"]}')
    ]


@pytest.mark.parametrize(("status", "error"), [(410, "GoneException"), (400, "BadRequestException")])
def test_a_connection_that_is_gone_is_no_error(
    gateway: Gateway, sockets: GatewaySockets, status: int, error: str
) -> None:
    gateway.refusals = [(status, error)] * 2
    assert not sockets.send("a", "{}")
    sockets.close("a")
    assert not gateway.refusals


def test_a_connection_can_be_ended(gateway: Gateway, sockets: GatewaySockets) -> None:
    sockets.close("a")
    assert gateway.delivered == [("DELETE", "/live/@connections/a", "")]


@pytest.mark.parametrize("error", ["LimitExceededException", "TooManyRequestsException", "ThrottlingException"])
def test_a_busy_gateway_is_asked_again(gateway: Gateway, sockets: GatewaySockets, error: str) -> None:
    gateway.refusals = [(429, error)] * 2
    assert sockets.send("a", "{}")
    assert len(gateway.delivered) == 1


def test_a_gateway_that_stays_busy_is_unavailable(gateway: Gateway, sockets: GatewaySockets) -> None:
    gateway.refusals = [(429, "LimitExceededException")] * 3
    with pytest.raises(Unavailable, match="LimitExceededException"):
        sockets.send("a", "{}")
    assert sockets.send("a", "{}")


def test_what_the_gateway_forbids_is_unavailable_at_once(gateway: Gateway, sockets: GatewaySockets) -> None:
    gateway.refusals = [(403, "ForbiddenException")]
    with pytest.raises(Unavailable, match="refused with ForbiddenException"):
        sockets.send("a", "{}")


def test_a_message_that_is_too_large_is_left_out_and_logged(
    gateway: Gateway, sockets: GatewaySockets, caplog: pytest.LogCaptureFixture
) -> None:
    gateway.refusals = [(413, "PayloadTooLargeException")]
    assert sockets.send("a", "x" * 200_000)
    assert "a message of 200000 bytes is too large" in caplog.text
    assert len(caplog.text) < 1_000


def test_nobody_at_the_address_is_unavailable() -> None:
    away = GatewaySockets("http://127.0.0.1:1/live", region="us-east-1", pauses=(0.001,))
    with pytest.raises(Unavailable, match=r"the gateway at http://127\.0\.0\.1:1/live did not answer"):
        away.send("a", "{}")


def test_a_connection_that_broke_while_nobody_used_it_is_dialled_again(
    gateway: Gateway, sockets: GatewaySockets
) -> None:
    gateway.hangs_up_after = 1
    assert sockets.send("a", "1")
    assert sockets.send("a", "2")
    assert [text for _, _, text in gateway.delivered] == ["1", "2"]
    assert gateway.dialled == 2


def test_messages_sent_side_by_side_share_a_few_connections_and_none_is_lost(
    gateway: Gateway, sockets: GatewaySockets
) -> None:
    with ThreadPoolExecutor(FAN_OUT) as pool:
        sent = list(pool.map(lambda n: sockets.send(f"client-{n % 50}", str(n)), range(300)))
    assert all(sent)
    assert Counter(text for _, _, text in gateway.delivered) == Counter(map(str, range(300)))
    assert gateway.dialled <= FAN_OUT
