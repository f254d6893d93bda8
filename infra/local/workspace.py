"""Where the command finds and keeps things: the checkout, `.plumbline/`, the tools' own environments."""

import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from plumbline.domain.errors import InvalidInput, NotFound

_VENVS = {"sam": ".venv-sam", "cloud": ".venv-cloud", "ric": ".venv-ric"}
"""SAM CLI, MiniStack and the runtime client pin what the project's own environment must not: each has its own."""


@dataclass(frozen=True, slots=True)
class Workspace:
    """One checkout and one folder of state. Two folders of state are two local clouds."""

    root: Path
    state: Path
    environment: Mapping[str, str]

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Self:
        """This checkout; PLUMBLINE_STATE moves the state elsewhere."""
        root = Path(__file__).resolve().parents[2]
        return cls(root, Path(environment.get("PLUMBLINE_STATE") or root / ".plumbline").resolve(), environment)

    @property
    def build(self) -> Path:
        """What `sam build` makes."""
        return Path(self.environment.get("PLUMBLINE_BUILD") or self.root / ".aws-sam" / "build").resolve()

    @property
    def built_template(self) -> Path:
        """The template that `sam build` writes and `sam deploy` reads."""
        return self.build / "template.yaml"

    def tool(self, venv: str, relative: str) -> Path:
        """A program or file in a tool's environment; NotFound says how to make it.

        PLUMBLINE_SAM_VENV, PLUMBLINE_CLOUD_VENV and PLUMBLINE_RIC_VENV name other places.
        """
        variable = f"PLUMBLINE_{venv.upper()}_VENV"
        folder = Path(self.environment.get(variable) or self.root / _VENVS[venv])
        path = folder / relative
        if not path.exists():
            raise NotFound(f"{path} is missing: run `make tools` (or set {variable} to an environment that has it)")
        return path

    @property
    def sam(self) -> Path:
        """The SAM CLI."""
        return self.tool("sam", "bin/sam")

    def log(self, name: str) -> Path:
        """Log file of a background process or a tool."""
        self.state.mkdir(parents=True, exist_ok=True)
        return self.state / f"{name}.log"


def architecture(machine: str | None = None) -> str:
    """This machine's, as Lambda calls it: MiniStack and the emulator run functions in this machine's Python."""
    machine = machine or platform.machine()
    known = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}
    if machine.lower() not in known:
        raise InvalidInput(f"Lambda has no {machine}: the functions and layers are built for x86_64 or arm64")
    return known[machine.lower()]


def require_linux(system: str | None = None) -> None:
    """InvalidInput anywhere else: functions run here in a process, and their layers hold Linux wheels."""
    system = system or platform.system()
    if system != "Linux":
        raise InvalidInput(
            f"the local cloud needs Linux and this is {system}: the layers hold Linux wheels. "
            "Run it in a Linux container or machine, or give `plumbline up --endpoint` a LocalStack that runs in Docker"
        )


def child_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Environment for a child that must not inherit the shell's AWS account, endpoint or virtual environment."""
    dropped = ("AWS_", "LOCALSTACK_", "VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME")
    kept = {name: value for name, value in environment.items() if not name.startswith(dropped)}
    return kept | {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "PATH": environment.get("PATH", os.defpath),
    }
