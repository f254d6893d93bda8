"""Tables in moto from infra/tables.yaml itself, so that no test runs on other keys than the ones that are deployed."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]  # PyYAML ships no types, and one call does not earn a stub package
from mypy_boto3_dynamodb import DynamoDBClient

TEMPLATE = Path(__file__).parents[1] / "infra" / "tables.yaml"
CREATED = ("TableName", "BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")
"""Properties that are arguments of CreateTable as they are."""


class _CloudFormation(yaml.SafeLoader):  # type: ignore[misc]  # untyped base class, see above
    """YAML with CloudFormation's short functions, read as (name, argument)."""


_CloudFormation.add_multi_constructor("!", lambda loader, name, node: (name, loader.construct_scalar(node)))


@cache
def table_resources() -> dict[str, dict[str, Any]]:
    """The template's tables as they are written, by their name without its prefix."""
    resources = yaml.load(TEMPLATE.read_text(), _CloudFormation)["Resources"].values()
    tables = [each for each in resources if each["Type"] == "AWS::DynamoDB::Table"]
    return {each["Properties"]["TableName"][1].removeprefix("${Prefix}-"): each for each in tables}


@cache
def table_definitions(prefix: str) -> list[dict[str, Any]]:
    """CreateTable's arguments for every table of the template."""
    return [_arguments(each["Properties"], prefix) for each in table_resources().values()]


def create_tables(client: DynamoDBClient, prefix: str) -> list[str]:
    """Create them all; returns their names."""
    return [client.create_table(**each)["TableDescription"]["TableName"] for each in table_definitions(prefix)]


def _arguments(properties: dict[str, Any], prefix: str) -> dict[str, Any]:
    chosen = {name: properties[name] for name in CREATED if name in properties}
    function, text = chosen["TableName"]
    assert function == "Sub", f"a table's name must be built from ${{Prefix}}, not by {function} {text}"
    if stream := properties.get("StreamSpecification"):  # in CloudFormation a view type switches the stream on
        chosen["StreamSpecification"] = {"StreamEnabled": True, **stream}
    return chosen | {"TableName": text.replace("${Prefix}", prefix)}
