"""What the use cases need from the outside world. Adapters implement these over a vendor, tests over a dict.

Every store takes facts by put-if-absent: writing one twice changes nothing and returns False.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from plumbline.domain.books import BookRollup
from plumbline.domain.calendar import Interval, Timeframe
from plumbline.domain.candles import Candles, Sifted
from plumbline.domain.drift import ModelReport
from plumbline.domain.feed import Entry, Event, Subscription
from plumbline.domain.outcomes import Outcome
from plumbline.domain.performance import DayRollup
from plumbline.domain.signals import MarketType, Side, Signal, Tier
from plumbline.domain.strategies import Activation, Channel, Configuration
from plumbline.domain.trades import Board, Position, Trade

if TYPE_CHECKING:  # its module brings the rules of recommendations, which most functions do without
    from plumbline.domain.digest import Digest, Kind


class Exchange(Protocol):
    """A market's public data. Only `collect_candles` may hold one."""

    @property
    def source(self) -> str:
        """Name of the data source: `binance`, `recorded`, `simulated`."""

    def candles(self, symbol: str, timeframe: Timeframe, start: int, end: int) -> Sifted:
        """Candles with open time in [start, end), as many pages as it takes.

        Raises UnknownSymbol, or ExchangeUnavailable with `retry_after` where the exchange said so.
        """

    def markets(self) -> tuple[str, ...]:
        """Every active symbol, sorted, in ccxt's spelling."""

    def most_traded(self, quote: str, count: int) -> tuple[str, ...]:
        """Spot pairs of `quote` by quote volume of the last 24 hours, largest first."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of one series: open times in [start, end)."""

    symbol: str
    timeframe: Timeframe
    start: int
    end: int


class CandleStore(Protocol):
    """Closed candles of one data source."""

    def load(self, spans: Sequence[Span]) -> list[Candles]:
        """What is stored of each span, in the order asked."""

    def add(self, symbol: str, candles: Candles) -> int:
        """Store what is not stored yet; a stored candle never changes. Returns how many were new."""


@dataclass(frozen=True, slots=True)
class Page[T]:
    """One page of a list and the opaque cursor of the next; None on the last page."""

    items: tuple[T, ...]
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalFilter:
    """Which signals a reader wants. At most one of symbol and channel is answered by an index, the rest by filter."""

    symbol: str | None = None
    channel_id: str | None = None
    since: int | None = None
    until: int | None = None


class SignalLog(Protocol):
    """The log of signals: append-only, one record, one data source."""

    def add(self, signal: Signal) -> bool:
        """Append; False where it is already there. RecordRefused where `domain.signals.admit` refuses it."""

    def claim(self, name: str, signal_id: str) -> str:
        """Bind an outside name to a signal id, once and for all; returns the id that holds the name."""

    def get(self, signal_id: str) -> Signal | None:
        """One signal, strongly consistent."""

    def between(self, after: int, until: int, *, consistent: bool = True) -> Iterator[Signal]:
        """Signals with timestamp in (after, until], in order of id.

        Who is not `consistent` may miss what was written in the last second, for half the price: readers, no cursor.
        """

    def page(self, wanted: SignalFilter, limit: int, cursor: str | None = None) -> Page[Signal]:
        """Newest first. InvalidInput for a cursor that is not one of ours."""


type OutcomeKey = tuple[str, Interval]
"""Signal id and interval: the natural key, from which the stored key is computed."""


class OutcomeStore(Protocol):
    """Outcomes: one for each (signal, interval), ever."""

    def add(self, outcome: Outcome) -> bool:
        """Store; False where this check already has its outcome."""

    def get(self, keys: Iterable[OutcomeKey]) -> dict[OutcomeKey, Outcome]:
        """Those of the keys that exist, strongly consistent."""

    def due_between(self, after: int, until: int, *, consistent: bool = True) -> Iterator[Outcome]:
        """Outcomes whose due time lies in (after, until]; `consistent` as for `SignalLog.between`."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a function has come: everything at or before `position` (ms) is done.

    `version` grows with every change, also with a rewind that leaves the position: a run that read the cursor before
    somebody rewound it can then not move it. `notes` is the function's own bookkeeping, plain JSON values.
    """

    name: str
    position: int
    version: int
    notes: Mapping[str, object] = field(default_factory=dict)


class Cursors(Protocol):
    """One cursor for each scheduled function and its argument: `generate#1h`, `check#24h`."""

    def read(self, name: str) -> Cursor | None:
        """The cursor, strongly consistent; None where the function never ran."""

    def move(self, cursor: Cursor | None, name: str, position: int, notes: Mapping[str, object]) -> Cursor:
        """Write position and notes if the cursor is still as read (None: still absent); else CursorMoved."""

    def rewind(self, name: str, position: int) -> None:
        """Set the cursor back to `position` if it is beyond it; in any case make runs under way start again.

        A fact was written that readers up to here may have missed. Does nothing where the cursor does not exist.
        """

    def all(self) -> list[Cursor]:
        """Every cursor, sorted by name."""


class StrategyStore(Protocol):
    """Snapshots by content and the activations that say when each was current."""

    def save(self, configuration: Configuration) -> bool:
        """Store a snapshot; False where its content is already stored."""

    def get(self, strategy: str, config_hash: str) -> Configuration | None:
        """One snapshot."""

    def activate(self, activation: Activation) -> bool:
        """Store an activation; False where one exists at the same moment."""

    def activations(self, strategy: str) -> list[Activation]:
        """All of a strategy's, oldest first."""


