"""What `/performance/stats` reads, by the number of outcomes in its 30 days."""

import time
from collections.abc import Iterator
from statistics import median

from plumbline import queries
from plumbline.adapters.stores import stores_over
from plumbline.adapters.tables import Tables
from plumbline.domain.calendar import DAY, HOUR, MINUTE, Interval
from plumbline.domain.outcomes import judge
from plumbline.pipeline.summarising import summarise_day
from plumbline.ports import Stores
from tests.bench import cloud
from tests.bench.reads import ReadMeter
from tests.builders import a_signal
from tests.fakes import memory_stores
from tests.world import START

PERIOD = 30
NOW = START + PERIOD * DAY + 12 * HOUR
SYMBOLS = 50


def lines() -> Iterator[str]:
    """Read units and time of one page at 10³ and 10⁵ outcomes, six minutes after the last summary."""
    yield f"{PERIOD} days, {SYMBOLS} symbols, the last summary six minutes ago"
    yield ""
    yield "| outcomes | dimension | requests | read units | ms, warm |"
    yield "|---|---|---|---|---|"
    for outcomes in (1_000, 100_000):
        with cloud.tables() as tables:
            _fill(stores_over(tables, "simulated"), outcomes)
            for dimension in ("all", "tier", "symbol"):
                yield _measured(tables, outcomes, dimension)


def _measured(tables: Tables, outcomes: int, dimension: str) -> str:
    stores = stores_over(tables, "simulated")
    with ReadMeter(tables) as reads:
        queries.performance(stores, PERIOD, dimension, NOW)
    times = []
    for _ in range(7):
        began = time.perf_counter()
        queries.performance(stores, PERIOD, dimension, NOW)
        times.append(time.perf_counter() - began)
    requests = sum(reads.requests.values())
    return f"| {outcomes:,} | {dimension} | {requests} | {reads.total:g} | {1000 * median(times):.0f} |"


def _fill(stores: Stores, outcomes: int) -> None:
    """A record of that many outcomes, its rollups, and the facts since the last summary in the tables themselves.

    The rollups come from the very code that makes them; the facts of closed days are not stored, nobody reads them.
    """
    memory = memory_stores()
    signals = outcomes // len(Interval)
    step = PERIOD * DAY // signals
    summary = NOW - 6 * MINUTE
    for n in range(signals):
        made = START + 12 * HOUR + n * step
        signal = a_signal(timestamp=made, symbol=f"S{n % SYMBOLS}/USDT", unified_score=float(50 + n % 50))
        memory.signals.add(signal)
        if made > summary - Interval.D30.ms:
            stores.signals.add(signal) if made > NOW - 2 * HOUR or made < START + 13 * HOUR else None
        for interval in Interval:
            outcome = judge(signal, interval, signal.entry_price * (95 + n % 12) / 100, made)
            if outcome.due_at <= NOW:
                memory.outcomes.add(outcome)
                if outcome.due_at > summary:
                    stores.outcomes.add(outcome)
    memory.cursors.move(None, "summarise", START - 1, {})
    summarise_day(memory, summary)
    for rollup in memory.rollups.rollups.values():  # type: ignore[attr-defined]  # the fake's own dict
        stores.rollups.put(rollup, 1)
    stores.cursors.move(None, "summarise", summary, {})
