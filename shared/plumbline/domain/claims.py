"""What two rates, or a rate and a line, say about each other: the figures, the interval, and the exact p-value.

Everything is tested at the number of independent signals, not of outcomes (`significance.independent`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from plumbline.domain.performance import Cell, statistics, wilson
from plumbline.domain.significance import difference_interval, independent, rate_differs, two_rates_differ

_SHOWN = (
    "win_rate",
    "win_rate_low",
    "win_rate_high",
    "outcomes_checked",
    "independent_n",
    "break_even_win_rate",
    "avg_pnl_pct",
)

type Figures = Mapping[str, float | int]
"""Name and value; rates, P&L and differences in percent, p-values as they are."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A named cell: wins and trials at the size of what is independent, its rate (percent) and its interval."""

    name: str
    cell: Cell
    wins: float
    n: int
    rate: float
    low: float
    high: float

    @classmethod
    def of(cls, name: str, cell: Cell) -> Self:
        """Of a cell that has outcomes."""
        tally, (wins, n) = cell.pooled(), independent(cell)
        low, high = wilson(tally.wins / tally.checked, n)
        return cls(name, cell, wins, n, 100 * tally.wins / tally.checked, 100 * low, 100 * high)

    @classmethod
    def together(cls, samples: Iterable["Sample"]) -> Self:
        """Several as one."""
        return cls.of("the others", sum((sample.cell for sample in samples), Cell()))

    @property
    def figures(self) -> dict[str, float | int]:
        """What is defined of the cell's statistics."""
        known = statistics(self.cell)
        return {name: value for name in _SHOWN if (value := known[name]) is not None}

    def __str__(self) -> str:
        checked = self.cell.pooled().checked
        return f"{self.rate:.1f} % of {checked} outcomes won (95 %: {self.low:.1f}–{self.high:.1f}, {self.n} signals)"


@dataclass(frozen=True, slots=True)
class Claim:
    """One comparison: its two-sided p, whether the 95 % interval lies wholly on the claim's side, and the figures."""

    p: float
    supported: bool
    figures: Figures


def at_least(sample: Sample, line: int) -> Claim:
    """That a rate is at least `line` percent."""
    return Claim(*_tested(sample, line, supported=sample.low >= line))


def at_most(sample: Sample, line: int) -> Claim:
    """That a rate is at most `line` percent."""
    return Claim(*_tested(sample, line, supported=sample.high <= line))


def within(sample: Sample, low: int, high: int) -> Claim:
    """That a rate lies between two lines: what lies beyond either must be refuted, so the larger p counts."""
    above, below = at_least(sample, low), at_most(sample, high)
    p = max(above.p, below.p)
    figures = {**sample.figures, "line": low, "upper_line": high, "p_value": p}
    return Claim(p, above.supported and below.supported, figures)


def beats(better: Sample, worse: Sample) -> Claim:
    """That one rate is above another. The figures are those of `better`; the other's are `other_…`."""
    return _compared(better, worse, sign=1)


def loses(worse: Sample, better: Sample) -> Claim:
    """That one rate is below another. The figures are those of `worse`; the other's are `other_…`."""
    return _compared(worse, better, sign=-1)


def _tested(sample: Sample, line: int, *, supported: bool) -> tuple[float, bool, Figures]:
    p = rate_differs(sample.wins, sample.n, line / 100)
    return p, supported, {**sample.figures, "line": line, "p_value": p}


def _compared(one: Sample, other: Sample, sign: int) -> Claim:
    low, high = difference_interval(one.wins, one.n, other.wins, other.n)
    p = two_rates_differ(one.wins, one.n, other.wins, other.n)
    figures = {
        **one.figures,
        "other_win_rate": round(other.rate, 4),
        "other_independent_n": other.n,
        "difference_low": round(100 * low, 4),
        "difference_high": round(100 * high, 4),
        "p_value": p,
    }
    return Claim(p, low > 0 if sign > 0 else high < 0, figures)
