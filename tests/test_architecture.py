"""The rings of DESIGN: imports go one way, and each ring can be loaded without those outside it."""

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HANDLERS = sorted((ROOT / "functions").glob("*.py"))
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


@cache
def needs_indicators(module: str) -> bool:
    """Whether TA-Lib stands behind it. TA-Lib itself looks for pandas and polars; the layers keep them away from it."""
    if module == "talib":
        return True
    path = ROOT / "shared" / Path(*module.split("."))
    file = path.with_suffix(".py") if path.with_suffix(".py").is_file() else path / "__init__.py"
    return file.is_file() and any(map(needs_indicators, imports_of(file)))


def imports_of(file: Path) -> set[str]:
    """Modules that a file names in the imports it runs when it is loaded."""
    top = [node for node in ast.parse(file.read_text()).body if isinstance(node, ast.Import | ast.ImportFrom)]
    plain = {alias.name for node in top if isinstance(node, ast.Import) for alias in node.names}
    froms = [node for node in top if isinstance(node, ast.ImportFrom) and node.module]
    return plain | {f"{node.module}{end}" for node in froms for end in ("", *(f".{a.name}" for a in node.names))}


@pytest.mark.parametrize("with_indicators", [False, True])
def test_the_domain_knows_no_vendor_and_no_outer_ring(with_indicators: bool) -> None:
    modules = [m for m in modules_of("plumbline/domain") if needs_indicators(m) is with_indicators]
    assert len(modules) > 5
    loaded = loaded_by(*modules)
    assert ("talib" in loaded) is with_indicators
    assert not loaded & (VENDORS - {"pandas"} if with_indicators else VENDORS)
    assert not {m for m in loaded if m.startswith("plumbline.") and not m.startswith("plumbline.domain")}


@pytest.mark.parametrize("module", modules_of("plumbline/pipeline"))
def test_a_use_case_is_loaded_without_any_vendor(module: str) -> None:
    loaded = loaded_by(module)
    assert ("talib" in loaded) is needs_indicators(module)
    assert not loaded & (VENDORS - {"pandas"} if needs_indicators(module) else VENDORS)
    assert not {m for m in loaded if m.startswith(("plumbline.adapters", "plumbline.wiring"))}


@pytest.mark.parametrize("function", [f.stem for f in HANDLERS if f.stem != "generate_signals"])
def test_a_function_that_needs_no_indicators_does_not_load_their_library(function: str) -> None:
    assert not loaded_by(function) & {"talib", "onnxruntime", "pandas", "ccxt", "pynamodb"}


def test_the_generator_loads_the_indicators_and_opens_no_model_before_it_is_asked() -> None:
    loaded = loaded_by("generate_signals")
    assert "talib" in loaded
    assert not loaded & {"onnxruntime", "ccxt", "pynamodb"}


def test_no_handler_is_longer_than_forty_lines() -> None:
    lengths = {path.name: len(path.read_text().splitlines()) for path in HANDLERS}
    assert lengths
    assert max(lengths.values()) <= 40, lengths
