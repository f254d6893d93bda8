"""What a schedule's event says: its own time, and the timeframe or interval it is about."""

import time
from collections.abc import Mapping

from plumbline.domain.calendar import SECOND, Interval, Timeframe, parse_instant
from plumbline.domain.errors import InvalidInput


def now_of(event: Mapping[str, object]) -> int:
    """The event's own time (ms): a run that is late or repeated works as of the time it was meant for.

    An event without `time`, sent by hand, means now.
    """
    written = event.get("time")
    if written is None:
        return wall_clock()
    if not isinstance(written, str | int | float):
        raise InvalidInput(f"time {written!r} must be ISO 8601 or a number", field="time")
    return parse_instant(written)


def timeframe_of(event: Mapping[str, object]) -> Timeframe:
    """The event's `timeframe`."""
    return Timeframe.parse(_text(event, "timeframe", Timeframe.H1))


def interval_of(event: Mapping[str, object]) -> Interval:
    """The event's `interval`."""
    return Interval.parse(_text(event, "interval", Interval.H24))


def wall_clock() -> int:
    """The edge's clock (ms). Nothing behind the edges reads one."""
    return int(time.time() * SECOND)


def _text(event: Mapping[str, object], name: str, example: str) -> str:
    value = event.get(name)
    if not isinstance(value, str):
        raise InvalidInput(
            f'the event must name its {name}, as in {{"{name}": "{example}"}}; got {value!r}', field=name
        )
    return value
