"""The record: signals, what became of them, and what computes them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from plumbline.domain.calendar import Interval
from plumbline.domain.drift import ModelReport
from plumbline.domain.outcomes import Outcome
from plumbline.domain.performance import DayRollup
from plumbline.domain.signals import Signal
from plumbline.domain.strategies import Activation, Channel, Configuration
from plumbline.ports.work import Page


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalFilter:
    """Which signals a reader wants. At most one of symbol and channel is answered by an index, the rest by filter."""

    symbol: str | None = None
    channel_id: str | None = None
    since: int | None = None
    until: int | None = None


class SignalLog(Protocol):
    """The log of signals: append-only, one record, one data source."""

    def add(self, signal: Signal) -> bool:
        """Append; False where it is already there. RecordRefused where `domain.signals.admit` refuses it."""

    def claim(self, name: str, signal_id: str) -> str:
        """Bind an outside name to a signal id, once and for all; returns the id that holds the name."""

    def get(self, signal_id: str) -> Signal | None:
        """One signal, strongly consistent."""

    def between(self, after: int, until: int, *, consistent: bool = True) -> Iterator[Signal]:
        """Signals with timestamp in (after, until], in order of id.

        Who is not `consistent` may miss what was written in the last second, for half the price: readers, no cursor.
        """

    def page(self, wanted: SignalFilter, limit: int, cursor: str | None = None) -> Page[Signal]:
        """Newest first. InvalidInput for a cursor that is not one of ours."""


type OutcomeKey = tuple[str, Interval]
"""Signal id and interval: the natural key, from which the stored key is computed."""


class OutcomeStore(Protocol):
    """Outcomes: one for each (signal, interval), ever."""

    def add(self, outcome: Outcome) -> bool:
        """Store; False where this check already has its outcome."""

    def get(self, keys: Iterable[OutcomeKey]) -> dict[OutcomeKey, Outcome]:
        """Those of the keys that exist, strongly consistent."""

    def due_between(self, after: int, until: int, *, consistent: bool = True) -> Iterator[Outcome]:
        """Outcomes whose due time lies in (after, until]; `consistent` as for `SignalLog.between`."""


class StrategyStore(Protocol):
    """Snapshots by content and the activations that say when each was current."""

    def save(self, configuration: Configuration) -> bool:
        """Store a snapshot; False where its content is already stored."""

    def get(self, strategy: str, config_hash: str) -> Configuration | None:
        """One snapshot."""

    def activate(self, activation: Activation) -> bool:
        """Store an activation; False where one exists at the same moment."""

    def activations(self, strategy: str) -> list[Activation]:
        """All of a strategy's, oldest first."""


class ChannelStore(Protocol):
    """The published channels."""

    def add(self, channel: Channel) -> bool:
        """Store; False where the channel exists."""

    def all(self) -> list[Channel]:
        """Every channel, sorted by id."""


class Rollups(Protocol):
    """One day's mergeable statistics. Derived: replaced whole, with the same bytes for the same facts."""

    def put(self, rollup: DayRollup, version: int) -> None:
        """Replace the rollup of its day, unless what is there was computed from a later `version` of the cursor.

        A run that was overtaken may still be writing: its day must not replace the newer one.
        """

    def get(self, day: str) -> DayRollup | None:
        """The rollup of one day, whole and strongly consistent: what a run may go on from."""

    def days(self, days: Sequence[str], dimensions: Sequence[str], *, consistent: bool = False) -> list[DayRollup]:
        """The rollups of these days, oldest first, holding only the cells of these dimensions, and the extremes where
        `EXTREMES` is among them. One that is just being written may be told as not begun: up to the instant before it.

        What is derived may be a moment behind, at half the price; `consistent` for what is derived from it and kept.
        """


class ModelReports(Protocol):
    """The model's daily reports. Derived: replaced whole, with the same bytes for the same facts."""

    def put(self, report: ModelReport) -> None:
        """Replace the report of its model and day."""

    def latest(self, model: str, until: str) -> ModelReport | None:
        """The newest report of the model named so, of this day or an earlier one."""
