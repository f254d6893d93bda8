"""The log of signals in DynamoDB: put-if-absent under a key that the signal's id computes.

One signal costs three write units: itself (under 1 KB) and an entry in each index.
"""

import hashlib
from collections.abc import Iterator
from operator import attrgetter
from typing import Any

from plumbline.adapters.stores.days import DayLists
from plumbline.adapters.stores.keys import calendar_day, ids_within, last_id, signal_key
from plumbline.adapters.stores.paging import check_limit, page_of, resume_at
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
        self._claims = claims
        self._source = source
        self._lists = DayLists(items, days, source, prefix=source, marks=f"{source}#days")

    def add(self, signal: Signal) -> bool:
        """Append. The day is marked first: a day without its mark would hide its signals from long ranges."""
        admit(signal, self._source)
        if timestamp_of(signal.signal_id) != signal.timestamp:
            raise InvalidInput(
                f"signal {signal.signal_id} names the time {timestamp_of(signal.signal_id)}, "
                f"its timestamp is {signal.timestamp}",
                field="signal_id",
            )
        self._lists.mark(day_of(signal.timestamp))
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

    def between(self, after: int, until: int, *, consistent: bool = True) -> Iterator[Signal]:
        """Signals of (after, until] in order of id: two short queries for each day touched that has any."""
        low, high = ids_within(after, until)
        for day in self._lists.touched(after, until):
            yield from map(self._decode, self._lists.on(day, low, high, consistent=consistent))

    def page(self, wanted: SignalFilter, limit: int, cursor: str | None = None) -> Page[Signal]:
        """Newest first, over the days that have signals; a symbol or channel is read from its index."""
        check_limit(limit, "signal")
        low = first_id(max(wanted.since or 0, 0))
        high = _NEWEST if wanted.until is None else last_id(wanted.until)
        before = resume_at(cursor, wanted, timestamp_of)
        if before:
            high = min(high, before)
        newest = (s for s in self._newest(wanted, low, high, limit + 2) if s.signal_id != before)
        return page_of(newest, wanted, limit, place=attrgetter("signal_id"), keep=lambda s: _wanted(s, wanted))

    def _newest(self, wanted: SignalFilter, low: str, high: str, chunk: int) -> Iterator[Signal]:
        """Signals with id in [low, high], newest first, in reads of about `chunk`."""
        if low > high:
            return
        first, last = calendar_day(timestamp_of(low)), calendar_day(timestamp_of(high))
        days = self._lists.marked(first, last, newest_first=True)
        if wanted.symbol is not None:
            entries = self._lists.indexed("by-symbol", wanted.symbol, days, low, high, chunk)
        elif wanted.channel_id is not None:
            entries = self._lists.indexed("by-channel", wanted.channel_id, days, low, high, chunk)
        else:
            for day in days:
                stored = self._lists.on(day, low, high, newest_first=True, page_size=chunk)
                yield from map(self._decode, stored)
            return
        yield from map(self._decode, self._lists.fetched(entries, chunk))

    def _encode(self, signal: Signal) -> SignalItem:
        month = day_of(signal.timestamp)[:7]
        return self._items(
            *signal_key(self._source, signal.signal_id),
            symbol_month=self._lists.index_key(signal.symbol, month),
            channel_month=self._lists.index_key(signal.channel_id, month),
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
        return decode_signal(item, self._source)


def decode_signal(item: SignalItem, source: str) -> Signal:
    """The signal of an item."""
    details: dict[str, Any] = item.details
    return Signal(
        signal_id=item.sk,
        timestamp=timestamp_of(item.sk),
        recorded_at=item.recorded_at,
        origin=Origin(item.origin),
        symbol=_middle(item.symbol_month, source),
        timeframe=Timeframe(item.timeframe),
        action=Action(item.action),
        confidence=item.confidence,
        unified_score=item.unified_score,
        tier=Tier.of(item.unified_score),
        scanner_type=item.scanner_type,
        channel_id=_middle(item.channel_month, source),
        strategy_type=details["strategy"],
        entry_price=item.entry_price,
        snapshot_id=item.snapshot_id,
        provenance=Provenance(
            candles_hash=item.candles_hash,
            model_hash=item.model_hash,
            data_source=source,
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


def _middle(index_key: str, source: str) -> str:
    """`BTC/USDT` of `binance#BTC/USDT#2026-11`."""
    return index_key[len(source) + 1 : -len("#2026-11")]


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
