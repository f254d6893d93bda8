"""The opaque cursor of a list: the last signal shown, and a digest of the filter it was shown under."""

import base64
import hashlib
import json
from dataclasses import asdict

from plumbline.domain.errors import InvalidInput
from plumbline.domain.signals import timestamp_of
from plumbline.ports import SignalFilter


def next_cursor(last_id: str, wanted: SignalFilter) -> str:
    """Cursor of the page that begins after this signal."""
    text = json.dumps({"before": last_id, "of": _digest(wanted)})
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def resume_at(cursor: str | None, wanted: SignalFilter) -> str | None:
    """The id before which the page begins; InvalidInput where the cursor is not ours or of another filter."""
    if cursor is None:
        return None
    try:
        content = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
        before, digest = str(content["before"]), content["of"]
        timestamp_of(before)
    except (ValueError, KeyError, TypeError, InvalidInput):
        raise InvalidInput(f"{cursor!r} is not a cursor of this list; begin without one", field="cursor") from None
    if digest != _digest(wanted):
        raise InvalidInput("this cursor belongs to a list with another filter; begin without one", field="cursor")
    return before


def _digest(wanted: SignalFilter) -> str:
    return hashlib.sha256(json.dumps(asdict(wanted), sort_keys=True).encode()).hexdigest()[:16]
