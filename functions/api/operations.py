"""One registry of the API: each operation states its path, who may call it, what it takes and what it answers.

The routes, the checks of token and input, and the OpenAPI document all come from it, so they cannot disagree.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

from chalice.app import Blueprint, Request, Response
from pydantic import BaseModel, TypeAdapter

from api.context import Caller, Services
from api.problems import Refused
from plumbline.ports import Stores
from plumbline.settings import Settings

JSON = "application/json"
HTML = "text/html; charset=utf-8"
CSV = "text/csv; charset=utf-8; header=present"
PRIVATE = "no-store"


class Access(StrEnum):
    """Who may call an operation."""

    PUBLIC = "public"
    USER = "user"
    OPERATOR = "operator"


@dataclass(frozen=True)
class Call:
    """One request on its way through an operation. `caller` is None on public paths only."""

    services: Services
    request: Request
    caller: Caller | None
    operations: "tuple[Operation, ...]"

    @cached_property
    def now(self) -> int:
        """The present (ms), one and the same for the whole request."""
        return self.services.now()

    @property
    def stores(self) -> Stores:
        """The stack's stores."""
        return self.services.stores()

    @property
    def settings(self) -> Settings:
        """The stack's settings."""
        return self.services.settings()


@dataclass(frozen=True, slots=True)
class Answer:
    """What an operation answers: a JSON value, or text where the operation's media type is another.

    Text, too, is what names a `media_type` of its own: one of the operation's further formats.
    """

    body: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str = ""


type View = Callable[..., Answer]
"""Takes the Call, then `query`, `body` and the parts of the path by name, where the operation declares them."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Operation:
    """One method of one path. `answers` maps each status to the type of its body.

    `parts` holds the JSON schema of each part of the path that is written in braces, `formats` the further media types
    that the operation answers in.
    """

    method: str
    path: str
    tag: str
    summary: str
    view: View
    answers: Mapping[int, Any]
    access: Access = Access.USER
    query: type[BaseModel] | None = None
    body: TypeAdapter[Any] | None = None
    parts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    cache: str = PRIVATE
    media_type: str = JSON
    formats: tuple[str, ...] = ()
    idempotent: bool = False
    problems: tuple[int, ...] = ()

    @property
    def name(self) -> str:
        """The operation's id."""
        return self.view.__name__

    @property
    def description(self) -> str:
        """The view's own words."""
        return " ".join((self.view.__doc__ or "").split())

    def perform(self, services: Services, request: Request, operations: "tuple[Operation, ...]") -> Response:
        """Who, what, then the view: a request without a right to ask learns nothing about its input."""
        caller = self._admit(request)
        call = Call(services, request, caller, operations)
        arguments = self._arguments(request)

        def work() -> Response:
            return self.render(self.view(call, **arguments))

        key = request.headers.get("idempotency-key") if self.idempotent else None
        if key is None or caller is None:
            return work()
        from api.idempotency import once  # noqa: PLC0415  boto3 and jmespath: 0.2 s that only this header needs

        return once(services, request, (caller.subject, self.name, key), work)

    def _admit(self, request: Request) -> Caller | None:
        if self.access is Access.PUBLIC:
            return None
        caller = Caller.of(request.context)
        if self.access is Access.OPERATOR:
            caller.require_operator()
        return caller

    def _arguments(self, request: Request) -> dict[str, Any]:
        arguments: dict[str, Any] = {name: (request.uri_params or {})[name] for name in self.parts}
        if self.query:
            arguments["query"] = self.query.model_validate(_query(request))
        if self.body:
            arguments["body"] = self.body.validate_json(request.raw_body)
        return arguments

    def render(self, answer: Answer) -> Response:
        """The answer as HTTP. NaN is no JSON: one that slipped through is our fault, and a 500."""
        media_type = answer.media_type or self.media_type
        is_text = answer.media_type or media_type != JSON
        text = answer.body if is_text else _dump(answer.body)
        headers: dict[str, str | list[str]] = {
            "Content-Type": media_type,
            "Cache-Control": self.cache,
            **answer.headers,
        }
        return Response(body=text, status_code=answer.status, headers=headers)


class Resource:
    """The operations of one resource, in the order of their definition."""

    def __init__(self, tag: str) -> None:
        self.tag = tag
        self.operations: list[Operation] = []

    def get(self, path: str, summary: str, **properties: Any) -> Callable[[View], View]:
        """Declare a GET."""
        return self._declare("GET", path, summary, properties)

    def post(self, path: str, summary: str, **properties: Any) -> Callable[[View], View]:
        """Declare a POST."""
        return self._declare("POST", path, summary, properties)

    def blueprint(self, services: Services, operations: tuple[Operation, ...]) -> Blueprint:
        """A fresh blueprint of these operations over the given services."""
        blueprint = Blueprint(__name__)
        for operation in self.operations:
            view = _route(blueprint, operation, services, operations)
            types = [JSON] if operation.method == "POST" and operation.body else []
            blueprint.route(operation.path, methods=[operation.method], content_types=types, name=operation.name)(view)
        return blueprint

    def _declare(self, method: str, path: str, summary: str, properties: Mapping[str, Any]) -> Callable[[View], View]:
        def declare(view: View) -> View:
            self.operations.append(
                Operation(method=method, path=path, tag=self.tag, summary=summary, view=view, **properties)
            )
            return view

        return declare


def _route(
    blueprint: Blueprint, operation: Operation, services: Services, operations: tuple[Operation, ...]
) -> Callable[[], Response]:
    def view(**_: str) -> Response:
        try:
            return operation.perform(services, blueprint.current_request, operations)
        except Exception as error:
            raise Refused(str(error)) from error

    return view


def _query(request: Request) -> dict[str, Any]:
    """Query parameters by name; one given twice stays a list, which no model accepts."""
    parameters = request.query_params
    values = {name: parameters.getlist(name) for name in parameters} if parameters is not None else {}
    return {name: value[0] if len(value) == 1 else value for name, value in values.items()}


def _dump(body: object) -> str:
    return json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
