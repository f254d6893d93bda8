import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from infra.local.exchange import ExchangeServer, SimulatedMarket
from infra.local.exchange.__main__ import main
from plumbline.domain.calendar import DAY, HOUR, MINUTE, Timeframe, iso
from plumbline.domain.candles import COLUMNS, Candles
from tests.adapters.conftest import NOON, Caller

REPOSITORY = Path(__file__).parents[2]


def times(rows: list[list[Any]]) -> list[int]:
    return [row[0] for row in rows]


def test_a_row_of_klines_has_binances_twelve_columns(caller: Caller, simulated_market: SimulatedMarket) -> None:
    row = caller.klines(limit=2)[0]
    candle = simulated_market.candles("BTC/USDT", Timeframe.M1, NOON - MINUTE, NOON).rows()[0]
    assert (row[0], row[6], len(row)) == (NOON - MINUTE, NOON - 1, 12)
    assert [float(text) for text in row[1:6]] == list(candle[1:])
    assert all(isinstance(text, str) and text.partition(".")[2].isdigit() for text in row[1:6])


QUESTIONS: tuple[dict[str, int], ...] = (
    {},
    {"startTime": NOON - 2 * DAY},
    {"endTime": NOON + DAY},
    {"startTime": NOON - 26 * HOUR, "limit": 9},
)


@pytest.mark.parametrize("timeframe", list(Timeframe))
def test_nothing_after_now_is_ever_served(caller: Caller, server: ExchangeServer, timeframe: Timeframe) -> None:
    assert all(max(times(caller.klines(interval=timeframe, **question))) <= NOON for question in QUESTIONS)
    assert caller.klines(interval=timeframe, startTime=NOON + 1) == []
    server.set_clock(NOON + DAY)
    assert min(times(caller.klines(interval=timeframe, startTime=NOON + 1))) > NOON


class AnotherFuture(SimulatedMarket):
    """The same market until NOON; whatever is not over by then ends at ten times its price."""

    def candles(self, symbol: str, timeframe: Timeframe, start: int, end: int) -> Candles:
        same = super().candles(symbol, timeframe, start, end)
        factor = np.where(same.open_time + timeframe.ms > NOON, 10.0, 1.0)
        return Candles(timeframe, same.open_time, *(getattr(same, name) * factor for name in COLUMNS))


def test_no_answer_depends_on_what_happens_after_now(caller: Caller) -> None:
    with ExchangeServer(AnotherFuture(7), now=NOON) as other:
        elsewhere = Caller(other)
        for timeframe in Timeframe:
            for question in QUESTIONS:
                asked = {"interval": timeframe} | question
                assert elsewhere.klines(**asked) == caller.klines(**asked)
        assert elsewhere.get("/api/v3/ticker/24hr") == caller.get("/api/v3/ticker/24hr")
        elsewhere.close()


def test_what_is_closed_does_not_change_when_the_clock_moves_on(caller: Caller, server: ExchangeServer) -> None:
    closed = caller.klines(limit=100, interval="5m")[:-1]
    server.set_clock(NOON + HOUR)
    assert caller.klines(interval="5m", startTime=closed[0][0], limit=99) == closed


def test_the_last_row_is_the_open_candle_made_of_the_minutes_so_far(caller: Caller, server: ExchangeServer) -> None:
    minutes = caller.klines(startTime=NOON - 30 * MINUTE, endTime=NOON - 1)
    hour = caller.klines(interval="1h", limit=1)[0]
    assert (hour[0], hour[6]) == (NOON - 30 * MINUTE, NOON + 30 * MINUTE - 1)
    assert (hour[1], hour[4]) == (minutes[0][1], minutes[-1][4])
    assert float(hour[2]) == max(float(row[2]) for row in minutes)
    assert float(hour[5]) == pytest.approx(sum(float(row[5]) for row in minutes))
    server.set_clock(NOON + 30 * MINUTE)
    assert caller.klines(interval="1h", startTime=hour[0], limit=1)[0][2:6] != hour[2:6]


def test_the_minute_in_progress_stands_at_the_last_close_with_no_volume(caller: Caller, server: ExchangeServer) -> None:
    server.set_clock(NOON + 30_000)
    before, now = caller.klines(limit=2)
    assert now[0] == NOON
    assert now[1:6] == [before[4]] * 4 + ["0.00000000"]


@pytest.mark.parametrize("timeframe", list(Timeframe))
def test_from_a_start_come_the_first_candles_and_from_an_end_the_last(caller: Caller, timeframe: Timeframe) -> None:
    anchor = timeframe.floor(NOON) - 20 * timeframe.ms
    after = [anchor + i * timeframe.ms for i in range(5)]
    assert times(caller.klines(interval=timeframe, startTime=anchor, limit=5)) == after
    assert times(caller.klines(interval=timeframe, startTime=anchor - 1, limit=5)) == after
    assert times(caller.klines(interval=timeframe, startTime=anchor, endTime=after[2])) == after[:3]
    assert times(caller.klines(interval=timeframe, endTime=after[-1], limit=5)) == after
    assert len(caller.klines(interval=timeframe, limit=1)) == 1