class ChannelStore(Protocol):
    """The published channels."""

    def add(self, channel: Channel) -> bool:
        """Store; False where the channel exists."""

    def all(self) -> list[Channel]:
        """Every channel, sorted by id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Universe:
    """The market's catalogue on one day: its symbols, and the most traded ones of each quote currency scanned.

    `taken_at` (ms) is when the exchange was asked: what it ranks had been traded by then. 0: known from the beginning.
    """

    day: str
    markets: tuple[str, ...]
    most_traded: Mapping[str, tuple[str, ...]]
    taken_at: int = 0


class Markets(Protocol):
    """What was traded, day by day, and which outside symbols are followed until when."""

    def add(self, universe: Universe) -> bool:
        """Store a day's catalogue; False where the day has one."""

    def on(self, days: Sequence[str]) -> list[Universe]:
        """The catalogues that exist of these days, oldest first."""

    def follow(self, symbol: str, until: int) -> None:
        """Collect this symbol at least until then; never shortens."""

    def followed(self, now: int) -> tuple[str, ...]:
        """Symbols to be collected beside the channels' own, sorted."""


class Rollups(Protocol):
    """One day's mergeable statistics. Derived: replaced whole, with the same bytes for the same facts."""

    def put(self, rollup: DayRollup, version: int) -> None:
        """Replace the rollup of its day, unless what is there was computed from a later `version` of the cursor.

        A run that was overtaken may still be writing: its day must not replace the newer one.
        """

    def get(self, day: str) -> DayRollup | None:
        """The rollup of one day, whole and strongly consistent: what a run may go on from."""

    def days(self, days: Sequence[str], dimensions: Sequence[str], *, consistent: bool = False) -> list[DayRollup]:
        """The rollups of these days, oldest first, holding only the cells of these dimensions, and the extremes where
        `EXTREMES` is among them. One that is just being written may be told as not begun: up to the instant before it.

        What is derived may be a moment behind, at half the price; `consistent` for what is derived from it and kept.
        """


class ModelReports(Protocol):
    """The model's daily reports. Derived: replaced whole, with the same bytes for the same facts."""

    def put(self, report: ModelReport) -> None:
        """Replace the report of its model and day."""

    def latest(self, model: str, until: str) -> ModelReport | None:
        """The newest report of the model named so, of this day or an earlier one."""


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


class Digests(Protocol):
    """The digests of days, weeks and months. Derived: replaced whole, the same bytes for the same facts."""

    def put(self, digest: "Digest", version: int) -> None:
        """Replace the digest of its kind and last day, unless the stored one was made at a later `version`."""

    def get(self, kind: "Kind", last_day: str) -> "Digest | None":
        """One digest, strongly consistent."""


class Feed(Protocol):
    """The log of what the live feed says, in one order for everybody: numbered 1, 2, 3, … without a gap."""

    def append(self, event: Event) -> Entry | None:
        """Give the event the next number; None where an event of its key was appended before."""

    def head(self) -> int:
        """Number of the newest entry; 0 before there is one."""

    def after(self, number: int, limit: int) -> list[Entry]:
        """At most `limit` entries with a greater number, in order, strongly consistent. Old ones are dropped."""

    def number_at(self, instant: int) -> int:
        """Number before the first entry whose event is of this instant (ms) or later: who goes on from there misses
        nothing told since. The head where there is none; as far back as the feed is kept."""


class Connections(Protocol):
    """Who listens, and how far each has been told."""

    def add(self, connection_id: str, position: int, expires_at: int) -> None:
        """A new listener without subscriptions, to whom nothing up to `position` is owed."""

    def get(self, connection_id: str) -> Subscription | None:
        """One listener, strongly consistent."""

    def save(self, subscription: Subscription) -> bool:
        """Replace what it listens to and its position, as its next version; False where it is gone."""

    def advance(self, subscription: Subscription, to: int) -> bool:
        """Move its position if position and version still are as read; False where somebody was first, or it is gone.

        The version matters where a listener changes what it wants and stays at its position: who read it before would
        pass over what it wants now.
        """

    def remove(self, connection_id: str) -> None:
        """Forget; nothing happens where it is not there."""

    def all(self) -> list[Subscription]:
        """Every listener, strongly consistent, in no order."""


class Sockets(Protocol):
    """The wire to the listeners."""

    def send(self, connection_id: str, text: str) -> bool:
        """Send one message; False where the connection is gone. Unavailable where it could not be tried."""

    def close(self, connection_id: str) -> None:
        """End the connection; nothing happens where it is gone."""


class DeadLetters(Protocol):
    """Where what cannot be read is set aside for a person to look at."""

    def keep(self, letter: Mapping[str, object], reason: str) -> None:
        """Set it aside. Raises nothing: what comes behind must not wait for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that comes with a letter."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """An e-mail: the same in HTML and in plain text, and what is attached."""

    subject: str
    html: str
    text: str
    attachments: tuple[Attachment, ...] = ()


class Mail(Protocol):
    """The way to the people who are told of every period. Who they are is the adapter's affair."""

    def send(self, letter: Letter) -> None:
        """Hand it over; Unavailable where it was not, or may not have been, accepted."""


class Schedules(Protocol):
    """The rules that start the outcome checks."""

    def enable(self) -> list[str]:
        """Switch them on; returns their names."""

    def disable(self) -> list[str]:
        """Switch them off; returns their names."""

    def states(self) -> dict[str, bool]:
        """Name of each rule and whether it is on."""


@dataclass(frozen=True, slots=True)
class Stores:
    """Every store of one stack, handed to the use cases as one."""

    source: str
    candles: CandleStore
    signals: SignalLog
    outcomes: OutcomeStore
    cursors: Cursors
    strategies: StrategyStore
    channels: ChannelStore
    markets: Markets
    rollups: Rollups
    model_reports: ModelReports
    positions: Positions
    trades: Trades
    book_rollups: BookRollups
    digests: Digests
    feed: Feed
    connections: Connections
