"""Judge each signal once at each interval, by the market's price at the due time, whenever the check runs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import batched

from plumbline.domain.calendar import DAY, Interval, Timeframe
from plumbline.domain.outcomes import GIVE_UP_AFTER, STALE_AFTER, Outcome, judge, price_at
from plumbline.domain.signals import Signal
from plumbline.pipeline.channels import open_channels, timeframes_of
from plumbline.pipeline.progress import (
    CLOSE_EVERY,
    SUMMARISE,
    Clock,
    EnoughTime,
    Progress,
    always,
    checking,
    closing,
    collecting,
    event_time,
    move,
    reached,
    signals_complete_until,
    snapshot,
)
from plumbline.ports import Cursor, Span, Stores

_AT_ONCE = 500
"""Signals judged together: bounds memory, and fills the store's batches."""


@dataclass(frozen=True, slots=True)
class _Check:
    """A signal whose check is due: the outcome it has already, or the one its price gives (None: no price).

    `undecidable`: the collector is behind with this symbol, so whether there is a price cannot be said.
    """

    signal: Signal
    stored: Outcome | None = None
    judged: Outcome | None = None
    undecidable: bool = False


def check_outcomes(
    stores: Stores, interval: Interval, now: int, enough_time: EnoughTime = always, *, clock: Clock = event_time
) -> dict[str, int]:
    """Judge every signal that fell due at `interval` since the last run; close what nobody could price in 7 days.

    Returns the outcomes `checked` (new ones), the signals still `unknown` for want of a price, and those `closed` so.
    """
    count = {"checked": 0, "unknown": 0, "closed": 0}
    known = snapshot(stores.cursors)
    minutes = known.get(collecting(Timeframe.M1))
    if minutes is None:
        return count
    complete = signals_complete_until(known, timeframes_of(open_channels(stores)))
    # No price is missing up to the first bound, no signal that was due up to the second.
    latest = min(now, minutes.position)
    target = latest if complete is None else min(latest, complete + interval.ms)
    progress = Progress.of(minutes)
    work = _Work(stores, interval, progress, now, clock(now), enough_time, count)
    _check(work, known.get(checking(interval)), target)
    _close(work, known.get(closing(interval)), target - GIVE_UP_AFTER)
    return count


@dataclass(frozen=True, slots=True)
class _Work:
    """What the passes of one run share."""

    stores: Stores
    interval: Interval
    progress: Progress
    now: int
    checked_at: int
    enough_time: EnoughTime
    count: dict[str, int]


def _check(work: _Work, cursor: Cursor | None, target: int) -> None:
    stores, name = work.stores, checking(work.interval)
    for after, until in _days(cursor.position if cursor else target, target):
        if not work.enough_time():
            return
        again = after < reached(cursor)
        for check in _checks(work, after, until, again=again):
            if check.judged:
                work.count["checked"] += stores.outcomes.add(check.judged)
            elif not check.stored:
                work.count["unknown"] += 1
        if again:
            stores.cursors.rewind(SUMMARISE, after)
        cursor = move(stores.cursors, cursor, name, until)


def _close(work: _Work, cursor: Cursor | None, target: int) -> None:
    """Follow the check a week behind: what has no outcome by then gets its price now, or is closed as UNKNOWN."""
    stores, name = work.stores, closing(work.interval)
    target -= target % CLOSE_EVERY
    for after, end in _days(cursor.position if cursor else target, target):
        if not work.enough_time():
            return
        checks = list(_checks(work, after, end, again=True))
        waiting = [check.signal.due(work.interval) for check in checks if check.undecidable]
        until = min([end, *(due - 1 for due in waiting)])
        late = []
        for check in (check for check in checks if check.signal.due(work.interval) <= until):
            outcome = check.stored or check.judged or judge(check.signal, work.interval, None, work.checked_at)
            if outcome.checked_at >= outcome.due_at + GIVE_UP_AFTER:
                late.append(outcome.due_at)
            if not check.stored and stores.outcomes.add(outcome):
                work.count["checked" if check.judged else "closed"] += 1
        if late:
            stores.cursors.rewind(SUMMARISE, min(late) - 1)
        if until > after:
            cursor = move(stores.cursors, cursor, name, until)
        if waiting:
            return


def _checks(work: _Work, after: int, until: int, *, again: bool) -> Iterator[_Check]:
    """Every check due in (after, until]. What is stored is looked up only where a run has been before: `again`."""
    interval = work.interval
    signals = work.stores.signals.between(after - interval.ms, until - interval.ms)
    for batch in batched(signals, _AT_ONCE, strict=False):
        done = work.stores.outcomes.get((signal.signal_id, interval) for signal in batch) if again else {}
        yield from (_Check(s, stored=done[s.signal_id, interval]) for s in batch if (s.signal_id, interval) in done)
        yield from _judge(work, [s for s in batch if (s.signal_id, interval) not in done])


def _judge(work: _Work, signals: Sequence[Signal]) -> Iterator[_Check]:
    interval = work.interval
    spans = [price_span(signal.symbol, signal.due(interval)) for signal in signals]
    for signal, minutes in zip(signals, work.stores.candles.load(spans), strict=True):
        due = signal.due(interval)
        # A symbol the collector is behind with has no last price yet, only an older one, unless nothing will come.
        collected = work.progress.has_price(signal.symbol, due)
        final = collected or work.progress.gave_up(signal.symbol, work.now, GIVE_UP_AFTER)
        price = price_at(minutes, due) if final else None
        judged = None if price is None else judge(signal, interval, price, work.checked_at)
        yield _Check(signal, judged=judged, undecidable=not final)


def price_span(symbol: str, due: int) -> Span:
    """The 1m candles one of which is the last to close at or before `due`, if any of them is fresh enough."""
    last = Timeframe.M1.floor(due)
    return Span(symbol, Timeframe.M1, last - STALE_AFTER - Timeframe.M1.ms, last)


def _days(start: int, target: int) -> Iterator[tuple[int, int]]:
    """(start, target] in slices of at most a day, so that a long catch-up keeps what it has done."""
    for after in range(start, target, DAY):
        yield after, min(after + DAY, target)
