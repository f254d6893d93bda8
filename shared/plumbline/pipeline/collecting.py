"""The one door to the market: fetch what closed, store it, note what is missing and ask for it again."""

import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from plumbline.domain.calendar import HOUR, Interval, Timeframe, iso
from plumbline.domain.candles import Sifted
from plumbline.domain.errors import ExchangeUnavailable, InvalidInput
from plumbline.domain.outcomes import GIVE_UP_AFTER
from plumbline.domain.windows import BLOCK
from plumbline.pipeline.channels import note_universe, open_channels, wanted_symbols
from plumbline.pipeline.progress import (
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
        self._forget(symbols)
        begin = {s: self.progress.positions.get(s, target - HISTORY * self.timeframe.ms) for s in symbols}
        behind = {symbol: start for symbol, start in begin.items() if start < target}
        due_again = self._holes_due(cursor)
        if not behind and not due_again:
            return
        for symbol, start in behind.items():
            self._bring_up(symbol, start, target, passed)
        for hole in due_again:
            self._ask_again(hole)
        self._call_readers_back()
        move(self.stores.cursors, cursor, collecting(self.timeframe), target, **self.progress.notes())

    def _forget(self, symbols: Iterable[str]) -> None:
        """Keep notes on what is wanted, and holes only while somebody still waits for them."""
        wanted = set(symbols)
        progress = self.progress
        progress.positions = {s: at for s, at in progress.positions.items() if s in wanted}
        progress.stalled = {s: at for s, at in progress.stalled.items() if s in wanted}
        waited_for = self.now - GIVE_UP_AFTER - HOUR
        progress.holes = [h for h in progress.holes if h.end > waited_for and h.symbol in wanted]

    def _holes_due(self, cursor: Cursor | None) -> list[Hole]:
        """Known holes are asked for again once an hour."""
        if cursor is None or cursor.position // HOUR >= self.now // HOUR:
            return []
        return list(self.progress.holes)

    def _bring_up(self, symbol: str, start: int, target: int, passed: int) -> None:
        progress, step = self.progress, self.timeframe.ms
        is_new = symbol not in progress.positions
        since = progress.stalled.setdefault(symbol, self.now)
        # A new symbol's history is no news; what closed since it was first asked for is.
        news_from = self.timeframe.floor(since) - step if is_new and self.timeframe is not Timeframe.M1 else 0
        while start < target:
            arrived = self._store(symbol, start, min(target, start + _AT_ONCE * step), is_new=is_new)
            self.late += [at for at in arrived if news_from <= at < passed]
            if not arrived:
                return
            is_new = False
            start = progress.positions[symbol] = arrived[-1] + step
            progress.stalled.pop(symbol, None)

    def _store(self, symbol: str, start: int, end: int, *, is_new: bool) -> list[int]:
        """Fetch and store one piece and note the holes inside it. Returns the open times that arrived, in order."""
        sifted = self.visit.fetch(symbol, self.timeframe, start, end)
        if sifted is None or not len(sifted.candles):
            return []
        candles = sifted.candles
        self.visit.count["stored"] += self.stores.candles.add(symbol, candles)
        arrived: list[int] = candles.open_time.tolist()
        # Before a symbol's first candle and after its last there is no hole: it was not listed, or is not there yet.
        holes = candles.holes(arrived[0] if is_new else start, arrived[-1] + self.timeframe.ms)
        self.progress.holes += [Hole(symbol, a, b) for a, b in holes]
        self.progress.holes = self.progress.holes[-_MOST_HOLES:]
        return arrived

    def _ask_again(self, hole: Hole) -> None:
        self.progress.holes.remove(hole)
        sifted = self.visit.fetch(hole.symbol, self.timeframe, hole.start, hole.end)
        arrived: list[int] = sifted.candles.open_time.tolist() if sifted else []
        if sifted and arrived:
            self.visit.count["stored"] += self.stores.candles.add(hole.symbol, sifted.candles)
            self.late += arrived
        left = sifted.candles.holes(hole.start, hole.end) if sifted else [(hole.start, hole.end)]
        accept = sifted is not None and self.now - hole.end >= _ACCEPT_AFTER
        if accept and not hole.accepted and self.timeframe is not Timeframe.M1:
            self.late.append(hole.start)
        accepted = replace(hole, accepted=hole.accepted or accept)
        self.progress.holes += [replace(accepted, start=a, end=b) for a, b in left]

    def _call_readers_back(self) -> None:
        """Candles came in behind those who read them: they must look again from the earliest."""
        if not self.late:
            return
        is_minute = self.timeframe is Timeframe.M1
        for reader in map(checking, Interval) if is_minute else (generating(self.timeframe),):
            self.stores.cursors.rewind(reader, min(self.late))
