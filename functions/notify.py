"""The tables' streams: put new signals, trades and prices into the live feed, and tell everybody who listens."""

from typing import Any

from plumbline import wiring
from plumbline.observability import LambdaContext, observed
from plumbline.pipeline.telling import changes_of, tell


@observed
def handler(event: dict[str, Any], context: LambdaContext, app: wiring.App | None = None) -> dict[str, Any]:
    """Handle a batch of stream records, such as tests/events/notify.json."""
    app = app or wiring.app()
    feed = app.feed()
    changes = changes_of(event["Records"], feed.decode, feed.letters)
    return tell(app.stores, feed.sockets, changes, feed.now(), wiring.enough_time(context), each=feed.each)
