"""The smart-money scanner: accumulation and distribution, read from the relation of volume and price.

Large orders show in the volume before they show in the price: the close of busy candles leans to one side (Chaikin's
money flow), volume flows in while the price has not risen (Wyckoff's accumulation), and effort without result, a busy
candle that gives its move back, tells that somebody took the other side (Wyckoff's law of effort and result).
"""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from plumbline.domain.candles import Floats
from plumbline.domain.features import DAY, Features
from plumbline.domain.scanners.scanner import Scanner, Scene, Votes
from plumbline.domain.strategies import Configuration

_STRONG_FLOW = 0.25
"""Chaikin's money flow beyond which hardly anything happens: a quarter of all volume to one side over 20 candles."""

_WEIGHTS = MappingProxyType({"money_flow": 40.0, "accumulation": 40.0, "absorption": 20.0})


def votes(_: Configuration, scene: Scene) -> Votes:
    """Money flow over 20 candles; the part of it that the price has not followed; absorption in this candle."""
    features = scene.features
    flow = np.clip(features.money_flow / _STRONG_FLOW, -1, 1)
    return {
        "money_flow": flow,
        "accumulation": flow * np.clip(1 - np.sign(flow) * _moved(features), 0, 1),
        "absorption": _absorption(features),
    }


def tell(_: Configuration, scene: Scene, cast: Mapping[str, float]) -> Mapping[str, str]:
    """A short sentence for every vote."""
    flow = scene.features.money_flow.item()
    told = {
        "money_flow": f"money flow {flow:+.2f} over 20 candles",
        "accumulation": "accumulation: volume flows in, the price has not followed"
        if flow > 0
        else "distribution: volume flows out, the price has not followed",
        "absorption": f"a candle of {scene.features.volume_ratio.item():.1f} times the usual volume was absorbed",
    }
    return {name: told[name] for name in cast}


SMART_MONEY = Scanner("smart_money", votes, lambda _: _WEIGHTS, tell)


def _moved(features: Features) -> Floats:
    """How far the price went in a day, in standard deviations of a market that goes nowhere."""
    moved: Floats = (features.close - features.close_day) / (features.unit * np.sqrt(DAY))
    return moved


def _absorption(features: Features) -> Floats:
    """Volume above the usual in a candle that closed against its own wick: the move was met and given back."""
    place = features.close_location
    against_the_body = np.where(place * features.body <= 0, place, 0.0 * place)
    return against_the_body * np.clip(features.volume_ratio - 1, 0, 1)
