from collections.abc import Mapping
from dataclasses import replace
from typing import cast

import pytest

from plumbline.domain.calendar import DAY, HOUR, MINUTE, Interval, Timeframe, day_of
from plumbline.domain.candles import Candles
from plumbline.domain.errors import ExchangeUnavailable
from plumbline.domain.strategies import DEFAULT_CHANNELS
from plumbline.pipeline.collecting import HISTORY, collect_candles
from plumbline.pipeline.progress import Hole, Progress
from plumbline.ports import Cursor, Cursors, Span, Stores
from tests.fakes import FakeExchange, memory_stores
from tests.world import START, SYMBOLS, a_stack, an_exchange, check, collect, generate, run

BTC = "BTC/USDT"


def stored(stores: Stores, timeframe: Timeframe, symbol: str = BTC) -> Candles:
    return stores.candles.load([Span(symbol, timeframe, 0, START + 100 * DAY)])[0]


def only(exchange: FakeExchange, *symbols: str) -> FakeExchange:
    return FakeExchange({key: table for key, table in exchange.series.items() if key[0] in symbols})


def progress(stores: Stores, timeframe: Timeframe) -> Progress:
    return Progress.of(stores.cursors.read(f"collect#{timeframe}"))


def test_a_new_stack_loads_the_history_of_every_timeframe_up_to_the_last_close() -> None:
    stores = a_stack()
    collect(stores, an_exchange(), START + HOUR + 90_000)
    hours, minutes = stored(stores, Timeframe.H1), stored(stores, Timeframe.M1)
    assert len(hours) == HISTORY
    assert hours.open_time[-1] == START
    assert minutes.open_time[-1] == START + HOUR


def test_a_candle_that_is_still_open_is_never_stored() -> None:
    stores = a_stack()
    collect(stores, an_exchange(), START + MINUTE - 1)
    assert stored(stores, Timeframe.M1).open_time[-1] == START - MINUTE


def test_a_channel_without_symbols_scans_the_most_traded_pairs_of_its_quote() -> None:
    stores, exchange = memory_stores(), only(an_exchange(), *SYMBOLS)
    exchange._most_traded = ("SOL/USDT", "BTC/EUR", BTC, "ETH/USDT")
    collect_candles(stores, exchange, 2, START)
    assert set(progress(stores, Timeframe.H1).positions) == {"SOL/USDT", BTC}
    assert stores.markets.on([day_of(START)])[0].most_traded == {"USDT": ("SOL/USDT", BTC)}


def test_a_channel_with_symbols_scans_those() -> None:
    stores = memory_stores()
    stores.channels.add(replace(DEFAULT_CHANNELS[0], symbols=("ETH/USDT",)))
    collect(stores, an_exchange(), START)
    assert set(progress(stores, Timeframe.H1).positions) == {"ETH/USDT"}


def test_the_catalogue_of_markets_is_asked_for_once_a_day() -> None:
    stores, exchange = a_stack(), an_exchange()
    for now in (START, START + HOUR, START + DAY):
        collect(stores, exchange, now)
    assert sorted(stores.markets.universes) == [day_of(START), day_of(START + DAY)]  # type: ignore[attr-defined]  # the fake's own dict


def test_a_symbol_that_leaves_the_most_traded_is_collected_until_its_last_outcome_is_closed() -> None:
    stores, exchange = a_stack(), an_exchange()
    exchange._most_traded = (BTC,)
    collect(stores, exchange, START)
    exchange._most_traded = ("ETH/USDT",)
    collect(stores, exchange, START + DAY)
    assert set(progress(stores, Timeframe.M1).positions) == {BTC, "ETH/USDT"}
    collect(stores, exchange, START + 41 * DAY)
    assert set(progress(stores, Timeframe.M1).positions) == {"ETH/USDT"}


