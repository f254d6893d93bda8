"""What readers ask of the stores: the same figures whether a day comes from its rollup or from its facts."""

from collections.abc import Iterator
from dataclasses import fields, replace
from decimal import Decimal
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plumbline import health, queries
from plumbline.domain.calendar import DAY, HOUR, MINUTE, Interval, Timeframe, day_of, day_start, iso
from plumbline.domain.errors import ExchangeUnavailable, InvalidInput, StoreUnavailable, UnknownSymbol
from plumbline.domain.performance import Cells, count
from plumbline.domain.signals import Origin, Signal
from plumbline.pipeline.collecting import collect_candles
from plumbline.pipeline.progress import SUMMARISE
from plumbline.pipeline.summarising import rollup, summarise_day
from plumbline.ports import Stores, Universe
from tests.builders import NOON, a_signal, an_outcome, random_walk
from tests.fakes import FakeExchange, FakeSchedules, InMemorySignals, memory_stores

TODAY = day_start(day_of(NOON))


def record(stores: Stores, *signals: Signal) -> None:
    """Signals and, of each, the outcomes that are due by noon; every other one loses."""
    for i, signal in enumerate(signals):
        stores.signals.add(signal)
        for interval in Interval:
            if signal.due(interval) <= NOON:
                price = signal.entry_price * Decimal("0.96" if i % 2 else "1.06")
                stores.outcomes.add(an_outcome(signal, interval, price=price))


def counted(stores: Stores, start: int, until: int) -> Cells:
    """The same period straight from the facts, by plain comprehension."""
    signals = list(stores.signals.between(-1, NOON))
    due = [(s, i) for s, i in product(signals, Interval) if start <= s.due(i) <= until]
    outcomes = [
        o
        for o in stores.outcomes.get(product((s.signal_id for s in signals), Interval)).values()
        if start <= o.due_at <= until
    ]
    return count([s for s in signals if start <= s.timestamp <= until], due, outcomes)


@given(
    hours=st.lists(st.integers(0, 12 * 24), max_size=12, unique=True),
    summarised=st.integers(0, 12 * 24 * 60),
    rewound=st.none() | st.integers(0, 12 * 24 * 60),
    days=st.integers(1, 14),
    ago=st.sampled_from([0, 1, 7 * HOUR, 12 * HOUR, 12 * HOUR + 1, 3 * DAY]),
)
def test_a_period_is_its_facts_however_much_of_it_is_summarised(
    hours: list[int], summarised: int, rewound: int | None, days: int, ago: int
) -> None:
    stores = memory_stores()
    first = TODAY - 12 * DAY
    record(stores, *(a_signal(timestamp=first + h * HOUR, scanner_type="ab"[h % 2]) for h in hours))
    summarise_from(stores, first, first + summarised * 60_000)
    if rewound is not None:
        stores.cursors.rewind(SUMMARISE, first + rewound * 60_000)
    until = NOON - ago
    period = queries.performance(stores, days, "scanner", until)
    assert period.start == day_start(day_of(until)) - (days - 1) * DAY
    assert period.cells.get("scanner", {}) == counted(stores, period.start, until).get("scanner", {})


def summarise_from(stores: Stores, first: int, until: int) -> None:
    """What the daily summary leaves: whole days, and the running one up to where it came."""
    for midnight in range(first, until + 1, DAY):
        stores.rollups.put(rollup(stores, midnight, min(midnight + DAY - 1, until)), 1)
    stores.cursors.move(None, SUMMARISE, until, {})


def test_a_day_whose_rollup_a_late_fact_made_old_is_counted_from_its_facts() -> None:
    stores = memory_stores()
    record(stores, a_signal(timestamp=TODAY - 2 * DAY + HOUR))
    summarise_from(stores, TODAY - 3 * DAY, TODAY - 1)
    late = a_signal(timestamp=TODAY - 2 * DAY + 2 * HOUR)
    record(stores, late)
    stores.cursors.rewind(SUMMARISE, late.timestamp - 1)
    period = queries.performance(stores, 4, "scanner", NOON)
    assert period.cell("scanner", "technical").signals == 2
    assert period.cells == {"scanner": counted(stores, TODAY - 3 * DAY, NOON)["scanner"]}


def test_the_rollup_of_a_day_is_not_used_for_a_period_that_ends_within_it() -> None:
    stores = memory_stores()
    record(stores, *(a_signal(timestamp=TODAY - 2 * DAY + hour * HOUR) for hour in (3, 15)))
    summarise_from(stores, TODAY - 3 * DAY, TODAY - 1)
    until = TODAY - 2 * DAY + 12 * HOUR
    period = queries.performance(stores, 2, "scanner", until)
    assert period.cell("scanner", "technical").signals == 1
    assert period.cells == {"scanner": counted(stores, TODAY - 3 * DAY, until)["scanner"]}


