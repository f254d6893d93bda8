"""Which symbols a channel scans at each candle: one answer, whoever asks and however time was cut."""

from dataclasses import replace
from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from plumbline.domain.calendar import DAY, HOUR, day_of
from plumbline.domain.strategies import DEFAULT_CHANNELS
from plumbline.pipeline.channels import (
    FOLLOW_FOR,
    scanned_between,
    scanned_symbols,
    stretches,
    universes_between,
)
from plumbline.ports import Stores, Universe
from tests.fakes import memory_stores
from tests.world import START

CHANNEL = DEFAULT_CHANNELS[0]
NAMES = ("AB", "AC", "B", "")


def ranked(day: int, minute: int, letters: str) -> Universe:
    """The ranking of a day after the start, known since this minute of it."""
    at = START + day * DAY
    symbols = tuple(f"{letter}/USDT" for letter in letters)
    return Universe(day=day_of(at), taken_at=at + minute * 60_000, markets=symbols, most_traded={"USDT": symbols})


def with_rankings(*universes: Universe) -> Stores:
    stores = memory_stores()
    for universe in universes:
        stores.markets.add(universe)
    return stores


rankings = st.dictionaries(
    st.integers(-60, 30), st.tuples(st.sampled_from([0, 1, 60, 847, 1_439]), st.sampled_from(NAMES)), max_size=12
).map(lambda days: with_rankings(*(ranked(day, minute, letters) for day, (minute, letters) in days.items())))


@given(stores=rankings, begin=st.integers(-300, 300), hours=st.integers(0, 480))
def test_stretches_cover_each_candle_once_with_the_symbols_of_its_own_time(
    stores: Stores, begin: int, hours: int
) -> None:
    first, last = START + begin * HOUR, START + (begin + hours) * HOUR
    universes = universes_between(stores, first, last)
    pieces = stretches(universes, CHANNEL, first, last)
    assert [piece[0] for piece in pieces] == [first, *(piece[1] + 1 for piece in pieces[:-1])]
    assert pieces[-1][1] == last
    assert all(a <= b for a, b, _ in pieces)
    assert all(here[2] != after[2] for here, after in pairwise(pieces))
    found = {close: symbols for a, b, symbols in pieces for close in range(-(-a // HOUR) * HOUR, b + 1, HOUR)}
    assert found == {c: scanned_symbols(universes, CHANNEL, c) for c in range(first, last + 1, HOUR)}
    assert scanned_between(universes, CHANNEL, first, last) == sorted({s for p in pieces for s in p[2]})


@given(stores=rankings, begin=st.integers(-300, 300), hours=st.integers(0, 480), at=st.floats(0, 1))
@example(stores=with_rankings(ranked(0, 0, "AB")), begin=0, hours=480, at=0.9)
@example(stores=with_rankings(ranked(0, 0, "AB"), ranked(15, 60, "C")), begin=200, hours=300, at=0.1)
@example(stores=with_rankings(ranked(-45, 0, "AB"), ranked(0, 847, "C")), begin=-200, hours=300, at=0.3)
def test_a_candle_of_a_long_block_is_ranked_as_it_was_live(stores: Stores, begin: int, hours: int, at: float) -> None:
    first, close = START + begin * HOUR, START + (begin + int(hours * at)) * HOUR
    block = universes_between(stores, first, first + hours * HOUR)
    assert scanned_symbols(block, CHANNEL, close) == scanned_symbols(
        universes_between(stores, close, close), CHANNEL, close
    )


@given(stores=rankings, begin=st.integers(-300, 300))
def test_no_later_ranking_chooses_but_the_first_one_on_its_own_day(stores: Stores, begin: int) -> None:
    close = START + begin * HOUR
    known = [u for u in universes_between(stores, close, close + 40 * DAY) if u.taken_at <= close]
    same_day = [u for u in stores.markets.on([day_of(close)]) if u.taken_at > close]
    chosen = scanned_symbols([*known, *same_day], CHANNEL, close)
    assert scanned_symbols(universes_between(stores, close, close + 40 * DAY), CHANNEL, close) == chosen


def test_the_last_ranking_serves_while_its_markets_are_collected_and_no_longer() -> None:
    stores = with_rankings(ranked(0, 847, "AB"))
    last = START + FOLLOW_FOR + DAY - 1
    assert scanned_symbols(universes_between(stores, last, last), CHANNEL, last) == ("A/USDT", "B/USDT")
    assert scanned_symbols(universes_between(stores, last + 1, last + 1), CHANNEL, last + 1) == ()
    assert stretches(
        universes_between(stores, START + 20 * DAY, last + DAY), CHANNEL, START + 20 * DAY, last + DAY
    ) == [
        (START + 20 * DAY, last, ("A/USDT", "B/USDT")),
        (last + 1, last + DAY, ()),
    ]


def test_a_channel_with_symbols_of_its_own_is_never_cut() -> None:
    own = replace(CHANNEL, symbols=("Z/USDT",))
    universes = [ranked(day, 60, "AB"[day % 2]) for day in range(5)]
    assert stretches(universes, own, START, START + 5 * DAY) == [(START, START + 5 * DAY, ("Z/USDT",))]


def test_days_with_the_same_ranking_are_one_stretch() -> None:
    universes = [ranked(day, 60, "AB") for day in range(5)]
    assert len(stretches(universes, CHANNEL, START, START + 5 * DAY)) == 1
