"""Resampled records and Sharpe ratios under doubt: published figures, plain walks, what must not hang on chance."""

import math
from collections.abc import Iterator
from dataclasses import astuple
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plumbline.domain.books import Book, BookCell, count_trades
from plumbline.domain.calendar import DAY, HOUR
from plumbline.domain.candles import Floats, Ints
from plumbline.domain.errors import InvalidInput
from plumbline.domain.figures import sharpe
from plumbline.domain.resampling import (
    Bands,
    Moments,
    block_length,
    daily_books,
    deflated_sharpe,
    expected_best,
    probabilistic_sharpe,
    resample,
)
from plumbline.domain.trades import Profit, Status
from tests.builders import NOON, a_trade


def a_day(*pnl: float) -> Book:
    """Its trades, in order."""
    trades = (Book.of(Profit(usd=Decimal(str(usd)), pct=Decimal(0))) for usd in pnl)
    return sum(trades, Book())


class InOrder:
    """Draws that are laid down: paths begin at the days `starts`, and never jump."""

    def __init__(self, *starts: int) -> None:
        self.starts: Ints = np.array(starts)

    def random(self, size: int, /) -> Floats:
        return np.full(size, 0.999)

    def integers(self, high: int, /, *, size: int) -> Ints:
        assert self.starts.max() < high
        return self.starts


class Jumping:
    """Draws of which every day is one anew: the k-th is day `order[k]`."""

    def __init__(self, *order: int) -> None:
        self._order: Iterator[int] = iter(order)

    def random(self, size: int, /) -> Floats:
        return np.zeros(size)

    def integers(self, high: int, /, *, size: int) -> Ints:
        return np.full(size, next(self._order))


# --- paths -----------------------------------------------------------------------------------------------------------

WEEK = [a_day(5, -8), a_day(), a_day(2), a_day(-4, 1, -3), a_day(10), a_day(-1), a_day(0.5)]


def test_a_path_that_never_jumps_is_the_record_with_its_drawdown_from_trade_to_trade() -> None:
    found = resample(WEEK, InOrder(0), paths=1)
    assert found is not None
    whole = sum(WEEK, Book())
    assert (found.final.p50, found.drawdown.p50) == (float(whole.pnl), float(whole.drawdown)) == (2.5, 12)
    assert (found.days, found.paths, found.probability_of_loss) == (7, 1, 0)


def test_a_path_goes_on_with_the_first_day_after_the_last() -> None:
    found = resample(WEEK, InOrder(1), paths=1)
    round_about = sum([*WEEK[1:], WEEK[0]], Book())
    assert found is not None
    assert found.drawdown.p50 == float(round_about.drawdown) == 8


@given(st.lists(st.integers(0, 6), min_size=7, max_size=7))
def test_every_path_is_what_its_days_add_up_to(order: list[int]) -> None:
    found = resample(WEEK, Jumping(*order), paths=3)
    whole = sum((WEEK[place] for place in order), Book())
    assert found is not None
    assert (found.final.p5, found.final.p95) == (float(whole.pnl),) * 2
    assert (found.drawdown.p5, found.drawdown.p95) == (float(whole.drawdown),) * 2
    assert found.probability_of_loss == (whole.pnl < 0)


def test_a_path_that_ends_where_it_began_has_lost_nothing() -> None:
    """Ten times ten cents and a dollar back: as floats alone the sum would be a hair below zero."""
    found = resample([*[a_day(0.1)] * 10, a_day(-1.0)], InOrder(0), paths=1)
    assert found is not None
    assert (found.final.p50, found.probability_of_loss) == (0, 0)


def test_the_same_seed_gives_the_same_bands_and_another_seed_others() -> None:
    one, same, other = (resample(WEEK, np.random.default_rng(seed), paths=200) for seed in (1, 1, 2))
    assert one == same
    assert one != other


