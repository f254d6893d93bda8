"""What a report costs by the size of the record, what a day's rollup costs, and whether both are right."""

import logging
import time
import tracemalloc
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import product
from operator import attrgetter
from statistics import median

from plumbline import reports
from plumbline.adapters.stores import stores_over
from plumbline.adapters.tables import Tables
from plumbline.domain.calendar import DAY, HOUR, MINUTE, Interval, day_of
from plumbline.domain.extremes import Extremes
from plumbline.domain.outcomes import Outcome, judge
from plumbline.domain.performance import DayRollup, count
from plumbline.domain.signals import Signal
from plumbline.pipeline.progress import SUMMARISE
from plumbline.pipeline.summarising import rollup, summarise_day
from plumbline.ports import Stores
from tests.bench import cloud
from tests.bench.reads import ReadMeter
from tests.builders import a_signal
from tests.fakes import InMemoryOutcomes, InMemorySignals, memory_stores
from tests.frames import COUNTS, compared, differs, frame
from tests.functions.gateway import Gateway, services
from tests.world import START

PERIOD = 30
NOW = START + PERIOD * DAY + 12 * HOUR
SUMMARY = NOW - 6 * MINUTE
"""As far as the summary comes: behind the slowest check, until its next run."""

SIZES = (1_000, 10_000, 100_000, 1_000_000)
SYMBOLS, CHANNELS = 50, 5
SCANNERS = ("technical", "smart_money", "mss", "model")
PATHS = {
    "report": "/performance/report?days=30",
    "top-performers": "/performance/top-performers?days=30&limit=20",
    "stats": "/performance/stats?days=30",
}


