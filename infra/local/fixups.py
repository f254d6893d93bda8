"""Settings that a template asks for and MiniStack leaves out or reads otherwise, applied by the services' own APIs.

Where they are in force already, as on LocalStack and AWS, nothing happens.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from infra.local.cloud import Cloud
from infra.local.template import Json, Resolver, parse

_RULE = re.compile(r"(arn:aws:events:[^:]*:\d*:rule/)([^/]+)")


@dataclass(frozen=True, slots=True)
class Deployed:
    """One stack (nested ones are stacks of their own): its resolved template and the real names of its resources."""

    name: str
    resources: Mapping[str, Json]
    physical: Mapping[str, str]


def deployed_stacks(cloud: Cloud, name: str) -> Iterator[Deployed]:
    """A stack and every stack nested in it."""
    summaries = cloud.stacks.describe_stack_resources(StackName=name)["StackResources"]
    physical = {r["LogicalResourceId"]: r.get("PhysicalResourceId", "") for r in summaries}
    body: Json = cloud.stacks.get_template(StackName=name, TemplateStage="Processed")["TemplateBody"]
    # boto3 parses JSON by itself; a nested template that needed no transform arrives as the YAML it was sent as.
    template = parse(body) if isinstance(body, str) else body
    described = cloud.stacks.describe_stacks(StackName=name)["Stacks"][0]
    parameters = {p["ParameterKey"]: p["ParameterValue"] for p in described.get("Parameters", [])}

    def lookup(logical: str, attribute: str) -> str:
        found = physical.get(logical, logical)
        return _queue_arn(cloud, found) if attribute == "Arn" and found.startswith("http") else found

    resolver = Resolver(template, parameters, lookup)
    wanted = {key: spec for key, spec in template["Resources"].items() if key in physical}
    yield Deployed(name, {key: resolver.resolve(spec) for key, spec in wanted.items()}, physical)
    for summary in summaries:
        if summary["ResourceType"] == "AWS::CloudFormation::Stack":
            yield from deployed_stacks(cloud, summary.get("PhysicalResourceId", ""))


def apply(cloud: Cloud, stack: str) -> list[str]:
    """Apply what is not in force; returns a line for each setting that was changed."""
    changed = []
    for part in deployed_stacks(cloud, stack):
        for logical, spec in part.resources.items():
            for fix in _FIXES.get(spec["Type"], ()):
                line = fix(cloud, part.physical[logical], spec.get("Properties", {}))
                if line:
                    changed.append(f"{logical}: {line}")
    return changed


def _time_to_live(cloud: Cloud, table: str, wanted: Mapping[str, Json]) -> str:
    setting = wanted.get("TimeToLiveSpecification")
    if not setting or not _true(setting.get("Enabled")):
        return ""
    state = cloud.tables.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
    if state.get("TimeToLiveStatus") in {"ENABLED", "ENABLING"}:
        return ""
    attribute = setting["AttributeName"]
    cloud.tables.update_time_to_live(
        TableName=table, TimeToLiveSpecification={"Enabled": True, "AttributeName": attribute}
    )
    return f"time to live by {attribute}"


def _point_in_time_recovery(cloud: Cloud, table: str, wanted: Mapping[str, Json]) -> str:
    setting = wanted.get("PointInTimeRecoverySpecification")
    if not setting or not _true(setting.get("PointInTimeRecoveryEnabled")):
        return ""
    state = cloud.tables.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
    if state.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus") == "ENABLED":
        return ""
    cloud.tables.update_continuous_backups(
        TableName=table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    return "point-in-time recovery"


def _reserved_concurrency(cloud: Cloud, function: str, wanted: Mapping[str, Json]) -> str:
    setting = wanted.get("ReservedConcurrentExecutions")
    if setting is None:
        return ""
    state = cloud.functions.get_function_concurrency(FunctionName=function)
    if state.get("ReservedConcurrentExecutions") == int(setting):
        return ""
    cloud.functions.put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=int(setting))
    return f"at most {setting} at once"


def _dead_letter_queue(cloud: Cloud, function: str, wanted: Mapping[str, Json]) -> str:
    target = (wanted.get("DeadLetterConfig") or {}).get("TargetArn")
    state = cloud.functions.get_function_configuration(FunctionName=function)
    if not target or state.get("DeadLetterConfig", {}).get("TargetArn") == target:
        return ""
    cloud.functions.update_function_configuration(FunctionName=function, DeadLetterConfig={"TargetArn": target})
    return "dead-letter queue"


def _rights_on_rules(cloud: Cloud, role: str, wanted: Mapping[str, Json]) -> str:
    """MiniStack knows a rule of the default bus as `rule/default/<name>` when it asks IAM, AWS as `rule/<name>`."""
    iam, changed = cloud.client("iam"), []
    for policy in (policy["PolicyName"] for policy in wanted.get("Policies", [])):
        document = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
        added = [_add_twins(statement) for statement in document["Statement"]]
        if any(added):
            iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=json.dumps(document))
            changed.append(policy)
    return f"rights on rules in {', '.join(changed)}" if changed else ""


def _add_twins(statement: dict[str, Json]) -> bool:
    named = statement.get("Resource", [])
    resources = [named] if isinstance(named, str) else named
    twins = [_RULE.sub(r"\1default/\2", arn) for arn in resources if _RULE.fullmatch(arn)]
    missing = [arn for arn in twins if arn not in resources]
    statement["Resource"] = [*resources, *missing]
    return bool(missing)


def _queue_arn(cloud: Cloud, url: str) -> str:
    answer = cloud.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return str(answer["Attributes"]["QueueArn"])


def _true(value: Json) -> bool:
    return str(value).lower() == "true"


type Fix = Callable[[Cloud, str, Mapping[str, Json]], str]
_FIXES: dict[str, tuple[Fix, ...]] = {
    "AWS::DynamoDB::Table": (_time_to_live, _point_in_time_recovery),
    "AWS::DynamoDB::GlobalTable": (_time_to_live, _point_in_time_recovery),
    "AWS::Lambda::Function": (_reserved_concurrency, _dead_letter_queue),
    "AWS::IAM::Role": (_rights_on_rules,),
}
