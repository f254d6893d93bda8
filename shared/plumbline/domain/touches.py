"""Which candle first touches a level: a search through blocks of candles of doubling length.

A block that reaches neither level is skipped whole, so a trade costs some 2·log₂(candles held) steps, each taken by all
trades at once. What is skipped is what the trade lived through: its extremes are known at the end for free.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plumbline.domain.candles import Floats, Ints

_TRADES, _CANDLES = 1 << 14, 1 << 18
"""Searched at a time: the blocks of so many candles and the temporaries of so many trades stay in the cache."""


@dataclass(frozen=True, slots=True)
class Touches:
    """Where each search ended, arrays (trades,).

    `at` is the first candle that touches a level, or the end of the range. `lowest` and `highest` are the extremes of
    the candles before it, +inf and −inf where there are none.
    """

    at: Ints
    lowest: Floats
    highest: Floats


def portions(first: Ints, end: Ints) -> list[Ints]:
    """Indices of the trades whose range [first, end) holds a candle, in portions that are best searched at a time.

    Those of one portion are neighbours in time: they share their blocks.
    """
    some = np.flatnonzero(first < end)
    if not len(some):
        return []
    span = int(end[some].max() - first[some].min())
    count = max(-(-len(some) // _TRADES), -(-span // _CANDLES))
    if count == 1:
        return [some]
    in_time = some[np.argsort(first[some], kind="stable")]
    return np.array_split(in_time, min(count, len(some)))


def first_touches(low: Floats, high: Floats, first: Ints, end: Ints, lower: Floats, upper: Floats) -> Touches:
    """First candle of [first, end) with its low at or below `lower`, or its high at or above `upper`.

    `low` and `high` are (candles,), the others (trades,): indices with first ≤ end ≤ candles, and prices, NaN where
    there is no level. Takes memory for the candles between the earliest of `first` and the latest of `end`.
    """
    longest = int((end - first).max(initial=0))
    # Highs upside down: then both levels are floors, and both extremes minima.
    skipped = np.full((2, len(first)), np.inf)
    if not longest:
        return Touches(first, skipped[0], -skipped[1])
    floors = np.stack((lower, -upper))
    floors[np.isnan(floors)] = -np.inf
    start, stop = int(first.min()), int(end.max())
    blocks = _blocks(np.stack((low[start:stop], -high[start:stop])), longest)
    at = _search(blocks, first - start, end - start, floors, skipped)
    return Touches(at + start, skipped[0], -skipped[1])


def _blocks(candles: Floats, longest: int) -> list[Floats]:
    """Minima (2, blocks) of whole blocks of 1, 2, 4 … candles, up to the largest that fits into `longest`."""
    levels = [candles]
    for _ in range(1, longest.bit_length()):
        whole = levels[-1].shape[1] // 2 * 2
        levels.append(np.minimum(levels[-1][:, 0:whole:2], levels[-1][:, 1:whole:2]))
    return levels


def _search(blocks: list[Floats], at: Ints, end: Ints, floors: Floats, skipped: Floats) -> Ints:
    """Positions (trades,) of the touches or ends; `skipped` takes the minima (2, trades) of what lies before.

    On the way up, skip the odd blocks, ever longer ones, until one touches or overshoots the end; on the way down,
    skip what can be skipped in ever shorter ones. A position that got stuck on the way up is on the grid of no longer
    block, so it takes part again exactly where it stopped.
    """
    sizes = range(len(blocks))
    for size in sizes:
        odd = (at & ((2 << size) - 1)) == 1 << size
        at = _skip(blocks[size], size, odd, at, end, floors, skipped)
    for size in reversed(sizes):
        on_grid = (at & ((1 << size) - 1)) == 0
        at = _skip(blocks[size], size, on_grid, at, end, floors, skipped)
    return at


def _skip(
    blocks: Floats, size: int, may: NDArray[np.bool_], at: Ints, end: Ints, floors: Floats, skipped: Floats
) -> Ints:
    """Move past the block of 2**size candles where it lies in the range and touches nothing."""
    may &= at + (1 << size) <= end
    if not may.any():
        return at
    block = blocks.take(at >> size, axis=1, mode="clip")
    above = block > floors
    may &= above[0]
    may &= above[1]
    np.minimum(skipped, np.where(may, block, np.inf), out=skipped)
    return at + (may.astype(np.int64) << size)