def test_when_the_exchange_is_away_on_a_new_day_the_old_catalogue_serves() -> None:
    class Away(FakeExchange):
        def most_traded(self, quote: str, count: int) -> tuple[str, ...]:
            raise ExchangeUnavailable("502 Bad Gateway")

    stores = a_stack()
    collect(stores, an_exchange(), START)
    result = collect(stores, Away(an_exchange().series), START + DAY)
    assert result["stored"] > 0


def test_a_symbol_that_fails_keeps_its_place_while_the_others_go_on() -> None:
    stores, exchange = a_stack(), an_exchange()
    run(stores, exchange, [START], [collect])
    exchange.fail_with = [ExchangeUnavailable("500")]
    result = collect(stores, exchange, START + MINUTE)
    assert (result["stored"], result["failed"]) == (4, 1)
    positions = progress(stores, Timeframe.M1).positions
    assert [positions[s] - START for s in SYMBOLS] == [0] + 4 * [MINUTE]
    collect(stores, exchange, START + 2 * MINUTE)
    assert not stored(stores, Timeframe.M1, SYMBOLS[0]).holes(START, START + 2 * MINUTE)


def test_an_exchange_that_asks_for_a_pause_is_left_alone_for_the_rest_of_the_run() -> None:
    stores, exchange = a_stack(), an_exchange()
    run(stores, exchange, [START], [collect])
    exchange.calls.clear()
    exchange.fail_with = [ExchangeUnavailable("429", retry_after=30)]
    collect(stores, exchange, START + HOUR)
    assert len(exchange.calls) == 1


def test_three_failures_in_a_row_mean_that_the_exchange_is_away() -> None:
    stores, exchange = a_stack(), an_exchange()
    run(stores, exchange, [START], [collect])
    exchange.calls.clear()
    exchange.fail_with = [ExchangeUnavailable("503")] * 9
    assert collect(stores, exchange, START + HOUR)["failed"] == 3
    assert len(exchange.calls) == 3


def test_without_time_left_nothing_more_is_asked_and_the_next_run_goes_on() -> None:
    stores, exchange = a_stack(), an_exchange()
    run(stores, exchange, [START], [collect])
    exchange.calls.clear()
    left = iter([True, False] + [False] * 50)
    collect_candles(stores, exchange, 50, START + HOUR, lambda: next(left))
    assert len(exchange.calls) == 1
    collect(stores, exchange, START + HOUR)
    assert not stored(stores, Timeframe.M1).holes(START, START + HOUR)


def test_impossible_rows_are_counted_and_reported_and_the_good_ones_stored() -> None:
    stores, exchange = a_stack(), an_exchange()
    exchange.refused = {(BTC, Timeframe.M1): ("candle …: high 1 is below low 2",)}
    result = collect(stores, exchange, START)
    assert result["refused"] == 1
    assert len(stored(stores, Timeframe.M1)) == HISTORY


def test_a_hole_is_noted_asked_for_once_an_hour_and_filled_when_the_exchange_has_it() -> None:
    whole = an_exchange()
    minutes = whole.series[BTC, Timeframe.M1]
    holed = FakeExchange(whole.series)
    holed.series[BTC, Timeframe.M1] = minutes.between(0, START).merge(minutes.between(START + 5 * MINUTE, 2**60))
    stores = a_stack()
    run(stores, holed, [START, START + 10 * MINUTE], [collect])
    hole = Hole(BTC, START, START + 5 * MINUTE)
    assert progress(stores, Timeframe.M1).holes == [hole]
    collect(stores, whole, START + 11 * MINUTE)
    assert progress(stores, Timeframe.M1).holes == [hole]
    collect(stores, whole, START + HOUR)
    assert progress(stores, Timeframe.M1).holes == []
    assert not stored(stores, Timeframe.M1).holes(START, START + HOUR)


def test_a_hole_nobody_waits_for_any_more_is_forgotten() -> None:
    whole = an_exchange(days=10)
    minutes = whole.series[BTC, Timeframe.M1]
    whole.series[BTC, Timeframe.M1] = minutes.between(0, START).merge(minutes.between(START + 5 * MINUTE, 2**60))
    stores = a_stack()
    run(stores, whole, [START, START + HOUR, START + 7 * DAY], [collect])
    assert progress(stores, Timeframe.M1).holes
    collect(stores, whole, START + 7 * DAY + 2 * HOUR)
    assert progress(stores, Timeframe.M1).holes == []


