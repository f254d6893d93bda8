"""How paper trades and their figures take the shapes of the answers."""

from collections.abc import Mapping
from typing import cast

from api.answers import IntervalName
from api.paper_answers import CandlesBody, TradeBody
from api.paper_statistics_answers import BookBody, EquityBody, IntervalBody, MoneyByBook, RateBody, RowBody
from plumbline import rendering
from plumbline.domain.books import BookName
from plumbline.domain.calendar import Interval
from plumbline.domain.candles import Candles
from plumbline.domain.figures import BookFigures, EquityDay, GroupFigures, IntervalFigures, Rate, TradeFigures
from plumbline.domain.performance import Tally
from plumbline.domain.trades import Board, Position, Trade
from plumbline.paper import Row


def trade_body(trade: Trade, source: str) -> TradeBody:
    """A closed trade."""
    return cast("TradeBody", rendering.trade_body(trade, source))


def position_body(position: Position, source: str, board: Board | None) -> TradeBody:
    """An open trade, at the board's last price of its market."""
    return cast("TradeBody", rendering.position_body(position, source, board))


def candles_body(candles: Candles) -> CandlesBody:
    """Candles as rows."""
    return CandlesBody(timeframe=candles.timeframe, rows=[list(row) for row in candles.rows()])


def rate_body(rate: Rate) -> RateBody:
    """A win rate with its interval and n."""
    return RateBody(win_rate=rate.win_rate, win_rate_low=rate.win_rate_low, win_rate_high=rate.win_rate_high, n=rate.n)


def book_body(figures: BookFigures) -> BookBody:
    """One book over the period."""
    trades = figures.trades
    return {
        **rate_body(trades.rate),
        "total_pnl_usd": trades.total_pnl_usd,
        "total_return_pct": figures.total_return_pct,
        "average_profit_usd": trades.average_profit_usd,
        "average_loss_usd": trades.average_loss_usd,
        "break_even_win_rate": trades.break_even_win_rate,
        "profit_factor": trades.profit_factor,
        "expectancy_usd": trades.expectancy_usd,
        "sharpe_ratio": figures.sharpe_ratio,
        "sortino_ratio": figures.sortino_ratio,
        "days": figures.days,
        "max_drawdown_usd": figures.max_drawdown_usd,
        "max_drawdown_pct": figures.max_drawdown_pct,
        "best_trade_usd": trades.best_trade_usd,
        "worst_trade_usd": trades.worst_trade_usd,
    }


def equity_body(day: EquityDay) -> EquityBody:
    """A day of the equity curve."""
    return EquityBody(
        day=day.day,
        pnl_usd=_by_book(day.pnl_usd),
        equity_usd=_by_book(day.equity_usd),
        drawdown_pct=day.drawdown_pct,
        closed=day.closed,
    )


def row_body(row: Row) -> RowBody:
    """One value of a dimension."""
    figures = GroupFigures.of(row.trades)
    net: TradeFigures = figures.net
    return {
        "key": row.key,
        **rate_body(net.rate),
        "closed": figures.closed,
        "break_even_win_rate": net.break_even_win_rate,
        "total_pnl_usd": net.total_pnl_usd,
        "average_pnl_usd": net.expectancy_usd,
        "average_profit_usd": net.average_profit_usd,
        "average_loss_usd": net.average_loss_usd,
        "profit_factor": net.profit_factor,
        "gross_pnl_usd": figures.gross_pnl_usd,
        "pessimistic_pnl_usd": figures.pessimistic_pnl_usd,
        "average_held_seconds": figures.average_held_seconds,
        "signals": row.signals,
        "intervals": _intervals(row.outcomes),
    }


def _by_book(money: Mapping[BookName, float]) -> MoneyByBook:
    return MoneyByBook(ideal=money["ideal"], net=money["net"], pessimistic=money["pessimistic"])


def _intervals(outcomes: Mapping[Interval, Tally]) -> dict[IntervalName, IntervalBody]:
    return {interval.value: _interval_body(outcomes[interval]) for interval in Interval if interval in outcomes}


def _interval_body(tally: Tally) -> IntervalBody:
    figures = IntervalFigures.of(tally)
    return {
        **rate_body(figures.rate),
        "wins": figures.wins,
        "losses": figures.losses,
        "neutral": figures.neutral,
        "avg_pnl_pct": figures.avg_pnl_pct,
        "coverage": figures.coverage,
    }
