"""The seeded simulation: any minute of any pair, as a pure function of (seed, symbol, time)."""

import math
from functools import lru_cache

import numpy as np

from infra.local.exchange.market import Pair, aggregate, buckets
from infra.local.exchange.regimes import EPOCH, REVERSION, Regime, Regimes
from plumbline.domain.calendar import HOUR, MINUTE, Timeframe
from plumbline.domain.candles import COLUMNS, Candles, Floats

LOOKS = 4
"""Prices drawn within a minute; its high and low are those of the path, not an invention around open and close."""

STEPS_PER_HOUR = 60 * LOOKS

LISTED = (
    (Pair("BTC", "USDT", -2, -5), 42_000.0, 0.0045, 18.0),
    (Pair("ETH", "USDT", -2, -4), 2_300.0, 0.0055, 190.0),
    (Pair("SOL", "USDT", -2, -3), 95.0, 0.0080, 2_400.0),
    (Pair("BNB", "USDT", -2, -3), 310.0, 0.0050, 320.0),
    (Pair("XRP", "USDT", -4, -1), 0.62, 0.0070, 120_000.0),
    (Pair("DOGE", "USDT", -5, 0), 0.082, 0.0080, 600_000.0),
    (Pair("ADA", "USDT", -4, -1), 0.52, 0.0070, 75_000.0),
    (Pair("AVAX", "USDT", -2, -2), 36.0, 0.0080, 780.0),
)
"""Pair, long-run price, usual sigma of an hour's log return, usual volume of a minute in the base currency."""


class SimulatedMarket:
    """Eight independent pairs from EPOCH on, without end. Every longer candle is the sum of its minutes."""

    source = "simulated"
    end = None

    def __init__(self, seed: int = 7, *, minutes_cached: int = 96, hours_cached: int = 8_192) -> None:
        self._listed = {pair.symbol: (pair, volume) for pair, _, _, volume in LISTED}
        self._regimes = {pair.symbol: Regimes(seed, pair.symbol, price, sigma) for pair, price, sigma, _ in LISTED}
        # Per instance, so that the blocks go when the market goes; the whole of one regime is one block.
        self._minutes = lru_cache(minutes_cached)(self._draw)
        self._hours = lru_cache(hours_cached)(self._sum)

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """Every pair traded."""
        return tuple(pair for pair, _ in self._listed.values())

    def begin(self, symbol: str, timeframe: Timeframe) -> int:  # noqa: ARG002  # the port asks; here all begin at once
        """Open time of the first candle: a midnight, so the same for each timeframe."""
        return EPOCH

    def regimes(self, symbol: str, start: int, end: int) -> list[Regime]:
        """The truth behind [start, end), for judging what a strategy found."""
        return self._regimes[symbol].between(start, end)

    def candles(self, symbol: str, timeframe: Timeframe, start: int, end: int) -> Candles:
        """Every candle with open time in [start, end), each complete."""
        first, last = buckets(timeframe, max(start, EPOCH), end)
        blocks = self._hours if timeframe.ms >= HOUR else self._minutes
        parts = [blocks(symbol, regime) for regime in self.regimes(symbol, first, last)]
        base = Timeframe.H1 if timeframe.ms >= HOUR else Timeframe.M1
        return aggregate(_joined(base, parts).between(first, last), timeframe, self._decimals(symbol))

    def _sum(self, symbol: str, regime: Regime) -> Candles:
        return aggregate(self._minutes(symbol, regime), Timeframe.H1, self._decimals(symbol))

    def _decimals(self, symbol: str) -> int:
        return -self._listed[symbol][0].step

    def _draw(self, symbol: str, regime: Regime) -> Candles:
        """All minutes of one regime: its path in ticks, cut into minutes; a minute opens where the last one closed."""
        pair, usual = self._listed[symbol]
        noise = self._regimes[symbol].noise(regime)
        path = np.concatenate(([0.0], _path(regime, noise.standard_normal(regime.hours * STEPS_PER_HOUR))))
        prices = np.maximum(np.rint(np.exp(regime.level + path) * 10.0**-pair.tick), 1.0)
        looks = prices[1:].reshape(-1, LOOKS)
        open_ = prices[:-1:LOOKS]
        high, low = np.maximum(looks.max(axis=1), open_), np.minimum(looks.min(axis=1), open_)
        open_, high, low, close = (_decimal(ticks, pair.tick) for ticks in (open_, high, low, looks[:, -1]))
        times = np.arange(regime.start, regime.end, MINUTE, dtype=np.int64)
        volume = _volume(regime, path[LOOKS::LOOKS] - path[:-1:LOOKS], noise, usual)
        lots = np.maximum(np.rint(volume * 10.0**-pair.step), 1.0)
        return Candles(Timeframe.M1, times, open_, high, low, close, _decimal(lots, pair.step))


def _path(regime: Regime, shocks: Floats) -> Floats:
    """Log price since the regime's start, one value a step, ending exactly at `regime.change`.

    A free path is drawn and its end tied to the one the regime has: the bridge has the law of the free process given
    that end, so hourly returns keep their sigma and drift.
    """
    steps = np.arange(1, len(shocks) + 1)
    shocks = shocks * regime.sigma / math.sqrt(STEPS_PER_HOUR)
    if regime.trend:
        free, tie = np.cumsum(shocks), steps / len(steps)
    else:
        pull = REVERSION / STEPS_PER_HOUR
        free = np.cumsum(shocks * np.exp(pull * steps)) * np.exp(-pull * steps)
        tie = np.sinh(pull * steps) / np.sinh(pull * len(steps))
    path: Floats = free + (regime.change - free[-1]) * tie
    path[-1] = regime.change
    return path


def _volume(regime: Regime, returns: Floats, noise: np.random.Generator, usual: float) -> Floats:
    """Trading is busy when the price moves, in wild weather and around 15:00 UTC, when America opens."""
    hour = (regime.start // HOUR + np.arange(len(returns)) / 60) % 24
    day = 1 + 0.4 * np.cos((hour - 15) * math.tau / 24)
    moved = np.abs(returns) * math.sqrt(60) / regime.sigma
    weather = {"calm": 0.7, "normal": 1.0, "wild": 1.8}[regime.volatility]
    volume: Floats = usual * weather * day * (0.4 + 0.75 * moved) * np.exp(0.5 * noise.standard_normal(len(returns)))
    return volume


def _decimal(units: Floats, exponent: int) -> Floats:
    """Whole ticks or lots as the float that prints as that decimal."""
    return np.round(units / 10.0**-exponent, -exponent)


def _joined(timeframe: Timeframe, parts: list[Candles]) -> Candles:
    if len(parts) == 1:
        return parts[0]
    if not parts:
        return Candles.empty(timeframe)
    columns = (np.concatenate([getattr(part, name) for part in parts]) for name in ("open_time", *COLUMNS))
    return Candles(timeframe, *columns)
