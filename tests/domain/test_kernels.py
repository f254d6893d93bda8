"""Kernels against definitions written out by hand, and against the promise about their warm-up."""

import math

import numpy as np
import pytest

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


def test_relative_volume_leaves_the_candle_out_of_its_own_yardstick() -> None:
    found = kernels.relative_volume(np.array([2.0, 4.0, 6.0, 8.0]), 2)
    np.testing.assert_array_equal(found, [np.nan, np.nan, 2.0, 1.6])


def test_relative_volume_of_a_silent_market_is_no_number() -> None:
    assert np.isnan(kernels.relative_volume(np.zeros(30))).all()


@pytest.mark.parametrize("length", [0, 1, 5])
def test_too_short_a_series_gives_no_number_instead_of_an_error(length: int) -> None:
    close = np.full(length, 10.0)
    for values in (
        kernels.rsi(close),
        *kernels.macd(close),
        *kernels.bollinger(close),
        kernels.atr(close, close, close),
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
