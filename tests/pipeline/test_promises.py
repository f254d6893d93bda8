"""The promises of the record, over a market of five symbols and all default channels."""

import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import cast

import pytest

from plumbline.domain.calendar import DAY, HOUR, MINUTE, Interval, Timeframe, day_of
from plumbline.domain.candles import Sifted
from plumbline.domain.errors import CursorMoved, ExchangeUnavailable
from plumbline.domain.outcomes import Label
from plumbline.domain.performance import Cell, DayRollup
from plumbline.domain.settlement import settle
from plumbline.domain.signals import Origin
from plumbline.domain.strategies import DEFAULT_CHANNELS
from plumbline.domain.trades import Status, Terms, position_of
from plumbline.ports import Cursor, Cursors, Rollups, Stores
from tests.builders import a_signal
from tests.fakes import Crash, CrashAfter, FakeExchange
from tests.world import (
    SCHEDULE,
    START,
    SYMBOLS,
    Call,
    Record,
    a_stack,
    an_exchange,
    check,
    collect,
    generate,
    run,
    steps,
    summarise,
)

RANKED = "trend-delta"
"""The channel whose markets are compared with each other."""


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
    assert {trade.status for trade in record.trades} >= {Status.TARGET, Status.STOP}
    assert record.positions
    assert any(book != "{}" for book in record.books.values())
    return record


# --- P1, P2: running again ---------------------------------------------------------------------------------------


def test_running_everything_twice_at_every_moment_changes_nothing(hourly: Record) -> None:
    stores = a_stack()
    run(stores, an_exchange(), [moment for moment in steps(3, HOUR) for _ in range(2)])
    assert Record.of(stores) == hourly


def test_of_two_runs_at_once_one_moves_the_cursor_and_the_facts_are_the_same(hourly: Record) -> None:
    stores, exchange, lost = a_stack(), an_exchange(), 0
    for now in steps(3, HOUR):
        for call in SCHEDULE:
            try:
                call(overtaken(stores, partial(call, stores, exchange, now)), exchange, now)
            except CursorMoved:
                lost += 1
    assert lost > 100
    assert Record.of(stores) == hourly


def test_a_fact_that_arrives_while_a_run_is_about_to_pass_it_is_not_passed() -> None:
    stores, exchange = a_stack(), an_exchange()
    run(stores, exchange, steps(1, HOUR))
    now = START + 25 * HOUR
    run(stores, exchange, [now], [collect])
    called_back = overtaken(stores, lambda: stores.cursors.rewind("generate#1h", START))
    with pytest.raises(CursorMoved):
        generate(called_back, exchange, now)
    cursor = stores.cursors.read("generate#1h")
    assert cursor
    assert cursor.position == START


def test_a_summary_that_was_overtaken_does_not_bring_old_figures_back() -> None:
    stores, exchange, late = a_stack(), an_exchange(), a_signal(timestamp=START + 90 * MINUTE)
    now = START + 20 * HOUR
    run(stores, exchange, [*range(START, now, HOUR), now], [call for call in SCHEDULE if call is not summarise])
    summarise(stores, exchange, now - HOUR)

    class Overtaken:
        """While this run is about to store its day, a signal comes late and another run counts it."""

        def __getattr__(self, name: str) -> object:
            return getattr(stores.rollups, name)

        def put(self, rollup: DayRollup, version: int) -> None:
            stores.signals.add(late)
            stores.cursors.rewind("summarise", late.timestamp - 1)
            summarise(stores, exchange, now)
            stores.rollups.put(rollup, version)

    with pytest.raises(CursorMoved):
        summarise(replace(stores, rollups=cast("Rollups", Overtaken())), exchange, now)
    (day,) = stores.rollups.days([day_of(START)], ["symbol"])
    assert day.cells["symbol"][late.symbol].signals == 1 + len(
        [s for s in stores.signals.between(START - 1, now) if s.symbol == late.symbol and s != late]
    )


