"""The replay's and the tests' side of the exchange: its clock, its faults, its holes. Nothing here is Binance's."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TypeGuard

from infra.local.exchange.faults import Fault
from infra.local.exchange.venue import Hole
from plumbline.domain.calendar import Timeframe
from plumbline.domain.errors import InvalidInput

if TYPE_CHECKING:
    from infra.local.exchange.server import ExchangeServer

type Query = Mapping[str, str]
type Action = Callable[["ExchangeServer", Query, Any], Any]


def manage(exchange: "ExchangeServer", method: str, name: str, query: Query, body: bytes) -> tuple[int, object]:
    """Status and JSON value of one administrative request."""
    action = ACTIONS.get((method, name))
    if action is None:
        return 404, {"error": f"no {method} {name}; there are {', '.join(' '.join(key) for key in ACTIONS)}"}
    try:
        return 200, action(exchange, query, json.loads(body or b"null"))
    except (InvalidInput, ValueError) as exc:
        return 400, {"error": str(exc)}


def _clock(exchange: "ExchangeServer", query: Query, body: object) -> object:  # noqa: ARG001  # one signature for all
    venue = exchange.venue
    return {"now": venue.now, "set": venue.clock_is_set, "source": venue.market.source, "end": venue.market.end}


def _set_clock(exchange: "ExchangeServer", query: Query, body: Any) -> object:  # JSON from outside
    now = body.get("now", "") if isinstance(body, dict) else ""
    if now is None or _is_instant(now):
        exchange.set_clock(now)
    else:
        raise InvalidInput(f'{body!r} is not a clock: send {{"now": milliseconds}}, or null for the wall clock')
    return _clock(exchange, query, None)


def _list_faults(exchange: "ExchangeServer", query: Query, body: object) -> object:  # noqa: ARG001  # one signature
    return [asdict(fault) for fault in exchange.faults.waiting()]


def _add_faults(exchange: "ExchangeServer", query: Query, body: Any) -> object:  # JSON from outside
    exchange.faults.add(*(Fault.parse(one) for one in (body if isinstance(body, list) else [body])))
    return _list_faults(exchange, query, None)


def _clear_faults(exchange: "ExchangeServer", query: Query, body: object) -> object:
    exchange.faults.clear()
    return _list_faults(exchange, query, body)


def _list_holes(exchange: "ExchangeServer", query: Query, body: object) -> object:  # noqa: ARG001  # one signature
    holes = exchange.venue.holes
    return [{"symbol": h.symbol, "from": h.start, "to": h.end, "timeframe": h.timeframe} for h in holes]


def _take_away(exchange: "ExchangeServer", query: Query, body: Any) -> object:  # JSON from outside
    given = body if isinstance(body, dict) else {}
    start, end, timeframe = given.get("from"), given.get("to"), given.get("timeframe")
    if not (_is_instant(start) and _is_instant(end) and start < end):
        raise InvalidInput(f'{body!r} is not a hole: send {{"symbol": "BTC/USDT", "from": ms, "to": later ms}}')
    symbol = _symbol(exchange, given.get("symbol"))
    exchange.venue.take_away(Hole(symbol, start, end, Timeframe.parse(timeframe) if timeframe else None))
    return _list_holes(exchange, query, None)


def _give_back(exchange: "ExchangeServer", query: Query, body: object) -> object:
    symbol = query.get("symbol")
    exchange.give_back(_symbol(exchange, symbol) if symbol else None)
    return _list_holes(exchange, query, body)


def _requests(exchange: "ExchangeServer", query: Query, body: object) -> object:  # noqa: ARG001  # one signature
    return [{"path": path, "query": asked} for path, asked in exchange.requests]


def _symbol(exchange: "ExchangeServer", name: object) -> str:
    """`BTC/USDT` from either spelling."""
    for pair in exchange.venue.pairs:
        if name in (pair.symbol, pair.id):
            return pair.symbol
    raise InvalidInput(f"unknown symbol {name!r}; traded are {' '.join(pair.symbol for pair in exchange.venue.pairs)}")


def _is_instant(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


ACTIONS: dict[tuple[str, str], Action] = {
    ("GET", "clock"): _clock,
    ("POST", "clock"): _set_clock,
    ("GET", "faults"): _list_faults,
    ("POST", "faults"): _add_faults,
    ("DELETE", "faults"): _clear_faults,
    ("GET", "holes"): _list_holes,
    ("POST", "holes"): _take_away,
    ("DELETE", "holes"): _give_back,
    ("GET", "requests"): _requests,
}
