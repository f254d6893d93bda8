"""The paper book in memory: open positions, closed trades, and their rollups."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from plumbline.domain.books import BOOK_DIMENSIONS, BookRollup, dump_book_row, parse_book_row
from plumbline.domain.errors import InvalidInput
from plumbline.domain.signals import timestamp_of
from plumbline.domain.trades import Board, Position, Trade
from plumbline.ports import MOST_READ, Page, TradeFilter
from tests.fake_pages import cursor_after, put_new, resume_at


class InMemoryPositions:
    """ports.Positions."""

    def __init__(self, most_read: int = MOST_READ) -> None:
        self.positions: dict[str, Position] = {}
        self.marked: Board | None = None
        self._most_read = most_read

    def put(self, position: Position) -> None:
        _check_opening(position)
        self.positions[position.signal_id] = position

    def remove(self, signal_id: str) -> None:
        self.positions.pop(signal_id, None)

    def all(self) -> list[Position]:
        return list(self)

    def page(self, wanted: TradeFilter, limit: int, cursor: str | None = None) -> Page[Position]:
        before = resume_at(cursor, wanted, timestamp_of)
        newest = [(p.signal_id, p, p) for p in reversed(list(self)) if _is_within(p.opened_at, wanted)]
        return _page(newest, wanted, limit, before, self._most_read)

    def mark(self, board: Board) -> None:
        if self.marked is None or self.marked.as_of <= board.as_of:
            self.marked = replace(board, prices=dict(board.prices))

    def board(self) -> Board | None:
        return self.marked

    def __contains__(self, position: Position) -> bool:
        return self.positions.get(position.signal_id) == position

    def __iter__(self) -> Iterator[Position]:
        return iter([self.positions[signal_id] for signal_id in sorted(self.positions)])

    def __len__(self) -> int:
        return len(self.positions)


class InMemoryTrades:
    """ports.Trades."""

    def __init__(self, most_read: int = MOST_READ) -> None:
        self.trades: dict[str, Trade] = {}
        self._most_read = most_read

    def add(self, trade: Trade) -> bool:
        _check_opening(trade.position)
        return put_new(self.trades, trade.signal_id, trade)

    def get(self, signal_ids: Iterable[str]) -> dict[str, Trade]:
        asked = [(signal_id, timestamp_of(signal_id)) for signal_id in signal_ids]
        return {signal_id: self.trades[signal_id] for signal_id, _ in asked if signal_id in self.trades}

    def closed_between(self, after: int, until: int) -> Iterator[Trade]:
        yield from [trade for trade in self if after < trade.closed_at <= until]

    def page(self, wanted: TradeFilter, limit: int, cursor: str | None = None) -> Page[Trade]:
        before = resume_at(cursor, wanted, lambda place: timestamp_of(place.partition("#")[2]))
        newest = [
            (_place(trade), trade.position, trade)
            for trade in reversed(list(self))
            if _is_within(trade.closed_at, wanted) and _is_in_index(trade.position, wanted)
        ]
        return _page(newest, wanted, limit, before, self._most_read)

    def __contains__(self, trade: Trade) -> bool:
        return self.trades.get(trade.signal_id) == trade

    def __iter__(self) -> Iterator[Trade]:
        return iter(sorted(self.trades.values(), key=_place))

    def __len__(self) -> int:
        return len(self.trades)


class InMemoryBookRollups:
    """ports.BookRollups."""

    def __init__(self) -> None:
        self.rollups: dict[str, BookRollup] = {}
        self.versions: dict[str, int] = {}

    def put(self, rollup: BookRollup, version: int) -> None:
        if version < self.versions.get(rollup.day, version):
            return
        self.versions[rollup.day] = version
        # Rows travel as text in every real store: a cell that does not survive that is a mistake to be seen here.
        cells = {
            dimension: parse_book_row(dump_book_row(row))
            for dimension, row in rollup.cells.items()
            if row and dimension in BOOK_DIMENSIONS
        }
        self.rollups[rollup.day] = replace(rollup, cells=cells)

    def get(self, day: str) -> BookRollup | None:
        return self.rollups.get(day)

    def days(self, days: Sequence[str], dimensions: Sequence[str], *, consistent: bool = False) -> list[BookRollup]:
        found = [self.rollups[day] for day in sorted({*days}) if day in self.rollups]
        return [replace(r, cells={d: r.cells[d] for d in dimensions if d in r.cells}) for r in found]


def _page[T](
    newest: Sequence[tuple[str, Position, T]], wanted: TradeFilter, limit: int, before: str | None, most_read: int
) -> Page[T]:
    """Of (place, position, item), newest first: at most `most_read` after `before` are looked at."""
    if limit < 1:
        raise InvalidInput(f"a page holds 1 trade or more, not {limit}", field="limit")
    rest = [each for each in newest if before is None or each[0] < before]
    looked_at = rest[:most_read]
    found = [(place, item) for place, position, item in looked_at if _matches(position, wanted)]
    shown = tuple(item for _, item in found[:limit])
    if len(found) > limit:
        return Page(shown, cursor_after(found[limit - 1][0], wanted))
    return Page(shown, cursor_after(looked_at[-1][0], wanted) if len(rest) > most_read else None)


def _place(trade: Trade) -> str:
    return f"{trade.closed_at:013d}#{trade.signal_id}"


def _is_within(instant: int, wanted: TradeFilter) -> bool:
    return (wanted.since is None or wanted.since <= instant) and (wanted.until is None or instant <= wanted.until)


def _is_in_index(position: Position, wanted: TradeFilter) -> bool:
    """Whether a reader of the index of this filter comes past it: a symbol, or else a channel, has one."""
    if wanted.symbol is not None:
        return position.symbol == wanted.symbol
    return wanted.channel_id in (None, position.channel_id)


def _matches(position: Position, wanted: TradeFilter) -> bool:
    names = ("symbol", "channel_id", "scanner_type", "timeframe", "market_type", "tier", "side")
    return all(getattr(wanted, name) in (None, getattr(position, name)) for name in names)


def _check_opening(position: Position) -> None:
    named = timestamp_of(position.signal_id)
    if named != position.opened_at:
        raise InvalidInput(f"{position.signal_id} opened at {named}, not {position.opened_at}", field="opened_at")
