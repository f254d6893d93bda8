"""The record's statistics over HTTP, the checks' state, and signals from outside."""

import json
from decimal import Decimal
from typing import Any

import pytest

from plumbline.domain.calendar import DAY, HOUR, Interval
from plumbline.domain.performance import statistics
from plumbline.domain.scanners import SCANNERS
from plumbline.pipeline.progress import checking
from plumbline.ports import Stores, Universe
from tests.builders import NOON, a_signal, an_outcome
from tests.fakes import FakeSchedules, memory_stores
from tests.functions.gateway import OPERATOR, Gateway, services

ALERT = {
    "id": "tweet-1",
    "symbol": "BTCUSDT",
    "signal": "LONG",
    "price": 64250.5,
    "unified_score": 71,
    "tier": "TIER_2_STRONG_BUY",
    "scanner_type": "social",
}


@pytest.fixture
def stores() -> Stores:
    """A win of 6 % and a loss of 4 % after an hour, by two scanners, and a signal that is not due yet."""
    stores = memory_stores()
    stores.markets.add(Universe(day="2026-11-20", markets=("BTC/USDT", "ETH/USDT"), most_traded={}))
    won = a_signal(timestamp=NOON - 3 * HOUR, unified_score=90.0)
    lost = a_signal(timestamp=NOON - 2 * HOUR, scanner_type="social", symbol="ETH/USDT")
    for signal in (won, lost, a_signal(timestamp=NOON)):
        stores.signals.add(signal)
    stores.outcomes.add(an_outcome(won, Interval.H1))
    stores.outcomes.add(an_outcome(lost, Interval.H1, price=lost.entry_price * Decimal("0.96")))
    return stores


@pytest.fixture
def api(stores: Stores) -> Gateway:
    return Gateway(services(stores))


def test_the_record_says_what_it_is_about_and_how_sure_it_is(api: Gateway) -> None:
    content = api.get("/performance/stats?days=7").json
    data = content["data"]
    assert content["ok"] is True
    assert (data["period_days"], data["from"], data["to"]) == (7, "2026-11-14T00:00:00Z", "2026-11-20T12:00:00Z")
    assert (data["data_source"], data["simulated"]) == ("simulated", True)
    assert (data["total_signals"], data["outcomes_checked"], data["wins"], data["losses"]) == (3, 2, 1, 1)
    assert (data["win_rate"], data["coverage"], data["independent_n"]) == (50.0, 100.0, 2)
    assert data["win_rate_low"] < 50 < data["win_rate_high"]
    assert data["total_pnl_pct"] == 2.0


def test_an_empty_record_has_no_rates_and_no_numbers_that_look_like_one() -> None:
    data = Gateway().get("/performance/stats").json["data"]
    assert (data["total_signals"], data["outcomes_checked"]) == (0, 0)
    assert data["win_rate"] is data["win_rate_low"] is data["avg_pnl_pct"] is data["coverage"] is None
    assert data["period_days"] == 30


@pytest.mark.parametrize(
    ("path", "name", "rows"),
    [
        ("by-scanner", "scanner", [("social", 1, 0), ("technical", 2, 1)]),
        (
            "by-tier",
            "tier",
            [
                ("TIER_1_MUST_BUY", 1, 1),
                ("TIER_2_STRONG_BUY", 2, 0),
                ("TIER_3_WATCHLIST", 0, 0),
                ("TIER_4_NEUTRAL", 0, 0),
            ],
        ),
        ("by-interval", "interval", [("1h", 3, 1), ("4h", 3, 0), ("24h", 3, 0), ("7d", 3, 0), ("30d", 3, 0)]),
    ],
)
def test_each_breakdown_is_a_sorted_list_of_statistics(api: Gateway, path: str, name: str, rows: list[Any]) -> None:
    content = api.get(f"/performance/{path}?days=1").json
    assert [(row[name], row["total_signals"], row["wins"]) for row in content["data"]] == rows
    assert content["period"]["period_days"] == 1
    for row in content["data"]:
        assert {"outcomes_checked", "win_rate", "win_rate_low", "win_rate_high", "coverage"} <= row.keys()


