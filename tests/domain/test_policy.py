"""What the policy is shown and asked, and how its answers are taken."""

import numpy as np
import pytest

from plumbline.domain.calendar import HOUR
from plumbline.domain.candles import Floats
from plumbline.domain.features import Features
from plumbline.domain.policy import ACTIONS, FEATURES, MIRRORED, WINDOW, Windows, expected_value, inputs, opinions
from tests.builders import NOON, a_scene, a_universe, mirrored, scaled
from tests.fakes import FakePolicy

GRID = np.arange(NOON - 90 * HOUR, NOON, HOUR)
UNIVERSE = a_universe()

# One candle in which every input can be counted by hand; the ATR is 2.
CANDLE = {
    "atr": 2.0,
    "close": 103.0,
    "close_prev": 102.0,  # 1 up: half an ATR
    "close_day": 103.0 - 2 * np.sqrt(24),  # a usual day's move up
    "body": 3.0,
    "high": 104.0,
    "low": 100.0,  # closed three quarters up a range of two ATR
    "rsi": 75.0,
    "macd": -1.0,
    "macd_hist": 0.5,
    "bb_upper": 107.0,
    "bb_middle": 103.0,
    "bb_lower": 99.0,  # in the middle of bands one unit of 4 ATR wide
    "slow_average": 103.0 - 2 * np.sqrt(100),
    "channel_high": 103.0,
    "channel_low": 103.0 - 2 * np.sqrt(20),
    "money_flow": -0.2,
    "volume_ratio": 3.0,
}
BY_HAND = {
    "return_1": 0.5,
    "return_24": 1.0,
    "body": 1.5,
    "close_location": 0.5,
    "range": 1.0,
    "rsi": 0.5,
    "macd": -0.5,
    "macd_hist": 0.25,
    "percent_b": 0.0,
    "band_width": 0.0,
    "trend": 1.0,
    "channel": 1.0,
    "money_flow": -0.2,
    "volume": 0.25,
}


class Scripted(FakePolicy):
    """Answers always the same, and keeps what it was shown."""

    def __init__(self, *chances: float) -> None:
        super().__init__()
        self.chances = chances
        self.shown: list[Windows] = []

    def probabilities(self, windows: Windows) -> Floats:
        self.shown.append(windows.copy())
        return np.tile(np.array(self.chances), (len(windows), 1))


def a_series(markets: int, candles: int) -> Windows:
    return np.random.default_rng(3).normal(size=(markets, candles, len(FEATURES))).astype(np.float32)


def test_the_inputs_are_the_named_ones_in_their_order() -> None:
    assert tuple(BY_HAND) == FEATURES
    shown = inputs(a_scene(**CANDLE).features)
    assert shown.dtype == np.float32
    assert shown.shape == (1, 1, len(FEATURES))
    assert dict(zip(FEATURES, shown[0, 0].tolist(), strict=True)) == pytest.approx(BY_HAND, abs=1e-6)


def test_an_accident_of_the_data_is_cut_in_either_direction() -> None:
    spike = inputs(a_scene(**CANDLE | {"close_prev": 1.0, "macd": -1_000.0}).features)[0, 0]
    assert spike[FEATURES.index("return_1")] == 8
    assert spike[FEATURES.index("macd")] == -8


@pytest.mark.parametrize("atr", [0.0, 1e-12, float("nan")])
def test_a_market_that_stands_still_has_no_inputs_in_units_of_its_range(atr: float) -> None:
    shown = dict(zip(FEATURES, inputs(a_scene(**CANDLE | {"atr": atr}).features)[0, 0].tolist(), strict=True))
    assert [name for name, value in shown.items() if np.isfinite(value)] == [
        "close_location",
        "rsi",
        "percent_b",
        "money_flow",
        "volume",
    ]


def test_the_inputs_of_a_market_upside_down_are_mirrored_as_they_say() -> None:
    straight = inputs(Features.of(UNIVERSE, GRID))
    upside_down = inputs(Features.of([mirrored(window) for window in UNIVERSE], GRID))
    signs = np.where(MIRRORED, -1, 1)
    assert len(MIRRORED) == len(FEATURES)
    np.testing.assert_allclose(upside_down, signs * straight, atol=2e-5)
    assert (np.nanmax(straight, axis=(0, 1)) > 0.1).all()


