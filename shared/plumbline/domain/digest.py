"""The summary of a day, a week or a month: what is told of a period once it is over, as plain figures.

A digest is derived: the same facts give the same one, to the byte, whenever it is made. Nothing in it depends on when
that was.
"""

import json
from dataclasses import asdict, dataclass, fields, is_dataclass
from datetime import date, timedelta
from enum import StrEnum
from types import UnionType
from typing import Any, Self, get_args, get_origin, get_type_hints

from plumbline.domain.books import BookCell
from plumbline.domain.calendar import DAY, day_of, day_start
from plumbline.domain.extremes import Standout
from plumbline.domain.figures import GroupFigures
from plumbline.domain.performance import Cell, statistics
from plumbline.domain.recommendations import Recommendation

_SUNDAY = 7


class Kind(StrEnum):
    """How long a period a digest is about, in whole UTC days."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"

    @property
    def days(self) -> int:
        """1, 7 or 30: a month has thirty days here, so that any two can be compared."""
        return _DAYS[self]


_DAYS = {Kind.DAILY: 1, Kind.WEEKLY: 7, Kind.MONTHLY: 30}


def kinds_ending(day: str) -> list[Kind]:
    """The digests whose last day this is: a day's always, a week's on Sundays, a month's on the last of a month."""
    last = date.fromisoformat(day)
    ends = {
        Kind.DAILY: True,
        Kind.WEEKLY: last.isoweekday() == _SUNDAY,
        Kind.MONTHLY: (last + timedelta(days=1)).day == 1,
    }
    return [kind for kind, does in ends.items() if does]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordLine:
    """What became of signals: the outcomes checked in the period. Rates in percent, None where nothing was checked.

    `independent_n` is what the 95 % Wilson interval (`win_rate_low`, `win_rate_high`) is computed with.
    """

    name: str
    signals: int
    due: int
    checked: int
    unknown: int
    wins: int
    losses: int
    neutral: int
    independent_n: int
    win_rate: float | None
    win_rate_low: float | None
    win_rate_high: float | None
    break_even_win_rate: float | None
    coverage: float | None
    avg_pnl_pct: float | None

    @classmethod
    def of(cls, name: str, cell: Cell) -> Self:
        """The figures of a cell."""
        found: dict[str, Any] = statistics(cell)
        renamed = {"signals": "total_signals", "due": "outcomes_due", "checked": "outcomes_checked"}
        renamed |= {"unknown": "outcomes_unknown"}
        named = {f.name: found[renamed.get(f.name, f.name)] for f in fields(cls) if f.name != "name"}
        return cls(name=name, **named)


@dataclass(frozen=True, slots=True, kw_only=True)
class TradesLine:
    """What paper trades that closed in the period made; `unknown` of them closed without a price.

    `max_drawdown_usd` is that of the net book, exact from trade to trade.
    """

    name: str
    unknown: int
    max_drawdown_usd: float
    figures: GroupFigures

    @classmethod
    def of(cls, name: str, cell: BookCell) -> Self:
        """The figures of a cell."""
        drawdown = round(float(cell.net.drawdown), 6)
        return cls(name=name, unknown=cell.unknown, max_drawdown_usd=drawdown, figures=GroupFigures.of(cell))


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigurationLine:
    """One configuration of a channel: when it was last activated and until when it was current (ms, None: still is).

    `figures` are of all its trades that closed in the days compared, under whichever of its activations.
    """

    channel_id: str
    config_hash: str
    active_from: int
    active_until: int | None
    notes: str
    figures: GroupFigures


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalLine:
    """One of the best or worst signals, by its P&L (percent, the holder's side) 24 hours later (`domain.extremes`)."""

    signal_id: str
    given_at: int
    symbol: str
    side: str
    channel_id: str
    scanner_type: str
    unified_score: float
    pnl_pct: float

    @classmethod
    def of(cls, standout: Standout) -> Self:
        """The same with plain numbers."""
        return cls(
            signal_id=standout.signal_id,
            given_at=standout.timestamp,
            symbol=standout.symbol,
            side=standout.side.value,
            channel_id=standout.channel_id,
            scanner_type=standout.scanner_type,
            unified_score=standout.unified_score,
            pnl_pct=float(standout.pnl_pct),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DayLine:
    """One day of the weeks before: trades closed and what they made net (USD)."""

    day: str
    closed: int
    net_pnl_usd: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """The summary of the `days` that ended with `last_day`, on the market `source`.

    `trend` are the last days up to it, `recommendations` rest on as many, and `configurations` are compared over the
    last `compared_days`: a single day would not say anything about either.
    """

    kind: Kind
    source: str
    first_day: str
    last_day: str
    record: RecordLine
    intervals: tuple[RecordLine, ...]
    trades: TradesLine
    channels: tuple[TradesLine, ...]
    best: tuple[SignalLine, ...]
    worst: tuple[SignalLine, ...]
    trend: tuple[DayLine, ...]
    compared_days: int
    configurations: tuple[ConfigurationLine, ...]
    recommendations: tuple[Recommendation, ...]

    @property
    def simulated(self) -> bool:
        """Whether its market is none at all."""
        return self.source == "simulated"

    @property
    def end(self) -> int:
        """First instant after the period (ms)."""
        return day_start(self.last_day) + DAY


def first_day(kind: Kind, last_day: str) -> str:
    """The day with which the period begins."""
    return day_of(day_start(last_day) - (kind.days - 1) * DAY)


def dump_digest(digest: Digest) -> str:
    """Canonical JSON: the same digest gives the same bytes."""
    return json.dumps(plain(digest), sort_keys=True, separators=(",", ":"), allow_nan=False)


def plain(digest: Digest) -> dict[str, Any]:
    """As JSON values."""
    return asdict(digest)


def parse_digest(text: str) -> Digest:
    """Reverse of `dump_digest`."""
    found: Digest = _built(Digest, json.loads(text))
    return found


def _built(kind: Any, value: Any) -> Any:
    """A value of an annotated type from its JSON."""
    origin, arguments = get_origin(kind), get_args(kind)
    if isinstance(kind, UnionType):
        return None if value is None else _built(next(a for a in arguments if a is not type(None)), value)
    if origin is tuple:
        return tuple(_built(arguments[0], item) for item in value)
    if isinstance(kind, type) and is_dataclass(kind):
        hints = get_type_hints(kind)
        return kind(**{name: _built(hints[name], item) for name, item in value.items()})
    return kind(value) if isinstance(kind, type) and issubclass(kind, StrEnum) else value