def test_an_instant_at_midnight_belongs_to_the_day_that_begins() -> None:
    stores = memory_stores()
    record(stores, a_signal(timestamp=TODAY), a_signal(timestamp=TODAY - 1, symbol="ETH/USDT"))
    assert queries.performance(stores, 1, "all", NOON).cell("all", "all").signals == 1
    assert queries.performance(stores, 2, "all", NOON).cell("all", "all").signals == 2
    assert queries.performance(stores, 1, "all", TODAY - 1).cell("all", "all").signals == 1


def test_backfilled_signals_are_shown_and_never_counted() -> None:
    stores = memory_stores()
    record(stores, a_signal(timestamp=NOON - 2 * HOUR, origin=Origin.BACKFILL))
    cell = queries.performance(stores, 1, "all", NOON).cell("all", "all")
    assert (cell.signals, cell.pooled().due, cell.pooled().checked) == (0, 0, 0)
    assert queries.latest(stores, None, None).origin is Origin.BACKFILL


def noting_what_is_read(stores: Stores) -> tuple[Stores, list[tuple[int, int]]]:
    """The same stores, and the spans that are read of their log."""
    spans: list[tuple[int, int]] = []

    class Watched:
        def between(self, after: int, until: int, *, consistent: bool) -> Iterator[Signal]:
            assert not consistent
            spans.append((after, until))
            return stores.signals.between(after, until)

    return replace(stores, signals=Watched()), spans  # type: ignore[arg-type]  # statistics read nothing else of the log


def test_closed_days_are_read_from_their_rollups_and_not_counted_again() -> None:
    stores = memory_stores()
    record(stores, *(a_signal(timestamp=TODAY - day * DAY + HOUR) for day in range(5)))
    summarise_from(stores, TODAY - 5 * DAY, TODAY - 1)
    watched, spans = noting_what_is_read(stores)
    queries.performance(watched, 5, "all", NOON)
    shifted = [(TODAY - 1 - i.ms, NOON - i.ms) for i in Interval]
    assert sorted(spans) == sorted([(TODAY - 1, NOON), *shifted])


def test_the_daily_summary_and_the_reader_agree_on_where_a_day_ends() -> None:
    stores = memory_stores()
    record(stores, *(a_signal(timestamp=TODAY - DAY + hour * HOUR) for hour in (0, 7, 24, 30)))
    stores.cursors.move(None, SUMMARISE, TODAY - DAY - 1, {})
    summarise_day(stores, NOON)
    period = queries.performance(stores, 2, "scanner", NOON)
    assert period.cells == {"scanner": counted(stores, TODAY - DAY, NOON)["scanner"]}


def test_a_record_without_a_single_signal_costs_two_days_to_read_however_long_the_period() -> None:
    spans: list[tuple[int, int]] = []

    class Watched(InMemorySignals):
        def between(self, after: int, until: int, *, consistent: bool = True) -> Iterator[Signal]:
            spans.append((after, until))
            return super().between(after, until, consistent=consistent)

    period = queries.performance(replace(memory_stores(), signals=Watched("simulated")), 365, "all", NOON)
    assert (period.start, period.cells["all"]) == (TODAY - 364 * DAY, {})
    assert {until - after for after, until in spans} == {DAY + NOON - TODAY + 1}


# --- symbols


def test_the_catalogue_of_today_is_preferred_to_that_of_yesterday() -> None:
    stores = memory_stores()
    stores.markets.add(Universe(day="2026-11-19", markets=("OLD/USDT",), most_traded={}))
    assert queries.symbol_named(stores, "old", NOON) == "OLD/USDT"
    stores.markets.add(Universe(day="2026-11-20", markets=("NEW/USDT",), most_traded={}))
    assert queries.symbol_named(stores, "new", NOON) == "NEW/USDT"
    with pytest.raises(UnknownSymbol):
        queries.symbol_named(stores, "old", NOON)


def test_after_a_long_silence_the_catalogue_of_the_last_work_is_used() -> None:
    stores = memory_stores()
    stores.markets.add(Universe(day="2024-01-31", markets=("BTC/USDT",), most_traded={}))
    stores.cursors.move(None, "collect#1m", day_start("2024-01-31") + HOUR, {})
    assert queries.symbol_named(stores, "BTCUSDT", NOON) == "BTC/USDT"


def test_without_any_catalogue_only_the_full_spelling_is_taken() -> None:
    stores = memory_stores()
    assert queries.symbol_named(stores, "btc/usdt", NOON) == "BTC/USDT"
    with pytest.raises(InvalidInput, match="no market catalogue is stored yet"):
        queries.symbol_named(stores, "BTC", NOON)


# --- the checks


