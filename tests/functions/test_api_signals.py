"""The log as readers see it, and decisions on demand."""

import json
from decimal import Decimal
from typing import Any

import pytest

from plumbline.domain.calendar import DAY, HOUR, Interval, Timeframe, iso
from plumbline.domain.candles import Candles
from plumbline.domain.decisions import decide
from plumbline.domain.outcomes import Label
from plumbline.domain.strategies import DEFAULT_CHANNELS, default_configuration
from plumbline.domain.trades import Status
from plumbline.domain.windows import window_start
from plumbline.pipeline.progress import Progress, collecting
from plumbline.ports import Stores, Universe
from tests.builders import NOON, a_position, a_signal, a_trade, an_outcome, random_walk, signals_at
from tests.fakes import memory_stores
from tests.functions.gateway import Gateway, services

MODEL_CHANNEL = DEFAULT_CHANNELS[-1]
HOURLY = random_walk("1h", 900, seed=7, start=NOON - 900 * HOUR)


@pytest.fixture
def stores() -> Stores:
    stores = memory_stores()
    stores.markets.add(Universe(day="2026-11-20", markets=("BTC/USDT", "ETH/USDT", "BTC/USDT:USDT"), most_traded={}))
    return stores


@pytest.fixture
def api(stores: Stores) -> Gateway:
    return Gateway(services(stores))


def collected(stores: Stores, candles: Candles, until: int = NOON) -> None:
    stores.candles.add("BTC/USDT", candles)
    stores.cursors.move(None, collecting(candles.timeframe), until, Progress({"BTC/USDT": until}).notes())


# --- the log


def test_the_newest_signal_is_shown_whole(api: Gateway, stores: Stores) -> None:
    signal = a_signal(stop_loss=Decimal("41200.25"))
    stores.signals.add(a_signal(timestamp=NOON - HOUR))
    stores.signals.add(signal)
    body = api.get("/api/signals/latest").json["signal"]
    assert body["signal_id"] == signal.signal_id
    assert (body["timestamp"], body["recorded_at"]) == ("2026-11-20T12:00:00Z", "2026-11-20T12:00:02Z")
    assert (body["entry_price"], body["stop_loss"]) == (42000.5, 41200.25)
    assert body["reasoning"] == ["RSI oversold (28.5)", "MACD bullish cross"]
    assert body["simulated"] is True
    assert body["actual_outcome"] == "pending"
    assert (body["actual_profit_pct"], body["close_price"], body["closed_at"]) == (None, None, None)
    assert "outcomes" not in body


@pytest.mark.parametrize(
    ("status", "outcome", "profit", "price"),
    [
        (Status.TARGET, "win", 2.528005, 43200.875),
        (Status.STOP, "loss", -2.22468, 41200.25),
        (Status.EXPIRED, "expired", 0.033, 42150.5),
        (Status.UNKNOWN, "unknown", None, None),
    ],
)
def test_a_signals_outcome_follows_its_trade(
    api: Gateway, stores: Stores, status: Status, outcome: str, profit: float | None, price: float | None
) -> None:
    signal, pending = a_signal(timestamp=NOON - DAY), a_signal(timestamp=NOON - HOUR)
    trade = a_trade(position=a_position(signal), status=status)
    stores.signals.add(signal)
    stores.signals.add(pending)
    stores.trades.add(trade)
    newer, body = api.get("/api/signals/history").json["signals"]
    assert (newer["actual_outcome"], body["actual_outcome"]) == ("pending", outcome)
    assert body["actual_profit_pct"] == (None if profit is None else pytest.approx(profit, abs=0.01))
    assert (body["close_price"], body["closed_at"]) == (price, iso(trade.closed_at))
    older = a_signal(timestamp=NOON - DAY, symbol="ETH/USDT")
    stores.signals.add(older)
    stores.trades.add(a_trade(position=a_position(older), status=status))
    assert api.get("/api/signals/latest?symbol=ETH").json["signal"]["actual_outcome"] == outcome


