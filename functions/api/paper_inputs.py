"""What readers of the paper record may ask: filters, pages and formats, and the cursor that leads through them."""

import base64
import json
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from api.answers import TierName
from api.inputs import ChannelId, Query, Symbol
from plumbline.domain.calendar import DAY
from plumbline.domain.errors import InvalidInput
from plumbline.queries import first_instant

MOST_ROWS = 200
MOST_LINES = 5_000
"""Rows of one page as JSON, lines of one page as CSV."""

_KEPT = 2 * DAY
"""So long a list may be read: a cursor that names an earlier period would make the store look through all of it."""

TradeTimeframe = Literal["1m", "5m", "15m", "1h", "4h", "1d"]
Status = Literal["open", "closed"]
Dimension = Literal["scanner", "tier", "interval", "symbol", "channel", "timeframe", "market_type", "side", "snapshot"]


class PaperQuery(Query):
    """Which trades an answer is about: those that match every filter."""

    market_type: Literal["SPOT", "FUTURES"] | None = None
    symbol: Symbol | None = None
    timeframe: Annotated[
        TradeTimeframe | None, Field(description="of the candles that the signal was made from; 1m: sent from outside")
    ] = None
    scanner: Annotated[str | None, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$", examples=["technical"])] = None
    channel: Annotated[ChannelId | None, Field(description="a published one, or `external`")] = None
    tier: TierName | None = None
    side: Literal["LONG", "SHORT"] | None = None
    days: Annotated[
        int, Field(ge=1, le=366, description="UTC days in which closed trades closed, the running one included")
    ] = 30


class PerformanceQuery(PaperQuery):
    """The same, and by what the rows are."""

    by: Annotated[Dimension | None, Field(description="one row for each; none where absent")] = None


CursorText = Annotated[str | None, Field(min_length=1, max_length=4000, description="`next_cursor` of the page before")]


class PageQuery(PaperQuery):
    """The same, page by page."""

    limit: Annotated[int, Field(ge=1, le=MOST_ROWS)] = 50
    cursor: CursorText = None


class TradesQuery(PaperQuery):
    """The same, of open trades, closed ones or both, as JSON or CSV."""

    status: Annotated[Status | None, Field(description="both where absent, the open ones first")] = None
    format: Annotated[Literal["json", "csv"] | None, Field(description="goes before `Accept`")] = None
    limit: Annotated[
        int | None,
        Field(ge=1, le=MOST_LINES, description="50 where absent, at most 200; as CSV 5000 where absent, and at most"),
    ] = None
    cursor: CursorText = None


@dataclass(frozen=True, slots=True)
class Bookmark:
    """Where a page begins: in which part of the list, over which period, and at which cursor of the store.

    The period's first instant (ms) travels along, so that a list that is read across midnight stays one list.
    """

    part: Status
    days: int
    since: int
    cursor: str | None = None

    def text(self) -> str:
        """The opaque cursor."""
        content = json.dumps([self.part, self.days, self.since, self.cursor], separators=(",", ":"))
        return base64.urlsafe_b64encode(content.encode()).decode().rstrip("=")

    @classmethod
    def read(cls, text: str, days: int, now: int) -> "Bookmark":
        """Reverse of `text`, for a list over `days` that is read at `now`; InvalidInput where it is of none such."""
        try:
            padded = text + "=" * (-len(text) % 4)
            part, of, since, cursor = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        except (ValueError, TypeError):
            part = of = since = cursor = None
        if part not in ("open", "closed") or type(since) is not int or not isinstance(cursor, str | None):
            raise InvalidInput(f"{text!r} is not a cursor of this list; begin without one", field="cursor")
        if of != days or not 0 <= first_instant(days, now) - since <= _KEPT:
            raise InvalidInput("this cursor belongs to a list over another period; begin without one", field="cursor")
        return cls(part, days, since, cursor)
