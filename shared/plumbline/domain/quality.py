"""How a channel does by its paper trades, and the one score that sums it up."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Self

from plumbline.domain.books import BookCell
from plumbline.domain.figures import Rate

FULL_PROFIT_PCT = 5.0
"""An average profit from which its part of the score is whole."""

FULL_SAMPLE = 20
"""Completed trades from which their part of the score is whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelPerformance:
    """The paper trades of one channel: those closed in a period, and those open now.

    `win_count` closed at their target, `loss_count` at their stop; `completed` are these and the expired ones, and
    `unknown_count` closed without a price. `total_signals` are all of them and the `pending`: each has one trade.
    Percentages are of each trade's own position, after costs: `avg_win_pct` of those that closed at their target,
    `avg_loss_pct` of those at their stop, `total_return_pct` the sum of all. What is not defined is None.
    """

    channel_id: str
    total_signals: int
    completed: int
    pending: int
    unknown_count: int
    win_count: int
    loss_count: int
    expired_count: int
    rate: Rate
    avg_profit_pct: float | None
    avg_win_pct: float | None
    avg_loss_pct: float | None
    total_return_pct: float
    best_trade_pct: float | None
    worst_trade_pct: float | None
    quality_score: float | None

    @classmethod
    def of(cls, channel_id: str, cell: BookCell, pending: int) -> Self:
        """Of the cell of its closed trades and the number of open ones."""
        returns, n, total = cell.returns, cell.priced, cell.closed + pending
        return cls(
            channel_id=channel_id,
            total_signals=total,
            completed=n,
            pending=pending,
            unknown_count=cell.unknown,
            win_count=cell.targets,
            loss_count=cell.stops,
            expired_count=cell.expired,
            rate=Rate.of(cell.targets, n),
            avg_profit_pct=_mean(returns.total, n),
            avg_win_pct=_mean(returns.targets, cell.targets),
            avg_loss_pct=_mean(returns.stops, cell.stops),
            total_return_pct=_percent(returns.total),
            best_trade_pct=None if returns.best is None else _percent(returns.best),
            worst_trade_pct=None if returns.worst is None else _percent(returns.worst),
            quality_score=_score(cell.targets, returns.total, n, total),
        )


def quality_score(*, win_rate: float, avg_profit_pct: float, completed: int, completion_rate: float) -> float:
    """0–100: 40 · win rate + 30 · clamp(average profit / 5 %, 0, 1) + 20 · min(completed / 20, 1) + 10 · completion.

    Rates as fractions; completion is completed / total signals. The score puts channels in an order; it estimates
    nothing, and has no interval.
    """
    profit = min(max(avg_profit_pct / FULL_PROFIT_PCT, 0.0), 1.0)
    return 40 * win_rate + 30 * profit + 20 * min(completed / FULL_SAMPLE, 1.0) + 10 * completion_rate


def _score(wins: int, total_pct: Decimal, completed: int, total: int) -> float | None:
    """None without a trade; one that has only open ones has completed nothing, and 0 points."""
    if not total:
        return None
    if not completed:
        return 0.0
    score = quality_score(
        win_rate=wins / completed,
        avg_profit_pct=float(total_pct / completed),
        completed=completed,
        completion_rate=completed / total,
    )
    return round(score, 4)


def _mean(total: Decimal, n: int) -> float | None:
    return _percent(total / n) if n else None


def _percent(value: Decimal) -> float:
    return round(float(value), 6)
