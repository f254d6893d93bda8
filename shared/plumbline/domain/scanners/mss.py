"""The multi-factor scanner: momentum, structure and relative volume of a market among all that are scanned with it.

Momentum is the rank of the day's return, in units of the market's own range, across the universe (relative strength:
Jegadeesh and Titman 1993); participation the rank of its volume against its own usual; structure its place in, or break
of, its own channel (Donchian). The ranks need company: with fewer than `LEAST` markets the scanner is silent.
"""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from plumbline.domain.candles import Floats
from plumbline.domain.features import DAY, Features
from plumbline.domain.scanners.scanner import Scanner, Scene, Votes
from plumbline.domain.strategies import Configuration

LEAST = 5
"""Markets below which a rank says nothing."""

_WEIGHTS = MappingProxyType({"relative_strength": 40.0, "structure": 35.0, "participation": 25.0})


def votes(_: Configuration, scene: Scene) -> Votes:
    """Rank of the day's return, place in the channel, and rank of the volume on the side of the candle."""
    features = scene.features
    strength = _rank((features.close - features.close_day) / (features.unit * np.sqrt(DAY)))
    company = 0.0 * strength  # NaN where there are too few markets: then no factor votes
    return {
        "relative_strength": strength,
        "structure": _structure(features) + company,
        "participation": np.sign(features.body) * np.clip(_rank(features.volume_ratio), 0, 1) + company,
    }


def tell(_: Configuration, scene: Scene, cast: Mapping[str, float]) -> Mapping[str, str]:
    """A short sentence for every vote."""
    features, side = scene.features, "above" if cast.get("structure", 0) > 0 else "below"
    broke = features.close.item() > features.channel_high.item() or features.close.item() < features.channel_low.item()
    told = {
        "relative_strength": f"{'stronger' if cast.get('relative_strength', 0) > 0 else 'weaker'} than "
        f"{50 + 50 * abs(cast.get('relative_strength', 0)):.0f} % of the scanned markets over {DAY} candles",
        "structure": f"close {side} its channel of 20 candles" if broke else f"close {side} the middle of its channel",
        "participation": "volume against its usual higher than in "
        f"{50 + 50 * abs(cast.get('participation', 0)):.0f} % of the scanned markets",
    }
    return {name: told[name] for name in cast}


MSS = Scanner("mss", votes, lambda _: _WEIGHTS, tell)


def _structure(features: Features) -> Floats:
    """−1 below the channel, +1 above, between them where the close stands in it; NaN where it has no height."""
    height = features.channel_high - features.channel_low
    place = 2 * features.close - features.channel_high - features.channel_low
    return np.clip(np.divide(place, height, out=np.full_like(height, np.nan), where=height > 0), -1, 1)


def _rank(values: Floats) -> Floats:
    """Rank among the markets of each candle, −1 (lowest) to +1 (highest); equal values share their mean rank.

    Exact, and the same whatever the order of the rows.
    """
    known = np.isfinite(values).sum(axis=0)
    ranks = np.full_like(values, np.nan)
    for candle, count in enumerate(known.tolist()):
        if count >= LEAST:
            column = values[:, candle]
            ordered = np.sort(column)[:count]
            below, up_to = np.searchsorted(ordered, column, "left"), np.searchsorted(ordered, column, "right")
            ranks[:, candle] = (below + up_to - count) / (count - 1)
    return np.where(np.isfinite(values), ranks, np.nan)