def overtaken(stores: Stores, other_run: Callable[[], object]) -> Stores:
    """The same stores, on which something else happens just before this run first moves a cursor."""

    class Overtaken:
        happened = False

        def __getattr__(self, name: str) -> object:
            return getattr(stores.cursors, name)

        def move(self, cursor: Cursor | None, name: str, position: int, notes: Mapping[str, object]) -> Cursor:
            if not self.happened:
                self.happened = True
                other_run()
            return stores.cursors.move(cursor, name, position, notes)

    return replace(stores, cursors=cast("Cursors", Overtaken()))


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
    moments = [*steps(1, 3 * HOUR), *(m for m in steps(9, 3 * HOUR) if m > START + 8 * DAY)]
    assert record_of(moments, days=9) == record_of(steps(9, 3 * HOUR), days=9)


def test_what_was_computed_too_late_is_a_backfill_and_does_not_count() -> None:
    stores, exchange = a_stack(max_lag=HOUR), an_exchange()
    run(stores, exchange, [START, START + 2 * DAY])
    signals = list(stores.signals.between(0, START + 3 * DAY))
    late = [s for s in signals if START < s.timestamp < START + 2 * DAY - HOUR]
    assert late
    assert all(s.origin is Origin.BACKFILL for s in late)
    counted = sum(r.cells["all"]["all"].signals for r in stores.rollups.days(["2024-01-01"], ["all"]) if r.cells)
    assert counted == sum(s.origin is Origin.LIVE for s in signals if s.timestamp < START + DAY)


# --- P4: trades --------------------------------------------------------------------------------------------------


def test_every_signal_has_one_trade_open_or_closed_and_no_trade_is_without_its_signal(hourly: Record) -> None:
    opened, closed = [p.signal_id for p in hourly.positions], [t.signal_id for t in hourly.trades]
    assert sorted(opened + closed) == [signal.signal_id for signal in hourly.signals]
    assert not {*opened} & {*closed}


def test_a_trade_follows_from_its_signal_and_the_minutes_since_alone(hourly: Record) -> None:
    exchange, signals = an_exchange(), {signal.signal_id: signal for signal in hourly.signals}
    for trade in hourly.trades:
        minutes = exchange.series[trade.position.symbol, Timeframe.M1]
        again = settle(position_of(signals[trade.signal_id], Terms()), minutes, START + 3 * DAY, recorded_at=0)
        assert again.trade == trade


def test_an_open_trade_has_touched_nothing_yet_and_knows_where_it_entered(hourly: Record) -> None:
    exchange = an_exchange()
    for position in hourly.positions:
        minutes = exchange.series[position.symbol, Timeframe.M1]
        found = settle(replace(position, net_entry_price=None), minutes, START + 3 * DAY, recorded_at=0)
        assert found.trade is None
        if position.opened_at < START + 3 * DAY:
            assert position.net_entry_price == found.entry


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
    agenda: list[tuple[int, Call]] = [
        (now, call) for now in steps(3, 3 * HOUR) for call in SCHEDULE if chosen.random() > 0.3
    ]
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
    run(stores, moody, steps(3, HOUR)[:-1])
    finish(stores, an_exchange(), START + 3 * DAY)
    assert Record.of(stores) == hourly


# --- P10: crashes ------------------------------------------------------------------------------------------------

CRASH_STEPS = [START, START + 7 * HOUR, START + 10 * HOUR]


class Late(FakeExchange):
    """Has one market with a hole of five hours, and one that does not answer for a while: the ranked wait for it."""

    is_late = False

    def candles(self, symbol: str, timeframe: Timeframe, start: int, end: int) -> Sifted:
        if self.is_late and (symbol, timeframe) in ((SYMBOLS[0], Timeframe.M1), (SYMBOLS[2], Timeframe.H1)):
            raise ExchangeUnavailable("500")
        return super().candles(symbol, timeframe, start, end)


