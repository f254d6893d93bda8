"""What becomes of a trade between its stop and its target: candles a person can read, and a slow loop beside it."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plumbline.domain.brackets import HORIZON, UNDECIDED, Brackets, resolve
from plumbline.domain.calendar import HOUR, Timeframe
from plumbline.domain.candles import Candles
from tests.builders import mirrored, random_walk, without

TARGET, STOP, EXPIRED = 1, -1, 0
ENTRY = (100.0, 100.5, 99.5, 100.0)
"""Every trade here enters at 100, stop 2 away, target 3 away."""


def a_trade(*later: tuple[float, float, float, float], side: int = 1, horizon: int = HORIZON) -> tuple[int, float, int]:
    rows = [(k * HOUR, *prices, 1.0) for k, prices in enumerate((ENTRY, *later))]
    trades = resolve(Candles.of(Timeframe.H1, rows), np.array([0]), side, np.array([2.0]), np.array([3.0]), horizon)
    return int(trades.ended[0]), float(trades.r[0]), int(trades.held[0])


#    open   high   low    close
QUIET = (100.0, 101.0, 99.0, 100.0)
LONG = {
    "touches the target": ([(100.0, 103.0, 99.0, 101.0)], (TARGET, 1.5, 1)),
    "touches the stop": ([(100.0, 101.0, 98.0, 101.0)], (STOP, -1.0, 1)),
    "touches the target later": ([QUIET, QUIET, (100.0, 104.0, 99.0, 103.5)], (TARGET, 1.5, 3)),
    "both in one candle counts as the stop": ([(100.0, 103.0, 98.0, 102.0)], (STOP, -1.0, 1)),
    "opens below the stop and fills there": ([(97.0, 97.5, 96.0, 97.0)], (STOP, -1.5, 1)),
    "opens below the stop and rises to the target": ([(97.0, 104.0, 96.0, 104.0)], (STOP, -1.5, 1)),
    "opens beyond the target and fills there": ([(105.0, 106.0, 104.0, 105.0)], (TARGET, 2.5, 1)),
    "opens beyond the target and falls to the stop": ([(105.0, 106.0, 97.0, 97.5)], (TARGET, 2.5, 1)),
    "opens on the target and falls to the stop": ([(103.0, 103.0, 97.0, 97.5)], (TARGET, 1.5, 1)),
    "opens on the stop": ([(98.0, 99.0, 98.0, 99.0)], (STOP, -1.0, 1)),
    "misses both by a little": ([(100.0, 102.99, 98.01, 100.0)], (UNDECIDED, np.nan, 0)),
    "stopped before the target": ([(100.0, 101.0, 98.0, 99.0), (99.0, 104.0, 99.0, 104.0)], (STOP, -1.0, 1)),
}


@pytest.mark.parametrize(("later", "expected"), LONG.values(), ids=LONG)
def test_a_long_trade(later: list[tuple[float, float, float, float]], expected: tuple[int, float, int]) -> None:
    assert a_trade(*later) == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize(("later", "expected"), LONG.values(), ids=LONG)
def test_a_short_trade_is_a_long_one_upside_down(
    later: list[tuple[float, float, float, float]], expected: tuple[int, float, int]
) -> None:
    upside_down = [(200 - open_, 200 - low, 200 - high, 200 - close) for open_, high, low, close in later]
    assert a_trade(*upside_down, side=-1) == pytest.approx(expected, nan_ok=True)


def test_a_trade_that_touches_nothing_ends_at_the_close_of_its_horizon() -> None:
    last = (100.0, 101.5, 99.0, 101.0)
    assert a_trade(QUIET, QUIET, last, horizon=3) == (EXPIRED, 0.5, 3)
    assert a_trade(QUIET, QUIET, last, side=-1, horizon=3) == (EXPIRED, -0.5, 3)
    assert a_trade(*[QUIET] * 23, last) == (EXPIRED, 0.5, 24)


def test_the_last_candle_of_the_horizon_can_still_decide() -> None:
    assert a_trade(QUIET, (100.0, 103.0, 99.0, 101.0), horizon=2) == (TARGET, 1.5, 2)


def test_where_the_candles_end_before_it_was_decided_nothing_is_known() -> None:
    assert a_trade(QUIET, QUIET, horizon=3)[0] == UNDECIDED
    assert a_trade()[0] == UNDECIDED


def test_a_hole_before_it_was_decided_leaves_it_unknown_and_one_after_it_does_not_matter() -> None:
    rows = [(k * HOUR, *prices, 1.0) for k, prices in enumerate((ENTRY, QUIET, (100.0, 103.0, 99.0, 101.0), QUIET))]
    for gone, ended in ((1, UNDECIDED), (2, UNDECIDED), (3, TARGET)):
        candles = Candles.of(Timeframe.H1, [row for row in rows if row[0] != gone * HOUR])
        assert resolve(candles, np.array([0]), 1, np.array([2.0]), np.array([3.0])).ended.tolist() == [ended]


def test_the_decided_are_known() -> None:
    trades = Brackets(np.array([1, 0, -1, -2], dtype=np.int8), np.zeros(4), np.zeros(4, dtype=np.int64))
    assert trades.known.tolist() == [True, True, True, False]


def test_no_trades_are_no_trades() -> None:
    none = np.array([], dtype=np.int64)
    assert len(resolve(random_walk("1h", 10), none, 1, np.array([]), np.array([])).ended) == 0


# --- beside a slow loop --------------------------------------------------------------------------------------------


@dataclass
class Trade:
    ended: int = UNDECIDED
    r: float = float("nan")
    held: int = 0


def slowly(candles: Candles, at: int, stop: float, target: float, horizon: int) -> Trade:
    """A long trade, candle by candle."""
    rows = {row[0]: row for row in candles.rows()}
    time, *_, entry, _ = candles.rows()[at]
    for held in range(1, horizon + 1):
        row = rows.get(time + held * HOUR)
        if row is None:
            return Trade()
        _, open_, high, low, close, _ = row
        if open_ - entry >= target:
            return Trade(TARGET, (open_ - entry) / stop, held)
        if open_ - entry <= -stop:
            return Trade(STOP, (open_ - entry) / stop, held)
        if low - entry <= -stop:
            return Trade(STOP, -1.0, held)
        if high - entry >= target:
            return Trade(TARGET, target / stop, held)
        if held == horizon:
            return Trade(EXPIRED, (close - entry) / stop, held)
    raise AssertionError("a horizon has at least one candle")


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(*[st.integers(-8, 8)] * 4), min_size=2, max_size=30),
    st.sets(st.integers(1, 29), max_size=3),
    st.integers(1, 6),
    st.integers(1, 6),
    st.integers(1, 8),
)
def test_any_candles_give_what_a_slow_loop_gives_for_long_and_short(
    moves: list[tuple[int, int, int, int]], gone: set[int], stop: int, target: int, horizon: int
) -> None:
    rows = []
    for k, (gap, body, up, down) in enumerate(moves):
        open_, close = 100.0 + gap, 100.0 + gap + body
        rows.append((k * HOUR, open_, max(open_, close) + abs(up), min(open_, close) - abs(down), close, 1.0))
    candles = without(Candles.of(Timeframe.H1, rows), (k * HOUR for k in gone))
    at = np.arange(len(candles))
    stops, targets = np.full(len(at), float(stop)), np.full(len(at), float(target))
    expected = [slowly(candles, k, stop, target, horizon) for k in at.tolist()]
    for market, side in ((candles, 1), (mirrored(candles), -1)):
        found = resolve(market, at, side, stops, targets, horizon)
        assert found.ended.tolist() == [trade.ended for trade in expected]
        assert found.held.tolist() == [trade.held for trade in expected]
        np.testing.assert_allclose(found.r, [trade.r for trade in expected], rtol=1e-12)


def test_each_trade_keeps_to_its_own_levels() -> None:
    candles = random_walk("1h", 200, seed=4)
    at = np.array([0, 10, 10, 199])
    stops, targets = np.array([100.0, 100.0, 5_000.0, 1.0]), np.array([300.0, 300.0, 5_000.0, 1.0])
    together = resolve(candles, at, 1, stops, targets)
    for k in range(len(at)):
        alone = resolve(candles, at[k : k + 1], 1, stops[k : k + 1], targets[k : k + 1])
        assert alone.ended[0] == together.ended[k]
        np.testing.assert_array_equal(alone.r[0], together.r[k])
    assert together.ended[2] == EXPIRED
    assert together.ended[3] == UNDECIDED
