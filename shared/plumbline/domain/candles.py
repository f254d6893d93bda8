"""Candles as columns: sorted, on their grid, possible. What breaks one of these rules cannot be built."""

import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from plumbline.domain.calendar import Timeframe, iso
from plumbline.domain.errors import InvalidCandle

type Floats = NDArray[np.float64]
type Ints = NDArray[np.int64]
type Row = Sequence[float]
"""Open time (ms), open, high, low, close, volume: the row every exchange speaks."""

COLUMNS = ("open", "high", "low", "close", "volume")


@dataclass(frozen=True, slots=True, eq=False)
class Candles:
    """Closed candles of one market, one timeframe.

    `open_time` holds int64 milliseconds, strictly increasing, each on the timeframe's grid; the other columns
    float64 of the same length. Prices are positive and finite, high ≥ open, close ≥ low, volume ≥ 0. Holes are
    allowed: a market may not have traded, an exchange may have been away.
    """

    timeframe: Timeframe
    open_time: Ints
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats

    def __post_init__(self) -> None:
        _check(self)

    @classmethod
    def of(cls, timeframe: Timeframe, rows: Iterable[Row]) -> Self:
        """Build from rows in order; InvalidCandle names the first impossible one."""
        table = np.array([tuple(row) for row in rows], dtype=np.float64).reshape(-1, 6)
        return cls(timeframe, table[:, 0].astype(np.int64), *(table[:, i].copy() for i in range(1, 6)))

    @classmethod
    def empty(cls, timeframe: Timeframe) -> Self:
        """No candles."""
        return cls.of(timeframe, ())

    def __len__(self) -> int:
        return len(self.open_time)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Candles):
            return NotImplemented
        return self.timeframe == other.timeframe and self.pack() == other.pack()

    __hash__ = None  # type: ignore[assignment]  # columns are arrays: equal by value, never a dict key

    def rows(self) -> list[tuple[int, float, float, float, float, float]]:
        """The same candles as rows."""
        columns = (getattr(self, name).tolist() for name in ("open_time", *COLUMNS))
        return list(zip(*columns, strict=True))

    def between(self, start: int, end: int) -> Self:
        """Candles whose open time lies in [start, end)."""
        low, high = np.searchsorted(self.open_time, (start, end))
        return self._take(slice(int(low), int(high)))

    def closed_by(self, instant: int) -> Self:
        """Candles that were closed at `instant`: whatever opens later does not exist yet."""
        return self._take(slice(0, int(np.searchsorted(self.open_time, instant - self.timeframe.ms, "right"))))

    def merge(self, newer: "Candles") -> Self:
        """Union of both. Where both hold the same open time, ours stays: a stored candle never changes."""
        fresh = ~np.isin(newer.open_time, self.open_time)
        if not fresh.any():
            return self
        times = np.concatenate((self.open_time, newer.open_time[fresh]))
        order = np.argsort(times, kind="stable")
        columns = (np.concatenate((getattr(self, name), getattr(newer, name)[fresh]))[order] for name in COLUMNS)
        return type(self)(self.timeframe, times[order], *columns)

    def holes(self, start: int, end: int) -> list[tuple[int, int]]:
        """Missing spans [from, to) of open times within [start, end), both on the grid."""
        step = self.timeframe.ms
        times = self.between(start, end).open_time
        edges = np.concatenate(([start - step], times, [end]))
        gaps = np.flatnonzero(np.diff(edges) > step)
        return [(int(edges[i]) + step, int(edges[i + 1])) for i in gaps]

    def pack(self) -> bytes:
        """The six columns, one after the other, little-endian 8 bytes a value."""
        return self.open_time.astype("<i8").tobytes() + b"".join(
            getattr(self, name).astype("<f8").tobytes() for name in COLUMNS
        )

    @classmethod
    def unpack(cls, timeframe: Timeframe, data: bytes) -> Self:
        """Reverse of `pack`; the rules are checked again."""
        count, rest = divmod(len(data), 48)
        if rest:
            raise InvalidCandle(f"packed candles must be a multiple of 48 bytes, got {len(data)}")
        times = np.frombuffer(data, dtype="<i8", count=count).astype(np.int64)
        table = np.frombuffer(data, dtype="<f8", offset=8 * count).astype(np.float64).reshape(5, count)
        return cls(timeframe, times, *table)

    def digest(self) -> str:
        """SHA-256 of timeframe and content: the provenance of whatever is computed from these candles."""
        return hashlib.sha256(self.timeframe.encode() + b"\n" + self.pack()).hexdigest()

    def _take(self, part: slice) -> Self:
        return type(self)(self.timeframe, self.open_time[part], *(getattr(self, name)[part] for name in COLUMNS))


