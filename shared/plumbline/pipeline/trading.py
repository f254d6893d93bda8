"""Every signal trades on paper: open its trade, match it against the market's minutes, close it once."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import batched
from typing import cast

from plumbline.domain.calendar import DAY, HOUR, Timeframe
from plumbline.domain.candles import Candles
from plumbline.domain.exits import OPEN, resolve
from plumbline.domain.outcomes import GIVE_UP_AFTER
from plumbline.domain.settlement import orders_of, settle, unknown, unrealised
from plumbline.domain.signals import Signal, to_price
from plumbline.domain.trades import Board, Position, Terms, Trade, position_of
from plumbline.pipeline.channels import open_channels, timeframes_of
from plumbline.pipeline.progress import (
    SUMMARISE,
    TRACK,
    Clock,
    EnoughTime,
    Progress,
    always,
    collecting,
    event_time,
    move,
    reached,
    signals_complete_until,
    snapshot,
)
from plumbline.ports import Cursor, Span, Stores
from plumbline.settings import Settings

HOLE_PATIENCE = 2 * HOUR
"""Trades wait this long for a hole inside a series to fill, as signals do; then the market did not trade there."""

_MINUTE = Timeframe.M1
_AT_ONCE = 100
"""Trades settled together: each may need a day of minutes."""


def track_trades(
    stores: Stores, settings: Settings, now: int, enough_time: EnoughTime = always, *, clock: Clock = event_time
) -> dict[str, int]:
    """Open a trade for every signal since the last run; close those that touched a level or expired.

    Returns how many were `opened` and `closed`, how many are `open` now, and how many of these are `priceless`: past
    their deadline, waiting for candles.
    """
    count = {"opened": 0, "closed": 0, "open": 0, "priceless": 0}
    known = snapshot(stores.cursors)
    minutes, cursor = known.get(collecting(_MINUTE)), known.get(TRACK)
    if minutes is None:
        return count
    complete = signals_complete_until(known, timeframes_of(open_channels(stores)))
    # No minute is missing up to the second bound, no signal up to the third.
    target = _MINUTE.floor(min(now, minutes.position, minutes.position if complete is None else complete))
    if cursor is None:
        move(stores.cursors, None, TRACK, target)
        return count
    if cursor.position >= target:
        return count
    work = _Work(stores, settings, Progress.of(minutes), now, clock(now), count)
    book = {position.signal_id: position for position in stores.positions.all()}
    for after in range(cursor.position, target, DAY):
        if not enough_time():
            break
        # At most a day at once, so that a long catch-up keeps what it has done.
        cursor = _advance(work, cursor, book, after, min(after + DAY, target))
    return count


type _Positions = dict[str, Position]
"""The open trades by signal id, while a run works on them."""


@dataclass(frozen=True, slots=True)
class _Work:
    """What the steps of one run share."""

    stores: Stores
    settings: Settings
    progress: Progress
    now: int
    recorded_at: int
    count: dict[str, int]
    unsaved: set[str] = field(default_factory=set)
    """Open trades that are new, or have entered, since they were last stored."""

    def settled_until(self, symbol: str, until: int) -> int:
        """Up to where (ms, at most `until`) nothing more is expected of this symbol's minutes."""
        if self.progress.gave_up(symbol, self.now, GIVE_UP_AFTER):
            return until
        young = [h.start for h in self.progress.holes if h.symbol == symbol and h.end > self.now - HOLE_PATIENCE]
        return min([until, self.progress.positions.get(symbol, 0), *young])


@dataclass(frozen=True, slots=True)
class _Stretch:
    """One symbol's minutes that closed in (since, until], for its open trades."""

    symbol: str
    since: int
    until: int
    positions: Sequence[Position]
    minutes: Candles = field(default_factory=lambda: Candles.empty(_MINUTE))

    @property
    def span(self) -> Span:
        """Where its candles lie."""
        return Span(self.symbol, _MINUTE, _MINUTE.floor(self.since), _MINUTE.floor(self.until))


def _advance(work: _Work, cursor: Cursor, book: _Positions, after: int, until: int) -> Cursor:
    """Bring the open trades from `after` to `until` (ms).

    A crash may cut the writes anywhere: a trade is stored before its position is forgotten, and positions are stored
    and the summary is called back before our own cursor moves.
    """
    stores = work.stores
    if after // HOUR != until // HOUR:
        _forget_closed(work, book)
    opened = _open(work, book, after, until, again=after < reached(cursor))
    stretches, behind = _stretches(work, cursor, book, after, until)
    closed = [*_settled(work, [p for stretch in stretches for p in _ripe(work, book, stretch)])]
    for trade in closed:
        work.count["closed"] += stores.trades.add(trade)
        # What was opened in this very step has no position to forget.
        if trade.signal_id not in opened:
            stores.positions.remove(trade.signal_id)
        del book[trade.signal_id]
    _save(work, book)
    # The summary counts what closed before our cursor, not what closed at it.
    late = [trade.closed_at for trade in closed if trade.closed_at < reached(cursor)]
    if late:
        stores.cursors.rewind(SUMMARISE, min(late) - 1)
    waiting = {p.symbol for p in book.values()}
    notes = {symbol: at for symbol, at in behind.items() if symbol in waiting}
    cursor = move(stores.cursors, cursor, TRACK, until, behind=notes)
    stores.positions.mark(_board(work, book, stretches, until))
    work.count["open"] = len(book)
    work.count["priceless"] = sum(position.deadline <= until for position in book.values())
    return cursor


