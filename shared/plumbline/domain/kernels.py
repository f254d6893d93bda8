"""Indicators by TA-Lib: float64 arrays of shape (n,) in, arrays of shape (n,) out, NaN until the first value.

Every kernel is causal: value i depends on inputs 0..i only. The recursive ones (RSI, ATR: Wilder's smoothing with
factor 13/14; MACD: EMAs down to 25/27) carry a trace of where their input began. After 400 values that trace is
below 1e-12 of the price: (13/14)**400 = 1.3e-13. Callers load at least that much before the first value they use
(`windows.WARM_UP`). Slow averages are therefore simple ones, which forget completely.
"""

import talib

from plumbline.domain.candles import Floats


def rsi(close: Floats, period: int = 14) -> Floats:
    """Relative strength index, 0–100 (Wilder 1978)."""
    return talib.RSI(close, period)


def macd(close: Floats) -> tuple[Floats, Floats, Floats]:
    """MACD(12, 26, 9) in price units: line, signal line, histogram (Appel)."""
    line, signal, histogram = talib.MACD(close, 12, 26, 9)
    return line, signal, histogram


def bollinger(close: Floats, period: int = 20, width: float = 2.0) -> tuple[Floats, Floats, Floats]:
    """Bollinger bands in price units: upper, middle, lower; population standard deviation."""
    upper, middle, lower = talib.BBANDS(close, period, width, width)
    return upper, middle, lower


def ema(close: Floats, period: int) -> Floats:
    """Exponential moving average, seeded with the simple average of the first `period` values."""
    return talib.EMA(close, period)


def sma(values: Floats, period: int) -> Floats:
    """Simple moving average."""
    return talib.SMA(values, period)


def atr(high: Floats, low: Floats, close: Floats, period: int = 14) -> Floats:
    """Average true range in price units (Wilder 1978)."""
    return talib.ATR(high, low, close, period)


def highest(values: Floats, period: int) -> Floats:
    """Largest of the last `period` values, this one included."""
    return talib.MAX(values, period)


def lowest(values: Floats, period: int) -> Floats:
    """Smallest of the last `period` values, this one included."""
    return talib.MIN(values, period)


def accumulation(high: Floats, low: Floats, close: Floats, volume: Floats) -> Floats:
    """Accumulation/distribution line (Chaikin): volume summed, weighted by where in its range the candle closed."""
    return talib.AD(high, low, close, volume)
