"""Who may do what: the gateway's tokens, the operators' group, and each function's own role."""

from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlsplit

import boto3
import httpx
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from infra.local.cloud import Cloud
from infra.local.stack import Stack

READERS = ("/api/signals/latest", "/api/signals/history", "/performance/stats", "/performance/tracker-stats")
OPERATORS = ("/performance/tracker/stop", "/performance/tracker/start", "/performance/track-signal")


PAPER = "/api/public/paper-trading"
PUBLIC = (
    *("/", "/health", "/openapi.json", "/docs", "/bot-performance"),
    *(f"{PAPER}{path}" for path in ("/", "/summary/", "/open-positions/", "/performance/")),
)


@pytest.mark.parametrize("path", PUBLIC)
def test_public_paths_need_no_token(anyone: httpx.Client, path: str) -> None:
    assert anyone.get(path).status_code == 200


@pytest.mark.parametrize("path", READERS)
def test_a_reader_needs_a_token(anyone: httpx.Client, user: httpx.Client, path: str) -> None:
    assert anyone.get(path).status_code == 401
    assert anyone.get(path, headers={"Authorization": "Bearer not.a.token"}).status_code == 401
    assert user.get(path).status_code == 200


@pytest.mark.parametrize("path", OPERATORS)
def test_an_operators_path_refuses_a_user(anyone: httpx.Client, user: httpx.Client, path: str) -> None:
    assert anyone.post(path, json={}).status_code == 401
    refused = user.post(path, json={})
    assert refused.status_code == 403
    assert refused.headers["content-type"] == "application/problem+json"
    assert "operators" in refused.json()["detail"]


def test_an_operator_switches_the_rules_of_the_checks(operator: httpx.Client, cloud: Cloud, stack: Stack) -> None:
    def states() -> set[str]:
        rules = cloud.rules.list_rules(NamePrefix=f"{stack.name}-check-")["Rules"]
        assert len(rules) == 5
        return {rule["State"] for rule in rules}

    try:
        assert operator.post("/performance/tracker/start").status_code == 200
        assert states() == {"ENABLED"}
    finally:
        assert operator.post("/performance/tracker/stop").status_code == 200
    assert states() == {"DISABLED"}


@pytest.mark.parametrize(
    ("function", "forbidden"),
    [
        ("check_outcomes", "signals"),
        ("check_outcomes", "candles"),
        ("generate_signals", "outcomes"),
        ("collect_candles", "signals"),
        ("summarise_day", "signals"),
        ("track_trades", "signals"),
        ("track_trades", "candles"),
        ("generate_signals", "trades"),
        ("notify", "trades"),
        ("notify", "signals"),
        ("live_feed", "feed"),
        ("api", "outcomes"),
        ("api", "trades"),
        ("api", "positions"),
    ],
)
def test_a_functions_role_may_not_write_what_is_not_its_own(
    stack: Stack, cloud: Cloud, function: str, forbidden: str
) -> None:
    role = cloud.functions.get_function_configuration(FunctionName=stack.functions[function])["Role"]
    session = cloud.client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    tables = boto3.client(
        "dynamodb",
        endpoint_url=stack.aws_endpoint,
        region_name="us-east-1",
        aws_access_key_id=session["AccessKeyId"],
        aws_secret_access_key=session["SecretAccessKey"],
        aws_session_token=session["SessionToken"],
        config=Config(retries={"total_max_attempts": 1}),
    )
    with closing(tables):
        with pytest.raises(ClientError, match="AccessDenied"):
            tables.put_item(TableName=f"{stack.tables}-{forbidden}", Item={"pk": {"S": "x"}, "sk": {"S": "x"}})
        with pytest.raises(ClientError, match="AccessDenied"):
            tables.scan(TableName=f"{stack.tables}-{forbidden}")


@pytest.fixture
def front_door(stack: Stack) -> Iterator[httpx.Client]:
    """CloudFront, asked by its name at the address where everything local answers."""
    with httpx.Client(base_url=stack.aws_endpoint, headers={"Host": urlsplit(stack.front_door).netloc}) as client:
        yield client


# MiniStack answers /health by itself, whoever is asked
@pytest.mark.parametrize("path", [*(path for path in PUBLIC if path != "/health"), f"{PAPER}/?limit=2&format=csv"])
def test_the_front_door_passes_the_apis_own_bytes_on(anyone: httpx.Client, front_door: httpx.Client, path: str) -> None:
    own, passed = anyone.get(path), front_door.get(path)
    assert (passed.status_code, passed.content) == (own.status_code, own.content)
    for name in ("Content-Type", "Cache-Control", "ETag", "Content-Security-Policy"):
        assert passed.headers.get(name) == own.headers.get(name), name


def test_behind_the_front_door_a_token_still_decides(front_door: httpx.Client, stack: Stack) -> None:
    path, token = "/api/signals/latest", {"Authorization": f"Bearer {stack.tokens['user']}"}
    assert front_door.get(path).status_code == 401
    assert front_door.get(path, headers=token).status_code == 200


@pytest.mark.parametrize("path", [f"{PAPER}/?limit=0", f"{PAPER}/no-such-trade/"])
def test_the_front_door_never_replaces_an_error_of_the_api(
    anyone: httpx.Client, front_door: httpx.Client, path: str
) -> None:
    own, passed = anyone.get(path), front_door.get(path)
    assert passed.status_code == own.status_code >= 400
    assert passed.headers["Content-Type"] == own.headers["Content-Type"] == "application/problem+json"
    assert passed.json()["detail"] == own.json()["detail"]