def test_an_answer_holds_500_candles_unless_asked_and_1000_at_most(caller: Caller) -> None:
    assert len(caller.klines()) == 500
    assert len(caller.klines(limit=1000)) == 1000
    assert len(caller.klines(limit=5000, startTime=0)) == 1000


def test_a_start_before_the_market_gives_its_first_candle(caller: Caller, simulated_market: SimulatedMarket) -> None:
    first = simulated_market.begin("BTC/USDT", Timeframe.D1)
    assert times(caller.klines(interval="1d", startTime=0, limit=1)) == [first]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"symbol": "NOPE", "interval": "1h"}, -1121),
        ({"symbol": "BTC/USDT", "interval": "1h"}, -1121),
        ({"symbol": "BTCUSDT", "interval": "7h"}, -1120),
        ({"symbol": "BTCUSDT"}, -1102),
        ({"interval": "1h"}, -1102),
        ({"symbol": "BTCUSDT", "interval": "1h", "limit": "many"}, -1100),
        ({"symbol": "BTCUSDT", "interval": "1h", "startTime": "-5"}, -1100),
        ({"symbol": "BTCUSDT", "interval": "1h", "limit": "0"}, -1130),
    ],
)
def test_errors_have_binances_shape_and_codes(caller: Caller, query: dict[str, str], code: int) -> None:
    assert caller.refused("/api/v3/klines", **query) == (400, code)


def test_an_unknown_path_names_the_ones_there_are(caller: Caller) -> None:
    status, value, _ = caller.ask("GET", "/api/v3/depth")
    assert status == 404
    assert "/api/v3/klines" in value["msg"]


def test_every_answer_says_what_market_it_is_and_tells_the_exchanges_time(caller: Caller) -> None:
    status, info, headers = caller.ask("GET", "/api/v3/exchangeInfo")
    assert (status, info["simulated"], info["source"]) == (200, True, "simulated")
    assert headers["X-Plumbline-Source"] == "simulated"
    assert headers["Date"] == "Mon, 15 Jan 2024 12:30:00 GMT"
    assert caller.get("/api/v3/time") == {"serverTime": NOON}
    assert caller.get("/api/v3/ping") == {}


def test_tickers_look_back_one_day(caller: Caller) -> None:
    day = caller.get("/api/v3/ticker/24hr", symbol="ETHUSDT")
    minutes = [row for page in (0, 1) for row in _page(caller, page)]
    assert float(day["volume"]) == pytest.approx(sum(float(row[5]) for row in minutes))
    assert float(day["highPrice"]) == max(float(row[2]) for row in minutes)
    assert (day["openPrice"], day["lastPrice"]) == (minutes[0][1], minutes[-1][4])
    assert caller.get("/api/v3/ticker/price", symbol="ETHUSDT") == {"symbol": "ETHUSDT", "price": minutes[-1][4]}


def _page(caller: Caller, page: int) -> list[list[Any]]:
    return caller.klines(symbol="ETHUSDT", startTime=NOON - DAY + page * 720 * MINUTE, limit=720)


def test_tickers_are_for_all_pairs_or_for_those_named(caller: Caller, simulated_market: SimulatedMarket) -> None:
    assert len(caller.get("/api/v3/ticker/24hr")) == len(simulated_market.pairs)
    named = caller.get("/api/v3/ticker/price", symbols='["BTCUSDT","ETHUSDT"]')
    assert [one["symbol"] for one in named] == ["BTCUSDT", "ETHUSDT"]
    assert caller.refused("/api/v3/ticker/price", symbols="BTCUSDT") == (400, -1100)
    assert caller.refused("/api/v3/ticker/price", symbol="NOPE") == (400, -1121)


def test_the_clock_is_set_and_let_go_over_http(caller: Caller) -> None:
    assert caller.ask("POST", "/_simulated/clock", {"now": NOON + HOUR})[1]["now"] == NOON + HOUR
    assert caller.get("/_simulated/clock") == {"now": NOON + HOUR, "set": True, "source": "simulated", "end": None}
    before = time.time_ns() // 1_000_000
    assert caller.ask("POST", "/_simulated/clock", {"now": None})[1]["now"] >= before
    assert caller.get("/_simulated/clock")["set"] is False


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("clock", {"now": "noon"}),
        ("clock", {}),
        ("clock", [1]),
        ("faults", [{"kind": "earthquake"}]),
        ("faults", [{"kind": "429", "colour": "red"}]),
        ("faults", [{"kind": "short_row", "path": "/api/v3/time"}]),
        ("holes", {"symbol": "BTC/USDT", "from": NOON, "to": NOON}),
        ("holes", {"symbol": "NOPE", "from": 0, "to": NOON}),
        ("holes", {"symbol": "BTC/USDT", "from": 0, "to": NOON, "timeframe": "7h"}),
    ],
)
def test_a_wrong_administrative_request_is_refused_and_changes_nothing(
    caller: Caller, server: ExchangeServer, path: str, body: object
) -> None:
    status, value, _ = caller.ask("POST", f"/_simulated/{path}", body)
    assert status == 400
    assert value["error"]
    assert (server.venue.now, server.faults.waiting(), server.venue.holes) == (NOON, [], ())


