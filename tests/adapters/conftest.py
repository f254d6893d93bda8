"""A market on this machine for the adapters' tests: one simulation for all of them, a server for each."""

import http.client
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from infra.local.exchange import ExchangeServer, SimulatedMarket
from plumbline.domain.calendar import parse_instant

NOON = parse_instant("2024-01-15T12:30:00Z")
"""When these tests look at the market: inside an hour, a 4h candle and a day, on the edge of a minute."""


class Caller:
    """Plain HTTP to a server, for what ccxt would hide."""

    def __init__(self, server: ExchangeServer) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=10)

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any, dict[str, str]]:
        self._connection.request(method, path, json.dumps(body) if body is not None else None)
        answer = self._connection.getresponse()
        return answer.status, json.loads(answer.read()), dict(answer.getheaders())

    def get(self, path: str, **query: object) -> Any:
        status, value, _ = self.ask("GET", f"{path}?{urlencode(query)}")
        assert status == 200, value
        return value

    def klines(self, **query: object) -> list[list[Any]]:
        rows: list[list[Any]] = self.get("/api/v3/klines", **({"symbol": "BTCUSDT", "interval": "1m"} | query))
        return rows

    def refused(self, path: str, **query: object) -> tuple[int, int]:
        status, value, _ = self.ask("GET", f"{path}?{urlencode(query)}")
        return status, value["code"]

    def close(self) -> None:
        self._connection.close()


@pytest.fixture(scope="session")
def simulated_market() -> SimulatedMarket:
    return SimulatedMarket(7)


@pytest.fixture
def server(simulated_market: SimulatedMarket) -> Iterator[ExchangeServer]:
    with ExchangeServer(simulated_market, now=NOON) as running:
        yield running


@pytest.fixture
def caller(server: ExchangeServer) -> Iterator[Caller]:
    plain = Caller(server)
    yield plain
    plain.close()
