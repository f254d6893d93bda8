"""The shapes of the paper record. Money is USD, percentages percent, prices quote currency, times ISO 8601 in UTC."""

from typing import Annotated, Literal, TypedDict

from pydantic import Field

from api.answers import ActualOutcome, Count, IntervalName, TierName, Time
from api.performance_answers import PeriodBody

Dollars = Annotated[float | None, Field(description="USD; null where there is nothing to average")]
Rate = Annotated[float | None, Field(description="percent; null where no trade closed with a price")]
Ratio = Annotated[float | None, Field(description="null where it is not defined")]
Cursor = Annotated[str | None, Field(description="null on the last page")]
AsOf = Annotated[Time, Field(description="the last full minute: what closed by then is counted")]


class OpenedBody(TypedDict):
    """What a trade was opened as."""

    signal_id: str
    symbol: str
    direction: Literal["LONG", "SHORT"]
    market_type: Literal["SPOT", "FUTURES"]
    timeframe: str
    scanner_type: str
    channel_id: str
    strategy_type: str
    tier: TierName
    unified_score: float
    confidence: float
    snapshot_id: str
    origin: Annotated[Literal["live", "backfill", "external"], Field(description="backfilled ones are never counted")]
    trigger_type: Literal["score", "roc_momo", "tp_sl"]
    buy_score: float | None
    sell_score: float | None
    indicators_fired: list[str]
    indicator_breakdown: dict[str, float]
    entry_price: Annotated[float, Field(description="the signal's own: the ideal book's")]
    net_entry_price: Annotated[
        float | None, Field(description="open of the next 1m candle, before slippage; null until it is collected")
    ]
    stop_loss: float | None
    take_profit: float | None
    opened_at: Time
    expires_at: Time
    position_usd: float
    fee_bps: Annotated[float, Field(description="a side")]
    slippage_bps: Annotated[float, Field(description="a side")]
    simulated: Annotated[bool, Field(description="on a simulated market")]


class TradeBody(OpenedBody):
    """A paper trade, open or closed; null is what does not exist yet."""

    status: Literal["OPEN", "CLOSED_TP", "CLOSED_SL", "CLOSED_EXPIRED", "CLOSED_UNKNOWN"]
    outcome: ActualOutcome
    closed_at: Time | None
    exit_price: Annotated[float | None, Field(description="before slippage")]
    held_seconds: int | None
    pnl_usd: Annotated[float | None, Field(description="net: after fees and slippage")]
    pnl_pct: float | None
    gross_pnl_usd: Annotated[float | None, Field(description="ideal: at the signal's price, without costs")]
    gross_pnl_pct: float | None
    pessimistic_pnl_usd: Annotated[float | None, Field(description="every market fill at the worst of its minute")]
    pessimistic_pnl_pct: float | None
    ambiguous: Annotated[
        bool, Field(description="one candle touched both levels: the stop is taken to have been first")
    ]
    pnl_usd_if_target: Annotated[
        float | None, Field(description="net had the target been first; null unless ambiguous")
    ]
    max_favourable_pct: float | None
    max_adverse_pct: float | None
    current_price: Annotated[float | None, Field(description="of an open trade: the market's last close")]
    price_at: Time | None
    unrealised_usd: Annotated[float | None, Field(description="net, were it closed at the current price")]
    unrealised_pct: float | None


class Trades(TypedDict):
    """A page of trades: open ones, the newest first, then closed ones, the last closed first."""

    count: Annotated[int, Field(ge=0, description="rows of this page; the totals are in the summary")]
    trades: list[TradeBody]
    next_cursor: Cursor


class OpenTrades(TypedDict):
    """The open trades. `count` and `unrealised_usd` are about all that match and count, not only this page's."""

    count: Count
    as_of: Annotated[Time | None, Field(description="the minute of the prices; null before the tracker ever ran")]
    unrealised_usd: float
    trades: list[TradeBody]
    next_cursor: Cursor


class Positions(TypedDict):
    """A page of the system's paper trades."""

    count: Annotated[int, Field(ge=0, description="rows of this page")]
    positions: list[TradeBody]
    next_cursor: Cursor


class CandlesBody(TypedDict):
    """The market around a trade."""

    timeframe: Annotated[str, Field(description="the finest of which at most 400 candles cover the trade")]
    rows: Annotated[
        list[list[float]], Field(description="[open time ms, open, high, low, close, volume], oldest first")
    ]


class OneTrade(TypedDict):
    """A trade with the candles around it; its levels are the trade's own."""

    trade: TradeBody
    candles: CandlesBody


class CostsBody(TypedDict):
    """On what terms trades are opened now; each trade carries its own."""

    position_usd: float
    fee_bps: Annotated[float, Field(description="a side")]
    slippage_bps: Annotated[float, Field(description="a side")]
    capital_usd: Annotated[float, Field(description="what returns and drawdowns are a share of")]


class LiveBody(TypedDict):
    """Where updates come from."""

    url: Annotated[str | None, Field(description="address of the WebSocket; null where there is none")]