def test_an_unknown_administrative_request_names_the_ones_there_are(caller: Caller) -> None:
    status, value, _ = caller.ask("GET", "/_simulated/weather")
    assert status == 404
    assert "POST clock" in value["error"]


def test_a_fault_meets_the_requests_it_names_as_often_as_it_says(caller: Caller) -> None:
    fault = {"kind": "429", "path": "/api/v3/klines", "symbol": "BTCUSDT", "interval": "1m", "times": 2}
    caller.ask("POST", "/_simulated/faults", [fault | {"retry_after": 7}])
    assert caller.get("/api/v3/time")
    assert caller.klines(symbol="ETHUSDT", limit=1)
    assert caller.klines(interval="1h", limit=1)
    path = "/api/v3/klines?symbol=BTCUSDT&interval=1m"
    answers = [caller.ask("GET", path) for _ in range(3)]
    assert [status for status, _, _ in answers] == [429, 429, 200]
    assert (answers[0][1]["code"], answers[0][2]["Retry-After"]) == (-1003, "7")


def test_a_fault_without_a_number_lasts_until_it_is_cleared(caller: Caller) -> None:
    caller.ask("POST", "/_simulated/faults", {"kind": "503", "times": None})
    assert [caller.ask("GET", "/api/v3/time")[0] for _ in range(3)] == [503] * 3
    assert len(caller.get("/_simulated/faults")) == 1
    assert caller.ask("DELETE", "/_simulated/faults")[1] == []
    assert caller.get("/api/v3/time")


def test_a_hole_takes_candles_away_and_gives_back_the_same(caller: Caller) -> None:
    whole = caller.klines(startTime=NOON - 10 * MINUTE, endTime=NOON - 1)
    hole = {"symbol": "BTCUSDT", "from": NOON - 6 * MINUTE, "to": NOON - 4 * MINUTE}
    assert caller.ask("POST", "/_simulated/holes", hole)[1][0]["symbol"] == "BTC/USDT"
    assert caller.klines(startTime=NOON - 10 * MINUTE, endTime=NOON - 1) == whole[:4] + whole[6:]
    assert len(caller.klines(symbol="ETHUSDT", startTime=NOON - 10 * MINUTE, endTime=NOON - 1)) == 10
    assert caller.ask("DELETE", "/_simulated/holes?symbol=ETHUSDT")[1] != []
    assert caller.ask("DELETE", "/_simulated/holes?symbol=BTCUSDT")[1] == []
    assert caller.klines(startTime=NOON - 10 * MINUTE, endTime=NOON - 1) == whole


def test_a_hole_of_one_timeframe_leaves_the_others(caller: Caller) -> None:
    hole = {"symbol": "BTCUSDT", "from": NOON - DAY, "to": NOON, "timeframe": "1h"}
    caller.ask("POST", "/_simulated/holes", hole)
    assert max(times(caller.klines(interval="1h"))) < NOON - DAY
    assert max(times(caller.klines(interval="5m"))) == NOON


def test_beyond_a_hole_an_answer_is_still_full(caller: Caller, server: ExchangeServer) -> None:
    server.take_away("BTC/USDT", NOON - 30 * DAY, NOON - HOUR)
    assert len(caller.klines(startTime=NOON - 31 * DAY, limit=1000)) == 1000
    assert times(caller.klines(startTime=NOON - 30 * DAY, limit=1)) == [NOON - HOUR]
    assert len(caller.klines(limit=1000)) == 1000


def test_what_clients_asked_is_remembered(caller: Caller, server: ExchangeServer) -> None:
    caller.klines(limit=1)
    assert list(server.requests) == [("/api/v3/klines", {"symbol": "BTCUSDT", "interval": "1m", "limit": "1"})]
    assert caller.get("/_simulated/requests")[0]["path"] == "/api/v3/klines"


def test_a_stopped_server_hangs_up_and_frees_its_port() -> None:
    with ExchangeServer(SimulatedMarket(7), now=NOON) as first:
        port = int(first.url.rpartition(":")[2])
    with ExchangeServer(SimulatedMarket(7), port=port, now=NOON) as second:
        assert second.url == first.url


def test_the_command_serves_until_it_is_interrupted() -> None:
    command = [sys.executable, "-m", "infra.local.exchange", "--port", "0", "--seed", "3", "--now", iso(NOON)]
    paths = os.pathsep.join((str(REPOSITORY), str(REPOSITORY / "shared")))
    process = subprocess.Popen(
        command, cwd=REPOSITORY, env=os.environ | {"PYTHONPATH": paths}, stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout is not None
        said = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 0
    assert re.match(rf"simulated market at http://127\.0\.0\.1:\d+, now {iso(NOON)}: BTC/USDT ", said)


@pytest.mark.parametrize("arguments", [["--data", "/nowhere"], ["--now", "noon"]])
def test_the_command_says_what_is_wrong_with_its_arguments(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--port", "0", *arguments]) == 1
    assert capsys.readouterr().err.strip()
