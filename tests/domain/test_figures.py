"""The figures of the paper book: literal examples by hand, and None wherever a figure is not defined."""

import math
import statistics
from dataclasses import asdict
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plumbline.domain.books import BOOKS, BookCell, count_trades
from plumbline.domain.calendar import DAY, HOUR
from plumbline.domain.figures import (
    Averages,
    BookFigures,
    Exposure,
    GroupFigures,
    IntervalFigures,
    Rate,
    TradeFigures,
    ambiguous_bounds,
    capital_of,
    costs,
    coverage,
    equity,
    sharpe,
    sortino,
)
from plumbline.domain.performance import Tally, wilson
from plumbline.domain.trades import Profit, Status, Terms, Trade
from tests.builders import NOON, a_trade

CAPITAL = capital_of(Terms())


def made(net: str, *, ideal: str | None = None, pessimistic: str | None = None) -> Trade:
    """A trade that made as much in the other two books where nothing else is said."""
    amounts = (Decimal(usd) for usd in (ideal or net, net, pessimistic or net))
    ours, nets, worst = (Profit(usd=usd, pct=usd) for usd in amounts)
    return a_trade(ideal=ours, net=nets, pessimistic=worst)


def cell_of(*trades: Trade | str) -> BookCell:
    found = count_trades(made(trade) if isinstance(trade, str) else trade for trade in trades)
    return found.get("all", {}).get("all", BookCell())


def days_of(*days: list[str]) -> list[tuple[str, BookCell]]:
    """Each day the P&L of its trades."""
    return [(f"2026-11-{20 + n}", cell_of(*made_of_it)) for n, made_of_it in enumerate(days)]


def test_the_figures_of_five_trades_by_hand() -> None:
    cell = cell_of("4", "2", "-1.5", "-0.5", "0.005")
    assert asdict(TradeFigures.of(cell.net, cell.priced)) == {
        "rate": {
            "win_rate": 40.0,
            "win_rate_low": round(100 * wilson(0.4, 5)[0], 4),
            "win_rate_high": round(100 * wilson(0.4, 5)[1], 4),
            "n": 5,
        },
        "total_pnl_usd": 4.005,
        "average_profit_usd": 3.0,  # over the two winners
        "average_loss_usd": -1.0,  # over the two losers
        "break_even_win_rate": 25.0,  # 1 won at 3 pays for 3 lost at 1
        "profit_factor": 3.0,  # 6 / 2: the flat trade is neither
        "expectancy_usd": 0.801,
        "best_trade_usd": 4.0,
        "worst_trade_usd": -1.5,
    }


def test_without_trades_nothing_but_the_sums_is_defined() -> None:
    found = asdict(TradeFigures.of(BookCell().net, 0))
    assert found.pop("rate") == {"win_rate": None, "win_rate_low": None, "win_rate_high": None, "n": 0}
    assert found.pop("total_pnl_usd") == 0
    assert set(found.values()) == {None}
    assert coverage(BookCell()) is None
    assert set(asdict(Averages.of(BookCell())).values()) == {None}


def test_without_losers_there_is_neither_a_profit_factor_nor_a_break_even() -> None:
    cell = cell_of("4", "-0.01")
    found = TradeFigures.of(cell.net, cell.priced)
    assert (found.profit_factor, found.average_loss_usd, found.break_even_win_rate) == (None, None, None)


def test_without_winners_the_profit_factor_is_zero() -> None:
    cell = cell_of("-4")
    found = TradeFigures.of(cell.net, cell.priced)
    assert (found.profit_factor, found.average_profit_usd, found.rate.win_rate) == (0.0, None, 0.0)


def test_an_unknown_trade_lowers_the_coverage_and_no_rate() -> None:
    cell = cell_of("4", a_trade(status=Status.UNKNOWN))
    assert coverage(cell) == 50.0
    figures = BookFigures.of("net", cell, [("2026-11-20", cell)], CAPITAL)
    assert figures.trades.rate == Rate.of(1, 1)
    assert figures.trades.expectancy_usd == 4


