"""The public record of paper trades, read-only: the list, what is open, the summary, the metrics, one trade."""

from typing import Any

from api.charts import candles_around
from api.operations import CSV, Access, Answer, Call, Resource
from api.paper_answers import OneTrade, OpenTrades, Trades
from api.paper_inputs import PageQuery, PaperQuery, PerformanceQuery, TradesQuery
from api.paper_lists import filter_of, listed, trades_answer
from api.paper_rendering import candles_body, position_body, trade_body
from api.paper_statistics import performance_answer, summary_answer
from api.paper_statistics_answers import Performance, Summary
from api.rendering import time_or_none
from plumbline import paper
from plumbline.domain.errors import InvalidInput, NotFound
from plumbline.domain.signals import timestamp_of
from plumbline.domain.trades import Position, Trade
from plumbline.ports import Stores

paper_trading = Resource("paper-trading")

PATH = "/api/public/paper-trading"
CACHED = "public, max-age=15"
_SIGNAL_ID: dict[str, Any] = {
    "type": "string",
    "pattern": "^[0-7][0-9A-HJKMNP-TV-Z]{25}$",
    "description": "of the signal that opened the trade",
    "examples": ["01KAGRKKR0TK0B1E3X4VS6W9YZ"],
}
_PUBLIC: dict[str, Any] = {"access": Access.PUBLIC, "cache": CACHED}


@paper_trading.get(
    PATH,
    "Paper trades",
    query=TradesQuery,
    formats=(CSV,),
    answers={200: Trades},
    problems=(404, 422),
    **_PUBLIC,
)
def paper_trades(call: Call, query: TradesQuery) -> Answer:
    """Every signal's paper trade: open ones, the newest first, then those closed in the period, the last closed first.

    Send `next_cursor` as `cursor` until it is null; a page may be short. With `format=csv` or `Accept: text/csv` it is
    CSV, and the next page in `Link`. A trade that closes while the list is read may come twice: its id is the same.
    """
    return trades_answer(call, query)


@paper_trading.get(
    f"{PATH}/open-positions",
    "Open paper trades",
    query=PageQuery,
    answers={200: OpenTrades},
    problems=(404, 422),
    **_PUBLIC,
)
def open_paper_trades(call: Call, query: PageQuery) -> Answer:
    """Trades that are open now, the newest first, with the last price of their market and what closing would make.

    `count` and `unrealised_usd` are about all that match and count, on whatever page; backfilled ones are listed only.
    `days` changes nothing: what is open is open now.
    """
    page = listed(call, query, ("open",), query.limit, query.cursor)
    whole = paper.open_trades(call.stores, filter_of(call, query))
    body = OpenTrades(
        count=whole.count,
        as_of=time_or_none(whole.as_of),
        unrealised_usd=float(whole.unrealised_usd),
        trades=page.trades,
        next_cursor=page.next_cursor,
    )
    return Answer(body)


@paper_trading.get(
    f"{PATH}/summary",
    "The paper record in short",
    query=PaperQuery,
    answers={200: Summary},
    problems=(404, 422),
    **_PUBLIC,
)
def paper_summary(call: Call, query: PaperQuery) -> Answer:
    """What the trades closed in the period came to after costs, what is open, and how far the figures can be trusted.

    `stale`: the market's newest candle, or the board of open trades, is older than it may be. `/performance` holds the
    formula of every figure.
    """
    return Answer(summary_answer(call, query))


@paper_trading.get(
    f"{PATH}/performance",
    "Metrics of the paper record",
    query=PerformanceQuery,
    answers={200: Performance},
    problems=(404, 422),
    **_PUBLIC,
)
def paper_performance(call: Call, query: PerformanceQuery) -> Answer:
    """Three books side by side, the equity curve by day, and with `by` one row for each value of a dimension.

    `formulas` holds one sentence for every figure here and in the summary, by its name. Sharpe and Sortino ratios are
    of daily returns, annualised with 365 days: this market does not close.
    """
    return Answer(performance_answer(call, query))


@paper_trading.get(
    f"{PATH}/{{signal_id}}",
    "One paper trade",
    parts={"signal_id": _SIGNAL_ID},
    answers={200: OneTrade},
    problems=(404,),
    **_PUBLIC,
)
def paper_trade(call: Call, signal_id: str) -> Answer:
    """A trade with the market around it, from 30 candles before it opened to 10 after it closed.

    The candles are of the finest timeframe of which at most 400 cover the trade: 1m for one of up to six hours, 5m for
    one that ran its whole day. They are made of 1m candles.
    """
    trade = _found(call.stores, signal_id)
    position = trade.position if isinstance(trade, Trade) else trade
    until = trade.closed_at if isinstance(trade, Trade) else call.now
    candles = candles_around(call.stores, position, until, call.now)
    return Answer(OneTrade(trade=_body(call.stores, trade), candles=candles_body(candles)))


def _found(stores: Stores, signal_id: str) -> Trade | Position:
    """A trade, closed or open. One that closes meanwhile is found: its fact is stored before its position goes."""
    try:
        timestamp_of(signal_id)
    except InvalidInput as fault:
        raise NotFound(f"no trade {signal_id!r}: {fault}") from None
    closed = stores.trades.get([signal_id])
    if signal_id not in closed:
        opened = next((p for p in stores.positions.all() if p.signal_id == signal_id), None)
        if opened:
            return opened
        closed = stores.trades.get([signal_id])
    if signal_id not in closed:
        raise NotFound(f"no trade {signal_id!r}: there is no such signal, or its trade is not opened yet")
    return closed[signal_id]


def _body(stores: Stores, trade: Trade | Position) -> Any:
    if isinstance(trade, Trade):
        return trade_body(trade, stores.source)
    return position_body(trade, stores.source, stores.positions.board())
