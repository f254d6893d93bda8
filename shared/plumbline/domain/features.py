"""What strategies look at: the indicators of a window of candles."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from plumbline.domain import kernels
from plumbline.domain.candles import Candles, Floats


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

    def since(self, begin: int) -> Self:
        """The values from index `begin` on."""
        return type(self)(*(getattr(self, f.name)[begin:] for f in fields(self)))

    @property
    def percent_b(self) -> Floats:
        """Place of the close between the bands: 0 on the lower, 1 on the upper; NaN where the bands touch."""
        width = self.bb_upper - self.bb_lower
        return np.divide(self.close - self.bb_lower, width, out=np.full_like(width, np.nan), where=width > 0)