class RateBody(TypedDict):
    """A win rate never stands alone: `n` trades, 95 % Wilson interval."""

    win_rate: Rate
    win_rate_low: Rate
    win_rate_high: Rate
    n: Annotated[int, Field(ge=0, description="trades closed with a price")]


class Summary(RateBody):
    """The record in short. Money is net of fees and slippage."""

    as_of: AsOf
    newest_candle_at: Annotated[Time | None, Field(description="close of the newest candle; null before any")]
    stale: Annotated[bool, Field(description="the market's data or the open trades' prices are older than they may be")]
    simulated: Annotated[bool, Field(description="figures of a simulated market prove nothing about a real one")]
    data_source: str
    hypothetical: Annotated[str, Field(description="what these results are not")]
    period: PeriodBody
    costs: CostsBody
    live: LiveBody
    total_pnl_usd: float
    total_pnl_pct: Annotated[float, Field(description="of the capital")]
    break_even_win_rate: Rate
    average_profit_usd: Dollars
    average_loss_usd: Dollars
    winning: Count
    losing: Count
    flat: Count
    closed: Count
    closed_unknown: Annotated[int, Field(ge=0, description="closed without a price: the market's data had a hole")]
    open: Count
    total: Count
    total_signals: Annotated[int | None, Field(description="null under a filter by which signals are not counted")]
    coverage: Rate
    unrealised_usd: float


class BookBody(RateBody):
    """One book over the period."""

    total_pnl_usd: float
    total_return_pct: Annotated[float, Field(description="of the capital")]
    average_profit_usd: Dollars
    average_loss_usd: Dollars
    break_even_win_rate: Rate
    profit_factor: Ratio
    expectancy_usd: Dollars
    sharpe_ratio: Ratio
    sortino_ratio: Ratio
    days: Annotated[int, Field(ge=0, description="daily returns behind both ratios")]
    max_drawdown_usd: float
    max_drawdown_pct: Annotated[float, Field(description="of the capital")]
    best_trade_usd: Dollars
    worst_trade_usd: Dollars


class BooksBody(TypedDict):
    """Three books side by side."""

    ideal: Annotated[BookBody, Field(description="entered at the signal's price, no costs")]
    net: Annotated[BookBody, Field(description="entered at the next minute's open; fees and slippage on both sides")]
    pessimistic: Annotated[BookBody, Field(description="as net, but market fills at the worst price of their minute")]


class MoneyByBook(TypedDict):
    """USD in each book."""

    ideal: float
    net: float
    pessimistic: float


class BoundsBody(TypedDict):
    """Net P&L had every ambiguous trade ended at its stop, or at its target."""

    low_usd: float
    high_usd: float


class ExposureBody(TypedDict):
    """How much was at stake."""

    average_open: Ratio
    average_usd: Dollars
    time_in_market_hours: float


class EquityBody(TypedDict):
    """A UTC day of the equity curve."""

    day: Annotated[str, Field(json_schema_extra={"format": "date"})]
    pnl_usd: MoneyByBook
    equity_usd: MoneyByBook
    drawdown_pct: Annotated[float, Field(description="of the net book")]
    closed: Count


class IntervalBody(TypedDict):
    """Outcomes of the signals at one interval: another measure than the trades."""

    n: Annotated[int, Field(ge=0, description="outcomes with a price")]
    wins: Count
    losses: Count
    neutral: Count
    win_rate: Rate
    win_rate_low: Rate
    win_rate_high: Rate
    avg_pnl_pct: Rate
    coverage: Rate


class RowBody(RateBody):
    """One value of a dimension: its trades, net where it is not said, and its signals' outcomes."""

    key: str
    closed: Count
    break_even_win_rate: Rate
    total_pnl_usd: float
    average_pnl_usd: Dollars
    average_profit_usd: Dollars
    average_loss_usd: Dollars
    profit_factor: Ratio
    gross_pnl_usd: float
    pessimistic_pnl_usd: float
    average_held_seconds: Ratio
    signals: Annotated[int | None, Field(description="null along a dimension by which signals are not counted")]
    intervals: Annotated[
        dict[IntervalName, IntervalBody], Field(description="empty along a dimension by which outcomes are not counted")
    ]


class Performance(TypedDict):
    """The metrics of the record."""

    as_of: AsOf
    period: PeriodBody
    capital_usd: Annotated[float, Field(description="what returns and drawdowns are a share of")]
    days_per_year: int
    books: BooksBody
    closed: Count
    targets: Count
    stops: Count
    expired: Count
    unknown: Count
    ambiguous: Count
    ambiguous_bounds: BoundsBody
    exposure: ExposureBody
    average_held_seconds: Ratio
    average_max_favourable_pct: Ratio
    average_max_adverse_pct: Ratio
    fees_and_slippage_usd: float
    equity: Annotated[list[EquityBody], Field(description="every day of the period, oldest first")]
    rows: Annotated[list[RowBody], Field(description="by `by`, in order of the key; empty without it")]
    formulas: Annotated[dict[str, str], Field(description="one sentence for each figure here and in the summary")]
