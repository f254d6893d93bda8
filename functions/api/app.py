"""The Chalice application behind the REST API: `app` is the Lambda handler."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from chalice.app import Chalice, Request, Response

from api import problems
from api.caching import conditional
from api.channels import channels
from api.context import Services
from api.dashboard import dashboard
from api.operations import Operation, Resource
from api.paper_trading import paper_trading
from api.performance import performance
from api.service import service
from api.signals import signals
from plumbline import wiring
from plumbline.observability import logger

RESOURCES: tuple[Resource, ...] = (service, signals, channels, performance, paper_trading, dashboard)
OPERATIONS: tuple[Operation, ...] = tuple(o for resource in RESOURCES for o in resource.operations)

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.idempotency.persistence.base import BasePersistenceLayer

type Next = Callable[[Request], Response]


def create_app(services: Services) -> Chalice:
    """The whole API over the given services."""
    application = Chalice(app_name="plumbline", configure_logs=False, env={})
    for resource in RESOURCES:
        application.register_blueprint(resource.blueprint(services, OPERATIONS))
    for middleware in (_logged, _conditional, _in_problem_form):
        application.register_middleware(middleware, "http")
    return application


def _logged(request: Request, get_response: Next) -> Response:
    """One line for each request; who asked is told by the token's subject, never by the token."""
    began = time.perf_counter()
    response = get_response(request)
    logger.info(
        "request",
        extra={
            "method": request.method,
            "path": request.path,
            "status": response.status_code,
            "milliseconds": round(1000 * (time.perf_counter() - began), 1),
            "request_id": request.context.get("requestId", ""),
        },
    )
    return response


def _in_problem_form(request: Request, get_response: Next) -> Response:
    """Every failure as problem+json. One that is ours is logged with its cause, and the caller learns nothing of it."""
    try:
        response = get_response(request)
    except Exception as error:  # noqa: BLE001  the last place where a failure can still become an answer
        cause = (error.__cause__ or error) if isinstance(error, problems.Refused) else error
        answer = problems.answer_to(cause)
        if answer.status_code >= 500:
            logger.error("request failed", exc_info=cause, extra={"method": request.method, "path": request.path})
        return answer
    is_ours = response.status_code < 400 or response.headers.get("Content-Type") == problems.CONTENT_TYPE
    return response if is_ours else problems.from_chalice(response)


def _conditional(request: Request, get_response: Next) -> Response:
    """ETag and 304 on public answers; no sniffing on any."""
    response = conditional(request, get_response(request))
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _replies() -> "BasePersistenceLayer":
    from api.idempotency import stored_replies  # noqa: PLC0415  boto3 and jmespath, for requests with a key only

    return stored_replies(f"{wiring.settings().tables}-idempotency")


def _has_model() -> bool:
    return wiring.model_file(wiring.settings()) is not None


def _page() -> Path:
    return Path(__file__).with_name("page")


app = create_app(
    Services(
        stores=wiring.stores,
        settings=wiring.settings,
        schedules=wiring.schedules,
        policy=wiring.policy,
        win=wiring.win,
        has_model=_has_model,
        replies=_replies,
        page=_page,
        now=wiring.now,
    )
)
