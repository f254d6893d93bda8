"""What importing the generator costs a fresh process, beside a plain build of the same function.

The plain build imports what the function is made of at the top of its file, whole and without bytecode, as a package
does that is only copied together.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from infra.local import runtime
from infra.local.workspace import Workspace

ROUNDS = 9
ROOT = Path(__file__).parents[2]
BUILT = "import generate_signals"
WITH_MODEL = f"{BUILT}; from plumbline import wiring; assert wiring.policy()"
PLAIN = """
import boto3, ccxt, onnxruntime, pandas, pynamodb.models, talib
from aws_lambda_powertools import Logger, Metrics, Tracer
import generate_signals
"""
ENVIRONMENT = {
    "PLUMBLINE_STAGE": "bench",
    "PLUMBLINE_TABLES": "bench",
    "PLUMBLINE_EXCHANGE": "binance",
    "POWERTOOLS_METRICS_NAMESPACE": "Plumbline",
    "POWERTOOLS_SERVICE_NAME": "bench",
}


def lines() -> Iterator[str]:
    """Medians, taken in turns."""
    function = runtime.artefact(Workspace.of(os.environ), "generate_signals")
    ours = {
        **ENVIRONMENT,
        "PYTHONPATH": os.pathsep.join(map(str, (function.code, *(layer / "python" for layer in function.layers)))),
    }
    with TemporaryDirectory() as nowhere:
        plain = {**ENVIRONMENT, "PYTHONPATH": f"{ROOT / 'shared'}{os.pathsep}{ROOT / 'functions'}"}
        jobs: dict[str, tuple[Sequence[str], Mapping[str, str]]] = {
            "Python itself": (("-S", "-c", "pass"), ours),
            "generate_signals, as built": (("-S", "-c", BUILT), ours),
            "the same with the model opened": (("-S", "-c", WITH_MODEL), ours),
            "a plain build": (("-B", "-X", f"pycache_prefix={nowhere}", "-c", PLAIN), plain),
        }
        taken: dict[str, list[float]] = {name: [] for name in jobs}
        for _ in range(ROUNDS):
            for name, (arguments, environment) in jobs.items():
                taken[name].append(_seconds(arguments, environment))
    yield f"whole processes, warm disk, medians of {ROUNDS} in turns"
    yield ""
    yield "| | ms | of the plain build |"
    yield "|---|---|---|"
    whole = median(taken["a plain build"])
    for name, times in taken.items():
        yield f"| {name} | {1e3 * median(times):.0f} | {100 * median(times) / whole:.1f} % |"


def _seconds(arguments: Sequence[str], environment: Mapping[str, str]) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, *arguments], env=dict(environment), check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began
