"""What the use cases need from the outside world. Adapters implement these over a vendor, tests over a dict.

Every store takes facts by put-if-absent: writing one twice changes nothing and returns False.
"""

from dataclasses import dataclass

from plumbline.ports.book import MOST_READ, BookRollups, Positions, TradeFilter, Trades
from plumbline.ports.market import CandleStore, Exchange, Markets, Span, Universe
from plumbline.ports.record import (
    ChannelStore,
    ModelReports,
    OutcomeKey,
    OutcomeStore,
    Rollups,
    SignalFilter,
    SignalLog,
    StrategyStore,
)
from plumbline.ports.telling import Attachment, Connections, DeadLetters, Digests, Feed, Letter, Mail, Sockets
from plumbline.ports.work import Cursor, Cursors, Page, Schedules

__all__ = [
    "MOST_READ",
    "Attachment",
    "BookRollups",
    "CandleStore",
    "ChannelStore",
    "Connections",
    "Cursor",
    "Cursors",
    "DeadLetters",
    "Digests",
    "Exchange",
    "Feed",
    "Letter",
    "Mail",
    "Markets",
    "ModelReports",
    "OutcomeKey",
    "OutcomeStore",
    "Page",
    "Positions",
    "Rollups",
    "Schedules",
    "SignalFilter",
    "SignalLog",
    "Sockets",
    "Span",
    "Stores",
    "StrategyStore",
    "TradeFilter",
    "Trades",
    "Universe",
]


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
