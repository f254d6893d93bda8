"""What strategies look at: the indicators of many markets at the same candles."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from plumbline.domain import kernels
from plumbline.domain.candles import Candles, Floats, Ints

CHANNEL = 20
"""Candles of the price channel, of the Bollinger bands, of the usual volume and of the money flow."""

SLOW = 100
"""Candles of the slow average: as far as anything but the recursive indicators looks back."""

DAY = 24
"""Candles over which the longer return is taken: a day, where they are hours."""

_STILL = 1e-9
"""A market whose ATR is below this part of its price stands still: beyond lie the rounding errors of its averages."""


@dataclass(frozen=True, slots=True)
class Features:
    """Indicator values, each float64 (markets, candles); NaN where there is no value.

    Row i is one market, column j the same candle time in all of them. Prices, bands, averages, MACD, ATR and body are
    in units of the price; `rsi` is 0–100, `volume_ratio` a multiple of the usual volume, `money_flow` −1..1. The
    channel (`channel_high`, `channel_low`) and the usual volume are those of the candles before: a candle is left out
    of its own yardstick, so that a spike does not hide itself. A market that stands still has neither RSI nor
    histogram: what is left of them there is rounding.
    """

    close: Floats
    high: Floats
    low: Floats
    body: Floats
    rsi: Floats
    macd: Floats
    macd_signal: Floats
    macd_hist: Floats
    macd_hist_prev: Floats
    bb_upper: Floats
    bb_middle: Floats
    bb_lower: Floats
    atr: Floats
    volume_ratio: Floats
    money_flow: Floats
    channel_high: Floats
    channel_low: Floats
    slow_average: Floats
    close_prev: Floats
    close_day: Floats

    @classmethod
    def of(cls, windows: Sequence[Candles], grid: Ints) -> Self:
        """Indicators at the candles that open at `grid` (ms): int64 (candles,), the timeframe's step apart.

        Each market's indicators run over its own candles from the beginning of its window; where it has no candle, its
        row is NaN.
        """
        ends = [_end(candles, grid) for candles in windows]
        features = cls._over(_columns(windows, ends, len(grid) + SLOW), len(grid))
        for row, (candles, end) in enumerate(zip(windows, ends, strict=True)):
            if not _lies_on(candles.open_time[:end], grid):
                _place(features, row, candles.open_time[max(0, end - len(grid)) : end], grid)
        return features

    @classmethod
    def _over(cls, own: Mapping[str, Floats], count: int) -> Self:
        """Features of the last `count` of each market's own candles."""
        near = {name: values[:, -(count + DAY) :] for name, values in own.items()}
        close, high, low, volume = near["close"], near["high"], near["low"], near["volume"]
        upper, middle, lower = kernels.bollinger(close, CHANNEL)
        rsi, day_before = near["rsi"], kernels.earlier(close, DAY)
        moves = near["atr"] > _STILL * close
        values = {
            **{name: near[name] for name in ("close", "high", "low", "macd", "macd_signal", "atr")},
            "body": close - near["open"],
            # TA-Lib answers 0 where no close ever moved. That is no fall: nothing over nothing.
            "rsi": np.where(moves & ((rsi > 0) | (close < day_before)), rsi, np.nan),
            "macd_hist": np.where(moves, near["macd_hist"], np.nan),
            "macd_hist_prev": kernels.earlier(near["macd_hist"]),
            "bb_upper": upper,
            "bb_middle": middle,
            "bb_lower": lower,
            "volume_ratio": _quotient(volume, kernels.earlier(kernels.sma(volume, CHANNEL))),
            "money_flow": kernels.money_flow(high, low, close, volume, CHANNEL),
            "channel_high": kernels.earlier(kernels.highest(high, CHANNEL)),
            "channel_low": kernels.earlier(kernels.lowest(low, CHANNEL)),
            "slow_average": kernels.sma(own["close"], SLOW),
            "close_prev": kernels.earlier(close),
            "close_day": day_before,
        }
        return cls(**{name: value[:, -count:] for name, value in values.items()})

    @classmethod
    def of_snapshot(cls, values: Mapping[str, float]) -> Self:
        """One moment's values by name; the histogram follows from MACD and signal line, the rest is NaN if absent."""
        known = dict(values)
        if "macd" in known and "macd_signal" in known:
            known.setdefault("macd_hist", known["macd"] - known["macd_signal"])
        return cls(**{f.name: np.array([[known.get(f.name, np.nan)]]) for f in fields(cls)})

    def part(self, rows: slice, columns: slice) -> Self:
        """The values of some markets at some candles, as views."""
        return type(self)(*(getattr(self, f.name)[rows, columns] for f in fields(self)))

    @property
    def unit(self) -> Floats:
        """The ATR as a yardstick: NaN where the market stands still."""
        return np.where(self.atr > _STILL * self.close, self.atr, np.nan)

    @property
    def percent_b(self) -> Floats:
        """Place of the close between the bands: 0 on the lower, 1 on the upper; NaN where the bands touch."""
        return _quotient(self.close - self.bb_lower, self.bb_upper - self.bb_lower)

    @property
    def close_location(self) -> Floats:
        """Place of the close in the candle's range: −1 at its low, +1 at its high; 0 where it has none."""
        spread = self.high - self.low
        place = 2 * self.close - self.high - self.low
        return np.where(spread > 0, _quotient(place, spread), 0.0 * spread)


