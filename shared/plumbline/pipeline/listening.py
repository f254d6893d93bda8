"""Who listens to the live feed, what each wants, and what each has missed."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from plumbline.domain.calendar import HOUR, iso
from plumbline.domain.errors import InvalidInput, Unavailable
from plumbline.domain.feed import CONNECTED_AT_MOST, KEPT, Subscription, error, heartbeat
from plumbline.domain.feed_requests import EXAMPLES, Ping, Subscribe, Unsubscribe, parse_request, without
from plumbline.domain.strategies import DEFAULT_CHANNELS
from plumbline.pipeline.channels import symbols_named
from plumbline.pipeline.delivering import catch_up
from plumbline.pipeline.progress import EnoughTime, always
from plumbline.pipeline.tracking import OUTSIDE
from plumbline.ports import Sockets, Stores

RECORD = "/api/public/paper-trading/"
"""Where the record can be read beyond what the feed keeps."""


def connect(stores: Stores, connection_id: str, now: int) -> None:
    """Somebody is there, and is sent nothing before they say what they want. `now` is the wall clock's time."""
    stores.connections.add(connection_id, stores.feed.head(), now + CONNECTED_AT_MOST)


def disconnect(stores: Stores, connection_id: str) -> None:
    """They hung up."""
    stores.connections.remove(connection_id)


def hear(
    stores: Stores, sockets: Sockets, connection_id: str, text: str, now: int, enough_time: EnoughTime = always
) -> dict[str, int]:
    """Do what a client's message asks, send what the client is owed, and answer with a heartbeat or an error.

    The heartbeat's id says how far the client has been told: should time run out in a long catch-up, its next ping or
    the next event goes on. `now` is the feed's time. Returns whether the message was `wrong`, and whether the client is
    `gone` or, for the moment, `unreached`.
    """
    wire = _Wire(stores, sockets, connection_id, now, enough_time)
    listener = stores.connections.get(connection_id)
    if listener is None:
        return wire.hang_up()
    try:
        match parse_request(text):
            case Ping():
                return wire.answer(listener, {})
            case Subscribe() as request:
                return _subscribe(wire, listener, request)
            case Unsubscribe() as request:
                return _unsubscribe(wire, listener, request)
    except InvalidInput as wrong:
        field = {"field": wrong.field} if wrong.field else {}
        told = wire.send(error("invalid", str(wrong), now, **field, example=EXAMPLES["subscribe"]))
        return {"wrong": 1, **told}


@dataclass(frozen=True, slots=True)
class _Wire:
    """One client, while its message is worked on."""

    stores: Stores
    sockets: Sockets
    connection_id: str
    now: int
    enough_time: EnoughTime

    def hang_up(self) -> dict[str, int]:
        """End the connection of a client that was forgotten and yet speaks: it comes again with its last id."""
        with suppress(Unavailable):
            self.sockets.close(self.connection_id)
        return {"gone": 1}

    def send(self, text: str) -> dict[str, int]:
        """Send one message that has no place in the feed."""
        try:
            if self.sockets.send(self.connection_id, text):
                return {}
        except Unavailable:
            return {"unreached": 1}
        self.stores.connections.remove(self.connection_id)
        return {"gone": 1}

    def answer(self, listener: Subscription, more: Mapping[str, object]) -> dict[str, int]:
        """Send what the client is owed, and then the heartbeat."""
        told = catch_up(self.stores, self.sockets, listener, self.enough_time)
        if told is None:
            return {"gone": 1}
        return self.send(heartbeat(told, self.stores.feed.head(), self.now, **more))

    def change(self, wanted: Subscription) -> dict[str, int]:
        """Store what the client now wants, and answer with it."""
        saved = self.stores.connections.save(wanted)
        listener = self.stores.connections.get(self.connection_id) if saved else None
        if listener is None:
            return self.hang_up()
        return self.answer(listener, _names(wanted))


@dataclass(frozen=True, slots=True)
class _Start:
    """After which number a subscription begins; where something is missing, `reason` and `detail` say what."""

    after: int
    reason: str = ""
    detail: str = ""


def _subscribe(wire: _Wire, listener: Subscription, request: Subscribe) -> dict[str, int]:
    symbols = request.symbols and symbols_named(wire.stores, request.symbols, wire.now)
    start = _start(wire, listener, request)
    wanted = replace(
        listener,
        listening=True,
        symbols=None if symbols is None else frozenset(symbols),
        channels=_channels(wire.stores, request.channels),
        position=start.after,
        ref=request.ref,
    )
    if start.reason:
        wire.send(error(start.reason, start.detail, wire.now, oldest=start.after + 1))
    return wire.change(wanted)


def _unsubscribe(wire: _Wire, listener: Subscription, request: Unsubscribe) -> dict[str, int]:
    known = listener.symbols or frozenset()
    new = [name for name in request.symbols or () if name not in known]
    resolved = {*(request.symbols or ())} & known | {*(symbols_named(wire.stores, new, wire.now) if new else ())}
    dropped = replace(request, symbols=None if request.symbols is None else tuple(resolved))
    listening, symbols, channels = without(listener, dropped)
    return wire.change(replace(listener, listening=listening, symbols=symbols, channels=channels))


def _start(wire: _Wire, listener: Subscription, request: Subscribe) -> _Start:
    """Where the client is told from: what is asked for, as far as the feed reaches back."""
    feed = wire.stores.feed
    head = feed.head()
    if request.since_time is not None:
        since, asked = feed.number_at(request.since_time), iso(request.since_time)
    elif request.since is not None:
        since, asked = request.since, str(request.since)
    else:
        # A listener that changes its mind is still owed what was on its way.
        return _Start(listener.position if listener.listening else head)
    following = feed.after(0 if since > head else since, 1)
    kept_from = max(following[0].number - 1 if following else head, feed.number_at(wire.now - KEPT))
    if since > head:
        return _Start(
            kept_from,
            "since_unknown",
            f"the feed is at {head} and never came to {asked}: it was begun anew, or the id is of another feed. "
            "All that it holds follows; forget the ids that you have",
        )
    too_early = request.since_time is not None and request.since_time < wire.now - KEPT and kept_from > 0
    if since < kept_from or too_early:
        return _Start(
            max(since, kept_from),
            "since_too_old",
            f"the feed is kept for {KEPT // HOUR} hours and no longer holds all since {asked}; it goes on from "
            f"{max(since, kept_from) + 1}, what came before can be read at {RECORD}",
        )
    return _Start(since)


def _channels(stores: Stores, names: Iterable[str] | None) -> frozenset[str] | None:
    if names is None:
        return None
    known = {channel.channel_id for channel in (*DEFAULT_CHANNELS, *stores.channels.all())} | {OUTSIDE}
    for name in names:
        if name not in known:
            raise InvalidInput(f"no channel {name!r}; there are {', '.join(sorted(known))}", field="channels")
    return frozenset(names)


def _names(listener: Subscription) -> dict[str, object]:
    """What a listener wants, as JSON; null for everything."""
    wants = {"symbols": listener.symbols, "channels": listener.channels}
    return {what: None if names is None else sorted(names) for what, names in wants.items()}
