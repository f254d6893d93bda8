"""`python -m infra.weights`: what each built function weighs unpacked, with its layers. Lambda allows 250 MB."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from infra.local.template import read

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / ".aws-sam" / "build"
MEGABYTE = 1_000_000
LIMIT = 200 * MEGABYTE
"""Ours, so that a dependency that grows does not reach Lambda's 262,144,000 bytes unseen."""


@dataclass(frozen=True, slots=True)
class Weight:
    """A function's own bytes and those of each of its layers."""

    function: str
    own: int
    layers: dict[str, int]

    @property
    def total(self) -> int:
        """Bytes that Lambda unpacks for it."""
        return self.own + sum(self.layers.values())


def weights(build: Path = BUILD) -> Iterator[Weight]:
    """Every function of a build. NotFound where nothing is built."""
    resources = read(build / "template.yaml")["Resources"]
    for name, resource in resources.items():
        if resource["Type"] == "AWS::Serverless::Function":
            layers = [layer["Ref"] for layer in resource["Properties"]["Layers"]]
            own = size(build / resource["Properties"]["CodeUri"])
            yield Weight(name, own, {layer: size(build / _content(resources[layer])) for layer in layers})


def size(directory: Path) -> int:
    """Bytes of all files below."""
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())


def main() -> int:
    """Print the table; 1 where a function is over the limit."""
    table = Table("function", "own", "layers", "together", title="Unpacked weight (MB)")
    found = list(weights())
    for weight in sorted(found, key=lambda weight: weight.total):
        layers = " + ".join(
            f"{name.removesuffix('Layer')} {size / MEGABYTE:.1f}" for name, size in weight.layers.items()
        )
        table.add_row(weight.function, f"{weight.own / MEGABYTE:.2f}", layers, f"{weight.total / MEGABYTE:.1f}")
    Console().print(table)
    over = [weight for weight in found if weight.total > LIMIT]
    for weight in over:
        sys.stderr.write(f"{weight.function} is {weight.total / MEGABYTE:.1f} MB, over {LIMIT / MEGABYTE:.0f} MB\n")
    return 1 if over else 0


def _content(layer: dict[str, Any]) -> str:
    return str(layer["Properties"]["ContentUri"])


if __name__ == "__main__":
    sys.exit(main())