def test_a_price_is_not_taken_from_before_the_due_time_while_the_collector_is_behind() -> None:
    stores, exchange = a_stack(), an_exchange()
    run(stores, exchange, range(START, START + 30 * HOUR, HOUR))
    signal = next(iter(stores.signals.between(START + 6 * HOUR, START + 28 * HOUR)))
    due = signal.due(Interval.H1)
    stores, exchange = a_stack(), an_exchange()
    run(stores, exchange, range(START, due, HOUR))
    collect(stores, exchange, due - 2 * MINUTE)
    exchange.fail_with = [ExchangeUnavailable("500", retry_after=5)]
    run(stores, exchange, [due], [collect, generate, check(Interval.H1)])
    key = (signal.signal_id, Interval.H1)
    assert stores.outcomes.get([key]) == {}
    run(stores, exchange, [due + MINUTE], [collect, check(Interval.H1)])
    outcome = stores.outcomes.get([key])[key]
    assert float(outcome.exit_price or 0) == stored(stores, Timeframe.M1, signal.symbol).between(0, due).close[-1]


def test_candles_beyond_the_collectors_own_position_are_not_evaluated_yet() -> None:
    whole, exchange = a_stack(), an_exchange()
    run(whole, exchange, [START, START + 2 * DAY], [collect, generate])
    signal = next(iter(whole.signals.between(START + 6 * HOUR, START + 2 * DAY)))

    stores = a_stack()
    run(stores, exchange, [START], [collect, generate])
    # Another run of the collector is half way: it has stored the last hours of this symbol and not yet those before.
    hours = exchange.series[signal.symbol, Timeframe.H1]
    stores.candles.add(signal.symbol, hours.between(signal.timestamp - 2 * HOUR, START + 2 * DAY))
    late = stores.cursors.read("collect#1h")
    assert late
    stores.cursors.move(late, late.name, START + 2 * DAY, late.notes)
    generate(stores, exchange, START + 2 * DAY)
    assert not list(stores.signals.between(START, START + 2 * DAY))


@pytest.mark.parametrize("timeframe", list(Timeframe))
def test_every_timeframe_has_its_cursor_at_its_last_close(timeframe: Timeframe) -> None:
    stores = a_stack()
    collect(stores, an_exchange(), START + 7 * HOUR + 123)
    cursor = stores.cursors.read(f"collect#{timeframe}")
    assert cursor
    assert cursor.position == timeframe.floor(START + 7 * HOUR)


def without_minutes(exchange: FakeExchange, symbol: str, start: int, end: int) -> FakeExchange:
    minutes = exchange.series[symbol, Timeframe.M1]
    holed = FakeExchange(exchange.series)
    holed.series[symbol, Timeframe.M1] = minutes.between(0, start).merge(minutes.between(end, 2**60))
    return holed


def test_more_holes_than_are_remembered_do_not_stop_the_collector() -> None:
    whole = an_exchange()
    minutes = whole.series[BTC, Timeframe.M1]
    whole.series[BTC, Timeframe.M1] = Candles.of(Timeframe.M1, minutes.rows()[::2])
    stores = a_stack()
    for now in range(START, START + 11 * HOUR, 20 * MINUTE):
        collect(stores, whole, now)
    assert len(progress(stores, Timeframe.M1).holes) == 300
    assert progress(stores, Timeframe.M1).positions[BTC] >= START + 10 * HOUR


def test_a_market_that_was_halted_for_days_is_collected_again_when_it_resumes() -> None:
    halted = without_minutes(an_exchange(days=8), BTC, START + HOUR, START + 6 * DAY)
    stores = a_stack()
    run(stores, halted, [START, START + 2 * HOUR, START + 7 * DAY], [collect])
    assert progress(stores, Timeframe.M1).positions[BTC] == START + 7 * DAY


