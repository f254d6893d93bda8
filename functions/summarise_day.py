"""Every five minutes: fold the facts since the last run into statistics, at 00:05 UTC those of the day before.

The first run after a day's end also reports on the model.
"""

from typing import Any

from plumbline import wiring
from plumbline.events import now_of
from plumbline.observability import LambdaContext, observed, publish_model
from plumbline.pipeline.reporting import mail_digests, write_digests
from plumbline.pipeline.summarising import summarise_day
from plumbline.pipeline.watching import watch_model
from plumbline.summaries.letter import letter


@observed
def handler(event: dict[str, Any], context: LambdaContext, app: wiring.App | None = None) -> dict[str, Any]:
    """Handle an event such as {"time": "2026-11-20T00:05:00Z"}."""
    app, now = app or wiring.app(), now_of(event)
    enough_time = wiring.enough_time(context)
    summary = summarise_day(app.stores, now, enough_time)
    digests = write_digests(app.stores, enough_time)
    reports = watch_model(app.stores, app.settings, app.models.policy, now, enough_time, tell=publish_model)
    # Last, for a mail that is refused must hold nothing else up.
    mailed = mail_digests(app.stores, app.mail(), lambda digest: letter(digest, app.settings.dashboard_url), now)
    return {**summary, "digests": digests, "reports": len(reports), "mailed": mailed}
