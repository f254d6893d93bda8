"""What the service says about itself."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Never, cast

import pytest

from plumbline.domain.calendar import DAY, HOUR, MINUTE
from plumbline.domain.errors import ModelRefused, StoreUnavailable
from plumbline.pipeline.progress import Progress
from plumbline.ports import Stores
from tests.builders import NOON
from tests.fakes import FakePolicy, memory_stores
from tests.functions.gateway import Gateway, services

TABLES = [
    *("candles", "signals", "outcomes", "cursors", "strategies", "channels", "markets", "rollups"),
    *("positions", "trades", "feed", "connections"),
]
ANYBODY = Gateway(claims=None)


def health(stores: Stores) -> dict[str, object]:
    reply = Gateway(services(stores), claims=None).get("/health")
    assert reply.status == 200
    content: dict[str, object] = reply.json
    return content


def test_the_front_page_says_whose_market_it_is_and_that_no_model_decides() -> None:
    content = ANYBODY.get("/").json
    assert (content["service"], content["stage"], content["version"]) == ("plumbline", "test", "0.1.0")
    assert (content["data_source"], content["simulated"], content["mode"]) == ("simulated", True, "PLACEHOLDER")


def test_health_shows_the_lag_of_every_cursor() -> None:
    stores = collected(MINUTE)
    stores.cursors.move(None, "generate#1h", NOON, {})
    content = health(stores)
    assert content["status"] == "ok"
    assert content["cursors"] == [
        {
            "cursor": "collect#1m",
            "position": "2026-11-20T11:59:00Z",
            "lag_seconds": 60.0,
            "allowed_seconds": 660.0,
            "late": False,
        },
        {
            "cursor": "generate#1h",
            "position": "2026-11-20T12:00:00Z",
            "lag_seconds": 0.0,
            "allowed_seconds": 4200.0,
            "late": False,
        },
        {
            "cursor": "market",
            "position": "2026-11-20T11:59:00Z",
            "lag_seconds": 60.0,
            "allowed_seconds": 600.0,
            "late": False,
        },
    ]
    assert content["model"] == {
        "mode": "PLACEHOLDER",
        "state": "absent",
        "name": None,
        "version": None,
        "hash": None,
        "message": None,
    }
    assert content["tables"] == dict.fromkeys(TABLES, "ok")


@pytest.mark.parametrize(
    ("cursor", "lag", "status"),
    [
        ("collect#5m", 15 * MINUTE, "ok"),
        ("collect#5m", 16 * MINUTE, "degraded"),
        ("generate#4h", 4 * HOUR, "ok"),
        ("generate#4h", 5 * HOUR, "degraded"),
        ("check#30d", 14 * MINUTE, "ok"),
        ("check#30d", 16 * MINUTE, "degraded"),
        ("check#1h", 14 * MINUTE, "ok"),
        ("check#1h", 16 * MINUTE, "degraded"),
        ("close#24h", 7 * DAY + MINUTE, "ok"),
        ("close#24h", 8 * DAY, "degraded"),
        ("summarise", DAY, "ok"),
        ("summarise", 2 * DAY, "degraded"),
    ],
)
def test_a_function_later_than_its_rhythm_allows_degrades_the_service(cursor: str, lag: int, status: str) -> None:
    stores = memory_stores()
    stores.cursors.move(None, cursor, NOON - lag, {})
    assert health(stores)["status"] == status


def test_health_shows_which_model_is_open() -> None:
    model = Gateway(services(policy=FakePolicy()), claims=None).get("/health").json["model"]
    assert (model["mode"], model["state"], model["message"]) == ("MODEL", "ready", None)
    assert (model["name"], model["version"], model["hash"]) == ("fake", "0.0.1", "f" * 64)


def test_a_model_that_is_refused_degrades_the_service_and_says_what_is_wrong(caplog: pytest.LogCaptureFixture) -> None:
    reply = Gateway(services(collected(MINUTE), policy=ModelRefused("made for [a], needed [b]")), claims=None).get(
        "/health"
    )
    model = reply.json["model"]
    assert (reply.status, reply.json["status"]) == (200, "degraded")
    assert (model["mode"], model["state"], model["message"]) == ("MODEL", "refused", "made for [a], needed [b]")
    assert (model["name"], model["hash"]) == (None, None)
    assert "made for [a], needed [b]" in caplog.text


def test_the_front_page_tells_the_mode_without_opening_the_model() -> None:
    def opened() -> Never:
        raise AssertionError("nobody asked for an opinion")

    with_model = replace(services(policy=FakePolicy()), policy=opened)
    assert Gateway(with_model, claims=None).get("/").json["mode"] == "MODEL"


def collected(*ages: int) -> Stores:
    """A collector that came to a minute ago, with one symbol for each age of a newest candle."""
    stores = memory_stores()
    notes = Progress({f"S{i}/USDT": NOON - age for i, age in enumerate(ages)}).notes()
    stores.cursors.move(None, "collect#1m", NOON - MINUTE, notes)
    return stores


def test_health_shows_how_fresh_the_market_is_and_which_symbols_lag() -> None:
    content = health(collected(MINUTE, MINUTE, 3 * HOUR))
    assert content["status"] == "ok"
    assert content["exchange"] == {
        "source": "simulated",
        "simulated": True,
        "newest_candle": "2026-11-20T11:59:00Z",
        "lag_seconds": 60.0,
        "symbols": 3,
        "symbols_behind": 1,
    }


def test_before_the_first_candle_the_market_has_no_age() -> None:
    exchange = health(memory_stores())["exchange"]
    assert exchange == {
        "source": "simulated",
        "simulated": True,
        "newest_candle": None,
        "lag_seconds": None,
        "symbols": 0,
        "symbols_behind": 0,
    }


@pytest.mark.parametrize(
    ("ages", "status"),
    [
        ([], "degraded"),
        ([10 * MINUTE], "degraded"),
        ([MINUTE, 10 * MINUTE], "ok"),
        ([MINUTE, 10 * MINUTE, 10 * MINUTE], "degraded"),
        ([11 * MINUTE, 12 * MINUTE], "degraded"),
    ],
)
def test_an_exchange_that_is_away_degrades_the_service_though_the_collector_runs(ages: list[int], status: str) -> None:
    assert health(collected(*ages))["status"] == status


class Throttled:
    """Any store of a table that does not answer."""

    def __getattr__(self, name: str) -> Callable[..., Never]:
        def refuse(*arguments: object) -> Never:
            raise StoreUnavailable("vendor: arn:aws:dynamodb:table is throttled")

        return refuse


@pytest.mark.parametrize("table", TABLES)
def test_a_table_that_is_away_is_a_503_that_names_it_and_tells_the_rest(
    table: str, caplog: pytest.LogCaptureFixture
) -> None:
    stores = replace(collected(MINUTE), **{table: cast("Any", Throttled())})
    reply = Gateway(services(stores), claims=None).get("/health")
    problem = reply.json
    assert (reply.status, problem["status"], reply.headers["content-type"]) == (503, 503, "application/problem+json")
    assert problem["detail"] == f"unavailable: {table}"
    assert problem["tables"] == dict.fromkeys(TABLES, "ok") | {table: "unavailable"}
    assert ("exchange" in problem, "cursors" in problem) == (table != "cursors",) * 2
    assert reply.headers["retry-after"]
    assert "vendor" not in reply.body
    assert "vendor" in caplog.text


def test_health_can_be_told_without_a_clock_where_the_clock_is_a_cursor() -> None:
    def now() -> int:
        raise StoreUnavailable("the cursors are away")

    stores = replace(memory_stores(), cursors=cast("Any", Throttled()))
    reply = Gateway(replace(services(stores), now=now), claims=None).get("/health")
    assert (reply.status, reply.json["tables"]["cursors"]) == (503, "unavailable")


@pytest.mark.parametrize("path", ["/", "/openapi.json", "/docs"])
def test_a_public_page_that_the_reader_has_is_not_sent_again(path: str) -> None:
    first = ANYBODY.get(path)
    tag = first.headers["etag"]
    assert first.headers["cache-control"] == "public, max-age=300"
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = ANYBODY.get(path, if_none_match=known)
        assert (again.status, again.body, again.headers["etag"]) == (304, "", tag)
    assert ANYBODY.get(path, if_none_match='"other"').status == 200


@pytest.mark.parametrize("path", ["/health", "/api/signals/history", "/performance/stats"])
def test_what_changes_or_is_somebodys_own_is_never_stored(path: str) -> None:
    headers = Gateway().get(path).headers
    assert headers["cache-control"] == "no-store"
    assert "etag" not in headers


def test_every_answer_forbids_guessing_its_type() -> None:
    for path in ("/", "/docs", "/performance/stats"):
        assert ANYBODY.get(path).headers["x-content-type-options"] == "nosniff"


def test_the_docs_page_needs_nothing_from_elsewhere_and_runs_no_script() -> None:
    reply = ANYBODY.get("/docs")
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    assert reply.headers["content-security-policy"].startswith("default-src 'none'; base-uri 'none'")
    for outside in ("http:", "https:", "<script", "src=", "@import", "url(", "style="):
        assert outside not in reply.body


def test_the_docs_page_finds_the_document_from_either_address() -> None:
    assert 'href="openapi.json"' in ANYBODY.get("/docs").body
    assert 'href="../openapi.json"' in ANYBODY.get("/docs/").body
