"""The log of signals, and decisions on demand."""

from typing import Any

from api.answers import Generated, History, Latest
from api.inputs import (
    CandlesGiven,
    FromDatabase,
    HistoryQuery,
    LatestQuery,
    ValuesGiven,
    from_database_body,
    generate_body,
)
from api.operations import Answer, Call, Resource
from api.rendering import signal_body
from plumbline import queries
from plumbline.ports import SignalFilter

signals = Resource("signals")


@signals.get("/api/signals/latest", "The newest signal", query=LatestQuery, answers={200: Latest}, problems=(404, 422))
def latest_signal(call: Call, query: LatestQuery) -> Answer:
    """The newest signal of a symbol, of a channel, or of all; 404 before there is one."""
    stores = call.stores
    symbol = _symbol(call, query.symbol)
    return Answer({"signal": signal_body(queries.latest(stores, symbol, query.channel))})


@signals.get("/api/signals/history", "The log of signals", query=HistoryQuery, answers={200: History}, problems=(422,))
def signal_history(call: Call, query: HistoryQuery) -> Answer:
    """Signals, newest first, page by page: send `next_cursor` as `cursor` until it is null."""
    stores = call.stores
    wanted = SignalFilter(
        symbol=_symbol(call, query.symbol), channel_id=query.channel, since=query.since, until=query.until
    )
    page = stores.signals.page(wanted, query.limit, query.cursor)
    if query.include:
        known = queries.outcomes_of(stores, page.items)
        bodies = [signal_body(signal, known.get(signal.signal_id, {})) for signal in page.items]
    else:
        bodies = [signal_body(signal) for signal in page.items]
    return Answer({"signals": bodies, "next_cursor": page.next_cursor})


@signals.post(
    "/api/signals/generate",
    "Decide on given data",
    body=generate_body,
    answers={200: Generated},
    problems=(400, 404, 415, 422),
)
def generate_signal(call: Call, body: ValuesGiven | CandlesGiven) -> Answer:
    """A signal, or HOLD with its reasons, from indicator values or candles that the caller sends.

    The channel's active configuration decides. Nothing is recorded.
    """
    return Answer(_generation().on_given(call, body))


@signals.post(
    "/api/signals/generate-from-db",
    "Decide on stored candles",
    body=from_database_body,
    answers={200: Generated},
    problems=(400, 404, 415, 422),
)
def generate_signal_from_db(call: Call, body: FromDatabase) -> Answer:
    """A signal, or HOLD with its reasons, at the last stored candle of a symbol. Nothing is recorded."""
    return Answer(_generation().on_stored(call, body))


def _symbol(call: Call, text: str | None) -> str | None:
    return text and queries.symbol_named(call.stores, text, call.now)


def _generation() -> Any:
    from api import generation  # noqa: PLC0415  the kernels (TA-Lib) are loaded by those who ask for a decision

    return generation
