"""The service about itself: what it is, how it is, and how to use it."""

from typing import Any

from api.answers import Health, ServiceBody
from api.operations import HTML, Access, Answer, Call, Resource
from api.rendering import PLACEHOLDER, is_simulated, lag_body
from plumbline import __version__, queries
from plumbline.domain.calendar import iso
from plumbline.domain.errors import StoreUnavailable

service = Resource("service")
CACHED = "public, max-age=300"


@service.get("/", "Service information", access=Access.PUBLIC, cache=CACHED, answers={200: ServiceBody})
def service_information(call: Call) -> Answer:
    """What this service is, what decides, and whose market it reads."""
    settings = call.settings
    body = ServiceBody(
        service="plumbline",
        description="Trading signals, every one of them checked against what the market then did.",
        version=settings.code_version or __version__,
        stage=settings.stage,
        mode=PLACEHOLDER,
        data_source=settings.source,
        simulated=is_simulated(settings.source),
        links={"docs": "docs", "openapi": "openapi.json", "health": "health"},
    )
    return Answer(body)


@service.get("/health", "Health and lag", access=Access.PUBLIC, answers={200: Health})
def health(call: Call) -> Answer:
    """Tables, exchange, model, and how far behind each scheduled function is; 503 where a table is away."""
    now, stores = call.now, call.stores
    lags = queries.lags(stores.cursors.all(), now)
    tables = queries.table_states(stores, now)
    away = [f"{name}: {state}" for name, state in tables.items() if state != queries.OK]
    if away:
        raise StoreUnavailable("; ".join(away))
    body = Health(
        status="degraded" if any(lag.late for lag in lags) else "ok",
        as_of=iso(now),
        tables={"cursors": queries.OK, **tables},
        model={"mode": PLACEHOLDER, "scanner": "technical"},
        exchange={"source": stores.source, "simulated": is_simulated(stores.source)},
        cursors=[lag_body(lag) for lag in lags],
    )
    return Answer(body)


@service.get("/openapi.json", "This document", access=Access.PUBLIC, cache=CACHED, answers={200: dict[str, Any]})
def openapi_document(call: Call) -> Answer:
    """The API as OpenAPI 3.1."""
    from api.openapi import document  # noqa: PLC0415  builds every schema; only this call and /docs need it

    return Answer(document(call.operations))


@service.get("/docs", "The API to read", access=Access.PUBLIC, cache=CACHED, media_type=HTML, answers={200: str})
def documentation(call: Call) -> Answer:
    """The OpenAPI document as a page."""
    from api.docs_page import page, policy  # noqa: PLC0415  as above
    from api.openapi import document  # noqa: PLC0415  as above

    up = "../" if str(call.request.context.get("path", "")).endswith("/") else ""
    return Answer(page(document(call.operations), up), headers={"Content-Security-Policy": policy()})
