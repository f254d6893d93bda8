"""The live feed in memory: its log, its listeners, and the wire to them."""

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from threading import Lock
from typing import Any

from plumbline.domain.errors import Unavailable
from plumbline.domain.feed import Entry, Event, Subscription


class InMemoryFeed:
    """ports.Feed. Several threads may append at once."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.keys: set[str] = set()
        self._lock = Lock()

    def append(self, event: Event) -> Entry | None:
        # A body travels as JSON in every real store: a fake that kept tuples would hide a test's mistake.
        plain = replace(event, body=json.loads(json.dumps(dict(event.body), allow_nan=False)))
        with self._lock:
            if event.key in self.keys:
                return None
            self.keys.add(event.key)
            self.entries.append(Entry(self.head() + 1, plain))
            return self.entries[-1]

    def head(self) -> int:
        return self.entries[-1].number if self.entries else 0

    def after(self, number: int, limit: int) -> list[Entry]:
        return [entry for entry in self.entries if entry.number > number][:limit]

    def number_at(self, instant: int) -> int:
        later = (entry.number - 1 for entry in self.entries if entry.event.at >= instant)
        return next(later, self.head())

    def drop(self, until: int) -> None:
        """Drop the entries up to this number, as time does."""
        self.entries = [entry for entry in self.entries if entry.number > until or entry.number == self.head()]

    def __len__(self) -> int:
        return len(self.entries)


class InMemoryConnections:
    """ports.Connections. Several threads may advance at once."""

    def __init__(self) -> None:
        self.connections: dict[str, Subscription] = {}
        self._lock = Lock()

    def add(self, connection_id: str, position: int, expires_at: int) -> None:
        new = Subscription(connection_id=connection_id, position=position, expires_at=expires_at)
        self.connections.setdefault(connection_id, new)

    def get(self, connection_id: str) -> Subscription | None:
        return self.connections.get(connection_id)

    def save(self, subscription: Subscription) -> bool:
        with self._lock:
            found = self.connections.get(subscription.connection_id)
            if found is None:
                return False
            self.connections[found.connection_id] = replace(subscription, version=found.version + 1)
            return True

    def advance(self, subscription: Subscription, to: int) -> bool:
        with self._lock:
            found = self.connections.get(subscription.connection_id)
            read = subscription.position, subscription.version
            if found is None or (found.position, found.version) != read:
                return False
            self.connections[found.connection_id] = replace(found, position=to)
            return True

    def remove(self, connection_id: str) -> None:
        with self._lock:
            self.connections.pop(connection_id, None)

    def all(self) -> list[Subscription]:
        return list(self.connections.values())

    def __contains__(self, connection_id: str) -> bool:
        return connection_id in self.connections

    def __len__(self) -> int:
        return len(self.connections)


class FakeSockets:
    """ports.Sockets. `sent` holds the texts of each connection in the order they were sent.

    Connections in `gone` have hung up. `fail_with` holds errors to raise, one for each coming send.
    """

    def __init__(self, *gone: str) -> None:
        self.sent: defaultdict[str, list[str]] = defaultdict(list)
        self.gone = set(gone)
        self.closed: list[str] = []
        self.fail_with: list[Unavailable] = []
        self._lock = Lock()

    def send(self, connection_id: str, text: str) -> bool:
        with self._lock:
            if self.fail_with:
                raise self.fail_with.pop(0)
            if connection_id in self.gone:
                return False
            self.sent[connection_id].append(text)
            return True

    def close(self, connection_id: str) -> None:
        with self._lock:
            if connection_id not in self.gone:
                self.gone.add(connection_id)
                self.closed.append(connection_id)

    def messages(self, connection_id: str) -> list[Any]:
        """What was sent to this connection, parsed."""
        return [json.loads(text) for text in self.sent[connection_id]]


class FakeLetters:
    """ports.DeadLetters. `kept` holds the letters and why each was set aside."""

    def __init__(self) -> None:
        self.kept: list[tuple[Mapping[str, object], str]] = []

    def keep(self, letter: Mapping[str, object], reason: str) -> None:
        self.kept.append((letter, reason))
