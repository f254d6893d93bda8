"""The weather of the simulated market: trends up and down and ranges, each lasting days, calm or wild.

One regime follows another from a fixed epoch on. Its direction, length and volatility and the price at its end are
drawn here, a few microseconds each; the minutes between are drawn by `simulated` when somebody asks for them.
"""

import math
from bisect import bisect_right
from dataclasses import dataclass
from threading import Lock
from zlib import crc32

import numpy as np

from plumbline.domain.calendar import HOUR, day_start

EPOCH = day_start("2017-01-01")
"""The first minute of every simulated market: early enough for a year of daily warm-up before any replay."""

HOURS = (48, 144)
RANGE_SHARE = 0.4
DRIFT = (0.3, 0.4)
"""Drift of a trend in sigmas per hour: enough to be found by an honest method, too little to be seen in one candle."""

VOLATILITIES = ((0.35, "calm", 0.6), (0.80, "normal", 1.0), (1.0, "wild", 1.7))
"""Cumulative probability, name and factor on the pair's usual sigma."""

REVERSION = math.log(2) / 6
"""Pull per hour back to a range's middle: half of a deviation is gone after 6 hours."""

LEAN = 2.5
"""How strongly new trends point back to a pair's long-run price: at twice that price 85 % of them go down."""


@dataclass(frozen=True, slots=True)
class Regime:
    """One stretch of weather, [start, end) in ms. `sigma` and `drift` are log returns per hour, `level` and `change`
    the log price at its start and what it adds until its end."""

    index: int
    start: int
    end: int
    trend: int
    volatility: str
    sigma: float
    drift: float
    level: float
    change: float

    @property
    def hours(self) -> int:
        """Length in hours."""
        return (self.end - self.start) // HOUR


class Regimes:
    """A pair's regimes since EPOCH, walked as far as anybody asked. The walk is the same whatever was asked before."""

    def __init__(self, seed: int, symbol: str, price: float, sigma: float) -> None:
        self._key = (seed, crc32(symbol.encode()))
        self._rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([*self._key, 0])))
        self._home = math.log(price)
        self._sigma = sigma
        self._walked: list[Regime] = []
        self._starts: list[int] = []
        self._lock = Lock()

    def between(self, start: int, end: int) -> list[Regime]:
        """The regimes that touch [start, end), oldest first."""
        start = max(start, EPOCH)
        if end <= start:
            return []
        with self._lock:
            while not self._walked or self._walked[-1].end < end:
                self._append()
        first = bisect_right(self._starts, start) - 1
        return self._walked[first : bisect_right(self._starts, end - 1)]

    def noise(self, regime: Regime) -> np.random.Generator:
        """The random numbers of this regime's own minutes."""
        return np.random.Generator(np.random.PCG64(np.random.SeedSequence([*self._key, 1, regime.index])))

    def _append(self) -> None:
        last = self._walked[-1] if self._walked else None
        start, level = (last.end, last.level + last.change) if last else (EPOCH, self._home)
        regime = self._draw(len(self._walked), start, level)
        self._walked.append(regime)
        self._starts.append(start)

    def _draw(self, index: int, start: int, level: float) -> Regime:
        kind, direction, length, weather, strength = self._rng.random(5).tolist()
        hours = HOURS[0] + int(length * (HOURS[1] - HOURS[0] + 1))
        volatility, factor = next((name, size) for edge, name, size in VOLATILITIES if weather < edge)
        sigma = self._sigma * factor
        up = direction < 1 / (1 + math.exp(LEAN * (level - self._home)))
        trend = 0 if kind < RANGE_SHARE else (1 if up else -1)
        drift = trend * sigma * (DRIFT[0] + strength * (DRIFT[1] - DRIFT[0]))
        change = drift * hours + self._rng.standard_normal() * _spread(trend, sigma, hours)
        return Regime(index, start, start + hours * HOUR, trend, volatility, sigma, drift, level, change)


def _spread(trend: int, sigma: float, hours: int) -> float:
    """Standard deviation of the whole regime's return: Brownian in a trend, Ornstein-Uhlenbeck in a range."""
    if trend:
        return sigma * math.sqrt(hours)
    return sigma * math.sqrt((1 - math.exp(-2 * REVERSION * hours)) / (2 * REVERSION))