@pytest.mark.parametrize("timeframe", [Timeframe.H1, Timeframe.H4])
def test_a_hole_of_any_timeframe_is_asked_for_once_an_hour(timeframe: Timeframe) -> None:
    stores, exchange = a_stack(), an_exchange()
    collect(stores, exchange, START)
    cursor = stores.cursors.read(f"collect#{timeframe}")
    assert cursor
    notes = {
        **cursor.notes,
        "holes": [[BTC, START - 8 * HOUR, START - 4 * HOUR]],
        "positions": {str(START): list(SYMBOLS)},
    }
    stores.cursors.move(cursor, cursor.name, START, notes)
    exchange.calls.clear()
    for now in range(START + MINUTE, START + 50 * MINUTE, MINUTE):
        collect(stores, exchange, now)
    asked = [c for c in exchange.calls if (c.symbol, c.timeframe, c.end) == (BTC, timeframe, START - 4 * HOUR)]
    assert len(asked) <= 1


def test_a_market_that_brings_nothing_for_hours_is_asked_once_an_hour() -> None:
    exchange, stores = an_exchange(), a_stack()
    exchange.series |= {key: table.closed_by(START) for key, table in exchange.series.items() if key[0] == BTC}
    run(stores, exchange, range(START, START + 2 * HOUR, 10 * MINUTE), [collect])
    exchange.calls.clear()
    run(stores, exchange, range(START + 2 * HOUR, START + 4 * HOUR, MINUTE), [collect])
    assert len([c for c in exchange.calls if (c.symbol, c.timeframe) == (BTC, Timeframe.M1)]) == 2


def test_an_outcome_in_quiet_minutes_is_judged_when_the_market_trades_again() -> None:
    whole, exchange = a_stack(), an_exchange()
    run(whole, exchange, [START, START + 2 * DAY], [collect, generate])
    signal = next(iter(whole.signals.between(START + 6 * HOUR, START + 2 * DAY)))
    due = signal.due(Interval.H1)
    quiet = without_minutes(exchange, signal.symbol, due - 2 * MINUTE, due + MINUTE)
    stores = a_stack()
    run(stores, quiet, [START, due - HOUR])
    run(stores, quiet, range(due - 5 * MINUTE, due + 5 * MINUTE, MINUTE), [collect, generate, check(Interval.H1)])
    (outcome,) = stores.outcomes.get([(signal.signal_id, Interval.H1)]).values()
    before = quiet.series[signal.symbol, Timeframe.M1].between(0, due - 2 * MINUTE)
    assert float(outcome.exit_price or 0) == before.close[-1]
    assert outcome.checked_at - due < 5 * MINUTE


def test_a_generator_that_read_the_old_notes_in_the_middle_of_a_call_back_still_looks_again() -> None:
    whole, exchange = a_stack(), an_exchange()
    run(whole, exchange, [START, START + 2 * DAY], [collect, generate])
    expected = [s.signal_id for s in whole.signals.between(START, START + 2 * DAY)]

    stores = a_stack()
    run(stores, exchange, [START], [collect, generate])
    exchange.fail_with = [ExchangeUnavailable("500", retry_after=9)]
    run(stores, exchange, [START + 2 * DAY - HOUR], [collect, generate])

    class Between:
        """The generator runs just after the collector has called it back and before it has moved its own cursor."""

        def __getattr__(self, name: str) -> object:
            return getattr(stores.cursors, name)

        def move(self, cursor: Cursor | None, name: str, position: int, notes: Mapping[str, object]) -> Cursor:
            if name == "collect#1h":
                generate(stores, exchange, START + 2 * DAY)
            return stores.cursors.move(cursor, name, position, notes)

    collect(replace(stores, cursors=cast("Cursors", Between())), exchange, START + 2 * DAY)
    generate(stores, exchange, START + 2 * DAY)
    assert [s.signal_id for s in stores.signals.between(START, START + 2 * DAY)] == expected
