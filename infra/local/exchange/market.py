"""What an exchange trades: one Protocol over a simulation and over recorded files, and longer candles from 1m ones."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from plumbline.domain.calendar import Timeframe
from plumbline.domain.candles import Candles

DECIMALS = 8
"""Binance prints every figure with 8 decimals."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One spot pair. `tick` and `step` are the smallest steps of price and amount, as decimal exponents (-2: 0.01)."""

    base: str
    quote: str
    tick: int = -8
    step: int = -8

    @property
    def symbol(self) -> str:
        """ccxt's spelling: `BTC/USDT`."""
        return f"{self.base}/{self.quote}"

    @property
    def id(self) -> str:
        """Binance's spelling: `BTCUSDT`."""
        return f"{self.base}{self.quote}"


class Market(Protocol):
    """All that ever happens on a market, past and future; what a client may see of it is the venue's business."""

    @property
    def source(self) -> str:
        """`simulated` or `recorded`."""

    @property
    def end(self) -> int | None:
        """Where the data ends (ms); None where it never does."""

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """Every pair traded."""

    def begin(self, symbol: str, timeframe: Timeframe) -> int:
        """Open time of the first candle there is."""

    def candles(self, symbol: str, timeframe: Timeframe, start: int, end: int) -> Candles:
        """Every candle with open time in [start, end), each complete."""


def aggregate(candles: Candles, timeframe: Timeframe, decimals: int = DECIMALS) -> Candles:
    """Longer candles from shorter ones; a bucket with holes is made of what there is.

    Volumes are rounded to `decimals`, so that hours added up and minutes added up give the same day.
    """
    if timeframe == candles.timeframe or not len(candles):
        return Candles(timeframe, *_columns(candles))
    bucket = candles.open_time - candles.open_time % timeframe.ms
    first = np.flatnonzero(np.diff(bucket, prepend=-1))
    last = np.append(first[1:], len(bucket)) - 1
    return Candles(
        timeframe,
        bucket[first],
        candles.open[first],
        np.maximum.reduceat(candles.high, first),
        np.minimum.reduceat(candles.low, first),
        candles.close[last],
        np.add.reduceat(candles.volume, first).round(decimals),
    )


def buckets(timeframe: Timeframe, start: int, end: int) -> tuple[int, int]:
    """The whole candles that open in [start, end), as the span [first, last) of time they cover."""
    return -(-start // timeframe.ms) * timeframe.ms, -(-end // timeframe.ms) * timeframe.ms


def _columns(candles: Candles) -> tuple[np.ndarray, ...]:
    return candles.open_time, candles.open, candles.high, candles.low, candles.close, candles.volume
