"""The promises of the record, over a market of four symbols and both default channels."""

import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from plumbline.domain.calendar import DAY, HOUR, MINUTE, Interval, Timeframe
from plumbline.domain.errors import CursorMoved, ExchangeUnavailable
from plumbline.domain.outcomes import Label
from plumbline.domain.performance import Cell
from plumbline.domain.signals import Origin
from plumbline.ports import Stores
from tests.fakes import Crash, CrashAfter, FakeExchange
from tests.world import (
    SCHEDULE,
    START,
    SYMBOLS,
    Record,
    a_stack,
    an_exchange,
    collect,
    generate,
    run,
    steps,
)


def record_of(moments: list[int], days: int = 3) -> Record:
    stores = a_stack()
    run(stores, an_exchange(days), moments)
    return Record.of(stores)


@pytest.fixture(scope="module")
def hourly() -> Record:
    """Three days, hour by hour: what every other way through the same time must come to."""
    record = record_of(steps(3, HOUR))
    assert len(record.signals) > 10
    assert len(record.outcomes) > 2 * len(record.signals)
    assert any(rollup for rollup in record.rollups.values())
    return record


# --- P1, P2: running again ---------------------------------------------------------------------------------------


def test_running_everything_twice_at_every_moment_changes_nothing(hourly: Record) -> None:
    stores = a_stack()
    run(stores, an_exchange(), [moment for moment in steps(3, HOUR) for _ in range(2)])
    assert Record.of(stores) == hourly


def test_a_run_that_lost_the_race_writes_the_same_facts_and_stops(hourly: Record) -> None:
    stores, exchange = a_stack(), an_exchange()
    for now in steps(3, HOUR):
        for call in SCHEDULE:
            rival = Racing(stores, lambda call=call, now=now: call(stores, exchange, now))  # type: ignore[misc]  # bound per turn
            try:
                call(rival.stores, exchange, now)
            except CursorMoved:
                rival.lost += 1
    assert Record.of(stores) == hourly


class Racing:
    """Stores on which, just before this run first moves a cursor, another run does the same work."""

    def __init__(self, stores: Stores, other_run: "Callable[[], object]") -> None:
        self.lost = 0
        outer = CrashAfter(stores)
        self.stores = outer.stores
        cursors = self.stores.cursors
        moved = False

        class Cursors:
            def __getattr__(self, name: str) -> object:
                return getattr(cursors, name)

            def move(self, *args: object) -> object:
                nonlocal moved
                if not moved:
                    moved = True
                    other_run()
                return cursors.move(*args)  # type: ignore[arg-type]  # handed through

        self.stores = replace(self.stores, cursors=Cursors())  # type: ignore[arg-type]  # stands in for the port


def test_a_stored_signal_is_not_changed_by_computing_it_again_later() -> None:
    stores, exchange = a_stack(max_lag=HOUR), an_exchange()
    run(stores, exchange, steps(2, HOUR))
    before = list(stores.signals.between(0, START + 9 * DAY))
    stores.cursors.rewind("generate#1h", START)
    run(stores, exchange, [START + 2 * DAY + 1])
    assert list(stores.signals.between(0, START + 9 * DAY)) == before


# --- P3: outcomes ------------------------------------------------------------------------------------------------


def test_each_due_outcome_exists_once_at_the_price_of_its_due_time(hourly: Record) -> None:
    stores, exchange = a_stack(), an_exchange()
    run(stores, exchange, steps(3, HOUR))
    end = START + 3 * DAY
    outcomes = {(o.signal_id, o.interval): o for o in stores.outcomes.due_between(0, end)}
    due = [(s, i) for s in stores.signals.between(0, end) for i in Interval if s.due(i) <= end]
    assert set(outcomes) == {(s.signal_id, i) for s, i in due}
    for signal, interval in due:
        minutes = exchange.series[signal.symbol, Timeframe.M1]
        last = [row for row in minutes.rows() if row[0] + MINUTE <= signal.due(interval)][-1]
        outcome = outcomes[signal.signal_id, interval]
        assert float(outcome.exit_price or 0) == last[4]
        assert last[0] + MINUTE == signal.due(interval)


