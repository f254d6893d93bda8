"""What a client of the live feed may ask, read from the text of its message."""

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from plumbline.domain.calendar import parse_instant
from plumbline.domain.errors import InvalidInput
from plumbline.domain.feed import Subscription

MOST_BYTES = 32 * 1024
"""A client's message may not be longer."""

MOST_NAMES = 200
"""Symbols, or channels, that one listener may name."""

_LONGEST_NAME = 64
_LARGEST_ID = 2**53 - 1
"""The largest integer that every client's JSON holds exactly."""


@dataclass(frozen=True, slots=True)
class Ping:
    """A client wants a sign of life, and whatever it is still owed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscribe:
    """A client says what it wants from now on, in place of what it wanted before. Names are as the client wrote them.

    None wants everything of that kind. `since` is the id of the last message it has; `since_time` (ms) stands in for
    one. Without either it wants what comes. `ref` is the client's own mark, which all that is sent for this then bears.
    """

    symbols: tuple[str, ...] | None = None
    channels: tuple[str, ...] | None = None
    since: int | None = None
    since_time: int | None = None
    ref: str | int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsubscribe:
    """A client no longer wants these names; without any, nothing at all."""

    symbols: tuple[str, ...] | None = None
    channels: tuple[str, ...] | None = None


type Request = Ping | Subscribe | Unsubscribe

EXAMPLES: Mapping[str, Mapping[str, object]] = {
    "ping": {"type": "ping"},
    "subscribe": {"type": "subscribe", "symbols": ["BTC/USDT"], "channels": ["momentum-alpha"], "since": 41, "ref": 1},
    "unsubscribe": {"type": "unsubscribe", "symbols": ["BTC/USDT"]},
}
"""One message of every type that a client may send, with every field that the type has."""


def parse_request(text: str) -> Request:
    """A client's message; InvalidInput says what is wrong with it and what is valid."""
    given = _object(text)
    kind = given.pop("type", None)
    if not isinstance(kind, str) or kind not in EXAMPLES:
        raise InvalidInput(f"unknown type {_shown(kind)}; valid are {' '.join(EXAMPLES)}", field="type")
    fields = EXAMPLES[kind].keys() - {"type"} | ({"channels"} if kind == "unsubscribe" else set())
    for name in given:
        if name not in fields:
            valid = f"it takes {' '.join(sorted(fields))}" if fields else "it takes none"
            raise InvalidInput(f"{kind} has no field {_shown(name)}; {valid}", field=str(name)[:_LONGEST_NAME])
    if kind == "ping":
        return Ping()
    symbols, channels = _names(given, "symbols"), _names(given, "channels")
    if kind == "unsubscribe":
        return Unsubscribe(symbols=symbols, channels=channels)
    since, since_time = _since(given.get("since"))
    ref = _ref(given.get("ref"))
    return Subscribe(symbols=symbols, channels=channels, since=since, since_time=since_time, ref=ref)


def without(listener: Subscription, request: Unsubscribe) -> tuple[bool, frozenset[str] | None, frozenset[str] | None]:
    """What the listener wants after this: whether anything, which symbols, which channels.

    Names cannot be taken from "all": InvalidInput asks for a subscribe with those that are wanted.
    """
    if request.symbols is None and request.channels is None:
        return False, None, None
    symbols = _left(listener.symbols, request.symbols, "symbols")
    channels = _left(listener.channels, request.channels, "channels")
    return listener.listening, symbols, channels


def _left(wanted: frozenset[str] | None, dropped: Iterable[str] | None, what: str) -> frozenset[str] | None:
    if dropped is None:
        return wanted
    if wanted is None:
        raise InvalidInput(
            f"you listen to all {what}, of which single ones cannot be dropped; subscribe with the {what} you want",
            field=what,
        )
    return wanted.difference(dropped)


def _object(text: str) -> dict[str, object]:
    size = len(text.encode(errors="replace"))
    if size > MOST_BYTES:
        raise InvalidInput(f"a message of {size} bytes is too long; at most {MOST_BYTES} are read")
    try:
        given = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise InvalidInput(f"{_shown(text)} is not JSON: {exc}") from None
    if not isinstance(given, dict):
        raise InvalidInput(f"{_shown(text)} is not a JSON object")
    return given


def _names(given: Mapping[str, object], field: str) -> tuple[str, ...] | None:
    names = given.get(field)
    if names is None:
        return None
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        raise InvalidInput(f"{field} {_shown(names)} must be a list of names; leave it out for all", field=field)
    if len(names) > MOST_NAMES:
        raise InvalidInput(f"{len(names)} {field} are too many; at most {MOST_NAMES}, or none for all", field=field)
    too_long = next((name for name in names if len(name) > _LONGEST_NAME), None)
    if too_long is not None:
        raise InvalidInput(f"{_shown(too_long)} in {field} is longer than {_LONGEST_NAME} characters", field=field)
    return tuple(dict.fromkeys(names))


def _since(value: object) -> tuple[int | None, int | None]:
    """Message id and time, of which at most one is given."""
    if value is None:
        return None, None
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LARGEST_ID:
        return value, None
    if isinstance(value, str):
        with suppress(InvalidInput, OverflowError):
            if (instant := parse_instant(value)) >= 0:
                return None, instant
    raise InvalidInput(
        f"since {_shown(value)} must be the id of a message, such as 41, or a time, such as 2026-11-20T07:00:00Z",
        field="since",
    )


def _ref(value: object) -> str | int | None:
    is_number = isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _LARGEST_ID
    if value is None or is_number or (isinstance(value, str) and len(value) <= _LONGEST_NAME):
        return value  # type: ignore[return-value]  # mypy does not follow `is_number`
    raise InvalidInput(
        f"ref {_shown(value)} must be a whole number or a text of at most {_LONGEST_NAME} characters", field="ref"
    )


def _shown(value: object) -> str:
    """A client's value in a message to it, cut where it is long."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}…"
