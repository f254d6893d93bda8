"""What the live feed says: its events, their order, who wants which of them, and how they are written."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from plumbline.domain.calendar import DAY, HOUR, MINUTE, iso
from plumbline.domain.signals import Signal
from plumbline.domain.trades import Board, Position, Trade

KEPT = DAY
"""How far back a listener may ask. The log holds its entries somewhat longer: they are dropped in no strict order."""

CONNECTED_AT_MOST = 2 * HOUR + 10 * MINUTE
"""API Gateway ends every connection after two hours; what is left of one a little later is forgotten."""


class Kind(StrEnum):
    """Types of messages (SPEC: signal, market_update, position_update; heartbeat and error answer one client)."""

    SIGNAL = "signal"
    MARKET = "market_update"
    POSITION = "position_update"
    HEARTBEAT = "heartbeat"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something to tell. `key` is what makes it one event however often it is reported; `at` when it is told (ms).

    `symbols` and `channel_id` decide who wants it; an event without a channel is for every channel.
    """

    key: str
    kind: Kind
    at: int
    symbols: tuple[str, ...]
    channel_id: str | None
    body: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Change:
    """Something was stored that the feed may tell of. `replaced`: in the place of an older version of the same."""

    stored: Signal | Position | Trade | Board
    replaced: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """An event with its place in the feed."""

    number: int
    event: Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A listener: what it wants, and the number of the last entry it was told or does not want.

    None wants everything of that kind; an empty set nothing. `listening` is False before the first subscribe.
    `version` grows whenever it changes what it wants; `ref` is the client's own mark of what it wants now.
    """

    connection_id: str
    position: int
    expires_at: int
    listening: bool = False
    symbols: frozenset[str] | None = None
    channels: frozenset[str] | None = None
    version: int = 0
    ref: str | int | None = None

    def wants(self, event: Event) -> bool:
        """Whether it asked for such events."""
        if not self.listening or (self.symbols is not None and self.symbols.isdisjoint(event.symbols)):
            return False
        return self.channels is None or event.channel_id is None or event.channel_id in self.channels


def owed(entries: Sequence[Entry], listener: Subscription) -> list[Entry]:
    """Those of the entries that this listener is to be sent. Of the prices only the last: older ones say nothing."""
    wanted = [entry for entry in entries if listener.wants(entry.event)]
    last_prices = max((entry.number for entry in wanted if entry.event.kind is Kind.MARKET), default=0)
    return [entry for entry in wanted if entry.event.kind is not Kind.MARKET or entry.number == last_prices]


def message(entry: Entry, listener: Subscription) -> str:
    """The text of an entry for this listener, who gets the prices of the symbols that it named and no others.

    It bears the mark of the subscription under which it is sent: what was on its way under an earlier one may arrive
    among what follows the next, out of its order.
    """
    event = entry.event
    body = dict(event.body)
    if event.kind is Kind.MARKET and listener.symbols is not None:
        prices: Mapping[str, object] = body["prices"]  # type: ignore[assignment]  # every market_update has them
        body["prices"] = {symbol: price for symbol, price in prices.items() if symbol in listener.symbols}
    head = {"type": event.kind, "id": entry.number, "at": iso(event.at), "ref": listener.ref}
    return _text({**head, **body})


def heartbeat(listener: Subscription, newest: int, now: int, **more: object) -> str:
    """The answer to a client: all that it wants up to the id has been sent; the feed is at `newest`."""
    place = {"id": listener.position, "at": iso(now), "ref": listener.ref, "newest": newest}
    return _text({"type": Kind.HEARTBEAT, **place, "listening": listener.listening, **more})


def error(reason: str, detail: str, now: int, **more: object) -> str:
    """What is wrong: `reason` for programs, `detail` for people. It has no id: it has no place in the feed."""
    return _text({"type": Kind.ERROR, "at": iso(now), "reason": reason, "detail": detail, **more})


def _text(fields: Mapping[str, object]) -> str:
    return json.dumps(fields, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
