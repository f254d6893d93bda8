"""Fold the facts of each day into mergeable statistics; recomputing a day gives the same bytes."""

from collections.abc import Mapping

from plumbline.domain.books import BookRollup, count_trades
from plumbline.domain.calendar import DAY, Interval, day_of
from plumbline.domain.performance import DayRollup, count
from plumbline.domain.signals import Signal
from plumbline.pipeline.channels import open_channels, timeframes_of
from plumbline.pipeline.progress import (
    SUMMARISE,
    TRACK,
    EnoughTime,
    always,
    checking,
    move,
    signals_complete_until,
    snapshot,
)
from plumbline.ports import Cursor, Stores


def summarise_day(stores: Stores, now: int, enough_time: EnoughTime = always) -> dict[str, int]:
    """Compute the rollups of every day touched since the last run, up to where all facts are in.

    Returns how many `days` were computed.
    """
    known = snapshot(stores.cursors)
    target = _target(stores, known, now)
    cursor = known.get(SUMMARISE)
    start = cursor.position if cursor else target
    days = 0
    while start < target and enough_time():
        midnight = start + 1 - (start + 1) % DAY
        through = min(midnight + DAY - 1, target)
        version = cursor.version if cursor else 0
        stores.rollups.put(rollup(stores, midnight, through), version)
        stores.book_rollups.put(book_rollup(stores, midnight, through), version)
        cursor = move(stores.cursors, cursor, SUMMARISE, through)
        start, days = through, days + 1
    return {"days": days}


def rollup(stores: Stores, midnight: int, through: int) -> DayRollup:
    """One day's statistics from its facts: signals by their timestamp, checks and outcomes by their due time."""
    issued = stores.signals.between(midnight - 1, through)
    due = (pair for interval in Interval for pair in checks_due(stores, interval, midnight - 1, through))
    outcomes = stores.outcomes.due_between(midnight - 1, through)
    return DayRollup(day_of(midnight), through, count(issued, due, outcomes))


def book_rollup(stores: Stores, midnight: int, through: int) -> BookRollup:
    """One day's statistics of the paper trades that closed in it."""
    return BookRollup(day_of(midnight), through, count_trades(stores.trades.closed_between(midnight - 1, through)))


def checks_due(stores: Stores, interval: Interval, after: int, until: int) -> list[tuple[Signal, Interval]]:
    """The checks at `interval` that fell due in (after, until]."""
    return [(s, interval) for s in stores.signals.between(after - interval.ms, until - interval.ms)]


def _target(stores: Stores, known: Mapping[str, Cursor], now: int) -> int:
    """Instant by which every signal is in the log, every check that was due has run, every trade that ended is closed.

    The tracker at position p has seen the candles that closed by p. One that opens at p beyond a level ends its trade
    at p itself, and is not among them: trades are complete only up to the instant before.
    """
    bounds = [now, signals_complete_until(known, timeframes_of(open_channels(stores)))]
    bounds += [c.position for i in Interval if (c := known.get(checking(i)))]
    bounds += [tracker.position - 1] if (tracker := known.get(TRACK)) else []
    return min(bound for bound in bounds if bound is not None)
