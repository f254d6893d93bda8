"""The one door to the market: fetch what closed, store it, note what is missing and ask for it again."""

import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from plumbline.domain.calendar import HOUR, Interval, Timeframe, iso
from plumbline.domain.candles import Candles, Sifted
from plumbline.domain.errors import ExchangeUnavailable, InvalidInput
from plumbline.domain.outcomes import GIVE_UP_AFTER
from plumbline.domain.windows import BLOCK
from plumbline.pipeline.channels import note_universe, open_channels, wanted_symbols
from plumbline.pipeline.progress import (
    TRACK,
    EnoughTime,
    Hole,
    Progress,
    always,
    checking,
    collecting,
    generating,
    move,
    snapshot,
)
from plumbline.ports import Cursor, Exchange, Stores

HISTORY = 2 * BLOCK
"""Candles loaded of a symbol that is new: the longest window, and one page of an exchange's answer."""

_AT_ONCE = 5_000
"""Candles fetched and stored together: after an outage each such piece is kept, whatever happens to the next."""
_PATIENCE = 3
"""After this many failures in a row the exchange is away and the rest is left for the next run."""
_ACCEPT_AFTER = 2 * HOUR
"""Signals wait this long for a hole to fill; after it the market is taken not to have traded."""
_MOST_HOLES = 300
"""Holes remembered of a timeframe: some exchanges leave out every minute without a trade."""

logger = logging.getLogger(__name__)


def collect_candles(
    stores: Stores, exchange: Exchange, universe_size: int, now: int, enough_time: EnoughTime = always
) -> dict[str, int]:
    """Store every candle of every timeframe that closed by `now` and is not stored yet.

    A symbol that fails keeps its own position and is asked for again by the next run. Returns the candles `stored`,
    the symbols `failed` and the rows `refused` as impossible.
    """
    channels = open_channels(stores)
    try:
        note_universe(stores, exchange, channels, universe_size, now)
    except ExchangeUnavailable as away:
        logger.warning("the market's catalogue is not to be had now, the last one serves: %s", away)
    symbols = wanted_symbols(stores, channels, now)
    known = snapshot(stores.cursors)
    visit = _Visit(exchange, enough_time)
    for timeframe in Timeframe:
        cursor = known.get(collecting(timeframe))
        series = _Series(stores, visit, timeframe, Progress.of(cursor), now)
        series.collect(symbols, cursor)
    return {name: visit.count[name] for name in ("stored", "failed", "refused")}


@dataclass(slots=True)
class _Visit:
    """One run's dealings with the exchange: it stops asking when the exchange is away or the time is over."""

    exchange: Exchange
    enough_time: EnoughTime
    count: Counter[str] = field(default_factory=Counter)
    failures_in_a_row: int = 0
    away: bool = False

    def fetch(self, symbol: str, timeframe: Timeframe, start: int, end: int) -> Sifted | None:
        """Candles of [start, end), or None where they are not to be had now."""
        if self.away or not self.enough_time():
            return None
        try:
            sifted = self.exchange.candles(symbol, timeframe, start, end)
        except InvalidInput as impossible:
            logger.warning("%s %s: %s", symbol, timeframe, impossible)
        except ExchangeUnavailable as away:
            self.failures_in_a_row += 1
            self.away = away.retry_after is not None or self.failures_in_a_row >= _PATIENCE
            logger.warning("%s %s from %s: %s", symbol, timeframe, iso(start), away)
        else:
            self.failures_in_a_row = 0
            self.count["refused"] += len(sifted.refused)
            for reason in sifted.refused:
                logger.warning("%s %s: refused: %s", symbol, timeframe, reason)
            return sifted
        self.count["failed"] += 1
        return None


