"""What the fakes' lists share: put-if-absent, and cursors of their own making."""

import base64
import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from plumbline.domain.errors import InvalidInput


def put_new[K, V](facts: dict[K, V], key: K, fact: V) -> bool:
    """Put if absent; False where the key is taken."""
    is_new = key not in facts
    if is_new:
        facts[key] = fact
    return is_new


def cursor_after(last: str, wanted: Any) -> str:
    """Cursor of the page that begins after this place in the list under this filter."""
    return base64.urlsafe_b64encode(json.dumps([last, asdict(wanted)]).encode()).decode()


def resume_at(cursor: str | None, wanted: Any, check: Callable[[str], object]) -> str | None:
    """The place before which the page begins; `check` raises for what is none."""
    if cursor is None:
        return None
    try:
        before, of = json.loads(base64.b64decode(cursor, altchars=b"-_", validate=True))
        check(before)
    except (ValueError, TypeError, InvalidInput):
        raise InvalidInput(f"{cursor!r} is not a cursor of this list", field="cursor") from None
    if of != asdict(wanted):
        raise InvalidInput("this cursor belongs to a list with another filter", field="cursor")
    return str(before)
