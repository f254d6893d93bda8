"""Who listens to the live feed, in DynamoDB: one item each, in a few partitions, gone by itself when it expires."""

import zlib
from itertools import chain
from typing import Any

from plumbline.adapters.feed_items import ConnectionItem
from plumbline.domain.calendar import SECOND
from plumbline.domain.feed import Subscription

_SHARDS = 4


class DynamoConnections:
    """ports.Connections. `expiration` is the second in which `expires_at` lies: DynamoDB then deletes the item."""

    def __init__(self, items: type[ConnectionItem], source: str) -> None:
        self._items = items
        self._source = source

    def add(self, connection_id: str, position: int, expires_at: int) -> None:
        """Put if absent: the gateway may repeat itself after the listener has already spoken."""
        self._items(
            *self._key(connection_id),
            position=position,
            version=0,
            expires_at=expires_at,
            wants=_wants(Subscription(connection_id=connection_id, position=position, expires_at=expires_at)),
            expiration=expires_at // SECOND,
        ).put_new()

    def get(self, connection_id: str) -> Subscription | None:
        """One item."""
        item = self._items.read(*self._key(connection_id))
        return _decode(item) if item else None

    def save(self, subscription: Subscription) -> bool:
        """Update where it exists."""
        items = self._items
        return items(*self._key(subscription.connection_id)).change_if(
            items.pk.exists(),
            items.position.set(subscription.position),
            items.expires_at.set(subscription.expires_at),
            items.expiration.set(subscription.expires_at // SECOND),
            items.wants.set(_wants(subscription)),
            items.version.add(1),
        )

    def advance(self, subscription: Subscription, to: int) -> bool:
        """Update where position and version are as read."""
        is_as_read = (self._items.position == subscription.position) & (self._items.version == subscription.version)
        item = self._items(*self._key(subscription.connection_id))
        return item.change_if(is_as_read, self._items.position.set(to))

    def remove(self, connection_id: str) -> None:
        """Delete."""
        self._items.remove(*self._key(connection_id))

    def all(self) -> list[Subscription]:
        """One query for each shard."""
        stored = (self._items.select(self._partition(shard)) for shard in range(_SHARDS))
        return [_decode(item) for item in chain.from_iterable(stored)]

    def _key(self, connection_id: str) -> tuple[str, str]:
        return self._partition(zlib.crc32(connection_id.encode()) % _SHARDS), connection_id

    def _partition(self, shard: int) -> str:
        return f"{self._source}#{shard}"


def _wants(subscription: Subscription) -> dict[str, object]:
    """None wants everything, an empty list nothing."""
    symbols, channels = subscription.symbols, subscription.channels
    return {
        "listening": subscription.listening,
        "symbols": None if symbols is None else sorted(symbols),
        "channels": None if channels is None else sorted(channels),
        "ref": subscription.ref,
    }


def _decode(item: ConnectionItem) -> Subscription:
    wants: dict[str, Any] = item.wants
    symbols, channels = wants["symbols"], wants["channels"]
    return Subscription(
        connection_id=item.sk,
        position=item.position,
        expires_at=item.expires_at,
        listening=wants["listening"],
        symbols=None if symbols is None else frozenset(symbols),
        channels=None if channels is None else frozenset(channels),
        version=item.version,
        ref=wants["ref"],
    )
