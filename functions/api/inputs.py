"""What callers send, checked at the edge: query parameters and bodies."""

from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    TypeAdapter,
    WithJsonSchema,
    model_validator,
)

from plumbline.domain.calendar import parse_instant
from plumbline.domain.errors import InvalidInput
from plumbline.domain.extremes import KEPT
from plumbline.domain.signals import Tier

MAX_CANDLES = 5_000
OWN_SCANNERS = ("technical", "smart_money", "mss", "model")
"""Scanner types under which only the service itself signals."""
_YEAR_10000 = 253_402_300_800_000


def _instant(value: object) -> int:
    """Milliseconds from ISO 8601; ValueError, which is what pydantic collects."""
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        raise ValueError("write a time as 2026-11-20T07:00:00Z")  # noqa: TRY004  pydantic does not collect TypeError
    try:
        instant = parse_instant(value)
    except (InvalidInput, OverflowError) as fault:
        raise ValueError(str(fault)) from None
    if not 0 <= instant < _YEAR_10000:
        raise ValueError("a time must lie between the years 1970 and 9999")
    return instant


def _decimal(value: object) -> Decimal:
    """Money from a JSON number. Text is refused: it could carry more digits than a table holds."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise ValueError("Input should be a valid number")  # noqa: TRY004  pydantic does not collect TypeError
    return Decimal(value) if isinstance(value, int) else Decimal(repr(value))


def _to_four_decimals(score: float) -> float:
    """More would mean nothing, and the least double, 5e-324, is less than a table holds."""
    return round(score, 4)


def _not_our_own(scanner: str) -> str:
    """A row of the record by scanner must be about one source: nobody else may sign with a name of ours."""
    if scanner in OWN_SCANNERS:
        raise ValueError(f"{', '.join(OWN_SCANNERS)} are reserved for the service's own scanners: choose another name")
    return scanner


Instant = Annotated[
    int,
    BeforeValidator(_instant),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-11-20T07:00:00Z"]}),
]
Moment = Annotated[
    int,
    BeforeValidator(_instant),
    WithJsonSchema(
        {
            "description": "ISO 8601 with its zone, or a number: seconds below 10¹¹, else milliseconds",
            "anyOf": [{"type": "string", "format": "date-time"}, {"type": "number", "minimum": 0}],
        }
    ),
]
Text = Annotated[str, Field(min_length=1, max_length=100)]
Symbol = Annotated[
    str,
    Field(
        min_length=1, max_length=40, description="ccxt's spelling; BTCUSDT and BTC are resolved", examples=["BTC/USDT"]
    ),
]
RULES_CHANNEL, MODEL_CHANNEL = "momentum-alpha", "policy-epsilon"
"""Who decides where no channel is named: the rules on values of one moment, the model on candles."""
ChannelId = Annotated[str, Field(min_length=1, max_length=100, examples=[MODEL_CHANNEL])]
LEAST_PRICE, GREATEST_PRICE = 1e-12, 1e15
"""Wider than any market, and far inside what a table can hold and a double can multiply."""
Price = Annotated[float, Field(ge=LEAST_PRICE, le=GREATEST_PRICE)]
Amount = Annotated[float, Field(ge=0, le=1e18)]
Level = Annotated[float, Field(ge=-GREATEST_PRICE, le=GREATEST_PRICE)]
Score = Annotated[float, Field(ge=0, le=100), AfterValidator(_to_four_decimals)]
Money = Annotated[
    Decimal,
    BeforeValidator(_decimal),
    Field(ge=Decimal("1e-12"), le=Decimal("1e15"), max_digits=30),
    WithJsonSchema({"type": "number", "minimum": LEAST_PRICE, "maximum": GREATEST_PRICE, "examples": [64250.5]}),
]
Opened = Annotated[int, Field(ge=0, lt=_YEAR_10000, description="open time, ms UTC")]
Row = tuple[Opened, Price, Price, Price, Price, Amount]
SignalTimeframe = Annotated[Literal["5m", "15m", "1h", "4h", "1d"], Field(examples=["1h"])]


class Query(BaseModel):
    """Query parameters. An unknown one is refused: a filter that was not applied is a wrong answer."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Body(BaseModel):
    """A JSON body: types as JSON has them, every number finite."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False, frozen=True)


class LatestQuery(Query):
    """Which signals the newest is sought among."""

    symbol: Symbol | None = None
    channel: ChannelId | None = None


class HistoryQuery(Query):
    """Filters and page of the log."""

    symbol: Symbol | None = None
    channel: ChannelId | None = None
    since: Annotated[Instant | None, Field(description="signals at or after this time")] = None
    until: Annotated[Instant | None, Field(description="signals at or before this time")] = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    cursor: Annotated[
        str | None, Field(min_length=1, max_length=4000, description="`next_cursor` of the page before")
    ] = None
    include: Annotated[Literal["outcomes"] | None, Field(description="`outcomes` adds each signal's five checks")] = (
        None
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.since is not None and self.until is not None and self.since > self.until:
            raise ValueError("since must not be later than until")
        return self


class PeriodQuery(Query):
    """Which days statistics are about."""

    days: Annotated[int, Field(ge=1, le=365, description="UTC days, the one of `until` included")] = 30
    until: Annotated[Instant | None, Field(description="end of the period; now where absent")] = None


class TopQuery(PeriodQuery):
    """The same, and how many."""

    limit: Annotated[int, Field(ge=1, le=KEPT, description="of each end")] = 10


class ValuesGiven(Body):
    """Indicator values of one moment, for the rules. Those left out do not vote; unknown names are in the answer."""

    model_config = ConfigDict(extra="allow")

    symbol: Symbol
    close_price: Price
    open_price: Price | None = None
    rsi: Annotated[float | None, Field(ge=0, le=100)] = None
    macd: Level | None = None
    macd_signal: Level | None = None
    macd_hist_prev: Annotated[Level | None, Field(description="the histogram one candle earlier, for a cross")] = None
    bb_upper: Level | None = None
    bb_middle: Level | None = None
    bb_lower: Level | None = None
    atr: Annotated[Amount | None, Field(description="without it the signal carries no levels")] = None
    volume_ratio: Annotated[Amount | None, Field(description="volume over the mean of the 20 candles before")] = None
    channel_id: ChannelId = RULES_CHANNEL

    @model_validator(mode="after")
    def _bands_in_order(self) -> Self:
        bands = [band for band in (self.bb_lower, self.bb_middle, self.bb_upper) if band is not None]
        if bands != sorted(bands):
            raise ValueError(f"bb_lower, bb_middle, bb_upper must not decrease, got {bands}")
        return self

    def values(self) -> dict[str, float]:
        """The given values under the names of the features."""
        renamed = self.model_dump(exclude_none=True, include=set(_FEATURES))
        known = {_FEATURES[name]: float(value) for name, value in renamed.items()}
        if self.open_price is not None:
            known["body"] = self.close_price - self.open_price
        return known


_FEATURES = {
    name: name
    for name in (
        "rsi",
        "macd",
        "macd_signal",
        "macd_hist_prev",
        "bb_upper",
        "bb_middle",
        "bb_lower",
        "atr",
        "volume_ratio",
    )
} | {"close_price": "close"}


class CandlesGiven(Body):
    """Candles, oldest first: `[open time ms, open, high, low, close, volume]`. One not closed yet is left out."""

    model_config = ConfigDict(extra="forbid")

    symbol: Symbol
    timeframe: SignalTimeframe
    candles: Annotated[list[Row], Field(min_length=1, max_length=MAX_CANDLES)]
    channel_id: ChannelId = MODEL_CHANNEL


class FromDatabase(Body):
    """Whose stored candles to decide on; the channel's own timeframe where none is given."""

    model_config = ConfigDict(extra="forbid")

    symbol: Symbol
    timeframe: SignalTimeframe | None = None
    channel_id: ChannelId = MODEL_CHANNEL


