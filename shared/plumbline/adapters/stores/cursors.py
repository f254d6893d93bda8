"""Cursors in DynamoDB: one item a function, moved and rewound only under a condition.

All of a source's cursors share a partition: there are about a dozen, each written at most once a minute, so the
partition sees less than one write a second, and listing them is one query.
"""

from collections.abc import Mapping

from plumbline.adapters.tables import CursorItem
from plumbline.domain.errors import CursorMoved, StoreUnavailable
from plumbline.ports import Cursor

_TRIES = 10


class DynamoCursors:
    """ports.Cursors."""

    def __init__(self, items: type[CursorItem], source: str) -> None:
        self._items = items
        self._partition = source

    def read(self, name: str) -> Cursor | None:
        """The cursor as it is now."""
        item = self._items.read(self._partition, name)
        return _decode(item) if item else None

    def move(self, cursor: Cursor | None, name: str, position: int, notes: Mapping[str, object]) -> Cursor:
        """Write where the version is still the one read."""
        version = cursor.version if cursor else 0
        item = self._items(self._partition, name, position=position, version=version + 1, notes=dict(notes))
        cursor_is_as_read = self._items.version == version if cursor else self._items.version.does_not_exist()
        if not item.put_if(cursor_is_as_read):
            raise CursorMoved(name, version)
        return Cursor(name, position, version + 1, dict(notes))

    def rewind(self, name: str, position: int) -> None:
        """Two conditional updates, because DynamoDB has no minimum; repeated where a run moved the cursor between."""
        item = self._items(self._partition, name)
        cursor_is_beyond = self._items.position > position
        cursor_is_behind = self._items.position <= position
        restarted = self._items.version.add(1)
        for _ in range(_TRIES):
            if item.change_if(cursor_is_beyond, self._items.position.set(position), restarted):
                return
            if item.change_if(cursor_is_behind, restarted):
                return
            if self.read(name) is None:
                return
        raise StoreUnavailable(
            f"cursor {name!r} was moved {_TRIES} times while we set it back to {position}; try again"
        )

    def all(self) -> list[Cursor]:
        """Every cursor of this source; the sort key is the name."""
        return [_decode(item) for item in self._items.select(self._partition)]


def _decode(item: CursorItem) -> Cursor:
    return Cursor(item.sk, item.position, item.version, item.notes)
