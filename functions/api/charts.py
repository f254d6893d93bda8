"""The market around a trade, in candles as fine as fit into one picture."""

import numpy as np

from plumbline.domain.calendar import Timeframe
from plumbline.domain.candles import Candles
from plumbline.domain.trades import Position
from plumbline.ports import Span, Stores

MOST_CANDLES = 400
BEFORE, AFTER = 30, 10
"""Candles before the trade opened and after it closed."""


def candles_around(stores: Stores, position: Position, until: int, now: int) -> Candles:
    """Candles from before the trade opened to after `until` (ms), its close or the present, of the finest timeframe of
    which at most `MOST_CANDLES` cover it. They are made of minutes: no other candles are collected of every market.
    """
    timeframe = _finest(until - position.opened_at)
    start = max(0, timeframe.floor(position.opened_at) - BEFORE * timeframe.ms)
    # One that is not over yet is no candle.
    end = min(timeframe.floor(until) + (AFTER + 1) * timeframe.ms, timeframe.floor(now))
    (minutes,) = stores.candles.load([Span(position.symbol, Timeframe.M1, start, max(start, end))])
    return coarser(minutes, timeframe)


def coarser(minutes: Candles, timeframe: Timeframe) -> Candles:
    """The same market in longer candles; one with a hole in it is made of the minutes there are."""
    opened = minutes.open_time - minutes.open_time % timeframe.ms
    times, first = np.unique(opened, return_index=True)
    if not len(times):
        return Candles.empty(timeframe)
    last = np.append(first[1:], len(opened)) - 1
    return Candles(
        timeframe,
        times,
        minutes.open[first],
        np.maximum.reduceat(minutes.high, first),
        np.minimum.reduceat(minutes.low, first),
        minutes.close[last],
        np.add.reduceat(minutes.volume, first),
    )


def _finest(length: int) -> Timeframe:
    """Both ends of the trade may lie inside a candle, hence two more."""
    fitting = (t for t in Timeframe if max(0, length) // t.ms + BEFORE + AFTER + 2 <= MOST_CANDLES)
    return next(fitting, Timeframe.D1)
