"""How fast candles become decisions, beside TA-Lib alone on the same arrays."""

import time
from collections.abc import Callable, Iterator
from statistics import median

import talib

from plumbline.domain.candles import Candles
from plumbline.domain.decisions import decide, decide_all
from tests.builders import a_configuration, random_walk

SYMBOLS = 300


def lines() -> Iterator[str]:
    """Milliseconds for the latest candle of 300 markets, and for a block of history."""
    windows = [random_walk("1h", 960, seed) for seed in range(SYMBOLS)]
    configuration = a_configuration()
    bare, ours, block = _medians(
        lambda: _bare(windows),
        lambda: [decide(configuration, window) for window in windows],
        lambda: [list(decide_all(configuration, window, 0, 2**60)) for window in windows],
    )
    yield f"{SYMBOLS} markets, windows of 960 candles, one thread, medians of 9 turns in one run"
    yield ""
    yield "| | ms | × TA-Lib | evaluations a second |"
    yield "|---|---|---|---|"
    yield f"| the five indicators by TA-Lib alone | {1e3 * bare:.1f} | 1 | |"
    yield f"| the latest candle: features to decision | {1e3 * ours:.1f} | {ours / bare:.2f} | {SYMBOLS / ours:,.0f} |"
    yield f"| all 561 after the warm-up | {1e3 * block:.1f} | {block / bare:.2f} | {561 * SYMBOLS / block:,.0f} |"


def _bare(windows: list[Candles]) -> None:
    for window in windows:
        talib.RSI(window.close, 14)
        talib.MACD(window.close, 12, 26, 9)
        talib.BBANDS(window.close, 20, 2.0, 2.0)
        talib.EMA(window.close, 20)
        talib.ATR(window.high, window.low, window.close, 14)


def _medians(*jobs: Callable[[], object]) -> list[float]:
    """Median seconds of each job, run in turns so that a slow moment hits all of them."""
    taken: list[list[float]] = [[] for _ in jobs]
    for _ in range(9):
        for job, times in zip(jobs, taken, strict=True):
            began = time.perf_counter()
            job()
            times.append(time.perf_counter() - began)
    return [median(times) for times in taken]