def test_the_statistics_are_the_domains_and_none_is_left_out(api: Gateway) -> None:
    from api.performance_answers import StatisticsBody
    from plumbline.domain.performance import Cell

    assert statistics(Cell()).keys() == StatisticsBody.__annotations__.keys()


def test_a_period_in_the_past_is_the_record_as_it_was(api: Gateway) -> None:
    data = api.get("/performance/stats?until=2026-11-20T10:00:00Z&days=1").json["data"]
    assert (data["total_signals"], data["wins"], data["losses"]) == (2, 1, 0)
    assert data["to"] == "2026-11-20T10:00:00Z"


def test_a_period_cannot_reach_beyond_the_present(api: Gateway) -> None:
    assert api.get("/performance/stats?until=2027-01-01T00:00:00Z").json["data"]["to"] == "2026-11-20T12:00:00Z"


@pytest.mark.parametrize("days", ["0", "366", "-1", "1.5", "all"])
def test_days_lie_between_one_and_a_year(api: Gateway, days: str) -> None:
    assert api.get(f"/performance/by-tier?days={days}").status == 422


# --- the checks


def test_the_tracker_shows_each_intervals_cursor_lag_rule_and_last_day(api: Gateway, stores: Stores) -> None:
    stores.cursors.move(None, checking(Interval.H1), NOON - 60_000, {})
    data = api.get("/performance/tracker-stats").json["data"]
    hour, _, day, *_ = data["intervals"]
    assert hour == {
        "interval": "1h",
        "checked_until": "2026-11-20T11:59:00Z",
        "lag_seconds": 60.0,
        "next_due_at": "2026-11-20T13:00:00Z",
        "enabled": True,
        "last_day": {"due": 2, "wins": 1, "losses": 1, "neutral": 0, "unknown": 0},
    }
    assert (day["checked_until"], day["lag_seconds"]) == (None, None)
    assert data["rules"]["plumbline-test-check-30d"] is True


def test_the_checks_are_stopped_and_started_by_their_rules(stores: Stores) -> None:
    rules = FakeSchedules("plumbline-test-check-24h", "plumbline-test-check-7d")
    api = Gateway(services(stores, rules), claims=OPERATOR)
    stopped = api.post("/performance/tracker/stop").json
    assert stopped == {"ok": True, "data": {"rules": list(rules.states()), "enabled": False}}
    shown = api.get("/performance/tracker-stats").json["data"]["intervals"]
    assert [(c["interval"], c["enabled"]) for c in shown][:3] == [("1h", None), ("4h", None), ("24h", False)]
    assert api.post("/performance/tracker/start").json["data"]["enabled"] is True
    assert all(rules.states().values())


# --- signals from outside


@pytest.fixture
def operator(stores: Stores) -> Gateway:
    return Gateway(services(stores), claims=OPERATOR)


def test_an_outside_signal_enters_the_log_under_its_own_name(operator: Gateway) -> None:
    reply = operator.post("/performance/track-signal", ALERT)
    signal = reply.json["data"]
    assert reply.status == 201
    assert (signal["symbol"], signal["action"], signal["entry_price"]) == ("BTC/USDT", "BUY", 64250.5)
    assert (signal["origin"], signal["scanner_type"], signal["tier"]) == ("external", "social", "TIER_2_STRONG_BUY")
    history = operator.get("/api/signals/history?channel=external").json["signals"]
    assert history == [signal]


def test_the_same_outside_signal_again_is_the_one_that_is_there(operator: Gateway) -> None:
    first = operator.post("/performance/track-signal", ALERT)
    again = operator.post("/performance/track-signal", ALERT)
    assert (first.status, again.status) == (201, 200)
    assert again.json == first.json


