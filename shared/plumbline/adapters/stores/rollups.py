"""Rollups in DynamoDB: one item for each day and dimension, a year of a dimension in one partition."""

import zlib
from collections.abc import Iterator, Sequence
from itertools import groupby

from plumbline.adapters.tables import RollupItem
from plumbline.domain.performance import DIMENSIONS, DayRollup, dump_row, parse_row


class DynamoRollups:
    """ports.Rollups. Eventually consistent: what is derived may be a moment behind, at half the price."""

    def __init__(self, items: type[RollupItem], source: str) -> None:
        self._items = items
        self._source = source

    def put(self, rollup: DayRollup, version: int) -> None:
        """Write every dimension, the empty ones too: what a recomputation no longer finds must disappear."""
        none_is_newer = self._items.version.does_not_exist() | (self._items.version <= version)
        for dimension in DIMENSIONS:
            cells = zlib.compress(dump_row(rollup.cells.get(dimension, {})).encode(), 9)
            key = self._partition(dimension, rollup.day), rollup.day
            self._items(*key, version=version, through=rollup.through, cells=cells).put_if(none_is_newer)

    def days(self, days: Sequence[str], dimensions: Sequence[str]) -> list[DayRollup]:
        """One query for each dimension and year. A day whose items disagree on `through` reports the earliest."""
        found: dict[str, DayRollup] = {}
        for dimension in dimensions:
            for item in self._row(dimension, sorted(set(days))):
                cells = parse_row(zlib.decompress(item.cells).decode())
                known = found.get(item.sk, DayRollup(item.sk, item.through, {}))
                row = {dimension: cells} if cells else {}
                found[item.sk] = DayRollup(item.sk, min(known.through, item.through), known.cells | row)
        return [found[day] for day in sorted(found)]

    def _row(self, dimension: str, days: Sequence[str]) -> Iterator[RollupItem]:
        wanted = set(days)
        for _, group in groupby(days, key=lambda day: day[:4]):
            year = list(group)
            within = self._items.sk.between(year[0], year[-1])
            stored = self._items.select(self._partition(dimension, year[0]), within, consistent=False)
            yield from (item for item in stored if item.sk in wanted)

    def _partition(self, dimension: str, day: str) -> str:
        return f"{self._source}#{dimension}#{day[:4]}"
