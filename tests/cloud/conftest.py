"""The real template on a local AWS of its own, driven over 30 hours of a simulated market."""

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from infra.local import lifecycle, ministack, replay
from infra.local.cloud import Cloud
from infra.local.market import Clock
from infra.local.processes import free_port
from infra.local.stack import Stack
from infra.local.workspace import Workspace
from plumbline.domain.calendar import HOUR, day_start

START = day_start("2024-01-01")
END = START + 30 * HOUR


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    ours = {
        "PLUMBLINE_STATE": str(tmp_path_factory.mktemp("plumbline")),
        "PLUMBLINE_PORT": str(free_port(0)),
        "PLUMBLINE_EXCHANGE_PORT": str(free_port(0)),
    }
    shell = {name: value for name, value in os.environ.items() if name != "PLUMBLINE_MARKET_DATA"}
    return Workspace.of(shell | ours)


@pytest.fixture(scope="session")
def deployed(workspace: Workspace) -> Iterator[Stack]:
    before = os.environ.get("AWS_ENDPOINT_URL")
    try:
        few = {"UniverseSize": "3"}
        options = lifecycle.Options(exchange="simulated", schedules=False, parameters=few)
        stack = lifecycle.up(workspace, options, print)
        yield stack
    finally:
        lifecycle.down(workspace)
        os.environ.pop("AWS_ENDPOINT_URL", None)
        if before is not None:
            os.environ["AWS_ENDPOINT_URL"] = before
    assert not ministack.healthy(stack.aws_endpoint)
    assert not (workspace.state / "tmp").exists()


@pytest.fixture(scope="session")
def cloud(deployed: Stack) -> Iterator[Cloud]:
    with Cloud(deployed.aws_endpoint) as cloud:
        yield cloud


@pytest.fixture(scope="session")
def stack(deployed: Stack, cloud: Cloud) -> Stack:
    """The stack after its 30 hours."""
    run_replay(deployed, cloud, HOUR)
    return deployed


def run_replay(stack: Stack, cloud: Cloud, step: int) -> replay.Result:
    result = replay.Result()
    invoke = replay.lambda_invoker(cloud.functions, stack.functions)
    with closing(Clock(stack.exchange_url or "")) as clock:
        replay.run(replay.plan(START, END, step), invoke, clock.set, lambda *_: None, result)
    return result


def api(stack: Stack, person: str | None = None) -> httpx.Client:
    headers = {"Authorization": f"Bearer {stack.tokens[person]}"} if person else {}
    return httpx.Client(base_url=stack.api_url, headers=headers, timeout=60)


@pytest.fixture
def anyone(stack: Stack) -> Iterator[httpx.Client]:
    with api(stack) as client:
        yield client


@pytest.fixture
def user(stack: Stack) -> Iterator[httpx.Client]:
    with api(stack, "user") as client:
        yield client


@pytest.fixture
def operator(stack: Stack) -> Iterator[httpx.Client]:
    with api(stack, "operator") as client:
        yield client


@pytest.fixture(scope="session")
def events() -> Path:
    return Path(__file__).parents[1] / "events"
