from hypothesis import given
from hypothesis import strategies as st

from plumbline.domain.calendar import HOUR, Timeframe
from plumbline.domain.windows import BLOCK, WARM_UP, blocks, window_start

candles_ = st.integers(2 * BLOCK, 20 * BLOCK)


@given(candles_)
def test_a_window_always_holds_its_warm_up_and_never_more_than_two_blocks(number: int) -> None:
    start = window_start(Timeframe.H1, number * HOUR)
    assert start % HOUR == 0
    assert WARM_UP < BLOCK <= number - start // HOUR < 2 * BLOCK


@given(candles_, st.integers(0, 3 * BLOCK))
def test_stretches_cover_every_close_once_and_share_one_window_each(first: int, more: int) -> None:
    closes = range(first * HOUR, (first + more) * HOUR + 1, HOUR)
    stretches = blocks(Timeframe.H1, closes[0], closes[-1])
    covered = [close for start, end in stretches for close in range(start, end + 1, HOUR)]
    assert covered == list(closes)
    for start, end in stretches:
        assert len({window_start(Timeframe.H1, close - HOUR) for close in range(start, end + 1, HOUR)}) == 1


def test_nothing_to_do_is_no_stretch() -> None:
    assert blocks(Timeframe.H1, 2 * HOUR, 1 * HOUR) == []
