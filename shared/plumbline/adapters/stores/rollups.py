"""Rollups in DynamoDB: one item for each day and dimension, a year of a dimension in one partition."""

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from plumbline.adapters.tables import RollupItem
from plumbline.domain.books import BOOK_DIMENSIONS, BookCell, BookRollup, dump_book_row, parse_book_row
from plumbline.domain.performance import DIMENSIONS, Cell, DayRollup, dump_row, parse_row


@dataclass(frozen=True, slots=True)
class _Rows[C]:
    """What one kind of rollup counts by, and its rows as canonical text."""

    dimensions: Sequence[str]
    dump: Callable[[Mapping[str, C]], str]
    parse: Callable[[str], dict[str, C]]


_OUTCOMES = _Rows[Cell](DIMENSIONS, dump_row, parse_row)
_BOOKS = _Rows[BookCell](BOOK_DIMENSIONS, dump_book_row, parse_book_row)


class _Days[C]:
    """Days of one kind. Eventually consistent: what is derived may be a moment behind, at half the price."""

    def __init__(self, items: type[RollupItem], prefix: str, rows: _Rows[C]) -> None:
        self._items = items
        self._prefix = prefix
        self._rows = rows

    def write(self, day: str, through: int, cells: Mapping[str, Mapping[str, C]], version: int) -> None:
        """Write every dimension, the empty ones too: what a recomputation no longer finds must disappear."""
        none_is_newer = self._items.version.does_not_exist() | (self._items.version <= version)
        for dimension in self._rows.dimensions:
            packed = zlib.compress(self._rows.dump(cells.get(dimension, {})).encode(), 9)
            key = self._partition(dimension, day), day
            self._items(*key, version=version, through=through, cells=packed).put_if(none_is_newer)

    def read(
        self, days: Sequence[str], dimensions: Sequence[str]
    ) -> Iterator[tuple[str, int, dict[str, dict[str, C]]]]:
        """One query for each dimension and year. A day whose items disagree on `through` reports the earliest."""
        through: dict[str, int] = {}
        cells: dict[str, dict[str, dict[str, C]]] = {}
        for dimension in dimensions:
            for item in self._row(dimension, sorted(set(days))):
                row = self._rows.parse(zlib.decompress(item.cells).decode())
                through[item.sk] = min(through.get(item.sk, item.through), item.through)
                cells.setdefault(item.sk, {}).update({dimension: row} if row else {})
        return ((day, through[day], cells[day]) for day in sorted(through))

    def _row(self, dimension: str, days: Sequence[str]) -> Iterator[RollupItem]:
        wanted = set(days)
        for _, group in groupby(days, key=lambda day: day[:4]):
            year = list(group)
            within = self._items.sk.between(year[0], year[-1])
            stored = self._items.select(self._partition(dimension, year[0]), within, consistent=False)
            yield from (item for item in stored if item.sk in wanted)

    def _partition(self, dimension: str, day: str) -> str:
        return f"{self._prefix}#{dimension}#{day[:4]}"


class DynamoRollups:
    """ports.Rollups."""

    def __init__(self, items: type[RollupItem], source: str) -> None:
        self._days = _Days(items, source, _OUTCOMES)

    def put(self, rollup: DayRollup, version: int) -> None:
        """Replace the day's items, each unless it is of a later version."""
        self._days.write(rollup.day, rollup.through, rollup.cells, version)

    def days(self, days: Sequence[str], dimensions: Sequence[str]) -> list[DayRollup]:
        """Those that exist, oldest first."""
        return [DayRollup(*found) for found in self._days.read(days, dimensions)]


class DynamoBookRollups:
    """ports.BookRollups, in the same table."""

    def __init__(self, items: type[RollupItem], source: str) -> None:
        self._days = _Days(items, f"{source}#book", _BOOKS)

    def put(self, rollup: BookRollup, version: int) -> None:
        """Replace the day's items, each unless it is of a later version."""
        self._days.write(rollup.day, rollup.through, rollup.cells, version)

    def days(self, days: Sequence[str], dimensions: Sequence[str]) -> list[BookRollup]:
        """Those that exist, oldest first."""
        return [BookRollup(*found) for found in self._days.read(days, dimensions)]
