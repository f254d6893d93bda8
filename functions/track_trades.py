"""Every minute: open the paper trades of new signals, and close those that touched a level or expired."""

from typing import Any

from plumbline import wiring
from plumbline.events import now_of
from plumbline.observability import LambdaContext, observed
from plumbline.pipeline.trading import track_trades


@observed
def handler(event: dict[str, Any], context: LambdaContext, app: wiring.App | None = None) -> dict[str, Any]:
    """Handle an event such as {"time": "2026-11-20T07:01:00Z"}."""
    app = app or wiring.app()
    return track_trades(app.stores, app.settings, now_of(event), wiring.enough_time(context), clock=app.clock)
