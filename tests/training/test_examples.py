"""What the policy learns from is what it will be shown, and what became of the trade is told right."""

import numpy as np
import pytest

from layers.model.training.examples import BUY, COST_PCT, HOLD, SELL, STOP_ATR, TARGET_ATR, Examples
from layers.model.training.history import TIMEFRAME
from plumbline.domain.brackets import HORIZON
from plumbline.domain.calendar import HOUR
from plumbline.domain.candles import Candles
from plumbline.domain.errors import InvalidInput
from plumbline.domain.features import Features
from plumbline.domain.policy import WINDOW, inputs
from plumbline.domain.windows import WARM_UP, window_start
from tests.builders import random_walk, without

CANDLES = random_walk("1h", 2_400, seed=3)
GONE = int(CANDLES.open_time[1_500])
HISTORY = {"BTC/USDT": CANDLES, "ETH/USDT": without(random_walk("1h", 2_000, seed=4), [GONE])}
EXAMPLES = Examples.of(HISTORY)


def live(candles: Candles, close: int) -> tuple[np.ndarray, float]:
    """Inputs and ATR of the candle that closes at `close`, as the service computes them at that moment."""
    opened = close - HOUR
    window = candles.between(window_start(TIMEFRAME, opened), close)
    features = Features.of([window], np.arange(opened - (WINDOW - 1) * HOUR, close, HOUR))
    return inputs(features)[0], float(features.atr[0, -1])


@pytest.mark.parametrize("some", np.linspace(0, len(EXAMPLES) - 1, 60).astype(int).tolist())
def test_inputs_are_those_of_the_live_window_to_the_last_bit(some: int) -> None:
    candles = list(HISTORY.values())[EXAMPLES.market[some]]
    shown, _ = live(candles, int(EXAMPLES.time[some]))
    assert EXAMPLES.windows(np.array([some]))[0].tobytes() == shown.tobytes()


def test_the_first_example_of_a_market_is_as_warm_as_a_decision_must_be() -> None:
    first = int(EXAMPLES.time[EXAMPLES.market == 0][0]) - HOUR
    window = CANDLES.between(window_start(TIMEFRAME, first), first + HOUR)
    assert len(window) >= WARM_UP


def test_no_window_and_no_trade_reaches_over_a_hole() -> None:
    of_eth = EXAMPLES.time[EXAMPLES.market == 1]
    assert GONE - HOUR * HORIZON in of_eth
    assert not ((of_eth > GONE - HOUR * 2) & (of_eth < GONE + HOUR * WINDOW)).any()


def path(candles: Candles, close: int, side: int, atr: float) -> tuple[int, float, int]:
    """One trade, candle by candle: how it ended, what it earned in R, how long it took."""
    at = int(np.searchsorted(candles.open_time, close - HOUR))
    entry, stop, target = candles.close[at], STOP_ATR * atr, TARGET_ATR * atr
    for step in range(1, HORIZON + 1):
        o, h, low, c = (getattr(candles, name)[at + step] for name in ("open", "high", "low", "close"))
        worst, best = (low, h) if side > 0 else (h, low)
        if side * (o - entry) >= target:
            return 1, side * (o - entry) / stop, step
        if side * (worst - entry) <= -stop:
            return -1, min(side * (o - entry), -stop) / stop, step
        if side * (best - entry) >= target:
            return 1, target / stop, step
    return 0, side * (c - entry) / stop, HORIZON


@pytest.mark.parametrize("some", np.linspace(5, len(EXAMPLES) - 5, 60).astype(int).tolist())
def test_a_label_is_the_trade_that_reached_its_target(some: int) -> None:
    candles = list(HISTORY.values())[EXAMPLES.market[some]]
    close = int(EXAMPLES.time[some])
    _, atr = live(candles, close)
    long, short = path(candles, close, 1, atr), path(candles, close, -1, atr)
    assert EXAMPLES.label[some] == (BUY if long[0] == 1 else SELL if short[0] == 1 else HOLD)
    assert EXAMPLES.earned[some] == pytest.approx([long[1], short[1]])
    assert EXAMPLES.held[some].tolist() == [long[2], short[2]]
    entry = float(candles.between(close - HOUR, close).close[0])
    assert EXAMPLES.cost[some] == pytest.approx(COST_PCT / 100 * entry / (STOP_ATR * atr))


def test_examples_stand_in_order_of_time_and_each_once() -> None:
    assert (np.diff(EXAMPLES.time) >= 0).all()
    assert len(set(zip(EXAMPLES.time.tolist(), EXAMPLES.market.tolist(), strict=True))) == len(EXAMPLES)


def test_what_comes_later_changes_no_input() -> None:
    """The same history, cut in the middle of a block: the windows before the cut are the same bits."""
    cut = int(CANDLES.open_time[1_700])
    short = Examples.of({"BTC/USDT": CANDLES.between(0, cut)})
    whole = Examples.of({"BTC/USDT": CANDLES})
    count = len(short)
    assert (short.time == whole.time[:count]).all()
    assert short.windows(np.arange(count)).tobytes() == whole.windows(np.arange(count)).tobytes()


def test_the_digest_is_the_data_s_and_changes_with_it() -> None:
    assert Examples.of(HISTORY).digest() == EXAMPLES.digest()
    assert Examples.of({"BTC/USDT": CANDLES}).digest() != EXAMPLES.digest()


@pytest.mark.parametrize("count", [0, 1, WARM_UP])
def test_a_history_without_a_single_example_is_refused(count: int) -> None:
    with pytest.raises(
        InvalidInput, match=f"{WARM_UP} candles before and {HORIZON} after its entry; the most are {count}"
    ):
        Examples.of({"BTC/USDT": random_walk("1h", 2_400, seed=3).between(0, int(CANDLES.open_time[count]))})
