"""How the service is: how far each function has come, whether its tables answer and its market lives."""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from plumbline.domain.calendar import DAY, HOUR, MINUTE, SECOND, Interval, Timeframe, day_of
from plumbline.domain.errors import Unavailable
from plumbline.domain.outcomes import GIVE_UP_AFTER
from plumbline.domain.performance import Cell, Tally
from plumbline.domain.signals import first_id
from plumbline.domain.strategies import DEFAULT_CHANNELS
from plumbline.pipeline.progress import CLOSE_EVERY, SUMMARISE, TRACK, Progress, checking, collecting
from plumbline.ports import Cursor, Schedules, Span, Stores
from plumbline.queries import counted

TableState = Literal["ok", "unavailable"]
OK: Final = "ok"
UNAVAILABLE: Final = "unavailable"

MARKET = "market"
"""Under this name the age of the newest candle stands among the lags."""

_GRACE = 10 * MINUTE
"""A function that is later than its own rhythm by more than this is late."""

_CHECKED_EVERY = 5 * MINUTE
"""Rhythm of the checks' rules."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Lag:
    """How far behind `now` a function is (ms), and how far it may be before that is a fault."""

    name: str
    position: int
    lag: int
    allowed: int

    @property
    def late(self) -> bool:
        """Whether the function has missed its rhythm."""
        return self.lag > self.allowed


def lags(cursors: Iterable[Cursor], now: int) -> list[Lag]:
    """Lag of every cursor, in their order; none where it stands ahead, waiting for a first check to fall due.

    Last comes `market`, the age of the newest candle, where the collector has ever run: its own cursor moves on
    while the exchange is away.
    """
    known = list(cursors)
    market = market_state(known)
    positions = [(cursor.name, cursor.position) for cursor in known]
    if market.newest is not None:
        positions.append((MARKET, market.newest))
    return [Lag(name, min(at, now), max(0, now - at), allowed(name)) for name, at in positions]


def allowed(name: str) -> int:
    """Lag (ms) beyond which a function has missed its rhythm.

    Whatever follows a timeframe advances candle by candle, the summary day by day, a check and the paper
    trades as often as their rules.
    """
    function, _, argument = name.partition("#")
    if function == MARKET:
        return _GRACE
    if function == SUMMARISE:
        return DAY + HOUR
    if function == TRACK:
        return MINUTE + _GRACE
    if function == "close":
        return GIVE_UP_AFTER + CLOSE_EVERY + HOUR
    if function in {"collect", "generate"} and argument in set(Timeframe):
        return Timeframe(argument).ms + _GRACE
    return _CHECKED_EVERY + _GRACE


@dataclass(frozen=True, slots=True)
class MarketState:
    """What the collector has of the market's minutes: `newest` is the close of the newest candle (ms), None before any.

    `asked` says whether the collector ever ran; `behind` counts the symbols whose candles end before the minute that it
    has come to.
    """

    asked: bool
    newest: int | None
    symbols: int
    behind: int

    @property
    def missing(self) -> bool:
        """Whether the exchange was asked and gave nothing yet, or not enough for most symbols."""
        return (self.asked and self.newest is None) or 2 * self.behind > self.symbols


def market_state(cursors: Iterable[Cursor]) -> MarketState:
    """State of the market's data, by the collector's notes on each symbol."""
    minutes = next((cursor for cursor in cursors if cursor.name == collecting(Timeframe.M1)), None)
    positions = Progress.of(minutes).positions.values()
    behind = sum(at < minutes.position for at in positions) if minutes else 0
    return MarketState(minutes is not None, max(positions, default=None), len(positions), behind)


def table_states(stores: Stores) -> dict[str, TableState]:
    """`ok` or `unavailable` for each table: one cheap keyed read of each, of a day on which nothing happened.

    What a table's error says is for the log: whoever asks may be anybody.
    """
    nothing, day = first_id(0), day_of(0)
    reads: dict[str, Callable[[], object]] = {
        "candles": lambda: stores.candles.load([Span("BTC/USDT", Timeframe.D1, 0, DAY)]),
        "signals": lambda: stores.signals.get(nothing),
        "outcomes": lambda: stores.outcomes.get([(nothing, Interval.H1)]),
        "cursors": lambda: stores.cursors.read(SUMMARISE),
        "strategies": lambda: stores.strategies.get(DEFAULT_CHANNELS[0].channel_id, nothing),
        "channels": stores.channels.all,
        "markets": lambda: stores.markets.on([day]),
        "rollups": lambda: stores.rollups.days([day], ["all"]),
        "positions": stores.positions.board,
        "trades": lambda: stores.trades.get([nothing]),
        "feed": stores.feed.head,
        "connections": lambda: stores.connections.get("nobody"),
    }
    return {name: _state(name, read) for name, read in reads.items()}


def _state(table: str, read: Callable[[], object]) -> TableState:
    try:
        read()
    except Unavailable as away:
        logger.warning("table %s is away: %s", table, away)
        return UNAVAILABLE
    return OK


@dataclass(frozen=True, slots=True)
class Check:
    """State of one interval's checks. Times in ms; `next_due` is None where nothing falls due within a day."""

    interval: Interval
    position: int | None
    lag: int | None
    next_due: int | None
    enabled: bool | None
    last_day: Tally


def tracker(stores: Stores, schedules: Schedules, now: int) -> tuple[list[Check], dict[str, bool]]:
    """Every interval's checks, and every rule's state by name."""
    rules = schedules.states()
    done = {interval: stores.cursors.read(checking(interval)) for interval in Interval}
    tallies = counted(stores, now - DAY, now).get("all", {}).get("all", Cell()).tallies
    checks = [
        Check(
            interval=interval,
            position=min(cursor.position, now) if cursor else None,
            lag=max(0, now - cursor.position) if cursor else None,
            next_due=_next_due(stores, interval, cursor.position if cursor else now),
            enabled=_enabled(rules, interval),
            last_day=tallies.get(interval, Tally()),
        )
        for interval, cursor in done.items()
    ]
    return checks, rules


def _next_due(stores: Stores, interval: Interval, position: int) -> int | None:
    after = position - interval.ms
    waiting = next(iter(stores.signals.between(after, after + DAY)), None)
    return waiting.due(interval) if waiting else None


def _enabled(rules: Mapping[str, bool], interval: Interval) -> bool | None:
    """State of the rule whose name names the interval; None where no name does."""
    words = {name: name.lower().replace("_", "-").split("-") for name in rules}
    return next((rules[name] for name, parts in words.items() if interval.value in parts), None)


def seconds(milliseconds: int) -> float:
    """Milliseconds as seconds."""
    return milliseconds / SECOND
