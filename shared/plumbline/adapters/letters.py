"""Where what cannot be read is kept for a person to look at: the log, and the queue of dead letters."""

import json
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

logger = logging.getLogger(__name__)


class QueuedLetters:
    """ports.DeadLetters over an SQS queue; without an address, over the log alone."""

    def __init__(self, queue_url: str, *, region: str | None = None, host: str | None = None) -> None:
        self._queue_url = queue_url
        self._region = region
        self._host = host
        self._queue: SQSClient | None = None

    def keep(self, letter: Mapping[str, object], reason: str) -> None:
        """Log it whole, then queue it. A queue that is away costs nothing: the log has it."""
        text = json.dumps({"reason": reason, "record": letter}, default=str)
        logger.error("a record cannot be read: %s", text)
        if not self._queue_url:
            return
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415  # loaded by PynamoDB anyway

        try:
            self._client().send_message(QueueUrl=self._queue_url, MessageBody=text)
        except (BotoCoreError, ClientError):
            logger.exception("the dead letters' queue %s did not take it", self._queue_url)

    def _client(self) -> "SQSClient":
        if self._queue is None:
            from botocore.session import get_session  # noqa: PLC0415  # only a record that cannot be read needs it

            queue = get_session().create_client("sqs", region_name=self._region, endpoint_url=self._host)
            self._queue = cast("SQSClient", queue)
        return self._queue
