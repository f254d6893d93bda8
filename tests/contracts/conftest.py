"""Two implementations of every port: the fake, and DynamoDB in moto on the tables of infra/tables.yaml."""

from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws
from mypy_boto3_dynamodb import DynamoDBClient

from plumbline.adapters.stores import stores_over
from plumbline.adapters.tables import Tables, open_tables
from plumbline.ports import Stores
from tests.fakes import memory_stores
from tests.tables import create_tables

PREFIX = "plumbline-test"


@pytest.fixture(scope="module")
def aws() -> Iterator[None]:
    """moto instead of AWS, and nothing of the machine's own AWS configuration.

    For one module: inside a mock that outlives its tests, the mocks of others would share its tables.
    """
    with pytest.MonkeyPatch.context() as environment:
        for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB", "AWS_PROFILE", "AWS_REGION"):
            environment.delenv(name, raising=False)
        environment.setenv("AWS_DEFAULT_REGION", "eu-central-1")
        with mock_aws():
            yield


@pytest.fixture(scope="module")
def opened(aws: None) -> Tables:
    """One connection for a module: a client of its own would cost each test some 50 ms."""
    return open_tables(PREFIX)


@pytest.fixture(scope="module")
def client(aws: None) -> DynamoDBClient:
    """Makes and drops tables."""
    return boto3.client("dynamodb")


@pytest.fixture
def tables(opened: Tables, client: DynamoDBClient) -> Iterator[Tables]:
    """Every table, empty."""
    names = create_tables(client, PREFIX)
    yield opened
    for name in names:
        client.delete_table(TableName=name)


@pytest.fixture
def dynamo(tables: Tables) -> Stores:
    """The stores over DynamoDB."""
    return stores_over(tables, "simulated")


@pytest.fixture(params=["memory", "dynamo"])
def stores(request: pytest.FixtureRequest) -> Stores:
    """Each test that takes this runs on both: what holds for one holds for the other."""
    if request.param == "memory":
        return memory_stores("simulated")
    found = request.getfixturevalue("dynamo")
    assert isinstance(found, Stores)
    return found
