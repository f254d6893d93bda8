"""What a request may use: the services of its stack, each made when first asked for, and who is calling."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api.problems import Forbidden, Unauthorized
from plumbline.pipeline.ruling import Policies, WinModels
from plumbline.ports import Schedules, Stores
from plumbline.settings import Settings

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.idempotency.persistence.base import BasePersistenceLayer

OPERATORS = "operators"


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The outside world of the API. Callables, so that a request pays only for what it uses."""

    stores: Callable[[], Stores]
    settings: Callable[[], Settings]
    schedules: Callable[[], Schedules]
    policy: Policies
    """Opens the model, once; None in PLACEHOLDER mode. ModelRefused where the file is not for this code."""
    win: WinModels
    """Opens the model of the win probability; None where there is none for this market."""
    has_model: Callable[[], bool]
    """Whether there is a model file, without opening it."""
    replies: "Callable[[], BasePersistenceLayer]"
    """Where answers to requests with an Idempotency-Key are kept."""
    page: Callable[[], Path]
    """The folder of the built dashboard, whether it is there or not."""
    now: Callable[[], int]


@dataclass(frozen=True, slots=True)
class Caller:
    """A verified user: the gateway's authorizer has checked the token."""

    subject: str
    groups: frozenset[str]

    @classmethod
    def of(cls, request_context: Mapping[str, Any]) -> "Caller":
        """The caller by the authorizer's claims; Unauthorized without: a mis-wired gateway opens nothing."""
        authorizer = request_context.get("authorizer")
        claims = authorizer.get("claims") if isinstance(authorizer, Mapping) else None
        subject = claims.get("sub") if isinstance(claims, Mapping) else None
        if not isinstance(claims, Mapping) or not isinstance(subject, str) or not subject:
            raise Unauthorized("this call needs a user's token: send it as 'Authorization: Bearer <token>'")
        return cls(subject, _groups(claims.get("cognito:groups")))

    def require_operator(self) -> None:
        """Forbidden unless the caller is in the group `operators`."""
        if OPERATORS not in self.groups:
            have = ", ".join(sorted(self.groups)) or "none"
            raise Forbidden(f"this call needs the group {OPERATORS!r}; the token's groups: {have}")


def _groups(claim: object) -> frozenset[str]:
    """The gateway hands a list over as a string: `a,b` or `[a b]`."""
    if isinstance(claim, str):
        return frozenset(claim.strip("[]").replace(",", " ").split())
    return frozenset(map(str, claim)) if isinstance(claim, list | tuple) else frozenset()