# --- ratios


def test_sharpe_of_four_days_by_hand() -> None:
    # mean 1; deviations 1 −3 1 1 → squares 12, over n − 1: variance 4
    assert sharpe([2, -2, 2, 2]) == pytest.approx(1 / 2 * math.sqrt(365), abs=1e-6)


def test_sortino_of_four_days_by_hand() -> None:
    # mean 1; min(P&L, 0)² is 4 on one day of four: downside deviation 1
    assert sortino([2, -2, 2, 2]) == pytest.approx(math.sqrt(365), abs=1e-6)


@pytest.mark.parametrize("daily", [[], [1.5], [0.0, 0.0, 0.0], [0.1, 0.1, 0.1]])
def test_days_without_deviation_have_no_sharpe_ratio(daily: list[float]) -> None:
    assert sharpe(daily) is None


@pytest.mark.parametrize("daily", [[], [-1.5], [0.0, 0.0, 0.0], [0.1, 0.3, 0.2]])
def test_days_without_a_loss_among_them_have_no_sortino_ratio(daily: list[float]) -> None:
    assert sortino(daily) is None


def test_a_day_without_trades_is_a_day_of_zero() -> None:
    busy = days_of(["2"], ["-1"], ["3"])
    quiet = days_of(["2"], [], ["-1"], [], ["3"])
    figures = [BookFigures.of("net", cell_of("2", "-1", "3"), daily, CAPITAL) for daily in (busy, quiet)]
    assert [figure.days for figure in figures] == [3, 5]
    assert figures[1].sharpe_ratio == sharpe([2, 0, -1, 0, 3])
    assert figures[0].sharpe_ratio != figures[1].sharpe_ratio


@settings(deadline=None)
@given(st.lists(st.floats(-50, 50).map(lambda x: round(x, 2)), min_size=2, max_size=40))
def test_ratios_are_those_of_the_returns_on_the_capital(daily: list[float]) -> None:
    returns = [pnl / float(CAPITAL) for pnl in daily]
    deviation = statistics.stdev(returns)
    downside = math.sqrt(sum(min(r, 0) ** 2 for r in returns) / len(returns))
    mean = math.fsum(returns) / len(returns) * math.sqrt(365)
    if deviation > 1e-9:
        assert sharpe(daily) == pytest.approx(mean / deviation, rel=1e-6, abs=2e-6)
    if downside > 1e-9:
        assert sortino(daily) == pytest.approx(mean / downside, rel=1e-6, abs=2e-6)


# --- the curve


def test_the_capital_is_a_hundred_positions() -> None:
    assert capital_of(Terms(position_usd=Decimal(250))) == 25_000


def test_each_book_has_its_own_return_and_drawdown_in_percent_of_the_capital() -> None:
    trades = [made("100", ideal="120", pessimistic="90"), made("-50", ideal="-40", pessimistic="-80")]
    daily = [("2026-11-20", cell_of(*trades))]
    figures = {name: BookFigures.of(name, cell_of(*trades), daily, CAPITAL) for name in BOOKS}
    assert {name: f.total_return_pct for name, f in figures.items()} == {"ideal": 0.8, "net": 0.5, "pessimistic": 0.1}
    assert {name: (f.max_drawdown_usd, f.max_drawdown_pct) for name, f in figures.items()} == {
        "ideal": (40.0, 0.4),
        "net": (50.0, 0.5),
        "pessimistic": (80.0, 0.8),
    }


def test_the_curve_of_three_days_by_hand() -> None:
    curve = equity(days_of(["100", "-30", "10"], [], ["-40", "200"]), CAPITAL)
    assert [(day.day, day.closed, day.pnl_usd["net"], day.equity_usd["net"]) for day in curve] == [
        ("2026-11-20", 3, 80.0, 10_080.0),
        ("2026-11-21", 0, 0.0, 10_080.0),
        ("2026-11-22", 2, 160.0, 10_240.0),
    ]
    # from the peak of 100: down to 70 on the first day, still at 80 on the second, at 40 on the third
    assert [day.drawdown_pct for day in curve] == [0.3, 0.2, 0.6]


