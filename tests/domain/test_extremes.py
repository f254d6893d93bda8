"""The lists of best and worst signals: ordered, bounded, and the same however the outcomes are split."""

from decimal import Decimal
from itertools import batched

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plumbline.domain.calendar import MINUTE, Interval
from plumbline.domain.extremes import KEPT, Extremes, dump_extremes, parse_extremes
from plumbline.domain.outcomes import Outcome
from plumbline.domain.signals import Origin, Side, Tier
from tests.builders import NOON, a_signal, an_outcome


def judged(n: int, move: int, interval: Interval = Interval.H24, **changes: object) -> Outcome:
    """The outcome of the n-th signal, whose price moved by so many percent."""
    signal = a_signal(timestamp=NOON + n * MINUTE, entry_price=Decimal(100), **changes)
    return an_outcome(signal, interval, price=Decimal(100 + move))


def moves(extremes: Extremes) -> tuple[list[int], list[int]]:
    return [int(one.pnl_pct) for one in extremes.best], [int(one.pnl_pct) for one in extremes.worst]


def test_the_best_and_the_worst_come_first_in_their_lists() -> None:
    assert moves(Extremes.of([judged(0, 3), judged(1, -8), judged(2, 12)])) == ([12, 3, -8], [-8, 3, 12])


def test_of_equal_signals_the_older_comes_first() -> None:
    later, earlier = judged(5, 4), judged(1, 4)
    for end in (Extremes.of([later, earlier]).best, Extremes.of([later, earlier]).worst):
        assert [one.signal_id for one in end] == [earlier.signal_id, later.signal_id]


@pytest.mark.parametrize(
    "outcome",
    [judged(0, 9, Interval.H1), judged(0, 9, Interval.D30), judged(0, 9, origin=Origin.BACKFILL)],
    ids=["an hour later", "a month later", "backfilled"],
)
def test_what_is_not_judged_a_day_later_or_does_not_count_is_not_ranked(outcome: Outcome) -> None:
    assert Extremes.of([outcome]) == Extremes()


def test_an_outcome_without_a_price_is_not_ranked() -> None:
    assert Extremes.of([an_outcome(a_signal(), Interval.H24, price=None)]) == Extremes()


def test_a_standout_says_which_signal_it_was() -> None:
    outcome = judged(3, -8, unified_score=86.5, scanner_type="mss", channel_id="trend-delta", symbol="SOL/USDT")
    [one] = Extremes.of([outcome]).worst
    assert (one.signal_id, one.timestamp, one.symbol) == (outcome.signal_id, NOON + 3 * MINUTE, "SOL/USDT")
    assert (one.side, one.scanner_type, one.channel_id) == (Side.LONG, "mss", "trend-delta")
    assert (one.tier, one.unified_score, one.pnl_pct) == (Tier.MUST_BUY, 86.5, Decimal(-8))


many = st.lists(st.integers(-30, 30), max_size=70)


@given(many, st.integers(1, 30), st.randoms(use_true_random=False))
def test_any_split_in_any_order_gives_the_same_lists(percents: list[int], size: int, random: object) -> None:
    outcomes = [judged(n, move) for n, move in enumerate(percents)]
    whole = Extremes.of(outcomes)
    parts = [Extremes.of(part) for part in batched(outcomes, size, strict=False)]
    random.shuffle(parts)  # type: ignore[attr-defined]  # Hypothesis gives a random.Random
    assert sum(parts, Extremes()) == whole
    best, worst = moves(whole)
    assert best == sorted(percents, reverse=True)[:KEPT]
    assert worst == sorted(percents)[:KEPT]


@given(many)
def test_the_lists_survive_as_text_and_their_bytes_depend_on_the_outcomes_alone(percents: list[int]) -> None:
    outcomes = [judged(n, move) for n, move in enumerate(percents)]
    extremes = Extremes.of(outcomes)
    assert parse_extremes(dump_extremes(extremes)) == extremes
    assert dump_extremes(Extremes.of(reversed(outcomes))) == dump_extremes(extremes)
