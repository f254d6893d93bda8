"""The OpenAPI 3.1 document, built from the registry of operations and the types of what they take and answer."""

from collections.abc import Iterable, Mapping
from functools import cache
from http import HTTPStatus
from typing import Annotated, Any, Literal, NotRequired, TypedDict

from pydantic import Field, TypeAdapter

from api import problems
from api.operations import CSV, JSON, Access, Operation
from plumbline import __version__
from plumbline.health import TableState

SCHEME = "token"
_REF = "#/components/schemas/{model}"
_ABOUT = """Signals for crypto markets, every one of them checked against what the market then did.

Readers send a user's token, operators one of the group `operators`: `Authorization: Bearer <token>`.
Errors are `application/problem+json` (RFC 9457). Paths answer with and without a trailing slash.
Every rate stands beside its sample size and its 95 % Wilson interval."""
_WHEN = {
    400: "The body is not JSON",
    401: "No valid token",
    403: "The token's user is not an operator",
    404: "Nothing of that name, or nothing yet",
    409: "The id stands for another signal, or the same request is at work at this moment",
    413: "The body is larger than 10 MB",
    415: "The body's media type is not application/json",
    422: "What was sent cannot be used; `errors` says which field and why",
    429: "Too many requests; try again after `Retry-After` seconds",
    500: "The request failed on our side",
    503: "A store is away: try again after `Retry-After` seconds; or a file of the service is missing or refused: "
    "`detail` says which and why",
}
_ALWAYS = (413, 429, 500, 503)
"""What any operation may answer; the gateway itself says the first two."""
_TAGS = {
    "service": "What the service is, how it is, and this document.",
    "signals": "The log of signals, decisions on demand, and the model behind them.",
    "channels": "How each channel does by its paper trades.",
    "performance": "What became of the signals, and the checks that find out.",
    "paper-trading": "The public record: every signal's paper trade, open and closed, and what they came to.",
    "dashboard": "The page that shows the public record.",
}


class Fault(TypedDict):
    """One field that cannot be used."""

    field: str
    message: str


class Problem(TypedDict):
    """RFC 9457."""

    type: Annotated[str, Field(json_schema_extra={"format": "uri-reference"})]
    title: str
    status: Annotated[int, Field(ge=400, le=599)]
    detail: str
    errors: NotRequired[list[Fault]]
    tables: NotRequired[Annotated[dict[str, TableState], Field(description="of `/health`, beside its other members")]]


@cache
def document(operations: tuple[Operation, ...], server: str) -> dict[str, Any]:
    """The whole document as plain values, for the API at `server`; the same registry gives the same bytes."""
    schemas, components = _schemas(operations)
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Plumbline",
            "version": __version__,
            "description": _ABOUT,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": server}],
        "tags": [{"name": name, "description": text} for name, text in _TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": components,
            "responses": {str(status): _problem(status, schemas) for status in _WHEN},
            "securitySchemes": {
                SCHEME: {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "The ID token of a Cognito user; operators are in its group `operators`.",
                }
            },
        },
    }


type Schemas = dict[tuple[int, Mode], dict[str, Any]]
type Mode = Literal["validation", "serialization"]


def _schemas(operations: Iterable[Operation]) -> tuple[Schemas, dict[str, Any]]:
    """The schema of each type by its id, and the components they refer to."""
    wanted: list[tuple[int, Mode, TypeAdapter[Any]]] = [(id(Problem), "serialization", TypeAdapter(Problem))]
    for operation in operations:
        wanted += [(id(kind), "serialization", TypeAdapter(kind)) for kind in operation.answers.values()]
        if operation.body:
            wanted.append((id(operation.body), "validation", operation.body))
    made, shared = TypeAdapter.json_schemas(wanted, ref_template=_REF)
    return made, shared.get("$defs", {})


def _operation(operation: Operation, schemas: Schemas) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.name,
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": operation.description,
        "parameters": list(_parameters(operation)),
        "responses": _responses(operation, schemas),
        "security": _security(operation.access),
    }
    if operation.body:
        content = {JSON: {"schema": schemas[id(operation.body), "validation"]}}
        described["requestBody"] = {"required": True, "content": content}
    return described


