"""The log of signals in DynamoDB: put-if-absent under a key that the signal's id computes.

One signal costs three write units: itself (under 1 KB) and an entry in each index.
"""

import hashlib
import heapq
from collections.abc import Iterator
from itertools import batched, groupby, islice
from operator import attrgetter
from typing import Any

from plumbline.adapters.stores.cursor import next_cursor, resume_at
from plumbline.adapters.stores.keys import calendar_day, days_of, ids_within, last_id, shards_of, signal_key
from plumbline.adapters.tables import SignalClaim, SignalDay, SignalItem
from plumbline.domain.calendar import Timeframe, day_of
from plumbline.domain.errors import InvalidInput
from plumbline.domain.signals import (
    Action,
    MarketType,
    Origin,
    Provenance,
    Signal,
    Tier,
    admit,
    first_id,
    timestamp_of,
)
from plumbline.ports import Page, SignalFilter

_NEWEST = "7" + "Z" * 25


class DynamoSignals:
    """ports.SignalLog."""

    def __init__(self, items: type[SignalItem], days: type[SignalDay], claims: type[SignalClaim], source: str) -> None:
        self._items = items
        self._days = days
        self._claims = claims
        self._source = source
        self._marked: set[str] = set()

    def add(self, signal: Signal) -> bool:
        """Append. The day is marked first: a day without its mark would hide its signals from long ranges."""
        admit(signal, self._source)
        if timestamp_of(signal.signal_id) != signal.timestamp:
            raise InvalidInput(
                f"signal {signal.signal_id} names the time {timestamp_of(signal.signal_id)}, "
                f"its timestamp is {signal.timestamp}",
                field="signal_id",
            )
        self._mark(day_of(signal.timestamp))
        return self._encode(signal).put_new()

    def claim(self, name: str, signal_id: str) -> str:
        """Put if absent, then read who holds it. The name is hashed: outsiders choose it, of any length."""
        key = f"{self._source}#claim#{hashlib.sha256(name.encode()).hexdigest()}", "claim"
        if self._claims(*key, signal_id=signal_id).put_new():
            return signal_id
        holder = self._claims.read(*key)
        return holder.signal_id if holder else signal_id

    def get(self, signal_id: str) -> Signal | None:
        """One signal, from the partition that its id names."""
        item = self._items.read(*signal_key(self._source, signal_id))
        return self._decode(item) if item else None

    def between(self, after: int, until: int) -> Iterator[Signal]:
        """Signals of (after, until] in order of id: two short queries for each day touched that has any."""
        low, high = ids_within(after, until)
        days = list(days_of(after, until)) if until > after else []
        if len(days) > 2:
            days = [mark.sk for mark in self._marks(days[0], days[-1])]
        for day in days:
            yield from map(self._decode, self._day(day, low, high))

    def page(self, wanted: SignalFilter, limit: int, cursor: str | None = None) -> Page[Signal]:
        """Newest first, over the days that have signals; a symbol or channel is read from its index."""
        if limit < 1:
            raise InvalidInput(f"a page holds 1 signal or more, not {limit}", field="limit")
        low = first_id(max(wanted.since or 0, 0))
        high = _NEWEST if wanted.until is None else last_id(wanted.until)
        before = resume_at(cursor, wanted)
        if before:
            high = min(high, before)
        candidates = self._newest(wanted, low, high, limit + 2)
        found = list(islice((s for s in candidates if s.signal_id != before and _wanted(s, wanted)), limit + 1))
        more = next_cursor(found[limit - 1].signal_id, wanted) if len(found) > limit else None
        return Page(tuple(found[:limit]), more)

    def _newest(self, wanted: SignalFilter, low: str, high: str, chunk: int) -> Iterator[Signal]:
        """Signals with id in [low, high], newest first, in reads of about `chunk`."""
        if low > high:
            return
        days = (
            mark.sk
            for mark in self._marks(
                calendar_day(timestamp_of(low)), calendar_day(timestamp_of(high)), newest_first=True
            )
        )
        if wanted.symbol is None and wanted.channel_id is None:
            for day in days:
                yield from map(self._decode, self._day(day, low, high, newest_first=True, page_size=chunk))
            return
        keys = ((item.pk, item.sk) for item in self._index_entries(wanted, days, low, high, chunk))
        for part in batched(keys, chunk, strict=False):
            found = {item.sk: item for item in self._items.fetch(part)}
            yield from (self._decode(found[sk]) for _, sk in part if sk in found)

    def _index_entries(
        self, wanted: SignalFilter, days: Iterator[str], low: str, high: str, chunk: int
    ) -> Iterator[SignalItem]:
        index, value = ("by-symbol", wanted.symbol) if wanted.symbol is not None else ("by-channel", wanted.channel_id)
        for month, _ in groupby(days, key=lambda day: day[:7]):
            yield from self._items.select(
                f"{self._source}#{value}#{month}",
                self._items.sk.between(low, high),
                newest_first=True,
                index=index,
                page_size=chunk,
            )

    def _day(
        self, day: str, low: str, high: str, *, newest_first: bool = False, page_size: int | None = None
    ) -> Iterator[SignalItem]:
        within = self._items.sk.between(low, high)
        shards = (
            self._items.select(pk, within, newest_first=newest_first, page_size=page_size)
            for pk in shards_of(self._source, day)
        )
        return heapq.merge(*shards, key=attrgetter("sk"), reverse=newest_first)

    def _mark(self, day: str) -> None:
        """Reading first costs a tenth of a refused write; a container remembers what it has marked."""
        if day not in self._marked:
            if self._days.read(self._marks_key, day) is None:
                self._days(self._marks_key, day).put_new()
            self._marked.add(day)

    def _marks(self, first: str, last: str, *, newest_first: bool = False) -> Iterator[SignalDay]:
        """Days with signals. One partition: it gains one tiny item a day, and is written once a day."""
        return self._days.select(self._marks_key, self._days.sk.between(first, last), newest_first=newest_first)

    @property
    def _marks_key(self) -> str:
        return f"{self._source}#days"

    def _encode(self, signal: Signal) -> SignalItem:
        month = day_of(signal.timestamp)[:7]
        return self._items(
            *signal_key(self._source, signal.signal_id),
            symbol_month=f"{self._source}#{signal.symbol}#{month}",
            channel_month=f"{self._source}#{signal.channel_id}#{month}",
            recorded_at=signal.recorded_at,
            origin=signal.origin,
            timeframe=signal.timeframe,
            action=signal.action,
            confidence=signal.confidence,
            unified_score=signal.unified_score,
            scanner_type=signal.scanner_type,
            entry_price=signal.entry_price,
            stop_loss=signal.stop_loss,
            take_profit=signal.take_profit,
            position_size=signal.position_size,
            risk_reward_ratio=signal.risk_reward_ratio,
            snapshot_id=signal.snapshot_id,
            candles_hash=signal.provenance.candles_hash,
            model_hash=signal.provenance.model_hash,
            details=_details(signal),
        )

    def _decode(self, item: SignalItem) -> Signal:
        details: dict[str, Any] = item.details
        return Signal(
            signal_id=item.sk,
            timestamp=timestamp_of(item.sk),
            recorded_at=item.recorded_at,
            origin=Origin(item.origin),
            symbol=self._middle(item.symbol_month),
            timeframe=Timeframe(item.timeframe),
            action=Action(item.action),
            confidence=item.confidence,
            unified_score=item.unified_score,
            tier=Tier.of(item.unified_score),
            scanner_type=item.scanner_type,
            channel_id=self._middle(item.channel_month),
            strategy_type=details["strategy"],
            entry_price=item.entry_price,
            snapshot_id=item.snapshot_id,
            provenance=Provenance(
                candles_hash=item.candles_hash,
                model_hash=item.model_hash,
                data_source=self._source,
                code_version=details["code"],
            ),
            market_type=MarketType(details["market"]),
            stop_loss=item.stop_loss,
            take_profit=item.take_profit,
            position_size=item.position_size,
            risk_reward_ratio=item.risk_reward_ratio,
            model_version=details["model"],
            win_probability=details.get("win"),
            indicator_breakdown=details["breakdown"],
            indicators_fired=tuple(details["fired"]),
            reasoning=tuple(details["reasoning"]),
            latency_ms=details["latency"],
        )

    def _middle(self, index_key: str) -> str:
        """`BTC/USDT` of `binance#BTC/USDT#2026-11`."""
        return index_key[len(self._source) + 1 : -len("#2026-11")]


def _details(signal: Signal) -> dict[str, object]:
    """What only a reader of this one signal wants."""
    return {
        "strategy": signal.strategy_type,
        "market": signal.market_type,
        "model": signal.model_version,
        "win": signal.win_probability,
        "code": signal.provenance.code_version,
        "breakdown": dict(signal.indicator_breakdown),
        "fired": signal.indicators_fired,
        "reasoning": signal.reasoning,
        "latency": signal.latency_ms,
    }


def _wanted(signal: Signal, wanted: SignalFilter) -> bool:
    """The index answers one of the two; the other is compared here."""
    return wanted.symbol in (None, signal.symbol) and wanted.channel_id in (None, signal.channel_id)
