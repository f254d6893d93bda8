"""Which stretch of candles decides on one candle: a function of its time alone."""

from plumbline.domain.calendar import Timeframe

BLOCK = 480
"""Windows begin at the start of the block of this many candles before the candle's own block.

The start is a function of the candle's time alone, so the recursive indicators of a candle begin at the same place
whoever computes it: live (one candle), backfill (a month) and backtest agree to the last bit. A window holds 481 to
960 candles where none is missing: above `WARM_UP`, and one page of an exchange's answer.
"""

WARM_UP = 400
"""Candles before the first that is decided on: what the recursive kernels need to forget where they began."""


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