def test_the_mean_of_many_paths_is_the_records_own() -> None:
    random = np.random.default_rng(5)
    daily = [a_day(round(float(usd), 2)) for usd in random.normal(0.2, 1, 100)]
    found = resample(daily, np.random.default_rng(6), paths=20_000)
    assert found is not None
    assert found.final.p50 == pytest.approx(float(sum(daily, Book()).pnl), abs=0.5)
    # days that are drawn one by one spread as a sum of independent ones does
    single = resample(daily, np.random.default_rng(7), paths=20_000, mean_block=1)
    deviation = 10 * float(np.std([float(day.pnl) for day in daily]))
    assert single is not None
    assert (single.final.p95 - single.final.p5) / 2 == pytest.approx(1.645 * deviation, rel=0.03)


def test_blocks_keep_together_what_belongs_together() -> None:
    """Ten losing days in a row are rarely drawn one by one; in blocks their fall is seen."""
    daily = [a_day(-1.0 if 20 <= place < 30 else 0.1) for place in range(100)]
    single, blocks = (
        resample(daily, np.random.default_rng(8), paths=2_000, mean_block=length) for length in (1.0, 20.0)
    )
    assert single is not None
    assert blocks is not None
    assert blocks.drawdown.p95 > 1.5 * single.drawdown.p95


def test_a_record_of_six_days_is_not_resampled() -> None:
    assert resample(WEEK[:6], np.random.default_rng(1)) is None
    assert resample([], np.random.default_rng(1)) is None
    assert resample(WEEK, np.random.default_rng(1), paths=10) is not None


@pytest.mark.parametrize(("paths", "block"), [(0, 2.0), (10, 0.5)])
def test_no_path_and_no_block_below_a_day_can_be_drawn(paths: int, block: float) -> None:
    with pytest.raises(InvalidInput):
        resample(WEEK, np.random.default_rng(1), paths=paths, mean_block=block)


def test_blocks_grow_with_the_cube_root_of_the_record() -> None:
    assert [block_length(days) for days in (1, 8, 27, 1000)] == [1, 2, 3, 10]


def test_bands_are_percentiles() -> None:
    assert astuple(Bands.of(np.arange(101.0)[::-1])) == (5, 25, 50, 75, 95)


def test_a_day_without_a_trade_is_a_day() -> None:
    trades = [a_trade(closed_at=NOON + place * DAY) for place in (2, 0, 0)]
    days = daily_books(trades)
    assert [day.winners for day in days] == [2, 0, 1]
    assert daily_books([]) == []


def test_the_books_of_all_days_are_the_book_of_all_trades_in_order_of_closing() -> None:
    statuses = [Status.TARGET, Status.STOP, Status.EXPIRED, Status.UNKNOWN, Status.STOP, Status.TARGET]
    trades = [a_trade(status=s, closed_at=NOON + 9 * HOUR * place) for place, s in enumerate(statuses)]
    whole = count_trades(trades)["all"]["all"]
    assert sum(daily_books(trades[::-1]), Book()) == whole.net
    assert sum(daily_books(trades, "pessimistic"), Book()) == whole.pessimistic != whole.net


# --- Sharpe ratios under doubt ---------------------------------------------------------------------------------------

# Bailey & López de Prado 2014, "A numerical example": 2.5 a year on five years of 250 days, trials' variance one half.
DAILY, DAYS, VARIANCE = 2.5 / math.sqrt(250), 1_250, 0.5 / 250


def test_the_published_example_of_a_deflated_sharpe_ratio() -> None:
    assert expected_best(100, VARIANCE) == pytest.approx(0.1132, abs=5e-5)
    assert deflated_sharpe(DAILY, DAYS, -3, 10, 100, VARIANCE) == pytest.approx(0.9004, abs=5e-5)
    # with 46 trials it would have passed at 95 %; of normal returns with 88
    assert deflated_sharpe(DAILY, DAYS, -3, 10, 46, VARIANCE) == pytest.approx(0.9505, abs=5e-5)
    assert deflated_sharpe(DAILY, DAYS, 0, 3, 88, VARIANCE) == pytest.approx(0.9505, abs=5e-5)


