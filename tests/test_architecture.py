"""The rings of DESIGN: imports go one way, and each ring can be loaded without those outside it."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
VENDORS = {
    "boto3",
    "botocore",
    "pynamodb",
    "ccxt",
    "onnxruntime",
    "pandas",
    "chalice",
    "aws_lambda_powertools",
    "pydantic",
}


def modules_of(folder: str) -> list[str]:
    base = ROOT / "shared"
    paths = sorted((base / folder).rglob("*.py"))
    return [".".join(p.relative_to(base).with_suffix("").parts).removesuffix(".__init__") for p in paths]


def loaded_by(*names: str) -> set[str]:
    """Names of all modules that importing these loads, in a fresh interpreter."""
    program = f"import sys\nfor name in {names!r}: __import__(name)\nprint(*sys.modules)"
    paths = f"{ROOT / 'shared'}:{ROOT / 'functions'}"
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": paths, "PATH": ""},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_the_domain_knows_no_vendor_and_no_outer_ring() -> None:
    # TA-Lib itself looks for pandas and polars; the layers keep them away from it.
    loaded = loaded_by(
        *(m for m in modules_of("plumbline/domain") if "kernels" not in m and "talib" not in loaded_names(m))
    )
    assert not loaded & VENDORS
    assert not {m for m in loaded if m.startswith("plumbline.") and not m.startswith("plumbline.domain")}


def loaded_names(module: str) -> str:
    """Which of the indicators' library a domain module needs, by its name: features and what stands on them."""
    return "talib" if module.rsplit(".", 1)[-1] in {"kernels", "features", "scanners", "decisions"} else ""


@pytest.mark.parametrize("module", modules_of("plumbline/pipeline"))
def test_a_use_case_is_loaded_without_any_vendor(module: str) -> None:
    loaded = loaded_by(module)
    allowed = {"pandas"} if module.endswith("generating") else set()
    assert not loaded & (VENDORS - allowed)
    assert not {m for m in loaded if m.startswith(("plumbline.adapters", "plumbline.wiring"))}


@pytest.mark.parametrize("function", ["collect_candles", "check_outcomes", "summarise_day"])
def test_a_function_that_needs_no_indicators_does_not_load_their_library(function: str) -> None:
    assert not loaded_by(function) & {"talib", "onnxruntime", "pandas", "ccxt", "pynamodb"}


def test_no_handler_is_longer_than_forty_lines() -> None:
    lengths = {path.name: len(path.read_text().splitlines()) for path in (ROOT / "functions").glob("*.py")}
    assert lengths
    assert max(lengths.values()) <= 40, lengths
