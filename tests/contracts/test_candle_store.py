import pytest

from plumbline.domain.calendar import DAY, HOUR, Timeframe
from plumbline.domain.candles import Candles
from plumbline.ports import Span, Stores
from tests.builders import NOON, candles, minute_candles, random_walk, without

BTC = "BTC/USDT"


def everything(stores: Stores, series: Candles, symbol: str = BTC) -> Candles:
    """What is stored around a series."""
    start, end = int(series.open_time[0]), int(series.open_time[-1]) + series.timeframe.ms
    return stores.candles.load([Span(symbol, series.timeframe, start - 3 * DAY, end + 3 * DAY)])[0]


@pytest.mark.parametrize("timeframe", list(Timeframe))
def test_candles_come_back_equal_over_many_chunks(stores: Stores, timeframe: Timeframe) -> None:
    series = random_walk(timeframe, 250)
    assert stores.candles.add(BTC, series) == 250
    assert everything(stores, series) == series


def test_a_span_takes_its_start_and_leaves_its_end_out(stores: Stores) -> None:
    stores.candles.add(BTC, minute_candles(1, 2, 3, 4))
    (found,) = stores.candles.load([Span(BTC, Timeframe.M1, NOON + 60_000, NOON + 180_000)])
    assert found.close.tolist() == [2, 3]


def test_spans_are_answered_in_the_order_asked(stores: Stores) -> None:
    stores.candles.add(BTC, minute_candles(1, 2, 3))
    stores.candles.add("ETH/USDT", minute_candles(7, 8, 9))
    stores.candles.add(BTC, candles("1h", 5))
    minute, hour = (Timeframe.M1, NOON, NOON + 120_000), (Timeframe.H1, NOON, NOON + HOUR)
    found = stores.candles.load([Span("ETH/USDT", *minute), Span(BTC, *hour), Span(BTC, *minute), Span("X/Y", *minute)])
    assert [each.close.tolist() for each in found] == [[7, 8], [5], [1, 2], []]
    assert [each.timeframe for each in found] == ["1m", "1h", "1m", "1m"]


def test_nothing_asked_is_nothing_answered(stores: Stores) -> None:
    assert stores.candles.load([]) == []
    assert stores.candles.load([Span(BTC, Timeframe.M1, NOON, NOON)]) == [Candles.empty(Timeframe.M1)]


def test_only_new_candles_count(stores: Stores) -> None:
    assert stores.candles.add(BTC, minute_candles(1, 2)) == 2
    assert stores.candles.add(BTC, minute_candles(1, 2, 3)) == 1
    assert stores.candles.add(BTC, minute_candles(1, 2, 3)) == 0
    assert stores.candles.add(BTC, Candles.empty(Timeframe.M1)) == 0


def test_a_stored_candle_never_changes(stores: Stores) -> None:
    stores.candles.add(BTC, minute_candles(1, 2))
    stores.candles.add(BTC, minute_candles(9, 9, 9))
    assert everything(stores, minute_candles(1, 2)).close.tolist() == [1, 2, 9]


def test_a_hole_stays_a_hole_until_it_is_filled(stores: Stores) -> None:
    whole = minute_candles(*range(1, 91))
    holed = without(whole, [NOON + 5 * 60_000, NOON + 60 * 60_000])
    stores.candles.add(BTC, holed)
    assert everything(stores, whole) == holed
    assert stores.candles.add(BTC, whole) == 2
    assert everything(stores, whole) == whole


def test_the_order_of_writers_does_not_matter(stores: Stores) -> None:
    series = random_walk("5m", 300)
    times = series.open_time.tolist()
    for start in (200, 0, 100):
        stores.candles.add(BTC, series.between(times[start], times[start] + 100 * series.timeframe.ms))
    assert everything(stores, series) == series
