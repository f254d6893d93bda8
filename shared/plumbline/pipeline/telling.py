"""What happened enters the feed once, and everybody who listens is told it, in order and without a gap.

A listener's stored position says how far it has been told. Whoever tells it reads that position, sends what lies beyond
it in order, and only then moves it, if nobody else did. So an entry is sent twice where two tell the same listener at
once or one died in between, but none is passed over: a client that ignores numbers it already has sees each once.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from itertools import groupby
from operator import attrgetter
from typing import Any, Protocol

from plumbline.domain.calendar import iso
from plumbline.domain.errors import Unavailable
from plumbline.domain.feed import Change, Entry, Event, Kind, Subscription, message, owed
from plumbline.domain.signals import Signal
from plumbline.domain.trades import Board, Position, Trade
from plumbline.pipeline.progress import EnoughTime, always
from plumbline.ports import DeadLetters, Sockets, Stores
from plumbline.rendering import Body, number, position_body, signal_body, trade_body

AT_ONCE = 100
"""Entries a listener is told before the next one's turn: a long catch-up must not hold up what is live."""


type Decode = Callable[[Mapping[str, Any]], Change | None]
"""Reads a record of the tables' streams; None where there is nothing in it to tell. Raises for what is no record."""


class Each(Protocol):
    """Does the same for every item, one after the other or side by side: `map`, or that of a pool of threads."""

    def __call__[A, B](self, do: Callable[[A], B], items: Iterable[A], /) -> Iterable[B]:
        """The results in the order of the items."""


def changes_of(records: Iterable[Mapping[str, Any]], decode: Decode, letters: DeadLetters) -> list[Change]:
    """What a batch of stream records reports, in their order.

    One that cannot be read is set aside: tried again, it would hold up all that comes behind it.
    """
    changes = list[Change]()
    for record in records:
        try:
            change = decode(record)
        except Exception as exc:  # noqa: BLE001  # whatever is wrong with one record, the others can be told
            letters.keep(record, f"{type(exc).__name__}: {exc}")
            continue
        if change:
            changes.append(change)
    return changes


def tell(
    stores: Stores,
    sockets: Sockets,
    changes: Iterable[Change],
    now: int,
    enough_time: EnoughTime = always,
    *,
    each: Each = map,
) -> dict[str, int]:
    """Append what changed to the feed, at its time `now`, then tell every listener what it has not been told.

    Returns how many `events` were new, how many messages were `sent`, how many listeners were `gone` or out of reach
    (`unreached`), and how many are still `behind` because time ran out: they, and those out of reach, are told the rest
    with the next event.
    """
    count = Counter(events=0, sent=0, gone=0, unreached=0, behind=0)
    for change in changes:
        event = event_of(change, stores.source, now)
        if event and stores.feed.append(event):
            count["events"] += 1
    _deliver(stores, sockets, enough_time, each, count)
    return dict(count)


def event_of(change: Change, source: str, now: int) -> Event | None:
    """What the feed says of a change, if anything.

    Nothing of a backfilled signal and its trade: they are about a past that nobody could have acted on. A position that
    is replaced is told once, when the net book's entry price has become known.
    """
    match change.stored:
        case Board() as board:
            return _prices(board, now)
        case Signal() as signal if signal.origin.counts:
            key, kind, body = f"signal#{signal.signal_id}", Kind.SIGNAL, {"signal": signal_body(signal)}
            return _about(signal, key, kind, body, now)
        case Trade(position=position) as trade if position.origin.counts:
            return _update(position, "closed", trade_body(trade, source), now)
        case Position(net_entry_price=entry) as position if position.origin.counts:
            if change.replaced and entry is None:
                return None
            return _update(position, "entered" if change.replaced else "opened", position_body(position, source), now)
    return None


def catch_up(
    stores: Stores, sockets: Sockets, listener: Subscription, enough_time: EnoughTime = always
) -> Subscription | None:
    """Tell one listener what it is owed, as far as time and the wire allow. Where it then stands; None where gone."""
    current: Subscription | None = listener
    while current and current.listening and enough_time():
        entries = stores.feed.after(current.position, AT_ONCE)
        if not entries:
            break
        step = _step(stores, sockets, current, entries, enough_time)
        if step.end in (_End.STOPPED, _End.UNREACHED):
            return step.listener
        if step.end is _End.GONE:
            return None
        # Somebody else may be telling it, too: go on from where the two have come.
        current = step.listener if step.end is _End.TOLD else stores.connections.get(current.connection_id)
    return current


