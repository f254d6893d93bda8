"""The multi-factor scanner: ranks among markets that a person can count."""

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plumbline.domain.features import Features
from plumbline.domain.scanners import SCANNERS, Scene
from plumbline.domain.scanners.mss import LEAST
from tests.builders import a_configuration, a_scene

MSS = SCANNERS["mss"]
NAN = float("nan")
CHANNEL = {"channel_high": 110.0, "channel_low": 90.0}


def cast(**values: float | list[float]) -> dict[str, list[float]]:
    votes = MSS.votes(a_configuration(), a_scene(**({"atr": 1.0, "close_day": 100.0} | CHANNEL | values)))
    return {name: [round(value, 9) for value in vote[:, 0].tolist()] for name, vote in votes.items()}


def test_the_days_strongest_market_ranks_first_and_its_weakest_last() -> None:
    assert cast(close=[103, 101, 105, 102, 104])["relative_strength"] == [0, -1, 1, -0.5, 0.5]


def test_a_return_counts_in_units_of_the_markets_own_range() -> None:
    assert cast(close=[101, 102, 103, 104, 105], atr=[0.01, 1, 1, 1, 1])["relative_strength"] == [1, -1, -0.5, 0, 0.5]


def test_equal_returns_share_their_mean_rank() -> None:
    assert cast(close=[101, 103, 103, 103, 105])["relative_strength"] == [-1, 0, 0, 0, 1]
    assert cast(close=[101, 101, 103, 104, 105])["relative_strength"] == [-0.75, -0.75, 0, 0.5, 1]
    assert cast(close=[101] * 6)["relative_strength"] == [0] * 6


def test_a_market_without_a_return_neither_votes_nor_counts_as_company() -> None:
    votes = cast(close=[103, NAN, 101, 105, 102, 104], body=1.0, volume_ratio=[1, 9, 2, 3, 4, 5])
    assert votes["relative_strength"][2:] == [-1, 1, -0.5, 0.5]
    assert [np.isnan(vote[1]) for vote in votes.values()] == [True] * 3


@pytest.mark.parametrize(
    "close", [[101.0], [101.0, 102.0, 103.0, 104.0], [101.0, 102.0, 103.0, 104.0, NAN]], ids=["one", "four", "one away"]
)
def test_with_fewer_markets_than_it_takes_no_factor_votes(close: list[float]) -> None:
    assert np.sum(np.isfinite(close)) < LEAST
    for vote in cast(close=close, body=1.0, volume_ratio=2.0).values():
        assert np.isnan(vote).all()


def test_a_market_that_stands_still_has_no_rank() -> None:
    assert np.isnan(cast(close=[101, 102, 103, 104, 105, 106], atr=[0, 1, 1, 1, 1, 1])["relative_strength"][0])


def test_structure_is_the_place_in_the_channel_and_all_of_it_beyond() -> None:
    assert cast(close=[120, 110, 105, 100, 95, 90, 80])["structure"] == [1, 1, 0.5, 0, -0.5, -1, -1]


def test_a_channel_without_height_has_no_places() -> None:
    assert np.isnan(cast(close=[101, 102, 103, 104, 105], channel_high=100.0, channel_low=100.0)["structure"]).all()


def test_participation_is_the_upper_half_of_the_volume_ranks_on_the_side_of_the_candle() -> None:
    votes = cast(close=[101, 102, 103, 104, 105], volume_ratio=[5, 4, 3, 2, 1], body=[1, -1, 1, 1, -1])
    assert votes["participation"] == [1, -0.5, 0, 0, 0]


returns = st.lists(st.integers(-50, 50) | st.just(None), min_size=1, max_size=12)


@given(returns, st.randoms(use_true_random=False))
def test_the_order_of_the_markets_does_not_matter(given_: list[int | None], random: Random) -> None:
    order = [*range(len(given_))]
    random.shuffle(order)
    close = np.array([NAN if value is None else 100.0 + value for value in given_])
    straight = np.array(cast(close=close.tolist())["relative_strength"])
    shuffled = np.array(cast(close=close[order].tolist())["relative_strength"])
    np.testing.assert_array_equal(straight[order], shuffled)


@given(returns)
def test_a_rank_is_the_markets_below_less_those_above_over_all_others(given_: list[int | None]) -> None:
    known = [value for value in given_ if value is not None]
    found = cast(close=[NAN if value is None else 100.0 + value for value in given_])["relative_strength"]
    for value, rank in zip(given_, found, strict=True):
        if value is None or len(known) < LEAST:
            assert np.isnan(rank)
        else:
            below, above = sum(other < value for other in known), sum(other > value for other in known)
            assert rank == pytest.approx((below - above) / (len(known) - 1))


def test_each_candle_ranks_by_itself() -> None:
    one = a_scene(atr=1.0, close_day=100.0, close=[101, 102, 103, 104, 105], **CHANNEL).features
    other = a_scene(atr=1.0, close_day=100.0, close=[105, 104, 103, 102, 101], **CHANNEL).features
    both = Features(*(np.hstack((getattr(one, n), getattr(other, n))) for n in Features.__slots__))
    together = MSS.votes(a_configuration(), Scene(both))["relative_strength"]
    assert together.T.tolist() == [[-1, -0.5, 0, 0.5, 1], [1, 0.5, 0, -0.5, -1]]


@pytest.mark.parametrize(
    ("close", "vote", "sentences"),
    [
        (
            111.0,
            0.5,
            {
                "relative_strength": "stronger than 75 % of the scanned markets over 24 candles",
                "structure": "close above its channel of 20 candles",
                "participation": "volume against its usual higher than in 75 % of the scanned markets",
            },
        ),
        (
            89.0,
            -1.0,
            {
                "relative_strength": "weaker than 100 % of the scanned markets over 24 candles",
                "structure": "close below its channel of 20 candles",
                "participation": "volume against its usual higher than in 100 % of the scanned markets",
            },
        ),
        (105.0, 0.5, {"structure": "close above the middle of its channel"}),
        (95.0, -0.5, {"structure": "close below the middle of its channel"}),
    ],
)
def test_what_was_seen_is_told_in_the_words_of_its_side(close: float, vote: float, sentences: dict[str, str]) -> None:
    scene = a_scene(close=close, **CHANNEL)
    assert MSS.tell(a_configuration(), scene, dict.fromkeys(sentences, vote)) == sentences
