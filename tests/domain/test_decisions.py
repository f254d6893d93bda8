"""From candles to a decision. The windows are random walks with a hand-made ending."""

from dataclasses import fields, replace
from decimal import Decimal
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plumbline.domain.calendar import HOUR
from plumbline.domain.candles import Candles, Floats
from plumbline.domain.decisions import Decision, decide, decide_all, decide_snapshot, levels
from plumbline.domain.errors import InvalidInput
from plumbline.domain.features import Features
from plumbline.domain.policy import Windows
from plumbline.domain.signals import Action, Tier
from plumbline.domain.strategies import INDICATORS, Configuration
from plumbline.domain.windows import WARM_UP
from tests.builders import a_configuration, random_walk
from tests.fakes import FakePolicy

OVERSOLD = {"close": 90.0, "rsi": 25.0, "bb_upper": 110.0, "bb_middle": 100.0, "bb_lower": 91.0, "atr": 2.0}


def reversion(**changes: object) -> Configuration:
    return a_configuration(strategy="reversion-beta", strategy_type="mean_reversion", **changes)


def all_of(configuration: Configuration, candles: Candles) -> list[Decision]:
    """Every decision of a market on its own."""
    first, last = (int(candles.open_time[k]) + HOUR for k in (0, -1))
    return [decision for _, decision in decide_all(configuration, [candles], first, last, FakePolicy())]


def test_too_short_a_history_is_a_hold_that_says_how_much_is_missing() -> None:
    decision = decide(a_configuration(), random_walk("1h", 120))
    assert decision.action is Action.HOLD
    assert decision.reasoning == (f"not enough history: 120 of {WARM_UP} candles",)
    assert not all_of(a_configuration(), random_walk("1h", WARM_UP - 1))


def test_an_oversold_market_below_its_band_is_bought_by_mean_reversion_with_its_reasons() -> None:
    decision = decide_snapshot(reversion(score_buy_target=50.0), OVERSOLD)
    assert decision.action is Action.BUY
    assert decision.unified_score == 50.0  # RSI 30 and Bollinger 20 of 100 points
    assert decision.tier is Tier.NEUTRAL
    assert decision.confidence == 0.5
    assert decision.indicator_breakdown == {"rsi": 30.0, "macd": 0.0, "bollinger": 20.0, "volume": 0.0}
    assert decision.indicators_fired == ("rsi", "bollinger")
    assert decision.reasoning == ("RSI oversold (25.0)", "close below the lower Bollinger band")


def test_the_same_market_mirrored_is_sold() -> None:
    mirrored = OVERSOLD | {"close": 111.0, "rsi": 75.0}
    decision = decide_snapshot(reversion(score_sell_target=50.0), mirrored)
    assert decision.action is Action.SELL
    assert decision.unified_score == 50.0
    assert decision.reasoning == ("RSI overbought (75.0)", "close above the upper Bollinger band")


def test_momentum_buys_what_mean_reversion_sells() -> None:
    strong = {"close": 111.0, "rsi": 72.0, "macd": 2.0, "macd_signal": 1.0, "bb_upper": 110.0, "bb_lower": 90.0}
    assert decide_snapshot(a_configuration(), strong).action is Action.BUY
    assert decide_snapshot(reversion(score_sell_target=50.0), strong).action is Action.SELL


def test_a_macd_cross_counts_more_than_a_histogram_that_only_grows() -> None:
    crossed = decide_snapshot(a_configuration(), {"close": 1.0, "macd_hist": 1.0, "macd_hist_prev": -1.0})
    grown = decide_snapshot(a_configuration(), {"close": 1.0, "macd_hist": 1.0, "macd_hist_prev": 0.5})
    faded = decide_snapshot(a_configuration(), {"close": 1.0, "macd_hist": 0.5, "macd_hist_prev": 1.0})
    assert crossed.unified_score > grown.unified_score > faded.unified_score > 0


def test_stop_and_target_stand_by_the_atr_on_the_right_side_of_the_entry() -> None:
    long = levels(a_configuration(), Action.BUY, 100.0, 2.0)
    short = levels(a_configuration(), Action.SELL, 100.0, 2.0)
    assert (long.stop_loss, long.take_profit) == (Decimal(96), Decimal(106))
    assert (short.stop_loss, short.take_profit) == (Decimal(104), Decimal(94))
    assert (long.position_size, long.risk_reward_ratio) == (Decimal("0.02"), Decimal("1.5"))


@pytest.mark.parametrize("atr", [0.0, float("nan"), 60.0])
def test_no_levels_are_better_than_impossible_ones(atr: float) -> None:
    assert levels(a_configuration(), Action.BUY, 100.0, atr).stop_loss is None


def test_fewer_indicators_than_required_is_a_hold_that_says_so() -> None:
    decision = decide_snapshot(reversion(score_buy_target=20.0, min_indicators_required=3), OVERSOLD)
    assert decision.action is Action.HOLD
    assert decision.reasoning == ("2 of 3 required indicators fired",)


