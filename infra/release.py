"""`python -m infra.release dev`: build for the environment's architecture, and deploy with the code's version.

samconfig.toml is the one place that says what an environment is. SAM does not tell a Makefile for which architecture
to build, and a parameter on its command line replaces all of samconfig's, so both are put together here.
"""

import os
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SAM = ROOT / ".venv-sam" / "bin" / "sam"


def main(arguments: list[str]) -> int:
    """Build and deploy the named environment; returns SAM's exit code."""
    config = samconfig(ROOT)
    if len(arguments) != 1 or arguments[0] not in environments(config):
        sys.stderr.write(f"usage: python -m infra.release {'|'.join(environments(config))}\n")
        return 2
    name = arguments[0]
    parameters = overrides(config, name)
    environment = os.environ | {"ARCHITECTURE": parameters["Architecture"]}
    return _sam(["build", "--config-env", name], environment) or _sam(
        ["deploy", "--config-env", name, "--parameter-overrides", *pairs(parameters | {"CodeVersion": version(ROOT)})],
        environment,
    )


def samconfig(root: Path) -> dict[str, Any]:
    """The checkout's samconfig.toml."""
    return tomllib.loads((root / "samconfig.toml").read_text(encoding="utf-8"))


def environments(config: Mapping[str, Any]) -> list[str]:
    """Environments that can be deployed to."""
    return [name for name, commands in config.items() if isinstance(commands, dict) and "deploy" in commands]


def overrides(config: Mapping[str, Any], name: str) -> dict[str, str]:
    """An environment's template parameters."""
    return dict(pair.split("=", 1) for pair in config[name]["deploy"]["parameters"]["parameter_overrides"])


def pairs(parameters: Mapping[str, str]) -> list[str]:
    """As SAM's command line takes them."""
    return [f"{name}={value}" for name, value in parameters.items()]


def version(root: Path) -> str:
    """What git calls this checkout, `-dirty` where files differ from it; "unknown" where there is no git history."""
    command = ["git", "describe", "--always", "--dirty", "--tags"]
    done = subprocess.run(command, cwd=root, check=False, capture_output=True, text=True)  # noqa: S603  # fixed words
    return done.stdout.strip() or "unknown"


def _sam(arguments: list[str], environment: Mapping[str, str]) -> int:
    return subprocess.run([SAM, *arguments], cwd=ROOT, env=environment, check=False).returncode  # noqa: S603  # our own words


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
