"""What happened enters the live feed, once, and is told."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from plumbline.domain.calendar import iso
from plumbline.domain.feed import Change, Event, Kind
from plumbline.domain.signals import Signal
from plumbline.domain.trades import Board, Position, Trade
from plumbline.pipeline.delivering import Each, deliver
from plumbline.pipeline.progress import EnoughTime, always
from plumbline.ports import DeadLetters, Sockets, Stores
from plumbline.rendering import Body, number, position_body, signal_body, trade_body

type Decode = Callable[[Mapping[str, Any]], Change | None]
"""Reads a record of the tables' streams; None where there is nothing in it to tell. Raises for what is no record."""


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

    A batch that is reported again is appended once, and told to whom it was not told yet. Returns how many `events`
    were new, and what `deliver` returns.
    """
    events = [event for change in changes if (event := event_of(change, stores.source, now))]
    appended = [entry for event in events if (entry := stores.feed.append(event))]
    last = appended[-1].number if appended else 0
    return {"events": len(appended), **deliver(stores, sockets, enough_time, each=each, turn=last)}


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
