"""What leaves the service: the live feed, summaries, mail."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from plumbline.domain.feed import Entry, Event, Subscription

if TYPE_CHECKING:  # its module brings the rules of recommendations, which most functions do without
    from plumbline.domain.digest import Digest, Kind


class Feed(Protocol):
    """The log of what the live feed says, in one order for everybody: numbered 1, 2, 3, … without a gap."""

    def append(self, event: Event) -> Entry | None:
        """Give the event the next number; None where an event of its key was appended before."""

    def head(self) -> int:
        """Number of the newest entry; 0 before there is one."""

    def after(self, number: int, limit: int) -> list[Entry]:
        """At most `limit` entries with a greater number, in order, strongly consistent. Old ones are dropped."""

    def number_at(self, instant: int) -> int:
        """Number before the first entry whose event is of this instant (ms) or later: who goes on from there misses
        nothing told since. The head where there is none; as far back as the feed is kept."""


class Connections(Protocol):
    """Who listens, and how far each has been told."""

    def add(self, connection_id: str, position: int, expires_at: int) -> None:
        """A new listener without subscriptions, to whom nothing up to `position` is owed."""

    def get(self, connection_id: str) -> Subscription | None:
        """One listener, strongly consistent."""

    def save(self, subscription: Subscription) -> bool:
        """Replace what it listens to and its position, as its next version; False where it is gone."""

    def advance(self, subscription: Subscription, to: int) -> bool:
        """Move its position if position and version still are as read; False where somebody was first, or it is gone.

        The version matters where a listener changes what it wants and stays at its position: who read it before would
        pass over what it wants now.
        """

    def remove(self, connection_id: str) -> None:
        """Forget; nothing happens where it is not there."""

    def all(self) -> list[Subscription]:
        """Every listener, strongly consistent, in no order."""


class Sockets(Protocol):
    """The wire to the listeners."""

    def send(self, connection_id: str, text: str) -> bool:
        """Send one message; False where the connection is gone. Unavailable where it could not be tried."""

    def close(self, connection_id: str) -> None:
        """End the connection; nothing happens where it is gone."""


class DeadLetters(Protocol):
    """Where what cannot be read is set aside for a person to look at."""

    def keep(self, letter: Mapping[str, object], reason: str) -> None:
        """Set it aside. Raises nothing: what comes behind must not wait for it."""


class Digests(Protocol):
    """The digests of days, weeks and months. Derived: replaced whole, the same bytes for the same facts."""

    def put(self, digest: "Digest", version: int) -> None:
        """Replace the digest of its kind and last day, unless the stored one was made at a later `version`."""

    def get(self, kind: "Kind", last_day: str) -> "Digest | None":
        """One digest, strongly consistent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that comes with a letter."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """An e-mail: the same in HTML and in plain text, and what is attached."""

    subject: str
    html: str
    text: str
    attachments: tuple[Attachment, ...] = ()


class Mail(Protocol):
    """The way to the people who are told of every period. Who they are is the adapter's affair."""

    def send(self, letter: Letter) -> None:
        """Hand it over; Unavailable where it was not, or may not have been, accepted."""
