import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.local.exchange import SimulatedMarket
from infra.local.exchange.regimes import DRIFT, EPOCH, HOURS
from infra.local.exchange.simulated import LISTED
from plumbline.domain.calendar import DAY, HOUR, MINUTE, Timeframe, day_start
from plumbline.domain.candles import Floats

YEAR = 365 * DAY
JANUARY = day_start("2024-01-01")
BTC = "BTC/USDT"


def test_a_window_is_the_same_whatever_was_asked_before() -> None:
    alone = SimulatedMarket(7).candles(BTC, Timeframe.M1, JANUARY, JANUARY + 2 * HOUR)
    asked = SimulatedMarket(7, minutes_cached=2, hours_cached=2)
    asked.candles(BTC, Timeframe.D1, JANUARY + 30 * DAY, JANUARY + 90 * DAY)
    asked.candles("ETH/USDT", Timeframe.M1, JANUARY, JANUARY + DAY)
    assert asked.candles(BTC, Timeframe.M1, JANUARY, JANUARY + 2 * HOUR) == alone


@settings(max_examples=25, deadline=None)
@given(start=st.integers(0, 20 * 1440), minutes=st.integers(1, 3000), timeframe=st.sampled_from(list(Timeframe)))
def test_a_window_is_a_slice_of_any_wider_one(start: int, minutes: int, timeframe: Timeframe) -> None:
    market = SimulatedMarket(7)
    first, last = JANUARY + start * MINUTE, JANUARY + (start + minutes) * MINUTE
    wide = market.candles(BTC, timeframe, JANUARY - DAY, JANUARY + 30 * DAY)
    assert market.candles(BTC, timeframe, first, last) == wide.between(first, last)


def test_a_seed_keeps_its_market(simulated_market: SimulatedMarket) -> None:
    """Records and pictures of a replay are compared across versions: a change here is a change of every one of them."""
    day = simulated_market.candles(BTC, Timeframe.D1, JANUARY, JANUARY + DAY)
    assert day.rows() == [(JANUARY, 43245.52, 44250.27, 42773.81, 43791.01, 30276.33504)]


def test_every_seed_and_every_pair_has_its_own_market(simulated_market: SimulatedMarket) -> None:
    span = Timeframe.H1, JANUARY, JANUARY + DAY
    other_seed = SimulatedMarket(8).candles(BTC, *span)
    assert other_seed != simulated_market.candles(BTC, *span)
    moves = [np.diff(np.log(simulated_market.candles(pair.symbol, *span).close)) for pair in simulated_market.pairs]
    assert len({move.tobytes() for move in moves}) == len(LISTED)


def test_every_minute_opens_where_the_last_one_closed_also_across_regimes(simulated_market: SimulatedMarket) -> None:
    minutes = simulated_market.candles(BTC, Timeframe.M1, JANUARY, JANUARY + 30 * DAY)
    assert len(minutes) == 30 * 1440
    assert len(simulated_market.regimes(BTC, JANUARY, JANUARY + 30 * DAY)) > 3
    assert minutes.open[1:].tolist() == minutes.close[:-1].tolist()


