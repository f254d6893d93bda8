"""The OpenAPI document is complete, true to the routes, and true to what the app answers."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from posixpath import normpath
from typing import Any
from urllib.parse import urljoin, urlsplit

import jsonschema_rs
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.core.transport import Response
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from api.app import OPERATIONS
from api.openapi import document
from plumbline.domain.calendar import HOUR, Interval
from plumbline.domain.trades import Board
from plumbline.pipeline.progress import Progress
from plumbline.ports import Stores, Universe
from tests.builders import NOON, a_position, a_signal, a_trade, an_outcome, random_walk
from tests.fakes import FakePolicy, memory_stores
from tests.functions.gateway import OPERATOR, Gateway, InMemoryReplies, a_report, services

PATHS = {
    ("get", "/"),
    ("get", "/health"),
    ("get", "/openapi.json"),
    ("get", "/docs"),
    ("get", "/api/signals/latest"),
    ("get", "/api/signals/history"),
    ("post", "/api/signals/generate"),
    ("post", "/api/signals/generate-from-db"),
    ("get", "/api/signals/model/info"),
    ("get", "/api/signals/statistics"),
    ("get", "/performance/stats"),
    ("get", "/performance/by-scanner"),
    ("get", "/performance/by-tier"),
    ("get", "/performance/by-interval"),
    ("get", "/performance/by-symbol"),
    ("get", "/performance/by-type"),
    ("get", "/performance/report"),
    ("get", "/performance/top-performers"),
    ("get", "/performance/tracker-stats"),
    ("post", "/performance/track-signal"),
    ("post", "/performance/tracker/start"),
    ("post", "/performance/tracker/stop"),
    ("get", "/api/signals/positions/active"),
    ("get", "/api/signals/positions/closed"),
    ("get", "/api/v1/signals/performance"),
    ("get", "/api/v1/signals/performance/{channel_id}"),
    ("get", "/api/public/paper-trading"),
    ("get", "/api/public/paper-trading/open-positions"),
    ("get", "/api/public/paper-trading/summary"),
    ("get", "/api/public/paper-trading/performance"),
    ("get", "/api/public/paper-trading/{signal_id}"),
    ("get", "/bot-performance"),
    ("get", "/bot-performance/{asset}"),
}
DOCUMENT: dict[str, Any] = json.loads(Gateway(claims=None).get("/openapi.json").body)


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def test_every_path_is_routed_described_and_promised() -> None:
    routed = {(method.lower(), path) for path, methods in Gateway().app.routes.items() for method in methods}
    assert routed == {(method, path) for method, path, _ in operations()} == PATHS


def test_the_document_is_the_same_however_often_it_is_made() -> None:
    document.cache_clear()
    assert json.loads(json.dumps(document(OPERATIONS, "../v1"))) == DOCUMENT


@pytest.mark.parametrize(
    ("prefix", "document_at", "health_at"),
    [
        ("/v1", "/_aws/execute-api/abc/v1/openapi.json", "/_aws/execute-api/abc/v1/health"),
        ("/v1", "/v1/openapi.json/", "/v1/health"),
        ("/signals/one", "/signals/one/openapi.json", "/signals/one/health"),
        ("", "/openapi.json", "//health"),
        ("", "/openapi.json/", "//health"),
    ],
)
def test_the_servers_address_leads_to_the_api_wherever_it_is_served(
    prefix: str, document_at: str, health_at: str
) -> None:
    slash = "/" if document_at.endswith("/") else ""
    reply = Gateway(claims=None, prefix=prefix).get(f"/openapi.json{slash}")
    [server] = reply.json["servers"]
    assert urlsplit(urljoin(f"https://host{document_at}", server["url"]) + "/health").path == health_at


def test_the_documents_etag_is_its_stages_own() -> None:
    tags = [
        Gateway(claims=None, prefix=prefix).get("/openapi.json").headers["etag"] for prefix in ("/v1", "/v1", "/v2")
    ]
    assert tags[0] == tags[1] != tags[2]


def test_who_is_sent_away_for_a_while_is_told_for_how_long() -> None:
    for status in ("429", "503"):
        assert DOCUMENT["components"]["responses"][status]["headers"].keys() == {"Retry-After"}


def test_every_reference_leads_somewhere_and_every_schema_is_used() -> None:
    references = set(re.findall(r'"\$ref": "#/components/(\w+)/(\w+)"', json.dumps(DOCUMENT)))
    components = DOCUMENT["components"]
    known = {(kind, name) for kind in ("schemas", "responses") for name in components[kind]}
    assert {r for r in references if r[0] == "schemas"} == {k for k in known if k[0] == "schemas"}
    assert references <= known


def test_every_schema_is_a_json_schema_of_2020_12() -> None:
    for schema in DOCUMENT["components"]["schemas"].values():
        jsonschema_rs.meta.validate(schema | {"$schema": "https://json-schema.org/draft/2020-12/schema"})


@pytest.mark.parametrize(
    ("method", "path", "operation"), list(operations()), ids=lambda part: part if isinstance(part, str) else ""
)
def test_an_operation_is_explained_with_who_may_call_it_and_how_it_fails(
    method: str, path: str, operation: dict[str, Any]
) -> None:
    [access] = [o.access for o in OPERATIONS if (o.method.lower(), o.path) == (method, path)]
    assert operation["summary"]
    assert operation["description"]
    assert bool(operation["security"]) == (access != "public")
    assert ("401" in operation["responses"]) == (access != "public")
    assert ("403" in operation["responses"]) == (access == "operator")
    assert {"413", "429", "500", "503"} <= operation["responses"].keys()
    assert ("requestBody" in operation) == ("400" in operation["responses"])
    takes_key = any(p["name"] == "Idempotency-Key" for p in operation["parameters"])
    assert takes_key == (path == "/performance/track-signal")


def test_every_parameter_of_a_query_has_a_type_and_may_not_be_null() -> None:
    for _, path, operation in operations():
        for parameter in operation["parameters"]:
            schema = parameter["schema"]
            assert {"type", "const", "enum"} & schema.keys(), (path, parameter)
            assert "anyOf" not in schema


def stocked() -> Stores:
    """A record with something of everything."""
    stores = memory_stores()
    stores.markets.add(Universe(day="2026-11-20", markets=("BTC/USDT", "ETH/USDT"), most_traded={}))
    for hour in range(1, 6):
        signal = a_signal(timestamp=NOON - hour * HOUR)
        stores.signals.add(signal)
        stores.outcomes.add(an_outcome(signal, Interval.H1))
    for hour in range(25, 49):
        signal = a_signal(timestamp=NOON - hour * HOUR)
        stores.signals.add(signal)
        stores.outcomes.add(an_outcome(signal, Interval.H24, price=signal.entry_price * (94 + hour % 12) / 100))
    stores.candles.add("BTC/USDT", random_walk("1h", 900, start=NOON - 900 * HOUR))
    stores.cursors.move(None, "collect#1h", NOON, Progress({"BTC/USDT": NOON}).notes())
    stores.cursors.move(None, "generate#1h", NOON, {"runs": [[250, 31.5, 50, 3.25]]})
    for name in ("collect#1m", "check#1h", "summarise"):
        stores.cursors.move(None, name, NOON, {})
    stores.model_reports.put(a_report())
    for hour in (30, 40, 50):
        stores.trades.add(a_trade(opened_at=NOON - hour * HOUR))
        stores.positions.put(a_position(opened_at=NOON - (hour - 25) * HOUR))
    stores.positions.mark(Board(as_of=NOON, open=3, unrealised_usd=Decimal(1), prices={"BTC/USDT": Decimal(42_500)}))
    return stores


def over_the_gateway(environ: Mapping[str, Any], start_response: Any) -> list[bytes]:
    """The app as WSGI, for a client that knows nothing else. Each request meets the same record."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body = environ["wsgi.input"].read(length).decode("utf-8", "replace") if length else None
    headers = {name[5:].replace("_", "-").lower(): text for name, text in environ.items() if name.startswith("HTTP_")}
    if content_type := environ.get("CONTENT_TYPE"):
        headers["content-type"] = content_type
    path = normpath("/" + environ["PATH_INFO"].lstrip("/")).removeprefix("/v1") or "/"
    query = environ.get("QUERY_STRING")
    claims = OPERATOR if headers.get("authorization") else None
    gateway = Gateway(replace(services(stocked(), policy=FakePolicy()), replies=InMemoryReplies), claims=claims)
    reply = gateway.send(environ["REQUEST_METHOD"], f"{path}?{query}" if query else path, body, headers)
    start_response(f"{reply.status} -", [(name, value) for name, value in reply.headers.items()])
    return [reply.body.encode()]


schema = schemathesis.openapi.from_wsgi("/v1/openapi.json", over_the_gateway)


@schema.parametrize()
@settings(
    max_examples=10,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_whatever_is_sent_the_answer_is_one_that_the_document_promises(case: schemathesis.Case[Any]) -> None:
    response: Response = case.call()
    case.validate_response(
        response,
        checks=[
            schemathesis.checks.not_a_server_error,
            status_code_conformance,
            content_type_conformance,
            response_schema_conformance,
            negative_data_rejection,
        ],
    )


def test_the_page_about_the_api_names_every_path_with_who_may_call_it() -> None:
    page = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
    rows = set(re.findall(r"^\| (GET|POST) \| `(\S+)` \| (\w+) \|", page, re.MULTILINE))
    assert rows == {(o.method, o.path, o.access.value) for o in OPERATIONS}
