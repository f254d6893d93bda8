"""How long runs took, by a stopwatch that the test turns."""

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plumbline.domain.calendar import DAY, HOUR, Timeframe
from plumbline.domain.candles import Candles, Floats
from plumbline.domain.errors import ExchangeUnavailable
from plumbline.domain.policy import Windows
from plumbline.domain.strategies import DEFAULT_CHANNELS
from plumbline.pipeline.generating import generate_signals
from plumbline.pipeline.ruling import Models
from plumbline.pipeline.timing import KEPT, Run, Timing, runs_of
from plumbline.ports import CandleStore, Cursor, Span, Stores
from tests.fakes import FakePolicy
from tests.world import SETTINGS, START, SYMBOLS, a_stack, an_exchange, collect, generate, run

MARKETS = len(SYMBOLS)


class Stopwatch:
    """Stands where it was turned to."""

    seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


class SlowPolicy(FakePolicy):
    """Thinks for a quarter of a second whatever it is asked."""

    def __init__(self, watch: Stopwatch) -> None:
        super().__init__()
        self.watch, self.asked = watch, 0

    def probabilities(self, windows: Windows) -> Floats:
        self.watch.seconds += 0.25
        self.asked += 1
        return super().probabilities(windows)


def generate_timed(stores: Stores, now: int, watch: Stopwatch, policy: FakePolicy) -> None:
    """A run whose every read of candles takes half a second."""

    class Slow:
        def load(self, spans: Sequence[Span]) -> list[Candles]:
            watch.seconds += 0.5
            return stores.candles.load(spans)

    slow = replace(stores, candles=cast("CandleStore", Slow()))
    generate_signals(slow, SETTINGS, Timeframe.H1, now, models=Models(lambda: policy), stopwatch=watch)


def test_a_run_is_its_reads_its_rules_and_its_questions_to_the_policy() -> None:
    stores, watch = a_stack(), Stopwatch()
    collect(stores, an_exchange(), START)
    policy = SlowPolicy(watch)
    generate_timed(stores, START, watch, policy)
    [measured] = runs_of(stores.cursors.read("generate#1h"))
    assert policy.asked > 0
    assert measured == Run(
        len(DEFAULT_CHANNELS) * MARKETS, 500 + 250.0 * policy.asked, policy.seen, 250.0 * policy.asked
    )


def test_every_block_of_a_long_run_is_a_run_of_its_own() -> None:
    stores, watch = a_stack(), Stopwatch()
    collect(stores, an_exchange(), START)
    policy = SlowPolicy(watch)
    generate_timed(stores, START, watch, policy)
    first = policy.seen, policy.asked
    collect(stores, an_exchange(days=30), START + 30 * DAY)
    generate_timed(stores, START + 30 * DAY, watch, policy)
    begun, *rest = runs_of(stores.cursors.read("generate#1h"))
    assert (begun.windows, begun.inference_ms) == (first[0], 250.0 * first[1])
    assert len(rest) == 2
    assert sum(r.evaluated for r in rest) == 720 * len(DEFAULT_CHANNELS) * MARKETS
    assert sum(r.windows for r in rest) == policy.seen - first[0]
    assert sum(r.inference_ms for r in rest) == 250.0 * (policy.asked - first[1])
    assert sum(r.generation_ms for r in rest) == 2 * 500.0 + sum(r.inference_ms for r in rest)


def test_a_run_that_evaluated_nothing_is_not_remembered() -> None:
    stores, exchange = a_stack(), an_exchange()
    run(stores, exchange, [START, START, START + 1, START + HOUR - 1], [collect, generate])
    assert len(runs_of(stores.cursors.read("generate#1h"))) == 1
    exchange.fail_with = [ExchangeUnavailable("500", retry_after=9)]
    run(stores, exchange, [START + HOUR], [collect, generate])
    cursor = stores.cursors.read("generate#1h")
    assert cursor
    assert (cursor.position, len(runs_of(cursor))) == (START + HOUR, 1)


def test_the_last_forty_runs_are_remembered_also_when_the_cursor_is_set_back() -> None:
    stores, exchange = a_stack(), an_exchange()
    run(stores, exchange, range(START, START + 50 * HOUR, HOUR), [collect, generate])
    assert len(runs_of(stores.cursors.read("generate#1h"))) == KEPT == 40
    stores.cursors.rewind("generate#1h", START)
    generate(stores, exchange, START + 49 * HOUR)
    remembered = runs_of(stores.cursors.read("generate#1h"))
    assert len(remembered) == KEPT
    assert [r.evaluated for r in remembered[-2:]] == [n * len(DEFAULT_CHANNELS) * MARKETS for n in (1, 49)]


def test_a_stack_that_never_generated_remembers_nothing() -> None:
    assert runs_of(None) == runs_of(Cursor("generate#1h", START, 1)) == []


def test_a_missing_policy_is_looked_for_each_time_and_a_found_one_kept() -> None:
    found: list[FakePolicy] = []
    timing = Timing(lambda: found[-1] if found else None, Stopwatch())
    assert timing.policies() is None
    found.append(FakePolicy())
    kept = timing.policies()
    assert kept
    assert kept.facts is found[0].facts
    found.append(FakePolicy())
    assert timing.policies() is kept


@given(
    runs=st.lists(
        st.tuples(st.integers(1, 10**6), st.floats(0, 900), st.integers(0, 10**6), st.floats(0, 900)), max_size=90
    )
)
def test_what_is_noted_is_what_is_read_rounded_and_bounded(runs: list[tuple[int, float, int, float]]) -> None:
    cursor, watch, policy = None, Stopwatch(), FakePolicy()
    for evaluated, seconds, windows, inference in runs:
        timing, count = Timing(lambda: policy, watch), {"evaluated": 0}
        observed = timing.policies()
        assert observed
        with timing.run(count):
            count["evaluated"] += evaluated
            watch.seconds += seconds
            observed.windows, observed.seconds = windows, inference  # type: ignore[attr-defined]  # its own counters
        cursor = Cursor("generate#1h", 0, 1, {"runs": timing.notes(cursor)})
    read = runs_of(cursor)
    assert len(read) == min(len(runs), KEPT)
    for measured, (evaluated, seconds, windows, inference) in zip(read, runs[-KEPT:], strict=False):
        assert (measured.evaluated, measured.windows) == (evaluated, windows)
        assert measured.generation_ms == pytest.approx(1_000 * seconds, abs=0.06)
        assert measured.inference_ms == pytest.approx(1_000 * inference, abs=0.006)
