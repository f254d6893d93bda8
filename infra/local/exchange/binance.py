"""Binance's public spot REST, as far as market data goes: parameters, answers, errors."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from infra.local.exchange.faults import Rows
from infra.local.exchange.market import Pair
from infra.local.exchange.venue import Venue
from plumbline.domain.calendar import Timeframe
from plumbline.domain.candles import Candles

type Query = Mapping[str, str]

DEFAULT_LIMIT = 500
MAX_LIMIT = 1000
_NUMBER = re.compile(r"[0-9]{1,20}")


class Refused(Exception):
    """An error in Binance's shape: HTTP status, code and message."""

    def __init__(self, code: int, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"code": code, "msg": message}


def answer(venue: Venue, path: str, query: Query, now: int) -> Any:
    """What the exchange answers at `now`, as JSON values; Refused where Binance would refuse."""
    route = ROUTES.get(path)
    if route is None:
        raise Refused(-1, f"no such path {path}; this exchange serves {' '.join(ROUTES)}", status=404)
    return route(venue, query, now)


def _ping(venue: Venue, query: Query, now: int) -> object:  # noqa: ARG001  # every route has one signature
    return {}


def _time(venue: Venue, query: Query, now: int) -> object:  # noqa: ARG001  # every route has one signature
    return {"serverTime": now}


def _exchange_info(venue: Venue, query: Query, now: int) -> object:
    return {
        "timezone": "UTC",
        "serverTime": now,
        "simulated": venue.market.source == "simulated",
        "source": venue.market.source,
        "rateLimits": [
            {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 6000},
            {"rateLimitType": "RAW_REQUESTS", "interval": "MINUTE", "intervalNum": 5, "limit": 61000},
        ],
        "exchangeFilters": [],
        "symbols": [_listing(pair) for pair in _asked(venue, query)[0]],
    }


def _listing(pair: Pair) -> dict[str, object]:
    tick, step = (f"{10.0**exponent:.8f}" for exponent in (pair.tick, pair.step))
    return {
        "symbol": pair.id,
        "status": "TRADING",
        "baseAsset": pair.base,
        "baseAssetPrecision": 8,
        "quoteAsset": pair.quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "baseCommissionPrecision": 8,
        "quoteCommissionPrecision": 8,
        "orderTypes": ["LIMIT", "MARKET"],
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": tick, "maxPrice": "10000000.00000000", "tickSize": tick},
            {"filterType": "LOT_SIZE", "minQty": step, "maxQty": "90000000.00000000", "stepSize": step},
            {"filterType": "NOTIONAL", "minNotional": "5.00000000", "maxNotional": "9000000.00000000"},
        ],
        "permissions": [],
        "permissionSets": [["SPOT"]],
    }


def _klines(venue: Venue, query: Query, now: int) -> Rows:
    pair = _pair(venue, _mandatory(query, "symbol"))
    interval = _mandatory(query, "interval")
    if interval not in tuple(Timeframe):
        raise Refused(-1120, "Invalid interval.")
    start, end = _integer(query, "startTime"), _integer(query, "endTime")
    limit = _integer(query, "limit")
    if limit == 0:
        raise Refused(-1130, "Data sent for parameter 'limit' is not valid.")
    size = min(limit or DEFAULT_LIMIT, MAX_LIMIT)
    timeframe = Timeframe(interval)
    windows = venue.window(pair.symbol, timeframe, start, end, size, now)
    return [row for candles in windows for row in _rows(candles)]


def _rows(candles: Candles) -> Rows:
    """Twelve columns. Quote volume is volume at the typical price; trades and takers are not known: zero."""
    length = candles.timeframe.ms - 1
    quote = candles.volume * (candles.high + candles.low + candles.close) / 3
    return [
        [t, f"{o:.8f}", f"{h:.8f}", f"{low:.8f}", f"{c:.8f}", f"{v:.8f}", t + length, f"{q:.8f}", 0, "0", "0", "0"]
        for (t, o, h, low, c, v), q in zip(candles.rows(), quote.tolist(), strict=True)
    ]


def _price(venue: Venue, query: Query, now: int) -> object:
    pairs, single = _asked(venue, query)
    prices = [{"symbol": pair.id, "price": _last(venue.last_day(pair.symbol, now))} for pair in pairs]
    return prices[0] if single else prices


def _day(venue: Venue, query: Query, now: int) -> object:
    pairs, single = _asked(venue, query)
    days = [_ticker(pair, venue.last_day(pair.symbol, now), now) for pair in pairs]
    return days[0] if single else days


def _ticker(pair: Pair, day: Candles, now: int) -> dict[str, object]:
    """A pair without a trade in the last 24 hours shows zeros, as on Binance."""
    size = len(day)
    quote = float((day.volume * (day.high + day.low + day.close)).sum() / 3)
    base = float(day.volume.sum())
    open_, close = (float(day.open[0]), float(day.close[-1])) if size else (0.0, 0.0)
    figures = {
        "priceChange": close - open_,
        "weightedAvgPrice": quote / base if base else 0.0,
        "prevClosePrice": open_,
        "lastPrice": close,
        "lastQty": 0.0,
        "bidPrice": close,
        "bidQty": 0.0,
        "askPrice": close,
        "askQty": 0.0,
        "openPrice": open_,
        "highPrice": float(np.max(day.high)) if size else 0.0,
        "lowPrice": float(np.min(day.low)) if size else 0.0,
        "volume": base,
        "quoteVolume": quote,
    }
    change = 100 * (close / open_ - 1) if size else 0.0
    times = {"openTime": now - Timeframe.D1.ms, "closeTime": now, "firstId": -1, "lastId": -1, "count": 0}
    texts = {name: f"{value:.8f}" for name, value in figures.items()}
    return {"symbol": pair.id, "priceChangePercent": f"{change:.3f}", **texts, **times}


def _last(day: Candles) -> str:
    return f"{float(day.close[-1]) if len(day) else 0.0:.8f}"


def _asked(venue: Venue, query: Query) -> tuple[list[Pair], bool]:
    """The pairs a request is about, and whether it named just one."""
    if "symbol" in query:
        return [_pair(venue, query["symbol"])], True
    if "symbols" not in query:
        return list(venue.pairs), False
    try:
        names = json.loads(query["symbols"])
    except ValueError:
        names = None
    if not isinstance(names, list) or not names:
        raise Refused(-1100, "Illegal characters found in parameter 'symbols'; legal range is '[\"BTCUSDT\"]'.")
    return [_pair(venue, name) for name in names], False


def _pair(venue: Venue, name: object) -> Pair:
    pair = venue.pair(str(name))
    if pair is None:
        raise Refused(-1121, "Invalid symbol.")
    return pair


def _mandatory(query: Query, name: str) -> str:
    if not query.get(name):
        raise Refused(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")
    return query[name]


def _integer(query: Query, name: str) -> int | None:
    text = query.get(name)
    if text is None:
        return None
    if not _NUMBER.fullmatch(text):
        raise Refused(-1100, f"Illegal characters found in parameter '{name}'; legal range is '^[0-9]{{1,20}}$'.")
    return int(text)


ROUTES: dict[str, Callable[[Venue, Query, int], Any]] = {
    "/api/v3/ping": _ping,
    "/api/v3/time": _time,
    "/api/v3/exchangeInfo": _exchange_info,
    "/api/v3/klines": _klines,
    "/api/v3/ticker/price": _price,
    "/api/v3/ticker/24hr": _day,
}
