"""P6: live (one candle), backfill (a block) and any batch of markets decide the same, to the last bit."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plumbline.domain.calendar import HOUR
from plumbline.domain.candles import Candles
from plumbline.domain.decisions import Decision, decide, decide_all, decide_panel
from plumbline.domain.evaluation import Panel, evaluate
from plumbline.domain.signals import Action
from plumbline.domain.strategies import DEFAULT_CHANNELS, Configuration, default_configuration
from plumbline.domain.windows import WARM_UP
from tests.builders import NOON, a_configuration, a_universe, without
from tests.fakes import FakePolicy

FIRST, LAST = NOON - 119 * HOUR, NOON
CLOSES = range(FIRST, LAST + 1, HOUR)
UNIVERSE = a_universe()
KINDS = [channel.strategy_type for channel in DEFAULT_CHANNELS]
RELAXED = {"score_buy_target": 35.0, "score_sell_target": 35.0, "confidence_threshold": 0.4}
type Found = list[tuple[int, Decision]]


def of_kind(kind: str, **changes: Any) -> Configuration:
    """The configuration with which the channel of this strategy type starts, changed."""
    return default_configuration(next(c for c in DEFAULT_CHANNELS if c.strategy_type == kind), **changes)


CONFIGURATIONS = [of_kind(kind) for kind in KINDS] + [
    of_kind(kind, cooldown_bars=cooldown, **RELAXED) for kind in KINDS for cooldown in (0, 6)
]


def block(configuration: Configuration, windows: Sequence[Candles]) -> Found:
    return list(decide_all(configuration, windows, FIRST, LAST, FakePolicy()))


def candle_by_candle(configuration: Configuration, windows: Sequence[Candles], closes: Iterable[int]) -> Found:
    return [
        found
        for close in closes
        for found in decide_all(configuration, [w.closed_by(close) for w in windows], close, close, FakePolicy())
    ]


def named(configuration: Configuration) -> str:
    return f"{configuration.strategy_type}-{configuration.score_buy_target:g}-{configuration.cooldown_bars}"


@pytest.mark.parametrize("configuration", CONFIGURATIONS, ids=named)
def test_one_candle_at_a_time_decides_what_the_whole_block_decides(configuration: Configuration) -> None:
    together = block(configuration, UNIVERSE)
    assert candle_by_candle(configuration, UNIVERSE, CLOSES) == together
    if configuration.score_buy_target == RELAXED["score_buy_target"]:
        assert {decision.action for _, decision in together} == {Action.BUY, Action.SELL}


@pytest.mark.parametrize("configuration", CONFIGURATIONS, ids=named)
def test_the_order_of_the_markets_decides_nothing(configuration: Configuration) -> None:
    order = [4, 2, 6, 0, 5, 3, 1]
    shuffled = block(configuration, [UNIVERSE[market] for market in order])
    assert as_set((order[market], decision) for market, decision in shuffled) == as_set(block(configuration, UNIVERSE))


@pytest.mark.parametrize("batches", [[[0, 1, 2, 3, 4, 5, 6]], [[6, 1], [0, 5, 2], [4], [3]], [[m] for m in range(7)]])
@pytest.mark.parametrize("configuration", [c for c in CONFIGURATIONS if not c.compares_markets], ids=named)
def test_any_batch_of_markets_decides_what_all_together_decide(
    configuration: Configuration, batches: list[list[int]]
) -> None:
    apart = [
        (batch[market], decision)
        for batch in batches
        for market, decision in block(configuration, [UNIVERSE[market] for market in batch])
    ]
    assert as_set(apart) == as_set(block(configuration, UNIVERSE))


def test_configurations_on_one_panel_decide_what_each_decides_on_its_own() -> None:
    panel, policy = Panel(UNIVERSE, FIRST, LAST), FakePolicy()
    shared = [list(decide_panel(configuration, panel, policy)) for configuration in CONFIGURATIONS]
    assert shared == [block(configuration, UNIVERSE) for configuration in CONFIGURATIONS]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if not of_kind(kind).compares_markets])
def test_a_single_market_on_demand_decides_what_the_block_decides(kind: str) -> None:
    configuration, window = of_kind(kind, **RELAXED), UNIVERSE[1]
    alone = [
        decide(configuration, window.closed_by(close), FakePolicy())
        for close in CLOSES
        if close - HOUR in window.open_time
    ]
    fired = [(0, decision) for decision in alone if decision.action is not Action.HOLD]
    assert fired == block(configuration, [window])
    assert fired


def test_every_array_of_an_evaluation_is_the_same_one_candle_at_a_time() -> None:
    configuration = of_kind(
        "momentum", scanner_weights=dict.fromkeys(("technical", "smart_money", "mss", "model"), 1.0)
    )
    whole = evaluate(configuration, UNIVERSE, FIRST, LAST, FakePolicy())
    for column, close in enumerate(CLOSES):
        part = evaluate(configuration, [w.closed_by(close) for w in UNIVERSE], close, close, FakePolicy())
        one, now = slice(None), slice(column, column + 1)
        there = whole.scores.part(one, now)
        for name in ("buy", "sell", "fired", "side"):
            assert np.array_equal(getattr(part.scores, name), getattr(there, name))
        assert np.array_equal(part.fires, whole.fires[one, now])
        assert part.scene.opinions is not None
        assert whole.scene.opinions is not None
        assert np.array_equal(part.scene.opinions, whole.scene.opinions[one, now], equal_nan=True)


holes = st.sets(st.integers(1, 160), max_size=60)


@settings(max_examples=25, deadline=None)
@given(st.lists(holes, min_size=5, max_size=5), st.sampled_from(KINDS), st.integers(0, 8), st.data())
def test_with_any_holes_and_any_cut_of_time_it_is_the_same(
    missing: list[set[int]], kind: str, cooldown: int, data: st.DataObject
) -> None:
    windows = [
        without(window, (NOON - back * HOUR for back in gone)) for window, gone in zip(UNIVERSE, missing, strict=False)
    ]
    configuration = of_kind(kind, cooldown_bars=cooldown, **RELAXED)
    cut = data.draw(st.sampled_from(CLOSES[:-1]))
    whole = block(configuration, windows)
    before = decide_all(configuration, [w.closed_by(cut) for w in windows], FIRST, cut, FakePolicy())
    after = decide_all(configuration, windows, cut + HOUR, LAST, FakePolicy())
    assert [*before, *after] == whole
    closes = sorted({decision.candle_close or 0 for _, decision in whole})[:10]
    some = [found for found in whole if found[1].candle_close in closes]
    assert candle_by_candle(configuration, windows, closes) == some


# --- what the policy is asked --------------------------------------------------------------------------------------


def ready(windows: Sequence[Candles]) -> int:
    """Candles of the block that have enough history before them and a whole window of inputs."""
    return sum(
        close - HOUR in window.open_time and len(window.closed_by(close)) >= WARM_UP
        for window in windows
        for close in CLOSES
    )


def test_a_policy_that_finds_nothing_is_asked_once_about_each_ready_candle() -> None:
    policy = FakePolicy(stretch=0.0)
    windows = [UNIVERSE[0], UNIVERSE[4], UNIVERSE[5]]
    assert not list(decide_all(of_kind("model"), windows, FIRST, LAST, policy))
    assert policy.seen == ready(windows) == 120 + 0 + 120


def test_earlier_candles_are_asked_about_only_where_the_cooldown_looks_back_on_them() -> None:
    windows = [UNIVERSE[0], UNIVERSE[2], UNIVERSE[3]]
    configuration = of_kind("model", cooldown_bars=6)
    evaluation = evaluate(configuration, windows, FIRST, LAST, FakePolicy(stretch=0.8))
    soon = int((evaluation.scores.side[:, :6] != 0).any(axis=1).sum())
    assert 0 < soon < 3
    policy = FakePolicy(stretch=0.8)
    list(decide_all(configuration, windows, FIRST, LAST, policy))
    assert policy.seen == 3 * 120 + 6 * soon


def test_a_young_market_is_not_asked_about_before_it_is_old_enough() -> None:
    policy = FakePolicy()
    window = UNIVERSE[5]  # its first candle with enough history is the first of the block
    found = list(decide_all(of_kind("model", cooldown_bars=6, **RELAXED), [window], FIRST, LAST, policy))
    assert found
    assert policy.seen == 120


def test_a_policy_that_does_not_count_is_never_asked() -> None:
    policy = FakePolicy()
    for weights in ({"technical": 1.0}, {"technical": 1.0, "smart_money": 1.0, "mss": 1.0, "model": 0.0}):
        list(decide_all(a_configuration(scanner_weights=weights), UNIVERSE, FIRST, LAST, policy))
    assert policy.seen == 0


def test_configurations_on_one_panel_ask_the_policy_once() -> None:
    panel, policy = Panel(UNIVERSE[:1], FIRST, LAST), FakePolicy(stretch=0.0)
    for kind in ("model", "momentum", "mean_reversion"):
        list(decide_panel(of_kind(kind, score_buy_target=100.0, score_sell_target=100.0), panel, policy))
    assert policy.seen == 120


# --- the span ------------------------------------------------------------------------------------------------------


def test_a_span_off_the_grid_means_the_candles_that_close_inside_it() -> None:
    configuration = of_kind("mean_reversion", **RELAXED)
    inside = list(decide_all(configuration, UNIVERSE, FIRST + HOUR, LAST - HOUR, FakePolicy()))
    assert list(decide_all(configuration, UNIVERSE, FIRST + 1, LAST - 1, FakePolicy())) == inside
    assert inside


@pytest.mark.parametrize(("first", "last"), [(NOON, NOON - HOUR), (NOON - 2, NOON - 1)])
def test_a_span_without_a_candle_decides_nothing(first: int, last: int) -> None:
    assert not list(decide_all(of_kind("momentum", cooldown_bars=0), UNIVERSE, first, last))
    assert not list(decide_all(of_kind("momentum"), [], FIRST, LAST))


def as_set(found: Iterable[tuple[int, Decision]]) -> dict[tuple[int, int | None], Decision]:
    return {(market, decision.candle_close): decision for market, decision in found}
