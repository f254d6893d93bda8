"""Pages of a list, newest first, and their opaque cursor: the last place looked at, and a digest of the filter."""

import base64
import hashlib
import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict

from plumbline.domain.errors import InvalidInput
from plumbline.ports import Page, SignalFilter, TradeFilter

type Filter = SignalFilter | TradeFilter

EVERYTHING = sys.maxsize
"""For a list in which no filter can keep a page from filling."""


def page_of[T](
    newest: Iterable[T],
    wanted: Filter,
    limit: int,
    *,
    place: Callable[[T], str],
    keep: Callable[[T], bool],
    most_read: int = EVERYTHING,
) -> Page[T]:
    """The first `limit` of these that are kept. `place` is where in the list an item stands.

    The cursor goes on after the last one shown or, where `most_read` were looked at, after the last of those.
    """
    shown: list[T] = []
    looked_at, last = 0, ""
    for item in newest:
        if looked_at == most_read:
            return Page(tuple(shown), next_cursor(last, wanted))
        looked_at, last = looked_at + 1, place(item)
        if keep(item):
            if len(shown) == limit:
                return Page(tuple(shown), next_cursor(place(shown[-1]), wanted))
            shown.append(item)
    return Page(tuple(shown))


def next_cursor(last: str, wanted: Filter) -> str:
    """Cursor of the page that begins after this place."""
    text = json.dumps({"before": last, "of": _digest(wanted)})
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def resume_at(cursor: str | None, wanted: Filter, check: Callable[[str], object]) -> str | None:
    """The place before which the page begins; `check` raises InvalidInput for what is none.

    InvalidInput where the cursor is not ours or of another filter.
    """
    if cursor is None:
        return None
    try:
        content = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
        before, digest = str(content["before"]), content["of"]
        check(before)
    except (ValueError, KeyError, TypeError, InvalidInput):
        raise InvalidInput(f"{cursor!r} is not a cursor of this list; begin without one", field="cursor") from None
    if digest != _digest(wanted):
        raise InvalidInput("this cursor belongs to a list with another filter; begin without one", field="cursor")
    return before


def check_limit(limit: int, what: str) -> None:
    """InvalidInput for a page of nothing."""
    if limit < 1:
        raise InvalidInput(f"a page holds 1 {what} or more, not {limit}", field="limit")


def _digest(wanted: Filter) -> str:
    return hashlib.sha256(json.dumps(asdict(wanted), sort_keys=True).encode()).hexdigest()[:16]
