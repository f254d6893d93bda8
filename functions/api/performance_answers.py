"""The shapes of what `/performance` answers: statistics, and the state of the checks."""

from typing import Annotated, Literal, TypedDict

from pydantic import Field

from api.answers import Count, IntervalName, Percent, TierName, Time

PeriodBody = TypedDict(
    "PeriodBody",
    {
        "period_days": Annotated[int, Field(ge=1, description="UTC days, the running one included")],
        "from": Time,
        "to": Time,
        "data_source": str,
        "simulated": Annotated[bool, Field(description="figures of a simulated market prove nothing about a real one")],
    },
)
"""What figures are about. (`from` is a keyword, hence not a class.)"""


class StatisticsBody(TypedDict):
    """Statistics of one cell. Every rate stands beside its n (`outcomes_checked`) and its 95 % Wilson interval."""

    total_signals: Count
    outcomes_checked: Count
    outcomes_due: Count
    outcomes_unknown: Count
    coverage: Percent
    independent_n: Annotated[int, Field(ge=0, description="independent outcomes: what the interval is computed with")]
    wins: Count
    losses: Count
    neutral: Count
    win_rate: Percent
    win_rate_low: Percent
    win_rate_high: Percent
    loss_rate: Percent
    neutral_rate: Percent
    break_even_win_rate: Percent
    avg_win_pct: Percent
    avg_loss_pct: Percent
    total_pnl_pct: float
    avg_pnl_pct: Percent
    avg_unified_score: float | None


class StatsBody(PeriodBody, StatisticsBody):
    """The record as a whole."""


class Stats(TypedDict):
    """Statistics over all signals of the period."""

    ok: Literal[True]
    data: StatsBody


class ScannerRow(StatisticsBody):
    """One scanner."""

    scanner: str


class TierRow(StatisticsBody):
    """One tier."""

    tier: TierName


class IntervalRow(StatisticsBody):
    """One interval."""

    interval: IntervalName


class ByScanner(TypedDict):
    """One row for each scanner, by name."""

    ok: Literal[True]
    data: list[ScannerRow]
    period: PeriodBody


class ByTier(TypedDict):
    """One row for each tier, the best first."""

    ok: Literal[True]
    data: list[TierRow]
    period: PeriodBody


class ByInterval(TypedDict):
    """One row for each interval, the shortest first."""

    ok: Literal[True]
    data: list[IntervalRow]
    period: PeriodBody


class TallyBody(TypedDict):
    """Checks that fell due in the last 24 hours, and what became of them."""

    due: Count
    wins: Count
    losses: Count
    neutral: Count
    unknown: Count


class CheckBody(TypedDict):
    """The checks of one interval."""

    interval: IntervalName
    checked_until: Annotated[Time | None, Field(description="every outcome due by then is judged; null: never ran")]
    lag_seconds: float | None
    next_due_at: Annotated[Time | None, Field(description="null where nothing falls due within a day")]
    enabled: Annotated[bool | None, Field(description="state of the schedule; null where no rule names the interval")]
    last_day: TallyBody


class TrackerBody(TypedDict):
    """State of the outcome checks."""

    as_of: Time
    intervals: list[CheckBody]
    rules: Annotated[dict[str, bool], Field(description="each schedule and whether it is on")]


class TrackerStats(TypedDict):
    """State of the outcome checks."""

    ok: Literal[True]
    data: TrackerBody


class SwitchedBody(TypedDict):
    """The schedules that were switched."""

    rules: list[str]
    enabled: bool


class Switched(TypedDict):
    """The outcome checks' schedules after the call."""

    ok: Literal[True]
    data: SwitchedBody
