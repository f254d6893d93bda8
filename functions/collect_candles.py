"""Every minute: store the candles that closed, and say how far every function has come."""

from typing import Any

from plumbline import health, wiring
from plumbline.events import now_of
from plumbline.observability import LambdaContext, observed, publish_lags
from plumbline.pipeline.collecting import collect_candles


@observed
def handler(event: dict[str, Any], context: LambdaContext, app: wiring.App | None = None) -> dict[str, Any]:
    """Handle an event such as {"time": "2026-11-20T07:00:00Z"}; `time` is now where it is left out."""
    app, now = app or wiring.app(), now_of(event)
    app.settle(now)
    result = collect_candles(app.stores, app.exchange(), app.settings.universe_size, now, wiring.enough_time(context))
    publish_lags({lag.name: lag.lag for lag in health.lags(app.stores.cursors.all(), now)})
    return result
