import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import ccxt  # type: ignore[import-untyped]  # ccxt ships no types
import pytest

from infra.local.exchange import ExchangeServer, RecordedMarket, SimulatedMarket
from infra.local.exchange.faults import BODIES, REFUSALS, ROWS
from plumbline.adapters.exchange import SETTLING, CcxtExchange, open_exchange
from plumbline.domain.calendar import DAY, HOUR, MINUTE, SECOND, Timeframe
from plumbline.domain.candles import Candles
from plumbline.domain.errors import ExchangeUnavailable, InvalidInput, SettingsError, UnknownSymbol
from tests.adapters.conftest import NOON, Caller
from tests.adapters.test_simulated_exchange_recorded import JANUARY, minutes, write

KLINES = "/api/v3/klines"
BTC = "BTC/USDT"


@pytest.fixture
def exchange(server: ExchangeServer) -> CcxtExchange:
    return open_exchange("simulated", server.url, timeout=0.3)


def asked(server: ExchangeServer, path: str = KLINES) -> list[dict[str, str]]:
    return [query for requested, query in server.requests if requested == path]


@pytest.mark.parametrize("timeframe", list(Timeframe))
def test_candles_come_through_ccxt_as_the_market_made_them(
    exchange: CcxtExchange, simulated_market: SimulatedMarket, timeframe: Timeframe
) -> None:
    end = timeframe.floor(NOON)
    span = (end - 60 * timeframe.ms, end)
    sifted = exchange.candles(BTC, timeframe, *span)
    assert len(sifted.candles) == 60
    assert sifted.candles == simulated_market.candles(BTC, timeframe, *span)
    assert sifted.refused == ()


def test_many_candles_come_in_pages_of_a_thousand(
    exchange: CcxtExchange, server: ExchangeServer, simulated_market: SimulatedMarket
) -> None:
    start = NOON - 2500 * MINUTE
    sifted = exchange.candles(BTC, Timeframe.M1, start, NOON)
    assert sifted.candles == simulated_market.candles(BTC, Timeframe.M1, start, NOON)
    assert [int(query["limit"]) for query in asked(server)] == [1000, 1000, 500]
    assert [int(query["startTime"]) for query in asked(server)] == [start + i * 1000 * MINUTE for i in range(3)]


@pytest.mark.parametrize("beyond", [0, 1, HOUR, 40 * DAY])
def test_the_open_candle_is_never_taken_however_far_the_end_lies(
    exchange: CcxtExchange, server: ExchangeServer, beyond: int
) -> None:
    server.set_clock(NOON + 59 * SECOND)
    hours = exchange.candles(BTC, Timeframe.H1, NOON - DAY, NOON + beyond).candles
    assert hours.open_time[-1] == NOON - 90 * MINUTE
    minute = exchange.candles(BTC, Timeframe.M1, NOON - HOUR, NOON + 1 + beyond).candles
    assert minute.open_time[-1] == NOON - MINUTE


class Hasty(SimulatedMarket):
    """Time passes while it is read: an hour from one request to the next."""

    passes: Callable[[], None] = staticmethod(lambda: None)

    def candles(self, symbol: str, timeframe: Timeframe, start: int, end: int) -> Candles:
        self.passes()
        return super().candles(symbol, timeframe, start, end)


def test_a_candle_that_closes_while_pages_are_fetched_is_left_for_the_next_time() -> None:
    """Its row was read while it was still open: only the first answer's time may judge it."""
    market = Hasty(7)
    with ExchangeServer(market, now=NOON + 59 * SECOND) as server:
        exchange = open_exchange("simulated", server.url)
        market.passes = lambda: server.set_clock(NOON + HOUR)
        found = exchange.candles(BTC, Timeframe.M1, NOON - 999 * MINUTE, NOON + 30 * MINUTE).candles
        assert [len(asked(server)), int(found.open_time[-1])] == [2, NOON - MINUTE]


