"""P7: nothing that is known at a candle changes when the candles after it are removed, and who peeks is caught."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace

import numpy as np
import pytest

from plumbline.domain.calendar import HOUR
from plumbline.domain.candles import Candles, Floats, Ints
from plumbline.domain.decisions import decide_all
from plumbline.domain.evaluation import evaluate
from plumbline.domain.features import Features
from plumbline.domain.policy import FEATURES, WINDOW, inputs, opinions
from plumbline.domain.scanners import SCANNERS, STRATEGY_TYPES, Scene
from plumbline.domain.strategies import DEFAULT_CHANNELS, Channel, default_configuration
from tests.builders import NOON, a_configuration, a_universe
from tests.fakes import FakePolicy

UNIVERSE = a_universe()
GRID = np.arange(NOON - 60 * HOUR, NOON, HOUR)
CUTS = (1, 7, 21, 42, 59)
EAGER = {"confidence_threshold": 0.0, "min_expected_value": -10.0}
type Computed = Mapping[str, Floats]
"""Arrays (markets, candles, …) by name."""


def peeks(compute: Callable[[Sequence[Candles], Ints], Computed]) -> set[str]:
    """Names of what changes at a candle when the candles after it are removed."""
    whole, caught = compute(UNIVERSE, GRID), set()
    for count in CUTS:
        known = compute([window.closed_by(int(GRID[count])) for window in UNIVERSE], GRID[:count])
        for name, values in known.items():
            assert values.shape[:2] == (len(UNIVERSE), count)
            if not np.array_equal(values, whole[name][:, :count], equal_nan=True):
                caught.add(name)
    return caught


def features(windows: Sequence[Candles], grid: Ints) -> Computed:
    computed = Features.of(windows, grid)
    return {field.name: getattr(computed, field.name) for field in fields(Features)}


def policy_inputs(windows: Sequence[Candles], grid: Ints) -> Computed:
    values = inputs(Features.of(windows, grid)).astype(np.float64)
    return {name: values[..., k] for k, name in enumerate(FEATURES)}


def scene_of(windows: Sequence[Candles], grid: Ints) -> Scene:
    before = np.arange(grid[0] - (WINDOW - 1) * HOUR, grid[0], HOUR)
    wide = Features.of(windows, np.concatenate((before, grid)))
    now = wide.part(slice(None), slice(WINDOW - 1, None))
    return Scene(now, opinions(FakePolicy(), inputs(wide), np.isfinite(now.close)))


def votes(windows: Sequence[Candles], grid: Ints) -> Computed:
    scene = scene_of(windows, grid)
    return {
        f"{scanner.name} {kind} {name}": vote
        for kind in STRATEGY_TYPES
        for scanner in SCANNERS.values()
        for name, vote in scanner.votes(a_configuration(strategy_type=kind, **EAGER), scene).items()
    }


def verdicts(windows: Sequence[Candles], grid: Ints) -> Computed:
    """Opinions, scores and fires of every channel."""
    computed: dict[str, Floats] = {}
    for channel in DEFAULT_CHANNELS:
        found = evaluate(
            default_configuration(channel), windows, int(grid[0]) + HOUR, int(grid[-1]) + HOUR, FakePolicy()
        )
        arrays = {"buy": found.scores.buy, "sell": found.scores.sell, "side": found.scores.side, "fires": found.fires}
        computed |= {f"{channel.channel_id} {name}": array.astype(np.float64) for name, array in arrays.items()}
        if found.scene.opinions is not None:
            computed[f"{channel.channel_id} opinions"] = found.scene.opinions
    return computed


@pytest.mark.parametrize("compute", [features, policy_inputs, votes, verdicts])
def test_nothing_changes_when_later_candles_are_removed(
    compute: Callable[[Sequence[Candles], Ints], Computed],
) -> None:
    assert peeks(compute) == set()


def test_what_is_compared_has_values() -> None:
    for compute in (features, policy_inputs, votes, verdicts):
        for name, values in compute(UNIVERSE, GRID).items():
            assert np.isfinite(values).mean() > 0.5, name


@pytest.mark.parametrize("channel", DEFAULT_CHANNELS, ids=lambda channel: channel.channel_id)
def test_no_decision_and_no_level_changes_when_later_candles_are_removed(channel: Channel) -> None:
    configuration = default_configuration(channel, score_buy_target=40.0, score_sell_target=40.0)
    first = int(GRID[0]) + HOUR
    whole = list(decide_all(configuration, UNIVERSE, first, NOON, FakePolicy()))
    assert any(decision.levels.stop_loss for _, decision in whole)
    for cut in (int(GRID[count]) for count in CUTS):
        known = decide_all(configuration, [w.closed_by(cut) for w in UNIVERSE], first, cut, FakePolicy())
        assert list(known) == [found for found in whole if (found[1].candle_close or 0) <= cut]


# --- culprits ------------------------------------------------------------------------------------------------------


def one_ahead(values: Floats) -> Floats:
    return np.concatenate((values[:, 1:], values[:, -1:]), axis=1)


def test_a_feature_that_peeks_at_the_next_candle_is_caught() -> None:
    def peeking(windows: Sequence[Candles], grid: Ints) -> Computed:
        honest = features(windows, grid)
        return {**honest, "rsi": one_ahead(honest["rsi"])}

    assert peeks(peeking) == {"rsi"}


def test_an_input_that_is_normalised_over_the_whole_series_is_caught() -> None:
    def peeking(windows: Sequence[Candles], grid: Ints) -> Computed:
        honest = policy_inputs(windows, grid)
        trend = honest["trend"]
        return {**honest, "trend": trend - np.nanmean(trend, axis=1, keepdims=True)}

    assert peeks(peeking) == {"trend"}


def test_a_scanner_that_peeks_at_the_next_candle_is_caught() -> None:
    def peeking(windows: Sequence[Candles], grid: Ints) -> Computed:
        scene = scene_of(windows, grid)
        told = replace(scene, features=replace(scene.features, close=one_ahead(scene.features.close)))
        return {
            name: vote
            for scanner in SCANNERS.values()
            for name, vote in scanner.votes(a_configuration(strategy_type="breakout"), told).items()
        }

    assert {"bollinger", "accumulation", "relative_strength", "structure"} <= peeks(peeking)
    assert "money_flow" not in peeks(peeking)


def test_a_rank_among_the_markets_that_will_still_be_there_tomorrow_is_caught() -> None:
    def surviving(windows: Sequence[Candles], grid: Ints) -> Computed:
        scene = scene_of(windows, grid)
        survivors = np.isfinite(scene.features.close[:, -1:])
        kept = replace(scene.features, close_day=np.where(survivors, scene.features.close_day, np.nan))
        return SCANNERS["mss"].votes(a_configuration(), replace(scene, features=kept))

    assert "relative_strength" in peeks(surviving)


def test_levels_from_tomorrows_range_are_caught() -> None:
    def peeking(windows: Sequence[Candles], grid: Ints) -> Computed:
        honest = Features.of(windows, grid)
        return {"stop": honest.close - 2 * honest.atr, "target": honest.close + 3 * one_ahead(honest.atr)}

    assert peeks(peeking) == {"target"}