@pytest.mark.parametrize("written", ["ETH/USDT", "ETHUSDT", "eth"])
def test_a_symbol_is_found_however_it_is_written(api: Gateway, stores: Stores, written: str) -> None:
    stores.signals.add(a_signal(symbol="ETH/USDT"))
    stores.signals.add(a_signal(timestamp=NOON + HOUR))
    assert api.get(f"/api/signals/latest?symbol={written}").json["signal"]["symbol"] == "ETH/USDT"


def test_before_the_first_signal_there_is_none_to_find(api: Gateway) -> None:
    reply = api.get("/api/signals/latest?symbol=BTC&channel=momentum-alpha")
    assert reply.status == 404
    assert reply.json["detail"] == "no signal of BTC/USDT and momentum-alpha is recorded yet"


def test_the_pages_of_the_log_hold_every_signal_once_newest_first(api: Gateway, stores: Stores) -> None:
    signals = signals_at(*(NOON + i * HOUR for i in range(7)))
    for signal in signals:
        stores.signals.add(signal)
    seen: list[str] = []
    cursor: str | None = ""
    pages = 0
    while cursor is not None:
        page = api.get(f"/api/signals/history?limit=3{cursor and '&cursor='}{cursor}").json
        seen += [signal["signal_id"] for signal in page["signals"]]
        cursor, pages = page["next_cursor"], pages + 1
    assert seen == [signal.signal_id for signal in reversed(signals)]
    assert pages == 3


def test_filters_choose_by_channel_and_time_with_the_ends_included(api: Gateway, stores: Stores) -> None:
    for signal in signals_at(NOON, NOON + HOUR, NOON + 2 * HOUR):
        stores.signals.add(signal)
    stores.signals.add(a_signal(timestamp=NOON + HOUR, channel_id="reversion-beta", snapshot_id="6" * 64))
    query = f"channel=momentum-alpha&since={iso(NOON)}&until={iso(NOON + HOUR)}"
    found = api.get(f"/api/signals/history?{query}").json["signals"]
    assert [signal["timestamp"] for signal in found] == [iso(NOON + HOUR), iso(NOON)]


def test_outcomes_come_with_the_signals_on_request_judged_or_not(api: Gateway, stores: Stores) -> None:
    signal = a_signal()
    stores.signals.add(signal)
    stores.outcomes.add(an_outcome(signal, Interval.H1))
    stores.outcomes.add(an_outcome(signal, Interval.H4, price=None))
    [body] = api.get("/api/signals/history?include=outcomes").json["signals"]
    first, second, third, *_ = body["outcomes"]
    assert [o["interval"] for o in body["outcomes"]] == ["1h", "4h", "24h", "7d", "30d"]
    assert first == {
        "interval": "1h",
        "due_at": "2026-11-20T13:00:00Z",
        "exit_price": 44520.53,
        "pnl_pct": 6.0,
        "outcome": Label.WIN,
    }
    assert (second["outcome"], second["exit_price"], second["pnl_pct"]) == ("UNKNOWN", None, None)
    assert third == {
        "interval": "24h",
        "due_at": iso(NOON + 24 * HOUR),
        "exit_price": None,
        "pnl_pct": None,
        "outcome": None,
    }


# --- decisions on demand


def a_buy(**changes: Any) -> dict[str, Any]:
    given = {
        "symbol": "BTC",
        "close_price": 100.0,
        "open_price": 98.0,
        "rsi": 68.0,
        "macd": 1.0,
        "macd_signal": 0.0,
        "macd_hist_prev": -1.0,
        "bb_lower": 80.0,
        "bb_middle": 90.0,
        "bb_upper": 100.0,
        "atr": 2.0,
        "volume_ratio": 3.0,
    }
    return given | changes


def test_given_values_make_a_signal_with_its_levels_and_reasons(api: Gateway) -> None:
    body = api.post("/api/signals/generate", a_buy()).json
    signal = body["signal"]
    assert (body["mode"], body["stored"], body["data_source"], body["ignored"]) == ("PLACEHOLDER", False, "given", [])
    assert (signal["action"], signal["symbol"], signal["entry_price"]) == ("BUY", "BTC/USDT", 100.0)
    assert (signal["stop_loss"], signal["take_profit"]) == (96.0, 106.0)
    assert signal["reasoning"]
    assert signal["candle_close"] is None