def test_a_live_exchange_is_given_a_moment_to_finish_a_candle(exchange: CcxtExchange, server: ExchangeServer) -> None:
    live = CcxtExchange(exchange._client, "binance", settling=SETTLING)
    assert live.candles(BTC, Timeframe.M1, NOON - HOUR, NOON).candles.open_time[-1] == NOON - 2 * MINUTE
    server.set_clock(NOON + SECOND)
    assert live.candles(BTC, Timeframe.M1, NOON - HOUR, NOON).candles.open_time[-1] == NOON - MINUTE


def test_bounds_are_open_times_and_the_end_is_not_taken(exchange: CcxtExchange) -> None:
    assert exchange.candles(BTC, Timeframe.M5, NOON - 9 * MINUTE, NOON - 5 * MINUTE).candles.open_time.tolist() == []
    found = exchange.candles(BTC, Timeframe.M5, NOON - 10 * MINUTE, NOON - 5 * MINUTE + 1).candles
    assert found.open_time.tolist() == [NOON - 10 * MINUTE, NOON - 5 * MINUTE]


def test_an_empty_span_asks_nothing(exchange: CcxtExchange, server: ExchangeServer) -> None:
    assert len(exchange.candles(BTC, Timeframe.M1, NOON, NOON).candles) == 0
    assert asked(server) == []


def test_a_hole_is_a_hole_until_the_exchange_fills_it(exchange: CcxtExchange, server: ExchangeServer) -> None:
    span = (NOON - 2000 * MINUTE, NOON)
    whole = exchange.candles(BTC, Timeframe.M1, *span).candles
    server.take_away(BTC, NOON - 1500 * MINUTE, NOON - 200 * MINUTE)
    partial = exchange.candles(BTC, Timeframe.M1, *span).candles
    assert partial.holes(*span) == [(NOON - 1500 * MINUTE, NOON - 200 * MINUTE)]
    server.give_back(BTC)
    assert exchange.candles(BTC, Timeframe.M1, *span).candles == whole


def test_one_catalogue_serves_many_questions(exchange: CcxtExchange, server: ExchangeServer) -> None:
    for _ in range(3):
        exchange.candles(BTC, Timeframe.M1, NOON - HOUR, NOON)
        exchange.markets()
        exchange.most_traded("USDT", 3)
    assert len(asked(server, "/api/v3/exchangeInfo")) == 1


def test_the_catalogue_is_read_again_after_a_day_of_the_exchange(
    exchange: CcxtExchange, server: ExchangeServer
) -> None:
    exchange.markets()
    server.set_clock(NOON + DAY)
    exchange.candles(BTC, Timeframe.M1, NOON - HOUR, NOON)
    exchange.markets()
    exchange.markets()
    assert len(asked(server, "/api/v3/exchangeInfo")) == 2


def test_a_catalogue_that_cannot_be_read_again_leaves_the_old_one_in_use(
    exchange: CcxtExchange, server: ExchangeServer
) -> None:
    exchange.markets()
    server.set_clock(NOON + DAY)
    exchange.candles(BTC, Timeframe.M1, NOON - HOUR, NOON)
    server.fail("503", "/api/v3/exchangeInfo")
    with pytest.raises(ExchangeUnavailable):
        exchange.markets()
    assert len(exchange.candles(BTC, Timeframe.M1, NOON - HOUR, NOON).candles) == 60


def test_markets_are_sorted_in_ccxts_spelling(exchange: CcxtExchange, simulated_market: SimulatedMarket) -> None:
    assert exchange.markets() == tuple(sorted(pair.symbol for pair in simulated_market.pairs))


def test_the_most_traded_pairs_come_by_quote_volume(exchange: CcxtExchange, caller: Caller) -> None:
    days = caller.get("/api/v3/ticker/24hr")
    ranked = sorted(days, key=lambda day: -float(day["quoteVolume"]))
    wanted = tuple(day["symbol"].replace("USDT", "/USDT") for day in ranked)
    assert exchange.most_traded("USDT", 3) == wanted[:3]
    assert exchange.most_traded("USDT", 50) == wanted
    assert exchange.most_traded("EUR", 50) == ()


