"""Statistics of closed paper trades: mergeable, exact, in three books side by side.

A cell holds counts, exact sums and, for each book, the path its P&L took from trade to trade. Cells of consecutive
stretches of time merge into the cell of the whole: any split into such stretches gives the same one. All of it but the
path would merge in any order; the path needs the order of time, so `+` reads "and then".
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any, Literal, Self

from plumbline.domain.returns import Returns
from plumbline.domain.trades import FLAT_WITHIN, Profit, Status, Trade

BOOK_DIMENSIONS = ("all", "scanner", "tier", "type", "symbol", "channel", "snapshot", "timeframe", "market")
"""What closed trades are counted by."""

type BookName = Literal["ideal", "net", "pessimistic"]
BOOKS: tuple[BookName, ...] = ("ideal", "net", "pessimistic")

_ZERO = Decimal(0)
_NO_RETURNS = Returns()


@dataclass(frozen=True, slots=True)
class Book:
    """What one book made of a stretch of trades, USD. `a + b`: first the trades of a, then those of b.

    A winner made more than $0.01 in this book, a loser lost more; `best` and `worst` are single trades, None without
    any. `peak` (≥ 0) and `trough` (≤ 0) are the highest and lowest P&L between the trades, the beginning included, and
    `drawdown` (≥ 0) is the deepest fall from a peak before it. Money has six decimals, so the sums are exact.
    """

    winners: int = 0
    losers: int = 0
    pnl: Decimal = _ZERO
    pnl_winners: Decimal = _ZERO
    pnl_losers: Decimal = _ZERO
    squares: Decimal = _ZERO
    best: Decimal | None = None
    worst: Decimal | None = None
    peak: Decimal = _ZERO
    trough: Decimal = _ZERO
    drawdown: Decimal = _ZERO

    def __add__(self, later: "Book") -> "Book":
        return Book(
            winners=self.winners + later.winners,
            losers=self.losers + later.losers,
            pnl=self.pnl + later.pnl,
            pnl_winners=self.pnl_winners + later.pnl_winners,
            pnl_losers=self.pnl_losers + later.pnl_losers,
            squares=self.squares + later.squares,
            best=max((b for b in (self.best, later.best) if b is not None), default=None),
            worst=min((w for w in (self.worst, later.worst) if w is not None), default=None),
            peak=max(self.peak, self.pnl + later.peak),
            trough=min(self.trough, self.pnl + later.trough),
            drawdown=max(self.drawdown, later.drawdown, self.fall_to(later)),
        )

    def fall_to(self, later: "Book") -> Decimal:
        """From the highest P&L of this stretch to the lowest of the one that follows it."""
        return self.peak - (self.pnl + later.trough)

    @classmethod
    def of(cls, profit: Profit | None) -> Self:
        """One trade; an empty book where it has no P&L."""
        if profit is None:
            return cls()
        usd = profit.usd
        wins, loses = usd > FLAT_WITHIN, usd < -FLAT_WITHIN
        return cls(
            winners=int(wins),
            losers=int(loses),
            pnl=usd,
            pnl_winners=usd if wins else _ZERO,
            pnl_losers=usd if loses else _ZERO,
            squares=usd * usd,
            best=usd,
            worst=usd,
            peak=max(usd, _ZERO),
            trough=min(usd, _ZERO),
            drawdown=max(-usd, _ZERO),
        )


@dataclass(frozen=True, slots=True)
class BookCell:
    """Counts, sums and books of a stretch of closed trades. `a + b`: first the trades of a, then those of b.

    `net_if_target` is the net P&L had every ambiguous trade reached its target. `held_seconds`, the excursions (percent
    of the price, added up) and `held_usd_seconds` (position size × time held) are of the trades that have a P&L, and so
    are the `returns`, net.
    """

    targets: int = 0
    stops: int = 0
    expired: int = 0
    unknown: int = 0
    ambiguous: int = 0
    held_seconds: int = 0
    held_usd_seconds: Decimal = _ZERO
    max_favourable: Decimal = _ZERO
    max_adverse: Decimal = _ZERO
    net_if_target: Decimal = _ZERO
    returns: Returns = _NO_RETURNS
    ideal: Book = Book()
    net: Book = Book()
    pessimistic: Book = Book()

    @property
    def priced(self) -> int:
        """Trades that closed with a price: what every rate and average divides by."""
        return self.targets + self.stops + self.expired

    @property
    def closed(self) -> int:
        """All closed trades, those without a price among them."""
        return self.priced + self.unknown

    @property
    def winning(self) -> int:
        """Trades that made more than $0.01 net."""
        return self.net.winners

    @property
    def losing(self) -> int:
        """Trades that lost more than $0.01 net."""
        return self.net.losers

    @property
    def flat(self) -> int:
        """Trades that did neither."""
        return self.priced - self.winning - self.losing

    def book(self, name: BookName) -> Book:
        """One of its three books."""
        books: dict[BookName, Book] = {"ideal": self.ideal, "net": self.net, "pessimistic": self.pessimistic}
        return books[name]

    def __add__(self, later: "BookCell") -> "BookCell":
        return BookCell(*(getattr(self, name) + getattr(later, name) for name in BookCell.__slots__))

    @classmethod
    def of(cls, trade: Trade) -> Self:
        """The cell of one trade."""
        if trade.net is None:
            return cls(unknown=1)
        if_target = trade.net_if_target or trade.net
        return cls(
            targets=int(trade.status is Status.TARGET),
            stops=int(trade.status is Status.STOP),
            expired=int(trade.status is Status.EXPIRED),
            ambiguous=int(trade.ambiguous),
            held_seconds=trade.held_seconds,
            held_usd_seconds=trade.held_seconds * trade.position.terms.position_usd,
            max_favourable=trade.max_favourable_pct or _ZERO,
            max_adverse=trade.max_adverse_pct or _ZERO,
            net_if_target=if_target.usd,
            returns=Returns.of(trade),
            ideal=Book.of(trade.ideal),
            net=Book.of(trade.net),
            pessimistic=Book.of(trade.pessimistic),
        )


type BookCells = dict[str, dict[str, BookCell]]
"""Dimension, value, cell."""


@dataclass(frozen=True, slots=True)
class BookRollup:
    """One UTC day's cells over the trades that closed in it, up to `through` (ms)."""

    day: str
    through: int
    cells: BookCells


