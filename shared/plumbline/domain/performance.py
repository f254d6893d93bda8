"""Statistics of a record: mergeable, exact, and never without their sample size and interval."""

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import chain
from typing import Any, Self

from plumbline.domain.calendar import Interval
from plumbline.domain.outcomes import Label, Outcome
from plumbline.domain.signals import Signal

Z_95 = 1.959963984540054
"""Two-sided 95 % quantile of the normal distribution."""

DIMENSIONS = ("all", "scanner", "tier", "type", "symbol", "channel", "snapshot")
"""What facts are counted by; intervals live inside the cells of each."""
_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts and exact sums over one cell's outcomes at one interval. `+` merges; order and grouping do not matter.

    Sums are Decimal of six-decimal percentages, so merging is exact and a recomputed day is the same to the byte.
    """

    due: int = 0
    wins: int = 0
    losses: int = 0
    neutral: int = 0
    unknown: int = 0
    pnl: Decimal = _ZERO
    pnl_wins: Decimal = _ZERO
    pnl_losses: Decimal = _ZERO
    pnl_squares: Decimal = _ZERO
    score: Decimal = _ZERO

    @property
    def checked(self) -> int:
        """Outcomes with a price: what every rate divides by."""
        return self.wins + self.losses + self.neutral

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            due=self.due + other.due,
            wins=self.wins + other.wins,
            losses=self.losses + other.losses,
            neutral=self.neutral + other.neutral,
            unknown=self.unknown + other.unknown,
            pnl=self.pnl + other.pnl,
            pnl_wins=self.pnl_wins + other.pnl_wins,
            pnl_losses=self.pnl_losses + other.pnl_losses,
            pnl_squares=self.pnl_squares + other.pnl_squares,
            score=self.score + other.score,
        )

    def values(self) -> tuple[int | Decimal, ...]:
        """The fields in order."""
        return tuple(getattr(self, name) for name in Tally.__slots__)

    @classmethod
    def of(cls, outcome: Outcome) -> Self:
        """Tally of one outcome; `due` is counted from signals, not here."""
        pnl, label = outcome.pnl_pct, outcome.outcome
        if pnl is None:
            return cls(unknown=1)
        win, loss = label is Label.WIN, label is Label.LOSS
        return cls(
            wins=int(win),
            losses=int(loss),
            neutral=int(label is Label.NEUTRAL),
            pnl=pnl,
            pnl_wins=pnl if win else _ZERO,
            pnl_losses=pnl if loss else _ZERO,
            pnl_squares=pnl * pnl,
            score=Decimal(str(outcome.unified_score)),
        )


@dataclass(frozen=True, slots=True)
class Cell:
    """One value of one dimension: the signals issued, and a tally for each interval. `+` merges."""

    signals: int = 0
    tallies: Mapping[Interval, Tally] = field(default_factory=dict)

    def __add__(self, other: "Cell") -> "Cell":
        intervals = [i for i in Interval if i in self.tallies or i in other.tallies]
        merged = {i: self.tallies.get(i, Tally()) + other.tallies.get(i, Tally()) for i in intervals}
        return Cell(self.signals + other.signals, merged)

    def pooled(self) -> Tally:
        """All intervals together."""
        return sum(self.tallies.values(), Tally())


type Cells = dict[str, dict[str, Cell]]
"""Dimension, value, cell."""


@dataclass(frozen=True, slots=True)
class DayRollup:
    """One UTC day's cells: signals by their timestamp, outcomes by their due time, up to `through` (ms)."""

    day: str
    through: int
    cells: Cells


def values_of(fact: Signal | Outcome) -> Iterator[tuple[str, str]]:
    """The (dimension, value) pairs under which a fact is counted; intervals live inside the cells."""
    side = fact.side if isinstance(fact, Signal) else fact.signal_type
    yield "all", "all"
    yield "scanner", fact.scanner_type
    yield "tier", fact.tier
    yield "type", side
    yield "symbol", fact.symbol
    yield "channel", fact.channel_id
    yield "snapshot", fact.snapshot_id


