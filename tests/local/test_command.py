"""A mistake on the command line gets a sentence and what to do, never a traceback."""

import gzip
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from botocore.exceptions import ClientError
from typer.testing import CliRunner, Result

from infra.local import replay
from infra.local.cloud import named_endpoint
from infra.local.command import app, assignment, duration, instant
from infra.local.demo import Period, _summary, how_to_go_on, how_to_resume, recorded_period
from infra.local.failures import translated
from infra.local.processes import free_port
from infra.local.workspace import Workspace
from plumbline.domain.calendar import DAY, HOUR, MINUTE, day_start
from plumbline.domain.errors import InvalidInput
from tests.local.test_runtime import TEMPLATE
from tests.local.test_stack import STACK

type Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("PLUMBLINE_STATE", str(tmp_path))
    monkeypatch.setenv("PLUMBLINE_BUILD", str(tmp_path / "build"))
    for name in ("AWS_ENDPOINT_URL", "LOCALSTACK_HOST", "PLUMBLINE_EXCHANGE", "PLUMBLINE_MARKET_DATA"):
        monkeypatch.delenv(name, raising=False)
    return lambda *words: CliRunner().invoke(app, [*words])


def refused(result: Result, *parts: str) -> bool:
    return result.exit_code == 1 and "Traceback" not in result.output and all(part in result.output for part in parts)


@pytest.mark.parametrize(
    "words",
    [
        ("replay", "--from", "2024-01-01", "--to", "2024-01-02"),
        ("signals",),
        ("token",),
    ],
)
def test_a_command_that_needs_a_stack_says_how_to_get_one(run: Run, words: tuple[str, ...]) -> None:
    assert refused(run(*words), "no stack is up", "plumbline up")


def test_down_is_safe_where_nothing_runs(run: Run) -> None:
    result = run("down")
    assert (result.exit_code, result.output.strip()) == (0, "Nothing was running")


@pytest.mark.parametrize(
    "words",
    [("token",), ("signals",), ("verify",), ("invoke", "collect_candles", "{}")],
)
def test_a_cloud_that_has_died_since_is_reported_with_its_address(
    run: Run, tmp_path: Path, words: tuple[str, ...]
) -> None:
    nobody = f"http://127.0.0.1:{free_port(0)}"
    workspace = Workspace(tmp_path, tmp_path, {"PLUMBLINE_BUILD": str(tmp_path / "build")})
    replace(STACK, aws_endpoint=nobody, api_url=nobody).save(workspace)
    workspace.build.mkdir()
    workspace.built_template.write_text(TEMPLATE.replace("check_outcomes", "collect_candles"))
    assert refused(run(*words), "the local AWS at", nobody, "does not answer", "run `plumbline up`")


def test_a_refusal_of_aws_is_told_in_its_own_words() -> None:
    refusal = ClientError({"Error": {"Code": "ResourceNotFoundException", "Message": "no such pool"}}, "InitiateAuth")
    told = translated(refusal)
    assert re.search(r"local AWS said: .*no such pool.*run `plumbline up`", str(told))


def test_a_market_that_does_not_answer_is_named() -> None:
    nobody = f"http://127.0.0.1:{free_port(0)}"
    with pytest.raises(httpx.HTTPError) as raised:
        httpx.get(f"{nobody}/api/v3/klines")
    assert f"at {nobody}/api/v3/klines does not answer" in str(translated(raised.value))


def test_an_error_of_ours_is_told_as_it_is() -> None:
    ours = InvalidInput("no")
    assert translated(ours) is ours


def test_a_stack_that_follows_the_wall_clock_cannot_be_replayed(run: Run, tmp_path: Path) -> None:
    STACK.save(Workspace(tmp_path, tmp_path, {}))
    result = run("replay", "--from", "2024-01-01", "--to", "2024-01-02")
    assert refused(result, "run with the wall clock", "plumbline up --no-schedules")


