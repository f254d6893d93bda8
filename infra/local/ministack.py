"""MiniStack, the local AWS: its environment, start and end."""

from pathlib import Path

import httpx

from infra.local.processes import Background, remove
from infra.local.workspace import Workspace, child_environment

PORT = 4566
CONCURRENCY = 24
"""Lambda workers at one moment. All schedules can fall due in the same second; without a cap each request beyond that
would start a process of its own."""


def background(workspace: Workspace) -> Background:
    """The process, running or not."""
    return Background("ministack", "-m ministack", workspace.state)


def start(workspace: Workspace, port: int) -> str:
    """Start it on 127.0.0.1:`port` and wait until it answers; returns its endpoint."""
    endpoint = f"http://127.0.0.1:{port}"
    process = background(workspace)
    scratch = _scratch(workspace)
    scratch.mkdir(parents=True, exist_ok=True)
    process.start([workspace.tool("cloud", "bin/python"), "-m", "ministack"], environment(workspace, port, scratch))
    process.wait_until(lambda: healthy(endpoint))
    return endpoint


def stop(workspace: Workspace) -> bool:
    """Stop it and its Lambda workers and remove what they unpacked; False where it was not running."""
    stopped = background(workspace).stop()
    remove(_scratch(workspace))
    return stopped


def environment(workspace: Workspace, port: int, scratch: Path) -> dict[str, str]:
    """What MiniStack runs with. Its Lambda workers inherit all of it.

    Without AWS_ENDPOINT_URL of its own it gives its workers its own address, which is what we want; one from the
    shell would send every function to another cloud. AUTH lets IAM decide: each function has only its role's rights.
    """
    return child_environment(workspace.environment) | {
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "AUTH": "true",
        "LAMBDA_ACCOUNT_CONCURRENCY": str(CONCURRENCY),
        "LOG_LEVEL": "WARNING",
        "TMPDIR": str(scratch),
    }


def healthy(endpoint: str) -> bool:
    """Whether a MiniStack or LocalStack answers at this endpoint."""
    for path in ("/_ministack/health", "/_localstack/health"):
        try:
            if httpx.get(endpoint + path, timeout=10).is_success:
                return True
        except httpx.HTTPError:
            continue
    return False


def _scratch(workspace: Workspace) -> Path:
    return workspace.state / "tmp"
