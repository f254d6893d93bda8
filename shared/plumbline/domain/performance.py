"""Statistics of a record: mergeable, exact, and never without their sample size and interval."""

import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from operator import add
from typing import Any, NamedTuple, Self

from plumbline.domain.calendar import Interval
from plumbline.domain.extremes import Extremes
from plumbline.domain.outcomes import Label, Outcome
from plumbline.domain.signals import Signal

Z_95 = 1.959963984540054
"""Two-sided 95 % quantile of the normal distribution."""

DIMENSIONS = ("all", "scanner", "tier", "type", "symbol", "channel", "snapshot")
"""What facts are counted by; intervals live inside the cells of each."""
_ZERO = Decimal(0)
_INTERVALS = {interval.value: interval for interval in Interval}


class _Sums(NamedTuple):
    """What a tally adds up: counts, and sums as whole numbers of their last decimal."""

    due: int
    wins: int
    losses: int
    neutral: int
    unknown: int
    pnl_e6: int
    pnl_wins_e6: int
    pnl_losses_e6: int
    pnl_squares_e12: int
    score_e6: int


class Tally(_Sums):
    """Counts and exact sums over one cell's outcomes at one interval. `+` merges; order and grouping do not matter.

    Sums are of six-decimal percentages and scores, so merging is exact and a recomputed day is the same to the byte.
    It is a tuple of whole numbers because a report reads and adds some ten thousand of them.
    """

    __slots__ = ()

    def __new__(  # noqa: PLR0913  its fields
        cls,
        due: int = 0,
        wins: int = 0,
        losses: int = 0,
        neutral: int = 0,
        unknown: int = 0,
        *,
        pnl: Decimal = _ZERO,
        pnl_wins: Decimal = _ZERO,
        pnl_losses: Decimal = _ZERO,
        pnl_squares: Decimal = _ZERO,
        score: Decimal = _ZERO,
    ) -> Self:
        """From counts and sums as they are said; nothing is lost of six decimals, twelve of the squares."""
        earned, won, lost = (round(total.scaleb(6)) for total in (pnl, pnl_wins, pnl_losses))
        squares, scores = round(pnl_squares.scaleb(12)), round(score.scaleb(6))
        return super().__new__(cls, due, wins, losses, neutral, unknown, earned, won, lost, squares, scores)

    @property
    def checked(self) -> int:
        """Outcomes with a price: what every rate divides by."""
        return self.wins + self.losses + self.neutral

    @property
    def pnl(self) -> Decimal:
        """Sum of the P&L, percent."""
        return Decimal(self.pnl_e6).scaleb(-6)

    @property
    def pnl_wins(self) -> Decimal:
        """Of the wins alone."""
        return Decimal(self.pnl_wins_e6).scaleb(-6)

    @property
    def pnl_losses(self) -> Decimal:
        """Of the losses alone."""
        return Decimal(self.pnl_losses_e6).scaleb(-6)

    @property
    def pnl_squares(self) -> Decimal:
        """Sum of the squared P&L."""
        return Decimal(self.pnl_squares_e12).scaleb(-12)

    @property
    def score(self) -> Decimal:
        """Sum of the unified scores."""
        return Decimal(self.score_e6).scaleb(-6)

    def __reduce__(self) -> tuple[Any, ...]:
        """Copied by its numbers as they are, not as they are said."""
        return Tally._make, (tuple(self),)

    def __add__(self, other: "Tally") -> "Tally":  # type: ignore[override]  # sums, where a tuple would be made longer
        return Tally._make(map(add, self, other))

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
        return _total([self, other])

    def pooled(self) -> Tally:
        """All intervals together."""
        return sum(self.tallies.values(), Tally())


type Cells = dict[str, dict[str, Cell]]
"""Dimension, value, cell."""


@dataclass(frozen=True, slots=True)
class DayRollup:
    """One UTC day's cells: signals by their timestamp, outcomes by their due time, up to `through` (ms).

    `extremes` are the best and worst signals judged in it.
    """

    day: str
    through: int
    cells: Cells
    extremes: Extremes = field(default_factory=Extremes)


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
    signals = Counter(_key(signal) for signal in issued if signal.origin.counts)
    checks = Counter((_key(signal), interval) for signal, interval in due if signal.origin.counts)
    tallies = {check: Tally(due=n) for check, n in checks.items()}
    for outcome in outcomes:
        if outcome.origin.counts:
            check = _key(outcome), outcome.interval
            tallies[check] = tallies.get(check, Tally()) + Tally.of(outcome)
    # Facts that agree in every dimension are added up first: all of a busy day are of a few hundred kinds.
    counted = [(key, Cell(signals=n)) for key, n in signals.items()]
    counted += [(key, Cell(tallies={interval: tally})) for (key, interval), tally in tallies.items()]
    return merge({dimension: {value: cell}} for key, cell in counted for dimension, value in key)


def merge(parts: Iterable[Cells]) -> Cells:
    """Union of cells, added value by value; the order of the parts does not matter."""
    found: dict[str, dict[str, list[Cell]]] = {}
    for part in parts:
        for dimension, row in part.items():
            cells = found.setdefault(dimension, {})
            for value, cell in row.items():
                cells.setdefault(value, []).append(cell)
    return {dimension: {value: _total(cells) for value, cells in row.items()} for dimension, row in found.items()}


def dump_row(row: Mapping[str, Cell]) -> str:
    """Canonical JSON of one dimension's cells: the same facts give the same bytes."""
    content = {value: [cell.signals, cell.tallies] for value, cell in row.items()}
    return json.dumps(content, sort_keys=True, separators=(",", ":"))


def parse_row(text: str) -> dict[str, Cell]:
    """Reverse of `dump_row`."""
    content: dict[str, Any] = json.loads(text)
    return {
        value: Cell(signals, {_INTERVALS[i]: Tally._make(numbers) for i, numbers in tallies.items()})
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


def _key(fact: Signal | Outcome) -> tuple[tuple[str, str], ...]:
    return tuple(values_of(fact))


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


def _total(cells: Sequence[Cell]) -> Cell:
    """All of them at once: column by column, which is ten times as fast as one cell after the other."""
    if len(cells) == 1:
        return cells[0]
    tallies: dict[Interval, list[Tally]] = {}
    for cell in cells:
        for interval, tally in cell.tallies.items():
            tallies.setdefault(interval, []).append(tally)
    merged = {i: Tally._make(map(sum, zip(*tallies[i], strict=True))) for i in _INTERVALS.values() if i in tallies}
    return Cell(sum(cell.signals for cell in cells), merged)
