"""The technical scanner: RSI, MACD, Bollinger bands and volume, read as the strategy type wants.

A strategy type is one function here and one line in `STRATEGY_TYPES`: it turns features into votes.
"""

from collections.abc import Callable, Mapping

import numpy as np

from plumbline.domain.candles import Floats
from plumbline.domain.errors import InvalidInput
from plumbline.domain.features import Features
from plumbline.domain.scanners.scanner import Scanner, Scene, Votes
from plumbline.domain.strategies import Configuration

type StrategyType = Callable[[Configuration, Features], Votes]

_CROSS, _TURNING, _FADING = 1.0, 0.7, 0.2
"""Weight of a MACD cross, of a histogram moving the right way, and of one losing force."""


def momentum(configuration: Configuration, features: Features) -> Votes:
    """Go with the move: RSI away from 50, MACD on that side, close at the outer band, volume behind the candle."""
    return {
        "rsi": _rsi_with_the_move(configuration, features),
        "macd": _macd_with_the_move(features),
        "bollinger": np.clip(2 * features.percent_b - 1, -1, 1),
        "volume": np.sign(features.body) * _surge(features),
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
        "volume": -np.sign(features.body) * _surge(features),
    }


def breakout(_: Configuration, features: Features) -> Votes:
    """Go with a price that leaves its channel: the close beyond the highest or lowest of the 20 candles before.

    The other votes count only with the break: bands that were narrow (Bollinger 2001: the squeeze), volume, RSI with
    room left.
    """
    up, down = features.close > features.channel_high, features.close < features.channel_low
    side = np.where(np.isnan(features.channel_high), np.nan, up * 1.0 - down * 1.0)
    width = (features.bb_upper - features.bb_lower) / (4 * features.unit)
    return {
        "rsi": side * np.clip(side * (features.rsi - 50) / 10, 0, 1),
        "macd": np.where(side * features.macd_hist > 0, side, 0.0 * side),
        "bollinger": side * np.clip(2 - width, 0, 1),
        "volume": side * _surge(features),
    }


def trend_following(_: Configuration, features: Features) -> Votes:
    """Go with a trend that is under way: price on one side of its slow average, the fast averages in the same order.

    RSI votes while it stays in the trend's half, the bands while the close is on the trend's side of their middle.
    """
    side = np.sign(features.close - features.slow_average)
    steady = np.clip(side * features.macd / features.unit, 0, 1)
    return {
        "rsi": side * np.clip(side * (features.rsi - 50) / 10, 0, 1),
        "macd": side * steady,
        "bollinger": side * np.clip(side * (features.close - features.bb_middle) / features.unit, 0, 1),
        "volume": np.where(side * features.body > 0, side * np.clip(features.volume_ratio / 2, 0, 1), 0.0 * side),
    }


STRATEGY_TYPES: Mapping[str, StrategyType] = {
    "momentum": momentum,
    "mean_reversion": mean_reversion,
    "breakout": breakout,
    "trend_following": trend_following,
    # The policy decides by itself; the rules it falls back on while there is none are those of momentum.
    "model": momentum,
}


def votes(configuration: Configuration, scene: Scene) -> Votes:
    """Votes of the configuration's strategy type."""
    strategy = STRATEGY_TYPES.get(configuration.strategy_type)
    if strategy is None:
        known = " ".join(STRATEGY_TYPES)
        raise InvalidInput(f"unknown strategy type {configuration.strategy_type!r}; known are {known}")
    return strategy(configuration, scene.features)


def tell(configuration: Configuration, scene: Scene, cast: Mapping[str, float]) -> Mapping[str, str]:
    """A short sentence for every vote."""
    features = scene.features
    tellers: dict[str, Callable[[float], str]] = {
        "rsi": lambda vote: _tell_rsi(configuration, features.rsi.item(), vote),
        "macd": lambda vote: _tell_macd(features, vote),
        "bollinger": lambda _: _tell_bollinger(features.percent_b.item()),
        "volume": lambda _: f"volume {features.volume_ratio.item():.1f} times its average",
    }
    return {name: tellers[name](vote) for name, vote in cast.items()}


TECHNICAL = Scanner("technical", votes, lambda configuration: configuration.indicator_weights, tell)


def _surge(features: Features) -> Floats:
    return np.clip(features.volume_ratio - 1, 0, 1)


def _rsi_with_the_move(configuration: Configuration, features: Features) -> Floats:
    room_up, room_down = configuration.rsi_sell_threshold - 50, 50 - configuration.rsi_buy_threshold
    distance = features.rsi - 50
    return np.clip(np.where(distance > 0, distance / max(room_up, 1), distance / max(room_down, 1)), -1, 1)


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


def _tell_macd(features: Features, vote: float) -> str:
    word = "bullish" if vote > 0 else "bearish"
    crossed = features.macd_hist.item() * features.macd_hist_prev.item() < 0
    return f"MACD {word} cross" if crossed else f"MACD histogram {word}"


def _tell_bollinger(percent_b: float) -> str:
    if percent_b > 1:
        return "close above the upper Bollinger band"
    if percent_b < 0:
        return "close below the lower Bollinger band"
    return f"close at {100 * percent_b:.0f} % of the Bollinger band"