def test_the_next_check_is_that_of_the_oldest_signal_not_yet_checked() -> None:
    stores = memory_stores()
    record(stores, a_signal(timestamp=NOON - 5 * HOUR), a_signal(timestamp=NOON - HOUR // 2))
    stores.cursors.move(None, "check#1h", NOON, {})
    stores.cursors.move(None, "check#4h", NOON - 2 * HOUR, {})
    checks, _ = health.tracker(stores, FakeSchedules(), NOON)
    due = {check.interval: check.next_due and iso(check.next_due) for check in checks}
    assert due[Interval.H1] == iso(NOON + HOUR // 2)
    assert due[Interval.H4] == iso(NOON - HOUR)
    assert due[Interval.D30] is None


def test_a_cursor_that_waits_for_its_first_check_has_no_lag_and_claims_no_future() -> None:
    stores = memory_stores()
    record(stores, a_signal(timestamp=NOON))
    stores.cursors.move(None, "check#4h", NOON + 4 * HOUR - 1, {})
    [lag] = health.lags(stores.cursors.all(), NOON)
    checks, _ = health.tracker(stores, FakeSchedules(), NOON)
    [check] = [c for c in checks if c.interval is Interval.H4]
    assert (lag.position, lag.lag, check.position, check.lag) == (NOON, 0, NOON, 0)
    assert check.next_due == NOON + 4 * HOUR


def test_a_table_that_does_not_answer_is_named_beside_those_that_do() -> None:
    class Away(InMemorySignals):
        def get(self, signal_id: str) -> Signal | None:
            raise StoreUnavailable("throttled")

    stores = replace(memory_stores(), signals=Away("simulated"))
    states = health.table_states(stores)
    assert {name for name, state in states.items() if state != health.OK} == {"signals"}
    assert states["signals"] == health.UNAVAILABLE


def test_every_table_of_the_stores_is_probed() -> None:
    """The model's reports, the digests and the paper book's rollups lie in the table of the rollups."""
    elsewhere = ("source", "model_reports", "book_rollups", "digests")
    assert health.table_states(memory_stores()) == {
        store.name: health.OK for store in fields(Stores) if store.name not in elsewhere
    }


def test_while_the_exchange_is_away_the_market_grows_old_though_the_collector_moves_on() -> None:
    stores = memory_stores()
    exchange = FakeExchange({("BTC/USDT", Timeframe.M1): random_walk("1m", 30, start=NOON - 30 * MINUTE)})
    stores.markets.follow("BTC/USDT", NOON + DAY)
    collect_candles(stores, exchange, 1, NOON)
    exchange.fail_with = [ExchangeUnavailable("away", retry_after=30)]
    collect_candles(stores, exchange, 1, NOON + 20 * MINUTE)
    ages = {lag.name: lag for lag in health.lags(stores.cursors.all(), NOON + 20 * MINUTE)}
    assert (ages["collect#1m"].lag, ages["collect#1m"].late) == (0, False)
    assert (ages["market"].position, ages["market"].lag, ages["market"].late) == (NOON, 20 * MINUTE, True)
    assert health.market_state(stores.cursors.all()).behind == 1


# --- the service at work


@given(values=st.lists(st.floats(0, 1e6), min_size=1, max_size=120))
def test_a_percentile_is_the_least_value_that_its_share_of_all_does_not_exceed(values: list[float]) -> None:
    found = queries.Quantiles.of(values)
    assert found
    for share in (50, 95, 99):
        least = min(v for v in values if 100 * sum(w <= v for w in values) >= share * len(values))
        assert getattr(found, f"p{share}") == least


def test_without_values_there_are_no_percentiles() -> None:
    assert queries.Quantiles.of([]) is None


def test_the_pace_of_a_generator_is_that_of_the_runs_its_cursor_remembers() -> None:
    stores = memory_stores()
    stores.cursors.move(None, "generate#4h", NOON, {"runs": [[100, 30.0, 0, 0.0], [200, 60.0, 50, 4.0]]})
    stores.cursors.move(None, "generate#1h", NOON, {})
    stores.cursors.move(None, "check#1h", NOON, {"runs": [[1, 1.0, 1, 1.0]]})
    [(timeframe, pace)] = queries.paces(stores.cursors.all()).items()
    assert (timeframe, len(pace.runs), len(pace.asked), pace.evaluated) == (Timeframe.H4, 2, 1, 300)
    assert pace.evaluations_per_minute == 60_000 * 300 / 90
    assert queries.Pace([]).evaluations_per_minute is None


def test_several_dimensions_read_the_facts_once_and_say_what_each_says_alone() -> None:
    stores = memory_stores()
    record(stores, *(a_signal(timestamp=TODAY - day * DAY + HOUR) for day in range(5)))
    summarise_from(stores, TODAY - 5 * DAY, TODAY - 1)
    watched, spans = noting_what_is_read(stores)
    together = queries.record(watched, 5, ("all", "scanner", "type"), NOON)
    assert len(spans) == 1 + len(Interval)
    for dimension in ("all", "scanner", "type"):
        assert together.cells[dimension] == queries.performance(stores, 5, dimension, NOON).cells[dimension]


def test_signals_of_a_span_are_counted_without_asking_for_their_checks() -> None:
    stores = memory_stores()
    record(stores, a_signal(timestamp=NOON - HOUR), a_signal(timestamp=NOON - 2 * HOUR, origin=Origin.BACKFILL))
    cell = queries.issued(stores, NOON - DAY, NOON)["all"]["all"]
    assert (cell.signals, cell.tallies) == (1, {})
