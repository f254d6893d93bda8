"""What readers ask: the latest signals, the record with its statistics, and how fast the service works.

The cost of an answer does not grow with history: closed days come from their rollups, only what lies after them is
counted from the facts. Nothing is written here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from plumbline.domain.calendar import DAY, Interval, Timeframe, day_of, day_start, days_between
from plumbline.domain.errors import InvalidInput, NotFound
from plumbline.domain.outcomes import Outcome
from plumbline.domain.performance import Cell, Cells, DayRollup, Tally, count, merge
from plumbline.domain.signals import Signal
from plumbline.domain.strategies import DEFAULT_CHANNELS, Channel
from plumbline.domain.symbols import resolve
from plumbline.pipeline.channels import known_markets
from plumbline.pipeline.progress import SUMMARISE, generating
from plumbline.pipeline.summarising import checks_due
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
    """The market that `BTC/USDT`, `BTCUSDT` or `BTC` means, by the latest catalogue; UnknownSymbol with near matches.

    Where no catalogue is stored yet there is nothing to compare with: ccxt's own spelling is taken as it is.
    """
    markets = _markets(stores, now)
    if markets:
        return resolve(text, markets, quote)
    if "/" not in text:
        raise InvalidInput(
            f"{text!r} cannot be looked up: no market catalogue is stored yet; write the symbol as BTC/USDT",
            field="symbol",
        )
    return text.strip().upper()


def channel_named(stores: Stores, channel_id: str) -> Channel:
    """A published channel; NotFound lists those that exist."""
    channels = {channel.channel_id: channel for channel in (*DEFAULT_CHANNELS, *stores.channels.all())}
    if channel_id not in channels:
        raise NotFound(f"no channel {channel_id!r}; there are {', '.join(sorted(channels))}")
    return channels[channel_id]


def _markets(stores: Stores, now: int) -> tuple[str, ...]:
    """The latest catalogue; on a market that stands still, that of the days its cursors have reached."""
    markets = known_markets(stores, now)
    if markets:
        return markets
    reached = {day_of(cursor.position) for cursor in stores.cursors.all() if 0 < cursor.position <= now}
    universes = stores.markets.on(sorted(reached))
    return universes[-1].markets if universes else ()


@dataclass(frozen=True, slots=True)
class Period:
    """The record over whole UTC days up to `until` (ms); `days` counts the running one."""

    days: int
    start: int
    until: int
    cells: Cells

    def cell(self, dimension: str, value: str) -> Cell:
        """One cell, empty where nothing was counted."""
        return self.cells.get(dimension, {}).get(value, Cell())


def performance(stores: Stores, days: int, dimension: str, now: int) -> Period:
    """Statistics of the last `days` UTC days along one dimension, the day of `now` included."""
    return record(stores, days, [dimension], now)


def record(stores: Stores, days: int, dimensions: Sequence[str], now: int) -> Period:
    """The same along several dimensions, for the price of one."""
    start = day_start(day_of(now)) - (days - 1) * DAY
    # The cursor first: a summary that finishes in between is then counted from the facts, never passed over.
    position = _summarised_until(stores, now)
    rollups = {r.day: r for r in stores.rollups.days(days_between(start, now), dimensions)}
    usable = {day: r for day, r in rollups.items() if _holds_all(r, position, now)}
    spans = _uncounted(days_between(start, now), rollups, usable, position, now)
    facts = [counted(stores, after, until) for after, until in spans]
    live = [{dimension: cells.get(dimension, {}) for dimension in dimensions} for cells in facts]
    return Period(days, start, now, merge([*(r.cells for r in usable.values()), *live]))


def by_interval(period: Period) -> dict[Interval, Cell]:
    """The cells of all signals, one for each interval."""
    whole = period.cell("all", "all")
    return {i: Cell(whole.signals, {i: whole.tallies.get(i, Tally())}) for i in Interval}


def _summarised_until(stores: Stores, now: int) -> int:
    """Instant up to which the rollups hold everything.

    The first signal ever makes the summary's cursor. Without one there is nothing older than the signals being written
    at this moment, so yesterday and today are all there is to count.
    """
    cursor = stores.cursors.read(SUMMARISE)
    return cursor.position if cursor else day_start(day_of(now)) - DAY - 1


def _holds_all(rollup: DayRollup, position: int, now: int) -> bool:
    """Whether a rollup can be used as it is.

    One that reaches beyond the cursor is out of date: a late fact set the cursor back behind it. One that reaches
    beyond `now` counts what had not happened yet.
    """
    return _end(rollup) <= min(position, now)


def _end(rollup: DayRollup) -> int:
    return min(rollup.through, day_start(rollup.day) + DAY - 1)


def _uncounted(
    days: Sequence[str], rollups: Mapping[str, DayRollup], usable: Mapping[str, DayRollup], position: int, now: int
) -> list[tuple[int, int]]:
    """Spans (after, until] of these days that no usable rollup holds, joined where they touch."""
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
    due = (check for interval in Interval for check in checks_due(stores, interval, after, until))
    return count(stores.signals.between(after, until), due, stores.outcomes.due_between(after, until))


def issued(stores: Stores, after: int, until: int) -> Cells:
    """Cells over the signals of (after, until] alone; backfilled ones are left out."""
    return count(stores.signals.between(after, until), (), ())


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
