"""What the service says about itself."""

from dataclasses import replace

import pytest

from plumbline.domain.calendar import DAY, HOUR, MINUTE
from plumbline.domain.errors import StoreUnavailable
from plumbline.domain.signals import Signal
from plumbline.ports import Stores
from tests.builders import NOON
from tests.fakes import memory_stores
from tests.functions.gateway import Gateway, services

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
    stores = memory_stores()
    stores.cursors.move(None, "collect#1m", NOON - MINUTE, {})
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
    ]
    assert content["model"] == {"mode": "PLACEHOLDER", "scanner": "technical"}
    assert content["exchange"] == {"source": "simulated", "simulated": True}
    assert content["tables"] == dict.fromkeys(["cursors", "signals", "outcomes", "rollups", "channels"], "ok")


@pytest.mark.parametrize(
    ("cursor", "lag", "status"),
    [
        ("collect#1m", 11 * MINUTE, "ok"),
        ("collect#1m", 12 * MINUTE, "degraded"),
        ("generate#4h", 4 * HOUR, "ok"),
        ("generate#4h", 5 * HOUR, "degraded"),
        ("check#30d", HOUR + 5 * MINUTE, "ok"),
        ("check#1h", 2 * HOUR, "degraded"),
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


def test_a_table_that_is_away_is_a_503_that_names_it() -> None:
    class Away:
        def get(self, signal_id: str) -> Signal:
            raise StoreUnavailable("throttled")

    stores = replace(memory_stores(), signals=Away())  # type: ignore[arg-type]  # health reads nothing else of the log
    reply = Gateway(services(stores), claims=None).get("/health")
    assert reply.status == 503
    assert reply.json["detail"] == "signals: throttled"
    assert reply.headers["retry-after"]


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
