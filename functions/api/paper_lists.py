"""Lists of paper trades: the open ones, then the closed ones, page by page, as JSON or CSV."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from api.exports import to_csv, wants_csv
from api.operations import CSV, Answer, Call
from api.paper_answers import TradeBody, Trades
from api.paper_inputs import MOST_LINES, MOST_ROWS, Bookmark, PaperQuery, Status, TradesQuery
from api.paper_rendering import position_body, trade_body
from plumbline import queries
from plumbline.domain.calendar import Timeframe
from plumbline.domain.errors import InvalidInput
from plumbline.domain.signals import MarketType, Side, Tier
from plumbline.pipeline.tracking import OUTSIDE
from plumbline.ports import Stores, TradeFilter

COLUMNS = tuple(TradeBody.__annotations__)
_BOTH: tuple[Status, ...] = ("open", "closed")
_MOST_READS = 100
"""Reads of the store for one CSV; a page of JSON takes one of each part."""


def filter_of(call: Call, query: PaperQuery) -> TradeFilter:
    """The filters of a query, with its names resolved; UnknownSymbol or NotFound for those that mean nothing."""
    if query.channel not in (None, OUTSIDE):
        queries.channel_named(call.stores, query.channel)
    return TradeFilter(
        symbol=query.symbol and queries.symbol_named(call.stores, query.symbol, call.now),
        channel_id=query.channel,
        scanner_type=query.scanner,
        timeframe=Timeframe(query.timeframe) if query.timeframe else None,
        market_type=MarketType(query.market_type) if query.market_type else None,
        tier=Tier(query.tier) if query.tier else None,
        side=Side(query.side) if query.side else None,
    )


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of trades and the opaque cursor of the next; None on the last page."""

    trades: list[TradeBody]
    next_cursor: str | None


def listed(
    call: Call, query: PaperQuery, parts: Sequence[Status], limit: int, cursor: str | None, most_reads: int = 2
) -> Listed:
    """A page of these parts of the list. A trade that closes meanwhile stands in it once, as closed."""
    place = (
        Bookmark.read(cursor, query.days, call.now)
        if cursor
        else Bookmark(parts[0], query.days, queries.first_instant(query.days, call.now))
    )
    if place.part not in parts:
        raise InvalidInput(f"this cursor belongs to a list of {place.part} trades; begin without one", field="cursor")
    wanted = filter_of(call, query)
    after: Bookmark | None = place
    found: list[TradeBody] = []
    for _ in range(most_reads):
        if after is None or len(found) >= limit:
            break
        bodies, after = _read(call.stores, wanted, after, parts, limit - len(found))
        found += bodies
    return Listed(_once(found), after.text() if after else None)


def trades_answer(call: Call, query: TradesQuery) -> Answer:
    """The list in the format that was asked for."""
    as_csv = query.format == "csv" or (query.format is None and wants_csv(call.request.headers.get("accept", "")))
    parts: tuple[Status, ...] = (query.status,) if query.status else _BOTH
    if not as_csv:
        if (query.limit or 0) > MOST_ROWS:
            raise InvalidInput(
                f"limit {query.limit} is for CSV; a page of JSON holds at most {MOST_ROWS}", field="limit"
            )
        page = listed(call, query, parts, query.limit or 50, query.cursor)
        body = Trades(count=len(page.trades), trades=page.trades, next_cursor=page.next_cursor)
        return Answer(body, headers={"Vary": "Accept"})
    page = listed(call, query, parts, query.limit or MOST_LINES, query.cursor, _MOST_READS)
    headers = {"Vary": "Accept", "Content-Disposition": 'attachment; filename="paper-trades.csv"'}
    if page.next_cursor:
        headers["Link"] = f'<?{_following(query, page.next_cursor)}>; rel="next"'
    return Answer(to_csv(COLUMNS, page.trades), headers=headers, media_type=CSV)


def _read(
    stores: Stores, wanted: TradeFilter, place: Bookmark, parts: Sequence[Status], limit: int
) -> tuple[list[TradeBody], Bookmark | None]:
    """One read of the store from a place in the list on, and the place after it; None at the end.

    The period is about when trades closed: what is open is open now, whenever it was opened.
    """
    if place.part == "open":
        board, positions = stores.positions.board(), stores.positions.page(wanted, limit, place.cursor)
        bodies = [position_body(position, stores.source, board) for position in positions.items]
        if positions.next_cursor:
            return bodies, replace(place, cursor=positions.next_cursor)
        return bodies, replace(place, part="closed", cursor=None) if "closed" in parts else None
    trades = stores.trades.page(replace(wanted, since=place.since), limit, place.cursor)
    bodies = [trade_body(trade, stores.source) for trade in trades.items]
    return bodies, replace(place, cursor=trades.next_cursor) if trades.next_cursor else None


def _once(found: list[TradeBody]) -> list[TradeBody]:
    closed = {body["signal_id"] for body in found if body["closed_at"]}
    return [body for body in found if body["closed_at"] or body["signal_id"] not in closed]


def _following(query: TradesQuery, cursor: str) -> str:
    """The same query one page further."""
    given = query.model_dump(exclude_none=True, exclude_unset=True)
    return urlencode(given | {"format": "csv", "cursor": cursor})