def count(issued: Iterable[Signal], due: Iterable[tuple[Signal, Interval]], outcomes: Iterable[Outcome]) -> Cells:
    """Cells over the facts of a span: signals issued in it, checks that fell due in it, outcomes of those checks.

    Backfilled signals are left out: they were not made in time and do not count in the record.
    """
    cells: Cells = {}
    single: Iterable[tuple[Signal | Outcome, Cell]] = chain(
        ((signal, Cell(signals=1)) for signal in issued),
        ((signal, Cell(tallies={interval: Tally(due=1)})) for signal, interval in due),
        ((outcome, Cell(tallies={outcome.interval: Tally.of(outcome)})) for outcome in outcomes),
    )
    for fact, cell in single:
        if fact.origin.counts:
            for dimension, value in values_of(fact):
                row = cells.setdefault(dimension, {})
                row[value] = row.get(value, Cell()) + cell
    return cells


def merge(parts: Iterable[Cells]) -> Cells:
    """Union of cells, added value by value; the order of the parts does not matter."""
    merged: Cells = {}
    for part in parts:
        for dimension, row in part.items():
            target = merged.setdefault(dimension, {})
            for value, cell in row.items():
                target[value] = target.get(value, Cell()) + cell
    return merged


def dump_row(row: Mapping[str, Cell]) -> str:
    """Canonical JSON of one dimension's cells: the same facts give the same bytes."""
    content = {
        value: [cell.signals, {i: [str(v) for v in tally.values()] for i, tally in cell.tallies.items()}]
        for value, cell in row.items()
    }
    return json.dumps(content, sort_keys=True, separators=(",", ":"))


def parse_row(text: str) -> dict[str, Cell]:
    """Reverse of `dump_row`."""
    content: dict[str, Any] = json.loads(text)
    return {
        value: Cell(signals, {Interval(i): _tally(numbers) for i, numbers in tallies.items()})
        for value, (signals, tallies) in content.items()
    }


def wilson(rate: float, n: float) -> tuple[float, float]:
    """95 % Wilson score interval of a rate seen in `n` independent trials, as fractions (Wilson 1927, JASA 22:209).

    No trials: (0, 1), which says that nothing is known.
    """
    if n <= 0:
        return 0.0, 1.0
    z2 = Z_95 * Z_95
    centre = (rate + z2 / (2 * n)) / (1 + z2 / n)
    half = Z_95 * math.sqrt(rate * (1 - rate) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return max(0.0, centre - half), min(1.0, centre + half)


def statistics(cell: Cell) -> dict[str, int | float | None]:
    """Statistics of a cell as the API shows them: rates and percentages in percent, None where nothing was checked.

    The outcomes of one signal are not independent, so the interval of a figure pooled over intervals is that of the
    number of signals behind it: the most outcomes that any one interval contributes (each signal has one there).
    """
    tally = cell.pooled()
    n = tally.checked
    independent = max((t.checked for t in cell.tallies.values()), default=0)
    low, high = wilson(tally.wins / n, independent) if n else (None, None)
    average_win, average_loss = _mean(tally.pnl_wins, tally.wins), _mean(tally.pnl_losses, tally.losses)
    return {
        "total_signals": cell.signals,
        "outcomes_checked": n,
        "outcomes_due": tally.due,
        "outcomes_unknown": tally.unknown,
        "coverage": _percent(n, tally.due),
        "independent_n": independent,
        "wins": tally.wins,
        "losses": tally.losses,
        "neutral": tally.neutral,
        "win_rate": _percent(tally.wins, n),
        "win_rate_low": _as_percent(low),
        "win_rate_high": _as_percent(high),
        "loss_rate": _percent(tally.losses, n),
        "neutral_rate": _percent(tally.neutral, n),
        "break_even_win_rate": _break_even(average_win, average_loss),
        "avg_win_pct": average_win,
        "avg_loss_pct": average_loss,
        "total_pnl_pct": round(float(tally.pnl), 6),
        "avg_pnl_pct": _mean(tally.pnl, n),
        "avg_unified_score": _mean(tally.score, n),
    }


def _break_even(average_win: float | None, average_loss: float | None) -> float | None:
    if average_win is None or average_loss is None:
        return None
    return round(100 * -average_loss / (average_win - average_loss), 4)


def _as_percent(fraction: float | None) -> float | None:
    return None if fraction is None else round(100 * fraction, 4)


def _percent(part: int, whole: int) -> float | None:
    return round(100 * part / whole, 4) if whole else None


def _mean(total: Decimal, n: int) -> float | None:
    return round(float(total / n), 6) if n else None


def _tally(numbers: list[str]) -> Tally:
    due, wins, losses, neutral, unknown = map(int, numbers[:5])
    return Tally(due, wins, losses, neutral, unknown, *map(Decimal, numbers[5:]))
