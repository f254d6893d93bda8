"""Lists of facts by day: each day's partitions, the days that have any, and the indexes by month beside them."""

import heapq
from collections.abc import Iterable, Iterator
from itertools import batched, groupby
from operator import attrgetter

from plumbline.adapters.items import Item, at_once
from plumbline.adapters.stores.keys import calendar_day, days_of, shards_of
from plumbline.domain.calendar import DAY


class DayLists[I: Item]:
    """One kind of fact under `prefix#day#shard`, its days under `marks`, its indexes under `source#value#month`."""

    def __init__(self, items: type[I], days: type[Item], source: str, *, prefix: str, marks: str) -> None:
        self._items = items
        self._days = days
        self._source = source
        self._prefix = prefix
        self._marks = marks
        self._marked: set[str] = set()

    def mark(self, day: str) -> None:
        """Note that a day has facts, before its first: a day without its mark would hide them from long ranges.

        Reading first costs a tenth of a refused write; a container remembers what it has marked.
        """
        if day not in self._marked:
            if self._days.read(self._marks, day) is None:
                self._days(self._marks, day).put_new()
            self._marked.add(day)

    def marked(self, first: str, last: str, *, newest_first: bool = False) -> Iterator[str]:
        """Days with facts. One partition: it gains one tiny item a day, and is written once a day."""
        stored = self._days.select(self._marks, self._days.sk.between(first, last), newest_first=newest_first)
        return (mark.sk for mark in stored)

    def touched(self, after: int, until: int) -> list[str]:
        """Days of (after, until] that may have facts, oldest first. The one or two days of a short range are not looked
        up: reading an empty one costs no more."""
        if until <= after:
            return []
        if until - after <= DAY:
            return list(days_of(after, until))
        return list(self.marked(calendar_day(after + 1), calendar_day(until)))

    def on(
        self,
        day: str,
        low: str,
        high: str,
        *,
        newest_first: bool = False,
        consistent: bool = True,
        page_size: int | None = None,
    ) -> Iterator[I]:
        """A day's items with sort key in [low, high], in order of it: one query for each of its partitions.

        Whoever asks for all of a span, and may be a second behind, is a reader who waits: both are asked at once.
        """
        within = self._items.sk.between(low, high)
        shards = (
            self._items.select(pk, within, newest_first=newest_first, consistent=consistent, page_size=page_size)
            for pk in shards_of(self._prefix, day)
        )
        parts = shards if consistent or page_size else at_once(shards)
        return heapq.merge(*parts, key=attrgetter("sk"), reverse=newest_first)

    def indexed(self, index: str, value: str, days: Iterable[str], low: str, high: str, chunk: int) -> Iterator[I]:
        """An index's items of the months of these days, newest first, in reads of `chunk`: whatever it projects."""
        within = self._items.sk.between(low, high)
        for month, _ in groupby(days, key=lambda day: day[:7]):
            partition = self.index_key(value, month)
            yield from self._items.select(partition, within, newest_first=True, index=index, page_size=chunk)

    def fetched(self, entries: Iterable[I], chunk: int) -> Iterator[I]:
        """The whole items of an index that holds keys only, in the same order, strongly consistent."""
        for part in batched(entries, chunk, strict=False):
            found = {item.sk: item for item in self._items.fetch((item.pk, item.sk) for item in part)}
            yield from (found[item.sk] for item in part if item.sk in found)

    def index_key(self, value: str, month: str) -> str:
        """Partition of an index."""
        return f"{self._source}#{value}#{month}"
