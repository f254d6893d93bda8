"""The service about itself: what it is, how it is, and how to use it."""

from typing import Any

from api.answers import Health, ServiceBody
from api.model import mode_of, model_state
from api.operations import HTML, Access, Answer, Call, Resource
from api.problems import TablesAway
from api.rendering import exchange_body, lag_body
from plumbline import __version__
from plumbline.domain.calendar import iso
from plumbline.health import OK, TableState, lags, market_state, table_states
from plumbline.rendering import is_simulated

service = Resource("service")
CACHED = "public, max-age=300"


@service.get("/", "Service information", access=Access.PUBLIC, cache=CACHED, answers={200: ServiceBody})
def service_information(call: Call) -> Answer:
    """What this service is, what decides, and whose market it reads. `/health` says whether the model can be used."""
    settings = call.settings
    body = ServiceBody(
        service="plumbline",
        description="Trading signals, every one of them checked against what the market then did.",
        version=settings.code_version or __version__,
        stage=settings.stage,
        mode=mode_of(call.services),
        data_source=settings.source,
        simulated=is_simulated(settings.source),
        links={"docs": "docs", "openapi": "openapi.json", "health": "health", "model": "api/signals/model/info"},
    )
    return Answer(body)


@service.get("/health", "Health and lag", access=Access.PUBLIC, answers={200: Health})
def health(call: Call) -> Answer:
    """Tables, exchange, model, and how far behind each scheduled function is; 503 where a table is away.

    `degraded` where a function is late, or the market is: no candle or an old one, or most symbols behind; or where
    the model's file is refused. The first call in a container opens the file, since nothing less tells that it can be
    used. The 503 carries `tables` too, and the rest as far as it is known.
    """
    tables = table_states(call.stores)
    away = [name for name, state in tables.items() if state != OK]
    if "cursors" in away:
        raise TablesAway(away, {"tables": tables})
    body = _health(call, tables)
    if away:
        raise TablesAway(away, {name: value for name, value in body.items() if name != "status"})
    return Answer(body)


def _health(call: Call, tables: dict[str, TableState]) -> Health:
    now, cursors, source = call.now, call.stores.cursors.all(), call.stores.source
    ages, market, model = lags(cursors, now), market_state(cursors), model_state(call.services)
    troubled = market.missing or any(lag.late for lag in ages) or model["state"] == "refused"
    return Health(
        status="degraded" if troubled else "ok",
        as_of=iso(now),
        tables=tables,
        model=model,
        exchange=exchange_body(market, source, now),
        cursors=[lag_body(lag) for lag in ages],
    )


@service.get("/openapi.json", "This document", access=Access.PUBLIC, cache=CACHED, answers={200: dict[str, Any]})
def openapi_document(call: Call) -> Answer:
    """The API as OpenAPI 3.1."""
    from api.openapi import document  # noqa: PLC0415  builds every schema; only this call and /docs need it

    return Answer(document(call.operations, _server(call)))


@service.get("/docs", "The API to read", access=Access.PUBLIC, cache=CACHED, media_type=HTML, answers={200: str})
def documentation(call: Call) -> Answer:
    """The OpenAPI document as a page."""
    from api.docs_page import page, policy  # noqa: PLC0415  as above
    from api.openapi import document  # noqa: PLC0415  as above

    up = "../" if str(call.request.context.get("path", "")).endswith("/") else ""
    return Answer(page(document(call.operations, _server(call)), up), headers={"Content-Security-Policy": policy()})


def _server(call: Call) -> str:
    """Address of the API as seen from this document: `../v1` behind a stage or a base path, else `/`.

    Its name comes from the event, because only the gateway knows under which it serves us. Relative, so that it holds
    behind any prefix; without a last slash, which clients would double.
    """
    context = call.request.context
    above, _, slash = str(context.get("path", "")).rpartition(str(context.get("resourcePath", "")) or "/")
    name = above.rpartition("/")[2]
    return f"{'../' if slash else ''}../{name}" if name else "/"