def run_with_a_crash(at: int | None, *, performed: bool) -> tuple[Record, int]:
    """Run the schedule, die at write `at`, and let Lambda try that run again.

    On the way a hole fills and two symbols come late; all of it calls readers back.
    """
    stores, whole = a_stack(), an_exchange()
    late = Late(with_a_hole(whole, SYMBOLS[1], START + 1 * HOUR, START + 6 * HOUR).series)
    crashing = CrashAfter(stores, at=at, performed=performed)
    for step, now in enumerate(CRASH_STEPS):
        late.is_late = step == 1
        exchange = whole if step == len(CRASH_STEPS) - 1 else late
        for call in SCHEDULE:
            try:
                call(crashing.stores, exchange, now)
            except Crash:
                call(stores, exchange, now)
    finish(stores, whole, CRASH_STEPS[-1])
    return Record.of(stores), crashing.writes


class LateHours(FakeExchange):
    """Has one market whose hours do not come for a while, though its minutes do: nobody else calls its checks back."""

    is_late = False

    def candles(self, symbol: str, timeframe: Timeframe, start: int, end: int) -> Sifted:
        if self.is_late and (symbol, timeframe) == (SYMBOLS[2], Timeframe.H1):
            raise ExchangeUnavailable("500")
        return super().candles(symbol, timeframe, start, end)


def generated_late(crash_at: int | None) -> Record:
    """The generator catches up with a market six hours late, and dies at its write `crash_at`."""
    stores, exchange = a_stack(), LateHours(an_exchange().series)
    for moment in (START, START + 24 * HOUR, START + 30 * HOUR):
        exchange.is_late = moment == START + 24 * HOUR
        for call in SCHEDULE:
            dies = call is generate and moment == START + 30 * HOUR
            try:
                call(CrashAfter(stores, at=crash_at, performed=False).stores if dies else stores, exchange, moment)
            except Crash:
                call(stores, exchange, moment)
    run(stores, exchange, [START + hours * HOUR for hours in (31, 31, 36, 48)])
    return Record.of(stores)


def test_signals_appended_before_a_crash_are_checked_although_the_retry_finds_them_there() -> None:
    whole = generated_late(None)
    assert len(whole.outcomes) > 100
    assert [at for at in range(1, 40, 2) if generated_late(at) != whole] == []


@pytest.mark.parametrize("part", range(4))
def test_a_crash_before_any_single_write_and_a_retry_end_as_if_nothing_had_happened(part: int) -> None:
    whole, writes = run_with_a_crash(None, performed=False)
    assert writes > 100
    assert {s.channel_id for s in whole.signals} == {c.channel_id for c in DEFAULT_CHANNELS}
    assert whole == record_of([START, CRASH_STEPS[-1]])
    for at in range(1 + part, writes + 1, 4):
        assert run_with_a_crash(at, performed=False)[0] == whole, f"crash at write {at} of {writes}"


def test_a_crash_after_a_write_that_nobody_heard_of_changes_nothing_either() -> None:
    """What is left behind is what a crash before the next write leaves, but for the last write of a run."""
    whole, writes = run_with_a_crash(None, performed=True)
    for at in range(1, writes + 1, 3):
        assert run_with_a_crash(at, performed=True)[0] == whole, f"crash after write {at} of {writes}"


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
    record = Record.of(stores)
    assert (record.signals, record.outcomes, record.rollups) == (hourly.signals, hourly.outcomes, hourly.rollups)


def test_a_hole_that_fills_within_two_hours_leaves_the_same_trades(hourly: Record) -> None:
    whole = an_exchange()
    holed = with_a_hole(whole, SYMBOLS[1], START + 20 * HOUR, START + 25 * HOUR)
    stores = a_stack()
    run(stores, holed, [moment for moment in steps(3, HOUR) if moment <= START + 26 * HOUR])
    run(stores, whole, [moment for moment in steps(3, HOUR) if moment > START + 26 * HOUR])
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
    run(stores, exchange, [START, START + 2 * DAY], [collect, generate])
    for signal in stores.signals.between(START, START + 2 * DAY):
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


