"""Indicators, float64. Every kernel is causal: value i depends on inputs 0..i only; NaN until the first value.

The recursive ones are TA-Lib's, over one series (n,). RSI, ATR (Wilder's smoothing with factor 13/14) and MACD (EMAs
down to 25/27) carry a trace of where their input began. After 400 values that trace is below 1e-12 of the price:
(13/14)**400 = 1.3e-13. Callers load at least that much before the first value they use (`windows.WARM_UP`).

The others look back on a fixed number of values and forget the rest completely. They run along the last axis of any
array, so many markets cost one call, and add in an order that depends on nothing but the period: an element is the same
to the last bit, however many stand beside it.
"""

from collections.abc import Callable

import numpy as np
import talib

from plumbline.domain.candles import Floats


def rsi(close: Floats, period: int = 14) -> Floats:
    """Relative strength index, 0–100 (Wilder 1978)."""
    return talib.RSI(close, period)


def macd(close: Floats) -> tuple[Floats, Floats, Floats]:
    """MACD(12, 26, 9) in price units: line, signal line, histogram (Appel)."""
    line, signal, histogram = talib.MACD(close, 12, 26, 9)
    return line, signal, histogram


def atr(high: Floats, low: Floats, close: Floats, period: int = 14) -> Floats:
    """Average true range in price units (Wilder 1978)."""
    return talib.ATR(high, low, close, period)


def ema(close: Floats, period: int) -> Floats:
    """Exponential moving average, seeded with the simple average of the first `period` values."""
    return talib.EMA(close, period)


def sma(values: Floats, period: int) -> Floats:
    """Simple moving average."""
    return _rolling(np.add, values, period) / period


def bollinger(close: Floats, period: int = 20, width: float = 2.0) -> tuple[Floats, Floats, Floats]:
    """Bollinger bands in price units: upper, middle, lower; population standard deviation."""
    middle = sma(close, period)
    squares = np.zeros_like(middle)
    for back in range(min(period, close.shape[-1])):
        late = slice(back, None)
        distance = close[..., : close.shape[-1] - back] - middle[..., late]
        squares[..., late] += distance * distance
    spread = width * np.sqrt(squares / period)
    return middle + spread, middle, middle - spread


def highest(values: Floats, period: int) -> Floats:
    """Largest of the last `period` values, this one included."""
    return _rolling(np.maximum, values, period)


def lowest(values: Floats, period: int) -> Floats:
    """Smallest of the last `period` values, this one included."""
    return _rolling(np.minimum, values, period)


def money_flow(high: Floats, low: Floats, close: Floats, volume: Floats, period: int = 20) -> Floats:
    """Chaikin's money flow, −1..1: volume weighted by where in its range each candle closed, over all volume.

    NaN where nothing was traded. A candle without a range counts as neutral.
    """
    spread = high - low
    place = np.divide(2 * close - high - low, spread, out=np.zeros_like(spread), where=spread > 0)
    traded = _rolling(np.add, volume, period)
    flow = _rolling(np.add, place * volume, period)
    return np.divide(flow, traded, out=np.full_like(traded, np.nan), where=traded > 0)


def earlier(values: Floats, by: int = 1) -> Floats:
    """Values `by` candles earlier; NaN at the first."""
    if not by:
        return values
    shifted = np.full_like(values, np.nan)
    shifted[..., by:] = values[..., :-by]
    return shifted


def _rolling(combine: Callable[[Floats, Floats], Floats], values: Floats, period: int) -> Floats:
    """`combine` over each last `period` values, by doubling: spans of 1, 2, 4 … make any period in a few steps."""
    whole = np.full_like(values, np.nan)
    if values.shape[-1] < period:
        return whole
    block, span = values, 1
    result, covered = values[..., :0], 0
    while True:
        if period & span:
            result = combine(block[..., : block.shape[-1] - covered], result[..., span:]) if covered else block
            covered += span
        if 2 * span > period:
            break
        block, span = combine(block[..., :-span], block[..., span:]), 2 * span
    whole[..., period - 1 :] = result
    return whole
