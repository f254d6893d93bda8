"""What readers ask: the latest signals, the record and its statistics, how far the service has come.

The cost of an answer does not grow with history: closed days come from their rollups, only what lies after them is
counted from the facts. Nothing is written here.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from plumbline.domain.calendar import DAY, HOUR, MINUTE, SECOND, Interval, Timeframe, day_of, day_start, days_between
from plumbline.domain.errors import InvalidInput, NotFound, Unavailable
from plumbline.domain.outcomes import GIVE_UP_AFTER, Outcome
from plumbline.domain.performance import Cell, Cells, DayRollup, Tally, count, merge
from plumbline.domain.signals import Signal, first_id
from plumbline.domain.strategies import DEFAULT_CHANNELS, Channel
from plumbline.domain.symbols import resolve
from plumbline.pipeline.channels import known_markets
from plumbline.pipeline.progress import CLOSE_EVERY, SUMMARISE, Progress, checking, collecting
from plumbline.pipeline.summarising import checks_due
from plumbline.ports import Cursor, Schedules, SignalFilter, Span, Stores

TableState = Literal["ok", "unavailable"]
OK: Final = "ok"
UNAVAILABLE: Final = "unavailable"

MARKET = "market"
"""Under this name the age of the newest candle stands among the lags."""

_GRACE = 10 * MINUTE
"""A function that is later than its own rhythm by more than this is late."""

_CHECKED_EVERY: Mapping[str, int] = {Interval.H1: 5 * MINUTE, Interval.H4: 5 * MINUTE, Interval.H24: 15 * MINUTE}
"""Rhythm of the checks' rules; the others run once an hour."""

logger = logging.getLogger(__name__)


# --- signals -------------------------------------------------------------------------------------------------------


def latest(stores: Stores, symbol: str | None, channel_id: str | None) -> Signal:
    """The newest signal, of a symbol or a channel where given; NotFound before there is one."""
    page = stores.signals.page(SignalFilter(symbol=symbol, channel_id=channel_id), limit=1)
    if not page.items:
        of = " and ".join(name for name in (symbol, channel_id) if name)
        raise NotFound(f"no signal{f' of {of}' if of else ''} is recorded yet")
    return page.items[0]


def outcomes_of(stores: Stores, signals: Iterable[Signal]) -> dict[str, dict[Interval, Outcome]]:
    """Signal id and interval to outcome, for what is judged so far: one batch read by computed keys."""
    keys = [(signal.signal_id, interval) for signal in signals for interval in Interval]
    found: dict[str, dict[Interval, Outcome]] = {}
    for (signal_id, interval), outcome in stores.outcomes.get(keys).items():
        found.setdefault(signal_id, {})[interval] = outcome
    return found


def symbol_named(stores: Stores, text: str, now: int, quote: str = "USDT") -> str:
    """The market that `BTC/USDT`, `BTCUSDT` or `BTC` means, by the latest catalogue; UnknownSymbol with near matches.

    Where no catalogue is stored yet there is nothing to compare with: ccxt's own spelling is taken as it is.
    """
    markets = _markets(stores, now)
    if markets:
        return resolve(text, markets, quote)
    if "/" not in text:
        raise InvalidInput(
            f"{text!r} cannot be looked up: no market catalogue is stored yet; write the symbol as BTC/USDT",
            field="symbol",
        )
    return text.strip().upper()


def channel_named(stores: Stores, channel_id: str) -> Channel:
    """A published channel; NotFound lists those that exist."""
    channels = {channel.channel_id: channel for channel in (*DEFAULT_CHANNELS, *stores.channels.all())}
    if channel_id not in channels:
        raise NotFound(f"no channel {channel_id!r}; there are {', '.join(sorted(channels))}")
    return channels[channel_id]


def _markets(stores: Stores, now: int) -> tuple[str, ...]:
    """The latest catalogue; on a market that stands still, that of the days its cursors have reached."""
    markets = known_markets(stores, now)
    if markets:
        return markets
    reached = {day_of(cursor.position) for cursor in stores.cursors.all() if 0 < cursor.position <= now}
    universes = stores.markets.on(sorted(reached))
    return universes[-1].markets if universes else ()