@dataclass(frozen=True, slots=True)
class Sifted:
    """What an outside source's rows came to: the candles, and one sentence for each row refused."""

    candles: Candles
    refused: tuple[str, ...]


def sift(timeframe: Timeframe, rows: Iterable[object]) -> Sifted:
    """Sort an outside source's rows, keep each possible candle once, say why the others are refused."""
    kept: dict[int, tuple[float, ...]] = {}
    refused: list[str] = []
    for row in rows:
        try:
            values = _numbers(row)
            fault = fault_of(timeframe, values)
        except (TypeError, ValueError):
            refused.append(f"{row!r} is not [time, open, high, low, close, volume]")
            continue
        if fault:
            refused.append(fault)
        elif kept.setdefault(int(values[0]), values) != values:
            refused.append(f"candle {iso(int(values[0]))} came twice with different values; the first one counts")
    return Sifted(Candles.of(timeframe, (kept[time] for time in sorted(kept))), tuple(refused))


def fault_of(timeframe: Timeframe, row: Sequence[float]) -> str:
    """Why this row cannot be a candle, with the values compared; empty where it can."""
    time, open_, high, low, close, volume = row
    if not all(map(math.isfinite, row)):
        return f"candle {row}: every value must be a finite number"
    at = f"candle {iso(int(time))}" if 0 <= time < 4e12 else f"candle at {time:g}"
    if time < 0 or time % timeframe.ms:
        return f"{at}: the open time must be a multiple of {timeframe} since 1970"
    if low <= 0:
        return f"{at}: low {low} must be above zero"
    if high < max(open_, close, low):
        return f"{at}: high {high} is below open {open_}, close {close} or low {low}"
    if low > min(open_, close):
        return f"{at}: low {low} is above open {open_} or close {close}"
    if volume < 0:
        return f"{at}: volume {volume} is negative"
    return ""


def _numbers(row: object) -> tuple[float, ...]:
    if not isinstance(row, Sequence) or isinstance(row, str) or len(row) != 6:
        raise TypeError(row)
    return tuple(float(value) for value in row)


def _check(candles: Candles) -> None:
    times = candles.open_time
    columns = [getattr(candles, name) for name in COLUMNS]
    if any(column.shape != times.shape or times.ndim != 1 for column in columns):
        raise InvalidCandle(f"columns differ in length: {[c.shape for c in (times, *columns)]}")
    open_, high, low, close, volume = columns
    possible = (
        np.isfinite(high + low + open_ + close + volume)
        & (low > 0)
        & (low <= np.minimum(open_, close))
        & (high >= np.maximum(open_, close))
        & (volume >= 0)
        & (times >= 0)
        & (times % candles.timeframe.ms == 0)
    )
    if not possible.all():
        worst = int(np.argmin(possible))
        row = (float(times[worst]), *(float(column[worst]) for column in columns))
        raise InvalidCandle(fault_of(candles.timeframe, row) or f"candle {row} is impossible")
    backwards = np.flatnonzero(np.diff(times) <= 0)
    if len(backwards):
        first, second = times[backwards[0] : backwards[0] + 2].tolist()
        raise InvalidCandle(f"out of order: candle {iso(second)} stands after {iso(first)}")
