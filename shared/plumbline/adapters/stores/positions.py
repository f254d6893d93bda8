"""Open paper trades in DynamoDB: state under their signal's id, in a few partitions, and one board beside them."""

import heapq
from collections.abc import Iterator
from decimal import Decimal
from operator import attrgetter
from typing import Any

from plumbline.adapters.paper_items import BoardItem, PositionItem
from plumbline.adapters.stores.keys import SHARDS, last_id, shard_of
from plumbline.adapters.stores.paging import check_limit, page_of, resume_at
from plumbline.domain.calendar import Timeframe
from plumbline.domain.errors import InvalidInput
from plumbline.domain.signals import MarketType, Origin, Side, Tier, first_id, timestamp_of
from plumbline.domain.trades import Board, Position, Terms, Trigger
from plumbline.ports import MOST_READ, Page, TradeFilter

_NOW = "now"
_NEWEST = "7" + "Z" * 25
_FILTERED = ("symbol", "channel_id", "scanner_type", "timeframe", "market_type", "tier", "side")
_READ_AHEAD = 250
"""Items in one read of a list that a filter thins out."""


class DynamoPositions:
    """ports.Positions."""

    def __init__(
        self, items: type[PositionItem], boards: type[BoardItem], source: str, most_read: int = MOST_READ
    ) -> None:
        self._items = items
        self._boards = boards
        self._source = source
        self._most_read = most_read

    def put(self, position: Position) -> None:
        """Replace."""
        check_opening(position)
        self._items(*self._key(position.signal_id), **position_values(position)).put()

    def remove(self, signal_id: str) -> None:
        """Delete."""
        self._items.remove(*self._key(signal_id))

    def all(self) -> list[Position]:
        """One query for each shard, merged by id."""
        return [decode_position(item, item.sk) for item in self._merged(first_id(0), _NEWEST)]

    def page(self, wanted: TradeFilter, limit: int, cursor: str | None = None) -> Page[Position]:
        """Newest first, eventually consistent: the list is for readers, at half the price."""
        check_limit(limit, "trade")
        before = resume_at(cursor, wanted, timestamp_of)
        low = first_id(max(wanted.since or 0, 0))
        high = min(before or _NEWEST, _NEWEST if wanted.until is None else last_id(wanted.until))
        stored = self._merged(low, high, newest_first=True, page_size=read_size(wanted, limit)) if low <= high else ()
        return page_of(
            (decode_position(item, item.sk) for item in stored if item.sk != before),
            wanted,
            limit,
            place=attrgetter("signal_id"),
            keep=lambda position: matches(position, wanted),
            most_read=self._most_read,
        )

    def mark(self, board: Board) -> None:
        """Refused where the stored one is of a later minute: two trackers may run at once."""
        not_later = self._boards.as_of.does_not_exist() | (self._boards.as_of <= board.as_of)
        prices = {symbol: str(price) for symbol, price in board.prices.items()}
        self._boards(
            f"{self._source}#board",
            _NOW,
            as_of=board.as_of,
            open=board.open,
            unrealised_usd=board.unrealised_usd,
            prices=prices,
        ).put_if(not_later)

    def board(self) -> Board | None:
        """One item."""
        item = self._boards.read(f"{self._source}#board", _NOW)
        return decode_board(item) if item else None

    def _merged(
        self, low: str, high: str, *, newest_first: bool = False, page_size: int | None = None
    ) -> Iterator[PositionItem]:
        within = self._items.sk.between(low, high)
        shards = (
            self._items.select(
                self._partition(shard),
                within,
                newest_first=newest_first,
                consistent=not newest_first,
                page_size=page_size,
            )
            for shard in range(SHARDS)
        )
        return heapq.merge(*shards, key=attrgetter("sk"), reverse=newest_first)

    def _key(self, signal_id: str) -> tuple[str, str]:
        return self._partition(shard_of(signal_id)), signal_id

    def _partition(self, shard: int) -> str:
        return f"{self._source}#open#{shard}"


def check_opening(position: Position) -> None:
    """InvalidInput where a trade did not open at the time that its id names: only the id is stored."""
    named = timestamp_of(position.signal_id)
    if named != position.opened_at:
        raise InvalidInput(
            f"trade {position.signal_id} opened at {position.opened_at}, its id names {named}", field="opened_at"
        )


def matches(position: Position, wanted: TradeFilter) -> bool:
    """Whether a reader wants a trade of this position; times are the caller's."""
    return all(getattr(wanted, name) in (None, getattr(position, name)) for name in _FILTERED)


def read_size(wanted: TradeFilter, limit: int, answered: str = "") -> int:
    """Items in one read: a page and one to see whether there is more; more where a filter leaves some out.

    `answered` is the field that an index has answered already.
    """
    thinned = any(getattr(wanted, name) is not None for name in _FILTERED if name != answered)
    return max(limit + 2, _READ_AHEAD) if thinned else limit + 2


def position_values(position: Position) -> dict[str, Any]:
    """Attributes of a position, in whatever item it stands."""
    terms = position.terms
    return {
        "symbol": position.symbol,
        "side": position.side,
        "timeframe": position.timeframe,
        "scanner_type": position.scanner_type,
        "channel_id": position.channel_id,
        "origin": position.origin,
        "unified_score": position.unified_score,
        "confidence": position.confidence,
        "entry_price": position.entry_price,
        "stop_loss": position.stop_loss,
        "take_profit": position.take_profit,
        "net_entry_price": position.net_entry_price,
        "snapshot_id": position.snapshot_id,
        "details": {
            "strategy": position.strategy_type,
            "market": position.market_type,
            "trigger": position.trigger_type,
            "fired": position.indicators_fired,
            "breakdown": dict(position.indicator_breakdown),
            "terms": [str(each) for each in (terms.position_usd, terms.fee_bps, terms.slippage_bps)],
        },
    }


def decode_position(item: PositionItem, signal_id: str) -> Position:
    """The position of an item."""
    details: dict[str, Any] = item.details
    return Position(
        signal_id=signal_id,
        opened_at=timestamp_of(signal_id),
        symbol=item.symbol,
        side=Side(item.side),
        market_type=MarketType(details["market"]),
        timeframe=Timeframe(item.timeframe),
        scanner_type=item.scanner_type,
        channel_id=item.channel_id,
        strategy_type=details["strategy"],
        snapshot_id=item.snapshot_id,
        origin=Origin(item.origin),
        tier=Tier.of(item.unified_score),
        unified_score=item.unified_score,
        confidence=item.confidence,
        entry_price=item.entry_price,
        stop_loss=item.stop_loss,
        take_profit=item.take_profit,
        trigger_type=Trigger(details["trigger"]),
        indicators_fired=tuple(details["fired"]),
        indicator_breakdown=details["breakdown"],
        terms=_terms(*map(Decimal, details["terms"])),
        net_entry_price=item.net_entry_price,
    )


def decode_board(item: BoardItem) -> Board:
    """The board of an item."""
    prices: dict[str, str] = item.prices
    return Board(
        as_of=item.as_of,
        open=item.open,
        unrealised_usd=item.unrealised_usd,
        prices={symbol: Decimal(price) for symbol, price in prices.items()},
    )


def _terms(position_usd: Decimal, fee_bps: Decimal, slippage_bps: Decimal) -> Terms:
    return Terms(position_usd=position_usd, fee_bps=fee_bps, slippage_bps=slippage_bps)
