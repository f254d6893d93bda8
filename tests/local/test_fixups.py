"""What MiniStack leaves out is applied where it is missing, and nothing else is touched."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from infra.local import fixups

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class Moto:
    """The part of a Cloud that the fix-ups use, over moto."""

    @property
    def tables(self) -> "DynamoDBClient":
        return self.client("dynamodb")  # type: ignore[no-any-return]  # boto3 makes its clients' classes while running

    def client(self, service: str) -> Any:
        factory: Any = boto3.client  # its overloads want the service's name as a literal
        return factory(service, region_name="us-east-1")


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        Moto().tables.create_table(
            TableName="one",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        )
        yield Moto()


def test_items_expire_by_the_attribute_that_the_template_names(cloud: Any) -> None:
    wanted = {"TimeToLiveSpecification": {"Enabled": "true", "AttributeName": "expiration"}}
    assert fixups._time_to_live(cloud, "one", wanted) == "time to live by expiration"
    state = cloud.tables.describe_time_to_live(TableName="one")["TimeToLiveDescription"]
    assert (state["TimeToLiveStatus"], state["AttributeName"]) == ("ENABLED", "expiration")
    assert fixups._time_to_live(cloud, "one", wanted) == ""


def test_continuous_backups_are_switched_on_where_the_template_wants_them(cloud: Any) -> None:
    wanted = {"PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": "true"}}
    assert fixups._point_in_time_recovery(cloud, "one", wanted) == "point-in-time recovery"
    assert fixups._point_in_time_recovery(cloud, "one", wanted) == ""


@pytest.mark.parametrize(
    "wanted",
    [
        {},
        {
            "TimeToLiveSpecification": {"Enabled": "false", "AttributeName": "x"},
            "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": "false"},
        },
    ],
)
def test_what_the_template_does_not_want_stays_off(cloud: Any, wanted: dict[str, Any]) -> None:
    assert fixups._time_to_live(cloud, "one", wanted) == ""
    assert fixups._point_in_time_recovery(cloud, "one", wanted) == ""


def test_a_right_on_a_rule_holds_for_both_spellings_of_its_name_and_for_no_other_rule(cloud: Any) -> None:
    iam, rule = cloud.client("iam"), "arn:aws:events:us-east-1:123456789012:rule/check-1h"
    table = "arn:aws:dynamodb:us-east-1:123456789012:table/one"
    iam.create_role(RoleName="api", AssumeRolePolicyDocument="{}")
    document = {"Version": "2012-10-17", "Statement": []}
    for resource in (rule, table):
        statement = {"Effect": "Allow", "Action": "*", "Resource": [resource]}
        document["Statement"].append(statement)  # type: ignore[attr-defined]  # a list, as written above
    iam.put_role_policy(RoleName="api", PolicyName="p", PolicyDocument=json.dumps(document))
    wanted = {"Policies": [{"PolicyName": "p"}]}
    assert fixups._rights_on_rules(cloud, "api", wanted) == "rights on rules in p"
    statements = iam.get_role_policy(RoleName="api", PolicyName="p")["PolicyDocument"]["Statement"]
    assert [s["Resource"] for s in statements] == [[rule, rule.replace("rule/", "rule/default/")], [table]]
    assert fixups._rights_on_rules(cloud, "api", wanted) == ""
