"""Errors as `application/problem+json` (RFC 9457): the one place where the error tree becomes HTTP."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from chalice.app import ChaliceUnhandledError, Response
from pydantic import ValidationError

from plumbline.domain.errors import (
    CursorMoved,
    InvalidInput,
    ModelRefused,
    NotFound,
    PlumblineError,
    RecordRefused,
    StoreUnavailable,
    Unavailable,
)

CONTENT_TYPE = "application/problem+json"
RETRY_AFTER = 5
"""Seconds, where whoever is away did not say."""


class Unauthorized(PlumblineError):
    """No verified user: 401."""


class Forbidden(PlumblineError):
    """A user, but not one who may: 403."""


class Conflict(PlumblineError):
    """The same request is being worked on at this moment: 409."""


class TablesAway(StoreUnavailable):
    """Tables do not answer: 503, with what is `known` all the same as members of the problem."""

    def __init__(self, tables: Sequence[str], known: Mapping[str, Any]) -> None:
        super().__init__(f"unavailable: {', '.join(tables)}")
        self.known = known


class Refused(ChaliceUnhandledError):
    """Carries any error out of a view to the middleware: this is the one kind of exception Chalice lets through."""


_STATUS: tuple[tuple[type[PlumblineError], HTTPStatus], ...] = (
    (Unauthorized, HTTPStatus.UNAUTHORIZED),
    (Forbidden, HTTPStatus.FORBIDDEN),
    (NotFound, HTTPStatus.NOT_FOUND),
    (Conflict, HTTPStatus.CONFLICT),
    (RecordRefused, HTTPStatus.CONFLICT),
    (CursorMoved, HTTPStatus.CONFLICT),
    (InvalidInput, HTTPStatus.UNPROCESSABLE_ENTITY),
    (ModelRefused, HTTPStatus.SERVICE_UNAVAILABLE),
    (Unavailable, HTTPStatus.SERVICE_UNAVAILABLE),
)


def answer_to(error: BaseException) -> Response:
    """The answer to a failed request. What is not ours to say is a 500 without a word about the inside."""
    if isinstance(error, ValidationError):
        return _rejected(error)
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), None)
    if status is None or not isinstance(error, PlumblineError):
        return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "the request failed on our side; it has been logged")
    if isinstance(error, InvalidInput):
        return _invalid([{"field": error.field, "message": str(error)}])
    known = error.known if isinstance(error, TablesAway) else {}
    return problem(status, str(error), headers=_headers(error, status), **known)


def problem(status: HTTPStatus, detail: str, *, headers: Mapping[str, str] | None = None, **members: Any) -> Response:
    """One problem document. The type is `about:blank`: the status says what kind of problem it is."""
    content = {"type": "about:blank", "title": status.phrase, "status": int(status), "detail": detail, **members}
    return Response(
        body=json.dumps(content, ensure_ascii=False, separators=(",", ":")),
        status_code=int(status),
        headers={"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store", **(headers or {})},
    )


def from_chalice(response: Response) -> Response:
    """Chalice's own refusals (wrong method, wrong media type, …) in the same form as ours."""
    status = HTTPStatus(response.status_code)
    message = response.body.get("Message", status.phrase) if isinstance(response.body, dict) else status.phrase
    kept = {name: str(value) for name, value in response.headers.items() if name.lower() == "allow" and value}
    if status is HTTPStatus.METHOD_NOT_ALLOWED and not kept:
        return problem(HTTPStatus.NOT_FOUND, "there is nothing at this path")
    return problem(status, str(message), headers=kept)


def _rejected(error: ValidationError) -> Response:
    first = error.errors(include_url=False, include_input=False)[0]
    if first["type"] == "json_invalid":
        return problem(HTTPStatus.BAD_REQUEST, f"the body is not JSON: {first['msg'].removeprefix('Invalid JSON: ')}")
    return _invalid(list(_faults(error)))


def _invalid(faults: list[dict[str, str]]) -> Response:
    detail = "; ".join(
        f"{fault['field']}: {fault['message']}" if fault["field"] else fault["message"] for fault in faults
    )
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, detail, errors=faults)


def _faults(error: ValidationError) -> Iterable[dict[str, str]]:
    for fault in error.errors(include_url=False, include_context=False):
        field = ".".join(str(part) for part in fault["loc"] if part not in _UNION_TAGS)
        value = fault["input"]
        shown = "" if isinstance(value, dict | list) or fault["type"] == "missing" else f" (got {_short(value)})"
        yield {"field": field, "message": fault["msg"].removeprefix("Value error, ") + shown}


_UNION_TAGS = frozenset({"candles_given", "values_given"})
"""Names of the variants of `generate`'s body: where pydantic went, not where the caller's fault is."""


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def _headers(error: PlumblineError, status: HTTPStatus) -> dict[str, str]:
    if isinstance(error, Unavailable):
        return {"Retry-After": str(math.ceil(error.retry_after or RETRY_AFTER))}
    if status is HTTPStatus.UNAUTHORIZED:
        return {"WWW-Authenticate": "Bearer"}
    return {"Retry-After": "1"} if isinstance(error, Conflict) else {}
