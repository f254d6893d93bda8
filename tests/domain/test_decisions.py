"""From candles to a decision. The windows are random walks with a hand-made ending."""

from collections.abc import Callable
from dataclasses import fields, replace
from decimal import Decimal
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plumbline.domain import scanners
from plumbline.domain.candles import Candles, Floats
from plumbline.domain.decisions import Decision, decide, decide_all, decide_snapshot, levels
from plumbline.domain.errors import InvalidInput
from plumbline.domain.features import Features
from plumbline.domain.signals import Action, Tier
from plumbline.domain.strategies import Configuration
from plumbline.domain.windows import WARM_UP
from tests.builders import a_configuration, random_walk

OVERSOLD = {"close": 90.0, "rsi": 25.0, "bb_upper": 110.0, "bb_middle": 100.0, "bb_lower": 91.0, "atr": 2.0}


def reversion(**changes: object) -> Configuration:
    return a_configuration(strategy="reversion-beta", strategy_type="mean_reversion", **changes)


def all_of(configuration: Configuration, candles: Candles) -> list[Decision]:
    return list(decide_all(configuration, candles, 0, 2**60))


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
    for side in (Action.BUY, Action.SELL):
        closes = [d.candle_close or 0 for d in fired if d.action is side]
        assert all(b - a > bars * 3_600_000 for a, b in pairwise(closes))


def test_a_condition_that_lasts_says_that_it_cools_down() -> None:
    candles = random_walk("1h", 960)
    eager = a_configuration(score_buy_target=20, score_sell_target=20, min_indicators_required=1)
    held = [decide(eager, candles.closed_by(int(t) + 3_600_000)) for t in candles.open_time[-40:]]
    assert any("cooldown" in d.reasoning[0] for d in held if d.action is Action.HOLD)


# --- P6 and P7 ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("configuration", [a_configuration(), reversion()])
def test_one_candle_at_a_time_decides_what_the_whole_window_decides_to_the_last_bit(
    configuration: Configuration,
) -> None:
    candles = random_walk("1h", 960, seed=3)
    together = all_of(configuration, candles)
    alone = [decide(configuration, candles.closed_by(int(t) + 3_600_000)) for t in candles.open_time[WARM_UP - 1 :]]
    assert together
    assert [d for d in alone if d.action is not Action.HOLD] == together


def test_no_feature_changes_when_later_candles_are_removed() -> None:
    assert peeks(Features.of) == set()


def test_a_planted_feature_that_peeks_at_the_next_candle_is_caught() -> None:
    def peeking(candles: Candles) -> Features:
        honest = Features.of(candles)
        return replace(honest, rsi=np.concatenate((honest.rsi[1:], honest.rsi[-1:])))

    assert peeks(peeking) == {"rsi"}


def peeks(features_of: Callable[[Candles], Features]) -> set[str]:
    """Names of features whose value at a candle depends on candles after it."""
    candles = random_walk("1h", 600, seed=5)
    whole, caught = features_of(candles), set()
    for length in (450, 500, 599):
        part = features_of(candles.between(0, int(candles.open_time[length])))
        for name in (f.name for f in fields(Features)):
            now: Floats = getattr(part, name)
            if not np.array_equal(now, getattr(whole, name)[:length], equal_nan=True):
                caught.add(name)
    return caught


values = st.one_of(st.floats(-1e6, 1e6), st.just(float("nan")))


@settings(max_examples=200)
@given(st.dictionaries(st.sampled_from([f.name for f in fields(Features)]), values), st.booleans())
def test_any_values_give_a_decision_whose_score_lies_in_0_to_100(given_: dict[str, float], trend: bool) -> None:
    configuration = a_configuration() if trend else reversion()
    decision = decide_snapshot(configuration, given_ | {"close": 100.0})
    assert 0 <= decision.unified_score <= 100
    assert decision.tier is Tier.of(decision.unified_score)
    assert decision.reasoning


@given(st.sampled_from(sorted(scanners.STRATEGY_TYPES)), st.integers(0, 1_000))
@settings(max_examples=20, deadline=None)
def test_every_vote_of_every_strategy_type_lies_between_sell_and_buy(strategy_type: str, seed: int) -> None:
    cast = scanners.votes(a_configuration(strategy_type=strategy_type), Features.of(random_walk("1h", 60, seed)))
    for vote in cast.values():
        assert not np.isnan(vote).any()
        assert (np.abs(vote) <= 1).all()
