"""The rules that start the outcome checks, in EventBridge."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from plumbline.domain.errors import NotFound, Unavailable

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient


class EventBridgeSchedules:
    """ports.Schedules over the rules of these names. boto3 is loaded at the first use: few requests come here."""

    def __init__(self, rules: Sequence[str], *, region: str | None = None, host: str | None = None) -> None:
        self._rules = tuple(rules)
        self._region = region
        self._host = host
        self._events: EventBridgeClient | None = None

    def enable(self) -> list[str]:
        """Switch every rule on. Repeating it changes nothing."""
        return [self._asked(rule, lambda events, name: events.enable_rule(Name=name)) for rule in self._rules]

    def disable(self) -> list[str]:
        """Switch every rule off. Repeating it changes nothing."""
        return [self._asked(rule, lambda events, name: events.disable_rule(Name=name)) for rule in self._rules]

    def states(self) -> dict[str, bool]:
        """Whether each rule is on."""
        states: dict[str, bool] = {}
        for rule in self._rules:
            with _asking(rule):
                # An enabled rule may also say which events it hears: ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS.
                states[rule] = self._client().describe_rule(Name=rule)["State"].startswith("ENABLED")
        return states

    def _asked(self, rule: str, ask: "Callable[[EventBridgeClient, str], Any]") -> str:
        with _asking(rule):
            ask(self._client(), rule)
        return rule

    def _client(self) -> "EventBridgeClient":
        if self._events is None:
            import boto3  # noqa: PLC0415  # a tenth of a second that only the operators' two calls pay

            self._events = boto3.client("events", region_name=self._region, endpoint_url=self._host)
        return self._events


@contextmanager
def _asking(rule: str) -> Iterator[None]:
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415  # loaded by boto3 anyway

    try:
        yield
    except ClientError as exc:
        if exc.response["Error"]["Code"] == "ResourceNotFoundException":
            raise NotFound(f"there is no EventBridge rule {rule!r}; PLUMBLINE_CHECK_RULES must name the rules") from exc
        raise Unavailable(f"EventBridge refused for rule {rule!r}: {exc}", retry_after=1.0) from exc
    except BotoCoreError as exc:
        raise Unavailable(f"EventBridge did not answer for rule {rule!r}: {exc}", retry_after=1.0) from exc
