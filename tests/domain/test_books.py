"""Cells of the paper book: by hand, against plain arithmetic over the trades, and in any split of time."""

from collections.abc import Sequence
from dataclasses import fields
from decimal import Decimal
from itertools import accumulate, pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plumbline.domain.books import (
    BOOK_DIMENSIONS,
    BOOKS,
    Book,
    BookCell,
    BookName,
    count_trades,
    dump_book_row,
    merge_books,
    parse_book_row,
)
from plumbline.domain.calendar import HOUR, MINUTE, Timeframe
from plumbline.domain.signals import MarketType, Origin, Side
from plumbline.domain.trades import Profit, Status, Trade
from tests.builders import NOON, a_trade

ZERO = Decimal(0)
ENDS = [Status.TARGET, Status.STOP, Status.EXPIRED]


def profit(usd: Decimal | str) -> Profit:
    return Profit(usd=Decimal(usd), pct=Decimal(usd))


def made(usd: str, **changes: Any) -> Trade:
    """A trade that made as much in each of the three books."""
    return a_trade(ideal=profit(usd), net=profit(usd), pessimistic=profit(usd), **changes)


def numbers(*values: Decimal | None) -> tuple[float, ...]:
    """For comparing with literals; every one of them is exact in binary."""
    return tuple(float(value) for value in values if value is not None)


def whole(trades: Sequence[Trade]) -> BookCell:
    return count_trades(trades).get("all", {}).get("all", BookCell())


def test_the_path_of_five_trades_by_hand() -> None:
    #   P&L  2   5   1   3  −1   and the highest before: 2  5  5  5  5
    book = whole([made(usd) for usd in ("2", "3", "-4", "2", "-4")]).net
    assert numbers(book.pnl, book.peak, book.trough, book.drawdown) == (-1, 5, -1, 6)
    assert (book.winners, book.losers) == (3, 2)
    assert numbers(book.best, book.worst) == (3, -4)
    assert numbers(book.pnl_winners, book.pnl_losers, book.squares) == (7, -8, 49)


def test_a_book_that_only_falls_falls_from_where_it_began() -> None:
    book = whole([made("-2"), made("-3")]).net
    assert numbers(book.peak, book.trough, book.drawdown) == (0, -5, 5)


def test_the_fall_from_one_stretch_into_the_next_is_the_deepest_of_all() -> None:
    first, second = whole([made("5"), made("-1")]).net, whole([made("-2"), made("9")]).net
    assert numbers(first.drawdown, second.drawdown, first.fall_to(second)) == (1, 2, 3)
    assert (first + second).drawdown == 3
    assert (second + first).drawdown == 2


@pytest.mark.parametrize(
    ("usd", "side"),
    [("0.010001", "winning"), ("0.01", "flat"), ("0", "flat"), ("-0.01", "flat"), ("-0.010001", "losing")],
)
def test_a_cent_decides_whether_a_trade_won_lost_or_is_flat(usd: str, side: str) -> None:
    cell = whole([made(usd)])
    assert {name: getattr(cell, name) for name in ("winning", "losing", "flat")} == {
        **dict.fromkeys(("winning", "losing", "flat"), 0),
        side: 1,
    }


def test_each_book_counts_its_own_winners_and_the_headline_follows_the_net_one() -> None:
    cell = whole([a_trade(ideal=profit("0.2"), net=profit("-0.1"), pessimistic=profit("-0.3"))])
    assert [cell.book(name).winners for name in BOOKS] == [1, 0, 0]
    assert [cell.book(name).losers for name in BOOKS] == [0, 1, 1]
    assert (cell.winning, cell.losing) == (0, 1)


def test_a_trade_without_a_price_is_counted_as_closed_and_touches_nothing_else() -> None:
    priced = [made("1"), made("-2", opened_at=NOON + HOUR)]
    cell, unknown = whole(priced), whole([*priced, a_trade(status=Status.UNKNOWN, opened_at=NOON + 2 * HOUR)])
    assert (unknown.closed, unknown.priced, unknown.unknown) == (3, 2, 1)
    assert all(getattr(unknown, f.name) == getattr(cell, f.name) for f in fields(BookCell) if f.name != "unknown")


def test_what_the_ambiguous_trades_would_have_made_at_their_targets_stands_beside() -> None:
    undecided = made("-2", status=Status.STOP, ambiguous=True, net_if_target=profit("3"))
    cell = whole([made("1"), undecided])
    assert cell.ambiguous == 1
    assert numbers(cell.net.pnl, cell.net_if_target) == (-1, 4)


def test_an_ambiguous_trade_whose_target_would_have_earned_nothing_is_taken_at_nothing() -> None:
    cell = whole([made("-2", status=Status.STOP, ambiguous=True, net_if_target=profit("0"))])
    assert numbers(cell.net.pnl, cell.net_if_target) == (-2, 0)


def test_time_held_counts_by_the_trade_and_by_the_dollar() -> None:
    cell = whole([made("1", closed_at=NOON + 2 * MINUTE - 1), made("1", closed_at=NOON + MINUTE - 1)])
    assert cell.held_seconds == 119 + 59
    assert cell.held_usd_seconds == 100 * (119 + 59)


def test_trades_of_backfilled_signals_do_not_count() -> None:
    assert count_trades([made("1", origin=Origin.BACKFILL)]) == {}


