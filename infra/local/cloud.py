"""Clients of one AWS-compatible endpoint, found the way LocalStack's own tools find it."""

import os
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from botocore.config import Config
from localstack_client import config as localstack_config  # type: ignore[import-untyped]  # ships no types
from localstack_client.session import Session  # type: ignore[import-untyped]  # ships no types

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_lambda import LambdaClient

REGION = "us-east-1"
_POLICY = Config(
    max_pool_connections=16,
    read_timeout=900,  # as long as a function may run
    retries={"mode": "standard", "total_max_attempts": 5},
)


def named_endpoint(environment: Mapping[str, str]) -> str | None:
    """The endpoint that AWS_ENDPOINT_URL or LOCALSTACK_HOST names, if one does."""
    if not (environment.get("AWS_ENDPOINT_URL") or environment.get("LOCALSTACK_HOST")):
        return None
    return str(localstack_config.get_service_endpoint("cloudformation"))


class Cloud:
    """boto3 clients of one endpoint, each made when first used and closed with it. They are thread-safe."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        # localstack-client lets this variable win over every argument, so it must say the same.
        os.environ["AWS_ENDPOINT_URL"] = endpoint
        self._session = Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION)  # noqa: S106  # the emulators' well-known key
        self._clients: dict[str, Any] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let every connection go."""
        for client in self._clients.values():
            client.close()
        self._clients.clear()

    def client(self, service: str) -> Any:  # boto3 makes its clients' classes while running
        """A client of a service."""
        if service not in self._clients:
            self._clients[service] = self._session.client(service, config=_POLICY)
        return self._clients[service]

    @property
    def stacks(self) -> "CloudFormationClient":
        """CloudFormation."""
        return self.client("cloudformation")  # type: ignore[no-any-return]  # see client

    @property
    def functions(self) -> "LambdaClient":
        """Lambda."""
        return self.client("lambda")  # type: ignore[no-any-return]  # see client

    @property
    def tables(self) -> "DynamoDBClient":
        """DynamoDB."""
        return self.client("dynamodb")  # type: ignore[no-any-return]  # see client

    @property
    def users(self) -> "CognitoIdentityProviderClient":
        """Cognito's user pools."""
        return self.client("cognito-idp")  # type: ignore[no-any-return]  # see client

    @property
    def rules(self) -> "EventBridgeClient":
        """EventBridge's rules."""
        return self.client("events")  # type: ignore[no-any-return]  # see client