def _forget_closed(work: _Work, book: _Positions) -> None:
    """A run that was overtaken and then died may have put back a position that another closed: look once an hour."""
    for signal_id in work.stores.trades.get(book):
        work.stores.positions.remove(signal_id)
        del book[signal_id]


def _save(work: _Work, book: _Positions) -> None:
    """Store what is new or has entered, once: after the minutes were looked at, with the entry they tell."""
    for signal_id in sorted(work.unsaved & book.keys()):
        work.stores.positions.put(book[signal_id])
    work.unsaved.clear()


def _open(work: _Work, book: _Positions, after: int, until: int, *, again: bool) -> set[str]:
    """A position for each signal of (after, until], unless it is open or closed already; returns the new ones' ids."""
    signals = [s for s in work.stores.signals.between(after, until) if _wanted(work.settings, s)]
    # Only a run that was called back can meet signals whose trades are closed.
    closed = work.stores.trades.get([s.signal_id for s in signals]) if again and signals else {}
    new = {s.signal_id: position_of(s, _terms(work.settings)) for s in signals if s.signal_id not in {*book, *closed}}
    book |= new
    work.unsaved.update(new)
    work.count["opened"] += len(new)
    return set(new)


def _stretches(
    work: _Work, cursor: Cursor, book: _Positions, after: int, until: int
) -> tuple[list[_Stretch], dict[str, int]]:
    """The minutes to look at, by symbol, and how far those have come that lag behind `until`."""
    noted = cast("Mapping[str, int]", cursor.notes.get("behind", {}))
    by_symbol: defaultdict[str, list[Position]] = defaultdict(list)
    for position in book.values():
        by_symbol[position.symbol].append(position)
    stretches, behind = [], {}
    for symbol, positions in sorted(by_symbol.items()):
        since = min(after, int(noted.get(symbol, after)))
        settled = max(since, work.settled_until(symbol, until))
        stretches.append(_Stretch(symbol, since, settled, positions))
        if settled < until:
            behind[symbol] = settled
    loaded = work.stores.candles.load([stretch.span for stretch in stretches])
    return [replace(s, minutes=minutes) for s, minutes in zip(stretches, loaded, strict=True)], behind


def _ripe(work: _Work, book: _Positions, stretch: _Stretch) -> Iterator[tuple[Position, int]]:
    """Positions that a candle of this stretch closes, or whose deadline calls for a decision, each with how far the
    minutes are known. On the way, those that enter get their entry price.
    """
    exits = resolve(stretch.minutes, orders_of(stretch.positions), stretch.until)
    for index, position in enumerate(stretch.positions):
        past = position.deadline <= stretch.until
        fresh = position.deadline > stretch.since or work.now >= position.deadline + GIVE_UP_AFTER
        if int(exits.code[index]) != OPEN and (fresh or not past):
            yield position, stretch.until
        elif (at := int(exits.entry[index])) >= 0:
            _enter(work, book, position, to_price(stretch.minutes.open[at]), whole=position.opened_at >= stretch.since)


def _enter(work: _Work, book: _Positions, position: Position, price: Decimal, *, whole: bool) -> None:
    """Note at what price the net book entered; seen from its opening on (`whole`), a late candle may correct it."""
    known = position.net_entry_price
    if known is None or (whole and known != price):
        book[position.signal_id] = replace(position, net_entry_price=price)
        work.unsaved.add(position.signal_id)


def _settled(work: _Work, ripe: Sequence[tuple[Position, int]]) -> Iterator[Trade]:
    """The trades these positions have become, each by all minutes since its opening; none where a price is missing."""
    for batch in batched(ripe, _AT_ONCE, strict=False):
        spans = [Span(p.symbol, _MINUTE, _MINUTE.floor(p.opened_at), min(until, p.deadline)) for p, until in batch]
        for (position, until), minutes in zip(batch, work.stores.candles.load(spans), strict=True):
            found = settle(position, minutes, until, work.recorded_at)
            if found.trade:
                yield found.trade
            elif found.priceless and work.now >= position.deadline + GIVE_UP_AFTER:
                yield unknown(position, work.recorded_at)


def _board(work: _Work, book: _Positions, stretches: Sequence[_Stretch], as_of: int) -> Board:
    """What is open now, at the last prices; a symbol that brought no candle keeps the price it had."""
    counting = [position for position in book.values() if position.origin.counts]
    seen = {s.symbol: to_price(s.minutes.close[-1]) for s in stretches if len(s.minutes)}
    wanted = {position.symbol for position in book.values()}
    before = work.stores.positions.board() if wanted - seen.keys() else None
    prices = {s: p for s, p in {**(before.prices if before else {}), **seen}.items() if s in wanted}
    made = [unrealised(p, prices[p.symbol]) for p in counting if p.symbol in prices]
    total = sum((profit.usd for profit in made if profit), Decimal(0))
    return Board(as_of=as_of, open=len(counting), unrealised_usd=total, prices=prices)


def _terms(settings: Settings) -> Terms:
    return Terms(
        position_usd=settings.paper_position_usd,
        fee_bps=settings.paper_fee_bps,
        slippage_bps=settings.paper_slippage_bps,
    )


def _wanted(settings: Settings, signal: Signal) -> bool:
    """The filter that an operator may set; by default every signal trades."""
    return signal.market_type in settings.paper_market_types and signal.confidence >= settings.paper_min_confidence