def test_after_a_week_without_any_run_the_outcomes_are_the_same() -> None:
    moments = [*steps(1, HOUR), *(m for m in steps(9, HOUR) if m > START + 8 * DAY)]
    assert record_of(moments, days=9) == record_of(steps(9, HOUR), days=9)


def test_what_was_computed_too_late_is_a_backfill_and_does_not_count() -> None:
    stores, exchange = a_stack(max_lag=HOUR), an_exchange()
    run(stores, exchange, [START, START + 2 * DAY])
    signals = list(stores.signals.between(START, START + 3 * DAY))
    late = [s for s in signals if START + 2 * DAY - s.timestamp > HOUR]
    assert late
    assert all(s.origin is Origin.BACKFILL for s in late)
    counted = sum(r.cells["all"]["all"].signals for r in stores.rollups.days(["2024-01-01"], ["all"]) if r.cells)
    assert counted == sum(s.origin is Origin.LIVE for s in signals if s.timestamp < START + DAY)


# --- P5: how time was chopped ------------------------------------------------------------------------------------


def test_one_step_of_three_days_leaves_the_same_record_as_72_steps(hourly: Record) -> None:
    assert record_of([START, START + 3 * DAY]) == hourly


def test_minute_by_minute_leaves_the_same_record_as_one_step() -> None:
    assert record_of(steps(0.5, MINUTE)) == record_of([START, START + DAY // 2])


@pytest.mark.parametrize("seed", range(4))
def test_steps_of_any_length_leave_the_same_record(hourly: Record, seed: int) -> None:
    chosen = random.Random(seed)
    moments = sorted({START, START + 3 * DAY, *(START + chosen.randrange(3 * DAY) for _ in range(15))})
    assert record_of(moments) == hourly


# --- late, dropped and reordered runs ----------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(6))
def test_runs_that_are_dropped_repeated_and_out_of_order_leave_the_same_record(hourly: Record, seed: int) -> None:
    chosen, stores, exchange = random.Random(seed), a_stack(), an_exchange()
    run(stores, exchange, [START])
    agenda = [(now, call) for now in steps(3, 3 * HOUR) for call in SCHEDULE if chosen.random() > 0.3]
    agenda += chosen.sample(agenda, len(agenda) // 4)
    agenda.sort(key=lambda item: item[0] + chosen.randrange(18 * HOUR))
    for now, call in agenda:
        call(stores, exchange, now)
    finish(stores, exchange, START + 3 * DAY)
    assert Record.of(stores) == hourly


def finish(stores: Stores, exchange: FakeExchange, end: int) -> None:
    """Runs that nothing disturbs; the second is for what the first called back."""
    run(stores, exchange, [end, end])


class Moody(FakeExchange):
    """An exchange that fails for a symbol in some hours, for all in others."""

    def __init__(self, seed: int) -> None:
        super().__init__(an_exchange().series)
        self.chosen = random.Random(seed)

    def candles(self, symbol, timeframe, start, end):  # type: ignore[no-untyped-def]  # as the port has it
        mood = self.chosen.random()
        if mood < 0.15:
            raise ExchangeUnavailable("502 Bad Gateway")
        if mood < 0.2:
            raise ExchangeUnavailable("429 Too Many Requests", retry_after=30)
        return super().candles(symbol, timeframe, start, end)


@pytest.mark.parametrize("seed", range(6))
def test_an_exchange_that_fails_now_and_then_leaves_the_same_record(hourly: Record, seed: int) -> None:
    stores, moody = a_stack(), Moody(seed)
    run(stores, an_exchange(), [START])
    run(stores, moody, steps(3, HOUR))
    finish(stores, an_exchange(), START + 3 * DAY)
    assert Record.of(stores) == hourly


# --- P10: crashes ------------------------------------------------------------------------------------------------

CRASH_STEPS = [START, START + 14 * HOUR, START + 30 * HOUR]


def run_with_a_crash(at: int | None, *, performed: bool) -> tuple[Record, int]:
    """Run the schedule, die at write `at`, and let Lambda try that run again."""
    stores, exchange = a_stack(), an_exchange()
    crashing = CrashAfter(stores, at=at, performed=performed)
    for now in CRASH_STEPS:
        for call in SCHEDULE:
            try:
                call(crashing.stores, exchange, now)
            except Crash:
                call(stores, exchange, now)
    finish(stores, exchange, CRASH_STEPS[-1])
    return Record.of(stores), crashing.writes


@pytest.mark.parametrize("performed", [False, True])
def test_a_crash_at_any_single_write_and_a_retry_end_as_if_nothing_had_happened(performed: bool) -> None:
    whole, writes = run_with_a_crash(None, performed=performed)
    assert writes > 100
    assert whole.signals
    for at in range(1, writes + 1):
        assert run_with_a_crash(at, performed=performed)[0] == whole, f"crash at write {at} of {writes}"


# --- holes -------------------------------------------------------------------------------------------------------


def with_a_hole(exchange: FakeExchange, symbol: str, start: int, end: int) -> FakeExchange:
    holed = FakeExchange(exchange.series)
    minutes = exchange.series[symbol, Timeframe.M1]
    kept = minutes.between(0, start).merge(minutes.between(end, START + 1_000 * DAY))
    holed.series[symbol, Timeframe.M1] = kept
    return holed


def test_a_hole_at_the_due_time_is_unknown_until_the_exchange_fills_it(hourly: Record) -> None:
    whole = an_exchange()
    holed = whole
    for symbol in SYMBOLS:
        holed = with_a_hole(holed, symbol, START, START + 2 * DAY)
    stores = a_stack()
    run(stores, holed, steps(2.5, HOUR))
    assert not list(stores.outcomes.due_between(START, START + 2 * DAY - 6 * MINUTE))
    run(stores, whole, [START + 3 * DAY])
    finish(stores, whole, START + 3 * DAY)
    assert Record.of(stores) == hourly


def test_a_hole_that_is_never_filled_is_closed_as_unknown_after_seven_days_and_not_before() -> None:
    whole = an_exchange(days=9)
    stores, holed = a_stack(), with_a_hole(whole, SYMBOLS[0], START, START + DAY)
    run(stores, holed, steps(7, 6 * HOUR))
    hourly_checks = [o for o in stores.outcomes.due_between(0, START + DAY) if o.interval is Interval.H1]
    assert all(o.symbol != SYMBOLS[0] for o in hourly_checks)
    run(stores, holed, [START + 7 * DAY + step for step in range(0, 2 * DAY, 6 * HOUR)])
    closed = [o for o in stores.outcomes.due_between(START, START + DAY - 6 * MINUTE) if o.symbol == SYMBOLS[0]]
    assert closed
    assert {o.outcome for o in closed} == {Label.UNKNOWN}
    counted = sum((r.cells["all"]["all"] for r in stores.rollups.days(["2024-01-01"], ["all"])), start=Cell())
    assert counted.pooled().unknown == len([o for o in closed if o.origin.counts])


# --- P7, P9 ------------------------------------------------------------------------------------------------------


def test_no_signal_changes_when_the_candles_after_it_are_removed() -> None:
    stores, exchange = a_stack(), an_exchange()
    run(stores, exchange, [START, START + 3 * DAY], [collect, generate])
    for signal in stores.signals.between(START, START + 3 * DAY):
        blind = a_stack()
        past = FakeExchange({key: table.closed_by(signal.timestamp) for key, table in exchange.series.items()})
        run(blind, past, [signal.timestamp - HOUR, signal.timestamp], [collect, generate])
        assert blind.signals.get(signal.signal_id) == replace(signal, recorded_at=signal.timestamp, latency_ms=0), (
            signal.reasoning
        )


def test_the_source_of_every_signal_is_the_stacks_own_market() -> None:
    stores = a_stack()
    run(stores, an_exchange(), steps(1, HOUR), [collect, generate])
    assert {s.provenance.data_source for s in stores.signals.between(0, START + DAY)} == {"simulated"}
