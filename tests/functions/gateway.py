"""The REST API in front of the app: events as API Gateway makes them, with the claims its authorizer would add."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from aws_lambda_powertools.utilities.idempotency.exceptions import (
    IdempotencyItemAlreadyExistsError,
    IdempotencyItemNotFoundError,
)
from aws_lambda_powertools.utilities.idempotency.persistence.base import BasePersistenceLayer
from aws_lambda_powertools.utilities.idempotency.persistence.datarecord import DataRecord
from chalice.app import Chalice
from chalice.local import LambdaContext, LambdaEventConverter, RouteMatcher

from api.app import create_app
from api.context import Services
from plumbline.domain.drift import ModelReport
from plumbline.domain.errors import PlumblineError
from plumbline.domain.policy import Policy
from plumbline.domain.win import WinModel
from plumbline.ports import Schedules, Stores
from plumbline.settings import Settings
from tests.builders import NOON
from tests.fakes import FakeSchedules, memory_stores

USER = {"sub": "a-user", "cognito:username": "ann"}
OPERATOR = {"sub": "an-operator", "cognito:username": "olga", "cognito:groups": "operators"}
A_PAGE = Path(__file__).with_name("a_page")
"""A small page as the dashboard's build leaves one."""
INTERVALS = ("1h", "4h", "24h", "7d", "30d")


class InMemoryReplies(BasePersistenceLayer):
    """The table of answers as a dict."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Powertools leaves its constructor untyped
        self.records: dict[str, DataRecord] = {}

    def _get_record(self, idempotency_key: str) -> DataRecord:
        if idempotency_key not in self.records:
            raise IdempotencyItemNotFoundError
        return self.records[idempotency_key]

    def _put_record(self, data_record: DataRecord) -> None:
        if data_record.idempotency_key in self.records:
            raise IdempotencyItemAlreadyExistsError
        self.records[data_record.idempotency_key] = data_record

    def _update_record(self, data_record: DataRecord) -> None:
        self.records[data_record.idempotency_key] = data_record

    def _delete_record(self, data_record: DataRecord) -> None:
        del self.records[data_record.idempotency_key]


def unused() -> BasePersistenceLayer:
    """Requests without an Idempotency-Key must not touch the table of answers."""
    raise AssertionError("nobody asked for idempotency")


def settings(**changes: str) -> Settings:
    """A local stack on a simulated market."""
    given = {
        "PLUMBLINE_STAGE": "test",
        "PLUMBLINE_TABLES": "plumbline-test",
        "PLUMBLINE_EXCHANGE": "simulated",
        "PLUMBLINE_EXCHANGE_URL": "http://127.0.0.1:1",
        "PLUMBLINE_CODE_VERSION": "0.1.0",
    }
    return Settings.read(given | changes)


def services(
    stores: Stores | None = None,
    schedules: Schedules | None = None,
    now: int = NOON,
    *,
    policy: Policy | PlumblineError | None = None,
    win: WinModel | None = None,
    page: Path = A_PAGE,
    environment: Mapping[str, str] | None = None,
) -> Services:
    """Services over fakes. Without a policy there is no model file; with an error there is one, and it is refused.

    `environment` changes the settings.
    """
    held = stores or memory_stores()
    rules = schedules or FakeSchedules(*(f"plumbline-test-check-{interval}" for interval in INTERVALS))

    def opened() -> Policy | None:
        if isinstance(policy, PlumblineError):
            raise policy
        return policy

    return Services(
        stores=lambda: held,
        settings=lambda: settings(**(environment or {})),
        schedules=lambda: rules,
        policy=opened,
        win=lambda: win,
        has_model=lambda: policy is not None,
        replies=unused,
        page=lambda: page,
        now=lambda: now,
    )


def a_report(**changes: Any) -> ModelReport:
    """A daily report on the fake policy, of that noon's day."""
    given: dict[str, Any] = {
        "day": "2026-11-20",
        "days": 30,
        "model": "fake",
        "version": "0.0.1",
        "model_hash": "f" * 64,
        "symbols": ("BTC/USDT", "ETH/USDT"),
        "examples": 1_440,
        "psi": {"rsi": 0.04},
        "log_loss": 1.07,
        "prior_log_loss": 1.08,
        "skill": 0.01,
        "skill_low": -0.01,
        "skill_high": 0.03,
        "brier": 0.65,
        "calibration_error": 0.02,
        "acted": 3,
        "hits": 1,
        "stated": 0.66,
        "earns_its_place": False,
    }
    return ModelReport(**(given | changes))


@dataclass(frozen=True)
class Reply:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: str

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Gateway:
    """Calls the app as the gateway does. `claims` None is a request without a token; `prefix` is its stage's path."""

    services: Services = field(default_factory=services)
    claims: Mapping[str, object] | None = field(default_factory=lambda: dict(USER))
    prefix: str = "/v1"

    def __post_init__(self) -> None:
        self.app: Chalice = create_app(self.services)
        self.events = LambdaEventConverter(RouteMatcher(list(self.app.routes)), self.app.api.binary_types)

    def by(self, claims: Mapping[str, object] | None) -> "Gateway":
        """The same services, another caller."""
        return replace(self, claims=claims)

    def get(self, path: str, **headers: str) -> Reply:
        return self.send("GET", path, None, headers)

    def post(self, path: str, content: object = None, **headers: str) -> Reply:
        body = None if content is None else json.dumps(content)
        return self.send("POST", path, body, {"content-type": "application/json", **headers})

    def send(self, method: str, path: str, body: str | None, headers: Mapping[str, str]) -> Reply:
        dashed = {name.replace("_", "-"): value for name, value in headers.items()}
        event = self.events.create_lambda_event(method, path, dashed, body.encode() if body is not None else None)
        event["body"] = body
        event["requestContext"]["path"] = self.prefix + path.partition("?")[0]
        if self.claims is not None:
            event["requestContext"]["authorizer"] = {"claims": self.claims}
        answer = self.app(event, LambdaContext("plumbline-test-api", 256, max_runtime_ms=30_000))
        return Reply(answer["statusCode"], {n.lower(): v for n, v in answer["headers"].items()}, answer["body"])