class OddClient:
    """A ccxt client of an exchange that counts in the base currency, has two timeframes and a pair at rest.

    Its pages hold 100 candles, and it gives more than it is asked for.
    """

    id = "odd"
    timeframes: ClassVar[dict[str, str]] = {"1m": "1m", "6h": "6h"}
    answered = NOON

    def load_markets(self, reload: bool, params: dict[str, str]) -> None:
        names = "BTC/USDT", "ETH/USDT", "SOL/USDT", "REST/USDT", "ETH/USDT:USDT"
        self.markets: dict[str, dict[str, bool | str | None]] = {
            name: {"spot": ":" not in name, "quote": "USDT", "active": None if name == BTC else name != "REST/USDT"}
            for name in names
        }

    def __init__(self) -> None:
        self.asked: list[tuple[int, int]] = []

    def feature_value(self, symbol: str, method: str, name: str, default: int) -> int:
        return 100

    def fetch_ohlcv(
        self, symbol: str, timeframe: str, since: int, limit: int, params: dict[str, int]
    ) -> list[list[float]]:
        self.asked.append((since, limit))
        return [[since + i * MINUTE, 2.0, 3.0, 1.0, 2.0, 1.0] for i in range(-10, limit + 10)]

    def fetch_tickers(self) -> dict[str, dict[str, float | None]]:
        counts = {"ETH/USDT": (9.0, 10.0), BTC: (2.0, 100.0), "SOL/USDT": (None, None)} | dict.fromkeys(
            ("NEW/USDT", "REST/USDT", "ETH/USDT:USDT"), (9e9, 9e9)
        )
        return {name: {"quoteVolume": None, "baseVolume": v, "last": p} for name, (v, p) in counts.items()}


@pytest.fixture
def odd() -> CcxtExchange:
    return CcxtExchange(OddClient(), "odd", settling=0)


def test_pairs_at_rest_are_not_listed_and_those_of_unknown_state_are(odd: CcxtExchange) -> None:
    assert odd.markets() == (BTC, "ETH/USDT", "ETH/USDT:USDT", "SOL/USDT")


def test_an_exchange_that_counts_in_the_base_currency_is_ranked_by_price_times_volume(odd: CcxtExchange) -> None:
    assert odd.most_traded("USDT", 5) == (BTC, "ETH/USDT", "SOL/USDT")


def test_candles_nobody_asked_for_are_left_out(odd: CcxtExchange) -> None:
    found = odd.candles(BTC, Timeframe.M1, NOON - HOUR, NOON - HOUR + 5 * MINUTE).candles
    assert found.open_time.tolist() == [NOON - HOUR + i * MINUTE for i in range(5)]


def test_pages_are_of_the_size_that_the_exchange_has(odd: CcxtExchange) -> None:
    odd.candles(BTC, Timeframe.M1, NOON - 250 * MINUTE, NOON)
    assert odd._client.asked == [(NOON - 250 * MINUTE, 100), (NOON - 150 * MINUTE, 100), (NOON - 50 * MINUTE, 50)]


def test_a_timeframe_that_the_exchange_has_not_is_refused_with_those_it_has(odd: CcxtExchange) -> None:
    with pytest.raises(InvalidInput, match="odd has no 4h candles; it has 1m 6h"):
        odd.candles(BTC, Timeframe.H4, NOON - DAY, NOON)


def test_an_unknown_symbol_is_refused_with_its_near_matches_before_it_is_asked_for(
    exchange: CcxtExchange, server: ExchangeServer
) -> None:
    with pytest.raises(UnknownSymbol, match="did you mean BTC/USDT") as refused:
        exchange.candles("BTCC/USDT", Timeframe.M1, NOON - HOUR, NOON)
    assert refused.value.near[0] == BTC
    assert asked(server) == []


