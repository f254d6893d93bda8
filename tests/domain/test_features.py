"""Features of many markets at once against one market's plain definitions, TA-Lib and holes."""

import numpy as np
import pytest
import talib
from numpy.lib.stride_tricks import sliding_window_view

from plumbline.domain.calendar import HOUR
from plumbline.domain.candles import Candles, Floats, Ints
from plumbline.domain.features import CHANNEL, DAY, SLOW, Features
from tests.builders import NOON, random_walk, scaled, without

COUNT = 600
WALK = random_walk("1h", COUNT, seed=9, start=NOON - COUNT * HOUR)
NAMES = Features.__slots__
LATE = np.arange(NOON - 200 * HOUR, NOON, HOUR)


def last_of(values: Floats, period: int) -> Floats:
    """Each last `period` values, (n − period + 1, period)."""
    return sliding_window_view(values, period)


def late(values: Floats) -> Floats:
    return values[-len(LATE) :]


def by_definition(c: Candles) -> dict[str, Floats]:
    """Every feature of one market without holes at `LATE`, written out."""
    line, signal, histogram = talib.MACD(c.close, 12, 26, 9)
    mean, deviation = last_of(c.close, 20).mean(axis=1), last_of(c.close, 20).std(axis=1)
    weight = ((c.close - c.low) - (c.high - c.close)) / (c.high - c.low)
    flow, volume = last_of(weight * c.volume, CHANNEL).sum(axis=1), last_of(c.volume, CHANNEL).sum(axis=1)
    return {
        "close": late(c.close),
        "high": late(c.high),
        "low": late(c.low),
        "body": late(c.close - c.open),
        "rsi": late(talib.RSI(c.close, 14)),
        "macd": late(line),
        "macd_signal": late(signal),
        "macd_hist": late(histogram),
        "macd_hist_prev": late(histogram[:-1]),
        "bb_upper": late(mean + 2 * deviation),
        "bb_middle": late(mean),
        "bb_lower": late(mean - 2 * deviation),
        "atr": late(talib.ATR(c.high, c.low, c.close, 14)),
        "volume_ratio": late(c.volume) / late(last_of(c.volume[:-1], CHANNEL).mean(axis=1)),
        "money_flow": late(flow / volume),
        "channel_high": late(last_of(c.high[:-1], CHANNEL).max(axis=1)),
        "channel_low": late(last_of(c.low[:-1], CHANNEL).min(axis=1)),
        "slow_average": late(last_of(c.close, SLOW).mean(axis=1)),
        "close_prev": late(c.close[:-1]),
        "close_day": late(c.close[:-DAY]),
    }


def row(features: Features, name: str, market: int = 0) -> Floats:
    values: Floats = getattr(features, name)[market]
    return values


def grid(*back: int) -> Ints:
    """The hours this long before noon."""
    return NOON - HOUR * np.array(back)


