"""Which closed trades a question is about, and their statistics over some days.

As in `queries`, the cost of an answer does not grow with history: closed days come from their rollups, only the trades
closed since are counted themselves. Only where several filters meet are the trades looked at one by one, and then not
more than `MOST_TRADES`. Nothing is written here.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from operator import attrgetter

from plumbline.domain.books import BookCell, BookCells, count_trades, dimensions_of, merge_books
from plumbline.domain.calendar import day_of, days_between
from plumbline.domain.errors import InvalidInput
from plumbline.domain.performance import DIMENSIONS
from plumbline.domain.trades import Trade
from plumbline.ports import Stores, TradeFilter
from plumbline.queries import first_instant, split, summarised_until

MOST_TRADES = 20_000
"""Trades that one answer under several filters looks at, at most."""

_FILTERS: Mapping[str, str] = {
    "symbol": "symbol",
    "channel_id": "channel",
    "scanner_type": "scanner",
    "timeframe": "timeframe",
    "market_type": "market",
    "tier": "tier",
    "side": "type",
}
_WHOLE = "all", "all"
_INDEXED = "symbol", "channel"
_PAGE = 1_000

type Key = tuple[str, str]
"""Dimension and value: one cell."""


@dataclass(frozen=True, slots=True)
class BookPeriod:
    """The paper book over whole UTC days up to `until` (ms); `days` counts the running one.

    `by_day` holds the days on which trades closed, oldest first.
    """

    days: int
    start: int
    until: int
    cells: BookCells
    by_day: Mapping[str, BookCells]

    def cell(self, dimension: str, value: str) -> BookCell:
        """One cell of the whole period, empty where no trade closed."""
        return self.cells.get(dimension, {}).get(value, BookCell())

    def daily(self, dimension: str = "all", value: str = "all") -> list[tuple[str, BookCell]]:
        """The same cell for every calendar day of the period, oldest first."""
        days = days_between(self.start, self.until)
        return [(day, self.by_day.get(day, {}).get(dimension, {}).get(value, BookCell())) for day in days]


def book(stores: Stores, days: int, dimensions: Sequence[str], now: int, *, consistent: bool = False) -> BookPeriod:
    """Statistics of the trades that closed in the last `days` UTC days, the day of `now` included.

    Rollups may be a moment behind; for what is made of them and kept they must be `consistent`.
    """
    # The cursor first: a summary that finishes in between is then counted from the trades, never passed over.
    position = summarised_until(stores, now)
    wanted = days_between(first_instant(days, now), now)
    stored = stores.book_rollups.days(wanted, dimensions, consistent=consistent)
    usable, spans = split(stored, wanted, position, now)
    by_day = {rollup.day: rollup.cells for rollup in usable}
    for after, until in spans:
        for day, cells in _days_of(stores.trades.closed_between(after, until), dimensions):
            by_day[day] = merge_books([by_day.get(day, {}), cells])
    return _period(days, now, by_day)


def _days_of(trades: Iterator[Trade], dimensions: Collection[str]) -> Iterator[tuple[str, BookCells]]:
    """Trades in order of closing, counted day by day."""
    for day, closed in groupby(trades, key=lambda trade: day_of(trade.closed_at)):
        yield day, count_trades(closed, dimensions)


def _period(days: int, now: int, by_day: Mapping[str, BookCells]) -> BookPeriod:
    ordered = {day: by_day[day] for day in sorted(by_day)}
    return BookPeriod(days, first_instant(days, now), now, merge_books(ordered.values()), ordered)


def filters_of(wanted: TradeFilter) -> list[Key]:
    """The (dimension, value) pairs that a filter names."""
    named = ((dimension, getattr(wanted, field)) for field, dimension in _FILTERS.items())
    return [(dimension, str(value)) for dimension, value in named if value is not None]


@dataclass(frozen=True, slots=True)
class Selection:
    """The part of the book that a question is about: the cell `key` of `period`.

    `signals` is the cell of the outcomes' record that is about the same signals; None where the record has none, since
    it is kept along one dimension at a time.
    """

    period: BookPeriod
    key: Key
    signals: Key | None

    @property
    def cell(self) -> BookCell:
        """All its trades."""
        return self.period.cell(*self.key)

    @property
    def daily(self) -> list[tuple[str, BookCell]]:
        """Its trades by calendar day."""
        return self.period.daily(*self.key)


def select(stores: Stores, wanted: TradeFilter, days: int, now: int, group: str | None = None) -> Selection:
    """The trades under a filter, with the cells of the dimension `group` as well.

    Raises InvalidInput where several filters (or a filter and another dimension) would have to look at more than
    `MOST_TRADES`.
    """
    filters, groups = filters_of(wanted), [group] if group else []
    if len(filters) > 1 or (filters and group not in (None, filters[0][0])):
        return Selection(_looked_up(stores, filters, ["all", *groups], wanted, days, now), _WHOLE, None)
    key = filters[0] if filters else _WHOLE
    period = book(stores, days, list(dict.fromkeys([key[0], *groups])), now)
    return Selection(period, key, key if key[0] in DIMENSIONS else None)


def _looked_up(
    stores: Stores, filters: Sequence[Key], dimensions: Collection[str], wanted: TradeFilter, days: int, now: int
) -> BookPeriod:
    """The period counted from its trades alone, after a look at the rollups at how many they are."""
    index = next((key for name in _INDEXED for key in filters if key[0] == name), _WHOLE)
    refuse_too_many(book(stores, days, [index[0]], now).cell(*index).closed)
    found = islice(_trades_of(stores, index, wanted, first_instant(days, now), now), MOST_TRADES + 1)
    looked_at = sorted(found, key=attrgetter("closed_at", "signal_id"))
    refuse_too_many(len(looked_at))
    asked = set(filters)
    matching = (trade for trade in looked_at if asked <= set(dimensions_of(trade)))
    return _period(days, now, dict(_days_of(matching, dimensions)))


def _trades_of(stores: Stores, index: Key, wanted: TradeFilter, start: int, until: int) -> Iterator[Trade]:
    """The trades of a symbol or channel by its index, or else all, closed in [start, until]."""
    if index == _WHOLE:
        yield from stores.trades.closed_between(start - 1, until)
        return
    by_symbol = index[0] == "symbol"
    narrow = TradeFilter(
        symbol=wanted.symbol if by_symbol else None,
        channel_id=None if by_symbol else wanted.channel_id,
        since=start,
        until=until,
    )
    cursor: str | None = None
    while True:
        page = stores.trades.page(narrow, _PAGE, cursor)
        yield from page.items
        if (cursor := page.next_cursor) is None:
            return


def refuse_too_many(count: int) -> None:
    """InvalidInput where an answer would look at more than `MOST_TRADES`."""
    if count > MOST_TRADES:
        raise InvalidInput(
            f"these filters together must look at {count:,} trades or more, at most {MOST_TRADES:,} are looked at: "
            "take fewer filters or fewer days",
            field="days",
        )