def test_a_symbol_delisted_since_the_catalogue_was_read_is_unknown_and_not_its_own_near_match(
    exchange: CcxtExchange, server: ExchangeServer
) -> None:
    exchange.markets()
    server.fail("delisted", KLINES)
    with pytest.raises(UnknownSymbol) as refused:
        exchange.candles(BTC, Timeframe.M1, NOON - HOUR, NOON)
    assert BTC not in refused.value.near


SAID = {
    **{kind: rf"HTTP {REFUSALS[kind][0]}: " for kind in REFUSALS if kind not in ("403", "451", "delisted")},
    "403": "refuses requests from this region or network .HTTP 403: .*another exchange",
    "451": "refuses requests from this region or network .HTTP 451: .*another exchange",
    "html": "what is not market data: <!DOCTYPE html>",
    "half": r"what is not market data: \S",
    "empty": r"what is not market data: nothing \(to GET http",
    "null": "what is not market data: null",
    "not_a_list": "what is not market data: {}",
    "cut": "cannot be asked: NetworkError",
    "drop": "cannot be asked: NetworkError",
    "hang": "did not answer within 0.3 s",
}


def test_every_fault_is_tried() -> None:
    assert set(SAID) == {*REFUSALS, *BODIES} - {"delisted"}


@pytest.mark.parametrize("kind", SAID)
def test_an_answer_that_is_no_market_data_is_an_error_that_says_so_and_the_next_one_is_whole(
    exchange: CcxtExchange, server: ExchangeServer, kind: str
) -> None:
    server.fail(kind, KLINES)
    with pytest.raises(ExchangeUnavailable, match=SAID[kind]) as away:
        exchange.candles(BTC, Timeframe.M1, NOON - HOUR, NOON)
    assert away.value.retry_after is None
    assert len(exchange.candles(BTC, Timeframe.M1, NOON - HOUR, NOON).candles) == 60


@pytest.mark.parametrize("kind", SAID)
@pytest.mark.parametrize(("path", "ask"), [("exchangeInfo", "markets"), ("ticker/24hr", "most_traded")])
def test_catalogue_and_tickers_fail_as_clearly_and_recover(
    exchange: CcxtExchange, server: ExchangeServer, kind: str, path: str, ask: str
) -> None:
    questions: dict[str, Callable[[], tuple[str, ...]]] = {
        "markets": exchange.markets,
        "most_traded": lambda: exchange.most_traded("USDT", 3),
    }
    server.fail(kind, f"/api/v3/{path}")
    with pytest.raises(ExchangeUnavailable):
        questions[ask]()
    assert BTC in questions[ask]()


@pytest.mark.parametrize("kind", ["418", "429", "503"])
def test_the_wait_that_the_exchange_asks_for_is_handed_on(
    exchange: CcxtExchange, server: ExchangeServer, kind: str
) -> None:
    server.fail(kind, KLINES, retry_after=7)
    with pytest.raises(ExchangeUnavailable, match="it asks to wait 7 s") as away:
        exchange.candles(BTC, Timeframe.M1, NOON - HOUR, NOON)
    assert away.value.retry_after == 7


def test_a_wait_given_as_a_date_is_counted_from_the_exchanges_own_time(
    exchange: CcxtExchange, server: ExchangeServer
) -> None:
    server.fail("429", KLINES, retry_after="Mon, 15 Jan 2024 12:31:30 GMT")
    with pytest.raises(ExchangeUnavailable) as away:
        exchange.candles(BTC, Timeframe.M1, NOON - HOUR, NOON)
    assert away.value.retry_after == 90


