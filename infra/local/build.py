"""`sam build`, skipped where nothing that goes into the artefacts has changed since the last one."""

import fcntl
import hashlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.local.processes import run_tool
from infra.local.workspace import Workspace, child_environment

SOURCES = ("template.yaml", "infra/*.yaml", "functions/**/*", "layers/**/*", "shared/**/*", "requirements/**/*")
"""Everything that the build reads."""
_MARK = "inputs.sha256"


def build(workspace: Workspace) -> bool:
    """Make the artefacts current; False where they already were. ToolFailed where the build fails."""
    with _alone(workspace.build.parent):
        mark, inputs = workspace.build / _MARK, fingerprint(workspace.root)
        if workspace.built_template.exists() and mark.exists() and mark.read_text() == inputs:
            return False
        workspace.build.parent.mkdir(parents=True, exist_ok=True)
        template = workspace.root / "template.yaml"
        command = [workspace.sam, "build", "--template", template, "--build-dir", workspace.build, "--parallel"]
        run_tool(command, workspace.log("build"), sam_environment(workspace), workspace.root)
        mark.write_text(inputs)
        return True


def fingerprint(root: Path) -> str:
    """SHA-256 over the names and contents of everything that the build reads."""
    digest = hashlib.sha256()
    for path in sorted(path for pattern in SOURCES for path in root.glob(pattern)):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(f"{path.relative_to(root)}\0{path.stat().st_mode}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def sam_environment(workspace: Workspace) -> dict[str, str]:
    """What the SAM CLI runs with: no account but the emulators', nobody told about it, and our Python to build with."""
    inherited = child_environment(workspace.environment)
    tools = f"{Path(sys.executable).parent}:{inherited['PATH']}"
    return inherited | {"SAM_CLI_TELEMETRY": "0", "PATH": tools}


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    # Two commands at once (a demo and the tests, say) must not build into the same folder.
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "build.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
