"""Each vote of the smart-money scanner, by hand, on both sides."""

from math import sqrt

import numpy as np
import pytest

from plumbline.domain.scanners import SCANNERS
from tests.builders import a_configuration, a_scene

SMART_MONEY = SCANNERS["smart_money"]
NAN = float("nan")
USUAL_DAY = sqrt(24)
"""How far a market with an ATR of 1 wanders in 24 candles."""


def vote(indicator: str, **values: float) -> float:
    cast = SMART_MONEY.votes(a_configuration(), a_scene(**values))
    return cast[indicator].item()


@pytest.mark.parametrize(
    ("flow", "expected"),
    [(0.6, 1), (0.25, 1), (0.125, 0.5), (0, 0), (-0.125, -0.5), (-0.25, -1), (-0.6, -1), (NAN, NAN)],
)
def test_money_flow_counts_in_full_from_a_quarter_of_all_volume(flow: float, expected: float) -> None:
    assert vote("money_flow", money_flow=flow) == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize(
    ("flow", "moved", "expected"),
    [
        (0.25, 0.0, 1),  # volume came in, the price stood
        (0.25, 0.5, 0.5),  # half of the usual day's move is done
        (0.25, 1.0, 0),
        (0.25, 3.0, 0),
        (0.25, -2.0, 1),  # it even fell
        (0.125, 0.0, 0.5),
        (-0.25, 0.0, -1),
        (-0.25, -0.5, -0.5),
        (-0.25, -1.0, 0),
        (-0.25, 2.0, -1),
        (0.0, 0.0, 0),
        (NAN, 0.0, NAN),
    ],
)
def test_accumulation_is_the_flow_that_the_price_has_not_followed(flow: float, moved: float, expected: float) -> None:
    scene = {"money_flow": flow, "close": 100.0 + moved * USUAL_DAY, "close_day": 100.0, "atr": 1.0}
    assert vote("accumulation", **scene) == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize("missing", ["atr", "close_day", "money_flow"])
def test_accumulation_is_silent_where_a_part_of_it_is_missing(missing: str) -> None:
    scene = {"money_flow": 0.25, "close": 100.0, "close_day": 100.0, "atr": 1.0}
    assert np.isnan(vote("accumulation", **scene | {missing: NAN}))
    assert np.isnan(vote("accumulation", **scene | {"atr": 0.0}))


#          open   close  volume ratio  vote
ABSORBED = [
    (108.0, 105.0, 2.0, 0.5),  # fell, yet closed three quarters up its range: somebody bought
    (108.0, 105.0, 1.5, 0.25),
    (108.0, 105.0, 5.0, 0.5),
    (108.0, 105.0, 1.0, 0.0),  # nothing unusual
    (92.0, 95.0, 2.0, -0.5),  # rose, yet closed near its low: somebody sold
    (92.0, 105.0, 2.0, 0.0),  # rose and closed high: nothing was met
    (108.0, 95.0, 2.0, 0.0),
    (105.0, 105.0, 2.0, 0.5),  # no body at all
    (100.0, 100.0, 2.0, 0.0),
    (108.0, 105.0, NAN, NAN),
]


@pytest.mark.parametrize(("open_", "close", "ratio", "expected"), ABSORBED)
def test_a_busy_candle_that_closes_against_its_own_body_was_absorbed(
    open_: float, close: float, ratio: float, expected: float
) -> None:
    scene = {"high": 110.0, "low": 90.0, "close": close, "body": close - open_, "volume_ratio": ratio}
    assert vote("absorption", **scene) == pytest.approx(expected, nan_ok=True)


def test_a_candle_without_a_range_absorbs_nothing() -> None:
    assert vote("absorption", high=100.0, low=100.0, close=100.0, body=0.0, volume_ratio=9.0) == 0


@pytest.mark.parametrize(
    ("flow", "word", "direction"),
    [(0.31, "accumulation", "volume flows in"), (-0.31, "distribution", "volume flows out")],
)
def test_what_was_seen_is_told_in_the_words_of_its_side(flow: float, word: str, direction: str) -> None:
    scene = a_scene(money_flow=flow, volume_ratio=2.44)
    side = 1.0 if flow > 0 else -1.0
    told = SMART_MONEY.tell(
        a_configuration(), scene, {"money_flow": side, "accumulation": side, "absorption": 0.5 * side}
    )
    assert told == {
        "money_flow": f"money flow {flow:+.2f} over 20 candles",
        "accumulation": f"{word}: {direction}, the price has not followed",
        "absorption": "a candle of 2.4 times the usual volume was absorbed",
    }