# --- the record ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Period:
    """The record over whole UTC days up to `until` (ms); `days` counts the running one."""

    days: int
    start: int
    until: int
    cells: Cells

    def cell(self, dimension: str, value: str) -> Cell:
        """One cell, empty where nothing was counted."""
        return self.cells.get(dimension, {}).get(value, Cell())


def performance(stores: Stores, days: int, dimension: str, now: int) -> Period:
    """Statistics of the last `days` UTC days along one dimension, the day of `now` included."""
    start = day_start(day_of(now)) - (days - 1) * DAY
    # The cursor first: a summary that finishes in between is then counted from the facts, never passed over.
    position = _summarised_until(stores, now)
    rollups = {r.day: r for r in stores.rollups.days(days_between(start, now), [dimension])}
    usable = {day: r for day, r in rollups.items() if _holds_all(r, position, now)}
    spans = _uncounted(days_between(start, now), rollups, usable, position, now)
    live = [{dimension: _count(stores, after, until).get(dimension, {})} for after, until in spans]
    return Period(days, start, now, merge([*(r.cells for r in usable.values()), *live]))


def by_interval(period: Period) -> dict[Interval, Cell]:
    """The cells of all signals, one for each interval."""
    whole = period.cell("all", "all")
    return {i: Cell(whole.signals, {i: whole.tallies.get(i, Tally())}) for i in Interval}


def _summarised_until(stores: Stores, now: int) -> int:
    """Instant up to which the rollups hold everything.

    The first signal ever makes the summary's cursor. Without one there is nothing older than the signals being written
    at this moment, so yesterday and today are all there is to count.
    """
    cursor = stores.cursors.read(SUMMARISE)
    return cursor.position if cursor else day_start(day_of(now)) - DAY - 1


def _holds_all(rollup: DayRollup, position: int, now: int) -> bool:
    """Whether a rollup can be used as it is.

    One that reaches beyond the cursor is out of date: a late fact set the cursor back behind it. One that reaches
    beyond `now` counts what had not happened yet.
    """
    return _end(rollup) <= min(position, now)


def _end(rollup: DayRollup) -> int:
    return min(rollup.through, day_start(rollup.day) + DAY - 1)


def _uncounted(
    days: Sequence[str], rollups: Mapping[str, DayRollup], usable: Mapping[str, DayRollup], position: int, now: int
) -> list[tuple[int, int]]:
    """Spans (after, until] of these days that no usable rollup holds, joined where they touch."""
    spans: list[tuple[int, int]] = []
    for day in days:
        first = day_start(day) - 1
        last = min(first + DAY, now)
        if day in usable:
            first = _end(usable[day])
        elif day not in rollups and last <= position:
            continue  # summarised, and nothing had happened
        if first < last:
            joined = spans and spans[-1][1] == first
            spans.append((spans.pop()[0] if joined else first, last))
    return spans


def _count(stores: Stores, after: int, until: int) -> Cells:
    due = (check for interval in Interval for check in checks_due(stores, interval, after, until))
    return count(stores.signals.between(after, until), due, stores.outcomes.due_between(after, until))


# --- the service ---------------------------------------------------------------------------------------------------


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

    Whatever follows a timeframe advances candle by candle, the summary day by day, a check as often as its rule.
    """
    function, _, argument = name.partition("#")
    if function == MARKET:
        return _GRACE
    if function == SUMMARISE:
        return DAY + HOUR
    if function == "close":
        return GIVE_UP_AFTER + CLOSE_EVERY + HOUR
    if function in {"collect", "generate"} and argument in set(Timeframe):
        return Timeframe(argument).ms + _GRACE
    return _CHECKED_EVERY.get(argument, HOUR) + _GRACE


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
    tallies = _count(stores, now - DAY, now).get("all", {}).get("all", Cell()).tallies
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
