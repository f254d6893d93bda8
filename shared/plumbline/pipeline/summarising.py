"""Fold the facts of each day into mergeable statistics; recomputing a day gives the same bytes.

The running day's rollups are extended by the facts since their `through`, so a run costs what has happened since the
last one. A day that a late fact has touched is computed from its facts: it is known by its rollup, which reaches beyond
the cursor then.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import batched

from plumbline.domain.books import BookRollup, count_trades, merge_books
from plumbline.domain.calendar import DAY, Interval, day_of
from plumbline.domain.extremes import Extremes
from plumbline.domain.performance import Cells, DayRollup, count, merge
from plumbline.domain.signals import Signal
from plumbline.pipeline.channels import open_channels, timeframes_of
from plumbline.pipeline.progress import (
    SUMMARISE,
    TRACK,
    EnoughTime,
    always,
    call_digests_back,
    checking,
    move,
    signals_complete_until,
    snapshot,
)
from plumbline.ports import Cursor, Stores

_AT_ONCE = 2_000
"""Outcomes counted together: bounds memory."""


def summarise_day(stores: Stores, now: int, enough_time: EnoughTime = always) -> dict[str, int]:
    """Bring the rollups of every day touched since the last run up to where all facts are in.

    Returns how many `days` were computed.
    """
    known = snapshot(stores.cursors)
    target = _target(stores, known, now)
    cursor = known.get(SUMMARISE)
    start = cursor.position if cursor else target
    if cursor:
        call_digests_back(stores.cursors, known, cursor)
    days = 0
    while start < target and enough_time():
        midnight = start + 1 - (start + 1) % DAY
        through = min(midnight + DAY - 1, target)
        version = cursor.version if cursor else 0
        # Whatever is stored of a day that begins now is out of date, and need not be looked at.
        of_day = _Day(stores, midnight, start) if start >= midnight else _Day(stores, midnight)
        stores.rollups.put(of_day.rollup(through), version)
        stores.book_rollups.put(of_day.book_rollup(through), version)
        cursor = move(stores.cursors, cursor, SUMMARISE, through)
        start, days = through, days + 1
    return {"days": days}


def rollup(stores: Stores, midnight: int, through: int) -> DayRollup:
    """One day's statistics from its facts: signals by their timestamp, checks and outcomes by their due time."""
    return _Day(stores, midnight).rollup(through)


def book_rollup(stores: Stores, midnight: int, through: int) -> BookRollup:
    """One day's statistics of the paper trades that closed in it, from these trades."""
    return _Day(stores, midnight).book_rollup(through)


@dataclass(frozen=True, slots=True)
class _Day:
    """One UTC day of which the facts up to `position` have been summarised, if any."""

    stores: Stores
    midnight: int
    position: int | None = None

    def rollup(self, through: int) -> DayRollup:
        """What is stored and still holds, and the facts since."""
        begun = DayRollup(day_of(self.midnight), self.midnight - 1, {})
        if self.position is not None:
            begun = self._usable(self.stores.rollups.get(begun.day), begun)
        cells, extremes = counted(self.stores, begun.through, through)
        return replace(begun, through=through, cells=merge([begun.cells, cells]), extremes=begun.extremes + extremes)

    def book_rollup(self, through: int) -> BookRollup:
        """The same of the trades: those since come after those that are stored, as their path needs it."""
        begun = BookRollup(day_of(self.midnight), self.midnight - 1, {})
        if self.position is not None:
            begun = self._usable(self.stores.book_rollups.get(begun.day), begun)
        since = count_trades(self.stores.trades.closed_between(begun.through, through))
        return replace(begun, through=through, cells=merge_books([begun.cells, since]))

    def _usable[R: (DayRollup, BookRollup)](self, stored: R | None, otherwise: R) -> R:
        """A rollup may be extended where it does not reach beyond the cursor, as a reader may use it.

        Who writes a fact late sets the cursor back behind it: a rollup without that fact then reaches beyond. By the
        time the cursor has passed again, the day was replaced by a run of a later version, and who had read the cursor
        before can no longer put its own.
        """
        return stored if stored and stored.through <= (self.position or 0) else otherwise


def counted(stores: Stores, after: int, until: int, *, consistent: bool = True) -> tuple[Cells, Extremes]:
    """Cells and extremes over the facts of (after, until] themselves; `consistent` as for `SignalLog.between`."""
    due = (check for i in Interval for check in _checks_due(stores, i, after, until, consistent=consistent))
    cells = count(stores.signals.between(after, until, consistent=consistent), due, ())
    extremes, judged = Extremes(), stores.outcomes.due_between(after, until, consistent=consistent)
    for outcomes in batched(judged, _AT_ONCE, strict=False):
        cells = merge([cells, count((), (), outcomes)])
        extremes += Extremes.of(outcomes)
    return cells, extremes


def _checks_due(
    stores: Stores, interval: Interval, after: int, until: int, *, consistent: bool
) -> Iterator[tuple[Signal, Interval]]:
    """The checks at `interval` that fell due in (after, until]."""
    signals = stores.signals.between(after - interval.ms, until - interval.ms, consistent=consistent)
    return ((signal, interval) for signal in signals)


def _target(stores: Stores, known: Mapping[str, Cursor], now: int) -> int:
    """Instant by which every signal is in the log, every check that was due has run, every trade that ended is closed.

    The tracker at position p has seen the candles that closed by p. One that opens at p beyond a level ends its trade
    at p itself, and is not among them: trades are complete only up to the instant before.
    """
    bounds = [now, signals_complete_until(known, timeframes_of(open_channels(stores)))]
    bounds += [c.position for i in Interval if (c := known.get(checking(i)))]
    bounds += [tracker.position - 1] if (tracker := known.get(TRACK)) else []
    return min(bound for bound in bounds if bound is not None)
