"""Examples as the training environment reads them: arrays of a file, and their mirror image."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
Windows = NDArray[np.float32]

SWAPPED = np.array([0, 2, 1])
"""Where HOLD, BUY and SELL stand in the market's mirror image."""


@dataclass(frozen=True)
class Sample:
    """The columns of `examples.Examples`, and which features change their sign in the mirror: ±1 (features,)."""

    rows: Windows
    start: Ints
    label: Ints
    net: Floats
    signs: Windows
    window: int

    @classmethod
    def load(cls, path: Path) -> "Sample":
        """Read what `Examples.save` wrote."""
        with np.load(path) as data:
            return cls(
                rows=data["rows"],
                start=data["start"],
                label=data["label"],
                net=data["earned"] - data["cost"][:, None],
                signs=np.where(data["mirrored"], -1, 1).astype(np.float32),
                window=int(data["window"]),
            )

    def windows(self, some: Ints, mirrored: Mask | bool = False) -> Windows:
        """Windows (n, candles, features), those that are `mirrored` in the mirror."""
        found = self.rows[self.start[some, None] + np.arange(self.window)]
        turned = np.broadcast_to(mirrored, len(some))[:, None, None]
        shown: Windows = np.where(turned, found * self.signs, found)
        return shown

    def labels(self, some: Ints, mirrored: Mask | bool = False) -> Ints:
        """Labels (n,), BUY and SELL exchanged in the mirror."""
        found = self.label[some]
        return np.where(mirrored, SWAPPED[found], found)

    def rewards(self, some: Ints, mirrored: Mask) -> Floats:
        """What each action earned: (n, 3), nothing for HOLD."""
        net = np.where(mirrored[:, None], self.net[some, ::-1], self.net[some])
        return np.concatenate((np.zeros((len(some), 1)), net), axis=1)

    def both_ways(self, some: Ints) -> tuple[Ints, Mask]:
        """Indices and their mirroring, so that each example stands there once either way."""
        return np.concatenate((some, some)), np.repeat((False, True), len(some))

    def moments(self, some: Ints) -> tuple[Windows, Windows]:
        """Mean and standard deviation (features,) at the windows' last candles, either way."""
        last = self.rows[self.start[some] + self.window - 1].astype(np.float64)
        both = np.concatenate((last, last * self.signs))
        return both.mean(axis=0).astype(np.float32), np.maximum(both.std(axis=0), 1e-3).astype(np.float32)
