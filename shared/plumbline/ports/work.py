"""How work goes on: cursors, schedules, pages."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Page[T]:
    """One page of a list and the opaque cursor of the next; None on the last page."""

    items: tuple[T, ...]
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a function has come: everything at or before `position` (ms) is done.

    `version` grows with every change, also with a rewind that leaves the position: a run that read the cursor before
    somebody rewound it can then not move it. `notes` is the function's own bookkeeping, plain JSON values.
    """

    name: str
    position: int
    version: int
    notes: Mapping[str, object] = field(default_factory=dict)


class Cursors(Protocol):
    """One cursor for each scheduled function and its argument: `generate#1h`, `check#24h`."""

    def read(self, name: str) -> Cursor | None:
        """The cursor, strongly consistent; None where the function never ran."""

    def move(self, cursor: Cursor | None, name: str, position: int, notes: Mapping[str, object]) -> Cursor:
        """Write position and notes if the cursor is still as read (None: still absent); else CursorMoved."""

    def rewind(self, name: str, position: int) -> None:
        """Set the cursor back to `position` if it is beyond it; in any case make runs under way start again.

        A fact was written that readers up to here may have missed. Does nothing where the cursor does not exist.
        """

    def all(self) -> list[Cursor]:
        """Every cursor, sorted by name."""


class Schedules(Protocol):
    """The rules that start the outcome checks."""

    def enable(self) -> list[str]:
        """Switch them on; returns their names."""

    def disable(self) -> list[str]:
        """Switch them off; returns their names."""

    def states(self) -> dict[str, bool]:
        """Name of each rule and whether it is on."""
