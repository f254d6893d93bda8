"""Candles in DynamoDB: fixed chunks under computed keys, so a series is fetched by BatchGetItem and never searched for.

A chunk only ever grows, and its checksum changes with it; a writer that read an older one is refused and merges again.
"""

import hashlib
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from plumbline.adapters.items import Key
from plumbline.adapters.tables import CandleChunk
from plumbline.domain.calendar import DAY, HOUR, Timeframe, iso
from plumbline.domain.candles import COLUMNS, Candles
from plumbline.domain.errors import CorruptChunk, InvalidCandle, StoreUnavailable
from plumbline.ports import Span

CHUNK = {
    Timeframe.M1: HOUR,
    Timeframe.M5: 8 * HOUR,
    Timeframe.M15: DAY,
    Timeframe.H1: 4 * DAY,
    Timeframe.H4: 16 * DAY,
    Timeframe.D1: 96 * DAY,
}
"""Time covered by one item, aligned to 1970: 60 to 96 candles, 1.5 to 2.5 KB full. Part of every stored key."""

_TRIES = 10
"""Writers of one chunk that may win before us. Each adds candles, so a series of this many losses is a fault."""


class DynamoCandles:
    """ports.CandleStore."""

    def __init__(self, chunks: type[CandleChunk], source: str) -> None:
        self._chunks = chunks
        self._source = source
        self._written: dict[tuple[str, Timeframe], tuple[Key, _Chunk]] = {}

    def load(self, spans: Sequence[Span]) -> list[Candles]:
        """What is stored of each span. A chunk that several spans share is fetched and decoded once."""
        starts = [list(_chunk_starts(span.timeframe, span.start, span.end)) for span in spans]
        keys = {
            self._key(span.symbol, span.timeframe, start): span.timeframe
            for span, firsts in zip(spans, starts, strict=True)
            for start in firsts
        }
        stored = self._read(keys)
        return [
            _join(
                span.timeframe,
                (stored.get(self._key(span.symbol, span.timeframe, start)) for start in firsts),
            ).between(span.start, span.end)
            for span, firsts in zip(spans, starts, strict=True)
        ]

    def add(self, symbol: str, candles: Candles) -> int:
        """Merge into the stored chunks, which win. A run that ends half-way has stored whole chunks.

        The chunk this container wrote last of a series is not read again: if somebody else has changed it meanwhile,
        the condition of the write says so.
        """
        parts = {self._key(symbol, candles.timeframe, start): part for start, part in _split(candles)}
        series = symbol, candles.timeframe
        known = dict([self._written[series]] if series in self._written else [])
        unknown = [key for key in parts if key not in known]
        known |= {(item.pk, item.sk): _Chunk.of(item, candles.timeframe) for item in self._chunks.fetch(unknown)}
        added = 0
        for key, part in parts.items():
            old = known.get(key, _Chunk(Candles.empty(candles.timeframe)))
            new, gained = self._extend(key, part, old)
            self._written[series] = key, new
            added += gained
        return added

    def _extend(self, key: Key, candles: Candles, old: "_Chunk") -> tuple["_Chunk", int]:
        """The chunk as it is now stored, and how many candles we brought."""
        for _ in range(_TRIES):
            merged = old.candles.merge(candles)
            if len(merged) == len(old.candles):
                return old, 0
            chunk_is_as_read = (
                self._chunks.checksum == old.checksum if old.checksum else self._chunks.checksum.does_not_exist()
            )
            item = self._encode(key, merged)
            if item.put_if(chunk_is_as_read):
                return _Chunk(merged, item.checksum), len(merged) - len(old.candles)
            stored = self._chunks.read(*key)
            old = _Chunk.of(stored, candles.timeframe) if stored else _Chunk(Candles.empty(candles.timeframe))
        raise StoreUnavailable(
            f"candles {key[0]} from {key[1]}: {_TRIES} other writers in a row changed this chunk; try again",
            retry_after=1.0,
        )

    def _read(self, keys: Mapping[Key, Timeframe]) -> dict[Key, Candles]:
        items = self._chunks.fetch(keys)
        return {(item.pk, item.sk): _decode(item, keys[item.pk, item.sk]) for item in items}

    def _key(self, symbol: str, timeframe: Timeframe, start: int) -> Key:
        opened = iso(start)
        return f"{self._source}#{symbol}#{timeframe}#{opened[:7]}", opened

    def _encode(self, key: Key, candles: Candles) -> CandleChunk:
        raw = candles.pack()
        return self._chunks(
            *key, length=len(candles), checksum=hashlib.sha256(raw).digest(), packed=zlib.compress(raw, 6)
        )


@dataclass(frozen=True, slots=True)
class _Chunk:
    """A chunk's candles and the checksum it is stored with; no checksum: it is not stored."""

    candles: Candles
    checksum: bytes = b""

    @classmethod
    def of(cls, item: CandleChunk, timeframe: Timeframe) -> Self:
        return cls(_decode(item, timeframe), item.checksum)


def _decode(item: CandleChunk, timeframe: Timeframe) -> Candles:
    try:
        raw = zlib.decompress(item.packed)
        candles = Candles.unpack(timeframe, raw)
    except (zlib.error, InvalidCandle) as exc:
        raise CorruptChunk(f"candles {item.pk} from {item.sk} cannot be unpacked: {exc}") from exc
    found = hashlib.sha256(raw).digest()
    if found != item.checksum or len(candles) != item.length:
        raise CorruptChunk(
            f"candles {item.pk} from {item.sk}: stored {item.length} candles with checksum {item.checksum.hex()[:16]}, "
            f"read {len(candles)} with {found.hex()[:16]}; restore it from a backup"
        )
    return candles


def _chunk_starts(timeframe: Timeframe, start: int, end: int) -> range:
    length = CHUNK[timeframe]
    return range(start - start % length, end, length)


def _split(candles: Candles) -> Iterator[tuple[int, Candles]]:
    length = CHUNK[candles.timeframe]
    for start in np.unique(candles.open_time - candles.open_time % length).tolist():
        yield start, candles.between(start, start + length)


def _join(timeframe: Timeframe, chunks: Iterable[Candles | None]) -> Candles:
    """Chunks in order as one series."""
    parts = [chunk for chunk in chunks if chunk is not None]
    if len(parts) < 2:
        return parts[0] if parts else Candles.empty(timeframe)
    columns = (np.concatenate([getattr(part, name) for part in parts]) for name in ("open_time", *COLUMNS))
    return Candles(timeframe, *columns)