def test_an_id_cannot_be_given_to_another_signal_afterwards(operator: Gateway) -> None:
    operator.post("/performance/track-signal", ALERT)
    reply = operator.post("/performance/track-signal", ALERT | {"signal": "SHORT"})
    assert reply.status == 409
    assert "'tweet-1' of social already stands for BUY BTC/USDT" in reply.json["detail"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"symbol": "BTX"}, "symbol"),
        ({"signal": "HOLD"}, "signal"),
        ({"price": 0}, "price"),
        ({"price": -1.5}, "price"),
        ({"unified_score": 101}, "unified_score"),
        ({"unified_score": 100.00001}, "unified_score"),
        ({"unified_score": -1e-9}, "unified_score"),
        ({"tier": "TIER_1_MUST_BUY"}, "tier"),
        ({"tier": "BEST"}, "tier"),
        ({"scanner_type": "So Cial"}, "scanner_type"),
        ({"timestamp": NOON - DAY}, "timestamp"),
        ({"timestamp": "noon"}, "timestamp"),
        ({"id": ""}, "id"),
        ({"confidence": 1}, "confidence"),
        *(({"scanner_type": name}, "scanner_type") for name in ("technical", "smart_money", "mss", "model")),
    ],
)
def test_an_outside_signal_that_cannot_be_is_refused_by_field(
    operator: Gateway, changes: dict[str, object], field: str
) -> None:
    reply = operator.post("/performance/track-signal", ALERT | changes)
    assert reply.status == 422
    assert [fault["field"] for fault in reply.json["errors"]] == [field]


@pytest.mark.parametrize("written", ["2026-11-20T11:59:30Z", NOON - 30_000, (NOON - 30_000) // 1000])
def test_a_time_may_be_written_in_either_way(operator: Gateway, written: object) -> None:
    reply = operator.post("/performance/track-signal", ALERT | {"timestamp": written})
    assert reply.json["data"]["timestamp"] == "2026-11-20T11:59:30Z"


@pytest.mark.parametrize(
    "price",
    ["1e-200", "1e-131", "9.9e-13", "1.1e15", "1e400", '"1e-131"', '"64250.5"', "1" * 39, "true", "null", "NaN", "[1]"],
)
def test_a_price_that_is_no_number_or_that_no_table_holds_is_refused_by_its_name(operator: Gateway, price: str) -> None:
    text = json.dumps(ALERT | {"price": 0}).replace('"price": 0', f'"price": {price}')
    reply = operator.send("POST", "/performance/track-signal", text, {"content-type": "application/json"})
    assert reply.status == 422
    assert [fault["field"] for fault in reply.json["errors"]] == ["price"]


@pytest.mark.parametrize("price", [1e-12, 1.2345678901234567e-12, 0.1 + 0.2, 64250, 1e15, 123456789012345.67])
def test_any_price_of_a_market_is_kept_to_the_digit(operator: Gateway, price: float) -> None:
    reply = operator.post("/performance/track-signal", ALERT | {"price": price})
    assert (reply.status, reply.json["data"]["entry_price"]) == (201, price)


@pytest.mark.parametrize(("sent", "kept"), [(5e-324, 0.0), (1e-200, 0.0), (71.123456789, 71.1235)])
def test_a_score_is_kept_to_four_decimals(operator: Gateway, sent: float, kept: float) -> None:
    alert = {name: value for name, value in ALERT.items() if name != "tier"} | {"unified_score": sent}
    assert operator.post("/performance/track-signal", alert).json["data"]["unified_score"] == kept


@pytest.mark.parametrize("scanner", SCANNERS)
def test_a_name_of_our_own_scanners_is_refused_with_the_list_of_them(operator: Gateway, scanner: str) -> None:
    [fault] = operator.post("/performance/track-signal", ALERT | {"scanner_type": scanner}).json["errors"]
    assert "technical, smart_money, mss, model are reserved" in fault["message"]
