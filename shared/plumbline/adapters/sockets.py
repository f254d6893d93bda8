"""The wire to the listeners of the live feed: API Gateway's connections, by its management API."""

import logging
import random
import time
from collections.abc import Callable, Sequence
from threading import Lock
from typing import TYPE_CHECKING, cast

from plumbline.domain.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_apigatewaymanagementapi import ApiGatewayManagementApiClient

logger = logging.getLogger(__name__)

FAN_OUT = 10
"""Listeners told side by side: as many as the tables' client keeps connections."""

_GONE = {"GoneException", "410", "BadRequestException"}
"""Hung up, or never there: the gateway calls an id that is none of its own a bad request."""

_BUSY = {"LimitExceededException", "TooManyRequestsException", "ThrottlingException", "Throttling", "429"}
_TOO_LARGE = {"PayloadTooLargeException", "413"}


class GatewaySockets:
    """ports.Sockets. The client is made for the first message; threads may share it.

    `pauses`: seconds (at most) before each new try where the gateway is busy, or a connection to it broke, as one does
    that was kept while the function slept.
    """

    def __init__(
        self, endpoint: str, *, region: str | None = None, pauses: Sequence[float] = (0.1, 0.2, 0.4, 0.8)
    ) -> None:
        self._endpoint = endpoint
        self._region = region
        self._pauses = tuple(pauses)
        self._gateway: ApiGatewayManagementApiClient | None = None
        self._opening = Lock()

    def send(self, connection_id: str, text: str) -> bool:
        """Post one message; False where the connection is gone.

        One that the gateway finds too large is left out with an error in the log: it would keep all that follows back.
        """
        data = text.encode()
        said = self._ask(lambda gateway: gateway.post_to_connection(ConnectionId=connection_id, Data=data))
        if said in _TOO_LARGE:
            logger.error("a message of %d bytes is too large for the gateway and was left out: %.200s", len(data), text)
        return said not in _GONE

    def close(self, connection_id: str) -> None:
        """Delete the connection."""
        self._ask(lambda gateway: gateway.delete_connection(ConnectionId=connection_id))

    def _ask(self, ask: "Callable[[ApiGatewayManagementApiClient], object]") -> str:
        """Empty where it was done, else why it cannot be: gone, or too large. Unavailable for all else."""
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415  # loaded by PynamoDB anyway

        gateway = self._client()
        for pause in (*self._pauses, None):
            try:
                ask(gateway)
            except ClientError as exc:
                code = exc.response["Error"]["Code"]
                if code in _GONE | _TOO_LARGE:
                    return code
                if code not in _BUSY or pause is None:
                    raise Unavailable(f"the gateway refused with {code}: {exc}", retry_after=1.0) from exc
            except BotoCoreError as exc:
                if pause is None:
                    raise Unavailable(
                        f"the gateway at {self._endpoint} did not answer: {exc}", retry_after=1.0
                    ) from exc
            else:
                return ""
            time.sleep(random.uniform(0, pause))  # noqa: S311  # spreads senders that were throttled together
        raise AssertionError("the last try has no pause, and returns or raises")

    def _client(self) -> "ApiGatewayManagementApiClient":
        # Threads share one client: each one's own would come with its own connections.
        with self._opening:
            if self._gateway is None:
                self._gateway = self._open()
            return self._gateway

    def _open(self) -> "ApiGatewayManagementApiClient":
        from botocore.config import Config  # noqa: PLC0415  # loaded by PynamoDB anyway
        from botocore.session import get_session  # noqa: PLC0415  # as above; boto3 would cost twice the start

        # A message that takes seconds is lost to its listener anyway, and holds up the others of its thread.
        policy = Config(
            connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 1}, max_pool_connections=FAN_OUT
        )
        gateway = get_session().create_client(
            "apigatewaymanagementapi", region_name=self._region, endpoint_url=self._endpoint, config=policy
        )
        return cast("ApiGatewayManagementApiClient", gateway)