# --- what comes late, comes again, or never comes ------------------------------------------------------------------


class Flaky(FakeExchange):
    """Has lost one market, and does not answer for another one every second hour."""

    now = START

    def __init__(self) -> None:
        whole = an_exchange().series
        gone = {key: table.closed_by(START + HOUR) for key, table in whole.items() if key[0] == SYMBOLS[3]}
        super().__init__(whole | gone)

    def candles(self, symbol: str, timeframe: Timeframe, start: int, end: int) -> Sifted:
        if symbol == SYMBOLS[1] and self.now // HOUR % 2:
            raise ExchangeUnavailable("500")
        return super().candles(symbol, timeframe, start, end)


def test_old_events_that_come_again_lose_no_signal(hourly: Record) -> None:
    stores, flaky = a_stack(), Flaky()
    for now in steps(3, HOUR):
        flaky.now = now
        run(stores, flaky, [now])
        collect(stores, flaky, now - 70 * MINUTE)
    finish(stores, flaky, START + 3 * DAY + HOUR)
    found = [s for s in Record.of(stores).signals if s.timestamp <= START + 3 * DAY]
    # What is ranked with the market that is lost still waits for it.
    lost = [
        s for s in hourly.signals if s.timestamp > START + HOUR and (s.channel_id == RANKED or s.symbol == SYMBOLS[3])
    ]
    assert [s for s in hourly.signals if s not in found] == lost
    assert [s for s in found if s not in hourly.signals] == []


def test_a_symbol_that_failed_at_first_brings_no_signals_from_before_the_stack() -> None:
    stores, exchange = a_stack(), an_exchange()
    exchange.fail_with = [ExchangeUnavailable("500", retry_after=9)]
    run(stores, exchange, [START])
    run(stores, exchange, steps(1, HOUR))
    first = min(s.timestamp for s in stores.signals.between(0, START + DAY))
    assert first >= START


def test_signals_wait_for_a_hole_that_may_fill_and_are_then_the_same(hourly: Record) -> None:
    whole = an_exchange()
    holed = FakeExchange(whole.series)
    for symbol in SYMBOLS:
        hours = whole.series[symbol, Timeframe.H1]
        gap = START + 30 * HOUR
        holed.series[symbol, Timeframe.H1] = hours.between(0, gap).merge(hours.between(gap + HOUR, 2**60))
    stores = a_stack()
    run(stores, holed, steps(32 / 24, HOUR))
    assert not list(stores.signals.between(START + 30 * HOUR, START + 3 * DAY))
    run(stores, whole, [m for m in steps(3, HOUR) if m > START + 32 * HOUR])
    finish(stores, whole, START + 3 * DAY)
    assert Record.of(stores) == hourly


def test_a_hole_that_was_asked_for_again_in_vain_costs_no_signal_but_its_own() -> None:
    whole = an_exchange(days=4)
    holed = FakeExchange(whole.series)
    for symbol in SYMBOLS:
        hours = whole.series[symbol, Timeframe.H1]
        gap = START + 30 * HOUR
        holed.series[symbol, Timeframe.H1] = hours.between(0, gap).merge(hours.between(gap + HOUR, 2**60))
    slowly, at_once = a_stack(), a_stack()
    run(slowly, holed, steps(3, HOUR))
    run(at_once, holed, [START, START + 3 * DAY, START + 3 * DAY + HOUR])
    found = list(slowly.signals.between(START + 30 * HOUR, START + 3 * DAY))
    assert [s for s in found if s.timestamp <= START + 34 * HOUR]
    expected = at_once.signals.between(START + 30 * HOUR, START + 3 * DAY)
    assert [s.signal_id for s in found] == [s.signal_id for s in expected]