class _End(Enum):
    """How telling a listener a few entries ended."""

    TOLD = auto()
    STOPPED = auto()
    UNREACHED = auto()
    OVERTAKEN = auto()
    GONE = auto()


@dataclass(frozen=True, slots=True)
class _Step:
    """How many messages a listener was sent, and where it then stood."""

    listener: Subscription
    sent: int
    end: _End


def _deliver(stores: Stores, sockets: Sockets, enough_time: EnoughTime, each: Each, count: Counter[str]) -> None:
    """Rounds in which every listener is told at most `AT_ONCE` entries, those that miss the fewest first."""
    waiting = [listener for listener in stores.connections.all() if listener.listening]
    place = attrgetter("position")
    while waiting:
        told = list[Subscription]()
        for position, group in groupby(sorted(waiting, key=place, reverse=True), key=place):
            # Those who are up to date all stand at the same place: one read serves them.
            entries = stores.feed.after(position, AT_ONCE)
            if entries:
                steps = _tell_each(stores, sockets, [*group], entries, enough_time, each, count)
                told += steps if len(entries) == AT_ONCE else []
        waiting = told


def _tell_each(
    stores: Stores,
    sockets: Sockets,
    listeners: Sequence[Subscription],
    entries: Sequence[Entry],
    enough_time: EnoughTime,
    each: Each,
    count: Counter[str],
) -> list[Subscription]:
    """Tell the same entries to listeners of one position. Those to whom they could all be told."""
    told = list[Subscription]()
    for step in each(lambda listener: _turn(stores, sockets, listener, entries, enough_time), listeners):
        count["sent"] += step.sent
        if step.end is _End.TOLD:
            told.append(step.listener)
        elif step.end in _COUNTED:
            count[_COUNTED[step.end]] += 1
    return told


_COUNTED = {_End.STOPPED: "behind", _End.UNREACHED: "unreached", _End.GONE: "gone"}


def _turn(
    stores: Stores, sockets: Sockets, listener: Subscription, entries: Sequence[Entry], enough_time: EnoughTime
) -> _Step:
    """Tell a listener what it lacks of the entries by now: in a burst, others have often told it meanwhile."""
    try:
        current = stores.connections.get(listener.connection_id)
    except Unavailable:
        return _Step(listener, 0, _End.UNREACHED)
    if current is None or not current.listening or current.position < listener.position:
        return _Step(listener, 0, _End.OVERTAKEN)
    lacking = [entry for entry in entries if entry.number > current.position]
    return _step(stores, sockets, current, lacking, enough_time) if lacking else _Step(current, 0, _End.TOLD)


def _step(
    stores: Stores, sockets: Sockets, listener: Subscription, entries: Sequence[Entry], enough_time: EnoughTime
) -> _Step:
    """Send a listener what it wants of the entries, then move its position as far as that went."""
    sent, reached, end = 0, entries[-1].number, _End.TOLD
    for entry in owed(entries, listener):
        end = _send(sockets, listener, entry) if enough_time() else _End.STOPPED
        if end is not _End.TOLD:
            reached = entry.number - 1
            break
        sent += 1
    try:
        if end is _End.GONE:
            stores.connections.remove(listener.connection_id)
        elif reached > listener.position:
            if not stores.connections.advance(listener, reached):
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


def _prices(board: Board, now: int) -> Event:
    body: Body = {
        "as_of": iso(board.as_of),
        "open": board.open,
        "unrealised_usd": number(board.unrealised_usd),
        "prices": {symbol: number(price) for symbol, price in sorted(board.prices.items())},
    }
    symbols = tuple(sorted(board.prices))
    key = f"prices#{board.as_of}"
    return Event(key=key, kind=Kind.MARKET, at=now, symbols=symbols, channel_id=None, body=body)


def _update(position: Position, what: str, trade: Body, now: int) -> Event:
    return _about(position, f"{what}#{position.signal_id}", Kind.POSITION, {"event": what, "trade": trade}, now)


def _about(subject: Signal | Position, key: str, kind: Kind, body: Mapping[str, object], now: int) -> Event:
    symbols = (subject.symbol,)
    return Event(key=key, kind=kind, at=now, symbols=symbols, channel_id=subject.channel_id, body=body)