def test_a_score_under_its_target_is_a_hold_that_shows_both() -> None:
    decision = decide_snapshot(reversion(score_buy_target=50.01), OVERSOLD)
    assert decision.action is Action.HOLD
    assert decision.reasoning == ("score 50.0 for BUY (from 50.01), 0.0 for SELL (from 55)",)


def test_an_indicator_without_weight_neither_scores_nor_counts() -> None:
    only_rsi = reversion(score_buy_target=50.0, indicator_weights={"rsi": 1.0, "bollinger": 0.0})
    assert decide_snapshot(only_rsi, OVERSOLD).reasoning == ("1 of 2 required indicators fired",)
    alone = replace(only_rsi, min_indicators_required=1)
    assert decide_snapshot(alone, OVERSOLD).unified_score == 100.0


TWO_MINDED = {"rsi": 70.0, "macd_hist": 1.0, "macd_hist_prev": -1.0, "money_flow": -0.25}
TWO_MINDED |= {"close": 100.0, "close_day": 100.0, "atr": 2.0}
"""60 points for BUY by the technical scanner, 80 for SELL by smart money."""


def test_a_scanner_that_disagrees_is_told_last_and_adds_no_points() -> None:
    decision = decide_snapshot(a_configuration(), TWO_MINDED)
    assert (decision.action, decision.unified_score, decision.scanner) == (Action.BUY, 60.0, "technical")
    assert decision.reasoning == ("RSI overbought (70.0)", "MACD bullish cross", "smart_money disagrees: SELL 80")
    assert decision.indicator_breakdown == {"rsi": 30.0, "macd": 30.0, "bollinger": 0.0, "volume": 0.0}


def test_a_vote_against_the_decision_costs_points_of_its_own_and_is_no_reason_for_it() -> None:
    decision = decide_snapshot(a_configuration(), TWO_MINDED | {"money_flow": 0.0, "body": -1.0, "volume_ratio": 2.0})
    assert decision.action is Action.BUY
    assert decision.indicator_breakdown["volume"] == -20.0
    assert decision.reasoning == ("RSI overbought (70.0)", "MACD bullish cross")


def test_the_other_way_round_the_technical_scanner_disagrees() -> None:
    heavy = a_configuration(scanner_weights={"technical": 25.0, "smart_money": 75.0})
    decision = decide_snapshot(heavy, TWO_MINDED)
    assert (decision.action, decision.unified_score, decision.scanner) == (Action.SELL, 80.0, "smart_money")
    assert decision.reasoning[-1] == "technical disagrees: BUY 60"
    assert decision.indicator_breakdown == {"money_flow": -40.0, "accumulation": -40.0, "absorption": 0.0}
    assert (decision.levels.stop_loss, decision.levels.take_profit) == (Decimal(104), Decimal(94))


def test_as_much_for_one_side_as_for_the_other_is_a_hold_that_says_so() -> None:
    even = a_configuration(scanner_weights={"technical": 40.0, "smart_money": 30.0})
    decision = decide_snapshot(even, TWO_MINDED)
    assert decision.action is Action.HOLD
    assert decision.reasoning == ("as much speaks for BUY as for SELL",)


def test_the_points_of_all_agreeing_indicators_add_up_to_the_score() -> None:
    agreed = TWO_MINDED | {"money_flow": 0.25, "body": 1.0, "volume_ratio": 1.75}
    decision = decide_snapshot(a_configuration(), agreed)
    assert sum(decision.indicator_breakdown.values()) == pytest.approx(decision.unified_score, abs=0.05)
    assert set(decision.indicator_breakdown) == {*INDICATORS, "money_flow", "accumulation", "absorption"}
    assert decision.indicators_fired == ("rsi", "macd", "volume", "money_flow", "accumulation")
    assert decision.reasoning == (
        "RSI overbought (70.0)",
        "MACD bullish cross",
        "volume 1.8 times its average",
        "money flow +0.25 over 20 candles",
        "accumulation: volume flows in, the price has not followed",
    )


def by_the_policy(*chances: float, **changes: object) -> Decision:
    """Decision at the end of a random walk by a policy that always says the same."""
    weights: dict[str, object] = {"scanner_weights": {"model": 1.0}, "min_indicators_required": 1, "cooldown_bars": 0}
    return decide(a_configuration(**weights | changes), random_walk("1h", 500), Constant(chances))


class Constant(FakePolicy):
    def __init__(self, chances: tuple[float, ...]) -> None:
        super().__init__()
        self.chances = chances

    def probabilities(self, windows: Windows) -> Floats:
        return np.tile(np.array(self.chances), (len(windows), 1))


