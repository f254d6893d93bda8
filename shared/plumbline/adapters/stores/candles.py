"""Candles in DynamoDB: fixed chunks under computed keys, so a series is fetched by BatchGetItem and never searched for.

A chunk only ever grows, and its checksum changes with it; a writer that read an older one is refused and merges again.
"""

import hashlib
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from plumbline.adapters.items import Key
from plumbline.adapters.tables import CandleChunk
from plumbline.domain.calendar import DAY, HOUR, Timeframe, iso
from plumbline.domain.candles import COLUMNS, Candles
from plumbline.domain.errors import InvalidCandle, PlumblineError, StoreUnavailable
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


class CorruptChunk(PlumblineError):
    """A stored chunk of candles does not match its own checksum or count."""


class DynamoCandles:
    """ports.CandleStore."""

    def __init__(self, chunks: type[CandleChunk], source: str) -> None:
        self._chunks = chunks
        self._source = source

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
        """Merge into the stored chunks, which win. A run that ends half-way has stored whole chunks."""
        parts = {self._key(symbol, candles.timeframe, start): part for start, part in _split(candles)}
        stored = {(item.pk, item.sk): item for item in self._chunks.fetch(parts)}
        return sum(self._extend(key, part, stored.get(key)) for key, part in parts.items())

    def _extend(self, key: Key, candles: Candles, item: CandleChunk | None) -> int:
        for _ in range(_TRIES):
            old = _decode(item, candles.timeframe) if item else Candles.empty(candles.timeframe)
            merged = old.merge(candles)
            if len(merged) == len(old):
                return 0
            chunk_is_as_read = (
                self._chunks.checksum == item.checksum if item else self._chunks.checksum.does_not_exist()
            )
            if self._encode(key, merged).put_if(chunk_is_as_read):
                return len(merged) - len(old)
            item = self._chunks.read(*key)
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
            f"read {len(candles)} with {found.hex()[:16]}; restore this item, or delete it and collect again"
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
