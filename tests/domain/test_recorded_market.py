"""Kernels, decisions and prices on real candles, against definitions written out by hand.

Runs over every file of the folder that PLUMBLINE_MARKET_DATA names (`<BASE>-<QUOTE>_<timeframe>.csv.gz`), and is left
out where it names none.
"""

import csv
import gzip
import os
from pathlib import Path

import numpy as np
import pytest

from plumbline.domain import kernels
from plumbline.domain.calendar import MINUTE, Timeframe
from plumbline.domain.candles import Candles, Floats
from plumbline.domain.decisions import decide_all
from plumbline.domain.outcomes import STALE_AFTER, prices_at
from plumbline.domain.strategies import DEFAULT_CHANNELS, Channel, default_configuration
from plumbline.domain.windows import blocks, window_start
from tests.fakes import FakePolicy

FOLDER = Path(os.environ.get("PLUMBLINE_MARKET_DATA", "nowhere"))
FILES = sorted(FOLDER.glob("*.csv.gz"))
pytestmark = pytest.mark.skipif(not FILES, reason="PLUMBLINE_MARKET_DATA names no folder of candles")


def read(path: Path) -> Candles:
    timeframe = Timeframe(path.name.removesuffix(".csv.gz").rsplit("_", 1)[1])
    with gzip.open(path, "rt") as lines:
        rows = [tuple(map(float, row)) for row in list(csv.reader(lines))[1:]]
    return Candles.of(timeframe, rows)


def smoothed(values: Floats, first: float, weight: float) -> Floats:
    out = [first]
    for value in values:
        out.append(out[-1] + weight * (float(value) - out[-1]))
    return np.array(out)


def files(timeframe: str) -> list[Path]:
    return [path for path in FILES if f"_{timeframe}." in path.name]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_kernels_agree_with_their_definitions(path: Path) -> None:
    candles = read(path)
    close, high, low = candles.close[:5000], candles.high[:5000], candles.low[:5000]
    moves = np.diff(close)
    gains, losses = np.maximum(moves, 0), np.maximum(-moves, 0)
    up = smoothed(gains[14:], float(gains[:14].mean()), 1 / 14)
    down = smoothed(losses[14:], float(losses[:14].mean()), 1 / 14)
    np.testing.assert_allclose(kernels.rsi(close)[14:], 100 * up / (up + down), rtol=1e-9)
    ranges = np.maximum(high[1:], close[:-1]) - np.minimum(low[1:], close[:-1])
    average = smoothed(ranges[14:], float(ranges[:14].mean()), 1 / 14)
    np.testing.assert_allclose(kernels.atr(high, low, close)[14:], average, rtol=1e-9)
    ema = smoothed(close[20:], float(close[:20].mean()), 2 / 21)
    np.testing.assert_allclose(kernels.ema(close, 20)[19:], ema, rtol=1e-9)
    windows = np.lib.stride_tricks.sliding_window_view(close, 20)
    upper, middle, lower = kernels.bollinger(close)
    np.testing.assert_allclose(middle[19:], windows.mean(axis=1), rtol=1e-9)
    np.testing.assert_allclose((upper - lower)[19:], 4 * windows.std(axis=1), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("path", files("1m"), ids=lambda path: path.name)
def test_prices_agree_with_a_plain_walk(path: Path) -> None:
    candles = read(path)
    closes = dict(zip((candles.open_time + MINUTE).tolist(), candles.close.tolist(), strict=True))
    random = np.random.default_rng(1)
    instants = random.integers(candles.open_time[0], candles.open_time[-1] + 10 * MINUTE, 2000)
    for instant, found in zip(instants.tolist(), prices_at(candles, instants).tolist(), strict=True):
        minute = instant - instant % MINUTE
        candidates = range(minute, instant - STALE_AFTER - 1, -MINUTE)
        expected = next((closes[at] for at in candidates if at in closes), None)
        assert expected == (None if np.isnan(found) else found)


@pytest.mark.parametrize("channel", DEFAULT_CHANNELS, ids=lambda channel: channel.channel_id)
def test_one_candle_at_a_time_decides_what_a_backfill_decides(channel: Channel) -> None:
    markets = [read(path) for path in files("1h")]
    configuration, timeframe = default_configuration(channel), Timeframe.H1
    step, last = timeframe.ms, max(int(candles.open_time[-1]) for candles in markets) + timeframe.ms
    first = last - 720 * step

    def cut(start: int, close: int) -> list[Candles]:
        begin = window_start(timeframe, start - step)
        return [candles.between(begin, close) for candles in markets]

    backfill = [
        found
        for start, end in blocks(timeframe, first, last)
        for found in decide_all(configuration, cut(start, end), start, end, FakePolicy())
    ]
    live = [
        found
        for close in range(first, last + 1, step)
        for found in decide_all(configuration, cut(close, close), close, close, FakePolicy())
    ]
    assert backfill or configuration.compares_markets  # a rank needs more markets than a folder may hold
    assert live == backfill
