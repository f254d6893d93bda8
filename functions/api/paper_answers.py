"""The shapes of paper trades. Money is USD, percentages percent, prices quote currency, times ISO 8601 in UTC."""

from typing import Annotated, Literal, TypedDict

from pydantic import Field

from api.answers import ActualOutcome, Count, TierName, Time

Cursor = Annotated[str | None, Field(description="null on the last page")]


class TradeBody(TypedDict):
    """A paper trade, open or closed; null is what does not exist yet."""

    signal_id: str
    symbol: str
    direction: Literal["LONG", "SHORT"]
    status: Literal["OPEN", "CLOSED_TP", "CLOSED_SL", "CLOSED_EXPIRED", "CLOSED_UNKNOWN"]
    outcome: ActualOutcome
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
    simulated: Annotated[bool, Field(description="on a simulated market")]


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
