"""The paper record's summary and metrics, and the formula behind every figure."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from pydantic import TypeAdapter

from api.formulas import FORMULAS
from api.paper_statistics_answers import Performance, Summary
from plumbline.domain.calendar import DAY, HOUR, MINUTE, Interval, iso
from plumbline.domain.signals import Side
from plumbline.domain.trades import Board, Status, Trade
from plumbline.pipeline.progress import Progress
from plumbline.ports import Stores, Universe
from tests.builders import NOON, a_position, a_signal, a_trade, an_outcome
from tests.fakes import memory_stores
from tests.functions.gateway import Gateway, services

BASE = "/api/public/paper-trading"
STATS = {"win_rate", "win_rate_low", "win_rate_high", "n"}


def closed(status: Status = Status.TARGET, *, days_ago: float = 0.5, **changes: Any) -> Trade:
    return a_trade(opened_at=NOON - int(days_ago * DAY), status=status, **changes)


def traded(*trades: Trade, source: str = "simulated") -> Stores:
    """A record of these trades and the signals behind them, with a market and a board that are up to date."""
    stores = memory_stores(source)
    stores.markets.add(Universe(day="2026-11-20", markets=("BTC/USDT", "ETH/USDT"), most_traded={}))
    for trade in trades:
        stores.trades.add(trade)
    stores.cursors.move(None, "collect#1m", NOON, Progress({"BTC/USDT": NOON}).notes())
    stores.cursors.move(None, "summarise", NOON - 300 * DAY, {})
    stores.positions.mark(Board(as_of=NOON, open=0, unrealised_usd=Decimal(0), prices={}))
    return stores


def ask(stores: Stores, path: str = "summary", now: int = NOON, **environment: str) -> Any:
    reply = Gateway(services(stores, now=now, environment=environment), claims=None).get(f"{BASE}/{path}")
    assert reply.status == 200, reply.body
    return reply.json


MIXED = (
    closed(Status.TARGET, days_ago=0.5),
    closed(Status.STOP, days_ago=1.5),
    closed(Status.STOP, days_ago=2.5, scanner_type="mss"),
    closed(Status.EXPIRED, days_ago=3.5, exit_price=Decimal("42137.51")),
    closed(Status.UNKNOWN, days_ago=4.5),
)
"""One target (+2.53 net), two stops (−2.22 each), one that came to nothing within a cent, and one without a price."""


# --- the summary


def test_the_summary_counts_what_closed_and_tells_its_rate_with_n_and_interval() -> None:
    content = ask(traded(*MIXED))
    assert (content["closed"], content["closed_unknown"], content["n"]) == (5, 1, 4)
    assert (content["winning"], content["losing"], content["flat"]) == (1, 2, 1)
    assert (content["win_rate"], content["coverage"]) == (25.0, 80.0)
    assert content["win_rate_low"] < 25 < content["win_rate_high"]
    assert content["average_profit_usd"] == pytest.approx(2.528005)
    assert content["average_loss_usd"] == pytest.approx(-2.22468)
    assert content["total_pnl_usd"] == pytest.approx(2.528005 - 2 * 2.22468, abs=0.01)
    assert content["total_pnl_pct"] == pytest.approx(content["total_pnl_usd"] / 100, abs=1e-4)
    assert content["costs"] == {"position_usd": 100.0, "fee_bps": 10.0, "slippage_bps": 5.0, "capital_usd": 10_000.0}
    assert content["period"]["period_days"] == 30


def test_before_the_first_trade_no_rate_is_known() -> None:
    content = ask(traded())
    assert (content["n"], content["total"], content["total_pnl_usd"], content["unrealised_usd"]) == (0, 0, 0.0, 0.0)
    for name in ("win_rate", "win_rate_low", "win_rate_high", "break_even_win_rate", "average_profit_usd", "coverage"):
        assert content[name] is None


def test_what_is_open_is_in_the_total_and_worth_what_the_board_says() -> None:
    stores = traded(*MIXED)
    stores.positions.mark(Board(as_of=NOON, open=3, unrealised_usd=Decimal("-1.25"), prices={}))
    content = ask(stores)
    assert (content["open"], content["total"], content["unrealised_usd"]) == (3, 8, -1.25)


def test_the_signals_of_the_period_are_counted_beside_their_trades() -> None:
    stores = traded(*MIXED)
    for hours in (1, 2, 3):
        stores.signals.add(a_signal(timestamp=NOON - hours * HOUR))
    assert ask(stores)["total_signals"] == 3
    assert ask(stores, "summary?scanner=technical")["total_signals"] == 3
    assert ask(stores, "summary?market_type=SPOT")["total_signals"] is None


def test_a_simulated_record_says_so_and_every_record_says_that_it_is_hypothetical() -> None:
    simulated, real = ask(traded()), ask(traded(source="binance"))
    assert (simulated["simulated"], simulated["period"]["simulated"], simulated["data_source"]) == (
        True,
        True,
        "simulated",
    )
    assert "simulated" in simulated["hypothetical"]
    assert (real["simulated"], real["data_source"]) == (False, "binance")
    assert real["hypothetical"].startswith("These results are hypothetical")
    assert "simulated" not in real["hypothetical"]


@pytest.mark.parametrize(
    ("candle", "board", "stale"),
    [
        (MINUTE, MINUTE, False),
        (10 * MINUTE, 10 * MINUTE, False),
        (11 * MINUTE, MINUTE, True),
        (MINUTE, 11 * MINUTE, True),
        (None, MINUTE, True),
        (MINUTE, None, False),
    ],
)
def test_old_candles_and_old_prices_make_the_record_stale(candle: int | None, board: int | None, stale: bool) -> None:
    stores = memory_stores()
    notes = Progress({} if candle is None else {"BTC/USDT": NOON - candle}).notes()
    stores.cursors.move(None, "collect#1m", NOON, notes)
    if board is not None:
        stores.positions.mark(Board(as_of=NOON - board, open=0, unrealised_usd=Decimal(0), prices={}))
    content = ask(stores)
    assert content["stale"] is stale
    assert content["newest_candle_at"] == (None if candle is None else iso(NOON - candle))


def test_the_live_feeds_address_is_told_where_there_is_one() -> None:
    assert ask(traded())["live"] == {"url": None}
    assert ask(traded(), PLUMBLINE_FEED_URL="wss://feed.example/live")["live"] == {"url": "wss://feed.example/live"}


def test_within_one_minute_the_answer_does_not_change() -> None:
    stores = traded(*MIXED)
    assert ask(stores, now=NOON) == ask(stores, now=NOON + MINUTE - 1)
    assert ask(stores, now=NOON + MINUTE)["as_of"] == iso(NOON + MINUTE)


def test_a_trade_counts_from_the_minute_in_which_it_closed() -> None:
    stores = traded(closed())
    at = stores.trades.get([closed().signal_id])[closed().signal_id].closed_at
    assert [ask(stores, now=now)["closed"] for now in (at, at + 1)] == [0, 1]


# --- the metrics


def test_the_three_books_stand_side_by_side_and_each_cost_makes_them_poorer() -> None:
    books = ask(traded(*MIXED), "performance")["books"]
    totals = [books[name]["total_pnl_usd"] for name in ("ideal", "net", "pessimistic")]
    assert totals == sorted(totals, reverse=True)
    assert len(set(totals)) == 3
    assert {book["n"] for book in books.values()} == {4}
    assert {book["days"] for book in books.values()} == {30}


def test_the_metrics_of_a_book_follow_from_its_trades() -> None:
    content = ask(traded(*MIXED), "performance")
    net = content["books"]["net"]
    assert (content["targets"], content["stops"], content["expired"], content["unknown"]) == (1, 2, 1, 1)
    assert net["expectancy_usd"] == pytest.approx(net["total_pnl_usd"] / 4, abs=1e-6)
    assert net["total_return_pct"] == pytest.approx(net["total_pnl_usd"] / 100, abs=1e-4)
    assert net["profit_factor"] == pytest.approx(2.528005 / 4.44, abs=0.01)
    assert net["best_trade_usd"] == pytest.approx(2.528005)
    assert net["worst_trade_usd"] < 0
    assert net["max_drawdown_usd"] == pytest.approx(4.44, abs=0.02)
    assert max(net["sharpe_ratio"], net["sortino_ratio"]) < 0
    assert content["fees_and_slippage_usd"] == pytest.approx(
        content["books"]["ideal"]["total_pnl_usd"] - net["total_pnl_usd"], abs=1e-5
    )
    assert (content["days_per_year"], content["capital_usd"]) == (365, 10_000.0)


def test_the_equity_curve_has_every_day_and_ends_at_the_total() -> None:
    content = ask(traded(*MIXED), "performance?days=7")
    curve = content["equity"]
    assert [day["day"] for day in curve] == [f"2026-11-{day}" for day in range(14, 21)]
    assert sum(day["closed"] for day in curve) == content["closed"]
    for name, book in content["books"].items():
        assert curve[-1]["equity_usd"][name] == pytest.approx(10_000 + book["total_pnl_usd"])
        assert sum(day["pnl_usd"][name] for day in curve) == pytest.approx(book["total_pnl_usd"])
    assert max(day["drawdown_pct"] for day in curve) == content["books"]["net"]["max_drawdown_pct"]


def test_what_no_candle_decides_is_told_with_both_bounds() -> None:
    undecided = replace(closed(Status.STOP), ambiguous=True, net_if_target=closed().net)
    content = ask(traded(undecided), "performance")
    assert content["ambiguous"] == 1
    assert content["ambiguous_bounds"]["low_usd"] == content["books"]["net"]["total_pnl_usd"] < 0
    assert content["ambiguous_bounds"]["high_usd"] == pytest.approx(2.528005)


BY = {
    "scanner": ["mss", "technical"],
    "tier": ["TIER_2_STRONG_BUY"],
    "symbol": ["BTC/USDT", "ETH/USDT"],
    "channel": ["momentum-alpha"],
    "timeframe": ["1h"],
    "market_type": ["SPOT"],
    "side": ["LONG", "SHORT"],
    "snapshot": ["5" * 64],
}


@pytest.mark.parametrize(("by", "keys"), BY.items())
def test_there_is_a_row_for_each_value_and_the_rows_are_the_whole(by: str, keys: list[str]) -> None:
    stores = traded(*MIXED, closed(days_ago=5, symbol="ETH/USDT"), closed(days_ago=6, side=Side.SHORT))
    content = ask(stores, f"performance?by={by}")
    assert [row["key"] for row in content["rows"]] == keys
    assert sum(row["closed"] for row in content["rows"]) == content["closed"] == 7
    assert sum(row["total_pnl_usd"] for row in content["rows"]) == pytest.approx(
        content["books"]["net"]["total_pnl_usd"]
    )
    for name, book in (("gross_pnl_usd", "ideal"), ("pessimistic_pnl_usd", "pessimistic")):
        assert sum(row[name] for row in content["rows"]) == pytest.approx(content["books"][book]["total_pnl_usd"])
    assert ask(stores, "performance")["rows"] == []


def test_a_row_shows_its_signals_outcomes_at_each_interval() -> None:
    stores, signal = traded(*MIXED), a_signal(timestamp=NOON - 5 * HOUR)
    stores.signals.add(signal)
    stores.outcomes.add(an_outcome(signal, Interval.H1))
    stores.outcomes.add(an_outcome(signal, Interval.H4, price=signal.entry_price))
    rows = {row["key"]: row for row in ask(stores, "performance?by=scanner")["rows"]}
    outcomes = rows["technical"]["intervals"]
    assert rows["technical"]["signals"] == 1
    assert (outcomes["1h"]["wins"], outcomes["1h"]["win_rate"], outcomes["1h"]["n"]) == (1, 100.0, 1)
    assert outcomes["1h"]["win_rate_low"] < 25
    assert (outcomes["4h"]["neutral"], outcomes["4h"]["win_rate"], outcomes["4h"]["coverage"]) == (1, 0.0, 100.0)


def test_by_interval_there_is_one_row_for_each_interval_about_outcomes_only() -> None:
    stores, signal = traded(*MIXED), a_signal(timestamp=NOON - 5 * HOUR)
    stores.signals.add(signal)
    stores.outcomes.add(an_outcome(signal, Interval.H1))
    rows = ask(stores, "performance?by=interval")["rows"]
    assert [row["key"] for row in rows] == ["1h", "4h", "24h", "7d", "30d"]
    assert all(list(row["intervals"]) == [row["key"]] for row in rows)
    assert {row["closed"] for row in rows} == {0}
    assert rows[0]["intervals"]["1h"]["wins"] == 1


def test_what_cannot_be_grouped_by_is_refused() -> None:
    reply = Gateway(claims=None).get(f"{BASE}/performance/?by=colour")
    assert (reply.status, [fault["field"] for fault in reply.json["errors"]]) == (422, ["by"])
    assert Gateway(claims=None).get(f"{BASE}/summary/?by=scanner").status == 422


# --- rates and formulas


def blocks(content: Any) -> Iterator[dict[str, Any]]:
    if isinstance(content, dict):
        yield content
        for value in content.values():
            yield from blocks(value)
    if isinstance(content, list):
        for value in content:
            yield from blocks(value)


@pytest.mark.parametrize("path", ["summary", "performance?by=scanner", "performance?by=interval"])
def test_no_rate_stands_without_its_n_and_its_interval(path: str) -> None:
    stores = traded(*MIXED)
    stores.signals.add(a_signal(timestamp=NOON - 5 * HOUR))
    rated = [block for block in blocks(ask(stores, path)) if "win_rate" in block and "formulas" not in block]
    rated = [block for block in rated if not isinstance(block["win_rate"], str)]
    assert rated
    assert all(block.keys() >= STATS for block in rated)


ABOUT = {"period_days"}
"""Numbers that are no figures."""


def figures(schema: dict[str, Any], node: Any, name: str = "") -> Iterator[str]:
    """Names of the numbers in an answer, as the formulas are named: outcomes in rows stand behind `intervals.`."""
    if "$ref" in node:
        node = schema["$defs"][node["$ref"].rsplit("/", 1)[-1]]
    for variant in node.get("anyOf", ()):
        yield from figures(schema, variant, name)
    if node.get("type") in ("number", "integer"):
        yield name
    prefix = "intervals." if name.endswith("intervals") else ""
    for inner in (node.get("items"), node.get("additionalProperties")):
        if isinstance(inner, dict):
            yield from figures(schema, inner, name)
    for part, property_ in node.get("properties", {}).items():
        # the three books are one figure three times
        yield from figures(schema, property_, name if part in BOOKS and "_" in name else f"{prefix}{part}")


BOOKS = ("ideal", "net", "pessimistic")


def named(kind: Any) -> set[str]:
    schema = TypeAdapter(kind).json_schema(mode="serialization")
    return set(figures(schema, schema)) - ABOUT


def test_every_figure_has_its_formula_and_every_formula_a_figure() -> None:
    names = named(Summary) | named(Performance)
    assert {"win_rate", "sharpe_ratio", "pnl_usd", "intervals.win_rate", "intervals.n", "capital_usd"} <= names
    assert names == set(FORMULAS)


def test_a_formula_is_one_sentence() -> None:
    for name, text in FORMULAS.items():
        assert text.endswith("."), name
        assert text[0].isupper() or text[0].isdigit(), name
        assert len(text) < 200, name


def test_the_formulas_travel_with_the_metrics() -> None:
    assert ask(traded(), "performance")["formulas"] == dict(FORMULAS)


def test_the_open_trades_of_a_filter_are_counted_one_by_one() -> None:
    stores = traded()
    for hours, side in ((1, Side.LONG), (2, Side.SHORT), (3, Side.SHORT)):
        stores.positions.put(a_position(opened_at=NOON - hours * HOUR, side=side))
    prices = {"BTC/USDT": Decimal(42_000)}
    stores.positions.mark(Board(as_of=NOON, open=3, unrealised_usd=Decimal(1), prices=prices))
    assert [ask(stores, f"summary?side={side}")["open"] for side in Side] == [1, 2]
