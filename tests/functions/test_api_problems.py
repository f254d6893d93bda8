"""Every failure is problem+json with the right status, and none tells about the inside."""

import json
import logging
from dataclasses import replace
from typing import Any, Never

import pytest
from chalice.test import Client

from api.app import create_app
from plumbline.domain.errors import PlumblineError, RecordRefused, StoreUnavailable, UnknownSymbol
from plumbline.ports import Universe
from tests.fakes import memory_stores
from tests.functions.gateway import Gateway, Reply, services


def failing(error: Exception) -> Gateway:
    def stores() -> Never:
        raise error

    return Gateway(replace(services(), stores=stores))


def problem(reply: Reply) -> dict[str, Any]:
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.headers["cache-control"] == "no-store"
    content: dict[str, Any] = reply.json
    assert content["status"] == reply.status
    assert content["type"] == "about:blank"
    assert content["title"]
    return content


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (UnknownSymbol("BTX", ["BTC/USDT"]), 422),
        (RecordRefused("placeholder output"), 409),
        (StoreUnavailable("signals: throttled"), 503),
    ],
)
def test_the_error_tree_becomes_a_status(error: PlumblineError, status: int) -> None:
    reply = failing(error).get("/api/signals/latest")
    assert reply.status == status
    assert str(error) in problem(reply)["detail"]


@pytest.mark.parametrize(("said", "header"), [(None, "5"), (0.2, "1"), (30, "30")])
def test_a_store_that_is_away_says_when_to_come_back(said: float | None, header: str) -> None:
    reply = failing(StoreUnavailable("away", retry_after=said)).get("/performance/stats")
    assert reply.status == 503
    assert reply.headers["retry-after"] == header


def test_an_unexpected_failure_is_logged_and_tells_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, logger="plumbline"):
        reply = failing(ZeroDivisionError("secret of the house")).get("/performance/stats")
    assert reply.status == 500
    assert "secret" not in reply.body
    assert "ZeroDivisionError" not in reply.body
    assert problem(reply)["title"] == "Internal Server Error"
    assert any(record.exc_info and record.exc_info[0] is ZeroDivisionError for record in caplog.records)


@pytest.mark.parametrize(
    "body", ["", "{", '{"symbol": "BTC",}', "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"), "[" * 100_000]
)
def test_a_body_that_is_not_json_is_a_bad_request(body: str) -> None:
    reply = Gateway().send("POST", "/api/signals/generate", body, {"content-type": "application/json"})
    assert reply.status == 400
    assert problem(reply)["detail"].startswith("the body is not JSON: ")


@pytest.mark.parametrize("body", ["[]", "1", "null", '"text"'])
def test_json_that_is_no_object_cannot_be_used(body: str) -> None:
    reply = Gateway().send("POST", "/api/signals/generate", body, {"content-type": "application/json"})
    assert reply.status == 422


def test_a_body_of_another_media_type_is_refused_as_such() -> None:
    reply = Gateway().send("POST", "/api/signals/generate", "a=1", {"content-type": "text/plain"})
    assert reply.status == 415
    assert "text/plain" in problem(reply)["detail"]


def test_every_field_at_fault_is_named_with_the_value_it_had() -> None:
    body = {"symbol": "", "close_price": -1, "rsi": 101, "atr": "wide"}
    reply = Gateway().post("/api/signals/generate", body)
    assert reply.status == 422
    faults = {fault["field"]: fault["message"] for fault in problem(reply)["errors"]}
    assert faults.keys() == {"symbol", "close_price", "rsi", "atr"}
    assert faults["rsi"] == "Input should be less than or equal to 100 (got 101)"


def test_a_number_that_json_does_not_know_is_refused() -> None:
    text = '{"symbol": "BTC/USDT", "close_price": NaN, "macd": Infinity}'
    reply = Gateway().send("POST", "/api/signals/generate", text, {"content-type": "application/json"})
    assert reply.status == 422
    assert [fault["field"] for fault in problem(reply)["errors"]] == ["close_price", "macd"]


@pytest.mark.parametrize("value", ['"42000"', "true", "null"])
def test_a_price_must_be_a_number_as_json_has_them(value: str) -> None:
    text = f'{{"symbol": "BTC/USDT", "close_price": {value}}}'
    reply = Gateway().send("POST", "/api/signals/generate", text, {"content-type": "application/json"})
    assert reply.status == 422


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=ten", "limit"),
        ("limit=1&limit=2", "limit"),
        ("since=yesterday", "since"),
        ("since=2026-11-20T07:00:00", "since"),
        ("symbl=BTC", "symbl"),
        ("symbol=", "symbol"),
        ("include=everything", "include"),
        ("cursor=notours", "cursor"),
        ("since=2026-11-21T00:00:00Z&until=2026-11-20T00:00:00Z", ""),
    ],
)
def test_a_query_that_cannot_be_meant_is_refused_by_name(query: str, field: str) -> None:
    reply = Gateway().get(f"/api/signals/history?{query}")
    assert reply.status == 422
    assert [fault["field"] for fault in problem(reply)["errors"]] == [field]


def test_an_unknown_symbol_comes_back_with_its_near_matches() -> None:
    stores = memory_stores()
    stores.markets.add(Universe(day="2026-11-20", markets=("BTC/USDT", "ETH/USDT"), most_traded={}))
    reply = Gateway(services(stores)).get("/api/signals/latest?symbol=BTCC")
    assert reply.status == 422
    [fault] = problem(reply)["errors"]
    assert fault["field"] == "symbol"
    assert "did you mean BTC/USDT" in fault["message"]


def test_a_method_that_a_path_does_not_have_is_told_which_it_has() -> None:
    reply = Gateway().send("DELETE", "/health", None, {})
    assert reply.status == 405
    assert reply.headers["allow"] == "GET"
    problem(reply)


def test_a_path_that_the_gateway_should_not_have_passed_on_is_not_found() -> None:
    gateway = Gateway()
    event = gateway.events.create_lambda_event("GET", "/health", {})
    event["requestContext"]["resourcePath"] = "/no/such/path"
    answer = gateway.app(event, None)
    assert answer["statusCode"] == 404
    assert json.loads(answer["body"])["title"] == "Not Found"


def test_chalices_own_client_reaches_the_same_app() -> None:
    with Client(create_app(services())) as client:
        assert client.http.get("/").json_body["service"] == "plumbline"
        assert client.http.get("/performance/stats").status_code == 401


@pytest.mark.parametrize("path", ["/health", "/api/signals/history", "/performance/stats", "/docs", "/openapi.json"])
def test_a_trailing_slash_makes_no_difference(path: str) -> None:
    assert Gateway().get(path).status == Gateway().get(f"{path}/").status == 200


def test_a_request_leaves_one_line_without_the_token(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="plumbline"):
        Gateway().get("/performance/stats?days=7", authorization="Bearer very-secret")
    [line] = [record for record in caplog.records if record.message == "request"]
    assert (line.__dict__["method"], line.__dict__["path"], line.__dict__["status"]) == (
        "GET",
        "/performance/stats",
        200,
    )
    assert "very-secret" not in str(line.__dict__)
