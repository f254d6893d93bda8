"""A channel's figures and score, by hand."""

from decimal import Decimal
from itertools import pairwise
from statistics import fmean
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plumbline.domain.books import BookCell, count_trades, dump_book_row, merge_books, parse_book_row
from plumbline.domain.calendar import HOUR, MINUTE
from plumbline.domain.quality import ChannelPerformance, quality_score
from plumbline.domain.trades import Status, Trade
from tests.builders import NOON, a_trade


def trade(n: int, status: Status = Status.TARGET, **changes: Any) -> Trade:
    return a_trade(opened_at=NOON - 50 * HOUR + n * MINUTE, status=status, **changes)


def cell_of(*trades: Trade) -> BookCell:
    return count_trades(trades).get("all", {}).get("all", BookCell())


WON, LOST = trade(0), trade(1, Status.STOP)
EXPIRED, UNKNOWN = trade(2, Status.EXPIRED), trade(3, Status.UNKNOWN)


def pct(of: Trade) -> float:
    assert of.net
    return float(of.net.pct)


def test_the_figures_of_five_trades_by_hand() -> None:
    found = ChannelPerformance.of("a", cell_of(WON, LOST, EXPIRED, UNKNOWN), pending=1)
    assert (found.total_signals, found.completed, found.pending, found.unknown_count) == (5, 3, 1, 1)
    assert (found.win_count, found.loss_count, found.expired_count) == (1, 1, 1)
    assert (found.rate.win_rate, found.rate.n) == (33.3333, 3)
    assert found.avg_win_pct == pct(WON)
    assert found.avg_loss_pct == pct(LOST)
    assert found.avg_profit_pct == pytest.approx(fmean(map(pct, (WON, LOST, EXPIRED))), abs=1e-6)
    assert found.total_return_pct == pytest.approx(sum(map(pct, (WON, LOST, EXPIRED))), abs=1e-6)
    assert (found.best_trade_pct, found.worst_trade_pct) == (pct(WON), pct(LOST))
    assert found.avg_profit_pct
    assert found.avg_profit_pct > 0
    assert found.quality_score == pytest.approx(
        40 / 3 + 30 * found.avg_profit_pct / 5 + 20 * 3 / 20 + 10 * 3 / 5, abs=1e-4
    )


def test_a_win_is_a_target_reached_and_not_an_expired_trade_that_earned() -> None:
    found = ChannelPerformance.of("a", cell_of(EXPIRED), pending=0)
    assert pct(EXPIRED) > 0
    assert (found.win_count, found.rate.win_rate, found.avg_win_pct) == (0, 0.0, None)


@pytest.mark.parametrize(
    ("win_rate", "profit", "completed", "completion", "score"),
    [
        (1.0, 5.0, 20, 1.0, 100.0),
        (1.0, 50.0, 2_000, 1.0, 100.0),
        (0.0, -3.0, 0, 0.0, 0.0),
        (0.5, 2.5, 10, 0.5, 50.0),
        (0.6, -2.0, 40, 0.8, 52.0),
        (0.0, 1.0, 1, 1.0, 17.0),
    ],
)
def test_the_score_is_forty_thirty_twenty_and_ten_points(
    win_rate: float, profit: float, completed: int, completion: float, score: float
) -> None:
    found = quality_score(win_rate=win_rate, avg_profit_pct=profit, completed=completed, completion_rate=completion)
    assert found == pytest.approx(score)


def test_a_channel_without_a_trade_has_no_score_and_one_that_only_waits_has_none_of_its_points() -> None:
    assert ChannelPerformance.of("a", BookCell(), pending=0).quality_score is None
    waiting = ChannelPerformance.of("a", BookCell(), pending=3)
    assert (waiting.quality_score, waiting.total_signals, waiting.rate.win_rate) == (0.0, 3, None)
    assert waiting.total_return_pct == 0.0
    assert waiting.best_trade_pct is waiting.avg_profit_pct is None


statuses = st.lists(st.sampled_from([Status.TARGET, Status.STOP, Status.EXPIRED, Status.UNKNOWN]), max_size=12)


@given(statuses, st.lists(st.integers(0, 12), max_size=3))
def test_returns_merge_from_any_split_and_survive_as_text(kinds: list[Status], cuts: list[int]) -> None:
    trades = [trade(n, kind, **_price(n, kind)) for n, kind in enumerate(kinds)]
    whole = cell_of(*trades).returns
    bounds = sorted({0, len(trades), *(min(cut, len(trades)) for cut in cuts)})
    merged = merge_books(count_trades(trades[a:b]) for a, b in pairwise(bounds))
    assert merged.get("all", {}).get("all", BookCell()).returns == whole
    assert whole.total == sum((t.net.pct for t in trades if t.net), Decimal(0))
    assert all(parse_book_row(dump_book_row(row)) == row for row in merged.values())


def _price(n: int, kind: Status) -> dict[str, Any]:
    return {"exit_price": Decimal(42_000 + 37 * n)} if kind is Status.EXPIRED else {}
