"""Everybody who listens is told what is in the feed, in order and without a gap.

A listener's stored position says how far it has been told. Whoever tells it reads that position, sends what lies beyond
it in order, and only then moves it, if nobody else did. So an entry is sent twice where two tell the same listener at
once or one died in between, but none is passed over: a client that ignores numbers it already has sees each once.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from functools import partial
from itertools import groupby
from operator import attrgetter
from typing import Protocol

from plumbline.domain.errors import Unavailable
from plumbline.domain.feed import Entry, Subscription, message, owed
from plumbline.pipeline.progress import EnoughTime, always
from plumbline.ports import Sockets, Stores

AT_ONCE = 100
"""Entries a listener is told before the next one's turn: a long catch-up must not hold up what is live."""


class Each(Protocol):
    """Does the same for every item, one after the other or side by side: `map`, or that of a pool of threads."""

    def __call__[A, B](self, do: Callable[[A], B], items: Iterable[A], /) -> Iterable[B]:
        """The results in the order of the items."""


def deliver(
    stores: Stores, sockets: Sockets, enough_time: EnoughTime = always, *, each: Each = map, turn: int = 0
) -> dict[str, int]:
    """Tell every listener what it has not been told, in rounds of at most `AT_ONCE` entries for each.

    Those that miss the fewest come first. Runs at the same time should have different `turn`s: they then go through the
    listeners in different orders, and find most of those that come late in theirs already told.

    Returns how many messages were `sent`, how many listeners were `gone` or out of reach (`unreached`), and how many
    are still `behind` because time ran out: they, and those out of reach, are told the rest with the next event.
    """
    count = Counter(sent=0, gone=0, unreached=0, behind=0)
    waiting = [listener for listener in stores.connections.all() if listener.listening]
    place = attrgetter("position")
    while waiting:
        told = list[Subscription]()
        for position, group in groupby(sorted(waiting, key=place, reverse=True), key=place):
            # Those who are up to date all stand at the same place: one read serves them.
            entries = stores.feed.after(position, AT_ONCE)
            if entries:
                order = sorted(group, key=partial(_lot, turn))
                turns = [_Turn(stores, sockets, listener, entries, enough_time) for listener in order]
                steps = [*each(_tell, turns)]
                told += [step.listener for step in steps if step.end is _End.TOLD and len(entries) == AT_ONCE]
                count.update(sent=sum(step.sent for step in steps))
                count.update(_COUNTED[step.end] for step in steps if step.end in _COUNTED)
        waiting = told
    return dict(count)


def catch_up(
    stores: Stores, sockets: Sockets, listener: Subscription, enough_time: EnoughTime = always
) -> Subscription | None:
    """Tell one listener what it is owed, as far as time and the wire allow. Where it then stands; None where gone."""
    current: Subscription | None = listener
    while current and current.listening and enough_time():
        entries = stores.feed.after(current.position, AT_ONCE)
        if not entries:
            break
        step = _send_all(_Turn(stores, sockets, current, entries, enough_time))
        if step.end in (_End.STOPPED, _End.UNREACHED):
            return step.listener
        if step.end is _End.GONE:
            return None
        # Somebody else may be telling it, too: go on from where the two have come.
        current = step.listener if step.end is _End.TOLD else stores.connections.get(current.connection_id)
    return current


@dataclass(frozen=True, slots=True)
class _Turn:
    """A listener, and the entries that follow its position, for as long as there is time."""

    stores: Stores
    sockets: Sockets
    listener: Subscription
    entries: Sequence[Entry]
    enough_time: EnoughTime


class _End(Enum):
    """How a listener's turn ended."""

    TOLD = auto()
    STOPPED = auto()
    UNREACHED = auto()
    OVERTAKEN = auto()
    GONE = auto()


_COUNTED = {_End.STOPPED: "behind", _End.UNREACHED: "unreached", _End.GONE: "gone"}


@dataclass(frozen=True, slots=True)
class _Step:
    """How many messages a listener was sent in its turn, and where it then stood."""

    listener: Subscription
    sent: int
    end: _End


def _lot(turn: int, listener: Subscription) -> bytes:
    """Side by side through the same order, two runs would send everything twice."""
    return hashlib.sha256(f"{turn}#{listener.connection_id}".encode()).digest()


def _tell(turn: _Turn) -> _Step:
    """Tell a listener what it lacks of the entries by now: in a burst, others have often told it meanwhile."""
    known = turn.listener
    try:
        now = turn.stores.connections.get(known.connection_id)
    except Unavailable:
        return _Step(known, 0, _End.UNREACHED)
    if now is None or not now.listening or now.position < known.position:
        return _Step(known, 0, _End.OVERTAKEN)
    lacking = [entry for entry in turn.entries if entry.number > now.position]
    return _send_all(replace(turn, listener=now, entries=lacking)) if lacking else _Step(now, 0, _End.TOLD)


def _send_all(turn: _Turn) -> _Step:
    """Send a listener what it wants of the entries, then move its position as far as that went."""
    listener, sent, reached, end = turn.listener, 0, turn.entries[-1].number, _End.TOLD
    for entry in owed(turn.entries, listener):
        end = _send(turn.sockets, listener, entry) if turn.enough_time() else _End.STOPPED
        if end is not _End.TOLD:
            reached = entry.number - 1
            break
        sent += 1
    try:
        if end is _End.GONE:
            turn.stores.connections.remove(listener.connection_id)
        elif reached > listener.position:
            if not turn.stores.connections.advance(listener, reached):
                return _Step(listener, sent, _End.OVERTAKEN)
            listener = replace(listener, position=reached)
    except Unavailable:
        # The table is away for this one listener: it must not cost the others their turn.
        return _Step(listener, sent, _End.UNREACHED)
    return _Step(listener, sent, end)


def _send(sockets: Sockets, listener: Subscription, entry: Entry) -> _End:
    try:
        return _End.TOLD if sockets.send(listener.connection_id, message(entry, listener)) else _End.GONE
    except Unavailable:
        return _End.UNREACHED