def dimensions_of(trade: Trade) -> Iterator[tuple[str, str]]:
    """The (dimension, value) pairs under which a trade is counted."""
    position = trade.position
    yield "all", "all"
    yield "scanner", position.scanner_type
    yield "tier", position.tier
    yield "type", position.side
    yield "symbol", position.symbol
    yield "channel", position.channel_id
    yield "snapshot", position.snapshot_id
    yield "timeframe", position.timeframe
    yield "market", position.market_type


def count_trades(trades: Iterable[Trade], dimensions: Collection[str] = BOOK_DIMENSIONS) -> BookCells:
    """Cells over closed trades, given in order of closing, along these dimensions.

    Trades of backfilled signals are left out: they were not made in time and do not count in the record.
    """
    cells: BookCells = {}
    for trade in trades:
        if trade.position.origin.counts:
            single = BookCell.of(trade)
            for dimension, value in dimensions_of(trade):
                if dimension in dimensions:
                    row = cells.setdefault(dimension, {})
                    row[value] = row[value] + single if value in row else single
    return cells


def merge_books(parts: Iterable[BookCells]) -> BookCells:
    """Cells of consecutive stretches of time, given oldest first, as the cells of all of it."""
    merged: BookCells = {}
    for part in parts:
        for dimension, row in part.items():
            target = merged.setdefault(dimension, {})
            for value, cell in row.items():
                target[value] = target.get(value, BookCell()) + cell
    return merged


def dump_book_row(row: Mapping[str, BookCell]) -> str:
    """Canonical JSON of one dimension's cells: the same trades give the same bytes."""
    content = {value: _numbers(cell) for value, cell in row.items()}
    return json.dumps(content, sort_keys=True, separators=(",", ":"))


def parse_book_row(text: str) -> dict[str, BookCell]:
    """Reverse of `dump_book_row`."""
    content: dict[str, list[Any]] = json.loads(text)
    return {value: _cell(numbers) for value, numbers in content.items()}


_PARTS = 1 + len(BOOKS)
"""The returns and the books, each a list of its own behind the cell's own numbers."""


def _numbers(cell: BookCell) -> list[Any]:
    values = _values(cell)
    return [*map(_written, values[:-_PARTS]), *([_written(v) for v in _values(part)] for part in values[-_PARTS:])]


def _values(part: BookCell | Returns | Book) -> list[Any]:
    return [getattr(part, field.name) for field in fields(part)]


def _written(value: int | Decimal | None) -> int | str | None:
    """Counts as they are; money as text of one form: 2.50 and 2.5 are the same bytes."""
    return f"{value.normalize() + 0:f}" if isinstance(value, Decimal) else value


def _cell(numbers: list[Any]) -> BookCell:
    own, (returns, *books) = numbers[:-_PARTS], numbers[-_PARTS:]
    parts: list[Any] = [Returns(*map(_read, returns)), *(Book(*map(_read, book)) for book in books)]
    return BookCell(*map(_read, own), *parts)


def _read(value: int | str | None) -> Any:
    return Decimal(value) if isinstance(value, str) else value
