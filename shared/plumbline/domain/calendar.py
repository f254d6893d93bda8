"""Time as the market cuts it: timeframes, intervals, days. Instants are integer milliseconds, UTC."""

from datetime import UTC, datetime
from enum import StrEnum

from plumbline.domain.errors import InvalidInput

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR


class Timeframe(StrEnum):
    """Length of a candle. 1m resolves prices and never generates signals."""

    M1 = "1m"
    M5 = "5m"
    M15 = "15m"
    H1 = "1h"
    H4 = "4h"
    D1 = "1d"

    @property
    def ms(self) -> int:
        """Length in milliseconds."""
        return _TIMEFRAME_MS[self]

    def floor(self, instant: int) -> int:
        """Open time of the candle that contains `instant`."""
        return instant - instant % self.ms

    @classmethod
    def parse(cls, text: str) -> "Timeframe":
        """Read a timeframe; InvalidInput lists the valid ones."""
        return _parse(cls, text, "timeframe")


class Interval(StrEnum):
    """Delay after which a signal's outcome is checked."""

    H1 = "1h"
    H4 = "4h"
    H24 = "24h"
    D7 = "7d"
    D30 = "30d"

    @property
    def ms(self) -> int:
        """Length in milliseconds."""
        return _INTERVAL_MS[self]

    @classmethod
    def parse(cls, text: str) -> "Interval":
        """Read an interval; InvalidInput lists the valid ones."""
        return _parse(cls, text, "interval")


_TIMEFRAME_MS = {
    Timeframe.M1: MINUTE,
    Timeframe.M5: 5 * MINUTE,
    Timeframe.M15: 15 * MINUTE,
    Timeframe.H1: HOUR,
    Timeframe.H4: 4 * HOUR,
    Timeframe.D1: DAY,
}
_INTERVAL_MS = {
    Interval.H1: HOUR,
    Interval.H4: 4 * HOUR,
    Interval.H24: DAY,
    Interval.D7: 7 * DAY,
    Interval.D30: 30 * DAY,
}
SIGNAL_TIMEFRAMES = tuple(t for t in Timeframe if t is not Timeframe.M1)


def day_of(instant: int) -> str:
    """UTC day of an instant, as `2026-11-20`."""
    return _aware(instant).strftime("%Y-%m-%d")


def day_start(day: str) -> int:
    """First instant of a UTC day given as `2026-11-20`."""
    try:
        return to_ms(datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=UTC))
    except ValueError:
        raise InvalidInput(f"{day!r} is not a day; write it as 2026-11-20", field="day") from None


def days_between(first: int, last: int) -> list[str]:
    """Every UTC day touched by [first, last], oldest first."""
    return [day_of(start) for start in range(first - first % DAY, last + 1, DAY)]


def iso(instant: int) -> str:
    """ISO 8601 in UTC: `2026-11-20T07:00:00Z`, milliseconds only where there are any."""
    text = _aware(instant).isoformat(timespec="milliseconds" if instant % SECOND else "seconds")
    return text.replace("+00:00", "Z")


def parse_instant(value: str | float) -> int:
    """Instant from ISO 8601 with its zone, or from a number: seconds below 10¹¹, else milliseconds."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise InvalidInput(f"{value!r} is not a time", field="time")
    if not isinstance(value, str):
        return int(value * SECOND if abs(value) < 1e11 else value)
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise InvalidInput(f"{value!r} is not a time; write it as 2026-11-20T07:00:00Z", field="time") from None
    if moment.tzinfo is None:
        raise InvalidInput(f"{value!r} has no time zone; write it in UTC as 2026-11-20T07:00:00Z", field="time")
    return to_ms(moment)


def to_ms(moment: datetime) -> int:
    """Milliseconds since 1970 of an aware datetime."""
    return round(moment.timestamp() * SECOND)


def _aware(instant: int) -> datetime:
    return datetime.fromtimestamp(instant / SECOND, UTC)


def _parse[E: StrEnum](kind: type[E], text: str, what: str) -> E:
    try:
        return kind(text)
    except ValueError:
        valid = " ".join(kind)
        raise InvalidInput(f"unknown {what} {text!r}; valid are {valid}", field=what) from None
