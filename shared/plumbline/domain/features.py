"""What strategies look at: the indicators of a window of candles, and which window belongs to a candle."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from plumbline.domain import kernels
from plumbline.domain.calendar import Timeframe
from plumbline.domain.candles import Candles, Floats

BLOCK = 480
"""Windows begin at the start of the block of this many candles before the candle's own block.

The start is a function of the candle's time alone, so the recursive indicators of a candle begin at the same place
whoever computes it: live (one candle), backfill (a month) and backtest agree to the last bit. A window holds 481 to
960 candles where none is missing: above `kernels.WARM_UP`, and one page of an exchange's answer.
"""


@dataclass(frozen=True, slots=True)
class Features:
    """Indicator values, each float64 (n,), aligned with the candles; NaN where there is no value."""

    close: Floats
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

    @classmethod
    def of(cls, candles: Candles) -> Self:
        """Indicators of a window of candles."""
        line, signal, histogram = kernels.macd(candles.close)
        upper, middle, lower = kernels.bollinger(candles.close)
        return cls(
            close=candles.close,
            body=candles.close - candles.open,
            rsi=kernels.rsi(candles.close),
            macd=line,
            macd_signal=signal,
            macd_hist=histogram,
            macd_hist_prev=kernels.previous(histogram),
            bb_upper=upper,
            bb_middle=middle,
            bb_lower=lower,
            atr=kernels.atr(candles.high, candles.low, candles.close),
            volume_ratio=kernels.relative_volume(candles.volume),
        )

    @classmethod
    def of_snapshot(cls, values: Mapping[str, float]) -> Self:
        """One moment's values by name; the histogram follows from MACD and signal line, the rest is NaN if absent."""
        known = dict(values)
        if "macd" in known and "macd_signal" in known:
            known.setdefault("macd_hist", known["macd"] - known["macd_signal"])
        return cls(**{f.name: np.array([known.get(f.name, np.nan)]) for f in fields(cls)})

    @property
    def percent_b(self) -> Floats:
        """Place of the close between the bands: 0 on the lower, 1 on the upper; NaN where the bands touch."""
        width = self.bb_upper - self.bb_lower
        return np.divide(self.close - self.bb_lower, width, out=np.full_like(width, np.nan), where=width > 0)


def window_start(timeframe: Timeframe, open_time: int) -> int:
    """Open time at which the window of the candle that opened at `open_time` begins."""
    span = BLOCK * timeframe.ms
    return open_time - open_time % span - span


def blocks(timeframe: Timeframe, first_close: int, last_close: int) -> list[tuple[int, int]]:
    """The closes first..last (ms, inclusive) as stretches (from, to) that share a window each."""
    step, span = timeframe.ms, BLOCK * timeframe.ms
    stretches = []
    close = first_close
    while close <= last_close:
        end_of_block = (close - step) - (close - step) % span + span
        stretches.append((close, min(end_of_block, last_close)))
        close = end_of_block + step
    return stretches
