"""The search for the first touch, beside a loop."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plumbline.domain.candles import Floats, Ints
from plumbline.domain.touches import first_touches, portions

NAN = float("nan")
HIGH = np.array([3.0, 5.0, 4.0, 9.0, 4.0, 6.0, 4.0])
LOW = np.array([2.0, 3.0, 1.0, 3.0, 3.0, 3.0, 2.0])


def first_touch(first: int, end: int, lower: float, upper: float) -> tuple[int, float, float]:
    bounds = np.array([first]), np.array([end])
    found = first_touches(LOW, HIGH, *bounds, np.array([lower]), np.array([upper]))
    return int(found.at[0]), float(found.lowest[0]), float(found.highest[0])


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ((0, 7, 0.0, 9.0), (3, 1.0, 5.0)),  # the high of candle 3; before it 1 to 5
        ((0, 7, 1.0, 9.0), (2, 2.0, 5.0)),  # the low of candle 2 comes first
        ((3, 7, 1.0, 9.0), (3, np.inf, -np.inf)),  # at once: nothing before it
        ((4, 7, 2.0, 9.0), (6, 3.0, 6.0)),
        ((4, 6, 2.0, 9.0), (6, 3.0, 6.0)),  # the end of the range, not the touch beyond it
        ((4, 7, NAN, 9.0), (7, 2.0, 6.0)),  # no level below
        ((0, 7, 2.0, NAN), (0, np.inf, -np.inf)),
        ((0, 7, NAN, NAN), (7, 1.0, 9.0)),
        ((5, 5, 9.0, 0.0), (5, np.inf, -np.inf)),  # an empty range
        ((7, 7, 9.0, 0.0), (7, np.inf, -np.inf)),
    ],
)
def test_the_first_candle_at_or_beyond_a_level(
    search: tuple[int, int, float, float], found: tuple[int, float, float]
) -> None:
    assert first_touch(*search) == found


def test_no_search_finds_nothing() -> None:
    none, no_price = np.array([], dtype=np.int64), np.array([])
    assert first_touches(LOW, HIGH, none, none, no_price, no_price).at.tolist() == []
    assert portions(none, none) == []


def looped(low: Floats, high: Floats, first: int, end: int, lower: float, upper: float) -> tuple[int, float, float]:
    """The definition, read aloud."""
    lowest, highest = np.inf, -np.inf
    for at in range(first, end):
        if low[at] <= lower or high[at] >= upper:
            return at, lowest, highest
        lowest, highest = min(lowest, low[at]), max(highest, high[at])
    return end, lowest, highest


levels = st.integers(-60, 60).map(float) | st.just(NAN)


@settings(max_examples=200, deadline=None)
@given(st.data(), st.integers(1, 150), st.integers(0, 10**6))
def test_any_search_finds_what_a_loop_finds(data: st.DataObject, count: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    low = np.cumsum(random.integers(-3, 4, count)).astype(np.float64)
    high = low + random.integers(0, 4, count)
    ranges = st.tuples(st.integers(0, count), st.integers(0, count)).map(sorted)
    searches = data.draw(st.lists(st.tuples(ranges, levels, levels), min_size=1, max_size=12))
    first, end = (np.array([bounds[k] for bounds, _, _ in searches]) for k in (0, 1))
    lower, upper = (np.array([search[k] for search in searches]) for k in (1, 2))
    found = first_touches(low, high, first, end, lower, upper)
    expected = [looped(low, high, *bounds, *floors) for bounds, *floors in searches]
    assert list(zip(found.at.tolist(), found.lowest.tolist(), found.highest.tolist(), strict=True)) == expected


def test_arguments_are_left_as_they_were() -> None:
    first, end = np.array([0, 4]), np.array([7, 6])
    lower, upper = np.array([NAN, 2.0]), np.array([9.0, NAN])
    before = [column.copy() for column in (first, end, lower, upper)]
    first_touches(LOW, HIGH, first, end, lower, upper)
    for column, old in zip((first, end, lower, upper), before, strict=True):
        np.testing.assert_array_equal(column, old)


def ranges_of(count: int, candles: int, length: int) -> tuple[Ints, Ints]:
    first = np.random.default_rng(5).integers(0, candles, count)
    return first, first + length


@pytest.mark.parametrize(("count", "candles"), [(10, 1_000), (50_000, 1_000), (500, 2_000_000), (3, 3_000_000)])
def test_every_search_with_a_candle_is_in_one_portion_among_its_neighbours(count: int, candles: int) -> None:
    first, end = ranges_of(count, candles, 100)
    end[::3] = first[::3]
    found = portions(first, end)
    assert sorted(np.concatenate(found).tolist()) == [k for k in range(count) if k % 3]
    edges = [(first[some].min(), first[some].max()) for some in found]
    assert all(before[1] <= after[0] for before, after in pairwise(edges))
    assert max(len(some) for some in found) <= 16_384


def test_few_searches_close_together_are_one_portion_in_their_own_order() -> None:
    first, end = ranges_of(100, 5_000, 50)
    [some] = portions(first, end)
    assert some.tolist() == list(range(100))
