"""What readers ask: the latest signals, the record with its statistics, and how fast the service works.

The cost of an answer does not grow with history: closed days come from their rollups, only what lies after them is
counted from the facts. Nothing is written here.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol, Self

from plumbline.domain.calendar import DAY, Interval, Timeframe, day_of, day_start, days_between
from plumbline.domain.errors import NotFound
from plumbline.domain.extremes import EXTREMES, Extremes
from plumbline.domain.outcomes import Outcome
from plumbline.domain.performance import DIMENSIONS, Cell, Cells, Tally, count, merge
from plumbline.domain.signals import Signal
from plumbline.domain.strategies import DEFAULT_CHANNELS, Channel
from plumbline.pipeline import summarising
from plumbline.pipeline.channels import symbols_named
from plumbline.pipeline.progress import SUMMARISE, generating
from plumbline.pipeline.timing import Run, runs_of
from plumbline.ports import Cursor, SignalFilter, Stores


def latest(stores: Stores, symbol: str | None, channel_id: str | None) -> Signal:
    """The newest signal, of a symbol or a channel where given; NotFound before there is one."""
    page = stores.signals.page(SignalFilter(symbol=symbol, channel_id=channel_id), limit=1)
    if not page.items:
        of = " and ".join(name for name in (symbol, channel_id) if name)
        raise NotFound(f"no signal{f' of {of}' if of else ''} is recorded yet")
    return page.items[0]


def outcomes_of(stores: Stores, signals: Iterable[Signal]) -> dict[str, dict[Interval, Outcome]]:
    """Signal id and interval to outcome, for what is judged so far: one batch read by computed keys."""
    keys = [(signal.signal_id, interval) for signal in signals for interval in Interval]
    found: dict[str, dict[Interval, Outcome]] = {}
    for (signal_id, interval), outcome in stores.outcomes.get(keys).items():
        found.setdefault(signal_id, {})[interval] = outcome
    return found


def symbol_named(stores: Stores, text: str, now: int, quote: str = "USDT") -> str:
    """The market that `BTC/USDT`, `BTCUSDT` or `BTC` means; `pipeline.channels.symbols_named`, for one."""
    return symbols_named(stores, [text], now, quote)[0]


def channel_named(stores: Stores, channel_id: str) -> Channel:
    """A published channel; NotFound lists those that exist."""
    channels = {channel.channel_id: channel for channel in (*DEFAULT_CHANNELS, *stores.channels.all())}
    if channel_id not in channels:
        raise NotFound(f"no channel {channel_id!r}; there are {', '.join(sorted(channels))}")
    return channels[channel_id]


@dataclass(frozen=True, slots=True)
class Period:
    """The record over whole UTC days up to `until` (ms); `days` counts the running one.

    `extremes` are empty where they were not asked for.
    """

    days: int
    start: int
    until: int
    cells: Cells
    extremes: Extremes = field(default_factory=Extremes)

    def cell(self, dimension: str, value: str) -> Cell:
        """One cell, empty where nothing was counted."""
        return self.cells.get(dimension, {}).get(value, Cell())


def performance(stores: Stores, days: int, dimension: str, now: int) -> Period:
    """Statistics of the last `days` UTC days along one dimension, the day of `now` included."""
    return record(stores, days, [dimension], now)


def record(stores: Stores, days: int, dimensions: Sequence[str], now: int, *, consistent: bool = False) -> Period:
    """The same along several dimensions, for the price of one; with `EXTREMES` among them also its best and worst.

    An answer may lack what was written in the last second; what is kept must be `consistent`, at twice the price.
    """
    facts = partial(summarising.counted, consistent=consistent)
    cells, extremes = _over(stores, days, dimensions, now, facts, consistent=consistent)
    return Period(days, first_instant(days, now), now, cells, extremes)


def signals_issued(stores: Stores, days: int, dimension: str, value: str, now: int) -> int:
    """How many signals of the last `days` UTC days one cell has, without asking what became of them."""
    cells, _ = _over(stores, days, [dimension], now, _issued)
    return cells.get(dimension, {}).get(value, Cell()).signals


type _Facts = Callable[[Stores, int, int], tuple[Cells, Extremes]]


def _over(
    stores: Stores, days: int, dimensions: Sequence[str], now: int, facts: _Facts, *, consistent: bool = False
) -> tuple[Cells, Extremes]:
    """Cells and extremes of a period; what no rollup holds is counted by `facts` over its span (after, until]."""
    # The cursor first: a summary that finishes in between is then counted from the facts, never passed over.
    position = summarised_until(stores, now)
    wanted = days_between(first_instant(days, now), now)
    stored = stores.rollups.days(wanted, dimensions, consistent=consistent)
    usable, spans = split(stored, wanted, position, now)
    parts = [(rollup.cells, rollup.extremes) for rollup in usable]
    for after, until in spans:
        cells, extremes = facts(stores, after, until)
        asked = {dimension: cells.get(dimension, {}) for dimension in dimensions if dimension in DIMENSIONS}
        parts.append((asked, extremes if EXTREMES in dimensions else Extremes()))
    return merge(cells for cells, _ in parts), sum((extremes for _, extremes in parts), Extremes())


def by_interval(period: Period) -> dict[Interval, Cell]:
    """The cells of all signals, one for each interval."""
    whole = period.cell("all", "all")
    return {i: Cell(whole.signals, {i: whole.tallies.get(i, Tally())}) for i in Interval}


def first_instant(days: int, now: int) -> int:
    """Midnight at which the last `days` UTC days begin, the day of `now` included."""
    return day_start(day_of(now)) - (days - 1) * DAY


def summarised_until(stores: Stores, now: int) -> int:
    """Instant up to which the rollups hold everything.

    The first signal ever makes the summary's cursor. Without one there is nothing older than the signals being written
    at this moment, so yesterday and today are all there is to count.
    """
    cursor = stores.cursors.read(SUMMARISE)
    return cursor.position if cursor else day_start(day_of(now)) - DAY - 1


class Rollup(Protocol):
    """Statistics of one UTC day up to `through` (ms), of whatever facts."""

    @property
    def day(self) -> str:
        """Its day."""

    @property
    def through(self) -> int:
        """Up to where its facts are in."""


def split[R: Rollup](
    rollups: Iterable[R], days: Sequence[str], position: int, now: int
) -> tuple[list[R], list[tuple[int, int]]]:
    """The rollups that can be used as they are, and the spans (after, until] of these days that none of them holds.

    `position` is `summarised_until`, read before the rollups. Both come oldest first, spans joined where they touch.
    """
    stored = {rollup.day: rollup for rollup in rollups}
    usable = {day: rollup for day, rollup in stored.items() if _holds_all(rollup, position, now)}
    return [usable[day] for day in sorted(usable)], _uncounted(days, stored, usable, position, now)


def _holds_all(rollup: Rollup, position: int, now: int) -> bool:
    """Whether a rollup can be used as it is.

    One that reaches beyond the cursor is out of date: a late fact set the cursor back behind it. One that reaches
    beyond `now` counts what had not happened yet.
    """
    return _end(rollup) <= min(position, now)


def _end(rollup: Rollup) -> int:
    return min(rollup.through, day_start(rollup.day) + DAY - 1)


def _uncounted(
    days: Sequence[str], rollups: Collection[str], usable: Mapping[str, Rollup], position: int, now: int
) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    for day in days:
        first = day_start(day) - 1
        last = min(first + DAY, now)
        if day in usable:
            first = _end(usable[day])
        elif day not in rollups and last <= position:
            continue  # summarised, and nothing had happened
        if first < last:
            joined = spans and spans[-1][1] == first
            spans.append((spans.pop()[0] if joined else first, last))
    return spans


def counted(stores: Stores, after: int, until: int) -> Cells:
    """Cells over the facts of (after, until] themselves."""
    return summarising.counted(stores, after, until)[0]


def issued(stores: Stores, after: int, until: int) -> Cells:
    """Cells over the signals of (after, until] alone; backfilled ones are left out."""
    return count(stores.signals.between(after, until, consistent=False), (), ())


def _issued(stores: Stores, after: int, until: int) -> tuple[Cells, Extremes]:
    return issued(stores, after, until), Extremes()


@dataclass(frozen=True, slots=True)
class Quantiles:
    """Percentiles by nearest rank: the least of the values that this share of them does not exceed."""

    p50: float
    p95: float
    p99: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Self | None:
        """None where there are no values."""
        ranked = sorted(values)
        return cls(*(ranked[-(-share * len(ranked) // 100) - 1] for share in (50, 95, 99))) if ranked else None


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast the generator worked in the runs it remembers."""

    runs: Sequence[Run]

    @property
    def asked(self) -> list[Run]:
        """Runs in which the policy was asked."""
        return [run for run in self.runs if run.windows]

    @property
    def evaluated(self) -> int:
        """Candles evaluated, once for each channel."""
        return sum(run.evaluated for run in self.runs)

    @property
    def evaluations_per_minute(self) -> float | None:
        """Over the runs' own time, idle time left out; None before any."""
        spent = sum(run.generation_ms for run in self.runs)
        return round(60_000 * self.evaluated / spent, 1) if spent else None


def paces(cursors: Iterable[Cursor]) -> dict[Timeframe, Pace]:
    """The generator's pace on each timeframe on which it remembers runs, by its cursors."""
    known = {cursor.name: cursor for cursor in cursors}
    remembered = {timeframe: runs_of(known.get(generating(timeframe))) for timeframe in Timeframe}
    return {timeframe: Pace(runs) for timeframe, runs in remembered.items() if runs}