cents = st.integers(-2_000, 2_000).map(lambda n: str(Decimal(n) / 100))


@settings(deadline=None)
@given(st.lists(st.lists(cents, max_size=4), min_size=1, max_size=8))
def test_the_deepest_day_of_the_curve_is_the_maximum_drawdown(days: list[list[str]]) -> None:
    daily = days_of(*days)
    cell = sum((cell for _, cell in daily), BookCell())
    figures = BookFigures.of("net", cell, daily, CAPITAL)
    curve = equity(daily, CAPITAL)
    assert max(day.drawdown_pct for day in curve) == figures.max_drawdown_pct
    assert curve[-1].equity_usd["net"] == pytest.approx(float(CAPITAL) + figures.trades.total_pnl_usd, abs=1e-6)


# --- the rest


def test_a_trade_held_half_the_period_is_half_a_trade_open_on_average() -> None:
    trade = a_trade(closed_at=NOON + 12 * HOUR)
    assert asdict(Exposure.of(cell_of(trade), DAY)) == {
        "average_open": 0.5,
        "average_usd": 50.0,
        "time_in_market_hours": 12.0,
    }


def test_a_period_of_no_length_has_no_average() -> None:
    assert Exposure.of(BookCell(), 0) == Exposure(average_open=None, average_usd=None, time_in_market_hours=0.0)


def test_averages_are_over_the_trades_with_a_price() -> None:
    near = a_trade(max_favourable_pct=Decimal(1), max_adverse_pct=Decimal("-0.5"), closed_at=NOON + HOUR)
    far = a_trade(max_favourable_pct=Decimal(3), max_adverse_pct=Decimal(0), closed_at=NOON + 3 * HOUR)
    assert asdict(Averages.of(cell_of(near, far, a_trade(status=Status.UNKNOWN)))) == {
        "average_held_seconds": 7_200.0,
        "average_max_favourable_pct": 2.0,
        "average_max_adverse_pct": -0.25,
    }


def test_costs_are_what_lies_between_the_ideal_book_and_the_net_one() -> None:
    assert costs(cell_of(made("1", ideal="1.3"), made("-2", ideal="-1.8"))) == 0.5


def test_both_bounds_of_the_ambiguous_trades_are_shown() -> None:
    stopped = a_trade(
        status=Status.STOP,
        net=Profit(usd=Decimal(-2), pct=Decimal(-2)),
        ambiguous=True,
        net_if_target=Profit(usd=Decimal(3), pct=Decimal(3)),
    )
    assert ambiguous_bounds(cell_of("1", stopped)) == (-1.0, 4.0)


def test_a_group_shows_its_net_figures_beside_the_totals_of_the_other_books() -> None:
    cell = cell_of(made("1", ideal="1.3", pessimistic="0.9"), a_trade(status=Status.UNKNOWN))
    found = GroupFigures.of(cell)
    assert (found.closed, found.net.rate.n, found.net.expectancy_usd) == (2, 1, 1.0)
    assert (found.gross_pnl_usd, found.net.total_pnl_usd, found.pessimistic_pnl_usd) == (1.3, 1.0, 0.9)
    assert found.average_held_seconds == 3 * 3_600 - 1


def test_the_outcomes_at_an_interval_carry_their_n_interval_and_coverage() -> None:
    tally = Tally(due=5, wins=1, losses=2, neutral=1, unknown=1, pnl=Decimal(-2))
    found = IntervalFigures.of(tally)
    assert found.rate == Rate.of(1, 4)
    assert (found.wins, found.losses, found.neutral, found.avg_pnl_pct, found.coverage) == (1, 2, 1, -0.5, 80.0)
    assert IntervalFigures.of(Tally()).rate.win_rate is None
    assert IntervalFigures.of(Tally()).coverage is None
