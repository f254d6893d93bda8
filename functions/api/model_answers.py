"""The shapes of what is told about the model, and about the service at work."""

from typing import Annotated, Any, TypedDict

from pydantic import Field

from api.answers import Count, Mode, Time
from api.performance_answers import PeriodBody


class BinBody(TypedDict):
    """Answers of about the same probability: how many there were, what they said, and how often it came true."""

    n: Count
    stated: Annotated[float, Field(ge=0, le=1, description="mean probability")]
    observed: Annotated[float, Field(ge=0, le=1, description="share of trades that reached their target")]


class CalibrationBody(TypedDict):
    """Whether a probability means what it says, out of sample."""

    calibration_error: Annotated[float | None, Field(description="mean distance of stated and observed, weighted by n")]
    brier: float | None
    log_loss: Annotated[float | None, Field(description="nats per example")]
    prior_log_loss: Annotated[float | None, Field(description="of one who knows only the frequencies of the training")]
    bins: list[BinBody]


class DriftBody(TypedDict):
    """The newest daily report: whether the model still sees the market it was trained on, and earns its place in it."""

    day: str
    days: Annotated[int, Field(ge=1, description="of the market, the last of them `day`")]
    version: str
    model_hash: Annotated[str, Field(description="of the file the report is about")]
    symbols: list[str]
    examples: Annotated[int, Field(ge=0, description="candles whose trades are decided")]
    psi: Annotated[dict[str, float], Field(description="population stability index of each feature against training")]
    log_loss: float
    prior_log_loss: float
    skill: Annotated[float, Field(description="the prior's log-loss minus the model's: positive where it knows more")]
    skill_low: float
    skill_high: float
    brier: float
    calibration_error: float
    acted: Annotated[int, Field(ge=0, description="candles on which it would have signalled")]
    hits: Annotated[int, Field(ge=0, description="those of them whose trade reached its target")]
    stated: Annotated[float, Field(description="mean probability of those acted on")]
    earns_its_place: bool


class WinBody(TypedDict):
    """The second model: how likely a signal is to be worth its costs a day later, told before anybody enters."""

    enabled: Annotated[bool, Field(description="whether it beat the base rate on signals it had not seen; else unused")]
    reason: Annotated[str, Field(description="by how much, or why not")]
    version: str
    hash: Annotated[str, Field(description="SHA-256 of the file")]
    market: Annotated[str, Field(description="whose record it was trained on: `recorded` or `simulated`")]
    timeframe: str
    figures: Annotated[dict[str, Any], Field(description="what it showed, as it stands in the file")]


class ModelInfo(TypedDict):
    """The model that decides; all null but `mode` and `reason` where there is none."""

    mode: Mode
    reason: Annotated[str | None, Field(description="why there is no model; null where there is one")]
    name: str | None
    version: str | None
    hash: Annotated[str | None, Field(description="SHA-256 of the file")]
    market: Annotated[str | None, Field(description="what it was trained on: `recorded` or `simulated`")]
    timeframe: Annotated[str | None, Field(description="of the candles it reads; it has no say on others")]
    features: Annotated[list[str] | None, Field(description="names of its inputs, in order")]
    window: Annotated[int | None, Field(description="candles it looks at")]
    actions: Annotated[list[str] | None, Field(description="of its probabilities, in order")]
    prior: Annotated[dict[str, float] | None, Field(description="shares of the actions among its examples")]
    confidence_threshold: Annotated[
        float | None, Field(description="by the channel's active configuration; its score targets hold beside it")
    ]
    min_expected_value: Annotated[
        float | None, Field(description="and what a trade must be worth after costs, in units of its risk")
    ]
    card: Annotated[dict[str, Any] | None, Field(description="its figures out of sample, as they stand in the file")]
    calibration: Annotated[CalibrationBody | None, Field(description="the part of the card that is about it")]
    drift: Annotated[DriftBody | None, Field(description="null before the first daily report")]
    win: Annotated[WinBody | None, Field(description="null where there is none for this market")]


class QuantilesBody(TypedDict):
    """Milliseconds by nearest rank: the least of the values that this share of them does not exceed."""

    p50: Annotated[float, Field(ge=0)]
    p95: Annotated[float, Field(ge=0)]
    p99: Annotated[float, Field(ge=0)]


class InferenceBody(TypedDict):
    """The policy in the runs in which it was asked."""

    runs: Count
    windows: Annotated[int, Field(ge=0, description="inputs it saw: one for each market and candle asked about")]
    run_ms: Annotated[QuantilesBody | None, Field(description="all windows of a run; null before any")]
    window_ms: Annotated[
        QuantilesBody | None, Field(description="a run's time shared evenly among its windows, one value a run")
    ]


class GenerationBody(TypedDict):
    """Whole runs, with reading the candles and with the policy."""

    runs: Count
    evaluated: Annotated[int, Field(ge=0, description="candles, once for each channel that looks at them")]
    run_ms: Annotated[QuantilesBody | None, Field(description="null before any")]
    evaluations_per_minute: Annotated[float | None, Field(description="of working time; null before any")]


class TimeframeBody(TypedDict):
    """The runs on one timeframe."""

    timeframe: str
    inference: InferenceBody
    generation: GenerationBody


class IssuedBody(TypedDict):
    """Signals that count in the record."""

    count: Count
    buy: Count
    sell: Count
    by_scanner: dict[str, int]


class SignalCountsBody(TypedDict):
    """The last 24 hours to the millisecond, and the UTC days of `period`."""

    last_24h: IssuedBody
    period: IssuedBody


class OpenBody(TypedDict):
    """The paper trades open now."""

    count: Count
    long: Count
    short: Count
    as_of: Annotated[Time | None, Field(description="the minute of the prices; null before the tracker ever ran")]
    unrealised_usd: Annotated[float, Field(description="what closing all of them would make, after costs")]


class ClosedBody(TypedDict):
    """The paper trades that closed in `period`, after fees and slippage."""

    due: Annotated[int, Field(ge=0, description="all that closed")]
    checked: Annotated[int, Field(ge=0, description="those with a price")]
    wins: Annotated[int, Field(ge=0, description="made more than $0.01")]
    losses: Annotated[int, Field(ge=0, description="lost more than $0.01")]
    neutral: Annotated[int, Field(ge=0, description="neither")]
    unknown: Annotated[int, Field(ge=0, description="given up: the market's data had a hole")]
    targets: Count
    stops: Count
    expired: Count
    total_pnl_usd: float
    avg_pnl_usd: Annotated[float | None, Field(description="over those with a price; null where there are none")]
    avg_pnl_pct: Annotated[float | None, Field(description="the same, of a position of today's size")]


class PositionsBody(TypedDict):
    """The paper trades that count in the record."""

    open: OpenBody
    closed: ClosedBody


class ServiceStatistics(TypedDict):
    """The service at work."""

    as_of: Time
    mode: Mode
    period: PeriodBody
    inference: InferenceBody
    generation: GenerationBody
    timeframes: Annotated[list[TimeframeBody], Field(description="the same for each timeframe, the shortest first")]
    signals: SignalCountsBody
    positions: PositionsBody