class OutsideSignal(Body):
    """A signal from outside. Direction as BUY/SELL or LONG/SHORT; the tier follows from the score where absent."""

    model_config = ConfigDict(extra="forbid")

    id: Annotated[Text, Field(description="the source's own id: the same id is the same signal")]
    symbol: Symbol
    signal: Literal["BUY", "SELL", "LONG", "SHORT"]
    price: Money
    unified_score: Score
    tier: Tier | None = None
    scanner_type: Annotated[
        str,
        Field(
            pattern=r"^[a-z][a-z0-9_]{0,39}$",
            description=f"the source; {', '.join(f'`{name}`' for name in OWN_SCANNERS)} are reserved",
            examples=["social"],
            json_schema_extra={"not": {"enum": list(OWN_SCANNERS)}},
        ),
        AfterValidator(_not_our_own),
    ]
    timestamp: Annotated[Moment | None, Field(description="when it was given; now where absent")] = None


def _variant(body: Any) -> str:
    return "candles_given" if isinstance(body, dict) and "candles" in body else "values_given"


GenerateBody = Annotated[
    Annotated[ValuesGiven, Tag("values_given")] | Annotated[CandlesGiven, Tag("candles_given")],
    Discriminator(_variant),
]

# The aliases above are plain assignments: pydantic builds a `type` alias apart from its model and loses `strict`.

generate_body: TypeAdapter[ValuesGiven | CandlesGiven] = TypeAdapter(GenerateBody)
from_database_body: TypeAdapter[FromDatabase] = TypeAdapter(FromDatabase)
outside_signal_body: TypeAdapter[OutsideSignal] = TypeAdapter(OutsideSignal)
