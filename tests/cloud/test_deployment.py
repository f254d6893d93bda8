"""What is deployed is what the template says, also where the local AWS leaves something out."""

import json
import re
from pathlib import Path

import pytest

from infra.local import fixups, replay, runtime
from infra.local.cloud import Cloud
from infra.local.stack import Stack
from infra.local.template import read
from infra.local.workspace import Workspace
from plumbline.domain.calendar import DAY, MINUTE, iso
from tests.cloud.conftest import END, START

type Calls = set[tuple[str, str]]


def scheduled(cloud: Cloud, stack: Stack) -> Calls:
    """Function and event of every rule, with the place of the time left open."""
    names = {name: handler for handler, name in stack.functions.items()}
    calls: Calls = set()
    for rule in cloud.rules.list_rules(NamePrefix=stack.name)["Rules"]:
        for target in cloud.rules.list_targets_by_rule(Rule=rule["Name"])["Targets"]:
            event = json.loads(target["InputTransformer"]["InputTemplate"].replace("<time>", '"<time>"'))
            calls.add((names[target["Arn"].rsplit(":", 1)[1]], json.dumps(event, sort_keys=True)))
    return calls


def test_the_schedules_call_exactly_what_a_replay_calls(cloud: Cloud, deployed: Stack) -> None:
    replayed: Calls = set()
    for step in replay.plan(START, START + DAY, 5 * MINUTE):
        for invocation in (invocation for stage in step.stages for invocation in stage):
            event = {**invocation.event(step.now), "time": "<time>"}
            replayed.add((invocation.function, json.dumps(event, sort_keys=True)))
    assert scheduled(cloud, deployed) == replayed


def test_no_schedule_runs_while_a_replay_is_the_clock(cloud: Cloud, deployed: Stack) -> None:
    rules = cloud.rules.list_rules(NamePrefix=deployed.name)["Rules"]
    assert rules
    assert {rule["State"] for rule in rules} == {"DISABLED"}


def test_settings_that_the_local_aws_leaves_out_are_in_force(cloud: Cloud, deployed: Stack) -> None:
    declared = [
        (part.physical[logical], spec["Properties"]["TimeToLiveSpecification"]["AttributeName"])
        for part in fixups.deployed_stacks(cloud, deployed.name)
        for logical, spec in part.resources.items()
        if spec["Type"] == "AWS::DynamoDB::Table" and "TimeToLiveSpecification" in spec["Properties"]
    ]
    assert declared
    for table, attribute in declared:
        state = cloud.tables.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
        assert (state["TimeToLiveStatus"], state["AttributeName"]) == ("ENABLED", attribute)


def test_what_is_in_force_is_not_applied_again(cloud: Cloud, deployed: Stack) -> None:
    assert fixups.apply(cloud, deployed.name) == []


def test_the_people_of_the_stack_are_in_their_groups(cloud: Cloud, deployed: Stack) -> None:
    groups = cloud.users.admin_list_groups_for_user(UserPoolId=deployed.user_pool, Username="operator")["Groups"]
    assert [group["GroupName"] for group in groups] == ["operators"]
    assert not cloud.users.admin_list_groups_for_user(UserPoolId=deployed.user_pool, Username="user")["Groups"]


def test_whatever_is_written_starts_notify(cloud: Cloud, deployed: Stack) -> None:
    mappings = cloud.functions.list_event_source_mappings()["EventSourceMappings"]
    streamed = {mapping["EventSourceArn"].split("/")[1] for mapping in mappings}
    assert streamed == {f"{deployed.tables}-{table}" for table in ("signals", "positions", "trades")}
    assert {mapping["FunctionArn"].rsplit(":", 1)[1] for mapping in mappings} == {deployed.functions["notify"]}


FUNCTIONS = ("collect_candles", "generate_signals", "check_outcomes", "track_trades", "summarise_day")


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_built_function_needs_nothing_but_its_layers(
    workspace: Workspace, stack: Stack, events: Path, function: str
) -> None:
    artefact = runtime.artefact(workspace, function)
    event = json.loads((events / f"{function}.json").read_text()) | {"time": iso(END)}
    environment = runtime.stack_environment(workspace, function)
    with runtime.emulator(workspace, artefact, environment) as emulator:
        cold, warm = emulator.invoke(event), emulator.invoke(event)
        logs = emulator.logs()
    assert not runtime.failed(cold.payload), logs
    assert warm.payload == cold.payload
    assert logs.count("REPORT RequestId") == 2


@pytest.mark.parametrize("function", ["notify", "live_feed"])
def test_a_built_function_of_the_live_feed_needs_nothing_but_its_layers(
    workspace: Workspace, stack: Stack, events: Path, function: str
) -> None:
    artefact = runtime.artefact(workspace, function)
    environment = runtime.stack_environment(workspace, function)
    with runtime.emulator(workspace, artefact, environment) as emulator:
        # of another market, so that what this stack's feed has told stays as it is
        answer = emulator.invoke(json.loads((events / f"{function}.json").read_text().replace("simulated#", "other#")))
        logs = emulator.logs()
    assert not runtime.failed(answer.payload), logs


def test_the_api_carries_the_page_that_was_bundled(workspace: Workspace) -> None:
    page = workspace.root / "infra" / "dashboard" / "dist"
    served = runtime.artefact(workspace, "api").code / "api" / "page"
    assert {file.name: file.read_bytes() for file in page.iterdir()} == {
        file.name: file.read_bytes() for file in served.iterdir()
    }


def test_the_built_template_is_the_one_of_this_checkout(workspace: Workspace) -> None:
    source, built = read(workspace.root / "template.yaml"), read(workspace.built_template)
    assert source["Resources"].keys() == built["Resources"].keys()
    assert re.fullmatch(r"[0-9a-f]{64}", (workspace.build / "inputs.sha256").read_text())
