"""The report, the best and worst and the channels over HTTP."""

from decimal import Decimal
from typing import Any

import pytest

from plumbline.domain.calendar import DAY, HOUR, Interval
from plumbline.domain.performance import Cell, statistics
from plumbline.domain.quality import ChannelPerformance
from plumbline.domain.trades import Status
from plumbline.pipeline.progress import SUMMARISE
from plumbline.ports import Stores
from tests.builders import NOON, a_signal, a_trade, an_outcome
from tests.fakes import memory_stores
from tests.functions.gateway import Gateway, services


@pytest.fixture
def stores() -> Stores:
    """Thirty signals of two days ago and their outcomes after an hour and a day; every third loses. Two trades."""
    stores = memory_stores()
    stores.cursors.move(None, SUMMARISE, NOON - 3 * DAY, {})
    for n in range(30):
        signal = a_signal(timestamp=NOON - 2 * DAY + n * 60_000, symbol=f"S{n % 4}/USDT", unified_score=60.0 + n)
        stores.signals.add(signal)
        for interval in (Interval.H1, Interval.H24):
            price = signal.entry_price * Decimal(95 if n % 3 == 0 else 106 + n % 7) / 100
            stores.outcomes.add(an_outcome(signal, interval, price=price))
    for hours, status in ((30, Status.TARGET), (20, Status.STOP)):
        stores.trades.add(a_trade(opened_at=NOON - hours * HOUR, status=status))
    return stores


@pytest.fixture
def api(stores: Stores) -> Gateway:
    return Gateway(services(stores))


def test_the_report_holds_every_breakdown_with_its_sample_and_its_interval(api: Gateway) -> None:
    content = api.get("/performance/report?days=7").json
    data = content["data"]
    assert content["ok"] is True
    assert (data["period_days"], data["to"], data["simulated"]) == (7, "2026-11-20T12:00:00Z", True)
    assert (data["overall"]["outcomes_checked"], data["overall"]["independent_n"]) == (60, 30)
    sizes = {name: len(rows) for name, rows in data.items() if name.startswith("by_")}
    assert sizes == {
        "by_scanner": 1,
        "by_tier": 4,
        "by_interval": 5,
        "by_type": 2,
        "by_symbol": 4,
        "by_channel": 1,
        "by_snapshot": 1,
    }
    for name in sizes:
        for row in data[name]:
            assert {name.removeprefix("by_"), *statistics(Cell())} == row.keys()
    assert 0 <= data["tier_trend_p_value"] <= 1


def test_each_breakdown_of_the_report_is_what_its_own_path_says(api: Gateway) -> None:
    data = api.get("/performance/report?days=7").json["data"]
    for name in ("scanner", "tier", "interval", "symbol", "type"):
        assert data[f"by_{name}"] == api.get(f"/performance/by-{name}?days=7").json["data"]


def test_a_recommendation_names_its_figures_and_what_they_are_worth(api: Gateway) -> None:
    recommendations = api.get("/performance/report?days=7").json["data"]["recommendations"]
    overall = next(one for one in recommendations if one["category"] == "overall")
    assert overall["figures"]["win_rate"] == pytest.approx(66.6667)
    assert overall["message"].startswith("Good")
    for one in recommendations:
        assert one.keys() == {"priority", "category", "message", "action", "figures", "significant"}


def test_the_best_and_worst_signals_say_what_they_were_and_what_they_came_to(api: Gateway) -> None:
    data = api.get("/performance/report?days=7").json["data"]
    best, worst = data["best_signals"], data["worst_signals"]
    assert (len(best), len(worst)) == (20, 10)
    assert (best[0]["pnl_pct"], worst[0]["pnl_pct"]) == (12.0, -5.0)
    assert best[0]["interval"] == "24h"
    assert best[0]["timestamp"].startswith("2026-11-18T12:")


def test_top_performers_come_from_both_ends_and_in_three_orders(api: Gateway) -> None:
    data = api.get("/performance/top-performers?days=7&limit=2").json["data"]
    assert [len(data["signals"][end]) for end in ("best", "worst")] == [2, 2]
    assert data["symbols"].keys() == {"by_win_rate", "by_average_pnl", "by_consistency"}
    rates = [row["win_rate"] for row in data["symbols"]["by_win_rate"]["best"]]
    assert rates == sorted(rates, reverse=True)
    assert {"symbol", "consistency", "win_rate_low", "independent_n"} <= data["symbols"]["by_win_rate"]["best"][
        0
    ].keys()


@pytest.mark.parametrize("query", ["limit=0", "limit=21", "days=0", "days=366", "size=3"])
def test_what_cannot_be_asked_is_refused(api: Gateway, query: str) -> None:
    assert api.get(f"/performance/top-performers?{query}").status == 422


def test_a_report_on_a_period_in_the_past_is_the_record_as_it_was(api: Gateway) -> None:
    data = api.get("/performance/report?days=1&until=2026-11-18T12:30:00Z").json["data"]
    assert (data["overall"]["total_signals"], data["overall"]["outcomes_checked"]) == (30, 0)
    assert data["best_signals"] == []


def test_an_empty_record_recommends_to_wait() -> None:
    data = Gateway().get("/performance/report").json["data"]
    assert data["overall"]["win_rate"] is None
    assert [one["priority"] for one in data["recommendations"]] == ["INFO"]
    assert data["tier_trend_p_value"] == 1


# --- channels


def channels(api: Gateway, path: str = "") -> dict[str, dict[str, Any]]:
    content = api.get(f"/api/v1/signals/performance{path}").json
    assert (content["success"], content["timeframe_days"]) == (True, 30)
    assert content["period"]["data_source"] == "simulated"
    return {row["channel_id"]: row for row in content["channels"]}


def test_each_channel_shows_its_trades_and_its_quality(api: Gateway) -> None:
    found = channels(api)
    momentum = found["momentum-alpha"]
    assert (momentum["total_signals"], momentum["completed"], momentum["pending"]) == (2, 2, 0)
    assert (momentum["win_count"], momentum["loss_count"], momentum["win_rate"]) == (1, 1, 50.0)
    assert momentum["win_rate_low"] < 50 < momentum["win_rate_high"]
    assert momentum["avg_loss_pct"] < 0 < momentum["avg_win_pct"]
    assert 0 < momentum["quality_score"] < 100
    assert len(found) > 1
    assert found["trend-delta"]["quality_score"] is None


def test_one_channel_is_the_same_row_alone(api: Gateway) -> None:
    assert channels(api, "/momentum-alpha") == {"momentum-alpha": channels(api)["momentum-alpha"]}


def test_a_channel_that_does_not_exist_is_not_found(api: Gateway) -> None:
    reply = api.get("/api/v1/signals/performance/nobody")
    assert reply.status == 404
    assert "momentum-alpha" in reply.json["detail"]


def test_a_channels_figures_are_the_domains_and_none_is_left_out() -> None:
    from api.report_answers import ChannelBody

    rates = {"win_rate", "win_rate_low", "win_rate_high"}
    assert ChannelBody.__annotations__.keys() == (ChannelPerformance.__annotations__.keys() - {"rate"}) | rates