@pytest.mark.parametrize("name", NAMES)
def test_each_feature_is_what_its_definition_says(name: str) -> None:
    np.testing.assert_allclose(row(Features.of([WALK], LATE), name), by_definition(WALK)[name], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", ["rsi", "macd", "macd_signal", "macd_hist", "atr"])
def test_the_recursive_ones_are_talibs_to_the_last_bit(name: str) -> None:
    assert np.array_equal(row(Features.of([WALK], LATE), name), by_definition(WALK)[name])


@pytest.mark.parametrize("name", NAMES)
def test_a_market_is_the_same_whatever_stands_beside_it(name: str) -> None:
    others = [random_walk("1h", n, seed=n, start=NOON - n * HOUR) for n in (600, 450, 90, 12)]
    beside = [
        others[0],
        without(others[1], grid(3, 4, 50).tolist()),
        WALK,
        others[2],
        Candles.empty(WALK.timeframe),
        others[3],
    ]
    assert np.array_equal(row(Features.of(beside, LATE), name, 2), row(Features.of([WALK], LATE), name))


@pytest.mark.parametrize("name", NAMES)
def test_one_candle_alone_is_what_it_is_among_many(name: str) -> None:
    together = row(Features.of([WALK], LATE), name)
    for at in (0, 1, 99, 199):
        known = WALK.closed_by(int(LATE[at]) + HOUR)
        assert np.array_equal(row(Features.of([known], LATE[at : at + 1]), name), together[at : at + 1])


def test_the_channel_leaves_out_the_candle_that_breaks_it() -> None:
    spike = WALK.high.argmax()
    at = WALK.open_time[spike : spike + 2]
    before, after = row(Features.of([WALK], at), "channel_high")
    assert before < WALK.high[spike] == after


def test_indicators_run_over_a_markets_own_candles_across_a_hole() -> None:
    gone = [NOON - 11 * HOUR, NOON - 10 * HOUR]
    holed = without(WALK, gone)
    found = Features.of([holed], grid(12, 11, 10, 9, 8))
    for name in NAMES:
        assert np.isnan(row(found, name)).tolist() == [False, True, True, False, False]
    kept = holed.close[holed.open_time <= NOON - 9 * HOUR]
    assert row(found, "close")[3] == kept[-1]
    assert row(found, "close_prev")[3] == kept[-2] == WALK.close[-12]
    assert row(found, "close_day")[3] == kept[-1 - DAY]
    assert row(found, "rsi")[3] == talib.RSI(kept, 14)[-1]
    own = holed.closed_by(NOON - 8 * HOUR)
    assert row(found, "channel_high")[3] == own.high[-21:-1].max()
    assert row(found, "volume_ratio")[3] == pytest.approx(own.volume[-1] / own.volume[-21:-1].mean())


def test_a_market_that_is_gone_is_no_number_from_then_on() -> None:
    found = Features.of([WALK, WALK.closed_by(NOON - 2 * HOUR)], grid(4, 3, 2, 1))
    for name in NAMES:
        assert np.isnan(row(found, name, 1)).tolist() == [False, False, True, True]
        assert np.array_equal(row(found, name, 1)[:2], row(found, name, 0)[:2])


def test_candles_after_the_grid_are_not_looked_at() -> None:
    whole, known = Features.of([WALK], grid(30, 29)), Features.of([WALK.closed_by(NOON - 28 * HOUR)], grid(30, 29))
    for name in NAMES:
        assert np.array_equal(row(whole, name), row(known, name))


@pytest.mark.parametrize("count", [0, 1, 2, 21, 101])
def test_a_series_too_short_for_a_feature_has_none(count: int) -> None:
    short = random_walk("1h", count, start=NOON - count * HOUR)
    found = Features.of([short], grid(1))
    needs = {"close": 1, "high": 1, "low": 1, "body": 1, "close_prev": 2, "close_day": 25, "rsi": 15, "atr": 15}
    needs |= dict.fromkeys(("macd", "macd_signal", "macd_hist"), 34) | {"macd_hist_prev": 35, "slow_average": 100}
    needs |= dict.fromkeys(("bb_upper", "bb_middle", "bb_lower", "money_flow"), 20)
    needs |= dict.fromkeys(("volume_ratio", "channel_high", "channel_low"), 21)
    for name in NAMES:
        assert np.isfinite(row(found, name)).tolist() == [count >= needs[name]], name


def still(close: float, wick: float = 0.0, volume: float = 7.3) -> Candles:
    """A market whose closes never move."""
    flat = np.full(COUNT, close)
    return Candles(WALK.timeframe, WALK.open_time, flat, flat + wick, flat - wick, flat, np.full(COUNT, volume))


@pytest.mark.parametrize("wick", [0.0, 0.01])
def test_closes_that_never_moved_have_no_rsi_which_is_not_oversold(wick: float) -> None:
    assert np.isnan(row(Features.of([still(10.0, wick)], LATE), "rsi")).all()


def test_a_market_that_only_fell_has_an_rsi_of_0() -> None:
    falling = np.linspace(200.0, 100.0, COUNT)
    candles = Candles(WALK.timeframe, WALK.open_time, falling, falling, falling, falling, np.ones(COUNT))
    assert (row(Features.of([candles], LATE), "rsi") == 0).all()


def test_a_market_that_stands_still_has_no_unit_no_bands_place_and_no_histogram() -> None:
    found = Features.of([still(10.1)], LATE)
    for values in (found.unit, found.percent_b, found.macd_hist):
        assert np.isnan(values).all()
    assert (found.close_location == 0).all()


def test_a_market_without_volume_has_neither_ratio_nor_flow() -> None:
    found = Features.of([still(10.0, 0.1, volume=0.0), scaled(WALK, volume=0.0)], LATE)
    assert np.isnan(found.volume_ratio).all()
    assert np.isnan(found.money_flow).all()


def test_after_twenty_silent_candles_a_first_trade_has_no_usual_volume_to_stand_against() -> None:
    volume = WALK.volume.copy()
    volume[-21:-1] = 0.0
    quiet = Candles(WALK.timeframe, WALK.open_time, WALK.open, WALK.high, WALK.low, WALK.close, volume)
    assert np.isnan(row(Features.of([quiet], grid(1)), "volume_ratio")).all()


def test_a_moment_given_by_hand_knows_what_it_was_given_and_the_histogram_that_follows() -> None:
    found = Features.of_snapshot({"close": 10.0, "macd": 3.0, "macd_signal": 1.0})
    known = {name: getattr(found, name).item() for name in NAMES if np.isfinite(getattr(found, name)).all()}
    assert known == {"close": 10.0, "macd": 3.0, "macd_signal": 1.0, "macd_hist": 2.0}
    given_too = Features.of_snapshot({"macd": 3.0, "macd_signal": 1.0, "macd_hist": 1.5})
    assert given_too.macd_hist.item() == 1.5


def test_a_part_is_some_markets_at_some_candles() -> None:
    whole = Features.of([WALK, random_walk("1h", 500, start=NOON - 500 * HOUR)], LATE)
    part = whole.part(slice(1, 2), slice(3, 5))
    for name in NAMES:
        assert np.array_equal(getattr(part, name), getattr(whole, name)[1:2, 3:5])
