"""The service at work: how fast it was, what it signalled, what is open."""

from decimal import Decimal
from typing import Any

import pytest

from plumbline.domain.calendar import DAY, HOUR, Interval
from plumbline.domain.signals import Action, Origin, Side
from plumbline.domain.trades import Board, Status
from plumbline.pipeline.progress import SUMMARISE
from plumbline.ports import Stores
from tests.builders import NOON, a_position, a_signal, a_trade, an_outcome
from tests.fakes import FakePolicy, memory_stores
from tests.functions.gateway import Gateway, services

NOTHING = {"runs": 0, "windows": 0, "run_ms": None, "window_ms": None}


def statistics(stores: Stores | None = None, now: int = NOON) -> Any:
    return Gateway(services(stores, now=now, policy=FakePolicy())).get("/api/signals/statistics").json


def worked(**runs: list[list[float]]) -> Stores:
    """Generators that remember these runs: evaluated, ms, windows, ms of inference."""
    stores = memory_stores()
    for timeframe, notes in runs.items():
        stores.cursors.move(None, f"generate#{timeframe.removeprefix('of_')}", NOON, {"runs": notes})
    return stores


def test_a_service_that_has_done_nothing_has_counts_and_no_figures() -> None:
    content = statistics()
    assert (content["as_of"], content["mode"]) == ("2026-11-20T12:00:00Z", "MODEL")
    assert content["inference"] == NOTHING
    assert content["generation"] == {"runs": 0, "evaluated": 0, "run_ms": None, "evaluations_per_minute": None}
    assert content["timeframes"] == []
    nothing = {"count": 0, "long": 0, "short": 0, "as_of": None, "unrealised_usd": 0.0}
    assert content["positions"]["open"] == nothing
    assert content["positions"]["closed"]["avg_pnl_pct"] is None


def test_the_runs_of_a_timeframe_are_told_by_percentiles_of_nearest_rank() -> None:
    runs = [[100, float(ms), 50, ms / 10] for ms in range(40, 0, -1)]
    content = statistics(worked(of_1h=runs))
    [hourly] = content["timeframes"]
    assert hourly["timeframe"] == "1h"
    assert hourly["generation"]["run_ms"] == {"p50": 20.0, "p95": 38.0, "p99": 40.0}
    assert hourly["inference"]["run_ms"] == {"p50": 2.0, "p95": 3.8, "p99": 4.0}
    assert hourly["inference"]["window_ms"] == {"p50": 0.04, "p95": 0.076, "p99": 0.08}
    assert (hourly["inference"]["runs"], hourly["inference"]["windows"]) == (40, 2_000)
    assert (hourly["generation"]["runs"], hourly["generation"]["evaluated"]) == (40, 4_000)
    assert hourly["generation"]["evaluations_per_minute"] == pytest.approx(60_000 * 4_000 / 820, abs=0.1)


def test_the_timeframes_are_pooled_run_by_run_the_shortest_first() -> None:
    content = statistics(worked(of_1h=[[10, 5.0, 10, 1.0]], of_5m=[[20, 7.0, 0, 0.0], [20, 9.0, 40, 2.0]]))
    assert [part["timeframe"] for part in content["timeframes"]] == ["5m", "1h"]
    assert content["generation"]["run_ms"] == {"p50": 7.0, "p95": 9.0, "p99": 9.0}
    assert (content["generation"]["runs"], content["generation"]["evaluated"]) == (3, 50)


def test_runs_in_which_the_policy_was_not_asked_say_nothing_about_its_speed() -> None:
    content = statistics(worked(of_1h=[[20, 7.0, 0, 0.0], [20, 9.0, 40, 2.0]]))
    assert (content["inference"]["runs"], content["inference"]["run_ms"]["p50"]) == (1, 2.0)
    assert statistics(worked(of_1h=[[20, 7.0, 0, 0.0]]))["inference"] == NOTHING


def recorded() -> Stores:
    """A buy and a sell of today, one of an outside source yesterday, an old loser, and two that do not count."""
    stores = memory_stores()
    stores.cursors.move(None, SUMMARISE, NOON - 50 * DAY, {})
    old = a_signal(timestamp=NOON - 3 * DAY)
    for signal in (
        a_signal(timestamp=NOON - HOUR, scanner_type="model"),
        a_signal(timestamp=NOON - 2 * HOUR, action=Action.SELL),
        a_signal(timestamp=NOON - DAY, scanner_type="social", origin=Origin.EXTERNAL),
        a_signal(timestamp=NOON - 3 * HOUR, origin=Origin.BACKFILL),
        a_signal(timestamp=NOON - 40 * DAY),
        old,
    ):
        stores.signals.add(signal)
    stores.outcomes.add(an_outcome(old, Interval.H24, price=old.entry_price * Decimal("0.96")))
    stores.outcomes.add(an_outcome(old, Interval.H4))
    return stores


def test_signals_are_counted_by_side_and_scanner_over_a_day_and_over_the_period() -> None:
    content = statistics(recorded())
    assert content["period"]["period_days"] == 30
    assert content["signals"] == {
        "last_24h": {"count": 2, "buy": 1, "sell": 1, "by_scanner": {"model": 1, "technical": 1}},
        "period": {"count": 4, "buy": 3, "sell": 1, "by_scanner": {"model": 1, "social": 1, "technical": 2}},
    }


def test_positions_are_the_open_paper_trades_and_what_the_closed_ones_came_to() -> None:
    stores = recorded()
    for hours, side, origin in (
        (1, Side.LONG, Origin.LIVE),
        (2, Side.SHORT, Origin.LIVE),
        (3, Side.LONG, Origin.BACKFILL),
    ):
        stores.positions.put(a_position(opened_at=NOON - hours * HOUR, side=side, origin=origin))
    stores.positions.mark(Board(as_of=NOON, open=2, unrealised_usd=Decimal("0.75"), prices={}))
    for days, status in enumerate((Status.TARGET, Status.STOP, Status.STOP, Status.UNKNOWN), start=2):
        stores.trades.add(a_trade(opened_at=NOON - days * DAY, status=status))
    positions = statistics(stores)["positions"]
    assert positions["open"] == {
        "count": 2,
        "long": 1,
        "short": 1,
        "as_of": "2026-11-20T12:00:00Z",
        "unrealised_usd": 0.75,
    }
    assert positions["closed"] == {
        "due": 4,
        "checked": 3,
        "wins": 1,
        "losses": 2,
        "neutral": 0,
        "unknown": 1,
        "targets": 1,
        "stops": 2,
        "expired": 0,
        "total_pnl_usd": -1.921355,
        "avg_pnl_usd": -0.640452,
        "avg_pnl_pct": -0.640452,
    }


def test_a_trade_of_before_the_period_is_not_counted() -> None:
    stores = recorded()
    for days in (28, 40):
        stores.trades.add(a_trade(opened_at=NOON - days * DAY))
    assert statistics(stores)["positions"]["closed"]["due"] == 1
