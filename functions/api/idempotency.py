"""The same Idempotency-Key and body give the same answer (Powertools over a table with TTL). Imported on first use.

The guard alone is not exactly-once (after a timeout a second run is let through): what a view writes must be
put-if-absent by itself.
"""

import hashlib
import re
from collections.abc import Callable
from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer, IdempotencyConfig
from aws_lambda_powertools.utilities.idempotency.base import IdempotencyHandler
from aws_lambda_powertools.utilities.idempotency.exceptions import (
    IdempotencyAlreadyInProgressError,
    IdempotencyInconsistentStateError,
    IdempotencyPersistenceLayerError,
    IdempotencyValidationError,
)
from aws_lambda_powertools.utilities.idempotency.persistence.datarecord import DataRecord
from chalice.app import Request, Response

from api.context import Services
from api.problems import Conflict
from plumbline.domain.errors import InvalidInput, StoreUnavailable

HEADER = "Idempotency-Key"
KEPT = 24 * 3600
"""Seconds for which an answer is kept."""

_KEY = re.compile(r"[\x21-\x7e]{1,255}")


@cache
def stored_replies(table: str) -> DynamoDBPersistenceLayer:
    """The table of answers, one client for each container."""
    return DynamoDBPersistenceLayer(table_name=table)


def once(services: Services, request: Request, key: tuple[str, str, str], work: Callable[[], Response]) -> Response:
    """The kept answer to this key, or `work`'s, which is then kept. A failed `work` keeps nothing.

    `key` is (caller, operation, the header's value): nobody meets another's key. InvalidInput where the key came with
    another body before, Conflict while the first request is still at work.
    """
    if not _KEY.fullmatch(key[2]):
        raise InvalidInput("must be 1 to 255 printable characters without spaces", field=HEADER)
    payload = {"key": list(key), "body": hashlib.sha256(request.raw_body or b"").hexdigest()}  # type: ignore[arg-type]  # bytes, whatever Chalice's annotation says
    handler = IdempotencyHandler(
        function=lambda: _stored(work()),
        function_payload=payload,
        config=_config(request.lambda_context),
        persistence_store=services.replies(),
        key_prefix="api",
        function_args=(),
        function_kwargs={},
    )
    return _response(_run(handler, key[2]))


def _run(handler: IdempotencyHandler, key: str) -> dict[str, Any]:
    try:
        answer: dict[str, Any] = handler.handle()
    except IdempotencyValidationError:
        raise InvalidInput(f"{key!r} was used with another body before; take a new key", field=HEADER) from None
    except (IdempotencyAlreadyInProgressError, IdempotencyInconsistentStateError):
        raise Conflict(f"a request with {HEADER} {key!r} is being worked on; try again in a moment") from None
    except IdempotencyPersistenceLayerError as error:
        raise StoreUnavailable("the table of idempotent answers did not answer", retry_after=1) from error
    return answer


def _config(lambda_context: Any) -> IdempotencyConfig:
    return IdempotencyConfig(
        event_key_jmespath="key",
        payload_validation_jmespath="body",
        raise_on_no_idempotency_key=True,
        expires_after_seconds=KEPT,
        hash_function="sha256",
        lambda_context=lambda_context,
        response_hook=_replayed,
    )


def _stored(response: Response) -> dict[str, Any]:
    return {"status": response.status_code, "headers": dict(response.headers), "body": response.body}


def _replayed(response: Any, idempotent_data: DataRecord) -> Any:  # noqa: ARG001  the hook's protocol
    return {**response, "headers": {**response["headers"], "Idempotent-Replayed": "true"}}


def _response(answer: dict[str, Any]) -> Response:
    return Response(body=answer["body"], status_code=answer["status"], headers=answer["headers"])
