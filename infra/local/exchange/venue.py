"""The market as a client may see it: nothing after `now`, the candle in progress partial, holes where there are any."""

import time
from dataclasses import dataclass
from threading import Lock

import numpy as np

from infra.local.exchange.market import Market, Pair, aggregate
from plumbline.domain.calendar import DAY, Timeframe
from plumbline.domain.candles import Candles

REACH = 8
"""How much wider each further look is when a window held fewer candles than asked for."""


@dataclass(frozen=True, slots=True)
class Hole:
    """Candles that the exchange lost: those opening in [start, end), of every timeframe or of one."""

    symbol: str
    start: int
    end: int
    timeframe: Timeframe | None = None

    def covers(self, symbol: str, timeframe: Timeframe) -> bool:
        """Whether this series is touched at all."""
        return self.symbol == symbol and self.timeframe in (None, timeframe)


class Venue:
    """One market with a clock and its holes; safe to use from several threads."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self._pairs = {pair.id: pair for pair in market.pairs}
        self._now: int | None = None
        self._holes: tuple[Hole, ...] = ()
        self._lock = Lock()

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """Every pair traded."""
        return self.market.pairs

    def pair(self, market_id: str) -> Pair | None:
        """The pair of this id in Binance's spelling."""
        return self._pairs.get(market_id)

    @property
    def clock_is_set(self) -> bool:
        """Whether somebody set the clock; otherwise it follows the wall clock."""
        return self._now is not None

    @property
    def now(self) -> int:
        """The exchange's time; without a set clock the wall clock's, for recorded data at most its end."""
        if self._now is not None:
            return self._now
        wall = time.time_ns() // 1_000_000
        return wall if self.market.end is None else min(wall, self.market.end)

    def set_clock(self, now: int | None) -> None:
        """Set the clock, or let it follow the wall clock again."""
        self._now = now

    @property
    def holes(self) -> tuple[Hole, ...]:
        """What is taken away at the moment."""
        return self._holes

    def take_away(self, hole: Hole) -> None:
        """Lose these candles until they are given back."""
        with self._lock:
            self._holes = (*self._holes, hole)

    def give_back(self, symbol: str | None = None) -> None:
        """Fill the holes of one pair, or all: an exchange that repairs its history."""
        with self._lock:
            self._holes = tuple(hole for hole in self._holes if symbol not in (None, hole.symbol))

    def window(
        self, symbol: str, timeframe: Timeframe, start: int | None, end: int | None, limit: int, now: int
    ) -> list[Candles]:
        """Candles as Binance picks them: the first `limit` from `start` on, or the last `limit` up to `end`.

        Both bounds are open times and belong to the window. Closed candles and, last, the one in progress at `now`.
        """
        last = now if end is None else min(end, now)
        closed = self._closed(symbol, timeframe, start, min(last + 1, timeframe.floor(now)), limit)
        opened = self._in_progress(symbol, timeframe, now)
        if not len(opened) or not (start or 0) <= opened.open_time[0] <= last:
            return [closed]
        if start is None:
            return [_cut(closed, limit - 1, from_start=False), opened]
        return [closed, opened] if len(closed) < limit else [closed]

    def last_day(self, symbol: str, now: int) -> Candles:
        """The closed minutes of the 24 hours before `now`."""
        end = Timeframe.M1.floor(now)
        return self._seen(symbol, Timeframe.M1, end - DAY, end)

    def _closed(self, symbol: str, timeframe: Timeframe, start: int | None, end: int, limit: int) -> Candles:
        begin = self.market.begin(symbol, timeframe)
        width = limit * timeframe.ms
        while True:
            if start is None:
                first, last = max(begin, end - width), end
            else:
                first = max(begin, start)
                last = min(end, first + width)
            found = self._seen(symbol, timeframe, first, last)
            whole = first <= begin if start is None else last >= end
            if len(found) >= limit or whole:
                return _cut(found, limit, from_start=start is not None)
            width *= REACH

    def _in_progress(self, symbol: str, timeframe: Timeframe, now: int) -> Candles:
        """The candle that `now` lies in, of the minutes closed so far.

        The minute in progress stands flat at the last close: what it will bring is not known yet.
        """
        minute, bucket = Timeframe.M1.floor(now), timeframe.floor(now)
        known = self._seen(symbol, Timeframe.M1, min(bucket, minute - Timeframe.M1.ms), minute)
        if not len(known):
            return Candles.empty(timeframe)
        last = float(known.close[-1])
        flat = Candles.of(Timeframe.M1, [(minute, last, last, last, last, 0.0)])
        opened = aggregate(known.between(bucket, minute).merge(flat), timeframe)
        return self._with_holes(symbol, opened)

    def _seen(self, symbol: str, timeframe: Timeframe, start: int, end: int) -> Candles:
        return self._with_holes(symbol, self.market.candles(symbol, timeframe, start, end))

    def _with_holes(self, symbol: str, candles: Candles) -> Candles:
        for hole in self._holes:
            if hole.covers(symbol, candles.timeframe):
                gone = (candles.open_time >= hole.start) & (candles.open_time < hole.end)
                candles = _where(candles, ~gone)
        return candles


def _where(candles: Candles, kept: np.ndarray) -> Candles:
    columns = (candles.open_time, candles.open, candles.high, candles.low, candles.close, candles.volume)
    return Candles(candles.timeframe, *(column[kept] for column in columns))


def _cut(candles: Candles, limit: int, *, from_start: bool) -> Candles:
    if len(candles) <= limit:
        return candles
    position = np.arange(len(candles))
    return _where(candles, position < limit if from_start else position >= len(candles) - limit)