def test_the_same_trade_stands_under_every_dimension() -> None:
    trade = made("1", side=Side.SHORT, timeframe=Timeframe.H4, market_type=MarketType.FUTURES)
    cells = count_trades([trade])
    assert tuple(cells) == BOOK_DIMENSIONS
    assert {dimension: list(row) for dimension, row in cells.items()} == {
        "all": ["all"],
        "scanner": ["technical"],
        "tier": ["TIER_2_STRONG_BUY"],
        "type": ["SHORT"],
        "symbol": ["BTC/USDT"],
        "channel": ["momentum-alpha"],
        "snapshot": ["5" * 64],
        "timeframe": ["4h"],
        "market": ["FUTURES"],
    }
    assert {cell for row in cells.values() for cell in row.values()} == {BookCell.of(trade)}


def test_only_the_dimensions_asked_for_are_counted() -> None:
    assert count_trades([made("1")], ["tier"]).keys() == {"tier"}


# --- any list of trades

money = st.decimals(-20, 20, places=6)


@st.composite
def some_trades(draw: st.DrawFn) -> list[Trade]:
    """Trades in order of closing; each book has its own idea of what they made."""
    trades = []
    for n in range(draw(st.integers(0, 12))):
        about: dict[str, Any] = {"opened_at": NOON + n * MINUTE, "scanner_type": draw(st.sampled_from("ab"))}
        status = draw(st.sampled_from([*ENDS, Status.UNKNOWN]))
        if status is not Status.UNKNOWN:
            about |= {name: profit(draw(money)) for name in BOOKS}
            if status is Status.STOP and draw(st.booleans()):
                about |= {"ambiguous": True, "net_if_target": profit(draw(money))}
        trades.append(a_trade(status=status, **about))
    return trades


def by_brute_force(trades: Sequence[Trade], name: BookName) -> Book:
    """One book over the trades that have a price, from the list of their P&L alone."""
    pnl = [found.usd for trade in trades if (found := getattr(trade, name))]
    path = list(accumulate(pnl, initial=ZERO))
    winners, losers = [usd for usd in pnl if usd > Decimal("0.01")], [usd for usd in pnl if usd < Decimal("-0.01")]
    return Book(
        winners=len(winners),
        losers=len(losers),
        pnl=sum(pnl, ZERO),
        pnl_winners=sum(winners, ZERO),
        pnl_losers=sum(losers, ZERO),
        squares=sum((usd * usd for usd in pnl), ZERO),
        best=max(pnl, default=None),
        worst=min(pnl, default=None),
        peak=max(path),
        trough=min(path),
        drawdown=max(high - low for i, high in enumerate(path) for low in path[i:]),
    )


@settings(max_examples=50, deadline=None)
@given(some_trades())
def test_a_cell_is_plain_arithmetic_over_its_trades(trades: list[Trade]) -> None:
    cell = whole(trades)
    assert {name: cell.book(name) for name in BOOKS} == {name: by_brute_force(trades, name) for name in BOOKS}
    ends = [trade.status for trade in trades]
    assert (cell.targets, cell.stops, cell.expired, cell.unknown) == tuple(map(ends.count, [*ENDS, Status.UNKNOWN]))
    priced = [trade for trade in trades if trade.net]
    assert cell.held_seconds == sum(trade.held_seconds for trade in priced)
    assert cell.max_favourable == sum(trade.max_favourable_pct or 0 for trade in priced)
    assert cell.max_adverse == sum(trade.max_adverse_pct or 0 for trade in priced)
    best_case = [trade.net_if_target or trade.net for trade in priced]
    assert cell.net_if_target == sum(found.usd for found in best_case if found)


@settings(max_examples=50, deadline=None)
@given(some_trades(), st.lists(st.integers(0, 12), max_size=5))
def test_any_split_into_consecutive_stretches_of_time_gives_the_same(trades: list[Trade], cuts: list[int]) -> None:
    edges = sorted([0, len(trades), *(min(cut, len(trades)) for cut in cuts)])
    parts = [count_trades(trades[first:last]) for first, last in pairwise(edges)]
    assert merge_books(parts) == count_trades(trades)


@settings(max_examples=50, deadline=None)
@given(some_trades(), some_trades(), some_trades())
def test_stretches_may_be_merged_in_any_grouping(a: list[Trade], b: list[Trade], c: list[Trade]) -> None:
    one, two, three = map(count_trades, (a, b, c))
    assert merge_books([merge_books([one, two]), three]) == merge_books([one, merge_books([two, three])])


@settings(max_examples=50, deadline=None)
@given(some_trades(), some_trades())
def test_all_but_the_path_may_be_merged_in_any_order(a: list[Trade], b: list[Trade]) -> None:
    one, two = whole(a), whole(b)
    path = {"peak", "trough", "drawdown"}
    for name in BOOKS:
        there, back = (one + two).book(name), (two + one).book(name)
        assert all(getattr(there, f.name) == getattr(back, f.name) for f in fields(Book) if f.name not in path)
    rest = {f.name for f in fields(BookCell)} - {*BOOKS}
    assert all(getattr(one + two, name) == getattr(two + one, name) for name in rest)


@settings(max_examples=50, deadline=None)
@given(some_trades())
def test_a_row_written_and_read_again_is_the_same_and_its_bytes_do_not_depend_on_order(trades: list[Trade]) -> None:
    for row in count_trades(trades).values():
        assert parse_book_row(dump_book_row(row)) == row
        assert dump_book_row(dict(reversed(row.items()))) == dump_book_row(row)


def test_the_same_money_in_another_spelling_is_the_same_bytes() -> None:
    rows = [count_trades([made(usd)])["all"] for usd in ("2.5", "2.500000", "25E-1")]
    assert len({dump_book_row(row) for row in rows}) == 1


def test_a_merged_row_has_the_bytes_of_the_row_counted_at_once() -> None:
    trades = [made("0.100000"), made("-0.1"), made("300")]
    merged = merge_books(count_trades([trade]) for trade in trades)
    assert dump_book_row(merged["all"]) == dump_book_row(count_trades(trades)["all"])
