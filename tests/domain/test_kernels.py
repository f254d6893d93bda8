"""Kernels against definitions written out by hand, and against the promise about their warm-up."""

import math

import numpy as np
import pytest
import talib
from hypothesis import given
from hypothesis import strategies as st

from plumbline.domain import kernels
from plumbline.domain.candles import Floats
from plumbline.domain.windows import WARM_UP

rng = np.random.default_rng(7)
CLOSE = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, 1500)))
HIGH = CLOSE * (1 + np.abs(rng.normal(0, 0.004, 1500)))
LOW = CLOSE * (1 - np.abs(rng.normal(0, 0.004, 1500)))
VOLUME = rng.lognormal(3, 1, 1500)


def wilder(values: Floats, period: int) -> list[float]:
    """Wilder's average: the mean of the first `period`, then (13 old + 1 new) / 14."""
    average = float(np.mean(values[:period]))
    out = [average]
    for value in values[period:]:
        average = (average * (period - 1) + float(value)) / period
        out.append(average)
    return out


def slow_ema(values: list[float], period: int) -> list[float]:
    average = sum(values[:period]) / period
    out = [average]
    for value in values[period:]:
        average += (value - average) * 2 / (period + 1)
        out.append(average)
    return out


def agree(found: Floats, expected: list[float], warm_up: int) -> None:
    assert np.isnan(found[:warm_up]).all()
    np.testing.assert_allclose(found[warm_up:], expected, rtol=1e-9)


def test_rsi_is_100_less_100_over_1_plus_average_gain_over_average_loss() -> None:
    moves = np.diff(CLOSE)
    gains, losses = wilder(np.maximum(moves, 0), 14), wilder(np.maximum(-moves, 0), 14)
    agree(kernels.rsi(CLOSE), [100 - 100 / (1 + g / x) for g, x in zip(gains, losses, strict=True)], 14)


def test_atr_is_wilders_average_of_the_true_range() -> None:
    previous = CLOSE[:-1]
    ranges = np.maximum(HIGH[1:] - LOW[1:], np.maximum(abs(HIGH[1:] - previous), abs(LOW[1:] - previous)))
    agree(kernels.atr(HIGH, LOW, CLOSE), wilder(ranges, 14), 14)


def test_ema_starts_with_a_simple_average() -> None:
    agree(kernels.ema(CLOSE, 20), slow_ema(CLOSE.tolist(), 20), 19)


def test_macd_is_the_difference_of_two_emas_and_its_signal_line_an_ema_of_it() -> None:
    # TA-Lib lets both averages begin at the same candle, so the fast one is seeded 14 candles late.
    fast, slow = slow_ema(CLOSE[14:].tolist(), 12), slow_ema(CLOSE.tolist(), 26)
    line = [f - s for f, s in zip(fast, slow, strict=True)]
    signal = slow_ema(line, 9)
    found_line, found_signal, found_histogram = kernels.macd(CLOSE)
    np.testing.assert_allclose(found_line[33:], line[8:], rtol=1e-7, atol=1e-9)
    agree(found_signal, signal, 33)
    np.testing.assert_allclose(found_histogram[33:], found_line[33:] - found_signal[33:], rtol=1e-9)


def test_bollinger_bands_are_two_population_deviations_around_the_mean() -> None:
    upper, middle, lower = kernels.bollinger(CLOSE)
    windows = np.lib.stride_tricks.sliding_window_view(CLOSE, 20)
    mean, deviation = windows.mean(axis=1), windows.std(axis=1)
    agree(middle, mean.tolist(), 19)
    agree(upper, (mean + 2 * deviation).tolist(), 19)
    agree(lower, (mean - 2 * deviation).tolist(), 19)


