"""One logger and one metrics sink for every function.

Powertools without its Tracer: importing that costs 0.3-0.6 s of cold start, and the active X-Ray of the template
already traces each invocation.
"""

import os
from collections.abc import Mapping
from functools import wraps
from typing import Any, Protocol

from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from plumbline.domain.drift import ModelReport
from plumbline.domain.errors import CursorMoved

SERVICE = os.environ.get("POWERTOOLS_SERVICE_NAME", "plumbline")
logger = Logger(service=SERVICE)


class LambdaContext(Protocol):
    """What handlers use of Lambda's context."""

    function_name: str
    aws_request_id: str

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds left before Lambda stops the function."""


class Handler(Protocol):
    """A scheduled function: an event in, a small dict of numbers out."""

    def __call__(self, event: dict[str, Any], context: LambdaContext, app: Any = None) -> dict[str, Any]:
        """Handle one event; `app` replaces the container's own services in tests."""


def observed(handler: Handler) -> Handler:
    """Log one line per run with the event and the result, and count every number of the result as a metric.

    CursorMoved is not a failure: another run did the same work first, and the facts are the same.
    """
    name = handler.__module__

    @wraps(handler)
    def run(event: dict[str, Any], context: LambdaContext, app: Any = None) -> dict[str, Any]:
        try:
            result = handler(event, context, app)
        except CursorMoved as moved:
            logger.warning("another run was first", extra={"event": brief(event), "reason": str(moved)})
            return {"moved_by_another_run": 1}
        logger.info(name, extra={"event": brief(event), "result": result})
        publish(name, result)
        return result

    return run


def brief(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """An event as the log has it: of a batch the number of its records, of a client's message its beginning."""
    if "Records" in event:
        return {"records": len(event["Records"])}
    return {**event, "body": event["body"][:200]} if "body" in event else event


def publish(function: str, result: Mapping[str, Any]) -> None:
    """Every number of a result as a CloudWatch metric, in the embedded format, with the function as dimension."""
    numbers = {name: value for name, value in result.items() if isinstance(value, int | float)}
    if not numbers:
        return
    metrics = EphemeralMetrics(namespace="Plumbline", service=SERVICE)
    metrics.add_dimension(name="function", value=function)
    for name, value in numbers.items():
        unit = MetricUnit.Seconds if name.endswith("_seconds") else MetricUnit.Count
        metrics.add_metric(name=name, unit=unit, value=value)
    metrics.flush_metrics()


def publish_lags(lags: Mapping[str, int]) -> None:
    """Age of each cursor (name to ms), as metric `CursorLag` with the cursor as dimension."""
    for name, lag in lags.items():
        metrics = EphemeralMetrics(namespace="Plumbline", service=SERVICE)
        metrics.add_dimension(name="cursor", value=name)
        metrics.add_metric(name="CursorLag", unit=MetricUnit.Seconds, value=lag / 1000)
        metrics.flush_metrics()


def publish_model(report: ModelReport) -> None:
    """The newest report on the model: `ModelDrift` (its mean PSI), `ModelSkill` (nats), `ModelEarnsItsPlace` (1, 0).

    Without the model's name as dimension: an alarm names its dimensions, and should outlive a model.
    """
    figures = {
        "ModelDrift": report.drift,
        "ModelSkill": report.skill,
        "ModelEarnsItsPlace": int(report.earns_its_place),
    }
    metrics = EphemeralMetrics(namespace="Plumbline", service=SERVICE)
    for name, value in figures.items():
        metrics.add_metric(name=name, unit=MetricUnit.NoUnit, value=value)
    metrics.flush_metrics()