def test_nothing_is_closed_as_unknown_only_because_the_collector_is_behind() -> None:
    whole, stores = an_exchange(days=12), a_stack()
    run(stores, whole, steps(2, HOUR))
    run(stores, whole, [START + 10 * DAY], [generate, *map(check, Interval)])
    failing = FakeExchange(whole.series)
    failing.fail_with = [ExchangeUnavailable("500", retry_after=9)]
    run(stores, failing, [START + 10 * DAY])
    run(stores, whole, [START + 10 * DAY + HOUR, START + 10 * DAY + 7 * HOUR])
    labels = {o.outcome for o in stores.outcomes.due_between(0, START + 10 * DAY)}
    assert Label.UNKNOWN not in labels


def test_a_market_that_is_gone_is_closed_as_unknown_after_a_week_of_asking() -> None:
    whole, stores = an_exchange(days=20), a_stack()
    run(stores, whole, steps(1, HOUR))
    series = {key: table.closed_by(START + DAY) for key, table in whole.series.items() if key[0] == SYMBOLS[0]}
    delisted = FakeExchange(whole.series | series)
    moments = [START + DAY + n * 6 * HOUR for n in range(1, 16 * 4)]
    run(stores, delisted, [m for m in moments if m < START + 7 * DAY])
    assert Label.UNKNOWN not in {o.outcome for o in stores.outcomes.due_between(0, START + 20 * DAY)}
    run(stores, delisted, [m for m in moments if m >= START + 7 * DAY])
    due = [(s, i) for s in stores.signals.between(0, START + DAY) for i in Interval if s.due(i) < START + 9 * DAY]
    assert set(stores.outcomes.get((s.signal_id, i) for s, i in due)) == {(s.signal_id, i) for s, i in due}


def test_changing_rankings_choose_the_same_signals_hour_by_hour_and_after_a_night_without_runs(
    hourly: Record,
) -> None:
    class Turning(FakeExchange):
        """Ranks another pair of markets every day."""

        day = 0

        def most_traded(self, quote: str, count: int) -> tuple[str, ...]:
            return SYMBOLS[self.day % 2 :: 2]

    def record(skipped: range) -> Record:
        stores, exchange = a_stack(), Turning(an_exchange().series)
        for now in steps(3, HOUR):
            exchange.day = (now - START) // DAY
            if now not in skipped:
                run(stores, exchange, [now])
        finish(stores, exchange, START + 3 * DAY)
        return Record.of(stores)

    night = range(START + 30 * HOUR, START + 40 * HOUR)
    assert record(night) == record(range(0)) != hourly


def test_after_ten_days_away_a_hole_long_ago_costs_no_later_signal() -> None:
    whole = an_exchange(days=11)
    holed = FakeExchange(whole.series)
    hours = whole.series[SYMBOLS[1], Timeframe.H1]
    gap = START + DAY
    holed.series[SYMBOLS[1], Timeframe.H1] = hours.between(0, gap).merge(hours.between(gap + HOUR, 2**60))
    away, present = a_stack(), a_stack()
    run(
        away,
        holed,
        [START, START + 10 * DAY, START + 10 * DAY + HOUR, START + 10 * DAY + 2 * HOUR],
        [collect, generate],
    )
    run(present, holed, steps(10, HOUR), [collect, generate])
    found, expected = (
        [s.signal_id for s in stores.signals.between(START, START + 10 * DAY)] for stores in (away, present)
    )
    assert found == expected


def test_a_market_that_nobody_follows_any_more_does_not_hold_up_the_closing_pass() -> None:
    stores, whole = a_stack(), an_exchange(days=3)
    run(stores, whole, steps(1, HOUR))
    gone = FakeExchange({key: table.closed_by(START + 2 * DAY) for key, table in whole.series.items()}, most_traded=())
    run(stores, gone, [START + 50 * DAY, START + 51 * DAY])
    cursor = stores.cursors.read("close#30d")
    assert cursor
    assert cursor.position > START + 40 * DAY