def _security(access: Access) -> list[dict[str, list[str]]]:
    """Since 3.1 the list of any scheme may name the roles that are needed."""
    needed: dict[Access, list[dict[str, list[str]]]] = {
        Access.PUBLIC: [],
        Access.USER: [{SCHEME: []}],
        Access.OPERATOR: [{SCHEME: ["operators"]}],
    }
    return needed[access]


def _parameters(operation: Operation) -> Iterable[dict[str, Any]]:
    for name, part in operation.parts.items():
        yield _parameter("path", name, part, required=True)
    if operation.query:
        schema = operation.query.model_json_schema(ref_template=_REF)
        for name, property_ in schema["properties"].items():
            yield _parameter("query", name, property_, required=name in schema.get("required", ()))
    if operation.idempotent:
        text = {
            "type": "string",
            "pattern": "^[!-~]{1,255}$",
            "description": "The same key and body give the same answer for a day, marked `Idempotent-Replayed: true`",
        }
        yield _parameter("header", "Idempotency-Key", text, required=False)
    if operation.cache.startswith("public"):
        seen = {"type": "string", "description": "An ETag: 304 where it still holds"}
        yield _parameter("header", "If-None-Match", seen, required=False)


def _parameter(place: str, name: str, schema: Mapping[str, Any], *, required: bool) -> dict[str, Any]:
    """A parameter that may be left out is not one that may be null: HTTP has no null."""
    plain = {key: value for key, value in schema.items() if key not in {"title", "description", "anyOf"}}
    for variant in schema.get("anyOf", ()):
        if variant.get("type") != "null":
            plain |= variant
    if plain.get("default", 0) is None:
        del plain["default"]
    description = schema.get("description", plain.pop("description", ""))
    parameter = {"name": name, "in": place, "required": required, "schema": plain}
    return {**parameter, "description": description} if description else parameter


def _responses(operation: Operation, schemas: Schemas) -> dict[str, Any]:
    answers = {
        str(status): _answer(operation, status, schemas[id(kind), "serialization"])
        for status, kind in operation.answers.items()
    }
    if operation.cache.startswith("public"):
        answers["304"] = {"description": "Not Modified", "headers": _headers("ETag", "Cache-Control")}
    refused = {Access.PUBLIC: (), Access.USER: (401,), Access.OPERATOR: (401, 403)}[operation.access]
    failing = sorted({*operation.problems, *refused, *_ALWAYS})
    return answers | {str(status): {"$ref": f"#/components/responses/{status}"} for status in failing}


def _answer(operation: Operation, status: int, schema: Any) -> dict[str, Any]:
    content = {_plain(operation.media_type): {"schema": schema}}
    for media_type in operation.formats:
        content[_plain(media_type)] = {"schema": {} if _plain(media_type) == JSON else {"type": "string"}}
    names = ["Cache-Control"]
    if operation.cache.startswith("public"):
        names.append("ETag")
    if CSV in operation.formats:
        names += ["Vary", "Content-Disposition", "Link"]
    if operation.idempotent:
        names.append("Idempotent-Replayed")
    return {
        "description": HTTPStatus(status).phrase,
        "headers": _headers(*names),
        "content": content,
    }


def _plain(media_type: str) -> str:
    """A media type without its parameters."""
    return media_type.partition(";")[0]


def _problem(status: int, schemas: Schemas) -> dict[str, Any]:
    response: dict[str, Any] = {
        "description": _WHEN[status],
        "content": {problems.CONTENT_TYPE: {"schema": schemas[id(Problem), "serialization"]}},
    }
    names = {401: ("WWW-Authenticate",), 429: ("Retry-After",), 503: ("Retry-After",)}.get(status, ())
    return {**response, "headers": _headers(*names)} if names else response


def _headers(*names: str) -> dict[str, Any]:
    return {name: {"schema": {"type": "string"}} for name in names}
