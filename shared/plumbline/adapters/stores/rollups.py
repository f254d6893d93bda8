"""Rollups in DynamoDB: one item for each day and dimension, a year of a dimension in one partition."""

import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from plumbline.adapters.items import at_once
from plumbline.adapters.tables import RollupItem
from plumbline.domain.books import BOOK_DIMENSIONS, BookRollup, dump_book_row, parse_book_row
from plumbline.domain.calendar import day_start
from plumbline.domain.extremes import EXTREMES, Extremes, dump_extremes, parse_extremes
from plumbline.domain.performance import DIMENSIONS, DayRollup, dump_row, parse_row


@dataclass(frozen=True, slots=True)
class _Day:
    """A day's rows as canonical text, by their dimension, up to `through`."""

    day: str
    through: int
    rows: Mapping[str, str]


class _Days:
    """Days of one kind of rollup, of these dimensions."""

    def __init__(self, items: type[RollupItem], prefix: str, dimensions: Sequence[str]) -> None:
        self._items = items
        self._prefix = prefix
        self._dimensions = dimensions

    def write(self, day: _Day, version: int) -> None:
        """Write every dimension, the empty ones too: what a recomputation no longer finds must disappear."""
        none_is_newer = self._items.version.does_not_exist() | (self._items.version <= version)
        for dimension in self._dimensions:
            packed = zlib.compress(day.rows[dimension].encode(), 9)
            key = self._partition(dimension, day.day), day.day
            self._items(*key, version=version, through=day.through, cells=packed).put_if(none_is_newer)

    def read(self, days: Sequence[str], dimensions: Iterable[str], *, consistent: bool) -> Iterator[_Day]:
        """Those that exist, oldest first: one query for each dimension and year."""
        wanted = [dimension for dimension in dict.fromkeys(dimensions) if dimension in self._dimensions]
        found: defaultdict[str, dict[str, RollupItem]] = defaultdict(dict)
        rows = at_once(self._row(dimension, sorted(set(days)), consistent=consistent) for dimension in wanted)
        for dimension, items in zip(wanted, rows, strict=True):
            for item in items:
                found[item.sk][dimension] = item
        return (_whole(day, found[day], len(wanted)) for day in sorted(found))

    def get(self, day: str) -> _Day | None:
        """One day with every dimension, strongly consistent, in one call."""
        keys = {self._partition(dimension, day): dimension for dimension in self._dimensions}
        found = {keys[item.pk]: item for item in self._items.fetch((pk, day) for pk in keys)}
        return _whole(day, found, len(keys)) if found else None

    def _row(self, dimension: str, days: Sequence[str], *, consistent: bool) -> Iterator[RollupItem]:
        wanted = set(days)
        for _, group in groupby(days, key=lambda day: day[:4]):
            year = list(group)
            within = self._items.sk.between(year[0], year[-1])
            stored = self._items.select(self._partition(dimension, year[0]), within, consistent=consistent)
            yield from (item for item in stored if item.sk in wanted)

    def _partition(self, dimension: str, day: str) -> str:
        return f"{self._prefix}#{dimension}#{day[:4]}"


def _whole(day: str, items: Mapping[str, RollupItem], wanted: int) -> _Day:
    """The items of a day as one. Where they are not of one moment, the day holds nothing up to the instant before it.

    They are written one by one: a reader may come in between, and a run that was overtaken may have replaced some of
    them. Whatever `through` such a day were given, facts would be passed over in one dimension or counted twice.
    """
    throughs = {item.through for item in items.values()}
    if len(throughs) > 1 or len(items) < wanted:
        return _Day(day, day_start(day) - 1, {})
    return _Day(day, throughs.pop(), {d: zlib.decompress(item.cells).decode() for d, item in items.items()})


class DynamoRollups:
    """ports.Rollups."""

    def __init__(self, items: type[RollupItem], source: str) -> None:
        self._days = _Days(items, source, (*DIMENSIONS, EXTREMES))

    def put(self, rollup: DayRollup, version: int) -> None:
        """Replace the day's items, each unless it is of a later version."""
        rows = {dimension: dump_row(rollup.cells.get(dimension, {})) for dimension in DIMENSIONS}
        rows[EXTREMES] = dump_extremes(rollup.extremes)
        self._days.write(_Day(rollup.day, rollup.through, rows), version)

    def get(self, day: str) -> DayRollup | None:
        """With all its dimensions."""
        found = self._days.get(day)
        return _rollup(found) if found else None

    def days(self, days: Sequence[str], dimensions: Sequence[str], *, consistent: bool = False) -> list[DayRollup]:
        """Those that exist, oldest first."""
        return [_rollup(found) for found in self._days.read(days, dimensions, consistent=consistent)]


class DynamoBookRollups:
    """ports.BookRollups, in the same table."""

    def __init__(self, items: type[RollupItem], source: str) -> None:
        self._days = _Days(items, f"{source}#book", BOOK_DIMENSIONS)

    def put(self, rollup: BookRollup, version: int) -> None:
        """Replace the day's items, each unless it is of a later version."""
        rows = {dimension: dump_book_row(rollup.cells.get(dimension, {})) for dimension in BOOK_DIMENSIONS}
        self._days.write(_Day(rollup.day, rollup.through, rows), version)

    def get(self, day: str) -> BookRollup | None:
        """With all its dimensions."""
        found = self._days.get(day)
        return _book_rollup(found) if found else None

    def days(self, days: Sequence[str], dimensions: Sequence[str], *, consistent: bool = False) -> list[BookRollup]:
        """Those that exist, oldest first."""
        return [_book_rollup(found) for found in self._days.read(days, dimensions, consistent=consistent)]


def _rollup(stored: _Day) -> DayRollup:
    parsed = {d: row for d, text in stored.rows.items() if d != EXTREMES and (row := parse_row(text))}
    extremes = parse_extremes(stored.rows[EXTREMES]) if EXTREMES in stored.rows else Extremes()
    return DayRollup(stored.day, stored.through, parsed, extremes)


def _book_rollup(stored: _Day) -> BookRollup:
    parsed = {d: row for d, text in stored.rows.items() if (row := parse_book_row(text))}
    return BookRollup(stored.day, stored.through, parsed)
