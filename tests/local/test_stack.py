"""What is up is known by stack.json, and what is missing is said with the command that makes it."""

import json
import os
import re
import stat
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from infra.local import lifecycle, market, ministack
from infra.local.build import VARIABLES, fingerprint, sam_environment
from infra.local.processes import free_port
from infra.local.stack import Stack, Wanted, _resolves, parameters
from infra.local.template import default_parameters, read
from infra.local.workspace import Workspace, architecture, child_environment, require_linux
from plumbline.domain.errors import InvalidInput, NotFound

STACK = Stack(
    api_url="http://127.0.0.1:4566/_aws/execute-api/abc/v1",
    ws_url="ws://127.0.0.1:4566/_aws/execute-api/def/live",
    dashboard_url="http://127.0.0.1:4566/_aws/execute-api/abc/v1/bot-performance",
    aws_endpoint="http://127.0.0.1:4566",
    exchange_url="http://127.0.0.1:4570",
    tokens={"user": "u", "operator": "o"},
    exchange="simulated",
    schedules=True,
    ours=True,
    user_pool="pool",
    user_pool_client="client",
    functions={"collect_candles": "plumbline-local-collect-candles"},
)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path, tmp_path / "state", {})


def test_a_stack_reads_as_it_was_written(workspace: Workspace) -> None:
    STACK.save(workspace)
    assert Stack.load(workspace) == STACK


def test_only_its_owner_may_read_the_file_with_the_tokens(workspace: Workspace) -> None:
    path = STACK.save(workspace)
    replace(STACK, exchange="binance").save(workspace)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_file_has_the_names_that_other_tools_read(workspace: Workspace) -> None:
    content = json.loads(STACK.save(workspace).read_text())
    assert content["tokens"] == {"user": "u", "operator": "o"}
    assert {"api_url", "ws_url", "dashboard_url", "aws_endpoint", "exchange_url"} <= content.keys()


def test_the_live_feed_is_known_by_both_of_its_names() -> None:
    assert STACK.feed_url == STACK.ws_url
    assert replace(STACK, ws_url=None).feed_url == ""


@pytest.mark.parametrize(("address", "known"), [("http://127.0.0.1:4566", True), ("http://nobody.invalid", False)])
def test_the_dashboards_address_is_one_that_this_machine_can_resolve(address: str, known: bool) -> None:
    assert _resolves(address) is known


def test_no_stack_says_what_to_run(workspace: Workspace) -> None:
    with pytest.raises(NotFound, match="run `plumbline up` first"):
        Stack.load(workspace)


@pytest.mark.parametrize("content", ["{", '{"api_url": "x"}', '{"unknown": 1}'])
def test_a_file_of_another_version_says_how_to_renew_it(workspace: Workspace, content: str) -> None:
    workspace.state.mkdir()
    (workspace.state / "stack.json").write_text(content)
    with pytest.raises(NotFound, match="run `plumbline down`, then `plumbline up`"):
        Stack.load(workspace)


@pytest.mark.parametrize("schedules", [True, False])
def test_every_parameter_that_is_set_exists_in_the_template(schedules: bool) -> None:
    template = read(Workspace.of({}).root / "template.yaml")
    wanted = Wanted(
        endpoint="http://e",
        exchange="simulated",
        exchange_url=None,
        exchange_seen_as="http://x",
        schedules=schedules,
        ours=True,
    )
    given = parameters(Workspace.of({}).root, wanted)
    assert given["ExchangeUrl"] == "http://x"
    assert given["Architecture"] == architecture()
    assert given.keys() <= default_parameters(template).keys()
    for name, value in given.items():
        assert value in template["Parameters"][name].get("AllowedValues", [value])


def test_a_local_stack_is_what_samconfig_says_but_for_what_up_decides_or_is_told(tmp_path: Path) -> None:
    (tmp_path / "samconfig.toml").write_text(
        "[local.deploy.parameters]\n"
        'parameter_overrides = ["Stage=local", "LogRetentionDays=1", "UniverseSize=4", "Exchange=simulated"]\n'
    )
    wanted = Wanted(
        endpoint="http://e",
        exchange="binance",
        exchange_url=None,
        exchange_seen_as=None,
        schedules=True,
        ours=True,
        parameters={"UniverseSize": "3"},
    )
    given = parameters(tmp_path, wanted)
    assert {name: given[name] for name in ("Stage", "LogRetentionDays", "UniverseSize", "Exchange")} == {
        "Stage": "local",
        "LogRetentionDays": "1",
        "UniverseSize": "3",
        "Exchange": "binance",
    }
    assert given["Architecture"] == architecture()
    assert given["CodeVersion"] == "unknown"


@pytest.mark.parametrize(
    ("machine", "built_for"), [("x86_64", "x86_64"), ("AMD64", "x86_64"), ("aarch64", "arm64"), ("arm64", "arm64")]
)
def test_functions_are_built_for_the_machine_that_runs_them(machine: str, built_for: str) -> None:
    assert architecture(machine) == built_for


def test_a_machine_that_lambda_does_not_have_is_named() -> None:
    with pytest.raises(InvalidInput, match="Lambda has no riscv64"):
        architecture("riscv64")


