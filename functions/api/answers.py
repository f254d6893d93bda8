"""The shapes of what the API answers. Prices are numbers, times ISO 8601 in UTC, percentages percent."""

from typing import Annotated, Literal, NotRequired, TypedDict

from pydantic import Field

from plumbline.health import TableState

Mode = Annotated[
    Literal["MODEL", "PLACEHOLDER"],
    Field(description="PLACEHOLDER: the service has no model file, the rule-based technical score stands in its place"),
]
DecidedBy = Literal["MODEL", "RULES", "PLACEHOLDER"]
Deciding = Annotated[
    DecidedBy,
    Field(
        description="`MODEL`: the policy has its say, as much as the channel's configuration gives it. `RULES`: the "
        "configuration does not ask it, or it cannot read what was sent. `PLACEHOLDER`: the service has no model file, "
        "or none for these candles where the channel is the model's own; the rules stand in its place, and such a "
        "signal could never enter the record"
    ),
]
Time = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
Percent = Annotated[float | None, Field(description="percent; null where nothing was checked")]
Count = Annotated[int, Field(ge=0)]
IntervalName = Literal["1h", "4h", "24h", "7d", "30d"]
Direction = Literal["BUY", "SELL"]
TierName = Literal["TIER_1_MUST_BUY", "TIER_2_STRONG_BUY", "TIER_3_WATCHLIST", "TIER_4_NEUTRAL"]
Judgement = Literal["WIN", "LOSS", "NEUTRAL", "UNKNOWN"]
ActualOutcome = Literal["pending", "win", "loss", "expired", "unknown"]


class OutcomeBody(TypedDict):
    """One check of a signal; `outcome` is null until it is judged."""

    interval: IntervalName
    due_at: Time
    exit_price: float | None
    pnl_pct: Annotated[float | None, Field(description="percent, from the holder's side")]
    outcome: Judgement | None


class ProvenanceBody(TypedDict):
    """What the signal was computed from."""

    candles_hash: str
    model_hash: str
    data_source: str
    code_version: str


class LevelsBody(TypedDict):
    """Prices in quote currency; `position_size` is a share of equity."""

    entry_price: float | None
    stop_loss: float | None
    take_profit: float | None
    position_size: float | None
    risk_reward_ratio: float | None


class JudgedBody(LevelsBody):
    """What a strategy made of a moment, stored or not."""

    symbol: str
    confidence: Annotated[float, Field(ge=0, le=1)]
    unified_score: Annotated[float, Field(ge=0, le=100)]
    tier: TierName
    channel_id: str
    strategy_type: str
    snapshot_id: Annotated[str, Field(description="SHA-256 of the configuration")]
    indicator_breakdown: Annotated[dict[str, float], Field(description="points each indicator added to the score")]
    indicators_fired: list[str]
    reasoning: list[str]


WinProbability = Annotated[
    float | None,
    Field(
        ge=0,
        le=1,
        description="how likely the signal is to be worth its costs a day later; null where no model that beat the "
        "base rate says so (`win` in `/api/signals/model/info`)",
    ),
]


class SignalBody(JudgedBody):
    """A recorded signal."""

    signal_id: str
    timestamp: Annotated[Time, Field(description="close of its candle, however late it was computed")]
    recorded_at: Time
    origin: Annotated[Literal["live", "backfill", "external"], Field(description="backfilled ones do not count")]
    timeframe: str
    action: Direction
    scanner_type: str
    market_type: Literal["SPOT", "FUTURES"]
    model_version: str
    win_probability: WinProbability
    provenance: ProvenanceBody
    simulated: Annotated[bool, Field(description="made from a simulated market")]
    latency_ms: int
    actual_outcome: Annotated[
        ActualOutcome,
        Field(
            description="how its paper trade closed: `win` at its target, `loss` at its stop, `expired` after a day, "
            "`unknown` in a hole of the market's data; `pending` before that"
        ),
    ]
    actual_profit_pct: Annotated[float | None, Field(description="percent, after fees and slippage")]
    close_price: Annotated[float | None, Field(description="before slippage")]
    closed_at: Time | None
    outcomes: NotRequired[Annotated[list[OutcomeBody], Field(description="with include=outcomes: the five checks")]]


