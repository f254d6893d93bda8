"""E-mail through SES, over botocore's own client: boto3 would add a tenth of a second to a start."""

import logging
from collections.abc import Sequence
from typing import Any, Protocol, cast

from plumbline.domain.errors import Unavailable
from plumbline.ports import Letter

logger = logging.getLogger(__name__)
_CHARSET = "UTF-8"


class _Client(Protocol):
    """What is used of SES."""

    def send_email(self, **request: Any) -> dict[str, Any]:
        """SendEmail of its second API."""


class SesMail:
    """ports.Mail: every letter goes to all of `to`. Connects at the first letter."""

    def __init__(
        self, sender: str, to: Sequence[str], *, region: str | None = None, endpoint: str | None = None
    ) -> None:
        self._sender = sender
        self._to = tuple(to)
        self._region = region
        self._endpoint = endpoint
        self._ses: _Client | None = None

    def send(self, letter: Letter) -> None:
        """One message, tried once: SES has no way to tell a repeated request from a second letter."""
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415  # loaded by PynamoDB anyway

        try:
            answer = self._client().send_email(
                FromEmailAddress=self._sender,
                Destination={"ToAddresses": list(self._to)},
                Content={"Simple": _message(letter)},
            )
        except ClientError as exc:
            raise Unavailable(
                f"SES refused the letter {letter.subject!r} from {self._sender}: {exc}", retry_after=60.0
            ) from exc
        except BotoCoreError as exc:
            raise Unavailable(
                f"SES did not answer about the letter {letter.subject!r}: {exc}", retry_after=60.0
            ) from exc
        logger.info("sent %r to %d addresses as %s", letter.subject, len(self._to), answer.get("MessageId"))

    def _client(self) -> _Client:
        if self._ses is None:
            from botocore.config import Config  # noqa: PLC0415  # as above
            from botocore.session import get_session  # noqa: PLC0415  # as above

            once = Config(connect_timeout=3, read_timeout=20, retries={"total_max_attempts": 1})
            ses = get_session().create_client(
                "sesv2", region_name=self._region, endpoint_url=self._endpoint, config=once
            )
            self._ses = cast("_Client", ses)
        return self._ses


def _message(letter: Letter) -> dict[str, Any]:
    """As SES wants it: it makes the MIME parts."""
    message: dict[str, Any] = {
        "Subject": {"Data": letter.subject, "Charset": _CHARSET},
        "Body": {
            "Html": {"Data": letter.html, "Charset": _CHARSET},
            "Text": {"Data": letter.text, "Charset": _CHARSET},
        },
    }
    if letter.attachments:
        message["Attachments"] = [
            {
                "FileName": attached.name,
                "ContentType": attached.media_type,
                "ContentDisposition": "ATTACHMENT",
                "ContentTransferEncoding": "BASE64",
                "RawContent": attached.content,
            }
            for attached in letter.attachments
        ]
    return message
