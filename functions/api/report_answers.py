"""The shapes of the report, of the best and worst of the record, and of the channels' performance."""

from typing import Annotated, Literal, TypedDict

from pydantic import Field

from api.answers import Count, IntervalName, Percent, TierName, Time
from api.performance_answers import IntervalRow, PeriodBody, ScannerRow, StatisticsBody, TierRow

SideName = Literal["LONG", "SHORT"]


class TypeRow(StatisticsBody):
    """One direction."""

    type: SideName


class SymbolRow(StatisticsBody):
    """One symbol."""

    symbol: str


class ChannelRow(StatisticsBody):
    """One channel."""

    channel: str


class SnapshotRow(StatisticsBody):
    """One strategy configuration."""

    snapshot: Annotated[str, Field(description="SHA-256 of the configuration")]


class BySymbol(TypedDict):
    """One row for each symbol, by name."""

    ok: Literal[True]
    data: list[SymbolRow]
    period: PeriodBody


class ByType(TypedDict):
    """One row for each direction."""

    ok: Literal[True]
    data: list[TypeRow]
    period: PeriodBody


class RecommendationBody(TypedDict):
    """What the record suggests doing, and whether its figures carry it."""

    priority: Literal["URGENT", "HIGH", "MEDIUM", "INFO"]
    category: Literal["overall", "scanner", "tier", "interval"]
    message: str
    action: str
    figures: Annotated[dict[str, float], Field(description="those it rests on; rates in percent")]
    significant: Annotated[
        bool, Field(description="its interval supports it, and so does false-discovery control over all comparisons")
    ]


class StandoutBody(TypedDict):
    """A signal and what it had come to."""

    signal_id: str
    timestamp: Time
    symbol: str
    signal_type: SideName
    scanner_type: str
    channel_id: str
    unified_score: float
    tier: TierName
    interval: IntervalName
    pnl_pct: Annotated[float, Field(description="percent, from the holder's side")]


class ReportBody(PeriodBody):
    """The record along every dimension. `by_tier`, `by_interval` and `by_type` have all their rows, also empty ones."""

    overall: StatisticsBody
    by_scanner: list[ScannerRow]
    by_tier: list[TierRow]
    by_interval: list[IntervalRow]
    by_type: list[TypeRow]
    by_symbol: list[SymbolRow]
    by_channel: list[ChannelRow]
    by_snapshot: list[SnapshotRow]
    tier_trend_p_value: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            description="how likely so clear a fall of the win rate from the best tier to the last would be if the "
            "tiers did not differ (Cochran-Armitage, one-sided)",
        ),
    ]
    recommendations: Annotated[list[RecommendationBody], Field(description="the most urgent first")]
    best_signals: Annotated[list[StandoutBody], Field(description="had gained most 24 hours later, at most twenty")]
    worst_signals: Annotated[list[StandoutBody], Field(description="had lost most 24 hours later, at most twenty")]


class Report(TypedDict):
    """The record as a whole."""

    ok: Literal[True]
    data: ReportBody


class RankedBody(SymbolRow):
    """A symbol of a ranking."""

    consistency: Annotated[
        float | None, Field(description="mean of the outcomes' P&L over their standard deviation; null where undefined")
    ]


class SignalEnds(TypedDict):
    """Signals that gained most, and that lost most."""

    best: list[StandoutBody]
    worst: list[StandoutBody]


class SymbolEnds(TypedDict):
    """Both ends of a ranking, each from its own side; few symbols stand in both."""

    best: list[RankedBody]
    worst: list[RankedBody]


class SymbolRankingsBody(TypedDict):
    """The symbols with three judged signals or more, in three orders."""

    by_win_rate: SymbolEnds
    by_average_pnl: SymbolEnds
    by_consistency: SymbolEnds


class TopPerformersBody(PeriodBody):
    """The best and the worst."""

    signals: SignalEnds
    symbols: SymbolRankingsBody


class TopPerformers(TypedDict):
    """The best and the worst of the period."""

    ok: Literal[True]
    data: TopPerformersBody


class ChannelBody(TypedDict):
    """The paper trades of one channel: those closed in the period and those open now, after costs."""

    channel_id: str
    total_signals: Annotated[int, Field(ge=0, description="trades closed in the period, and those open now")]
    completed: Annotated[int, Field(ge=0, description="closed at the target, at the stop, or expired: the rates' n")]
    pending: Annotated[int, Field(ge=0, description="open now")]
    unknown_count: Annotated[int, Field(ge=0, description="closed without a price, in a hole of the market's data")]
    win_count: Count
    loss_count: Count
    expired_count: Count
    win_rate: Annotated[float | None, Field(description="percent: win_count / completed")]
    win_rate_low: Percent
    win_rate_high: Percent
    avg_profit_pct: Annotated[float | None, Field(description="of all completed, percent of each trade's position")]
    avg_win_pct: Annotated[float | None, Field(description="of those closed at their target")]
    avg_loss_pct: Annotated[float | None, Field(description="of those closed at their stop")]
    total_return_pct: Annotated[float, Field(description="sum over the trades, each on its own position")]
    best_trade_pct: float | None
    worst_trade_pct: float | None
    quality_score: Annotated[
        float | None,
        Field(
            ge=0,
            le=100,
            description="40 · win rate + 30 · clamp(average profit / 5 %, 0, 1) + 20 · min(completed / 20, 1) "
            "+ 10 · completed / total; null without a trade",
        ),
    ]


class ChannelsPerformance(TypedDict):
    """How the channels do."""

    success: Literal[True]
    timeframe_days: Annotated[int, Field(ge=1, description="UTC days, the running one included")]
    channels: Annotated[list[ChannelBody], Field(description="by id")]
    period: PeriodBody