@dataclass(slots=True)
class _Series:
    """One timeframe of one run. `late`: open times that arrived where readers may already have been."""

    stores: Stores
    visit: _Visit
    timeframe: Timeframe
    progress: Progress
    now: int
    late: list[int] = field(default_factory=list)

    def collect(self, symbols: Sequence[str], cursor: Cursor | None) -> None:
        """Bring every symbol up to the last close, ask for holes again, call readers back, move the cursor."""
        # An event that comes again after a newer one works as of the newer one: a cursor never goes back by itself.
        passed = cursor.position if cursor else 0
        target = max(self.timeframe.floor(self.now), passed)
        is_hourly = self.progress.asked // HOUR < self.now // HOUR
        self._forget(symbols)
        behind = self._behind(symbols, target, is_hourly=is_hourly)
        due_again = list(self.progress.holes) if is_hourly else []
        if target == passed and not (behind or due_again or self.late):
            return
        for symbol, start in behind.items():
            self._bring_up(symbol, start, target, passed)
        for hole in due_again:
            self._ask_again(hole)
        if is_hourly:
            self.progress.asked = self.now
        self._keep(self.progress.holes[-_MOST_HOLES:])
        # Before the move for a crash between the two, after it for a reader that has read our old notes meanwhile.
        self._call_readers_back()
        move(self.stores.cursors, cursor, collecting(self.timeframe), target, **self.progress.notes())
        self._call_readers_back()

    def _forget(self, symbols: Iterable[str]) -> None:
        """Keep notes on what is wanted, and holes only while somebody still waits for them."""
        wanted, progress = set(symbols), self.progress
        progress.positions = {s: at for s, at in progress.positions.items() if s in wanted}
        progress.stalled = {s: at for s, at in progress.stalled.items() if s in wanted}
        self._keep([hole for hole in progress.holes if self._is_waited_for(hole) and hole.symbol in wanted])

    def _keep(self, holes: list[Hole]) -> None:
        """Give up the other holes: signals that waited for them are decided on what there is."""
        if self.timeframe is not Timeframe.M1:
            self.late += [hole.start for hole in self.progress.holes if hole not in holes]
        self.progress.holes = holes

    def _is_waited_for(self, hole: Hole) -> bool:
        return hole.end > self.now - GIVE_UP_AFTER - HOUR

    def _behind(self, symbols: Sequence[str], target: int, *, is_hourly: bool) -> dict[str, int]:
        """Symbols to bring up, and from where. One that has brought nothing for an hour is asked once an hour."""
        progress, history = self.progress, target - HISTORY * self.timeframe.ms
        begin = {symbol: progress.positions.get(symbol, history) for symbol in symbols}
        return {
            symbol: start
            for symbol, start in begin.items()
            if start < target and (is_hourly or not progress.gave_up(symbol, self.now, HOUR))
        }

    def _bring_up(self, symbol: str, start: int, target: int, passed: int) -> None:
        """Fetch piece by piece; an empty piece is no end, a market may have been halted for longer."""
        progress, step = self.progress, self.timeframe.ms
        is_new, position = symbol not in progress.positions, start
        since = progress.stalled.setdefault(symbol, self.now)
        # A new symbol's history is no news; what closed since it was first asked for is.
        news_from = self.timeframe.floor(since) - step if is_new and self.timeframe is not Timeframe.M1 else 0
        for begin in range(start, target, _AT_ONCE * step):
            sifted = self.visit.fetch(symbol, self.timeframe, begin, min(target, begin + _AT_ONCE * step))
            if sifted is None:
                return
            arrived = self._store(symbol, sifted.candles)
            if not arrived:
                continue
            self.late += [at for at in arrived if news_from <= at < passed]
            if self.timeframe is Timeframe.M1 and position < passed:
                self.late.append(position)  # quiet minutes: only now is it known that they were
            # Before a symbol's first candle there is no hole: it was not listed yet.
            missing = sifted.candles.holes(arrived[0] if is_new else position, arrived[-1] + step)
            progress.holes += [hole for hole in (Hole(symbol, a, b) for a, b in missing) if self._is_waited_for(hole)]
            is_new, position = False, arrived[-1] + step
            progress.positions[symbol] = position
            progress.stalled.pop(symbol, None)

    def _store(self, symbol: str, candles: Candles) -> list[int]:
        """Store what came; returns its open times, in order."""
        if len(candles):
            self.visit.count["stored"] += self.stores.candles.add(symbol, candles)
        arrived: list[int] = candles.open_time.tolist()
        return arrived

    def _ask_again(self, hole: Hole) -> None:
        """Fill what can be filled. Outcomes wait for the rest as long as they may, signals only a while."""
        sifted = self.visit.fetch(hole.symbol, self.timeframe, hole.start, hole.end)
        if sifted is None:
            return
        self.progress.holes.remove(hole)
        self.late += self._store(hole.symbol, sifted.candles)
        left = [Hole(hole.symbol, a, b) for a, b in sifted.candles.holes(hole.start, hole.end)]
        if self.timeframe is Timeframe.M1 or self.now - hole.end < _ACCEPT_AFTER:
            self.progress.holes += left
        else:
            self.late += [part.start for part in left]

    def _call_readers_back(self) -> None:
        """Candles came in behind those who read them: they must look again from the earliest."""
        if not self.late:
            return
        is_minute = self.timeframe is Timeframe.M1
        for reader in (*map(checking, Interval), TRACK) if is_minute else (generating(self.timeframe),):
            self.stores.cursors.rewind(reader, min(self.late))