def test_a_page_that_fails_in_the_middle_fails_the_whole_and_loses_nothing(
    exchange: CcxtExchange, server: ExchangeServer, simulated_market: SimulatedMarket
) -> None:
    span = (NOON - 2500 * MINUTE, NOON)
    server.fail("half", KLINES, skip=1)
    with pytest.raises(ExchangeUnavailable):
        exchange.candles(BTC, Timeframe.M1, *span)
    assert len(asked(server)) == 2
    assert exchange.candles(BTC, Timeframe.M1, *span).candles == simulated_market.candles(BTC, Timeframe.M1, *span)


def test_nobody_there_is_an_error_that_names_the_address(simulated_market: SimulatedMarket) -> None:
    with ExchangeServer(simulated_market, now=NOON) as gone:
        exchange = open_exchange("simulated", gone.url, timeout=0.3)
    with pytest.raises(ExchangeUnavailable, match=f"simulated cannot be asked: .*{gone.url}"):
        exchange.markets()


REFUSED = {
    "malformed_row": "None, .* is not .time, open, high, low, close, volume",
    "short_row": "is not .time, open, high, low, close, volume",
    "timeless_row": "None, .* is not .time, open, high, low, close, volume",
    "text_row": "'maintenance' is not",
    "impossible_row": r"candle 2024-01-15T12:00:00Z: high \S+ is below",
    "negative_row": "low -1.0 must be above zero",
    "off_grid_row": "must be a multiple of 1m",
}


@pytest.mark.parametrize("kind", REFUSED)
def test_one_bad_row_is_refused_with_its_reason_and_the_others_are_kept(
    exchange: CcxtExchange, server: ExchangeServer, kind: str
) -> None:
    server.fail(kind, KLINES)
    sifted = exchange.candles(BTC, Timeframe.M1, NOON - HOUR, NOON)
    assert sifted.candles.holes(NOON - HOUR, NOON) == [(NOON - 30 * MINUTE, NOON - 29 * MINUTE)]
    assert len(sifted.refused) == 1
    assert re.search(REFUSED[kind], sifted.refused[0])


@pytest.mark.parametrize("kind", ["out_of_order", "duplicate_row", "conflicting_row"])
def test_rows_out_of_order_or_doubled_give_the_same_candles(
    exchange: CcxtExchange, server: ExchangeServer, simulated_market: SimulatedMarket, kind: str
) -> None:
    server.fail(kind, KLINES)
    sifted = exchange.candles(BTC, Timeframe.M1, NOON - HOUR, NOON)
    assert sifted.candles == simulated_market.candles(BTC, Timeframe.M1, NOON - HOUR, NOON)
    assert [("came twice" in reason) for reason in sifted.refused] == [True] * (kind == "conflicting_row")


def test_a_missing_row_is_a_hole(exchange: CcxtExchange, server: ExchangeServer) -> None:
    server.fail("missing_row", KLINES)
    sifted = exchange.candles(BTC, Timeframe.M1, NOON - HOUR, NOON)
    assert sifted.candles.holes(NOON - HOUR, NOON) == [(NOON - 30 * MINUTE, NOON - 29 * MINUTE)]
    assert sifted.refused == ()


def test_every_kind_of_row_fault_is_tried() -> None:
    assert set(ROWS) == {*REFUSED, "out_of_order", "duplicate_row", "conflicting_row", "missing_row"}


def test_recorded_candles_come_through_ccxt_to_the_last_digit(tmp_path: Path) -> None:
    write(tmp_path, "BTC-USDT_1m.csv.gz", f"{JANUARY},0.00001234,0.00001235,0.00001233,0.00001234,123456.78901")
    with ExchangeServer(RecordedMarket(tmp_path)) as server:
        exchange = open_exchange("recorded", server.url)
        found = exchange.candles(BTC, Timeframe.M1, JANUARY, JANUARY + HOUR).candles
        assert exchange.source == "recorded"
        assert found.rows() == [(JANUARY, 0.00001234, 0.00001235, 0.00001233, 0.00001234, 123456.78901)]