def test_values_that_do_not_suffice_are_a_hold_that_says_why(api: Gateway) -> None:
    body = api.post("/api/signals/generate", {"symbol": "BTC/USDT", "close_price": 100.0, "rsi": 50}).json
    assert body["signal"]["action"] == "HOLD"
    assert body["signal"]["reasoning"] == ["score 0.0 for BUY (from 55), 0.0 for SELL (from 55)"]
    assert body["mode"] == "PLACEHOLDER"


def test_values_under_names_nobody_knows_are_said_to_be_unused(api: Gateway) -> None:
    body = api.post("/api/signals/generate", a_buy(ema_20=99.0, volume=5)).json
    assert body["ignored"] == ["ema_20: no such value", "volume: no such value"]


def test_nothing_that_is_generated_on_demand_enters_the_record(api: Gateway, stores: Stores) -> None:
    collected(stores, HOURLY)
    api.post("/api/signals/generate", a_buy())
    api.post("/api/signals/generate", {"symbol": "BTC", "timeframe": "1h", "candles": HOURLY.rows()})
    api.post("/api/signals/generate-from-db", {"symbol": "BTC"})
    assert api.get("/api/signals/history").json["signals"] == []


def test_the_same_candles_sent_or_stored_are_decided_as_they_are_live(api: Gateway, stores: Stores) -> None:
    collected(stores, HOURLY)
    window = HOURLY.between(window_start(Timeframe.H1, NOON - HOUR), NOON)
    live = decide(default_configuration(MODEL_CHANNEL).by_the_rules(), window)
    sent = api.post("/api/signals/generate", {"symbol": "BTC", "timeframe": "1h", "candles": HOURLY.rows()}).json
    read = api.post("/api/signals/generate-from-db", {"symbol": "BTC"}).json
    assert sent["signal"] == read["signal"]
    assert read["signal"]["action"] == live.action
    assert read["signal"]["unified_score"] == live.unified_score
    assert read["signal"]["candle_close"] == iso(NOON)
    assert (read["data_source"], sent["data_source"]) == ("simulated", "given")