_SERIES = ("open", "high", "low", "close", "volume", "rsi", "atr", "macd", "macd_signal", "macd_hist")


def _columns(windows: Sequence[Candles], ends: Sequence[int], count: int) -> dict[str, Floats]:
    """Each of `_SERIES` over the last `count` candles of each market before its end: (markets, count), NaN in front."""
    table = np.full((len(windows), len(_SERIES), count), np.nan)
    for market, candles, end in zip(table, windows, ends, strict=True):
        series, begin = _series(candles), end - count
        if begin >= 0:
            # One copy of all the slices: one by one they would take as long as the indicators themselves.
            np.concatenate([values[begin:end] for values in series], out=market.reshape(-1))
        else:
            market[:, -begin:] = [values[:end] for values in series]
    return {name: table[:, k] for k, name in enumerate(_SERIES)}


def _series(candles: Candles) -> tuple[Floats, ...]:
    """`_SERIES` over all the candles, each (n,)."""
    high, low, close = candles.high, candles.low, candles.close
    return (
        *(candles.open, high, low, close, candles.volume),
        kernels.rsi(close),
        kernels.atr(high, low, close),
        *kernels.macd(close),
    )


def _end(candles: Candles, grid: Ints) -> int:
    """How many of the candles open by the end of the grid."""
    times = candles.open_time
    if len(times) and times[-1] == grid[-1]:
        return len(times)
    return int(np.searchsorted(times, grid[-1], "right"))


def _lies_on(times: Ints, grid: Ints) -> bool:
    """Whether the last of these times are the grid."""
    return len(times) >= len(grid) and bool(times[-1] == grid[-1] and times[-len(grid)] == grid[0])


def _place(features: Features, row: int, times: Ints, grid: Ints) -> None:
    """Put a market's last candles where they belong on the grid: it has a hole, or ends before the others."""
    here = np.isin(times, grid, assume_unique=True)
    columns = np.searchsorted(grid, times[here])
    for field in fields(features):
        values: Floats = getattr(features, field.name)
        kept = values[row, len(grid) - len(times) :][here]
        values[row] = np.nan
        values[row, columns] = kept


def _quotient(value: Floats, by: Floats) -> Floats:
    """value / by, NaN where `by` is not above zero."""
    return np.divide(value, by, out=np.full_like(by, np.nan), where=by > 0)