def test_the_only_configuration_tried_is_not_deflated() -> None:
    assert expected_best(1, VARIANCE) == 0
    assert deflated_sharpe(DAILY, DAYS, -3, 10, 1, VARIANCE) == probabilistic_sharpe(DAILY, DAYS, -3, 10)


def test_the_more_were_tried_the_less_the_best_of_them_means() -> None:
    values = [deflated_sharpe(DAILY, DAYS, 0, 3, trials, VARIANCE) for trials in (1, 2, 10, 100, 10_000)]
    assert values == sorted(values, reverse=True)


def test_the_best_of_many_without_skill_is_as_good_as_expected() -> None:
    drawn = np.random.default_rng(4).normal(0, 0.1, (20_000, 50)).max(axis=1).mean()
    assert expected_best(50, 0.01) == pytest.approx(drawn, rel=0.02)


def test_a_sharpe_ratio_of_normal_days_by_hand() -> None:
    # 0.1 · √100 / √(1 + 0.5 · 0.01) = 0.997509; Φ = 0.840741
    assert probabilistic_sharpe(0.1, 101, 0, 3) == pytest.approx(0.840741, abs=1e-6)
    assert probabilistic_sharpe(0.1, 101, 0, 3, benchmark=0.1) == 0.5
    assert probabilistic_sharpe(-0.1, 101, 0, 3) == pytest.approx(1 - 0.840741, abs=1e-6)


def test_rare_large_losses_make_a_sharpe_ratio_less_sure() -> None:
    assert probabilistic_sharpe(0.1, 101, -2, 9) < probabilistic_sharpe(0.1, 101, 0, 3)


@pytest.mark.parametrize(("n", "skew", "kurtosis"), [(1, 0, 3), (100, 0, 0.9), (100, 2, 4.9)])
def test_a_series_that_cannot_be_is_refused(n: int, skew: float, kurtosis: float) -> None:
    with pytest.raises(InvalidInput):
        probabilistic_sharpe(0.1, n, skew, kurtosis)


@pytest.mark.parametrize(("trials", "variance"), [(0, 1.0), (5, -0.1)])
def test_no_try_and_no_negative_variance_can_be(trials: int, variance: float) -> None:
    with pytest.raises(InvalidInput):
        expected_best(trials, variance)


def test_the_moments_of_four_days_by_hand() -> None:
    # mean 1, deviations −1 −1 −1 3: variance 3, third moment 6, fourth 21
    found = Moments.of([0, 0, 0, 4])
    assert found is not None
    assert (found.sharpe, found.n) == (0.5, 4)
    assert (found.skew, found.kurtosis) == pytest.approx((6 / 3**1.5, 21 / 9))


@pytest.mark.parametrize("daily", [[], [1.0], [0.1] * 30])
def test_without_deviation_there_are_no_moments(daily: list[float]) -> None:
    assert Moments.of(daily) is None


@settings(max_examples=50)
@given(st.lists(st.integers(-500, 500), min_size=2, max_size=40).filter(lambda days: len(set(days)) > 1))
def test_any_series_has_moments_of_which_a_probability_follows(cents: list[int]) -> None:
    daily = [value / 100 for value in cents]
    found = Moments.of(daily)
    assert found is not None
    assert found.sharpe * math.sqrt(365) == pytest.approx(sharpe(daily), abs=1e-5)
    assert 0 <= probabilistic_sharpe(*astuple(found)) <= 1


def test_a_cell_of_the_rollups_is_as_good_as_its_trades() -> None:
    trades = [a_trade(status=s) for s in (Status.STOP, Status.TARGET)]
    assert daily_books(trades) == [sum((BookCell.of(trade) for trade in trades), BookCell()).net]
