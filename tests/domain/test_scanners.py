"""What holds for every scanner: its range, its mirror image, its units, and a sentence for each of its votes."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plumbline.domain.calendar import HOUR
from plumbline.domain.candles import Candles, Floats
from plumbline.domain.features import Features
from plumbline.domain.policy import WINDOW, inputs, opinions
from plumbline.domain.scanners import SCANNERS, STRATEGY_TYPES, Scene
from plumbline.domain.strategies import SCANNER_NAMES
from tests.builders import NOON, a_configuration, a_scene, a_universe, mirrored, scaled
from tests.fakes import FakePolicy

GRID = np.arange(NOON - 80 * HOUR, NOON, HOUR)
EAGER = {"confidence_threshold": 0.0, "min_expected_value": -10.0}
KINDS = [("technical", kind) for kind in STRATEGY_TYPES] + [(name, "momentum") for name in SCANNERS][1:]


def scene_of(windows: Sequence[Candles]) -> Scene:
    """A scene over `GRID`, with a policy's opinions."""
    before = np.arange(GRID[0] - (WINDOW - 1) * HOUR, GRID[0], HOUR)
    wide = Features.of(windows, np.concatenate((before, GRID)))
    features = wide.part(slice(None), slice(WINDOW - 1, None))
    return Scene(features, opinions(FakePolicy(), inputs(wide), np.isfinite(features.close)))


def cast(scanner: str, kind: str, scene: Scene) -> Mapping[str, Floats]:
    return SCANNERS[scanner].votes(a_configuration(strategy_type=kind, **EAGER), scene)


def test_the_scanners_are_those_that_a_configuration_may_name() -> None:
    assert tuple(SCANNERS) == SCANNER_NAMES
    assert all(scanner.name == name for name, scanner in SCANNERS.items())


@pytest.mark.parametrize(("scanner", "kind"), KINDS)
def test_every_vote_has_its_weight_and_every_weight_its_vote(scanner: str, kind: str) -> None:
    configuration = a_configuration(strategy_type=kind)
    assert set(cast(scanner, kind, a_scene())) == set(SCANNERS[scanner].weights(configuration))


@pytest.mark.parametrize(("scanner", "kind"), KINDS)
def test_where_nothing_is_known_nothing_is_voted(scanner: str, kind: str) -> None:
    for vote in cast(scanner, kind, a_scene([[np.nan] * 3])).values():
        assert not np.nan_to_num(vote).any()


hundredths = st.one_of(st.just(float("nan")), st.integers(-(10**8), 10**8).map(lambda n: n / 100))
positive = st.one_of(st.just(float("nan")), st.integers(0, 10**8).map(lambda n: n / 100))
shares = st.lists(st.integers(1, 1_000), min_size=3, max_size=3).map(lambda parts: [p / sum(parts) for p in parts])
given_features = st.fixed_dictionaries(
    {name: st.lists(hundredths, min_size=6, max_size=6) for name in Features.__slots__}
    | {name: st.lists(positive, min_size=6, max_size=6) for name in ("atr", "close", "high", "low", "volume_ratio")}
)


@settings(max_examples=50, deadline=None)
@given(given_features, st.lists(shares, min_size=6, max_size=6))
def test_whatever_the_features_are_every_vote_lies_between_sell_and_buy(
    values: dict[str, list[float]], said: list[list[float]]
) -> None:
    close = np.maximum(values["close"], 0.01)
    scene = a_scene(said, **values | {"close": close, "high": close + values["high"], "low": close - values["low"]})
    for scanner, kind in KINDS:
        for name, vote in cast(scanner, kind, scene).items():
            assert vote.shape == (6, 1)
            assert not (np.abs(vote) > 1).any(), (scanner, kind, name)


@pytest.mark.parametrize(("scanner", "kind"), KINDS)
def test_a_market_upside_down_is_voted_upside_down(scanner: str, kind: str) -> None:
    windows = a_universe()
    straight = cast(scanner, kind, scene_of(windows))
    upside_down = cast(scanner, kind, scene_of([mirrored(window) for window in windows]))
    for name, vote in straight.items():
        assert np.nanmax(vote) > 0 > np.nanmin(vote)
        np.testing.assert_allclose(upside_down[name], -vote, atol=1e-6, err_msg=name)


@pytest.mark.parametrize(("price", "volume"), [(1_000.0, 1.0), (1.0, 1_000.0), (1e-9, 1e9)])
@pytest.mark.parametrize(("scanner", "kind"), KINDS)
def test_the_units_of_price_and_volume_do_not_matter(scanner: str, kind: str, price: float, volume: float) -> None:
    windows = a_universe()
    usual = cast(scanner, kind, scene_of(windows))
    other = cast(scanner, kind, scene_of([scaled(window, price=price, volume=volume) for window in windows]))
    for name, vote in usual.items():
        np.testing.assert_allclose(other[name], vote, atol=1e-6, err_msg=name)


@pytest.mark.parametrize("price", [0.1, 1.0, 3.3e-5, 40_000.01])
@pytest.mark.parametrize("last", [0, 400])
@pytest.mark.parametrize(("scanner", "kind"), KINDS)
def test_a_market_that_stands_still_has_no_direction(scanner: str, kind: str, last: int, price: float) -> None:
    windows = [standing_still(window, last, price) for window in a_universe()]
    for name, vote in cast(scanner, kind, scene_of(windows)).items():
        assert not np.nan_to_num(vote).any(), name


def standing_still(window: Candles, last: int, price: float) -> Candles:
    """The same candles; the last ones (0: all) at one price and without volume."""
    kept = max(len(window) - last, 0) if last else 0
    at = window.close[kept - 1] if kept else price
    still = {name: getattr(window, name).copy() for name in ("open", "high", "low", "close", "volume")}
    for name, values in still.items():
        values[kept:] = 0.0 if name == "volume" else at
    return Candles(window.timeframe, window.open_time, **still)


@pytest.mark.parametrize(("scanner", "kind"), KINDS)
def test_every_vote_that_is_cast_is_told_in_a_sentence(scanner: str, kind: str) -> None:
    configuration, scene = a_configuration(strategy_type=kind, **EAGER), scene_of(a_universe())
    votes = cast(scanner, kind, scene)
    told = 0
    for market, candle in np.ndindex(*scene.features.close.shape):
        here = {name: vote[market, candle].item() for name, vote in votes.items()}
        here = {name: vote for name, vote in here.items() if vote and not np.isnan(vote)}
        cell = scene.part(slice(market, market + 1), slice(candle, candle + 1))
        sentences = SCANNERS[scanner].tell(configuration, cell, here)
        assert set(sentences) == set(here)
        assert not any("nan" in sentence for sentence in sentences.values())
        told += len(sentences)
    assert told
