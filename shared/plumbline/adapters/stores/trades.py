"""Closed paper trades in DynamoDB: a fact under its signal's id, and the same listed under the day it closed.

A trade costs four write units: itself, its listing, and the listing's entry in each index. Readers by time need only
the listing, readers by symbol or channel only the index.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from plumbline.adapters.items import Item
from plumbline.adapters.paper_items import ClosedTrade, TradeItem
from plumbline.adapters.stores.days import DayLists
from plumbline.adapters.stores.keys import END_OF_CALENDAR, calendar_day, day_shard
from plumbline.adapters.stores.paging import check_limit, page_of, resume_at
from plumbline.adapters.stores.positions import check_opening, decode_position, matches, position_values, read_size
from plumbline.domain.calendar import day_of
from plumbline.domain.errors import InvalidInput
from plumbline.domain.signals import timestamp_of
from plumbline.domain.trades import Profit, Status, Trade
from plumbline.ports import MOST_READ, Page, TradeFilter

_BOOKS = ("ideal", "net", "pessimistic", "net_if_target")


class DynamoTrades:
    """ports.Trades."""

    def __init__(
        self,
        items: type[TradeItem],
        listed: type[ClosedTrade],
        days: type[Item],
        source: str,
        most_read: int = MOST_READ,
    ) -> None:
        self._items = items
        self._listed = listed
        self._source = source
        self._most_read = most_read
        self._lists = DayLists(listed, days, source, prefix=f"{source}#closed", marks=f"{source}#closed")

    def add(self, trade: Trade) -> bool:
        """The fact, then its day, then the listing, of what is stored: a retry lists what a crash left unlisted."""
        check_opening(trade.position)
        key = self._key(trade.signal_id)
        is_new = self._items(*key, **_trade_values(trade)).put_new()
        if not is_new:
            stored = self._items.read(*key)
            trade = decode_trade(stored) if stored else trade
        self._lists.mark(day_of(trade.closed_at))
        self._listing(trade).put_new()
        return is_new

    def get(self, signal_ids: Iterable[str]) -> dict[str, Trade]:
        """Those that exist, a hundred keys a call."""
        stored = self._items.fetch(map(self._key, signal_ids))
        return {trade.signal_id: trade for trade in map(decode_trade, stored)}

    def closed_between(self, after: int, until: int) -> Iterator[Trade]:
        """Trades closed in (after, until], in order: two short queries for each day touched that has any."""
        low, high = _first_place(after + 1), _last_place(until)
        for day in self._lists.touched(after, until):
            yield from map(decode_trade, self._lists.on(day, low, high))

    def page(self, wanted: TradeFilter, limit: int, cursor: str | None = None) -> Page[Trade]:
        """Last closed first, over the days on which any did; a symbol or channel is read from its index."""
        check_limit(limit, "trade")
        before = resume_at(cursor, wanted, _check_place)
        low = _first_place(wanted.since or 0)
        high = _last_place(END_OF_CALENDAR if wanted.until is None else wanted.until)
        high = min(high, before or high)
        return page_of(
            (trade for trade in self._newest(wanted, low, high, limit) if _place(trade) != before),
            wanted,
            limit,
            place=_place,
            keep=lambda trade: matches(trade.position, wanted),
            most_read=self._most_read,
        )

    def _newest(self, wanted: TradeFilter, low: str, high: str, limit: int) -> Iterator[Trade]:
        """Trades with place in [low, high], newest first; eventually consistent."""
        if low > high:
            return
        days = self._lists.marked(_day(low), _day(high), newest_first=True)
        found: Iterator[ClosedTrade]
        if wanted.symbol is not None:
            chunk = read_size(wanted, limit, "symbol")
            found = self._lists.indexed("by-symbol", wanted.symbol, days, low, high, chunk)
        elif wanted.channel_id is not None:
            chunk = read_size(wanted, limit, "channel_id")
            found = self._lists.indexed("by-channel", wanted.channel_id, days, low, high, chunk)
        else:
            found = self._listed_on(days, low, high, read_size(wanted, limit))
        yield from map(decode_trade, found)

    def _listed_on(self, days: Iterator[str], low: str, high: str, chunk: int) -> Iterator[ClosedTrade]:
        for day in days:
            yield from self._lists.on(day, low, high, newest_first=True, consistent=False, page_size=chunk)

    def _key(self, signal_id: str) -> tuple[str, str]:
        return day_shard(f"{self._source}#trade", timestamp_of(signal_id), signal_id), signal_id

    def _listing(self, trade: Trade) -> ClosedTrade:
        month = day_of(trade.closed_at)[:7]
        return self._listed(
            day_shard(f"{self._source}#closed", trade.closed_at, trade.signal_id),
            _place(trade),
            symbol_month=self._lists.index_key(trade.position.symbol, month),
            channel_month=self._lists.index_key(trade.position.channel_id, month),
            **_trade_values(trade),
        )


def decode_trade(item: TradeItem) -> Trade:
    """The trade of an item, be it the fact or its listing."""
    return Trade(
        position=decode_position(item, item.sk.rpartition("#")[2]),
        status=Status(item.status),
        closed_at=item.closed_at,
        recorded_at=item.recorded_at,
        exit_price=item.exit_price,
        ambiguous=item.net_if_target_usd is not None,
        max_favourable_pct=item.max_favourable_pct,
        max_adverse_pct=item.max_adverse_pct,
        **{book: _profit(item, book) for book in _BOOKS},
    )


def _trade_values(trade: Trade) -> dict[str, Any]:
    books = {book: profit for book in _BOOKS if (profit := getattr(trade, book))}
    return {
        **position_values(trade.position),
        "status": trade.status,
        "closed_at": trade.closed_at,
        "recorded_at": trade.recorded_at,
        "exit_price": trade.exit_price,
        "max_favourable_pct": trade.max_favourable_pct,
        "max_adverse_pct": trade.max_adverse_pct,
        **{f"{book}_usd": profit.usd for book, profit in books.items()},
        **{f"{book}_pct": profit.pct for book, profit in books.items()},
    }


def _profit(item: TradeItem, book: str) -> Profit | None:
    usd, pct = getattr(item, f"{book}_usd"), getattr(item, f"{book}_pct")
    return None if usd is None else Profit(usd=usd, pct=pct)


def _place(trade: Trade) -> str:
    """Thirteen digits, so that text sorts as time does, and the id."""
    return f"{trade.closed_at:013d}#{trade.signal_id}"


def _first_place(instant: int) -> str:
    return f"{max(instant, 0):013d}#"


def _last_place(instant: int) -> str:
    """Behind every id of this instant: `$` follows `#`."""
    return f"{min(max(instant, 0), END_OF_CALENDAR):013d}$"


def _day(place: str) -> str:
    return calendar_day(int(place[:13]))


def _check_place(place: str) -> None:
    """InvalidInput for what is no place in this list."""
    closed_at, _, signal_id = place.partition("#")
    timestamp_of(signal_id)
    if len(closed_at) != 13 or not closed_at.isdecimal():
        raise InvalidInput(f"{place!r} is no place in a list of trades", field="cursor")