@pytest.mark.usefixtures("sam_is_there")
@pytest.mark.parametrize("words", [("--no-schedules",), ("--exchange", "binance")])
def test_a_stack_keeps_its_market_and_its_clock(run: Run, tmp_path: Path, words: tuple[str, ...]) -> None:
    STACK.save(Workspace(tmp_path, tmp_path, {}))
    assert refused(run("up", *words), "simulated by the wall clock", "is wanted", "plumbline down")


def test_a_function_that_was_not_built_says_what_to_run(run: Run) -> None:
    assert refused(run("invoke", "check_outcomes", "{}"), "is missing", "plumbline up")


def test_a_person_nobody_knows_is_refused_with_those_there_are(run: Run) -> None:
    assert refused(run("token", "admin"), "'admin'", "user, operator")


@pytest.fixture
def sam_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tools" / "bin").mkdir(parents=True)
    (tmp_path / "tools" / "bin" / "sam").touch()
    monkeypatch.setenv("PLUMBLINE_SAM_VENV", str(tmp_path / "tools"))


@pytest.fixture
def without_tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that should have stopped earlier ends before it starts anything."""
    monkeypatch.setenv("PLUMBLINE_SAM_VENV", str(tmp_path / "no-tools"))


@pytest.mark.usefixtures("sam_is_there")
def test_a_cloud_that_does_not_run_is_reported_before_anything_is_built(run: Run) -> None:
    nobody = f"http://127.0.0.1:{free_port(0)}"
    assert refused(run("up", "--endpoint", nobody, "--exchange", "binance"), "answers at", nobody, "start it")


@pytest.mark.usefixtures("sam_is_there")
def test_a_port_that_is_none_is_refused(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLUMBLINE_EXCHANGE_PORT", "many")
    assert refused(run("up"), "PLUMBLINE_EXCHANGE_PORT='many' is not a port")


@pytest.mark.usefixtures("sam_is_there")
@pytest.mark.parametrize("words", [("--exchange", "simulated"), ("--exchange", "binance")])
def test_recorded_candles_contradict_another_market(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    (tmp_path / "BTC-USDT_1m.csv.gz").touch()
    monkeypatch.setenv("PLUMBLINE_MARKET_DATA", str(tmp_path))
    assert refused(run("up", *words), f"the market is to be {words[1]}", "PLUMBLINE_MARKET_DATA=", "leave one out")


@pytest.mark.usefixtures("sam_is_there")
def test_a_recorded_market_needs_its_candles(run: Run) -> None:
    assert refused(run("up", "--exchange", "recorded"), "set PLUMBLINE_MARKET_DATA=<folder>")


@pytest.mark.usefixtures("without_tools")
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"timestamp,open\n", "BTC-USDT_1m.csv.gz: not a gzip file"),
        (gzip.compress(b"time,open\n1,1\n"), "the first line must be 'timestamp,open,high,low,close,volume'"),
        (gzip.compress(b"timestamp,open,high,low,close,volume\n"), "there is no candle in this file"),
        (
            gzip.compress(b"timestamp,open,high,low,close,volume\n1704067260000,1,1,1,1,1\n"),
            "2024-01-01T00:01:00Z to 2024-01-01T00:02:00Z has no full hour in it",
        ),
    ],
    ids=["not gzip", "another header", "empty", "too short"],
)
def test_a_bad_folder_is_refused_by_its_file_and_leaves_the_stack_up(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, said: str
) -> None:
    up = STACK.save(Workspace(tmp_path, tmp_path, {}))
    (tmp_path / "BTC-USDT_1m.csv.gz").write_bytes(content)
    monkeypatch.setenv("PLUMBLINE_MARKET_DATA", str(tmp_path))
    assert refused(run("demo"), said)
    assert up.exists()


@pytest.mark.usefixtures("without_tools")
def test_a_demo_by_a_step_that_is_none_leaves_the_stack_up(run: Run, tmp_path: Path) -> None:
    up = STACK.save(Workspace(tmp_path, tmp_path, {}))
    assert refused(run("demo", "--step", "1w"), "'1w' is not a step")
    assert up.exists()


def test_a_stopped_replay_is_resumed_where_it_stopped_by_the_same_steps() -> None:
    period = Period(day_start("2024-01-01"), day_start("2024-01-02"))
    whole = how_to_resume(period, None, "15m")
    rest = how_to_resume(period, period.start + HOUR, "15m")
    assert whole.endswith("replay --from 2024-01-01T00:00:00Z --to 2024-01-02T00:00:00Z --step 15m")
    assert rest.endswith("replay --from 2024-01-01T01:00:00Z --to 2024-01-02T00:00:00Z --step 15m")


def test_whoever_brought_a_stack_up_is_told_first_where_to_look() -> None:
    first, *rest = how_to_go_on(STACK, Path("stack.json"), 31).splitlines()
    assert first == f"The dashboard is at {STACK.dashboard_url}"
    assert any("/api/public/paper-trading/summary/?days=31" in line for line in rest)


def test_a_replay_sums_what_was_done_and_not_how_things_stand() -> None:
    result = replay.Result()
    for number in (3, 4):
        result.add("track_trades", 0.1, {"opened": 2, "closed": 1, "open": number, "priceless": number})
    assert _summary(result, 1.0).splitlines()[1] == "  track_trades: 2 × 100 ms; opened 4, closed 2"


def test_a_day_or_a_moment_may_be_written() -> None:
    assert instant("2024-01-02") == day_start("2024-01-02")
    assert instant("2024-01-02T07:00:00+01:00") == day_start("2024-01-02") + 6 * HOUR


@pytest.mark.parametrize(("text", "step"), [("5m", 5 * MINUTE), ("1h", HOUR), ("2d", 2 * DAY)])
def test_a_step_is_a_number_and_a_unit(text: str, step: int) -> None:
    assert duration(text) == step


def test_a_parameter_is_a_name_and_a_value() -> None:
    assert assignment("UniverseSize=5") == ("UniverseSize", "5")
    assert assignment("AlarmEmail=") == ("AlarmEmail", "")
    with pytest.raises(InvalidInput, match="write it as UniverseSize=5"):
        assignment("UniverseSize")


@pytest.mark.parametrize("text", ["", "0h", "1w", "1.5h", "-1h", "h"])
def test_another_step_is_refused_with_examples(text: str) -> None:
    with pytest.raises(InvalidInput, match="write it as 5m, 1h or 1d"):
        duration(text)


def test_the_endpoint_is_found_as_localstacks_own_tools_find_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    assert named_endpoint({}) is None
    monkeypatch.setenv("LOCALSTACK_HOST", "localhost:4799")
    assert named_endpoint({"LOCALSTACK_HOST": "localhost:4799"}) == "http://localhost:4799"
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4798")
    assert named_endpoint({"AWS_ENDPOINT_URL": "x"}) == "http://127.0.0.1:4798"


def test_a_recorded_market_is_replayed_over_the_whole_hours_of_its_minutes(tmp_path: Path) -> None:
    start = day_start("2024-01-01")
    for name, minutes in (("BTC-USDT", (1, 130)), ("ETH-USDT", (30, 179))):
        with gzip.open(tmp_path / f"{name}_1m.csv.gz", "wt") as file:
            file.write("timestamp,open,high,low,close,volume\n")
            file.writelines(f"{start + m * MINUTE},1,1,1,1,1\n" for m in range(minutes[0], minutes[1] + 1))
    assert recorded_period(tmp_path) == Period(start + HOUR, start + 3 * HOUR)


def test_figures_are_asked_for_every_day_of_a_replay_and_no_more_than_the_api_has() -> None:
    start = day_start("2024-01-01")
    assert Period(start, start + 31 * DAY).days == 32
    assert Period(start, start + 31 * DAY - 1).days == 31
    assert Period(start, start + 4000 * DAY).days == 365
