"""The WebSocket API: who connects, what each listens to, and what each has missed."""

from typing import Any

from plumbline import wiring
from plumbline.events import now_of
from plumbline.observability import LambdaContext, observed
from plumbline.pipeline.listening import connect, disconnect, hear


def handler(event: dict[str, Any], context: LambdaContext, app: wiring.App | None = None) -> dict[str, Any]:
    """Handle an event of the WebSocket API, such as tests/events/live_feed.json. The client is answered by message."""
    told = event["requestContext"]
    heard = {"route": told["routeKey"], "connection": told["connectionId"], "body": event.get("body") or ""}
    listen(heard, context, app)
    return {"statusCode": 200}


@observed
def listen(event: dict[str, Any], context: LambdaContext, app: wiring.App | None = None) -> dict[str, Any]:
    """Handle what is worth knowing of it: a client's address is not."""
    app = app or wiring.app()
    connection = event["connection"]
    match event["route"]:
        case "$connect":
            connect(app.stores, connection, now_of(event))
            return {"connected": 1}
        case "$disconnect":
            disconnect(app.stores, connection)
            return {"disconnected": 1}
    feed = app.feed()
    told = hear(app.stores, feed.sockets, connection, event["body"], feed.now(), wiring.enough_time(context))
    return {"messages": 1, **told}
