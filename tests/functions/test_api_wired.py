"""The handler as it is deployed: its own wiring, its tables in moto, its settings from the environment."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from api.app import app
from api.idempotency import stored_replies
from plumbline import wiring
from plumbline.domain.calendar import DAY, HOUR, Timeframe, day_of
from plumbline.domain.policy import FEATURES
from plumbline.domain.signals import Side
from plumbline.events import wall_clock
from plumbline.ports import Universe
from tests.builders import a_position, a_trade
from tests.functions.gateway import OPERATOR, Gateway
from tests.tables import create_tables

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
    "PLUMBLINE_STAGE": "test",
    "PLUMBLINE_TABLES": "plumbline-wired",
    "PLUMBLINE_EXCHANGE": "binance",
    "PLUMBLINE_CHECK_RULES": "plumbline-test-check-1h",
}


@pytest.fixture
def deployed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    built = (wiring.settings, wiring.stores, wiring.schedules, wiring.policy, stored_replies)
    for each in built:
        each.cache_clear()
    with mock_aws():
        create_tables(boto3.client("dynamodb"), "plumbline-wired")
        boto3.client("events").put_rule(Name="plumbline-test-check-1h", ScheduleExpression="rate(5 minutes)")
        gateway = Gateway(claims=OPERATOR)
        gateway.app = app
        yield gateway
    for each in built:
        each.cache_clear()


def test_every_reader_answers_on_a_stack_that_was_deployed_a_moment_ago(deployed: Gateway) -> None:
    for path in ("/", "/health", "/openapi.json", "/docs", "/api/signals/history?include=outcomes"):
        assert deployed.get(path).status == 200, path
    breakdowns = ("by-scanner", "by-tier", "by-interval", "by-symbol", "by-type")
    for page in ("stats?days=365", *breakdowns, "report?days=365", "top-performers?limit=20", "tracker-stats"):
        assert deployed.get(f"/performance/{page}").status == 200, page
    assert deployed.get("/api/v1/signals/performance/momentum-alpha").json["channels"][0]["total_signals"] == 0
    for list_ in (
        "",
        "/?format=csv",
        "/?symbol=BTC/USDT&side=LONG",
        "/open-positions",
        "/summary",
        "/performance?by=tier",
    ):
        assert deployed.get(f"/api/public/paper-trading{list_}").status == 200, list_
    for part in ("active", "closed"):
        assert deployed.get(f"/api/signals/positions/{part}").json["count"] == 0
    assert deployed.get("/api/signals/model/info").json["mode"] == "PLACEHOLDER"
    assert deployed.get("/api/signals/statistics").json["generation"]["runs"] == 0
    assert deployed.get("/").json["simulated"] is False
    assert deployed.post("/api/signals/generate-from-db", {"symbol": "BTC/USDT"}).json["signal"]["action"] == "HOLD"


def test_a_shipped_model_is_opened_and_described_by_its_own_file(
    deployed: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = Path(__file__).parents[2] / "layers" / "model" / "policies" / "policy.onnx"
    monkeypatch.setenv("PLUMBLINE_MODEL", str(file))
    wiring.settings.cache_clear()
    info = deployed.get("/api/signals/model/info").json
    assert info["hash"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert (info["mode"], info["features"], info["drift"]) == ("MODEL", list(FEATURES), None)
    assert info["calibration"]["calibration_error"] == info["card"]["pooled"]["ece"]
    assert sum(part["n"] for part in info["calibration"]["bins"])
    assert deployed.get("/health").json["model"]["state"] == "ready"
    assert deployed.get("/").json["mode"] == "MODEL"


def test_an_outside_signal_goes_through_the_real_tables_and_back(deployed: Gateway) -> None:
    wiring.stores().markets.add(Universe(day=day_of(wall_clock()), markets=("BTC/USDT",), most_traded={}))
    alert = {
        "id": "1",
        "symbol": "BTC",
        "signal": "SHORT",
        "price": 64250.5,
        "unified_score": 60,
        "scanner_type": "social",
    }
    first = deployed.post("/performance/track-signal", alert, idempotency_key="k")
    again = deployed.post("/performance/track-signal", alert, idempotency_key="k")
    assert (first.status, again.status, again.body) == (201, 201, first.body)
    assert deployed.get("/api/signals/latest?symbol=BTCUSDT").json["signal"] == first.json["data"]
    assert deployed.get("/performance/stats?days=2").json["data"]["total_signals"] == 1


def test_paper_trades_are_paged_filtered_and_counted_out_of_the_real_tables(deployed: Gateway) -> None:
    stores, hour = wiring.stores(), Timeframe.H1.floor(wall_clock()) - HOUR
    opened = [a_position(opened_at=hour - i * HOUR, side=Side.SHORT) for i in range(3)]
    closed = [a_trade(opened_at=hour - DAY - i * HOUR) for i in range(3)]
    for position, trade in zip(opened, closed, strict=True):
        stores.positions.put(position)
        stores.trades.add(trade)
    base = "/api/public/paper-trading"
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = deployed.get(f"{base}/?limit=2{cursor and '&cursor='}{cursor}").json
        seen += [trade["signal_id"] for trade in page["trades"]]
        cursor = page["next_cursor"]
    assert seen == [*(position.signal_id for position in opened), *(trade.signal_id for trade in closed)]
    for query, part in (("symbol=BTC/USDT&side=LONG", seen[3:]), ("channel=momentum-alpha&status=open", seen[:3])):
        found = deployed.get(f"{base}/?{query}").json["trades"]
        assert [trade["signal_id"] for trade in found] == part
    assert deployed.get(f"{base}/{opened[0].signal_id}/").json["trade"]["status"] == "OPEN"
    assert deployed.get(f"{base}/summary/?days=3").json["winning"] == 3
    assert deployed.get(f"{base}/performance/?days=3&symbol=BTC/USDT&side=LONG").json["targets"] == 3


def test_the_checks_rules_are_switched_where_they_are(deployed: Gateway) -> None:
    assert deployed.post("/performance/tracker/stop").json["data"]["rules"] == ["plumbline-test-check-1h"]
    assert deployed.get("/performance/tracker-stats").json["data"]["rules"] == {"plumbline-test-check-1h": False}
    deployed.post("/performance/tracker/start")
    assert boto3.client("events").describe_rule(Name="plumbline-test-check-1h")["State"] == "ENABLED"
