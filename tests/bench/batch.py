"""Milliseconds from candles to decisions: the latest candle of 300 markets, one market alone, a block of history.

The bare peer is what nobody can do without: TA-Lib's functions for the same indicators, one series after the other, and
one run of the model on windows that lie ready.
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from statistics import median

import numpy as np
import talib

from plumbline.adapters.model import OnnxPolicy, open_policy
from plumbline.domain.calendar import HOUR
from plumbline.domain.candles import Candles
from plumbline.domain.decisions import decide, decide_all, decide_panel
from plumbline.domain.evaluation import Panel
from plumbline.domain.policy import FEATURES, WINDOW
from plumbline.domain.strategies import DEFAULT_CHANNELS, Configuration, default_configuration
from plumbline.domain.windows import WARM_UP
from tests.builders import random_walk

MARKETS, ROUNDS, SINGLES, SECONDS = 300, 25, 2_000, 4.0
POLICY = Path(__file__).parents[2] / "layers/model/policies/policy.onnx"


def lines() -> Iterator[str]:
    """Every table."""
    windows = [random_walk("1h", 960, seed) for seed in range(MARKETS)]
    policy = open_policy(POLICY)
    yield from _latest(windows, policy)
    yield ""
    yield from _single(windows[0], policy)
    yield ""
    yield from _history(windows, policy)
    yield ""
    with ProcessPoolExecutor(2) as both:
        count = sum(both.map(_evaluations, (1, 2)))
    yield f"two processes on two cores: {60 * count / SECONDS:,.0f} evaluations a minute, model asked in each"


def _latest(windows: list[Candles], policy: OnnxPolicy) -> Iterator[str]:
    last = int(windows[0].open_time[-1]) + HOUR
    ready = np.random.default_rng(1).normal(0, 1, (len(windows), WINDOW, len(FEATURES))).astype(np.float32)
    jobs: dict[str, Callable[[], object]] = {
        "TA-Lib alone": lambda: _bare(windows),
        "onnxruntime alone": lambda: policy.session.run(["action_probs"], {"windows": ready}),
    }
    for channel in DEFAULT_CHANNELS:
        rules = default_configuration(channel)
        jobs[f"{channel.channel_id}, candles to decisions"] = lambda rules=rules: [  # type: ignore[misc]  # bound now
            *decide_all(rules, windows, last, last, policy)
        ]
    jobs["all five channels, as the generator does it"] = lambda: _all_channels(windows, last, policy)
    taken = dict(zip(jobs, _medians(*jobs.values()), strict=True))
    bare = taken["TA-Lib alone"] + taken["onnxruntime alone"]
    yield f"{len(windows)} markets, windows of 960 candles, one thread, medians of {ROUNDS} turns in one run"
    yield ""
    yield "| the latest candle of each market | ms | × both alone |"
    yield "|---|---|---|"
    for name, seconds in taken.items():
        yield f"| {name} | {1e3 * seconds:.1f} | {seconds / bare:.2f} |"


def _all_channels(windows: list[Candles], last: int, policy: OnnxPolicy) -> None:
    panel = Panel(windows, last, last)
    for channel in DEFAULT_CHANNELS:
        list(decide_panel(default_configuration(channel), panel, policy))


def _single(window: Candles, policy: OnnxPolicy) -> Iterator[str]:
    rules = _model_rules()
    one = np.zeros((1, WINDOW, len(FEATURES)), dtype=np.float32)
    yield "| one market, ms | p50 | p99 |"
    yield "|---|---|---|"
    for name, job in {
        "the model's answer": lambda: policy.probabilities(one),
        "candles to decision": lambda: decide(rules, window, policy),
    }.items():
        times = sorted(_times(job, SINGLES))
        yield f"| {name} | {1e3 * times[SINGLES // 2]:.2f} | {1e3 * times[SINGLES * 99 // 100]:.2f} |"


def _history(windows: list[Candles], policy: OnnxPolicy) -> Iterator[str]:
    first, last = (int(windows[0].open_time[at]) + HOUR for at in (WARM_UP - 1, -1))
    some = windows[:50]
    count = len(some) * (960 - WARM_UP + 1)
    yield "| a block of history, 50 markets of 561 candles | ms | evaluations a second |"
    yield "|---|---|---|"
    for channel in DEFAULT_CHANNELS:
        rules = default_configuration(channel)
        [seconds] = _medians(lambda rules=rules: [*decide_all(rules, some, first, last, policy)], rounds=5)  # type: ignore[misc]  # bound now
        yield f"| {channel.channel_id} | {1e3 * seconds:.0f} | {count / seconds:,.0f} |"


def _evaluations(seed: int) -> int:
    """Evaluations of the latest candle in `SECONDS`, fifty markets at a time, the model asked about each."""
    windows = [random_walk("1h", 960, 50 * seed + n) for n in range(50)]
    policy, rules, count = open_policy(POLICY), _model_rules(), 0
    last = int(windows[0].open_time[-1]) + HOUR
    end = time.perf_counter() + SECONDS
    while time.perf_counter() < end:
        list(decide_all(rules, windows, last, last, policy))
        count += len(windows)
    return count


def _model_rules() -> Configuration:
    return next(default_configuration(c) for c in DEFAULT_CHANNELS if c.strategy_type == "model")


def _bare(windows: list[Candles]) -> None:
    for window in windows:
        high, low, close, volume = window.high, window.low, window.close, window.volume
        talib.RSI(close, 14)
        talib.MACD(close, 12, 26, 9)
        talib.BBANDS(close, 20, 2.0, 2.0)
        talib.ATR(high, low, close, 14)
        talib.AD(high, low, close, volume)
        talib.SMA(volume, 20)
        talib.SMA(close, 100)
        talib.MAX(high, 20)
        talib.MIN(low, 20)


def _medians(*jobs: Callable[[], object], rounds: int = ROUNDS) -> list[float]:
    """Median seconds of each job, run in turns so that a slow moment hits all of them."""
    taken: list[list[float]] = [[] for _ in jobs]
    for _ in range(rounds):
        for job, times in zip(jobs, taken, strict=True):
            times.extend(_times(job, 1))
    return [median(times) for times in taken]


def _times(job: Callable[[], object], count: int) -> list[float]:
    times = []
    for _ in range(count):
        began = time.perf_counter()
        job()
        times.append(time.perf_counter() - began)
    return times
