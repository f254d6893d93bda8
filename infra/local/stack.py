"""The deployed stack: how it is deployed, and what `.plumbline/stack.json` says of it."""

import json
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from infra.local import fixups, users
from infra.local.build import sam_environment
from infra.local.cloud import REGION, Cloud
from infra.local.processes import run_tool
from infra.local.workspace import Workspace, architecture
from infra.release import overrides, pairs, samconfig, version
from plumbline.domain.errors import NotFound, PlumblineError

STAGE = "local"
NAME = f"plumbline-{STAGE}"
"""Name of the stack, and the first part of the name of everything in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """A deployed stack as stack.json holds it. `functions` maps a handler to the deployed function's name.

    `front_door` is the address behind CloudFront; `dashboard_url` is one that this machine can resolve.
    """

    api_url: str
    ws_url: str | None
    dashboard_url: str | None
    front_door: str = ""
    aws_endpoint: str
    exchange_url: str | None
    tokens: Mapping[str, str]
    name: str = NAME
    exchange: str
    tables: str = ""
    schedules: bool
    ours: bool
    user_pool: str
    user_pool_client: str
    functions: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def load(cls, workspace: Workspace) -> Self:
        """The stack that is up; NotFound where none is."""
        path = stack_file(workspace)
        try:
            return cls(**json.loads(path.read_text()))
        except FileNotFoundError:
            raise NotFound(f"no stack is up here ({path} is missing): run `plumbline up` first") from None
        except (TypeError, ValueError) as exc:
            raise NotFound(
                f"{path} was written by another version ({exc}): run `plumbline down`, then `plumbline up`"
            ) from exc

    def save(self, workspace: Workspace) -> Path:
        """Write stack.json, readable by its owner only, for it holds tokens."""
        path = stack_file(workspace)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(json.dumps(asdict(self), indent=2) + "\n")
        return path

    @property
    def feed_url(self) -> str:
        """WebSocket address of the live feed; empty where the stack has none."""
        return self.ws_url or ""

    def signed_in(self, cloud: Cloud) -> "Stack":
        """The same stack with fresh tokens; a token lives for an hour."""
        return replace(self, tokens=_tokens(cloud, self.user_pool, self.user_pool_client))


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What to deploy where. The functions may see the exchange at another address than this command does."""

    endpoint: str
    exchange: str
    exchange_url: str | None
    exchange_seen_as: str | None
    schedules: bool
    ours: bool
    parameters: Mapping[str, str] = field(default_factory=dict)


def deploy(workspace: Workspace, wanted: Wanted) -> Stack:
    """Deploy what is built, apply what the emulator leaves out, make the people; ToolFailed with the log's end."""
    command = [
        *(workspace.sam, "deploy", "--template-file", workspace.built_template, "--stack-name", NAME),
        *(
            "--region",
            REGION,
            "--resolve-s3",
            "--capabilities",
            "CAPABILITY_IAM",
            "CAPABILITY_NAMED_IAM",
            "CAPABILITY_AUTO_EXPAND",
        ),
        *("--no-confirm-changeset", "--no-fail-on-empty-changeset", "--no-progressbar"),
        *("--parameter-overrides", *pairs(parameters(workspace.root, wanted))),
    ]
    environment = sam_environment(workspace) | {"AWS_ENDPOINT_URL": wanted.endpoint}
    run_tool(command, workspace.log("deploy"), environment, workspace.root)
    with Cloud(wanted.endpoint) as cloud:
        return describe(cloud, wanted)


def parameters(root: Path, wanted: Wanted) -> dict[str, str]:
    """The template's parameters for a local stack: samconfig.toml's [local], then what `up` decides."""
    return {
        **overrides(samconfig(root), STAGE),
        "Architecture": architecture(),
        "Exchange": wanted.exchange,
        "LocalEndpoint": wanted.endpoint,
        "CodeVersion": version(root),
        "Schedules": "ENABLED" if wanted.schedules else "DISABLED",
        "ExchangeUrl": wanted.exchange_seen_as or "",
        **wanted.parameters,
    }


def describe(cloud: Cloud, wanted: Wanted) -> Stack:
    """Finish a deployed stack and say what it is."""
    fixups.apply(cloud, NAME)
    outputs = stack_outputs(cloud, NAME)
    pool, client = outputs["UserPoolId"], outputs["UserPoolClientId"]
    api, front_door = outputs["ApiUrl"].rstrip("/"), outputs["FrontDoorUrl"]
    return Stack(
        api_url=api,
        ws_url=outputs["FeedUrl"],
        dashboard_url=(front_door if _resolves(front_door) else api) + "/bot-performance",
        front_door=front_door,
        aws_endpoint=wanted.endpoint,
        exchange_url=wanted.exchange_url,
        tokens=_tokens(cloud, pool, client),
        exchange=wanted.exchange,
        tables=NAME,
        schedules=wanted.schedules,
        ours=wanted.ours,
        user_pool=pool,
        user_pool_client=client,
        functions=handlers(cloud, NAME),
    )


def stack_outputs(cloud: Cloud, name: str) -> dict[str, str]:
    """Outputs of a stack; an error names the state of one that has none."""
    described = cloud.stacks.describe_stacks(StackName=name)["Stacks"][0]
    outputs = {o["OutputKey"]: o["OutputValue"] for o in described.get("Outputs", [])}
    missing = {"ApiUrl", "FeedUrl", "FrontDoorUrl", "UserPoolId", "UserPoolClientId"} - set(outputs)
    if missing:
        state = described["StackStatus"]
        raise PlumblineError(f"the stack {name} ({state}) has no output {', '.join(sorted(missing))}")
    return outputs


def handlers(cloud: Cloud, name: str) -> dict[str, str]:
    """Every function of the stack: the module of its handler, and its deployed name."""
    found = {}
    for part in fixups.deployed_stacks(cloud, name):
        for logical, spec in part.resources.items():
            if spec["Type"] == "AWS::Lambda::Function":
                found[spec["Properties"]["Handler"].split(".")[0]] = part.physical[logical]
    return found


def remove(cloud: Cloud, name: str, tables: str) -> None:
    """Delete a stack and the tables that outlive it, so that it can be created again."""
    cloud.stacks.delete_stack(StackName=name)
    cloud.stacks.get_waiter("stack_delete_complete").wait(StackName=name)
    for table in cloud.tables.get_paginator("list_tables").paginate().search("TableNames[]"):
        if table.startswith(f"{tables}-"):
            cloud.tables.delete_table(TableName=table)


def _resolves(address: str) -> bool:
    # Browsers know every name under .localhost, other programs only where the system's resolver does.
    try:
        return bool(socket.getaddrinfo(urlsplit(address).hostname, None))
    except OSError:
        return False


def _tokens(cloud: Cloud, pool: str, client: str) -> dict[str, str]:
    return {person: users.sign_in(cloud, pool, client, person) for person in users.PEOPLE}


def stack_file(workspace: Workspace) -> Path:
    """Where it is written what is up."""
    return workspace.state / "stack.json"