def test_a_candle_that_is_not_closed_yet_is_left_out_and_said_so(stores: Stores) -> None:
    half_past = Gateway(services(stores, now=NOON - HOUR // 2))
    body = half_past.post("/api/signals/generate", {"symbol": "BTC", "timeframe": "1h", "candles": HOURLY.rows()}).json
    assert body["signal"]["candle_close"] == iso(NOON - HOUR)
    assert "1 candle: not closed at 2026-11-20T11:30:00Z" in body["ignored"]


def test_candles_before_the_window_are_left_out_so_that_a_longer_list_decides_alike(api: Gateway) -> None:
    long = random_walk("1h", 1_500, seed=7, start=NOON - 1_500 * HOUR)
    window = long.between(window_start(Timeframe.H1, NOON - HOUR), NOON)
    sent = [
        api.post("/api/signals/generate", {"symbol": "BTC", "timeframe": "1h", "candles": c.rows()}).json
        for c in (long, window)
    ]
    assert sent[0]["signal"] == sent[1]["signal"]
    assert sent[0]["ignored"] == [f"{len(long) - len(window)} candles: older than the window of the last candle"]
    assert sent[1]["ignored"] == []


def test_too_few_candles_are_a_hold_that_counts_them(api: Gateway) -> None:
    rows = HOURLY.rows()[-120:]
    body = api.post("/api/signals/generate", {"symbol": "BTC", "timeframe": "1h", "candles": rows}).json
    assert body["signal"]["reasoning"] == ["not enough history: 120 of 400 candles"]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_a_candle_with_what_is_no_number_is_a_problem_that_names_the_place(api: Gateway, number: str) -> None:
    text = f'{{"symbol": "BTC", "timeframe": "1h", "candles": [[0, 1, 1, 1, 1, 1], [3600000, 1, {number}, 1, 1, 1]]}}'
    reply = api.send("POST", "/api/signals/generate", text, {"content-type": "application/json"})
    assert (reply.status, reply.headers["content-type"]) == (422, "application/problem+json")
    assert [fault["field"] for fault in reply.json["errors"]] == ["candles.1.2"]


def test_an_impossible_candle_is_refused_with_the_values_compared(api: Gateway) -> None:
    body = {"symbol": "BTC", "timeframe": "1h", "candles": [[NOON, 10, 9, 8, 10, 1]]}
    [fault] = api.post("/api/signals/generate", body).json["errors"]
    assert fault["field"] == "candles"
    assert "high 9.0 is below open 10.0" in fault["message"]


def test_minutes_never_generate_signals(api: Gateway) -> None:
    reply = api.post("/api/signals/generate", {"symbol": "BTC", "timeframe": "1m", "candles": [[0, 1, 1, 1, 1, 1]]})
    assert [fault["field"] for fault in reply.json["errors"]] == ["timeframe"]


def test_where_the_collector_stands_still_the_answer_is_about_its_last_candle(stores: Stores) -> None:
    collected(stores, HOURLY, until=NOON - 5 * HOUR)
    late = Gateway(services(stores, now=NOON + 3 * HOUR))
    body = late.post("/api/signals/generate-from-db", {"symbol": "BTC/USDT", "timeframe": "1h"}).json
    assert body["signal"]["candle_close"] == iso(NOON - 5 * HOUR)


def test_a_symbol_without_stored_candles_is_a_hold_for_want_of_history(api: Gateway) -> None:
    body = api.post("/api/signals/generate-from-db", {"symbol": "ETH", "channel_id": "reversion-beta"}).json
    assert body["signal"]["reasoning"] == ["not enough history: 0 of 400 candles"]
    assert body["signal"]["strategy_type"] == "mean_reversion"


def test_a_channel_nobody_publishes_is_not_found_among_those_that_are(api: Gateway) -> None:
    reply = api.post("/api/signals/generate", a_buy(channel_id="alpha-momentum"))
    assert reply.status == 404
    assert reply.json["detail"] == (
        "no channel 'alpha-momentum'; there are "
        "breakout-gamma, momentum-alpha, policy-epsilon, reversion-beta, trend-delta"
    )


@pytest.mark.parametrize("bands", [{"bb_lower": 120.0}, {"bb_upper": 100.0, "bb_middle": None}])
def test_bands_that_cross_are_refused(api: Gateway, bands: dict[str, float]) -> None:
    lower = {"bb_lower": 105.0} | bands
    reply = api.post("/api/signals/generate", a_buy(**lower))
    assert reply.status == 422
    assert "must not decrease" in reply.json["detail"]


NUMBERS = ["1e-200", "5e-324", "1e-12", "1e15", "1e18", "1e308", "1e400", "1" * 39, "-1e300", "0", '"1"', "NaN"]


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("field", [name for name in a_buy() if name != "symbol"])
def test_an_extreme_value_is_decided_on_or_refused_by_its_name(api: Gateway, field: str, number: str) -> None:
    text = json.dumps(a_buy(**{field: "here"})).replace('"here"', number)
    reply = api.send("POST", "/api/signals/generate", text, {"content-type": "application/json"})
    assert reply.status in (200, 422), reply.body
    if reply.status == 422:
        [fault] = reply.json["errors"]
        assert fault["field"] == field or (not fault["field"] and "bb_" in fault["message"])


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("column", [1, 4, 5])
def test_an_extreme_value_in_a_candle_is_decided_on_or_refused(api: Gateway, column: int, number: str) -> None:
    rows: list[list[object]] = [list(row) for row in HOURLY.rows()]
    rows[-1][column] = "here"
    text = json.dumps({"symbol": "BTC", "timeframe": "1h", "candles": rows}).replace('"here"', number)
    reply = api.send("POST", "/api/signals/generate", text, {"content-type": "application/json"})
    assert reply.status in (200, 422), reply.body
    if reply.status == 422:
        assert all(fault["field"].startswith("candles") for fault in reply.json["errors"])
