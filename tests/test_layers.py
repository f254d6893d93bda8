"""How the layers are trimmed, and what a release is made of."""

import importlib
import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

from infra.release import ROOT, environments, overrides, pairs, version
from layers.trim import compile_all, keep_exchanges, keep_only, keep_services, remove, remove_unused
from plumbline.adapters.model import open_policy
from plumbline.domain.calendar import Timeframe
from plumbline.settings import Settings
from plumbline.wiring import model_file


def write(folder: Path, *names: str, text: str = "") -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def names(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_what_only_compilers_checkers_and_testers_read_is_removed(tmp_path: Path) -> None:
    kept = {"numpy/core.py", "numpy/testing/__init__.py", "numpy/lib.so"}
    unused = {
        "numpy/core.pyi",
        "numpy/tests/test_core.py",
        "numpy/include/api.txt",
        "numpy/core.h",
        "numpy-2.0.dist-info/RECORD",
    }
    remove_unused(write(tmp_path, *kept, *unused))
    assert names(tmp_path) == kept


def test_a_path_to_drop_that_is_not_there_stops_the_build(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"numpy/f2py is not in .*: the package has changed"):
        remove(tmp_path, ["numpy/f2py"])


def test_of_a_package_only_the_named_files_stay(tmp_path: Path) -> None:
    write(tmp_path, "chalice/__init__.py", "chalice/app.py", "chalice/cli/main.py", "pydantic/main.py")
    keep_only(tmp_path, ["chalice/__init__.py", "chalice/app.py"])
    assert names(tmp_path) == {"chalice/__init__.py", "chalice/app.py", "pydantic/main.py"}
    assert not (tmp_path / "chalice" / "cli").exists()


def test_a_named_file_that_does_not_exist_stops_the_build(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"chalice/app\.py does not exist"):
        keep_only(write(tmp_path, "chalice/__init__.py"), ["chalice/app.py"])


def test_botocore_keeps_the_wanted_services_and_what_all_share(tmp_path: Path) -> None:
    keep_services(write(tmp_path, "endpoints.json", "ec2/1/service-2.json", "events/1/service-2.json"), ["events"])
    assert names(tmp_path) == {"endpoints.json", "events/1/service-2.json"}


def test_a_service_that_botocore_does_not_know_stops_the_build(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="botocore has no definition of evnets"):
        keep_services(write(tmp_path, "events/1/service-2.json"), ["evnets"])


@pytest.fixture
def ccxt(tmp_path: Path) -> Path:
    """A package laid out as ccxt is, whose exchanges say that they were loaded."""
    package = write(tmp_path / "ccxt", "async_support/kraken.py", "abstract/kraken.py", "abstract/okx.py", "pro.py")
    write(package, "__init__.py", text="__version__ = '4.5.90'\n")
    write(package, "base/errors.py", text="class ExchangeError(Exception): pass\n")
    for name in ("kraken", "okx"):
        write(package, f"{name}.py", text=f"print('loaded {name}')\nclass {name}: pass\n")
    return package


def test_ccxt_keeps_the_configured_exchanges_and_loads_one_when_it_is_asked_for(ccxt: Path) -> None:
    keep_exchanges(ccxt, ["kraken"])
    assert names(ccxt) == {"__init__.py", "base/errors.py", "abstract/kraken.py", "kraken.py"}
    program = (
        "import ccxt as c; print(c.__version__, c.ExchangeError.__name__); print(c.kraken is c.kraken, type(c.kraken))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ccxt.parent, capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:3] == ["4.5.90 ExchangeError", "loaded kraken", "True <class 'type'>"]


def test_an_exchange_that_the_layer_does_not_hold_is_refused_by_name(ccxt: Path) -> None:
    keep_exchanges(ccxt, ["kraken"])
    done = subprocess.run(
        [sys.executable, "-c", "import ccxt; ccxt.okx"], cwd=ccxt.parent, capture_output=True, text=True, check=False
    )
    assert "no attribute 'okx': this layer holds kraken" in done.stderr


def test_an_exchange_that_ccxt_does_not_know_stops_the_build(ccxt: Path) -> None:
    with pytest.raises(SystemExit, match="ccxt has no exchange krakn"):
        keep_exchanges(ccxt, ["krakn"])


def test_bytecode_is_never_compared_with_its_source_and_names_the_mounted_path(tmp_path: Path) -> None:
    compile_all(write(tmp_path, "python/a.py", text="raise ValueError"), "/opt")
    (compiled,) = (tmp_path / "python" / "__pycache__").iterdir()
    # flags of PEP 552: hash-based, not to be checked
    assert compiled.read_bytes()[4:8] == (1).to_bytes(4, "little")
    assert compiled.read_bytes()[:4] == importlib.util.MAGIC_NUMBER
    assert b"/opt/python/a.py" in compiled.read_bytes()


def test_a_module_that_does_not_compile_stops_the_build(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="does not compile"):
        compile_all(write(tmp_path, "a.py", text="def"), "/opt")
    assert "SyntaxError" in capfd.readouterr().out


def recipe(target: str) -> list[str]:
    """The commands of a target of layers/Makefile."""
    found = re.search(rf"^{target}:\n((?:\t.*\n)+)", (ROOT / "layers" / "Makefile").read_text(), re.MULTILINE)
    assert found
    return found[1].replace("\t", "").splitlines()


def packed_policies(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run what build-ModelLayer does with the policies, from this folder as the project's root."""
    commands = [
        line.replace("$(SITE)", str(folder / "python")) for line in recipe("build-ModelLayer") if "policies" in line
    ]
    return subprocess.run(["sh", "-ec", "\n".join(commands)], cwd=folder, capture_output=True, text=True, check=False)


def test_the_model_layer_holds_every_policy_where_the_service_looks_for_it(tmp_path: Path) -> None:
    write(tmp_path, "layers/model/policies/policy.onnx", "layers/model/policies/policy-simulated.onnx", text="model")
    assert packed_policies(tmp_path).returncode == 0
    assert names(tmp_path / "python") == {"policies/policy.onnx", "policies/policy-simulated.onnx"}


def test_a_model_layer_without_policies_stops_the_build(tmp_path: Path) -> None:
    write(tmp_path, "layers/model/policies/card.json")
    done = packed_policies(tmp_path)
    assert done.returncode
    assert "No such file" in done.stderr


def packed_api(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run build-Api from this folder as the project's root; the trimming, which other tests are about, does nothing."""
    built = f"ARTIFACTS_DIR={folder / 'built'}"
    (folder / "built").mkdir()
    command = ["make", "-f", str(ROOT / "layers" / "Makefile"), "build-Api", "PYTHON=true", built]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_the_api_carries_the_page_that_it_serves(tmp_path: Path) -> None:
    write(tmp_path, "functions/api/app.py", "infra/dashboard/dist/index.html", "infra/dashboard/dist/page.js")
    assert packed_api(tmp_path).returncode == 0
    assert names(tmp_path / "built") == {"api/app.py", "api/page/index.html", "api/page/page.js"}


def test_a_page_that_was_not_bundled_stops_the_build_and_says_how_to(tmp_path: Path) -> None:
    done = packed_api(write(tmp_path, "functions/api/app.py"))
    assert done.returncode
    assert "infra/dashboard/dist is missing: run `make page` first" in done.stderr


@pytest.mark.parametrize("exchange", ["simulated", "recorded", "binance"])
def test_the_model_of_every_market_is_shipped(exchange: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "layers" / "model")
    settings = Settings(stage="test", tables="test", exchange=exchange, exchange_url="http://127.0.0.1")
    found = model_file(settings)
    assert found
    assert found.parent == ROOT / "layers" / "model" / "policies"
    assert open_policy(found).facts.market == ("simulated" if exchange == "simulated" else "recorded")


def listed_exchanges() -> list[str]:
    """EXCHANGES as layers/Makefile has it."""
    found = re.search(r"^EXCHANGES \?= (.+)$", (ROOT / "layers" / "Makefile").read_text(), re.MULTILINE)
    assert found
    return found[1].split()


@pytest.mark.parametrize("exchange", listed_exchanges())
def test_every_exchange_that_the_layer_holds_has_all_our_timeframes(exchange: str) -> None:
    real = importlib.import_module(f"ccxt.{exchange}")
    offered = getattr(real, exchange)().timeframes
    assert set(Timeframe) <= set(offered)


def test_a_checkout_without_a_history_has_no_known_version(tmp_path: Path) -> None:
    assert version(tmp_path) == "unknown"


def test_a_release_takes_its_parameters_from_samconfig_alone() -> None:
    config = {
        "version": 0.1,
        "default": {"build": {"parameters": {"parallel": True}}},
        "dev": {"deploy": {"parameters": {"parameter_overrides": ["Stage=dev", "ExchangeUrl=http://a?b=c"]}}},
    }
    assert environments(config) == ["dev"]
    assert overrides(config, "dev") == {"Stage": "dev", "ExchangeUrl": "http://a?b=c"}
    assert pairs(overrides(config, "dev")) == ["Stage=dev", "ExchangeUrl=http://a?b=c"]
