"""The technical scanner: each indicator votes between −1 (sell) and +1 (buy), as the strategy type reads it.

A strategy type is one function here and one line in `STRATEGY_TYPES`: it turns features into votes. Weighted, the votes
make the score; the strongest ones make the reasons.
"""

from collections.abc import Callable, Mapping

import numpy as np

from plumbline.domain.candles import Floats
from plumbline.domain.errors import InvalidInput
from plumbline.domain.features import Features
from plumbline.domain.strategies import Configuration

SCANNER = "technical"
type Votes = Mapping[str, Floats]
type StrategyType = Callable[[Configuration, Features], Votes]

_CROSS, _TURNING, _FADING = 1.0, 0.7, 0.2
"""Weight of a MACD cross, of a histogram moving the right way, and of one losing force."""


def momentum(configuration: Configuration, features: Features) -> Votes:
    """Go with the move: RSI away from 50, MACD on that side, close at the outer band, volume behind the candle."""
    room_up, room_down = configuration.rsi_sell_threshold - 50, 50 - configuration.rsi_buy_threshold
    distance = features.rsi - 50
    surge = np.clip(features.volume_ratio - 1, 0, 1)
    return {
        "rsi": np.clip(np.where(distance > 0, distance / max(room_up, 1), distance / max(room_down, 1)), -1, 1),
        "macd": _macd_with_the_move(features),
        "bollinger": np.clip(2 * features.percent_b - 1, -1, 1),
        "volume": np.sign(features.body) * surge,
    }


def mean_reversion(configuration: Configuration, features: Features) -> Votes:
    """Go against an exaggeration: RSI beyond its threshold, close outside a band, MACD turning, a volume climax."""
    fade = 15.0  # RSI points over which the vote fades out beyond its threshold
    oversold = np.clip(1 - (features.rsi - configuration.rsi_buy_threshold) / fade, 0, 1)
    overbought = np.clip(1 - (configuration.rsi_sell_threshold - features.rsi) / fade, 0, 1)
    below = np.clip(1 - features.percent_b / 0.25, 0, 1)
    above = np.clip(1 - (1 - features.percent_b) / 0.25, 0, 1)
    return {
        "rsi": oversold - overbought,
        "macd": _macd_turning(features),
        "bollinger": below - above,
        "volume": -np.sign(features.body) * np.clip(features.volume_ratio - 1, 0, 1),
    }


STRATEGY_TYPES: Mapping[str, StrategyType] = {"momentum": momentum, "mean_reversion": mean_reversion}


def votes(configuration: Configuration, features: Features) -> dict[str, Floats]:
    """Votes of the configuration's strategy type, float64 (n,) in −1..1; a missing value does not vote (0)."""
    strategy = STRATEGY_TYPES.get(configuration.strategy_type)
    if strategy is None:
        known = " ".join(STRATEGY_TYPES)
        raise InvalidInput(f"unknown strategy type {configuration.strategy_type!r}; known are {known}")
    return {name: np.nan_to_num(vote, nan=0.0) for name, vote in strategy(configuration, features).items()}


def reasons(configuration: Configuration, features: Features, at: int, cast: Mapping[str, float]) -> tuple[str, ...]:
    """A short sentence for every vote cast at index `at`, the strongest first."""
    tellers: dict[str, Callable[[float], str]] = {
        "rsi": lambda vote: _tell_rsi(configuration, float(features.rsi[at]), vote),
        "macd": lambda vote: _tell_macd(features, at, vote),
        "bollinger": lambda _: _tell_bollinger(float(features.percent_b[at])),
        "volume": lambda _: f"volume {features.volume_ratio[at]:.1f} times its average",
    }
    ranked = sorted((n for n in cast if cast[n]), key=lambda name: -abs(cast[name]))
    return tuple(tellers[name](cast[name]) for name in ranked)


def _macd_with_the_move(features: Features) -> Floats:
    now, before = features.macd_hist, features.macd_hist_prev
    side = np.sign(now)
    growing = np.abs(now) > np.abs(before)
    crossed = side * np.sign(before) < 0
    return side * np.where(crossed, _CROSS, np.where(growing | np.isnan(before), _TURNING, _FADING))


def _macd_turning(features: Features) -> Floats:
    now, before = features.macd_hist, features.macd_hist_prev
    crossed = np.sign(now) * np.sign(before) < 0
    against = (np.abs(now) < np.abs(before)) & ~crossed
    return np.where(crossed, np.sign(now) * _CROSS, np.where(against, -np.sign(now) * _TURNING, 0.0))


def _tell_rsi(configuration: Configuration, value: float, vote: float) -> str:
    if value <= configuration.rsi_buy_threshold:
        return f"RSI oversold ({value:.1f})"
    if value >= configuration.rsi_sell_threshold:
        return f"RSI overbought ({value:.1f})"
    return f"RSI {'supports a rise' if vote > 0 else 'supports a fall'} ({value:.1f})"


def _tell_macd(features: Features, at: int, vote: float) -> str:
    word = "bullish" if vote > 0 else "bearish"
    crossed = features.macd_hist[at] * features.macd_hist_prev[at] < 0
    return f"MACD {word} cross" if crossed else f"MACD histogram {word}"


def _tell_bollinger(percent_b: float) -> str:
    if percent_b > 1:
        return "close above the upper Bollinger band"
    if percent_b < 0:
        return "close below the lower Bollinger band"
    return f"close at {100 * percent_b:.0f} % of the Bollinger band"
