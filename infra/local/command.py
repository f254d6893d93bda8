"""The `plumbline` command: the whole service on this machine."""

import os
import re
import statistics
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from infra.local import demo as demonstration
from infra.local import lifecycle, market, runtime, users
from infra.local.analysis.figures import analyse
from infra.local.analysis.page import page
from infra.local.analysis.tables import show
from infra.local.build import build as build_artefacts
from infra.local.cloud import Cloud, named_endpoint
from infra.local.demo import (
    MOST_DAYS,
    SIMULATED_MONTH,
    SIMULATED_SCAN,
    Period,
    how_to_go_on,
    recorded_period,
    run_replay,
)
from infra.local.failures import VENDORS, translated
from infra.local.replay import Result
from infra.local.report import Reader
from infra.local.stack import Stack, stack_file
from infra.local.workspace import Workspace
from plumbline.domain.calendar import DAY, HOUR, MINUTE, day_start, parse_instant
from plumbline.domain.errors import InvalidInput, PlumblineError

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__, pretty_exceptions_enable=False)
# Written to a file or a pipe, a table is as wide as it needs, not as narrow as the usual guess of 80.
console = Console(width=None if sys.stdout.isatty() else 130)
_UNITS = {"m": MINUTE, "h": HOUR, "d": DAY}


