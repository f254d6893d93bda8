from collections.abc import Iterator

import boto3
import pytest

from plumbline.adapters.schedules import EventBridgeSchedules
from plumbline.domain.errors import NotFound, Unavailable
from plumbline.ports import Schedules
from tests.fakes import FakeSchedules

RULES = ("plumbline-test-check-1h", "plumbline-test-check-24h")


@pytest.fixture
def rules(aws: None) -> Iterator[tuple[str, ...]]:
    """EventBridge with the two rules, switched on."""
    events = boto3.client("events")
    for rule in RULES:
        events.put_rule(Name=rule, ScheduleExpression="rate(1 minute)")
    yield RULES
    for rule in RULES:
        events.delete_rule(Name=rule)


@pytest.fixture(params=["memory", "events"])
def schedules(request: pytest.FixtureRequest) -> Schedules:
    if request.param == "memory":
        return FakeSchedules(*RULES)
    return EventBridgeSchedules(request.getfixturevalue("rules"))


def test_rules_can_be_switched_off_and_on_again(schedules: Schedules) -> None:
    assert schedules.states() == dict.fromkeys(RULES, True)
    assert schedules.disable() == list(RULES)
    assert schedules.states() == dict.fromkeys(RULES, False)
    assert schedules.enable() == list(RULES)
    assert schedules.states() == dict.fromkeys(RULES, True)


def test_switching_twice_changes_nothing(schedules: Schedules) -> None:
    schedules.disable()
    schedules.disable()
    assert schedules.states() == dict.fromkeys(RULES, False)


def test_a_rule_that_does_not_exist_is_named(aws: None) -> None:
    for ask in (EventBridgeSchedules(["nobody"]).enable, EventBridgeSchedules(["nobody"]).states):
        with pytest.raises(NotFound, match="'nobody'"):
            ask()


def test_an_address_where_nobody_answers_is_unavailable(aws: None) -> None:
    away = EventBridgeSchedules(RULES, host="http://127.0.0.1:1")
    with pytest.raises(Unavailable, match=RULES[0]):
        away.disable()


def test_no_rules_need_no_events(aws: None) -> None:
    assert EventBridgeSchedules([]).enable() == []
