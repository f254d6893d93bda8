"""What strategies look at: the indicators of many markets at the same candles."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from plumbline.domain import kernels
from plumbline.domain.candles import Candles, Floats, Ints

CHANNEL = 20
"""Candles of the price channel, of the usual volume and of the money flow."""

SLOW = 100
"""Candles of the slow average."""

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
    of its own yardstick, so that a spike does not hide itself.
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
        now, before = slice(DAY, None), slice(DAY - 1, -1)
        raw = _raw(windows, grid)
        close, earlier, rsi = raw["close"][:, now], raw["close"][:, :-DAY], raw["rsi"][:, now]
        flow = raw["accumulation"][:, now] - raw["accumulation"][:, DAY - CHANNEL : -CHANNEL]
        return cls(
            **{name: raw[name][:, now] for name in _AS_IT_IS},
            # TA-Lib answers 0 where no close ever moved. That is no fall: nothing over nothing.
            rsi=np.where((rsi > 0) | (close < earlier), rsi, np.nan),
            body=close - raw["open"][:, now],
            macd_hist_prev=raw["macd_hist"][:, before],
            volume_ratio=_quotient(raw["volume"][:, now], raw["mean_volume"][:, before]),
            money_flow=np.clip(_quotient(flow, CHANNEL * raw["mean_volume"][:, now]), -1, 1),
            channel_high=raw["highest"][:, before],
            channel_low=raw["lowest"][:, before],
            close_prev=raw["close"][:, before],
            close_day=earlier,
        )

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


_AS_IT_IS = (
    *("close", "high", "low", "macd", "macd_signal", "macd_hist"),
    *("bb_upper", "bb_middle", "bb_lower", "atr", "slow_average"),
)
_SERIES = (*_AS_IT_IS, "rsi", "open", "volume", "mean_volume", "accumulation", "highest", "lowest")


def _raw(windows: Sequence[Candles], grid: Ints) -> dict[str, Floats]:
    """Each of `_SERIES`, (markets, `DAY` candles before the grid and the grid)."""
    step = int(windows[0].timeframe.ms) if windows else 1
    wide = np.concatenate((grid[0] - step * np.arange(DAY, 0, -1), grid))
    table = np.empty((len(windows), len(_SERIES), len(wide)))
    for market, candles in zip(table, windows, strict=True):
        # One copy of all the slices: one by one they would take as long as the indicators themselves.
        np.concatenate(_parts(candles, wide), out=market.reshape(-1))
    return {name: table[:, k] for k, name in enumerate(_SERIES)}


def _parts(candles: Candles, grid: Ints) -> list[Floats]:
    """The market's series, each (candles of the grid,)."""
    times, count = candles.open_time, len(grid)
    if len(times) >= count and times[-count] == grid[0] and times[-1] == grid[-1]:
        return [values[-count:] for values in _series(candles)]
    places = np.searchsorted(grid, times)
    here = (places < count) & (grid[np.minimum(places, count - 1)] == times)
    parts = np.full((len(_SERIES), count), np.nan)
    for part, values in zip(parts, _series(candles), strict=True):
        part[places[here]] = values[here]
    return list(parts)


def _series(candles: Candles) -> tuple[Floats, ...]:
    """`_SERIES` over all the candles, each (n,)."""
    high, low, close, volume = candles.high, candles.low, candles.close, candles.volume
    return (
        close,
        high,
        low,
        *kernels.macd(close),
        *kernels.bollinger(close),
        kernels.atr(high, low, close),
        kernels.sma(close, SLOW),
        kernels.rsi(close),
        candles.open,
        volume,
        kernels.sma(volume, CHANNEL),
        kernels.accumulation(high, low, close, volume),
        kernels.highest(high, CHANNEL),
        kernels.lowest(low, CHANNEL),
    )


def _quotient(value: Floats, by: Floats) -> Floats:
    """value / by, NaN where `by` is not above zero."""
    return np.divide(value, by, out=np.full_like(by, np.nan), where=by > 0)