def lines() -> Iterator[str]:
    """Three tables: answers, rollups, agreement."""
    logging.disable(logging.INFO)  # a line for each request
    yield f"{PERIOD} days, {SYMBOLS} symbols, {len(SCANNERS)} scanners, {CHANNELS} channels, 6 minutes to count"
    yield ""
    yield "| outcomes | answer | requests | read units | ms, warm | MB at most | KB of JSON |"
    yield "|---|---|---|---|---|---|---|"
    for outcomes in SIZES:
        with cloud.tables() as tables:
            _Market(outcomes // len(Interval) // PERIOD).store(stores_over(tables, "simulated"))
            yield from _answers(tables, outcomes)
    yield ""
    yield from _rollups()
    yield ""
    yield from _agreement()


def _answers(tables: Tables, outcomes: int) -> Iterator[str]:
    api = Gateway(services(stores_over(tables, "simulated"), now=NOW))
    for name, path in PATHS.items():
        with ReadMeter(tables) as reads:
            answer = api.get(path)
        assert answer.status == 200, answer.body
        seconds, megabytes = _cost(lambda path=path: api.get(path), repeat=9)  # type: ignore[misc]  # bound per turn
        requests, size = sum(reads.requests.values()), len(answer.body) / 1_000
        yield (
            f"| {outcomes:,} | {name} | {requests} | {reads.total:g} | {1_000 * seconds:.0f} | {megabytes:.1f} "
            f"| {size:.0f} |"
        )


def _cost(work: Callable[[], object], repeat: int) -> tuple[float, float]:
    """Median seconds, and the most memory (MB) that Python held meanwhile, above what it held before."""
    times = []
    for _ in range(repeat):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    work()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return median(times), (most - before) / 1e6


def _rollups() -> Iterator[str]:
    """One day on which so many outcomes fall due, of the signals of five days, from its facts and from the last run."""
    yield "| a day's rollup | outcomes | seconds | MB at most |"
    yield "|---|---|---|---|"
    for outcomes in (10_000, 100_000):
        stores = _Market(outcomes // len(Interval)).in_memory()
        midnight = START + PERIOD * DAY
        seconds, megabytes = _cost(lambda: rollup(stores, midnight, midnight + DAY - 1), repeat=3)  # noqa: B023  measured here
        yield f"| from its facts | {outcomes:,} | {seconds:.1f} | {megabytes:.1f} |"
        seconds, megabytes = _cost(_five_minutes_more(stores, midnight), repeat=3)
        yield f"| five minutes more | {outcomes:,} | {seconds:.2f} | {megabytes:.1f} |"


def _five_minutes_more(stores: Stores, midnight: int) -> Callable[[], object]:
    """A run five minutes before the day's end, on which it has come so far already."""
    end = midnight + DAY - 1
    begun = rollup(stores, midnight, end - 5 * MINUTE)

    def run() -> object:
        fresh = replace(memory_stores(), signals=stores.signals, outcomes=stores.outcomes)
        fresh.rollups.put(begun, 1)
        fresh.cursors.move(None, SUMMARISE, end - 5 * MINUTE, {})
        return summarise_day(fresh, end)

    return run


def _agreement() -> Iterator[str]:
    """Figures of a report on a record with everything in memory, and the same by pandas from the raw outcomes."""
    stores = _Market(700).in_memory(days=PERIOD + 32)
    stores.cursors.move(None, SUMMARISE, START - 2 * DAY, {})
    summarise_day(stores, SUMMARY)
    found = reports.report(stores, PERIOD, NOW)
    rows = frame(stores.outcomes.due_between(found.period.start - 1, NOW))
    pairs = list(compared(found, rows))
    counts = max(differs(name, a, b) for _, name, a, b in pairs if name in COUNTS)
    others = max(differs(name, a, b) for _, name, a, b in pairs if name not in COUNTS)
    yield "| against pandas, from the raw outcomes | figures | outcomes | counts differ by | others, relative |"
    yield "|---|---|---|---|---|"
    yield f"| every cell of a report | {len(pairs):,} | {len(rows):,} | {counts:g} | {others:.0e} |"


@dataclass(frozen=True)
class _Market:
    """A record of which every day is alike but for its signals' ids: so many, evenly spread, each with its outcomes."""

    signals_a_day: int

    def store(self, stores: Stores) -> None:
        """Fill empty tables with the rollups of closed days and, of the facts, those that come after the summary."""
        midnight = START + PERIOD * DAY
        whole = self._day(midnight - DAY)
        cells = count(whole, product(whole, Interval), [_judged(s, i) for s, i in product(whole, Interval)])
        for start in range(START, midnight + DAY, DAY):
            through = min(start + DAY - 1, SUMMARY)
            best = Extremes.of(_judged(s, Interval.H24) for s in self._signals(start - DAY - 1, through - DAY))
            stores.rollups.put(DayRollup(day_of(start), through, cells, best), 1)
        for ago in (0, *(interval.ms for interval in Interval)):
            for signal in self._signals(SUMMARY - ago, NOW - ago):
                stores.signals.add(signal)
                for interval in Interval:
                    if interval.ms == ago:
                        stores.outcomes.add(_judged(signal, interval))
        stores.cursors.move(None, SUMMARISE, SUMMARY, {})

    def in_memory(self, days: int = 0) -> Stores:
        """All facts that are due on the day after the period, or over so many days up to it."""
        end = START + (PERIOD + 1) * DAY
        first = end - max(days, 1) * DAY
        signals, outcomes = _Sorted("simulated"), _SortedOutcomes()
        for start in sorted({first - interval.ms for interval in Interval} | {first} if not days else {first}):
            for signal in self._signals(start - 1, start + max(days, 1) * DAY - 1):
                signals.signals.setdefault(signal.signal_id, signal)
        for signal in signals.signals.values():
            for interval in Interval:
                if first <= signal.due(interval) < end:
                    outcomes.outcomes[signal.signal_id, interval] = _judged(signal, interval)
        signals.sort()
        outcomes.sort()
        return replace(memory_stores(), signals=signals, outcomes=outcomes)

    def _day(self, start: int) -> list[Signal]:
        return list(self._signals(start - 1, start + DAY - 1))

    def _signals(self, after: int, until: int) -> Iterator[Signal]:
        """The signals of (after, until]; the n-th of all since the beginning is the same whoever asks."""
        step, origin = DAY // self.signals_a_day, START - 40 * DAY
        for n in range((after - origin) // step + 1, (until - origin) // step + 1):
            yield a_signal(
                timestamp=origin + n * step,
                symbol=f"S{n % SYMBOLS}/USDT",
                scanner_type=SCANNERS[n % len(SCANNERS)],
                channel_id=f"channel-{n % CHANNELS}",
                snapshot_id=f"{n % CHANNELS}" * 64,
                unified_score=float(50 + n % 50),
            )


def _judged(signal: Signal, interval: Interval) -> Outcome:
    """Moves of −8 to +8 percent, another one at each interval."""
    move = (signal.timestamp // 1_009 + interval.ms // MINUTE) % 1_601
    return judge(signal, interval, signal.entry_price * (9_200 + move) / 10_000, signal.due(interval))


class _Sorted(InMemorySignals):
    """A log that finds a span without looking at the rest."""

    ordered: list[Signal]

    def sort(self) -> None:
        """Once all are in."""
        self.ordered = sorted(self.signals.values(), key=attrgetter("timestamp", "signal_id"))

    def between(self, after: int, until: int, *, consistent: bool = True) -> Iterator[Signal]:
        """By bisection."""
        first, last = (bisect_right(self.ordered, at, key=attrgetter("timestamp")) for at in (after, until))
        yield from self.ordered[first:last]


class _SortedOutcomes(InMemoryOutcomes):
    """The same of outcomes."""

    ordered: list[Outcome]

    def sort(self) -> None:
        """Once all are in."""
        self.ordered = sorted(self.outcomes.values(), key=attrgetter("due_at", "signal_id"))

    def due_between(self, after: int, until: int, *, consistent: bool = True) -> Iterator[Outcome]:
        """By bisection."""
        first, last = (bisect_right(self.ordered, at, key=attrgetter("due_at")) for at in (after, until))
        yield from self.ordered[first:last]