@pytest.mark.parametrize(("chances", "action"), [((0.2, 0.7, 0.1), Action.BUY), ((0.2, 0.1, 0.7), Action.SELL)])
def test_where_the_model_leads_the_confidence_is_its_probability(
    chances: tuple[float, float, float], action: Action
) -> None:
    decision = by_the_policy(*chances)
    assert (decision.action, decision.scanner, decision.opinion) == (action, "model", chances)
    assert (decision.confidence, decision.unified_score, decision.tier) == (0.7, 70.0, Tier.STRONG_BUY)
    assert decision.reasoning[0].startswith(f"policy: HOLD 0.20, BUY {chances[1]:.2f}, SELL {chances[2]:.2f}; expected")
    candles = random_walk("1h", 500)
    assert decision.entry_price == Decimal(str(candles.close[-1]))
    assert decision.candle_close == int(candles.open_time[-1]) + HOUR
    assert decision.levels.stop_loss is not None
    assert (decision.levels.stop_loss < decision.entry_price) is (action is Action.BUY)


def test_where_the_rules_lead_the_confidence_is_the_score() -> None:
    found = all_of(a_configuration(score_buy_target=40.0, score_sell_target=40.0), random_walk("1h", 960))
    rules = [decision for decision in found if decision.scanner != "model"]
    assert {decision.scanner for decision in found} == {"technical", "smart_money", "model"}
    assert all(decision.opinion for decision in found)
    assert all(decision.confidence == round(decision.unified_score / 100, 4) for decision in rules)
    led = [decision for decision in found if decision.scanner == "model"]
    assert all(decision.confidence == max((decision.opinion or ())[1:]) for decision in led)


def test_a_policy_that_holds_is_a_hold_that_shows_its_opinion() -> None:
    decision = by_the_policy(0.8, 0.15, 0.05)
    assert (decision.action, decision.opinion, decision.scanner) == (Action.HOLD, (0.8, 0.15, 0.05), "")
    assert decision.reasoning == (
        "score 0.0 for BUY (from 55), 0.0 for SELL (from 55)",
        "policy: HOLD is likeliest (0.80)",
    )


def test_a_condition_that_lasts_under_the_policy_fires_once() -> None:
    candles = random_walk("1h", 480)
    lasting = a_configuration(scanner_weights={"model": 1.0}, min_indicators_required=1)
    last = int(candles.open_time[-1]) + HOUR
    found = list(decide_all(lasting, [candles], last - 70 * HOUR, last, Constant((0.2, 0.7, 0.1))))
    assert [decision.candle_close for _, decision in found] == []
    first = int(candles.open_time[WARM_UP - 1]) + HOUR
    found = list(decide_all(lasting, [candles], first, last, Constant((0.2, 0.7, 0.1))))
    assert [decision.candle_close for _, decision in found] == [first]


def test_without_a_policy_a_configuration_that_asks_only_it_finds_nothing() -> None:
    decision = decide(a_configuration(scanner_weights={"model": 1.0}), random_walk("1h", 500))
    assert (decision.action, decision.opinion) == (Action.HOLD, None)


def test_values_without_a_price_are_refused() -> None:
    with pytest.raises(InvalidInput, match="close None must be above zero"):
        decide_snapshot(a_configuration(), {"rsi": 20.0})


def test_an_unknown_strategy_type_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InvalidInput, match="unknown strategy type 'magic'; known are momentum mean_reversion"):
        decide_snapshot(a_configuration(strategy_type="magic"), OVERSOLD)


@pytest.mark.parametrize("bars", [0, 1, 6, 30])
def test_within_the_cooldown_the_same_side_never_fires_twice(bars: int) -> None:
    fired = all_of(
        a_configuration(cooldown_bars=bars, score_buy_target=40, score_sell_target=40), random_walk("1h", 960)
    )
    assert fired
    assert {decision.action for decision in fired} == {Action.BUY, Action.SELL}
    for side in (Action.BUY, Action.SELL):
        closes = [d.candle_close or 0 for d in fired if d.action is side]
        assert all(b - a > bars * 3_600_000 for a, b in pairwise(closes))


def test_a_condition_that_lasts_says_that_it_cools_down() -> None:
    candles = random_walk("1h", 960)
    eager = a_configuration(score_buy_target=20, score_sell_target=20, min_indicators_required=1)
    held = [decide(eager, candles.closed_by(int(t) + 3_600_000)) for t in candles.open_time[-40:]]
    assert any("cooldown" in d.reasoning[0] for d in held if d.action is Action.HOLD)


values = st.one_of(st.floats(-1e6, 1e6), st.just(float("nan")))


@settings(max_examples=200)
@given(st.dictionaries(st.sampled_from([f.name for f in fields(Features)]), values), st.booleans())
def test_any_values_give_a_decision_whose_score_lies_in_0_to_100(given_: dict[str, float], trend: bool) -> None:
    configuration = a_configuration() if trend else reversion()
    decision = decide_snapshot(configuration, given_ | {"close": 100.0})
    assert 0 <= decision.unified_score <= 100
    assert decision.tier is Tier.of(decision.unified_score)
    assert decision.reasoning
