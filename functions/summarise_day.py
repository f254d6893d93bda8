"""At 00:05 UTC for the day before, and every hour for the running one: fold the facts into statistics."""

from typing import Any

from plumbline import wiring
from plumbline.events import now_of
from plumbline.observability import LambdaContext, observed
from plumbline.pipeline.summarising import summarise_day


@observed
def handler(event: dict[str, Any], context: LambdaContext, app: wiring.App | None = None) -> dict[str, Any]:
    """Handle an event such as {"time": "2026-11-20T00:05:00Z"}."""
    app = app or wiring.app()
    return summarise_day(app.stores, now_of(event), wiring.enough_time(context))
