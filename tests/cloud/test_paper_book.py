"""Every signal's paper trade, through what is deployed, against the market's own minutes."""

from contextlib import closing
from typing import Any

import httpx
import pytest

from infra.local.report import Reader
from infra.local.stack import Stack
from infra.local.verify import exchange_minutes
from infra.local.verify_trades import verify_trades
from plumbline.domain.calendar import DAY, parse_instant
from tests.cloud.conftest import END

PAPER = "/api/public/paper-trading"


@pytest.fixture(scope="module")
def record(stack: Stack) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Signals and trades."""
    with closing(Reader(stack, stack.tokens["user"])) as reader:
        return [dict(signal) for signal in reader.signals()], [dict(trade) for trade in reader.trades()]


@pytest.fixture
def trades(record: tuple[list[dict[str, Any]], list[dict[str, Any]]]) -> list[dict[str, Any]]:
    return record[1]


def test_every_signal_has_one_trade(record: tuple[list[dict[str, Any]], list[dict[str, Any]]]) -> None:
    signals, trades = record
    assert len(trades) > 10
    assert sorted(trade["signal_id"] for trade in trades) == sorted(signal["signal_id"] for signal in signals)


def test_every_trade_ended_as_the_markets_own_minutes_say(trades: list[dict[str, Any]], stack: Stack) -> None:
    with exchange_minutes(stack.exchange_url or "") as minutes:
        verdict = verify_trades(trades, minutes, END)
    assert verdict.differing == []
    assert verdict.agreeing == len(trades)


def test_what_is_older_than_a_day_is_closed(trades: list[dict[str, Any]]) -> None:
    overdue = {trade["status"] for trade in trades if parse_instant(trade["opened_at"]) <= END - DAY}
    assert overdue
    assert "OPEN" not in overdue


def test_the_signals_say_what_became_of_their_trades(
    record: tuple[list[dict[str, Any]], list[dict[str, Any]]],
) -> None:
    signals, trades = record
    known = {trade["signal_id"]: (trade["outcome"], trade["pnl_pct"], trade["closed_at"]) for trade in trades}
    for signal in signals:
        told = signal["actual_outcome"], signal["actual_profit_pct"], signal["closed_at"]
        assert told == known[signal["signal_id"]]


def test_the_summary_counts_what_the_list_shows(anyone: httpx.Client, trades: list[dict[str, Any]]) -> None:
    book = anyone.get(f"{PAPER}/summary/").json()
    closed = [trade for trade in trades if trade["pnl_usd"] is not None]
    assert (book["closed"], book["open"], book["total"]) == (len(closed), len(trades) - len(closed), len(trades))
    assert book["winning"] == sum(trade["pnl_usd"] > 0.01 for trade in closed)
    assert book["total_pnl_usd"] == pytest.approx(sum(trade["pnl_usd"] for trade in closed), abs=1e-6)
