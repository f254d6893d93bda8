"""At 00:05 UTC for the day before, and every hour for the running one: fold the facts into statistics.

The first run after a day's end also reports on the model.
"""

from typing import Any

from plumbline import wiring
from plumbline.events import now_of
from plumbline.observability import LambdaContext, observed, publish_model
from plumbline.pipeline.summarising import summarise_day
from plumbline.pipeline.watching import watch_model


@observed
def handler(event: dict[str, Any], context: LambdaContext, app: wiring.App | None = None) -> dict[str, Any]:
    """Handle an event such as {"time": "2026-11-20T00:05:00Z"}."""
    app, now = app or wiring.app(), now_of(event)
    enough_time = wiring.enough_time(context)
    summary = summarise_day(app.stores, now, enough_time)
    reports = watch_model(app.stores, app.settings, app.models.policy, now, enough_time, tell=publish_model)
    return {**summary, "reports": len(reports)}
