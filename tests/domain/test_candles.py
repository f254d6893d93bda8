import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plumbline.domain.calendar import MINUTE, Timeframe
from plumbline.domain.candles import Candles, sift
from plumbline.domain.errors import InvalidCandle

#              open time    open  high   low  close  volume
GOOD = [(0 * MINUTE, 10.0, 12.0, 9.0, 11.0, 5.0), (1 * MINUTE, 11.0, 11.0, 10.0, 10.5, 0.0)]


def minutes(*opens: int) -> Candles:
    return Candles.of(Timeframe.M1, [(at * MINUTE, 10.0 + at, 12.0 + at, 9.0, 11.0, 5.0) for at in opens])


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ((0, 10, 9.5, 9, 9.2, 1), "high 9.5 is below open 10"),
        ((0, 10, 12, 10.5, 11, 1), "low 10.5 is above open 10"),
        ((0, 10, 12, 0, 11, 1), "low 0.0 must be above zero"),
        ((0, 10, 12, 9, 11, -1), "volume -1.0 is negative"),
        ((0, 10, float("inf"), 9, 11, 1), "must be a finite number"),
        ((0, 10, 12, 9, float("nan"), 1), "must be a finite number"),
        ((30_000, 10, 12, 9, 11, 1), "must be a multiple of 1m"),
        ((-60_000, 10, 12, 9, 11, 1), "must be a multiple of 1m"),
    ],
)
def test_an_impossible_candle_cannot_exist(row: tuple[float, ...], complaint: str) -> None:
    with pytest.raises(InvalidCandle, match=complaint):
        Candles.of(Timeframe.M1, [row])


def test_candles_out_of_order_cannot_exist_and_the_message_names_both_times() -> None:
    with pytest.raises(InvalidCandle, match="1970-01-01T00:00:00Z stands after 1970-01-01T00:01:00Z"):
        Candles.of(Timeframe.M1, reversed(GOOD))


def test_columns_of_different_length_cannot_exist() -> None:
    one, two = np.ones(1), np.ones(2)
    with pytest.raises(InvalidCandle, match="differ in length"):
        Candles(Timeframe.M1, np.zeros(1, np.int64), one, two, one, one, one)


def test_sift_keeps_every_possible_row_once_in_order_and_says_why_the_others_went() -> None:
    rows: list[object] = [
        GOOD[1],
        GOOD[0],
        list(GOOD[0]),
        (2 * MINUTE, 10, 9, 9, 10, 1),
        None,
        "text",
        (1, 2),
        (*GOOD[0][:5], 99),
    ]
    sifted = sift(Timeframe.M1, rows)
    assert sifted.candles.rows() == GOOD
    assert len(sifted.refused) == 5
    assert "high 9.0 is below open 10.0" in sifted.refused[0]
    assert "came twice with different values" in sifted.refused[-1]


def test_between_takes_the_start_and_leaves_the_end() -> None:
    assert minutes(0, 1, 2, 3).between(1 * MINUTE, 3 * MINUTE) == minutes(1, 2)


def test_a_candle_that_is_still_open_is_not_closed() -> None:
    assert minutes(0, 1).closed_by(2 * MINUTE - 1) == minutes(0)
    assert minutes(0, 1).closed_by(2 * MINUTE) == minutes(0, 1)


def test_a_stored_candle_never_changes_when_another_version_of_it_arrives() -> None:
    stored = Candles.of(Timeframe.M1, GOOD)
    other = Candles.of(Timeframe.M1, [(MINUTE, 50, 60, 40, 55, 9), (2 * MINUTE, 1, 1, 1, 1, 1)])
    assert stored.merge(other).rows() == [*GOOD, (2 * MINUTE, 1, 1, 1, 1, 1)]


def test_holes_are_found_at_both_ends_and_in_the_middle() -> None:
    assert minutes(1, 4).holes(0, 6 * MINUTE) == [
        (0, 1 * MINUTE),
        (2 * MINUTE, 4 * MINUTE),
        (5 * MINUTE, 6 * MINUTE),
    ]
    assert minutes(0, 1).holes(0, 2 * MINUTE) == []
    assert minutes().holes(0, 2 * MINUTE) == [(0, 2 * MINUTE)]


prices = st.floats(0.0001, 1e6)


@st.composite
def any_candles(draw: st.DrawFn) -> Candles:
    opens = sorted(draw(st.sets(st.integers(0, 500), max_size=20)))
    rows = []
    for at in opens:
        values = sorted(draw(st.lists(prices, min_size=4, max_size=4)))
        low, open_, close, high = values
        rows.append((at * MINUTE, open_, high, low, close, draw(prices)))
    return Candles.of(Timeframe.M1, rows)


@given(any_candles())
def test_unpacking_what_was_packed_gives_the_same_candles(candles: Candles) -> None:
    assert Candles.unpack(Timeframe.M1, candles.pack()) == candles


def test_packed_bytes_cut_short_are_refused() -> None:
    with pytest.raises(InvalidCandle, match="multiple of 48 bytes, got 47"):
        Candles.unpack(Timeframe.M1, minutes(0).pack()[:-1])


@given(any_candles(), any_candles())
def test_merging_holds_every_time_of_both_and_keeps_the_first(ours: Candles, theirs: Candles) -> None:
    merged = ours.merge(theirs)
    expected = {row[0]: row for row in (*theirs.rows(), *ours.rows())}
    assert merged.rows() == [expected[time] for time in sorted(expected)]


@given(any_candles(), st.integers(0, 500), st.integers(0, 500))
def test_holes_and_candles_together_fill_the_span_exactly(candles: Candles, a: int, b: int) -> None:
    start, end = sorted((a * MINUTE, b * MINUTE))
    missing = {t for first, last in candles.holes(start, end) for t in range(first, last, MINUTE)}
    present = set(candles.between(start, end).open_time.tolist())
    assert missing | present == set(range(start, end, MINUTE))
    assert not missing & present


def test_the_digest_depends_on_content_and_timeframe() -> None:
    assert minutes(0).digest() == minutes(0).digest()
    assert minutes(0).digest() != minutes(1).digest()
    assert minutes(0).digest() != Candles.of(Timeframe.M5, minutes(0).rows()).digest()
