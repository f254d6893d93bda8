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
from api.model_answers import ModelInfo, ServiceStatistics
from api.operations import Answer, Call, Resource
from api.paper_answers import Positions
from api.paper_inputs import PageQuery, Status
from api.paper_lists import listed
from api.rendering import signal_body
from plumbline import queries
from plumbline.ports import SignalFilter

signals = Resource("signals")


@signals.get("/api/signals/latest", "The newest signal", query=LatestQuery, answers={200: Latest}, problems=(404, 422))
def latest_signal(call: Call, query: LatestQuery) -> Answer:
    """The newest signal of a symbol, of a channel, or of all; 404 before there is one."""
    stores = call.stores
    symbol = _symbol(call, query.symbol)
    signal = queries.latest(stores, symbol, query.channel)
    trades = stores.trades.get([signal.signal_id])
    return Answer({"signal": signal_body(signal, trades.get(signal.signal_id))})


@signals.get("/api/signals/history", "The log of signals", query=HistoryQuery, answers={200: History}, problems=(422,))
def signal_history(call: Call, query: HistoryQuery) -> Answer:
    """Signals, newest first, page by page: send `next_cursor` as `cursor` until it is null."""
    stores = call.stores
    wanted = SignalFilter(
        symbol=_symbol(call, query.symbol), channel_id=query.channel, since=query.since, until=query.until
    )
    page = stores.signals.page(wanted, query.limit, query.cursor)
    trades = stores.trades.get(signal.signal_id for signal in page.items)
    judged = queries.outcomes_of(stores, page.items) if query.include else None
    bodies = [
        signal_body(signal, trades.get(signal.signal_id), None if judged is None else judged.get(signal.signal_id, {}))
        for signal in page.items
    ]
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

    Values are decided on by the rules, `mode` RULES, by default those of `momentum-alpha`. Candles are decided on by
    the active configuration of their channel, by default `policy-epsilon`, with the policy as far as it asks it: `mode`
    MODEL. `mode` is PLACEHOLDER where the service has no model file. Nothing is recorded.
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
    """A signal, or HOLD with its reasons, at the last stored candle of a symbol, as the generator decides it.

    A channel that compares markets ranks the symbol among all that it scans. Nothing is recorded.
    """
    return Answer(_generation().on_stored(call, body))


@signals.get(
    "/api/signals/positions/active",
    "Open trades",
    query=PageQuery,
    answers={200: Positions},
    problems=(404, 422),
)
def active_positions(call: Call, query: PageQuery) -> Answer:
    """The paper trades that are open, the newest first, at the last price of their market."""
    return _positions(call, query, "open")


@signals.get(
    "/api/signals/positions/closed",
    "Closed trades",
    query=PageQuery,
    answers={200: Positions},
    problems=(404, 422),
)
def closed_positions(call: Call, query: PageQuery) -> Answer:
    """The paper trades that closed in the last `days`, the last closed first."""
    return _positions(call, query, "closed")


@signals.get("/api/signals/model/info", "The model behind the signals", answers={200: ModelInfo})
def signal_model_info(call: Call) -> Answer:
    """Version, hash, inputs, figures out of sample, calibration and drift of the model.

    In PLACEHOLDER mode `reason` says why there is none and the rest is null. A file that was not made for this code is
    a 503 whose `detail` holds what it was made for and what is needed.
    """
    from api.model import model_info  # noqa: PLC0415  asked for by few

    return Answer(model_info(call))


@signals.get("/api/signals/statistics", "The service at work", answers={200: ServiceStatistics})
def signal_statistics(call: Call) -> Answer:
    """How fast the generator and the policy worked in the last runs, and what was signalled, is open and was closed.

    The generator remembers its last 40 runs of each timeframe. Percentiles are by nearest rank. `signals` and
    `positions` are those that count in the record: `open` are the paper trades open now, `closed` those that closed in
    the period, after fees and slippage.
    """
    from api.statistics import service_statistics  # noqa: PLC0415  asked for by few

    return Answer(service_statistics(call))


def _positions(call: Call, query: PageQuery, part: Status) -> Answer:
    page = listed(call, query, (part,), query.limit, query.cursor)
    return Answer(Positions(count=len(page.trades), positions=page.trades, next_cursor=page.next_cursor))


def _symbol(call: Call, text: str | None) -> str | None:
    return text and queries.symbol_named(call.stores, text, call.now)


def _generation() -> Any:
    from api import generation  # noqa: PLC0415  the kernels (TA-Lib) are loaded by those who ask for a decision

    return generation
