"""Which symbols did best and worst, by three measures."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from plumbline.domain.performance import Cell, Tally

LEAST_SIGNALS = 3
"""A symbol with fewer judged signals is not ranked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends[T]:
    """The two ends of a ranking: the best first, and the worst first. Short rankings have members in both."""

    best: Sequence[T]
    worst: Sequence[T]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """A symbol and what it is ranked by: win rate (fraction), average P&L (percent), `consistency` of its outcomes."""

    symbol: str
    cell: Cell
    win_rate: float
    average_pnl: float
    consistency: float | None

    @classmethod
    def of(cls, symbol: str, cell: Cell) -> Self:
        """Of a cell with outcomes."""
        tally = cell.pooled()
        return cls(
            symbol=symbol,
            cell=cell,
            win_rate=tally.wins / tally.checked,
            average_pnl=float(tally.pnl / tally.checked),
            consistency=consistency(tally),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolRankings:
    """The same symbols in three orders. Of equal ones those with more outcomes come first, then by name."""

    by_win_rate: Ends[Ranked]
    by_average_pnl: Ends[Ranked]
    by_consistency: Ends[Ranked]


def rank(symbols: Mapping[str, Cell], limit: int) -> SymbolRankings:
    """At most `limit` of each end, of the symbols with at least `LEAST_SIGNALS` judged signals."""
    judged = [Ranked.of(symbol, cell) for symbol, cell in symbols.items() if _judged(cell) >= LEAST_SIGNALS]
    return SymbolRankings(
        by_win_rate=_ends(judged, limit, lambda one: one.win_rate),
        by_average_pnl=_ends(judged, limit, lambda one: one.average_pnl),
        by_consistency=_ends(judged, limit, lambda one: one.consistency),
    )


def consistency(tally: Tally) -> float | None:
    """Mean of the outcomes' P&L over their standard deviation (n − 1); None where they do not deviate.

    High: it earns about the same each time; below zero: it loses so.
    """
    n = tally.checked
    squares = tally.pnl_squares - tally.pnl * tally.pnl / n if n > 1 else None
    if squares is None or squares <= 0:
        return None
    return float(tally.pnl / n) / math.sqrt(float(squares) / (n - 1))


def _judged(cell: Cell) -> int:
    """Signals behind a cell's outcomes: the most that any one interval has."""
    return max((tally.checked for tally in cell.tallies.values()), default=0)


def _ends(ranked: Sequence[Ranked], limit: int, measure: Callable[[Ranked], float | None]) -> Ends[Ranked]:
    known = [(value, one) for one in ranked if (value := measure(one)) is not None]
    best = sorted(known, key=lambda pair: (-pair[0], *_place(pair[1])))
    worst = sorted(known, key=lambda pair: (pair[0], *_place(pair[1])))
    return Ends(best=[one for _, one in best[:limit]], worst=[one for _, one in worst[:limit]])


def _place(one: Ranked) -> tuple[int, str]:
    return -one.cell.pooled().checked, one.symbol
