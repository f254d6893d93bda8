"""The unified score, counted by hand."""

import numpy as np
import pytest

from plumbline.domain.scores import Scores, found, score
from plumbline.domain.strategies import Configuration
from tests.builders import a_configuration, a_scene

BUY, HOLD, SELL = 1, 0, -1
NAN = float("nan")

# RSI at its threshold and a MACD cross: 30 and 30 of the technical scanner's 100 points.
TECHNICAL_60 = {"rsi": 70.0, "macd_hist": 1.0, "macd_hist_prev": -1.0}
TECHNICAL_SELL_60 = {"rsi": 30.0, "macd_hist": -1.0, "macd_hist_prev": 1.0}
# A quarter of the volume flowed out, the price stood: 40 and 40 points of smart money's 100.
SMART_SELL_80 = {"money_flow": -0.25, "close_day": 100.0}
SMART_BUY_80 = {"money_flow": 0.25, "close_day": 100.0}
MARKET = {"close": 100.0, "atr": 2.0}
MODEL_BUY_70, MODEL_SELL_70 = [0.2, 0.7, 0.1], [0.2, 0.1, 0.7]


def weighed(technical: float = 50, smart_money: float = 25, model: float = 25, **changes: object) -> Configuration:
    weights = {"technical": technical, "smart_money": smart_money, "model": model}
    return a_configuration(scanner_weights=weights, **changes)


def scored(configuration: Configuration, values: dict[str, float], opinion: list[float] | None = None) -> Scores:
    return score(configuration, a_scene(None if opinion is None else [opinion], **MARKET | values))


def figures(scores: Scores) -> tuple[float, float, int]:
    return round(scores.buy.item(), 6), round(scores.sell.item(), 6), scores.side.item()


def test_the_unified_score_is_the_weighted_mean_of_the_scanners_that_agree() -> None:
    scores = scored(weighed(), TECHNICAL_60, MODEL_BUY_70)
    assert figures(scores) == (round((50 * 60 + 25 * 70) / 75, 6), 0, BUY)
    scores = scored(weighed(), TECHNICAL_60 | SMART_BUY_80, MODEL_BUY_70)
    assert figures(scores) == (round((50 * 60 + 25 * 80 + 25 * 70) / 100, 6), 0, BUY)


def test_the_same_upside_down() -> None:
    scores = scored(weighed(), TECHNICAL_SELL_60, MODEL_SELL_70)
    assert figures(scores) == (0, round((50 * 60 + 25 * 70) / 75, 6), SELL)


def test_a_scanner_alone_is_not_thinned_by_those_that_found_nothing() -> None:
    assert figures(scored(weighed(), TECHNICAL_60)) == (60, 0, BUY)


def test_where_scanners_disagree_the_heavier_side_leads_with_its_own_score() -> None:
    assert figures(scored(weighed(), TECHNICAL_60 | SMART_SELL_80)) == (60, 80, BUY)  # 50 × 60 against 25 × 80
    assert figures(scored(weighed(technical=30), TECHNICAL_60 | SMART_SELL_80)) == (60, 80, SELL)  # 1800 against 2000


def test_as_much_for_one_side_as_for_the_other_is_nothing() -> None:
    even = weighed(technical=40, smart_money=30)
    assert figures(scored(even, TECHNICAL_60 | SMART_SELL_80)) == (60, 80, HOLD)
    assert figures(scored(even, TECHNICAL_SELL_60 | SMART_BUY_80)) == (80, 60, HOLD)


@pytest.mark.parametrize(("target", "side"), [(59.9, BUY), (60.0, BUY), (60.1, HOLD)])
def test_a_scanner_has_found_something_from_its_target_on(target: float, side: int) -> None:
    assert scored(weighed(score_buy_target=target), TECHNICAL_60).side.item() == side
    assert scored(weighed(score_sell_target=target), TECHNICAL_SELL_60).side.item() == -side


def test_each_side_has_its_own_target() -> None:
    picky = weighed(score_buy_target=61.0, score_sell_target=60.0)
    assert scored(picky, TECHNICAL_60).side.item() == HOLD
    assert scored(picky, TECHNICAL_SELL_60).side.item() == SELL


def test_a_scanner_that_says_as_much_for_both_sides_has_found_nothing() -> None:
    torn = weighed(score_buy_target=30.0, score_sell_target=30.0)
    scores = scored(torn, {"rsi": 70.0, "macd_hist": -1.0, "macd_hist_prev": 1.0})
    reading = scores.readings["technical"]
    assert (reading.buy.item(), reading.sell.item()) == (30, 30)
    assert not found(torn, reading, BUY).item()
    assert not found(torn, reading, SELL).item()
    assert figures(scores) == (0, 0, HOLD)


def test_a_scanner_that_is_not_named_or_has_no_weight_is_never_asked() -> None:
    only = a_configuration(scanner_weights={"technical": 1.0, "smart_money": 0.0})
    scores = scored(only, TECHNICAL_60 | SMART_SELL_80, MODEL_SELL_70)
    assert set(scores.readings) == {"technical"}
    assert figures(scores) == (60, 0, BUY)


def test_required_indicators_are_those_of_agreeing_scanners_with_a_weight() -> None:
    everything = TECHNICAL_60 | SMART_BUY_80
    assert scored(weighed(), everything, MODEL_BUY_70).fired.item() == 5
    assert scored(weighed(min_indicators_required=5), everything, MODEL_BUY_70).side.item() == BUY
    assert scored(weighed(min_indicators_required=6), everything, MODEL_BUY_70).side.item() == HOLD
    weightless = weighed(indicator_weights={"rsi": 1.0, "macd": 0.0})
    assert scored(weightless, everything, MODEL_BUY_70).fired.item() == 4


def test_an_indicator_of_a_scanner_that_found_nothing_does_not_count() -> None:
    alone = {"rsi": 70.0}  # 30 points: below the target, though the RSI itself fired
    scores = scored(weighed(), alone | SMART_BUY_80)
    assert (scores.fired.item(), scores.side.item()) == (2, BUY)


def test_indicators_of_the_other_side_do_not_count() -> None:
    scores = scored(weighed(), TECHNICAL_60 | SMART_SELL_80)
    assert scores.fired.item() == 2


@pytest.mark.parametrize(("ratio", "fired"), [(1.49, 2), (1.5, 3)])
def test_an_indicator_fires_from_half_of_its_strength(ratio: float, fired: int) -> None:
    scores = scored(weighed(), TECHNICAL_60 | {"body": 1.0, "volume_ratio": ratio})
    assert scores.fired.item() == fired


def test_what_cannot_be_said_counts_as_nothing_said() -> None:
    scores = scored(weighed(), {}, [NAN, NAN, NAN])
    assert figures(scores) == (0, 0, HOLD)
    assert scores.readings["technical"].votes["rsi"].item() == 0


def test_every_market_and_candle_is_scored_by_itself() -> None:
    values = {name: [value, TECHNICAL_SELL_60[name], NAN] for name, value in TECHNICAL_60.items()}
    scores = score(weighed(), a_scene(**MARKET | values))
    np.testing.assert_array_equal(scores.side, [[BUY], [SELL], [HOLD]])
    np.testing.assert_allclose(scores.buy, [[60], [0], [0]])
    one = scores.part(slice(1, 2), slice(0, 1))
    assert figures(one) == (0, 60, SELL)
    assert one.readings["technical"].sell.item() == pytest.approx(60)
