"""How fast candles become decisions, beside the bare libraries on the same arrays.

Measured in an interpreter without pandas, as in the functions: where it can be imported, TA-Lib looks at every argument
for a series of it.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

WITHOUT_PANDAS = (
    "import sys; sys.modules['pandas'] = None; from tests.bench.batch import lines; print(*lines(), sep='\\n')"
)


def lines() -> Iterator[str]:
    """The tables of `batch`."""
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_PANDAS], cwd=root, check=True, stdout=subprocess.PIPE, text=True
    )
    yield from done.stdout.splitlines()
