"""The one door to the market: fetch what closed, store it, note what is missing and ask for it again."""

import logging
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from plumbline.domain.calendar import HOUR, Interval, Timeframe, iso
from plumbline.domain.candles import Sifted
from plumbline.domain.errors import ExchangeUnavailable, UnknownSymbol
from plumbline.domain.outcomes import GIVE_UP_AFTER
from plumbline.domain.windows import BLOCK
from plumbline.pipeline.channels import note_universe, open_channels, wanted_symbols
from plumbline.pipeline.progress import (
    EnoughTime,
    Progress,
    always,
    checking,
    collecting,
    generating,
    move,
)
from plumbline.ports import Cursor, Exchange, Stores

HISTORY = 2 * BLOCK
"""Candles loaded of a symbol that is new: the longest window, and one page of an exchange's answer."""

_PATIENCE = 3
"""After this many failures in a row the exchange is away and the rest is left for the next run."""

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
        logger.warning("the market's catalogue is not to be had now, yesterday's serves: %s", away)
    symbols = wanted_symbols(stores, channels, now)
    known = {cursor.name: cursor for cursor in stores.cursors.all()}
    visit = _Visit(exchange, enough_time)
    for timeframe in Timeframe:
        _collect_timeframe(stores, visit, timeframe, symbols, now, known.get(collecting(timeframe)))
    return {"stored": visit.count["stored"], "failed": visit.count["failed"], "refused": visit.count["refused"]}


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
        except UnknownSymbol as unknown:
            logger.warning("%s %s: %s", symbol, timeframe, unknown)
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


def _collect_timeframe(
    stores: Stores, visit: _Visit, timeframe: Timeframe, symbols: Iterable[str], now: int, cursor: Cursor | None
) -> None:
    target = timeframe.floor(now)
    progress = Progress.of(cursor)
    wanted = {s: progress.positions.get(s, target - HISTORY * timeframe.ms) for s in symbols}
    behind = {symbol: start for symbol, start in wanted.items() if start < target}
    due_again = _holes_to_retry(progress, cursor, now)
    if not behind and not due_again:
        return
    frontier = cursor.position if cursor else target
    late = []
    for symbol, start in behind.items():
        arrived = _fetch_into(stores, visit, progress, (symbol, start, target), timeframe)
        wanted[symbol] = max(start, arrived[-1] + timeframe.ms) if arrived else start
        is_new = symbol not in progress.positions
        late += [at for at in arrived if at < frontier and (timeframe is Timeframe.M1 or not is_new)]
    for hole in due_again:
        progress.holes.remove(hole)
        late += _fetch_into(stores, visit, progress, hole, timeframe)
    _call_readers_back(stores, timeframe, late)
    progress.positions = wanted
    move(stores.cursors, cursor, collecting(timeframe), target, **progress.notes())


def _fetch_into(
    stores: Stores, visit: _Visit, progress: Progress, span: tuple[str, int, int], timeframe: Timeframe
) -> list[int]:
    """Fetch and store one span; note the holes inside it. Returns the open times that arrived, in order."""
    symbol, start, end = span
    asked_again = symbol in progress.positions and end <= progress.positions[symbol]
    sifted = visit.fetch(symbol, timeframe, start, end)
    if sifted is None or not len(sifted.candles):
        if asked_again:
            progress.holes.append(span)
        return []
    candles = sifted.candles
    visit.count["stored"] += stores.candles.add(symbol, candles)
    arrived: list[int] = candles.open_time.tolist()
    # Before a symbol's first candle and after its last there is no hole: it was not listed, or is not there yet.
    known_from = start if asked_again or symbol in progress.positions else arrived[0]
    known_until = end if asked_again else arrived[-1] + timeframe.ms
    progress.holes += [(symbol, a, b) for a, b in candles.holes(known_from, known_until)]
    return arrived


def _holes_to_retry(progress: Progress, cursor: Cursor | None, now: int) -> list[tuple[str, int, int]]:
    """Known holes, asked for again once an hour while somebody still waits for them; older ones are forgotten."""
    progress.holes = [hole for hole in progress.holes if hole[2] > now - GIVE_UP_AFTER - HOUR]
    if cursor is None or cursor.position // HOUR == now // HOUR:
        return []
    return [hole for hole in progress.holes if hole[0] in progress.positions]


def _call_readers_back(stores: Stores, timeframe: Timeframe, late: list[int]) -> None:
    """Candles came in behind those who read them: they must look again from the earliest."""
    if not late:
        return
    readers = map(checking, Interval) if timeframe is Timeframe.M1 else (generating(timeframe),)
    for reader in readers:
        stores.cursors.rewind(reader, min(late))