class ProbabilitiesBody(TypedDict):
    """How likely each action is to pay, by the policy: calibrated, with a sum of 1 but for the fourth decimal."""

    HOLD: Annotated[float, Field(ge=0, le=1)]
    BUY: Annotated[float, Field(ge=0, le=1)]
    SELL: Annotated[float, Field(ge=0, le=1)]


class DecisionBody(JudgedBody):
    """A decision on given or stored data; never recorded."""

    action: Literal["BUY", "SELL", "HOLD"]
    scanner_type: Annotated[
        str | None,
        Field(description="the scanner that counts most in the score; null for HOLD"),
    ]
    model_version: Annotated[str | None, Field(description="of the policy; null where it has no say")]
    model_hash: Annotated[str | None, Field(description="SHA-256 of its file; null where it has no say")]
    probabilities: Annotated[ProbabilitiesBody | None, Field(description="null where the policy has no opinion")]
    expected_value: Annotated[
        float | None,
        Field(
            description="least that a trade on the likelier side earns on average after costs, in units of its risk "
            "(the distance to its stop); null where the policy has no opinion"
        ),
    ]
    win_probability: WinProbability
    timeframe: str | None
    candle_close: Annotated[Time | None, Field(description="close of the candle decided on; null for given values")]


class Latest(TypedDict):
    """The newest signal."""

    signal: SignalBody


class History(TypedDict):
    """A page of signals, newest first."""

    signals: list[SignalBody]
    next_cursor: Annotated[str | None, Field(description="null on the last page")]


class Generated(TypedDict):
    """A decision, with its mode said."""

    mode: Deciding
    stored: Annotated[Literal[False], Field(description="a decision on demand never enters the record")]
    data_source: Annotated[str, Field(description="`given` where the caller sent the data")]
    signal: DecisionBody
    ignored: Annotated[list[str], Field(description="what was sent, or would be asked, and had no say; and why")]


class Tracked(TypedDict):
    """The outside signal as it stands in the log."""

    ok: Literal[True]
    data: SignalBody


class LagBody(TypedDict):
    """How far one function has come."""

    cursor: Annotated[str, Field(description="a function's cursor, or `market`: the age of the newest candle")]
    position: Time
    lag_seconds: Annotated[float, Field(ge=0)]
    allowed_seconds: float
    late: bool


class ModelBody(TypedDict):
    """The model as this container has it: opened and checked, refused, or absent (PLACEHOLDER)."""

    mode: Mode
    state: Literal["ready", "refused", "absent"]
    name: str | None
    version: str | None
    hash: Annotated[str | None, Field(description="SHA-256 of the file")]
    message: Annotated[
        str | None, Field(description="why it is refused: what the file was made for and what is needed")
    ]


class ExchangeBody(TypedDict):
    """Where the market's data comes from, and how fresh it is."""

    source: str
    simulated: bool
    newest_candle: Annotated[Time | None, Field(description="close of the newest candle; null before there is one")]
    lag_seconds: Annotated[float | None, Field(ge=0, description="age of the newest candle")]
    symbols: Count
    symbols_behind: Annotated[Count, Field(description="those whose candles end before the collector's last minute")]


class Health(TypedDict):
    """Health of the service: `degraded` where a function or the market's data is late, or the model is refused."""

    status: Literal["ok", "degraded"]
    as_of: Time
    tables: dict[str, TableState]
    model: ModelBody
    exchange: ExchangeBody
    cursors: list[LagBody]


class ServiceBody(TypedDict):
    """What this service is."""

    service: Literal["plumbline"]
    description: str
    version: str
    stage: str
    mode: Mode
    data_source: str
    simulated: bool
    links: Annotated[dict[str, str], Field(description="relative to this address")]
