"""Per timeframe: evaluate the candles that closed and append the signals they make to the log."""

from typing import Any

from plumbline import wiring
from plumbline.events import now_of, timeframe_of
from plumbline.observability import LambdaContext, observed
from plumbline.pipeline.generating import generate_signals


@observed
def handler(event: dict[str, Any], context: LambdaContext, app: wiring.App | None = None) -> dict[str, Any]:
    """Handle an event such as {"timeframe": "1h", "time": "2026-11-20T07:01:00Z"}."""
    app = app or wiring.app()
    return generate_signals(
        app.stores,
        app.settings,
        timeframe_of(event),
        now_of(event),
        wiring.enough_time(context),
        clock=app.clock,
        models=app.models,
        stopwatch=app.stopwatch,
    )
