from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from plumbline.domain.calendar import MINUTE, Interval, Timeframe
from plumbline.domain.candles import Candles, Row
from plumbline.domain.outcomes import Label, change_pct, judge, label, price_at, prices_at
from plumbline.domain.signals import Action
from tests.builders import a_signal

#                     closes at         open  high   low   close  volume
MINUTES: list[Row] = [
    (0 * MINUTE, 100.0, 101.0, 99.0, 100.5, 1.0),  # minute 1
    (1 * MINUTE, 100.5, 102.0, 100.0, 101.5, 1.0),  # minute 2
    # the exchange was away for ten minutes
    (12 * MINUTE, 103.0, 104.0, 103.0, 103.5, 1.0),  # minute 13
]


@pytest.mark.parametrize(
    ("instant", "price"),
    [
        (1 * MINUTE - 1, None),  # nothing has closed yet
        (1 * MINUTE, "100.5"),  # a candle that closes exactly at the due time is its price
        (2 * MINUTE - 1, "100.5"),
        (2 * MINUTE, "101.5"),
        (7 * MINUTE, "101.5"),  # five minutes old: still the last price
        (7 * MINUTE + 1, None),  # older: a hole
        (13 * MINUTE - 1, None),  # the candle that closes later is never looked at
        (13 * MINUTE, "103.5"),
    ],
)
def test_the_price_is_the_last_close_at_or_before_the_due_time(instant: int, price: str | None) -> None:
    found = price_at(Candles.of(Timeframe.M1, MINUTES), instant)
    assert found == (None if price is None else Decimal(price))


def test_a_market_without_candles_has_no_price() -> None:
    assert price_at(Candles.empty(Timeframe.M1), MINUTE) is None


def slow_price(rows: list[Row], instant: int) -> float | None:
    """The definition, read aloud."""
    last: Row | None = None
    for row in rows:
        if row[0] + MINUTE <= instant:
            last = row
    return last[4] if last and instant - (last[0] + MINUTE) <= 5 * MINUTE else None


@given(st.sets(st.integers(0, 60), max_size=30), st.lists(st.integers(0, 70 * MINUTE), min_size=1, max_size=20))
def test_prices_agree_with_a_plain_walk_over_the_candles(opens: set[int], instants: list[int]) -> None:
    rows: list[Row] = [(at * MINUTE, 10 + at, 11 + at, 9 + at, 10.5 + at, 1) for at in sorted(opens)]
    prices = prices_at(Candles.of(Timeframe.M1, rows), np.array(instants))
    expected = [slow_price(rows, instant) for instant in instants]
    assert [None if np.isnan(p) else p for p in prices] == expected


@pytest.mark.parametrize(
    ("exit_price", "long", "short"),
    [
        ("105", Label.WIN, Label.LOSS),
        ("104.999999", Label.NEUTRAL, Label.LOSS),
        ("103", Label.NEUTRAL, Label.LOSS),
        ("102.999999", Label.NEUTRAL, Label.NEUTRAL),
        ("100", Label.NEUTRAL, Label.NEUTRAL),
        ("97", Label.LOSS, Label.NEUTRAL),
        ("97.000001", Label.NEUTRAL, Label.NEUTRAL),
        ("95", Label.LOSS, Label.WIN),
        ("95.000001", Label.LOSS, Label.NEUTRAL),
    ],
)
def test_long_wins_at_plus_five_and_loses_at_minus_three_and_short_the_other_way(
    exit_price: str, long: Label, short: Label
) -> None:
    entry = {"entry_price": Decimal(100)}
    found = [
        judge(a_signal(action=action, **entry), Interval.H1, Decimal(exit_price), 0).outcome
        for action in (Action.BUY, Action.SELL)
    ]
    assert found == [long, short]


def test_the_raw_move_is_the_markets_and_the_profit_is_the_holders() -> None:
    outcome = judge(a_signal(action=Action.SELL, entry_price=Decimal(100)), Interval.H1, Decimal(104), 0)
    assert (outcome.price_change_pct, outcome.pnl_pct) == (Decimal(4), Decimal(-4))


def test_without_a_price_the_outcome_is_unknown_and_has_no_figures() -> None:
    outcome = judge(a_signal(), Interval.H1, None, 0)
    assert outcome.outcome is Label.UNKNOWN
    assert (outcome.exit_price, outcome.price_change_pct, outcome.pnl_pct) == (None, None, None)


def test_an_outcome_says_when_it_was_due_and_when_it_was_checked() -> None:
    outcome = judge(a_signal(timestamp=1_000), Interval.H4, Decimal(1), now=99)
    assert (outcome.due_at, outcome.checked_at) == (1_000 + Interval.H4.ms, 99)


money = st.decimals("0.00000001", "1000000", places=8).filter(bool)


@given(money, money)
@example(Decimal(1_000_000), Decimal("1049999.997"))  # 4.9999997 %: rounded up it would win
@example(Decimal(1_000_000), Decimal("970000.003"))
def test_the_stored_figure_and_its_label_agree_with_exact_arithmetic(entry: Decimal, exit_: Decimal) -> None:
    exact = (Fraction(exit_) - Fraction(entry)) * 100 / Fraction(entry)
    figure = change_pct(entry, exit_)
    assert abs(Fraction(figure) - exact) < Fraction(1, 10**6)
    expected = Label.WIN if exact >= 5 else Label.LOSS if exact <= -3 else Label.NEUTRAL
    assert label(figure) is expected