@contextmanager
def _told() -> Iterator[Workspace]:
    """What goes wrong is told in a sentence; a traceback means a fault of ours."""
    try:
        yield Workspace.of(os.environ)
    except (PlumblineError, *VENDORS) as exc:
        told = translated(exc)
        console.print(f"[bold red]{type(told).__name__}[/]: ", end="")
        console.print(str(told), markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(1) from exc


def _say(line: str) -> None:
    console.print(line, markup=False, highlight=False, soft_wrap=True)


@app.command()
def up(
    endpoint: Annotated[
        str | None,
        typer.Option(help="A MiniStack or LocalStack that already runs; else AWS_ENDPOINT_URL or LOCALSTACK_HOST."),
    ] = None,
    exchange: Annotated[
        str | None, typer.Option(envvar="PLUMBLINE_EXCHANGE", help="A ccxt exchange id such as binance: live market.")
    ] = None,
    exchange_url: Annotated[
        str | None, typer.Option(help="Our market's address as the functions see it, where they run in containers.")
    ] = None,
    schedules: Annotated[
        bool, typer.Option(help="Run the schedules with the wall clock; without, `plumbline replay` is the clock.")
    ] = True,
    parameter: Annotated[
        list[str] | None, typer.Option(help="A parameter of the template, such as UniverseSize=5; may be repeated.")
    ] = None,
) -> None:
    """Start the local AWS and the market, and deploy the real template to them."""
    with _told() as workspace:
        options = lifecycle.Options(
            endpoint=endpoint or named_endpoint(os.environ),
            exchange=exchange,
            exchange_url=exchange_url,
            schedules=schedules,
            parameters=dict(assignment(text) for text in parameter or ()),
        )
        stack = lifecycle.up(workspace, options, _say)
        _say("Up. " + how_to_go_on(stack, stack_file(workspace), 30))


@app.command()
def down() -> None:
    """Stop everything and remove what is temporary."""
    with _told() as workspace:
        stopped = lifecycle.down(workspace)
        _say(f"Stopped: {', '.join(stopped)}" if stopped else "Nothing was running")


@app.command()
def build() -> None:
    """Build functions and layers (`sam build`), where anything in them has changed."""
    with _told() as workspace:
        _say(
            f"Built in {workspace.build}" if build_artefacts(workspace) else "Nothing has changed since the last build"
        )


@app.command()
def replay(
    start: Annotated[str, typer.Option("--from", help="First event time: 2024-01-01 or 2024-01-01T07:00:00Z.")],
    end: Annotated[str, typer.Option("--to", help="Last event time.")],
    step: Annotated[str, typer.Option(help="Time between two events: 5m, 1h, 1d.")] = "1h",
) -> None:
    """Run the deployed functions over a stretch of market time."""
    with _told() as workspace:
        stack = Stack.load(workspace)
        _require_replayable(stack)
        _replay(stack, Period(instant(start), instant(end)), step)


@app.command()
def demo(
    rows: Annotated[int, typer.Option(min=2, help="Rows of the table of signals.")] = 40,
    # The record is the same for every step. Beyond two hours signals would be recorded too late to count.
    step: Annotated[str, typer.Option(help="Time between two events; the record does not depend on it.")] = "2h",
) -> None:
    """From nothing to a month of checked signals: up, replay, and the table.

    PLUMBLINE_MARKET_DATA=<folder> replays the recorded candles of a folder; else the market is simulated.
    """
    with _told() as workspace:
        folder = market.recorded_folder(workspace)
        period = recorded_period(folder) if folder else Period(*SIMULATED_MONTH)
        duration(step)
        lifecycle.down(workspace)
        stack = lifecycle.up(
            workspace, lifecycle.Options(schedules=False, parameters={} if folder else SIMULATED_SCAN), _say
        )
        _replay(stack, period, step)
        demonstration.show(console, stack, period.days, rows)
        agrees = demonstration.prove(console, stack)
        _say(how_to_go_on(stack, stack_file(workspace), period.days))
        if not agrees:
            raise typer.Exit(1)


@app.command()
def signals(
    rows: Annotated[int, typer.Option(min=2, help="Rows of the table.")] = 40,
    days: Annotated[int, typer.Option(min=1, max=MOST_DAYS, help="Days of the figures, back from now.")] = 31,
    svg: Annotated[Path | None, typer.Option(help="Draw it into this file instead.")] = None,
) -> None:
    """Show the signals of the running stack with their outcomes, and the figures."""
    with _told() as workspace:
        stack = _with_fresh_tokens(workspace)
        if svg:
            svg.write_text(demonstration.picture(stack, days, rows))
        else:
            demonstration.show(console, stack, days, rows)


@app.command()
def report(
    days: Annotated[int, typer.Option(min=1, max=MOST_DAYS, help="Days, back from now.")] = 30,
    html: Annotated[Path | None, typer.Option(help="Write it into this file, with charts, instead.")] = None,
) -> None:
    """Show the record in depth: breakdowns, recommendations, calibration, and how much of it may be chance."""
    with _told() as workspace:
        stack = _with_fresh_tokens(workspace)
        with closing(Reader(stack, stack.tokens["user"])) as reader:
            found = analyse(reader, days)
        if html:
            html.write_text(page(found))
            _say(f"Written to {html}")
        else:
            show(console, found)


@app.command()
def verify() -> None:
    """Recompute every outcome and paper trade from the market's own candles, with none of the code that made them."""
    with _told() as workspace:
        if not demonstration.prove(console, _with_fresh_tokens(workspace)):
            raise typer.Exit(1)


@app.command()
def token(person: Annotated[str, typer.Argument(help="user or operator")] = "user") -> None:
    """Print a fresh token for the API."""
    with _told() as workspace:
        if person not in users.PEOPLE:
            raise InvalidInput(f"nobody is called {person!r}; there are {', '.join(users.PEOPLE)}", field="person")
        print(_with_fresh_tokens(workspace).tokens[person])


@app.command()
def invoke(
    function: Annotated[str, typer.Argument(help="Name of the handler, such as check_outcomes.")],
    event: Annotated[str, typer.Argument(help="A file with the event, or the event as JSON.")],
    times: Annotated[int, typer.Option(min=1, help="Repeat, to see the cold and the warm time.")] = 1,
) -> None:
    """Run one built function under the Lambda runtime emulator, without a container."""
    with _told() as workspace:
        artefact, payload = runtime.artefact(workspace, function), runtime.read_event(event)
        environment = runtime.stack_environment(workspace, function)
        with runtime.emulator(workspace, artefact, environment) as emulator:
            answers = [emulator.invoke(payload) for _ in range(times)]
            logs = emulator.logs()
        console.print(logs, style="dim", markup=False, highlight=False, soft_wrap=True)
        console.print_json(data=answers[-1].payload)
        _say(f"cold {answers[0].milliseconds:.0f} ms")
        if times > 1:
            warm = statistics.median(answer.milliseconds for answer in answers[1:])
            _say(f"warm {warm:.1f} ms (median of {times - 1})")
        if runtime.failed(answers[-1].payload):
            raise typer.Exit(1)


def instant(text: str) -> int:
    """A point in time from the command line: a day, or ISO 8601 with its zone."""
    return day_start(text) if re.fullmatch(r"\d{4}-\d\d-\d\d", text) else parse_instant(text)


def assignment(text: str) -> tuple[str, str]:
    """Name and value of a parameter from the command line: UniverseSize=5."""
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise InvalidInput(f"{text!r} is not a parameter; write it as UniverseSize=5", field="parameter")
    return name, value


def duration(text: str) -> int:
    """A stretch of time from the command line: 5m, 1h, 1d."""
    found = re.fullmatch(r"([1-9]\d*)([mhd])", text)
    if not found:
        raise InvalidInput(f"{text!r} is not a step; write it as 5m, 1h or 1d", field="step")
    return int(found[1]) * _UNITS[found[2]]


def _require_replayable(stack: Stack) -> None:
    if stack.schedules:
        raise InvalidInput(
            "this stack's schedules run with the wall clock, so its functions have left the past behind; "
            "run `plumbline down`, then `plumbline up --no-schedules`"
        )
    if not stack.exchange_url:
        raise InvalidInput(f"{stack.exchange} is a live market: its clock cannot be set")


def _replay(stack: Stack, period: Period, step: str) -> None:
    result = Result()
    try:
        run_replay(console, stack, period, duration(step), result)
    except KeyboardInterrupt:
        rest = demonstration.how_to_resume(period, result.until, step)
        _say(f"Stopped. Nothing is lost: `{rest}` goes on from there")
        raise typer.Exit(130) from None


def _with_fresh_tokens(workspace: Workspace) -> Stack:
    stack = Stack.load(workspace)
    with Cloud(stack.aws_endpoint) as cloud:
        fresh = stack.signed_in(cloud)
    fresh.save(workspace)
    return fresh


def main() -> None:
    """Entry point of the `plumbline` command."""
    app()


if __name__ == "__main__":
    main()
