"""The paper book: open trades, closed ones, and their statistics."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from plumbline.domain.books import BookRollup
from plumbline.domain.calendar import Timeframe
from plumbline.domain.signals import MarketType, Side, Tier
from plumbline.domain.trades import Board, Position, Trade
from plumbline.ports.work import Page

MOST_READ = 2_000
"""Trades that one page of a list looks at, at most: what a reader may cost, whatever the filter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeFilter:
    """Which trades a reader wants; None wants all. `since` and `until` (ms, both inclusive) are about the time of
    closing of closed trades and of opening of open ones."""

    symbol: str | None = None
    channel_id: str | None = None
    scanner_type: str | None = None
    timeframe: Timeframe | None = None
    market_type: MarketType | None = None
    tier: Tier | None = None
    side: Side | None = None
    since: int | None = None
    until: int | None = None


class Positions(Protocol):
    """Open paper trades of the system's account: state that the tracker keeps, no facts. And their board."""

    def put(self, position: Position) -> None:
        """Store or replace."""

    def remove(self, signal_id: str) -> None:
        """Forget; nothing happens where it is not there."""

    def all(self) -> list[Position]:
        """Every open trade in order of id, strongly consistent."""

    def page(self, wanted: TradeFilter, limit: int, cursor: str | None = None) -> Page[Position]:
        """Newest first. InvalidInput for a cursor that is not one of ours. At most `MOST_READ` are looked at: a page
        may be short, even empty, and still have a next one."""

    def mark(self, board: Board) -> None:
        """Replace the board, unless the stored one is of a later minute."""

    def board(self) -> Board | None:
        """The board as it was last marked."""


class Trades(Protocol):
    """Closed paper trades of the system's account: one for each signal, ever."""

    def add(self, trade: Trade) -> bool:
        """Store by its signal's id; False where that signal's trade is already closed. Either way the one stored is
        afterwards listed under its time of closing: a crash between the two is repaired by the retry."""

    def get(self, signal_ids: Iterable[str]) -> dict[str, Trade]:
        """Those that are closed, by signal id, strongly consistent."""

    def closed_between(self, after: int, until: int) -> Iterator[Trade]:
        """Trades with `closed_at` in (after, until] in order of (closed_at, signal_id), strongly consistent."""

    def page(self, wanted: TradeFilter, limit: int, cursor: str | None = None) -> Page[Trade]:
        """Last closed first; a symbol or else a channel is answered by an index. As for `Positions.page`."""


class BookRollups(Protocol):
    """One day's mergeable statistics of closed trades. Derived: replaced whole, the same bytes for the same facts."""

    def put(self, rollup: BookRollup, version: int) -> None:
        """As `Rollups.put`."""

    def get(self, day: str) -> BookRollup | None:
        """As `Rollups.get`."""

    def days(self, days: Sequence[str], dimensions: Sequence[str], *, consistent: bool = False) -> list[BookRollup]:
        """As `Rollups.days`."""
