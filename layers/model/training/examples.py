"""Examples: what the policy would have been shown at every candle, and what became of a trade entered there."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from layers.model.training.history import TIMEFRAME, History
from plumbline.domain import brackets
from plumbline.domain.brackets import HORIZON
from plumbline.domain.candles import Candles, Floats, Ints
from plumbline.domain.errors import InvalidInput
from plumbline.domain.features import Features
from plumbline.domain.policy import ACTIONS, MIRRORED, WINDOW, Windows, inputs
from plumbline.domain.windows import BLOCK, WARM_UP

STOP_ATR = 2.0
TARGET_ATR = 3.0
COST_PCT = 0.3
"""Fees and slippage of a trade's two sides together, in percent of its price: the paper book's."""

HOLD, BUY, SELL = range(len(ACTIONS))
_SPAN = BLOCK * TIMEFRAME.ms
_BEFORE = WINDOW - 1


@dataclass(frozen=True, slots=True)
class Examples:
    """Examples in order of time. `rows` are the inputs of all blocks, one after the other, float32 (rows, features).

    Arrays (n,) or (n, 2) for long and short: `start` is the row of each window's oldest candle, `time` the close of its
    last (ms), `market` the index in `symbols`, `label` the action that would have reached its target before its stop,
    `earned` what a trade made in units of its risk before costs, `held` the candles it took, `cost` a trade's costs in
    units of its risk.
    """

    rows: NDArray[np.float32]
    start: Ints
    time: Ints
    market: Ints
    label: Ints
    earned: Floats
    held: Ints
    cost: Floats
    symbols: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.start)

    @classmethod
    def of(cls, history: History) -> "Examples":
        """Every candle with a whole window behind it and a decided trade, long and short, before it.

        InvalidInput if there is none.
        """
        parts = [_Part.of(market, block) for market, c in enumerate(history.values()) for block in _blocks(c)]
        if not any(len(part.time) for part in parts):
            most = max((len(candles) for candles in history.values()), default=0)
            raise InvalidInput(
                f"a trade needs {WARM_UP} candles before and {HORIZON} after its entry; the most are {most}"
            )
        offset = np.cumsum([0, *(len(part.rows) for part in parts[:-1])])
        start = np.concatenate([part.start + first for part, first in zip(parts, offset, strict=True)])
        columns = {
            name: np.concatenate([getattr(part, name) for part in parts])
            for name in ("time", "market", "label", "earned", "held", "cost")
        }
        order = np.lexsort((columns["market"], columns["time"]))
        return cls(
            rows=np.concatenate([part.rows for part in parts]),
            start=start[order],
            **{name: values[order] for name, values in columns.items()},
            symbols=np.array(list(history)),
        )

    def windows(self, some: Ints) -> Windows:
        """Inputs of these examples: float32 (n, `WINDOW`, features)."""
        found: Windows = self.rows[self.start[some, None] + np.arange(WINDOW)]
        return found

    def net(self) -> Floats:
        """What a long and a short trade made after costs, in units of the risk: (n, 2)."""
        return self.earned - self.cost[:, None]

    def digest(self) -> str:
        """SHA-256 of inputs, labels and times: the provenance of whatever is learned from them."""
        columns = (self.rows, self.start, self.time, self.label, self.earned, self.cost)
        return hashlib.sha256(b"".join(np.ascontiguousarray(column).tobytes() for column in columns)).hexdigest()

    def save(self, path: Path) -> None:
        """Write for the training environment, with what it must know of the policy."""
        columns = {f.name: getattr(self, f.name) for f in fields(self)}
        np.savez(path, allow_pickle=False, window=np.array(WINDOW), mirrored=np.array(MIRRORED), **columns)


@dataclass(frozen=True, slots=True)
class _Block:
    """A block's candles with those of its window, and the market's whole history, which knows what came later."""

    history: Candles
    window: Candles
    begin: int


def _blocks(candles: Candles) -> Iterator[_Block]:
    for index in np.unique(candles.open_time // _SPAN).tolist():
        window = candles.between((index - 1) * _SPAN, (index + 1) * _SPAN)
        if len(window) >= WARM_UP:
            yield _Block(candles, window, index * _SPAN)


@dataclass(frozen=True, slots=True)
class _Part:
    """One block's share of the examples."""

    rows: NDArray[np.float32]
    start: Ints
    time: Ints
    market: Ints
    label: Ints
    earned: Floats
    held: Ints
    cost: Floats

    @classmethod
    def of(cls, market: int, block: _Block) -> "_Part":
        step = TIMEFRAME.ms
        grid = np.arange(block.begin - _BEFORE * step, block.begin + _SPAN, step)
        features = Features.of([block.window], grid)
        rows = inputs(features)[0]
        whole = np.lib.stride_tricks.sliding_window_view(np.isfinite(rows).all(axis=1), WINDOW).all(axis=1)
        warm = grid[_BEFORE:] >= block.window.open_time[WARM_UP - 1]
        start = np.flatnonzero(whole & warm)
        trades = _Trades.of(block.history, grid[_BEFORE:][start], features.atr[0, _BEFORE:][start])
        known = trades.known
        return cls(
            rows=rows,
            start=start[known],
            time=grid[_BEFORE:][start][known] + step,
            market=np.full(int(known.sum()), market),
            label=trades.label[known],
            earned=trades.earned[known],
            held=trades.held[known],
            cost=trades.cost[known],
        )


@dataclass(frozen=True, slots=True)
class _Trades:
    known: NDArray[np.bool_]
    label: Ints
    earned: Floats
    held: Ints
    cost: Floats

    @classmethod
    def of(cls, history: Candles, opened: Ints, atr: Floats) -> "_Trades":
        """Trades at the closes of the candles that open at `opened`, both ways."""
        at = np.searchsorted(history.open_time, opened)
        stop, target = STOP_ATR * atr, TARGET_ATR * atr
        long, short = (brackets.resolve(history, at, side, stop, target) for side in (1, -1))
        return cls(
            known=long.known & short.known,
            label=np.where(long.ended == 1, BUY, np.where(short.ended == 1, SELL, HOLD)),
            earned=np.stack((long.r, short.r), axis=1),
            held=np.stack((long.held, short.held), axis=1),
            cost=COST_PCT / 100 * history.close[at] / stop,
        )
