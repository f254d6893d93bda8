"""How far each function has come, how far it may go, and who must look again when a fact arrives late."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Self, cast

from plumbline.domain.calendar import DAY, HOUR, Interval, Timeframe
from plumbline.domain.errors import CursorMoved
from plumbline.ports import Cursor, Cursors

SUMMARISE = "summarise"
DIGEST = f"{SUMMARISE}#digest"
"""The digests of every day that ended by its position are made of the rollups as they are now."""
TRACK = "track"
"""The paper trades: every signal up to its position has its trade, matched against the minutes up to there."""

type EnoughTime = Callable[[], bool]
"""Whether there is time for another slice of work before Lambda stops the function."""


type Clock = Callable[[int], int]
"""When something is really recorded, given the time of the event that asked for it."""

CLOSE_EVERY = 6 * HOUR
"""The closing pass, a week behind anyway, need not look every few minutes."""


def event_time(now: int) -> int:
    """A replay records at the time it replays."""
    return now


def always() -> bool:
    """No hurry."""
    return True


def collecting(timeframe: Timeframe) -> str:
    """Name of the collector's cursor: every candle that closed by its position has been asked for."""
    return f"collect#{timeframe}"


def generating(timeframe: Timeframe) -> str:
    """Name of the generator's cursor: every candle that closed by its position is evaluated."""
    return f"generate#{timeframe}"


def checking(interval: Interval) -> str:
    """Name of the check's cursor: every outcome due by its position is judged, where there was a price."""
    return f"check#{interval}"


def closing(interval: Interval) -> str:
    """Name of the closing pass's cursor: every outcome due by its position exists, as UNKNOWN at the worst."""
    return f"close#{interval}"


def move(cursors: Cursors, cursor: Cursor | None, name: str, position: int, **notes: object) -> Cursor:
    """Move a cursor and remember the farthest it ever was; raises CursorMoved if another run was first."""
    return cursors.move(cursor, name, position, {**notes, "reached": max(position, reached(cursor))})


def reached(cursor: Cursor | None) -> int:
    """The farthest position this cursor ever had, whatever it was set back to; −1 where it never ran.

    A fact at or before it is late: readers may have passed the place where it belongs.
    """
    return -1 if cursor is None else int(cast("int", cursor.notes.get("reached", cursor.position)))


def call_log_readers_back(cursors: Cursors, timestamp: int) -> None:
    """A signal of this time is new to the log, behind those who read it: its checks and its day must be done again.

    A reader that never ran is given its first cursor here, so that it cannot begin after the signal.
    """
    for interval in Interval:
        _call_back(cursors, checking(interval), timestamp + interval.ms - 1)
        _call_back(cursors, closing(interval), timestamp + interval.ms - 1)
    _call_back(cursors, TRACK, timestamp - 1)
    _call_back(cursors, SUMMARISE, timestamp - 1)


def _call_back(cursors: Cursors, name: str, position: int) -> None:
    if cursors.read(name) is None:
        with suppress(CursorMoved):
            cursors.move(None, name, position, {"reached": position})
    cursors.rewind(name, position)


def call_digests_back(cursors: Cursors, known: Mapping[str, Cursor], summary: Cursor) -> None:
    """The summary is about to go on from its position: where it was before, the digests from there on are out of date.

    To be called before any rollup is replaced. Digests begin on the day on which the summary does.
    """
    midnight = (summary.position + 1) // DAY * DAY
    if DIGEST not in known:
        with suppress(CursorMoved):
            cursors.move(None, DIGEST, midnight, {"reached": midnight})
    elif summary.position < reached(summary):
        cursors.rewind(DIGEST, midnight)


def snapshot(cursors: Cursors) -> dict[str, Cursor]:
    """Every cursor by name, in one read. To be taken before the facts: what is written later is then never passed."""
    return {cursor.name: cursor for cursor in cursors.all()}


def signals_complete_until(known: Mapping[str, Cursor], timeframes: Iterable[Timeframe]) -> int | None:
    """Instant up to which no generator will add a signal in the ordinary course; None where none ever ran.

    A generator at position p has evaluated the candle that closed at p; the next one closes a timeframe later.
    """
    positions = [
        cursor.position + timeframe.ms - 1 for timeframe in timeframes if (cursor := known.get(generating(timeframe)))
    ]
    return min(positions, default=None)


@dataclass(frozen=True, slots=True)
class Hole:
    """Candles [start, end) of a symbol that the exchange did not have, and may have yet."""

    symbol: str
    start: int
    end: int


@dataclass(slots=True)
class Progress:
    """The collector's notes on one timeframe.

    `positions`: for each symbol the open time wanted next; every candle of it that closed by then is stored, but for
    its holes. A symbol of which nothing ever arrived has none.
    `holes`: what the exchange did not have inside, to be asked for again.
    `stalled`: since when (event time) a symbol that is wanted brings nothing new. `asked`: when holes were last tried.
    """

    positions: dict[str, int] = field(default_factory=dict)
    holes: list[Hole] = field(default_factory=list)
    stalled: dict[str, int] = field(default_factory=dict)
    asked: int = 0

    @classmethod
    def of(cls, cursor: Cursor | None) -> Self:
        """Read from the collector's cursor."""
        notes = cast("Mapping[str, Any]", cursor.notes if cursor else {})
        positions = {s: int(at) for at, symbols in notes.get("positions", {}).items() for s in symbols}
        holes = [Hole(str(s), int(a), int(b)) for s, a, b in notes.get("holes", ())]
        stalled = {s: int(at) for s, at in notes.get("stalled", {}).items()}
        return cls(positions, holes, stalled, int(notes.get("asked", 0)))

    def notes(self) -> dict[str, object]:
        """As plain JSON: nearly all symbols share one position, so they are grouped by it."""
        grouped: defaultdict[str, list[str]] = defaultdict(list)
        for symbol, position in sorted(self.positions.items()):
            grouped[str(position)].append(symbol)
        return {
            "positions": dict(grouped),
            "holes": [[hole.symbol, hole.start, hole.end] for hole in self.holes],
            "stalled": self.stalled,
            "asked": self.asked,
        }

    def solid_until(self, symbol: str) -> int:
        """Close up to which this symbol's candles are whole: its position, or the first hole that may still fill."""
        open_holes = [hole.start for hole in self.holes if hole.symbol == symbol]
        return min([self.positions.get(symbol, 0), *open_holes])

    def has_price(self, symbol: str, instant: int) -> bool:
        """Whether this symbol's minutes are collected up to an instant."""
        return self.positions.get(symbol, 0) >= Timeframe.M1.floor(instant)

    def gave_up(self, symbol: str, now: int, patience: int) -> bool:
        """Whether a symbol has brought nothing for so long that nothing will come."""
        if symbol in self.stalled:
            return self.stalled[symbol] <= now - patience
        return symbol not in self.positions  # nobody asks for it any more