@pytest.mark.parametrize("timeframe", [t for t in Timeframe if t is not Timeframe.M1])
@pytest.mark.parametrize("symbol", [BTC, "XRP/USDT", "DOGE/USDT"])
def test_longer_candles_are_their_minutes(simulated_market: SimulatedMarket, symbol: str, timeframe: Timeframe) -> None:
    start, end = JANUARY - 3 * DAY, JANUARY + 5 * DAY
    minutes = simulated_market.candles(symbol, Timeframe.M1, start, end).rows()
    found = simulated_market.candles(symbol, timeframe, start, end).rows()
    assert len(found) == (end - start) // timeframe.ms
    for time, open_, high, low, close, volume in found:
        within = minutes[(time - start) // MINUTE : (time - start + timeframe.ms) // MINUTE]
        assert (within[0][1], within[-1][4]) == (open_, close)
        assert (max(row[2] for row in within), min(row[3] for row in within)) == (high, low)
        assert volume == round(math.fsum(row[5] for row in within), 5)


def test_prices_and_amounts_are_whole_ticks_and_steps(simulated_market: SimulatedMarket) -> None:
    for pair in simulated_market.pairs:
        for row in simulated_market.candles(pair.symbol, Timeframe.M1, JANUARY, JANUARY + HOUR).rows():
            assert all(round(price, -pair.tick) == price for price in row[1:5])
            assert round(row[5], -pair.step) == row[5] > 0


@pytest.mark.parametrize("direction", [1, -1])
def test_trends_drift_by_the_promised_share_of_their_sigma(simulated_market: SimulatedMarket, direction: int) -> None:
    """Measured on 1h candles, not read off the model: eight pairs, two years, about 40,000 hours each way."""
    moves = _moves(simulated_market, JANUARY - 2 * YEAR, JANUARY, direction)
    drift, error = direction * moves.mean(), moves.std() / math.sqrt(len(moves))
    assert len(moves) > 30_000
    assert DRIFT[0] < drift - 2 * error < drift + 2 * error < DRIFT[1]
    assert moves.std() == pytest.approx(1, abs=0.03)


def test_ranges_go_nowhere_and_come_back(simulated_market: SimulatedMarket) -> None:
    start, end = JANUARY - YEAR, JANUARY
    moves = _moves(simulated_market, start, end, 0)
    assert abs(moves.mean()) < 0.03
    away, then = _deviations(simulated_market, start, end)
    # Pulled back by half in six hours: the slope of the next six hours' move on the deviation is about one half.
    assert np.polyfit(away, then, 1)[0] == pytest.approx(-0.5, abs=0.06)


def test_weather_lasts_for_days_and_leaves_no_gap(simulated_market: SimulatedMarket) -> None:
    regimes = simulated_market.regimes(BTC, JANUARY - YEAR, JANUARY)
    assert all(before.end == after.start for before, after in pairwise(regimes))
    assert all(HOURS[0] <= regime.hours <= HOURS[1] for regime in regimes)
    assert {regime.trend for regime in regimes} == {-1, 0, 1}
    assert {regime.volatility for regime in regimes} == {"calm", "normal", "wild"}
    trends = [abs(regime.drift / regime.sigma) for regime in regimes if regime.trend]
    assert all(DRIFT[0] <= drift <= DRIFT[1] for drift in trends)


def test_prices_stay_near_their_long_run_level_for_ten_years(simulated_market: SimulatedMarket) -> None:
    for pair, price, _, _ in LISTED:
        regimes = simulated_market.regimes(pair.symbol, EPOCH, EPOCH + 10 * YEAR)
        assert all(0.1 < math.exp(regime.level) / price < 10 for regime in regimes)


def test_there_is_more_than_a_year_of_days_before_2020_and_nothing_before_the_epoch(
    simulated_market: SimulatedMarket,
) -> None:
    start = day_start("2020-01-01")
    days = simulated_market.candles(BTC, Timeframe.D1, start - 400 * DAY, start)
    assert len(days) == 400
    assert len(simulated_market.candles(BTC, Timeframe.D1, EPOCH - 10 * DAY, EPOCH + DAY)) == 1
    assert len(simulated_market.candles(BTC, Timeframe.M1, EPOCH - DAY, EPOCH)) == 0


def _moves(market: SimulatedMarket, start: int, end: int, trend: int) -> Floats:
    """Hourly log returns in sigmas of the regime they fell in."""
    parts = []
    for pair in market.pairs:
        hours = market.candles(pair.symbol, Timeframe.H1, start, end)
        returns = np.log(hours.close / hours.open)
        for regime in market.regimes(pair.symbol, start, end):
            if regime.trend == trend:
                first, last = (int((edge - start) // HOUR) for edge in (max(regime.start, start), regime.end))
                parts.append(returns[first:last] / regime.sigma)
    return np.concatenate(parts)


def _deviations(market: SimulatedMarket, start: int, end: int) -> tuple[Floats, Floats]:
    """In ranges: how far the price is from the range's middle, and its move over the next six hours."""
    away, then = [], []
    for pair in market.pairs:
        for regime in market.regimes(pair.symbol, start, end):
            if regime.trend == 0:
                path = np.log(market.candles(pair.symbol, Timeframe.H1, regime.start, regime.end).close) - regime.level
                away.append(path[:-6] / regime.sigma)
                then.append((path[6:] - path[:-6]) / regime.sigma)
    return np.concatenate(away), np.concatenate(then)
