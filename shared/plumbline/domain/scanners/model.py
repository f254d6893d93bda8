"""The model scanner: the policy's own choice, where it is likely enough and worth its costs."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from plumbline.domain.candles import Floats
from plumbline.domain.policy import ACTIONS, expected_value
from plumbline.domain.scanners.scanner import Scanner, Scene, Votes
from plumbline.domain.strategies import Configuration

_WEIGHTS = MappingProxyType({"policy": 100.0})


def votes(configuration: Configuration, scene: Scene) -> Votes:
    """The probability of the policy's choice, signed by its side; 0 where it holds, NaN where it has no opinion.

    It acts where BUY or SELL is the likeliest action, at least as likely as `confidence_threshold`, and where the
    trade's expected value after costs is above `min_expected_value`. One without an edge by its own card never acts.
    """
    if scene.opinions is None:
        return {"policy": np.full_like(scene.features.close, np.nan)}
    hold, buy, sell = np.moveaxis(scene.opinions, -1, 0)
    best = np.maximum(buy, sell)
    likely = (best > hold) & (buy != sell) & (best >= configuration.confidence_threshold)
    worthwhile = value(configuration, scene, best) > configuration.min_expected_value
    return {"policy": (scene.has_edge & likely & worthwhile) * np.where(buy > sell, buy, -sell)}


def value(configuration: Configuration, scene: Scene, probability: Floats) -> Floats:
    """Expected value of a trade that wins with this probability, after its costs, in units of its risk."""
    features = scene.features
    risk = configuration.sl_threshold * features.atr / features.close
    round_trip = 2 * (configuration.fee_bps + configuration.slippage_bps) / 10_000
    cost = np.divide(round_trip, risk, out=np.full_like(risk, np.inf), where=risk > 0)
    return expected_value(probability, configuration.tp_threshold / configuration.sl_threshold, cost)


def tell(configuration: Configuration, scene: Scene, cast: Mapping[str, float]) -> Mapping[str, str]:
    """What the policy says, and what that is worth."""
    if scene.opinions is None or not cast:
        return {}
    chances = ", ".join(f"{name} {chance:.2f}" for name, chance in zip(ACTIONS, scene.opinions[0, 0], strict=True))
    worth = value(configuration, scene, np.abs(np.array([[cast["policy"]]]))).item()
    return {"policy": f"policy: {chances}; expected {worth:+.2f} of the risk after costs"}


def hesitation(configuration: Configuration, scene: Scene) -> str:
    """Why the policy does not act at one market's candle; empty where it acts or has no opinion."""
    if scene.opinions is None or not np.isfinite(scene.opinions).all() or votes(configuration, scene)["policy"].item():
        return ""
    chance, likeliest = max(zip(scene.opinions[0, 0].tolist(), ACTIONS, strict=True))
    said = f"policy: {likeliest} is likeliest ({chance:.2f})"
    if likeliest == "HOLD":
        return said
    if chance < configuration.confidence_threshold:
        return f"{said}, it acts from {configuration.confidence_threshold:g}"
    if not scene.has_edge:
        return f"{said}, but by its own card it has no edge: it only watches"
    worth = value(configuration, scene, np.array([[chance]])).item()
    return f"{said}, worth {worth:+.2f} of its risk after costs: not above {configuration.min_expected_value:g}"


MODEL = Scanner("model", votes, lambda _: _WEIGHTS, tell)
