"""Keys that are computed, never looked up. A record is one data source, so its name leads every key of the record."""

import zlib
from collections.abc import Iterator

from plumbline.domain.calendar import Interval, day_of, days_between
from plumbline.domain.signals import first_id, timestamp_of

SHARDS = 2
"""Partitions a day is spread over: 2,000 writes a second at one moment, and two queries to read a day.

Every check of every interval reads some day every few minutes, mostly to find nothing, so each shard has its price.
Part of every stored key: changing it needs a migration.
"""

_LAST = "Z" * 16
END_OF_CALENDAR = 253_402_300_799_999
"""An id can name times that no calendar has; such an id is merely one that does not exist."""


def shard_of(signal_id: str) -> int:
    """Which of a day's partitions holds this signal: the same on every machine (CRC-32, not `hash`)."""
    return zlib.crc32(signal_id.encode()) % SHARDS


def day_shard(source: str, instant: int, signal_id: str) -> str:
    """Partition of a fact about this signal that belongs to the day of `instant`."""
    return f"{source}#{calendar_day(instant)}#{shard_of(signal_id)}"


def calendar_day(instant: int) -> str:
    """`day_of`, for instants out of any id."""
    return day_of(min(instant, END_OF_CALENDAR))


def shards_of(source: str, day: str) -> list[str]:
    """All partitions of a day."""
    return [f"{source}#{day}#{shard}" for shard in range(SHARDS)]


def signal_key(source: str, signal_id: str) -> tuple[str, str]:
    """Where a signal lies, from its id alone."""
    return day_shard(source, timestamp_of(signal_id), signal_id), signal_id


def outcome_key(source: str, signal_id: str, interval: Interval) -> tuple[str, str]:
    """Where the outcome of this check lies, whether it exists or not."""
    due = timestamp_of(signal_id) + interval.ms
    return day_shard(source, due, signal_id), f"{interval}#{signal_id}"


def ids_within(after: int, until: int) -> tuple[str, str]:
    """Smallest and largest id that a signal of (after, until] can have."""
    return first_id(max(after + 1, 0)), last_id(until)


def last_id(instant: int) -> str:
    """Largest id a signal of this time can have."""
    return first_id(instant)[:10] + _LAST


def days_of(after: int, until: int) -> Iterator[str]:
    """UTC days touched by (after, until], oldest first."""
    yield from days_between(after + 1, until)
