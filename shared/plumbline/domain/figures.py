"""What the paper book's cells amount to: the figures that readers see, each with its n.

A figure that is not defined is None, never zero: no rate without trades, no ratio without deviation. Percentages are in
percent, money is USD. Every formula stands in docs/paper-trading.md.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import fmean, stdev
from typing import Self

from plumbline.domain.books import BOOKS, Book, BookCell, BookName
from plumbline.domain.calendar import HOUR, SECOND
from plumbline.domain.performance import Tally, wilson
from plumbline.domain.trades import Terms

DAYS_PER_YEAR = 365
"""This market never closes."""

_CAPITAL_POSITIONS = 100


def capital_of(terms: Terms) -> Decimal:
    """What returns and drawdowns are percentages of: one hundred positions, whatever was really open at once."""
    return _CAPITAL_POSITIONS * terms.position_usd


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """A win rate (percent) of `n` trades and its 95 % Wilson interval; None where there are no trades."""

    win_rate: float | None
    win_rate_low: float | None
    win_rate_high: float | None
    n: int

    @classmethod
    def of(cls, winning: int, n: int) -> Self:
        """The rate of `winning` trades among `n`."""
        if not n:
            return cls(win_rate=None, win_rate_low=None, win_rate_high=None, n=0)
        low, high = wilson(winning / n, n)
        return cls(win_rate=_percent(winning / n), win_rate_low=_percent(low), win_rate_high=_percent(high), n=n)


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeFigures:
    """One book over some trades: averages of winners and losers alone, `expectancy_usd` over all of them.

    `profit_factor` is None without losers. `break_even_win_rate` (percent) is the rate at which these averages earn
    nothing.
    """

    rate: Rate
    total_pnl_usd: float
    average_profit_usd: float | None
    average_loss_usd: float | None
    break_even_win_rate: float | None
    profit_factor: float | None
    expectancy_usd: float | None
    best_trade_usd: float | None
    worst_trade_usd: float | None

    @classmethod
    def of(cls, book: Book, n: int) -> Self:
        """The figures of a book with `n` priced trades."""
        won, lost = _mean(book.pnl_winners, book.winners), _mean(book.pnl_losers, book.losers)
        return cls(
            rate=Rate.of(book.winners, n),
            total_pnl_usd=_usd(book.pnl),
            average_profit_usd=won,
            average_loss_usd=lost,
            break_even_win_rate=None if won is None or lost is None else _percent(-lost / (won - lost)),
            profit_factor=_rounded(book.pnl_winners / -book.pnl_losers) if book.losers else None,
            expectancy_usd=_mean(book.pnl, n),
            best_trade_usd=None if book.best is None else _usd(book.best),
            worst_trade_usd=None if book.worst is None else _usd(book.worst),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BookFigures:
    """One book over a period. Ratios are of the P&L of its `days` calendar days, annualised by 365; the maximum
    drawdown is exact from trade to trade."""

    trades: TradeFigures
    total_return_pct: float
    sharpe_ratio: float | None
    sortino_ratio: float | None
    days: int
    max_drawdown_usd: float
    max_drawdown_pct: float

    @classmethod
    def of(cls, name: BookName, cell: BookCell, daily: Sequence[tuple[str, BookCell]], capital: Decimal) -> Self:
        """The figures of a period whose cell is the sum of `daily`, every calendar day of it."""
        book, series = cell.book(name), [float(day.book(name).pnl) for _, day in daily]
        return cls(
            trades=TradeFigures.of(book, cell.priced),
            total_return_pct=_percent(book.pnl / capital),
            sharpe_ratio=sharpe(series),
            sortino_ratio=sortino(series),
            days=len(series),
            max_drawdown_usd=_usd(book.drawdown),
            max_drawdown_pct=_percent(book.drawdown / capital),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupFigures:
    """One value of one dimension: the net book's figures, the totals of the other two beside them."""

    closed: int
    net: TradeFigures
    gross_pnl_usd: float
    pessimistic_pnl_usd: float
    average_held_seconds: float | None

    @classmethod
    def of(cls, cell: BookCell) -> Self:
        """Of a cell."""
        return cls(
            closed=cell.closed,
            net=TradeFigures.of(cell.net, cell.priced),
            gross_pnl_usd=_usd(cell.ideal.pnl),
            pessimistic_pnl_usd=_usd(cell.pessimistic.pnl),
            average_held_seconds=Averages.of(cell).average_held_seconds,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class IntervalFigures:
    """The outcomes of signals at one interval; `coverage` is what was judged of what was due, in percent."""

    rate: Rate
    wins: int
    losses: int
    neutral: int
    avg_pnl_pct: float | None
    coverage: float | None

    @classmethod
    def of(cls, tally: Tally) -> Self:
        """Of a tally at one interval, where each signal has one outcome."""
        n = tally.checked
        return cls(
            rate=Rate.of(tally.wins, n),
            wins=tally.wins,
            losses=tally.losses,
            neutral=tally.neutral,
            avg_pnl_pct=_mean(tally.pnl, n),
            coverage=_percent(n / tally.due) if tally.due else None,
        )


def sharpe(daily: Sequence[float]) -> float | None:
    """Mean of the daily P&L over its standard deviation (n − 1), times √365, without a risk-free rate.

    Divided by a fixed capital, P&L and returns have the same ratio. None under two days or without deviation.
    Sharpe 1994, Journal of Portfolio Management 21(1):49.
    """
    deviation = stdev(daily) if len(daily) > 1 else 0.0
    return _annual(fmean(daily) / deviation) if deviation else None


def sortino(daily: Sequence[float]) -> float | None:
    """As `sharpe`, over the downside deviation from zero: the root of the mean over all days of min(P&L, 0)².

    None under two days or without a losing one. Sortino & van der Meer 1991, Journal of Portfolio Management 17(4):27.
    """
    downside = math.sqrt(fmean(min(pnl, 0.0) ** 2 for pnl in daily)) if len(daily) > 1 else 0.0
    return _annual(fmean(daily) / downside) if downside else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """How much was at stake: trades and dollars in the market on average over the period, and the hours that all
    trades were held, added up. Of the trades that closed with a price in the period."""

    average_open: float | None
    average_usd: float | None
    time_in_market_hours: float

    @classmethod
    def of(cls, cell: BookCell, milliseconds: int) -> Self:
        """Over a period of this length."""
        length = milliseconds / SECOND
        return cls(
            average_open=_rounded(cell.held_seconds / length) if length > 0 else None,
            average_usd=_rounded(float(cell.held_usd_seconds) / length) if length > 0 else None,
            time_in_market_hours=_rounded(cell.held_seconds * SECOND / HOUR),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Averages:
    """What the trades that closed with a price were like, on average. Excursions in percent of the entry price."""

    average_held_seconds: float | None
    average_max_favourable_pct: float | None
    average_max_adverse_pct: float | None

    @classmethod
    def of(cls, cell: BookCell) -> Self:
        """Of a cell."""
        return cls(
            average_held_seconds=_mean(Decimal(cell.held_seconds), cell.priced),
            average_max_favourable_pct=_mean(cell.max_favourable, cell.priced),
            average_max_adverse_pct=_mean(cell.max_adverse, cell.priced),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EquityDay:
    """A day of the equity curve, by book: its P&L and the capital with all P&L up to its end.

    `drawdown_pct` is the deepest the net book stood below its highest point so far at any trade of this day, in percent
    of the capital: the largest of a curve is its maximum drawdown.
    """

    day: str
    closed: int
    pnl_usd: Mapping[BookName, float]
    equity_usd: Mapping[BookName, float]
    drawdown_pct: float


def equity(daily: Sequence[tuple[str, BookCell]], capital: Decimal) -> list[EquityDay]:
    """The curve over consecutive days, oldest first."""
    curve, before = [], BookCell()
    for day, cell in daily:
        after = before + cell
        deepest = max(cell.net.drawdown, before.net.fall_to(cell.net))
        curve.append(
            EquityDay(
                day=day,
                closed=cell.closed,
                pnl_usd={name: _usd(cell.book(name).pnl) for name in BOOKS},
                equity_usd={name: _usd(capital + after.book(name).pnl) for name in BOOKS},
                drawdown_pct=_percent(deepest / capital),
            )
        )
        before = after
    return curve


def coverage(cell: BookCell) -> float | None:
    """Closed trades that have a price, in percent of all closed trades."""
    return _percent(cell.priced / cell.closed) if cell.closed else None


def costs(cell: BookCell) -> float:
    """What lies between the ideal book and the net one (USD): fees, slippage, and waiting for the next minute."""
    return _usd(cell.ideal.pnl - cell.net.pnl)


def ambiguous_bounds(cell: BookCell) -> tuple[float, float]:
    """Net P&L (USD) if every ambiguous trade ended at its stop, as it is booked, and if at its target."""
    return _usd(cell.net.pnl), _usd(cell.net_if_target)


def _annual(ratio: float) -> float:
    return _rounded(ratio * math.sqrt(DAYS_PER_YEAR))


def _mean(total: Decimal, n: int) -> float | None:
    return _usd(total / n) if n else None


def _usd(amount: Decimal) -> float:
    return round(float(amount), 6)


def _percent(fraction: float | Decimal) -> float:
    return round(100 * float(fraction), 4)


def _rounded(value: float | Decimal) -> float:
    return round(float(value), 6)
