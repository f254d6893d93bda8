"""Who may do what: the gateway's tokens, the operators' group, and each function's own role."""

from contextlib import closing

import boto3
import httpx
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from infra.local.cloud import Cloud
from infra.local.stack import Stack

READERS = ("/api/signals/latest", "/api/signals/history", "/performance/stats", "/performance/tracker-stats")
OPERATORS = ("/performance/tracker/stop", "/performance/tracker/start", "/performance/track-signal")


@pytest.mark.parametrize("path", ["/", "/health", "/openapi.json", "/docs"])
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
        ("api", "outcomes"),
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