def test_bollinger_bands_are_talibs() -> None:
    for found, expected in zip(kernels.bollinger(CLOSE), talib.BBANDS(CLOSE, 20, 2.0, 2.0), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_the_bands_of_a_market_that_stands_still_touch() -> None:
    upper, middle, lower = kernels.bollinger(np.full(30, 10.0))
    assert (upper[19:] == middle[19:]).all()
    assert (lower[19:] == middle[19:]).all()


def test_windows_of_a_few_numbers_by_hand() -> None:
    values = np.array([3.0, 1.0, 4.0, 1.0, 5.0])
    np.testing.assert_array_equal(kernels.sma(values, 2), [np.nan, 2.0, 2.5, 2.5, 3.0])
    np.testing.assert_array_equal(kernels.highest(values, 3), [np.nan, np.nan, 4, 4, 5])
    np.testing.assert_array_equal(kernels.lowest(values, 3), [np.nan, np.nan, 1, 1, 1])
    np.testing.assert_array_equal(kernels.earlier(values), [np.nan, 3, 1, 4, 1])
    np.testing.assert_array_equal(kernels.earlier(values, 4), [np.nan, np.nan, np.nan, np.nan, 3])
    np.testing.assert_array_equal(kernels.earlier(values, 0), values)


@given(st.integers(1, 70), st.integers(0, 90))
def test_windows_of_any_period_are_what_a_plain_walk_finds(period: int, length: int) -> None:
    values = CLOSE[:length]
    spans = [values[max(0, i + 1 - period) : i + 1] for i in range(length)]
    whole = [span if len(span) == period else np.array([np.nan]) for span in spans]
    np.testing.assert_allclose(kernels.sma(values, period), [span.mean() for span in whole], rtol=1e-12)
    np.testing.assert_array_equal(kernels.highest(values, period), [span.max() for span in whole])
    np.testing.assert_array_equal(kernels.lowest(values, period), [span.min() for span in whole])
    expected = [values[i - period] if i >= period else np.nan for i in range(length)]
    np.testing.assert_array_equal(kernels.earlier(values, period), expected)


def test_a_window_forgets_what_left_it_completely() -> None:
    values = np.concatenate((np.full(50, 1e9), np.full(50, 0.1)))
    assert np.array_equal(kernels.sma(values, 20)[69:], kernels.sma(values[50:], 20)[19:])
    assert (kernels.sma(np.concatenate((VOLUME[:100], np.zeros(20))), 20)[-1:] == 0).all()


def test_a_row_is_the_same_to_the_last_bit_whatever_stands_beside_it() -> None:
    table = np.stack((CLOSE, CLOSE * 3, VOLUME))
    for kernel in (kernels.sma, kernels.highest, kernels.lowest):
        assert np.array_equal(kernel(table, 20)[2], kernel(VOLUME, 20), equal_nan=True)
    for together, alone in zip(kernels.bollinger(table), kernels.bollinger(CLOSE), strict=True):
        assert np.array_equal(together[0], alone, equal_nan=True)


#             high  low   close volume: closed at the high, at the low, in the middle, and without a range
FLOW = np.array(([12, 12, 12, 11], [10, 10, 10, 11], [12, 10, 11, 11], [5, 1, 4, 10]), dtype=np.float64)


def test_money_flow_is_the_volume_weighted_by_where_each_candle_closed() -> None:
    found = kernels.money_flow(FLOW[0], FLOW[1], FLOW[2], FLOW[3], 2)
    np.testing.assert_allclose(found, [np.nan, (5 - 1) / 6, -1 / 5, 0])


def test_money_flow_is_the_difference_of_chaikins_line_over_the_volume() -> None:
    line = talib.AD(HIGH, LOW, CLOSE, VOLUME)
    found = kernels.money_flow(HIGH, LOW, CLOSE, VOLUME, 20)
    assert np.isnan(found[:19]).all()
    np.testing.assert_allclose(found[20:], (line[20:] - line[:-20]) / (20 * talib.SMA(VOLUME, 20)[20:]), atol=1e-9)
    assert (np.abs(found[19:]) <= 1).all()


def test_money_flow_of_a_silent_market_is_no_number() -> None:
    assert np.isnan(kernels.money_flow(HIGH, LOW, CLOSE, np.zeros_like(CLOSE), 20)).all()


@pytest.mark.parametrize("length", [0, 1, 5])
def test_too_short_a_series_gives_no_number_instead_of_an_error(length: int) -> None:
    close = np.full(length, 10.0)
    for values in (
        kernels.rsi(close),
        *kernels.macd(close),
        *kernels.bollinger(close),
        kernels.atr(close, close, close),
        kernels.sma(close, 20),
        kernels.highest(close, 20),
        kernels.lowest(close, 20),
        kernels.money_flow(close, close, close, close, 20),
        kernels.earlier(close, 20),
    ):
        assert len(values) == length
        assert np.isnan(values).all()


def test_after_the_warm_up_it_no_longer_matters_where_the_series_began() -> None:
    cut = 500
    whole = (kernels.rsi(CLOSE), kernels.macd(CLOSE)[0], kernels.macd(CLOSE)[1], kernels.atr(HIGH, LOW, CLOSE))
    high, low, close = HIGH[cut:], LOW[cut:], CLOSE[cut:]
    part = (kernels.rsi(close), kernels.macd(close)[0], kernels.macd(close)[1], kernels.atr(high, low, close))
    for long, short in zip(whole, part, strict=True):
        gap = np.abs(long[cut + WARM_UP :] - short[WARM_UP:]) / CLOSE[cut + WARM_UP :]
        assert gap.max() < 1e-12


def test_before_the_warm_up_it_does_matter() -> None:
    gap = abs(kernels.rsi(CLOSE)[500 + 100] - kernels.rsi(CLOSE[500:])[100])
    assert gap > 1e-12
    assert not math.isnan(gap)
