"""Per interval: judge the signals that fell due by the market's price at their due time."""

from typing import Any

from plumbline import wiring
from plumbline.events import interval_of, now_of
from plumbline.observability import LambdaContext, observed
from plumbline.pipeline.checking import check_outcomes


@observed
def handler(event: dict[str, Any], context: LambdaContext, app: wiring.App | None = None) -> dict[str, Any]:
    """Handle an event such as {"interval": "24h", "time": "2026-11-20T07:00:00Z"}."""
    app = app or wiring.app()
    return check_outcomes(app.stores, interval_of(event), now_of(event), wiring.enough_time(context), clock=app.clock)
