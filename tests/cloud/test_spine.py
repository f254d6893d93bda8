"""From an exchange's candle to a checked outcome, through what is deployed."""

import hashlib
import json
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from infra.local import replay
from infra.local.cloud import Cloud
from infra.local.report import Reader
from infra.local.stack import Stack
from plumbline.domain.calendar import DAY, HOUR, MINUTE, Interval, parse_instant
from plumbline.domain.strategies import DEFAULT_CHANNELS
from tests.cloud.conftest import END, run_replay

POLICIES = Path(__file__).parents[2] / "layers" / "model" / "policies"
FACTS = ("candles", "signals", "outcomes", "trades", "channels", "strategies", "markets", "rollups", "positions")
"""And the open trades, which follow from them."""


@pytest.fixture(scope="module")
def signals(stack: Stack) -> list[dict[str, Any]]:
    with closing(Reader(stack, stack.tokens["user"])) as reader:
        return [dict(signal) for signal in reader.signals()]


def stored(cloud: Cloud, stack: Stack, table: str) -> list[str]:
    pages = cloud.tables.get_paginator("scan").paginate(TableName=f"{stack.tables}-{table}")
    return sorted(json.dumps(item, default=str, sort_keys=True) for page in pages for item in page["Items"])


def price(stack: Stack, symbol: str, instant: int) -> Decimal:
    """Close of the 1m candle that closed at `instant`, asked of the exchange itself."""
    query: dict[str, str | int] = {
        "symbol": symbol.replace("/", ""),
        "interval": "1m",
        "startTime": instant - MINUTE,
        "limit": 1,
    }
    candle = httpx.get(f"{stack.exchange_url}/api/v3/klines", params=query).json()[0]
    assert candle[0] == instant - MINUTE
    return Decimal(candle[4])


def test_a_stretch_of_market_becomes_signals_of_every_channel_that_follows_rules(signals: list[dict[str, Any]]) -> None:
    rules = {c.channel_id for c in DEFAULT_CHANNELS if c.strategy_type != "model"}
    assert {signal["channel_id"] for signal in signals} >= rules
    assert {signal["origin"] for signal in signals} == {"live"}


def test_the_shipped_policy_for_this_market_was_asked_and_says_who_it_is(
    signals: list[dict[str, Any]], user: httpx.Client
) -> None:
    shipped = hashlib.sha256((POLICIES / "policy-simulated.onnx").read_bytes()).hexdigest()
    info = user.get("/api/signals/model/info").json()
    assert (info["mode"], info["hash"], info["market"]) == ("MODEL", shipped, "simulated")
    asked = {s["provenance"]["model_hash"] for s in signals if s["channel_id"] == "momentum-alpha"}
    assert asked == {shipped}
    inference = user.get("/api/signals/statistics").json()["inference"]
    assert inference["windows"] >= 30 * 3  # thirty hours of three markets


def test_a_signal_exists_once(signals: list[dict[str, Any]]) -> None:
    keys = [(s["snapshot_id"], s["symbol"], s["timeframe"], s["timestamp"]) for s in signals]
    assert len(set(keys)) == len(keys) == len({s["signal_id"] for s in signals})


def test_every_check_that_fell_due_has_its_outcome_and_no_other_has_one(signals: list[dict[str, Any]]) -> None:
    for signal in signals:
        taken = parse_instant(signal["timestamp"])
        due = {i.value for i in Interval if taken + i.ms <= END}
        decided = [o["interval"] for o in signal["outcomes"] if o["outcome"]]
        assert sorted(decided) == sorted(due), signal


def test_every_outcome_is_the_markets_price_at_its_due_time(signals: list[dict[str, Any]], stack: Stack) -> None:
    compared = 0
    for signal in signals:
        entry, sign = Decimal(str(signal["entry_price"])), 1 if signal["action"] == "BUY" else -1
        for outcome in (o for o in signal["outcomes"] if o["outcome"]):
            exit_price = price(stack, signal["symbol"], parse_instant(outcome["due_at"]))
            pnl = sign * (exit_price - entry) * 100 / entry
            assert Decimal(str(outcome["exit_price"])) == exit_price
            assert abs(Decimal(str(outcome["pnl_pct"])) - pnl) < Decimal("0.00001")
            wanted = "WIN" if pnl >= 5 else "LOSS" if pnl <= -3 else "NEUTRAL"
            assert outcome["outcome"] == wanted
            compared += 1
    assert compared > 10


def test_the_statistics_count_what_the_history_shows(user: httpx.Client, signals: list[dict[str, Any]]) -> None:
    data = user.get("/performance/stats", params={"days": 2}).json()["data"]
    labels = [o["outcome"] for s in signals for o in s["outcomes"] if o["outcome"]]
    assert data["total_signals"] == len(signals)
    assert [data["wins"], data["losses"], data["neutral"]] == [labels.count(x) for x in ("WIN", "LOSS", "NEUTRAL")]


@pytest.mark.parametrize("step", [HOUR * 15, 2 * DAY])
def test_a_replay_of_what_was_done_changes_no_fact(stack: Stack, cloud: Cloud, step: int) -> None:
    before = {table: stored(cloud, stack, table) for table in FACTS}
    result = run_replay(stack, cloud, step)
    assert result.sums["generate_signals", "signals"] == 0
    for table in FACTS:
        assert stored(cloud, stack, table) == before[table], table


def test_bad_input_to_a_function_is_told_with_what_is_valid(stack: Stack, cloud: Cloud) -> None:
    invoke = replay.lambda_invoker(cloud.functions, stack.functions)
    with pytest.raises(replay.FunctionFailed, match="unknown timeframe '2h'; valid are 1m 5m 15m 1h 4h 1d"):
        invoke("generate_signals", {"timeframe": "2h", "time": "2024-01-03T00:00:00Z"})