def test_a_recorded_file_that_is_bad_is_the_exchanges_fault_and_named(tmp_path: Path) -> None:
    write(tmp_path, "BTC-USDT_1m.csv.gz", *minutes(2))
    write(tmp_path, "BTC-USDT_1h.csv.gz", "yesterday,1,1,1,1,1")
    with ExchangeServer(RecordedMarket(tmp_path)) as server:
        exchange = open_exchange("recorded", server.url)
        with pytest.raises(ExchangeUnavailable, match=r"HTTP 500: .*BTC-USDT_1h\.csv\.gz:2: "):
            exchange.candles(BTC, Timeframe.H1, JANUARY, JANUARY + HOUR)


def test_a_live_exchange_is_asked_for_its_spot_markets_and_nothing_else(server: ExchangeServer) -> None:
    binance = open_exchange("binance")
    assert binance.source == "binance"
    assert binance._client.enableRateLimit
    # With every other address taken away, a call to margin, futures or wallet endpoints would be an error.
    binance._client.urls["api"] = {"public": f"{server.url}/api/v3"}
    assert BTC in binance.markets()
    assert BTC in binance.most_traded("USDT", 5)
    assert {path for path, _ in server.requests} == {"/api/v3/exchangeInfo", "/api/v3/ticker/24hr"}


def test_our_own_market_is_never_mixed_with_a_live_address(server: ExchangeServer) -> None:
    client = open_exchange("simulated", server.url + "/")._client
    assert client.urls["api"] == {"public": f"{server.url}/api/v3"}
    assert not client.enableRateLimit


def test_a_record_is_not_kept_under_the_name_of_another_market(server: ExchangeServer) -> None:
    with pytest.raises(SettingsError, match=r"PLUMBLINE_EXCHANGE is 'recorded', but the market .* is simulated"):
        open_exchange("recorded", server.url).markets()


@pytest.mark.parametrize("name", ["kraken", "okx", "bybit", "coinbase"])
def test_other_exchanges_are_opened_by_their_ccxt_id(name: str) -> None:
    exchange = open_exchange(name)
    assert exchange.source == name
    assert isinstance(exchange._client, getattr(ccxt, name))
    assert exchange._client.options["fetchMarkets"]["types"] == ["spot"]
    assert not exchange._client.has["fetchCurrencies"]


@pytest.mark.parametrize("name", ["binanse", "base", "Exchange", ""])
def test_a_name_that_is_no_exchange_is_a_wrong_setting(name: str) -> None:
    with pytest.raises(SettingsError, match=f"PLUMBLINE_EXCHANGE='{name}' is no exchange"):
        open_exchange(name)


def test_a_typing_error_in_the_name_gets_a_suggestion() -> None:
    with pytest.raises(SettingsError, match="did you mean binance"):
        open_exchange("binanse")


TRIMMED = """
import sys
sys.path[:0] = [{ccxt!r}, {shared!r}]
from plumbline.adapters.exchange import open_exchange
assert open_exchange("simulated", "http://127.0.0.1:9").source == "simulated"
loaded = sorted(name for name in sys.modules if name.startswith("ccxt.") and name.count(".") == 1)
assert loaded == ["ccxt.abstract", "ccxt.base", "ccxt.binance"], loaded
"""


def test_only_the_exchange_asked_for_is_imported_where_the_package_allows_it(tmp_path: Path) -> None:
    """A layer holds ccxt without its list of imports: one exchange costs a fifth of what all of them cost."""
    full, small = Path(ccxt.__file__).parent, tmp_path / "ccxt"
    small.mkdir()
    (small / "__init__.py").write_text("from ccxt.base import errors\nexchanges = ['binance']\n__version__ = '4'\n")
    for name in ("base", "abstract", "binance.py"):
        (small / name).symlink_to(full / name)
    script = TRIMMED.format(ccxt=str(tmp_path), shared=str(Path(__file__).parents[2] / "shared"))
    done = subprocess.run([sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