@pytest.mark.parametrize(("price", "volume"), [(1_000.0, 1.0), (1e-9, 1_000.0)])
def test_the_units_of_price_and_volume_do_not_show(price: float, volume: float) -> None:
    other = [scaled(window, price=price, volume=volume) for window in UNIVERSE]
    np.testing.assert_allclose(inputs(Features.of(other, GRID)), inputs(Features.of(UNIVERSE, GRID)), atol=1e-5)


def test_a_window_holds_the_candles_up_to_the_one_decided_on_oldest_first() -> None:
    policy, values = Scripted(0.2, 0.5, 0.3), a_series(2, WINDOW + 2)
    answer = opinions(policy, values, np.ones((2, 3), dtype=bool))
    assert answer.shape == (2, 3, len(ACTIONS))
    (shown,) = policy.shown
    assert shown.dtype == np.float32
    assert shown.flags.c_contiguous
    for k, (market, candle) in enumerate(np.ndindex(2, 3)):
        np.testing.assert_array_equal(shown[k], values[market, candle : candle + WINDOW])


def test_answers_are_taken_to_four_decimals() -> None:
    answer = opinions(Scripted(0.123449, 0.649951, 0.2266), a_series(1, WINDOW), np.ones((1, 1), dtype=bool))
    assert answer[0, 0].tolist() == [0.1234, 0.65, 0.2266]


def test_only_what_is_wanted_is_asked() -> None:
    policy, wanted = Scripted(0.2, 0.5, 0.3), np.array([[False, True, False], [False, False, True]])
    values = a_series(2, WINDOW + 2)
    answer = opinions(policy, values, wanted)
    np.testing.assert_array_equal(np.isfinite(answer).all(axis=2), wanted)
    np.testing.assert_array_equal(policy.shown[0], [values[0, 1 : 1 + WINDOW], values[1, 2 : 2 + WINDOW]])


def test_nobody_is_asked_where_nothing_is_wanted() -> None:
    policy = Scripted(0.2, 0.5, 0.3)
    assert np.isnan(opinions(policy, a_series(1, WINDOW), np.zeros((1, 1), dtype=bool))).all()
    assert not policy.shown


@pytest.mark.parametrize("gone", [0, 5, WINDOW - 1])
def test_a_window_with_a_value_missing_has_no_opinion(gone: int) -> None:
    values = a_series(1, WINDOW + 40)
    values[0, gone, 3] = np.nan
    answer = opinions(Scripted(0.2, 0.5, 0.3), values, np.ones((1, 41), dtype=bool))
    np.testing.assert_array_equal(np.isnan(answer[0, :, 0]), np.arange(41) <= gone)
    assert np.isnan(answer).all(axis=2).sum() == np.isnan(answer).any(axis=2).sum() == gone + 1


def test_a_large_batch_is_split_and_answers_the_same() -> None:
    values, policy = a_series(3, WINDOW + 2_999), FakePolicy()
    sizes: list[int] = []

    class Counting(FakePolicy):
        def probabilities(self, windows: Windows) -> Floats:
            sizes.append(len(windows))
            return super().probabilities(windows)

    together = opinions(Counting(), values, np.ones((3, 3_000), dtype=bool))
    assert sizes == [8_192, 808]
    apart = np.stack([opinions(policy, row[None], np.ones((1, 3_000), dtype=bool))[0] for row in values])
    np.testing.assert_array_equal(together, apart)


@pytest.mark.parametrize(
    ("probability", "reward", "cost", "expected"),
    [
        (0.4, 1.5, 0.0, 0.0),
        (0.65, 1.5, 0.0, 0.625),
        (0.65, 1.5, 0.2, 0.425),
        (0.0, 3.0, 0.1, -1.1),
        (1.0, 2.0, 0.5, 1.5),
    ],
)
def test_the_expected_value_is_the_wins_less_the_stops_less_the_costs(
    probability: float, reward: float, cost: float, expected: float
) -> None:
    assert expected_value(np.array([probability]), reward, np.array([cost])).item() == pytest.approx(expected)
