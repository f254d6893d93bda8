"""The shapes of the paper record's summary and metrics. Money is USD, percentages percent."""

from typing import Annotated, TypedDict

from pydantic import Field

from api.answers import Count, IntervalName, Time
from api.performance_answers import PeriodBody

Dollars = Annotated[float | None, Field(description="USD; null where there is nothing to average")]
Rate = Annotated[float | None, Field(description="percent; null where no trade closed with a price")]
Ratio = Annotated[float | None, Field(description="null where it is not defined")]
AsOf = Annotated[Time, Field(description="the last full minute: what closed by then is counted")]


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
