"""Who may call what: closed by default, whatever the gateway in front does."""

import pytest

from api.app import OPERATIONS
from api.operations import Access, Operation
from tests.fakes import FakeSchedules
from tests.functions.gateway import OPERATOR, USER, Gateway, services

PAPER = {"", "/open-positions", "/summary", "/performance", "/{signal_id}"}
PUBLIC = {
    *("/", "/health", "/openapi.json", "/docs", "/bot-performance", "/bot-performance/{asset}"),
    *(f"/api/public/paper-trading{path}" for path in PAPER),
}
CLOSED = [o for o in OPERATIONS if o.access is not Access.PUBLIC]
OPERATORS_ONLY = [o for o in OPERATIONS if o.access is Access.OPERATOR]


def call(gateway: Gateway, operation: Operation) -> int:
    return gateway.send(operation.method, operation.path, None, {"content-type": "application/json"}).status


def test_only_the_services_own_pages_and_the_paper_record_are_public() -> None:
    assert {o.path for o in OPERATIONS if o.access is Access.PUBLIC} == PUBLIC


@pytest.mark.parametrize("operation", CLOSED, ids=lambda o: o.name)
@pytest.mark.parametrize(
    "claims",
    [None, {}, {"sub": ""}, {"cognito:groups": "operators"}, "a-user"],
    ids=["none", "empty", "no-sub", "groups", "text"],
)
def test_a_request_without_verified_claims_is_refused_even_if_the_gateway_lets_it_through(
    operation: Operation, claims: dict[str, object] | None
) -> None:
    reply = Gateway(claims=claims).send(operation.method, operation.path, None, {"content-type": "application/json"})
    assert reply.status == 401
    assert reply.headers["www-authenticate"] == "Bearer"
    assert reply.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("operation", OPERATORS_ONLY, ids=lambda o: o.name)
@pytest.mark.parametrize("groups", ["", "readers", "operators2", "[readers]", ["readers"], None])
def test_a_user_who_is_no_operator_is_forbidden_the_operators_calls(operation: Operation, groups: object) -> None:
    schedules = FakeSchedules("plumbline-test-check-1h")
    gateway = Gateway(services(schedules=schedules), claims=USER | {"cognito:groups": groups})
    assert call(gateway, operation) == 403
    assert schedules.states() == {"plumbline-test-check-1h": True}


@pytest.mark.parametrize("groups", ["operators", "readers,operators", "[readers operators]", ["operators"]])
def test_the_group_is_read_in_every_form_a_gateway_hands_it_over(groups: object) -> None:
    reply = Gateway(claims=OPERATOR | {"cognito:groups": groups}).post("/performance/tracker/stop")
    assert reply.status == 200


def test_tracking_and_switching_are_the_operators_calls() -> None:
    assert {o.path for o in OPERATORS_ONLY} == {
        "/performance/track-signal",
        "/performance/tracker/start",
        "/performance/tracker/stop",
    }


def test_the_refusal_says_which_group_is_missing() -> None:
    reply = Gateway(claims=USER | {"cognito:groups": "readers"}).post("/performance/tracker/stop")
    assert reply.json["detail"] == "this call needs the group 'operators'; the token's groups: readers"
