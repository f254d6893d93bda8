"""The rollups: a run extends the running day by what is new, and nobody can tell how time was chopped."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from plumbline.domain.books import dump_book_row
from plumbline.domain.calendar import DAY, HOUR, MINUTE, Interval, day_of, day_start
from plumbline.domain.extremes import dump_extremes
from plumbline.domain.outcomes import Outcome
from plumbline.domain.performance import dump_row
from plumbline.domain.signals import Signal
from plumbline.domain.trades import Trade
from plumbline.pipeline.progress import SUMMARISE
from plumbline.pipeline.summarising import book_rollup, rollup, summarise_day
from plumbline.ports import Stores
from tests.builders import NOON, a_signal, a_trade, an_outcome
from tests.fakes import InMemoryOutcomes, memory_stores
from tests.paper_fakes import InMemoryTrades

TODAY = day_start(day_of(NOON))
FIRST = TODAY - 2 * DAY

type Fact = Signal | Outcome | Trade
type Bytes = tuple[dict[str, str], str, dict[str, str]]


def when(fact: Fact) -> int:
    """The instant that a fact is counted under."""
    match fact:
        case Signal():
            return fact.timestamp
        case Outcome():
            return fact.due_at
        case Trade():
            return fact.closed_at


def store(stores: Stores, fact: Fact) -> None:
    match fact:
        case Signal():
            stores.signals.add(fact)
        case Outcome():
            stores.outcomes.add(fact)
        case Trade():
            stores.trades.add(fact)


def facts_of(minutes: list[int]) -> list[Fact]:
    """A signal at each of these minutes after `FIRST`, its outcomes and its trade: a small market in disorder."""
    facts: list[Fact] = []
    for n, minute in enumerate(minutes):
        at = FIRST + minute * MINUTE
        signal = a_signal(timestamp=at, symbol=f"S{n % 3}/USDT", scanner_type="ab"[n % 2], unified_score=55.0 + n % 40)
        price = signal.entry_price * (90 + 7 * n % 20) / 100
        facts.append(signal)
        facts += [an_outcome(signal, interval, price=price) for interval in (Interval.H1, Interval.H4, Interval.H24)]
        facts.append(a_trade(opened_at=at, closed_at=at + (n % 5 + 1) * HOUR, exit_price=price))
    return facts


def stored(stores: Stores) -> dict[str, Bytes]:
    """The bytes of every rollup, as they are kept."""
    days = [day_of(FIRST + n * DAY) for n in range(5)]
    return {
        day: (
            {d: dump_row(row) for d, row in found.cells.items()},
            dump_extremes(found.extremes),
            {d: dump_book_row(row) for d, row in book.cells.items()},
        )
        for day in days
        if (found := stores.rollups.get(day)) and (book := stores.book_rollups.get(day))
    }


def computed(stores: Stores, until: int) -> dict[str, Bytes]:
    """The same from the facts alone, each day in one piece."""
    fresh = replace(memory_stores(), signals=stores.signals, outcomes=stores.outcomes, trades=stores.trades)
    for midnight in range(FIRST, until + 1, DAY):
        through = min(midnight + DAY - 1, until)
        fresh.rollups.put(rollup(fresh, midnight, through), 1)
        fresh.book_rollups.put(book_rollup(fresh, midnight, through), 1)
    return stored(fresh)


@settings(deadline=None)
@given(
    minutes=st.lists(st.integers(0, 3 * 24 * 60), min_size=1, max_size=12, unique=True),
    runs=st.lists(st.integers(0, 3 * 24 * 60 + 30), max_size=12),
    late=st.lists(st.integers(0, 40), max_size=4),
)
def test_however_time_is_chopped_and_whatever_comes_late_the_rollups_are_the_same_bytes(
    minutes: list[int], runs: list[int], late: list[int]
) -> None:
    stores, facts = memory_stores(), facts_of(minutes)
    stores.cursors.move(None, SUMMARISE, FIRST - 1, {})
    withheld = [facts[n % len(facts)] for n in late]
    waiting = [fact for fact in facts if fact not in withheld]
    for run, minute in enumerate([*sorted(runs), 4 * 24 * 60]):
        now = FIRST + minute * MINUTE
        for fact in [fact for fact in waiting if when(fact) <= now]:
            store(stores, fact)
            waiting.remove(fact)
        if run % 3 == 2 and withheld:
            arrive_late(stores, withheld.pop())
        summarise_day(stores, now)
    for fact in withheld:
        arrive_late(stores, fact)
    summarise_day(stores, now)
    assert stored(stores) == computed(stores, now)


def arrive_late(stores: Stores, fact: Fact) -> None:
    """As its writer does: the fact, then the cursor."""
    store(stores, fact)
    stores.cursors.rewind(SUMMARISE, when(fact) - 1)


def summarised(until: int, *facts: Fact) -> Stores:
    """These facts, summarised up to there."""
    stores = memory_stores()
    stores.cursors.move(None, SUMMARISE, FIRST - 1, {})
    for fact in facts:
        store(stores, fact)
    summarise_day(stores, until)
    return stores


def test_a_run_reads_the_facts_since_the_last_one_and_no_others() -> None:
    stores = summarised(NOON - 5 * MINUTE, *facts_of([60, 1_500, 2_900, 3_000]))
    spans: list[tuple[int, int]] = []

    class Outcomes(InMemoryOutcomes):
        def due_between(self, after: int, until: int, *, consistent: bool = True) -> Iterator[Outcome]:
            assert consistent
            spans.append((after, until))
            return super().due_between(after, until, consistent=consistent)

    class Trades(InMemoryTrades):
        def closed_between(self, after: int, until: int) -> Iterator[Trade]:
            spans.append((after, until))
            return super().closed_between(after, until)

    summarise_day(replace(stores, outcomes=Outcomes(), trades=Trades()), NOON)
    assert spans == [(NOON - 5 * MINUTE, NOON)] * 2
    assert stored(stores) == computed(stores, NOON)


def test_a_running_day_that_was_set_back_is_computed_from_its_facts() -> None:
    stores = summarised(NOON - 5 * MINUTE, a_signal(timestamp=TODAY + HOUR))
    arrive_late(stores, a_signal(timestamp=TODAY + 2 * HOUR))
    summarise_day(stores, NOON)
    found = stores.rollups.get(day_of(NOON))
    assert found
    assert found.cells["all"]["all"].signals == 2


def test_a_fact_between_the_rollup_and_the_cursor_is_counted_once() -> None:
    """Two runs at once: the one that came less far wrote last, the other moved the cursor."""
    stores = summarised(NOON - HOUR, a_signal(timestamp=TODAY + HOUR), a_signal(timestamp=TODAY + 10 * HOUR))
    cursor = stores.cursors.read(SUMMARISE)
    assert cursor
    stores.rollups.put(rollup(stores, TODAY, TODAY + 9 * HOUR), cursor.version)
    summarise_day(stores, NOON)
    found = stores.rollups.get(day_of(NOON))
    assert found
    assert (found.through, found.cells["all"]["all"].signals) == (NOON, 2)


def test_the_best_and_worst_signals_of_a_day_are_those_judged_in_it() -> None:
    signal = a_signal(timestamp=TODAY - DAY + HOUR)
    outcome = an_outcome(signal, Interval.H24, price=signal.entry_price * Decimal("1.1"))
    stores = summarised(NOON, signal, outcome)
    yesterday, today = (stores.rollups.get(day_of(day)) for day in (TODAY - DAY, TODAY))
    assert yesterday
    assert today
    assert not yesterday.extremes.best
    assert [one.signal_id for one in today.extremes.best] == [signal.signal_id]
