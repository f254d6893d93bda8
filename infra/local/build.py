"""`sam build`, skipped where nothing that goes into the artefacts has changed since the last one."""

import fcntl
import hashlib
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from infra.local.processes import run_tool
from infra.local.workspace import Workspace, architecture, child_environment

SOURCES = (
    *("template.yaml", "infra/*.yaml", "functions/**/*", "layers/**/*", "shared/**/*", "requirements/**/*"),
    *("infra/dashboard/*", "infra/dashboard/src/**/*", "infra/dashboard/public/**/*"),
)
"""Everything that the build reads."""
VARIABLES = ("ARCHITECTURE", "EXCHANGES", "SERVICES")
"""What layers/Makefile takes from the environment and puts into the artefacts."""
_MARK = "inputs.sha256"


def build(workspace: Workspace) -> bool:
    """Make the artefacts current; False where they already were. ToolFailed where the build fails."""
    with _alone(workspace.build.parent):
        environment = sam_environment(workspace)
        mark, inputs = workspace.build / _MARK, fingerprint(workspace.root, environment)
        if workspace.built_template.exists() and mark.exists() and mark.read_text() == inputs:
            return False
        workspace.build.parent.mkdir(parents=True, exist_ok=True)
        # make knows whether the page is older than its source
        run_tool(["make", "page"], workspace.log("page"), environment, workspace.root)
        template = workspace.root / "template.yaml"
        command = [workspace.sam, "build", "--template", template, "--build-dir", workspace.build, "--parallel"]
        run_tool(command, workspace.log("build"), environment, workspace.root)
        mark.write_text(inputs)
        return True


def fingerprint(root: Path, environment: Mapping[str, str]) -> str:
    """SHA-256 over the names and contents of everything that the build reads, and over its variables."""
    digest = hashlib.sha256("".join(f"{name}={environment.get(name)}\0" for name in VARIABLES).encode())
    for path in sorted(path for pattern in SOURCES for path in root.glob(pattern)):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(f"{path.relative_to(root)}\0{path.stat().st_mode}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def sam_environment(workspace: Workspace) -> dict[str, str]:
    """What the SAM CLI runs with: the emulators' account, nobody told about it, our Python and architecture."""
    inherited = child_environment(workspace.environment)
    tools = f"{Path(sys.executable).parent}:{inherited['PATH']}"
    return inherited | {"SAM_CLI_TELEMETRY": "0", "PATH": tools, "ARCHITECTURE": architecture()}


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    # Two commands at once (a demo and the tests, say) must not build into the same folder.
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "build.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
