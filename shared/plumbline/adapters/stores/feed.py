"""The log of the live feed in DynamoDB: every event gets the next number, in one transaction that leaves no gap.

A transaction writes three items or none: the mark that this event has its number, the entry, and the head, on the
condition that the head is still as read. So an entry exists only after the one before it, whatever writers do at once.
"""

import random
import time
import zlib
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from itertools import count, islice
from typing import Any

from plumbline.adapters.feed_items import FeedEntry, FeedHead, FeedMark
from plumbline.domain.calendar import DAY, SECOND
from plumbline.domain.errors import StoreUnavailable
from plumbline.domain.feed import Entry, Event, Kind

KEPT_FOR = 7 * DAY
"""What a client has missed longer ago than this, it no longer gets."""

BUCKET = 1_000
"""Entries in one partition."""

_MARK_SHARDS = 16
_PAUSES = (0.01, 0.02, 0.05, 0.1, *[0.2] * 56)
"""Seconds (at most) before each new try. Of many writers at once each round has one winner, so there are many."""
_HEAD = "head"


class DynamoFeed:
    """ports.Feed. `clock` is the present in seconds: only what is old in the present is dropped, whatever it tells."""

    def __init__(
        self,
        entries: type[FeedEntry],
        marks: type[FeedMark],
        heads: type[FeedHead],
        source: str,
        clock: Callable[[], float] = time.time,
        pauses: Sequence[float] = _PAUSES,
    ) -> None:
        self._entries = entries
        self._marks = marks
        self._heads = heads
        self._source = source
        self._clock = clock
        self._pauses = pauses

    def append(self, event: Event) -> Entry | None:
        """One transaction; again, after a pause of random length, where another writer took the number."""
        for pause in (*self._pauses, 0.0):
            number, latest = self._read_head()
            failed = self._write(event, number, latest)
            if failed is None:
                return Entry(number + 1, event)
            if failed[0]:
                return None
            time.sleep(random.uniform(0, pause))  # noqa: S311  # spreads the writers
        raise StoreUnavailable(
            f"event {event.key!r} lost {len(self._pauses) + 1} races for the feed's next number; try again",
            retry_after=1.0,
        )

    def head(self) -> int:
        """One item."""
        return self._read_head()[0]

    def after(self, number: int, limit: int) -> list[Entry]:
        """One query, two at the edge of a partition; a few more where what follows has been dropped.

        The entry `number` is asked for as well: where it is there and nothing follows it, it is the newest.
        """
        found = self._run(number, limit + 1)
        if not found or int(found[0].sk) > number + 1:
            if self.head() <= number:
                return []
            found = self._run(self._oldest(number), limit)
        return [entry for entry in map(_decode, found) if entry.number > number][:limit]

    def number_at(self, instant: int) -> int:
        """Back from the newest entry in steps that double, then by halves: what was just missed is found at once."""
        head, latest = self._read_head()
        if head == 0 or latest < instant:
            return head

        def is_later(number: int) -> bool:
            entry = self._entry(number)
            return entry is not None and entry.latest >= instant

        low, high = head, head
        while low > 1 and is_later(low):
            low, high = max(1, head - 2 * (head - low) - 1), low
        return _first(is_later, low, high) - 1

    def _write(self, event: Event, number: int, latest: int) -> list[bool] | None:
        latest = max(latest, event.at)
        expiration = int(max(event.at, self._clock() * SECOND) + KEPT_FOR) // SECOND
        entry = self._entries(
            *self._key(number + 1),
            key=event.key,
            kind=event.kind,
            at=event.at,
            latest=latest,
            channel_id=event.channel_id,
            content={"symbols": event.symbols, "body": dict(event.body)},
            expiration=expiration,
        )
        mark = self._marks(*self._mark_key(event.key), number=number + 1, expiration=expiration)
        head = self._heads(f"{self._source}#feed", _HEAD, number=number + 1, latest=latest)
        event_is_new = self._marks.pk.does_not_exist()
        number_is_free = self._entries.pk.does_not_exist()
        head_is_as_read = self._heads.number == number if number else self._heads.number.does_not_exist()
        return self._entries.put_together((mark, event_is_new), (entry, number_is_free), (head, head_is_as_read))

    def _read_head(self) -> tuple[int, int]:
        """The newest number and the latest time of any event; (0, 0) before there is one."""
        head = self._heads.read(f"{self._source}#feed", _HEAD)
        return (head.number, head.latest) if head else (0, 0)

    def _entry(self, number: int) -> FeedEntry | None:
        return self._entries.read(*self._key(number))

    def _run(self, number: int, most: int) -> list[FeedEntry]:
        """Entries from this number on, as far as none is missing.

        A query reads item by item while others write: it may have passed a number before that was written, and then
        find the one after it. So what follows a gap waits for the next call.
        """
        found = list(islice(self._stored(number, most), most))
        first = int(found[0].sk) if found else 0
        return [item for place, item in enumerate(found) if int(item.sk) == first + place]

    def _stored(self, number: int, page_size: int) -> Iterator[FeedEntry]:
        """What is there from this number on. Only a full partition is followed by another."""
        for bucket in count(number // BUCKET):
            last = -1
            partition, from_here = self._key(max(number, bucket * BUCKET))
            for item in self._entries.select(partition, self._entries.sk >= from_here, page_size=page_size):
                last = int(item.sk)
                yield item
            if last != (bucket + 1) * BUCKET - 1:
                return

    def _oldest(self, number: int) -> int:
        """The oldest number after this one that is kept: what is dropped, is dropped from the old end."""
        return _first(lambda n: self._entry(n) is not None, number + 1, self.head())

    def _key(self, number: int) -> tuple[str, str]:
        return f"{self._source}#feed#{number // BUCKET}", f"{number:012d}"

    def _mark_key(self, key: str) -> tuple[str, str]:
        return f"{self._source}#told#{zlib.crc32(key.encode()) % _MARK_SHARDS}", key


def _first(holds: Callable[[int], bool], low: int, high: int) -> int:
    """The first number in [low, high] from which on it holds; `high` where it does for none before."""
    return low + bisect_left(range(low, high), True, key=holds)  # the value that is searched for


def _decode(item: FeedEntry) -> Entry:
    content: dict[str, Any] = item.content
    event = Event(
        key=item.key,
        kind=Kind(item.kind),
        at=item.at,
        symbols=tuple(content["symbols"]),
        channel_id=item.channel_id,
        body=content["body"],
    )
    return Entry(int(item.sk), event)