def test_the_build_runs_with_this_machines_architecture_whatever_the_shell_says(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path, tmp_path, {"ARCHITECTURE": "another", "EXCHANGES": "kraken"})
    assert sam_environment(workspace)["ARCHITECTURE"] == architecture()
    assert sam_environment(workspace)["EXCHANGES"] == "kraken"


def test_elsewhere_than_on_linux_a_sentence_says_what_to_use() -> None:
    require_linux("Linux")
    with pytest.raises(InvalidInput, match=r"needs Linux and this is Darwin: .* LocalStack"):
        require_linux("Darwin")


def test_a_ministack_that_lives_keeps_its_data_however_late_it_answers(workspace: Workspace) -> None:
    busy = (
        "import http.server, sys\n"
        "left = [503] * 4\n"
        "class Busy(http.server.BaseHTTPRequestHandler):\n"
        "    def do_GET(self):\n"
        "        self.send_response(left.pop() if left else 200)\n"
        "        self.end_headers()\n"
        "http.server.HTTPServer(('127.0.0.1', int(sys.argv[1])), Busy).serve_forever()\n"
    )
    port, process = free_port(0), ministack.background(workspace)
    pid = process.start([sys.executable, "-c", busy, str(port), "-m", "ministack"], os.environ)
    try:
        before = replace(STACK, aws_endpoint=f"http://127.0.0.1:{port}")
        assert lifecycle._cloud(workspace, before, print) == before.aws_endpoint
        assert process.pid == pid
    finally:
        process.stop()


def test_a_missing_tool_says_what_to_run(workspace: Workspace) -> None:
    with pytest.raises(NotFound, match=r"\.venv-sam/bin/sam is missing: run `make"):
        workspace.tool("sam", "bin/sam")


def test_a_tool_may_live_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "sam").touch()
    there = Workspace(tmp_path / "checkout", tmp_path, {"PLUMBLINE_SAM_VENV": str(tmp_path)})
    assert there.sam == tmp_path / "bin" / "sam"


def test_a_child_inherits_neither_the_shells_account_nor_its_endpoint() -> None:
    shell = {"AWS_PROFILE": "prod", "AWS_ENDPOINT_URL": "http://elsewhere", "LOCALSTACK_HOST": "x", "HOME": "/h"}
    child = child_environment(shell)
    assert child["AWS_ACCESS_KEY_ID"] == "test"
    assert child["HOME"] == "/h"
    assert not {"AWS_PROFILE", "AWS_ENDPOINT_URL", "LOCALSTACK_HOST"} & child.keys()


def test_ministack_listens_here_only_enforces_iam_and_unpacks_in_our_folder(
    workspace: Workspace, tmp_path: Path
) -> None:
    environment = ministack.environment(workspace, 4711, tmp_path / "scratch")
    assert environment["BIND_HOST"] == "127.0.0.1"
    assert environment["AUTH"] == "true"
    assert environment["TMPDIR"] == str(tmp_path / "scratch")
    assert "AWS_ENDPOINT_URL" not in environment


def test_a_folder_without_minutes_is_no_market(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"_1m\.csv\.gz"):
        market.recorded_folder(Workspace(tmp_path, tmp_path, {"PLUMBLINE_MARKET_DATA": str(tmp_path)}))


def test_no_folder_named_means_the_simulation(workspace: Workspace) -> None:
    assert market.recorded_folder(workspace) is None


def test_the_build_is_repeated_when_and_only_when_something_in_it_changed(tmp_path: Path) -> None:
    source = tmp_path / "functions" / "one.py"
    source.parent.mkdir()
    source.write_text("a = 1\n")
    first = fingerprint(tmp_path, {})
    (source.parent / "__pycache__").mkdir()
    (source.parent / "__pycache__" / "one.pyc").touch()
    (tmp_path / "README.md").touch()
    assert fingerprint(tmp_path, {"HOME": "/elsewhere"}) == first
    source.write_text("a = 2\n")
    changed = fingerprint(tmp_path, {})
    source.rename(source.with_name("two.py"))
    assert len({first, changed, fingerprint(tmp_path, {})}) == 3


def test_the_pages_source_is_part_of_the_build_and_what_it_is_bundled_with_is_not(tmp_path: Path) -> None:
    page = tmp_path / "infra" / "dashboard"
    for name in ("package.json", "src/style/page.css", "node_modules/a/index.js", "dist/index.html"):
        (page / name).parent.mkdir(parents=True, exist_ok=True)
        (page / name).write_text("one")
    first = fingerprint(tmp_path, {})
    (page / "dist" / "index.html").write_text("two")
    (page / "node_modules" / "a" / "index.js").write_text("two")
    assert fingerprint(tmp_path, {}) == first
    (page / "src" / "style" / "page.css").write_text("two")
    assert fingerprint(tmp_path, {}) != first


def test_another_value_of_a_variable_that_the_layers_read_is_another_build(tmp_path: Path) -> None:
    builds = [fingerprint(tmp_path, {name: value}) for name in VARIABLES for value in ("one", "two")]
    assert len({fingerprint(tmp_path, {}), *builds}) == 1 + len(builds)


def test_every_variable_of_the_layers_but_the_tools_is_known_to_the_build() -> None:
    makefile = (Workspace.of({}).root / "layers" / "Makefile").read_text()
    assert set(re.findall(r"^(\w+) \?=", makefile, re.MULTILINE)) - {"PYTHON", "UV"} == set(VARIABLES)
