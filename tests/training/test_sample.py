"""The mirror image in which the policy is trained is that of the market, not of the numbers alone."""

from pathlib import Path

import numpy as np
import pytest

from layers.model.training.examples import Examples
from layers.model.training.sample import Sample
from plumbline.domain.candles import Candles
from tests.builders import random_walk

CANDLES = random_walk("1h", 1_500, seed=6)


def in_the_mirror(candles: Candles) -> Candles:
    """Every rise is a fall of the same size."""
    at = 2 * float(candles.close.mean())
    prices = (at - values for values in (candles.open, candles.low, candles.high, candles.close))
    return Candles(candles.timeframe, candles.open_time, *prices, candles.volume)  # type: ignore[call-arg]  # four prices


def loaded(candles: Candles, path: Path) -> Sample:
    Examples.of({"BTC/USDT": candles}).save(path)
    return Sample.load(path)


@pytest.fixture
def samples(tmp_path: Path) -> tuple[Sample, Sample]:
    return loaded(CANDLES, tmp_path / "as_it_was.npz"), loaded(in_the_mirror(CANDLES), tmp_path / "mirrored.npz")


def test_a_mirrored_window_is_what_the_mirrored_market_would_have_shown(samples: tuple[Sample, Sample]) -> None:
    as_it_was, mirrored = samples
    some = np.arange(len(as_it_was.label))
    np.testing.assert_allclose(as_it_was.windows(some, mirrored=True), mirrored.windows(some), atol=2e-4)


def test_labels_change_sides_in_the_mirror(samples: tuple[Sample, Sample]) -> None:
    as_it_was, mirrored = samples
    some = np.arange(len(as_it_was.label))
    assert (as_it_was.labels(some, mirrored=True) == mirrored.labels(some)).mean() > 0.999
    assert (as_it_was.labels(some, mirrored=True) != as_it_was.labels(some)).any()


def test_rewards_are_nothing_for_holding_and_change_sides_in_the_mirror(samples: tuple[Sample, Sample]) -> None:
    as_it_was, _ = samples
    some = np.array([3, 3])
    rewards = as_it_was.rewards(some, np.array([False, True]))
    assert rewards[:, 0].tolist() == [0, 0]
    assert rewards[0, 1:].tolist() == rewards[1, :0:-1].tolist() == as_it_was.net[3].tolist()


def test_only_the_windows_asked_for_are_mirrored(samples: tuple[Sample, Sample]) -> None:
    as_it_was, _ = samples
    some = np.array([3, 4])
    shown = as_it_was.windows(some, np.array([False, True]))
    assert (shown[0] == as_it_was.windows(some)[0]).all()
    assert (shown[1] == as_it_was.windows(some, mirrored=True)[1]).all()


def test_moments_are_those_of_the_market_and_its_mirror_image_together(samples: tuple[Sample, Sample]) -> None:
    as_it_was, _ = samples
    some, mirrored = as_it_was.both_ways(np.arange(len(as_it_was.label)))
    last = as_it_was.windows(some, mirrored)[:, -1]
    mean, scale = as_it_was.moments(np.arange(len(as_it_was.label)))
    np.testing.assert_allclose(mean, last.mean(axis=0), atol=1e-4)
    np.testing.assert_allclose(scale, last.std(axis=0), atol=1e-4)
    assert (np.abs(mean[as_it_was.signs < 0]) < 1e-6).all()
