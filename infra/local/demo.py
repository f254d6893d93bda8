"""A month through the deployed functions, from an empty stack to a table of checked signals."""

import re
import shutil
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from infra.local import replay
from infra.local.cloud import Cloud
from infra.local.exchange.recorded import read_file
from infra.local.market import Clock
from infra.local.report import Reader, figures_table, paper_line, signal_table
from infra.local.stack import Stack
from infra.local.verify import BINANCE, Verdict, exchange_minutes, verify
from infra.local.verify_trades import verify_trades
from plumbline.domain.calendar import DAY, HOUR, MINUTE, Timeframe, day_start, iso, parse_instant
from plumbline.domain.errors import InvalidInput

SIMULATED_MONTH = (day_start("2024-01-01"), day_start("2024-02-01"))
"""What the demo replays where no recorded market is given."""
SIMULATED_SCAN = {"UniverseSize": "5"}
"""Enough pairs to rank one among the others, few enough for a demo of some minutes."""
_STATES = {"open", "priceless"}
"""Numbers of an answer that tell how things stand: they do not add up."""
MOST_DAYS = 365
"""How far back the API's figures go."""


@dataclass(frozen=True, slots=True)
class Period:
    """From where to where a replay goes, in ms."""

    start: int
    end: int

    @property
    def days(self) -> int:
        """UTC days touched, as many as the API's figures go back at most: on a replayed market its now is the end."""
        return min(MOST_DAYS, (self.end - self.start) // DAY + 1)


def recorded_period(folder: Path) -> Period:
    """The span of a folder's 1m candles on whole hours: from the first one's open to the last one's close."""
    spans = [_span(path) for path in sorted(folder.glob("*_1m.csv.gz"))]
    if not spans:
        raise InvalidInput(f"{folder} holds no <BASE>-<QUOTE>_1m.csv.gz", field="market data")
    first, last = min(span[0] for span in spans), max(span[1] for span in spans) + MINUTE
    period = Period(-(-first // HOUR) * HOUR, Timeframe.H1.floor(last))
    if period.start > period.end:
        raise InvalidInput(f"{folder}: {iso(first)} to {iso(last)} has no full hour in it", field="market data")
    return period


def _span(path: Path) -> tuple[int, int]:
    times = read_file(path, Timeframe.M1).open_time
    return int(times[0]), int(times[-1])


def run_replay(console: Console, stack: Stack, period: Period, step: int, result: replay.Result) -> None:
    """Replay with a progress bar and a closing summary. `result` grows, so that Ctrl-C leaves it telling how far."""
    total = replay.count(period.start, period.end, step)
    steps = replay.plan(period.start, period.end, step)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    began = time.perf_counter()
    with (
        Cloud(stack.aws_endpoint) as cloud,
        closing(Clock(stack.exchange_url or "")) as clock,
        Progress(*columns, console=console) as bar,
    ):
        invoke = replay.lambda_invoker(cloud.functions, stack.functions)
        task = bar.add_task("Replaying", total=total)

        def on_step(step: replay.Step, _: replay.Result) -> None:
            bar.update(task, advance=1, description=f"Replaying {iso(step.now)[:16]}")

        replay.run(steps, invoke, clock.set, on_step, result)
    console.print(_summary(result, time.perf_counter() - began))


def _summary(result: replay.Result, seconds: float) -> str:
    lines = [f"{result.steps} steps, {sum(result.calls.values())} invocations in {seconds:.0f} s"]
    for function, calls in result.calls.items():
        sums = ", ".join(
            f"{name} {value:g}"
            for (f, name), value in result.sums.items()
            if f == function and value and name not in _STATES
        )
        lines.append(
            f"  {function}: {calls} × {1000 * result.seconds[function] / calls:.0f} ms; {sums or 'nothing due'}"
        )
    return "\n".join(lines)


def show(console: Console, stack: Stack, days: int, rows: int) -> int:
    """The signals and their figures and the paper book, through the API; returns how many signals there are."""
    with closing(Reader(stack, stack.tokens["user"])) as reader:
        signals = [*reader.signals()]
        intervals = {row["interval"]: row for row in reader.by_interval(days)}
        overall, book = reader.statistics(days), reader.paper(days)
    console.print(signal_table(signals, stack.exchange, rows))
    console.print(figures_table(overall, intervals, stack.exchange))
    console.print(paper_line(book), highlight=False)
    return len(signals)


def picture(stack: Stack, days: int, rows: int) -> str:
    """What `show` prints, as SVG, in whatever monospaced font the reader has: no address of another's server in it."""
    recorder = Console(record=True, width=132, file=StringIO())
    show(recorder, stack, days, rows)
    drawn = recorder.export_svg(title="make demo", unique_id="demo")
    return re.sub(r"@font-face \{.*?\}", "", drawn, flags=re.DOTALL)


def prove(console: Console, stack: Stack) -> bool:
    """Recompute every outcome and every paper trade from the market's own candles; False where one differs."""
    with (
        exchange_minutes(_market_address(stack)) as minutes,
        closing(Reader(stack, stack.tokens["user"])) as reader,
    ):
        outcomes = verify(reader.signals(), minutes, parse_instant(reader.get("/health")["as_of"]))
        as_of = reader.paper_as_of()
        trades = verify_trades(reader.trades(), minutes, parse_instant(as_of) if as_of else 0)
    return all(
        [
            _told(console, outcomes, f"outcomes of {outcomes.signals} signals agree"),
            _told(console, trades, "paper trades agree, fill by fill and cent by cent,"),
        ]
    )


def _told(console: Console, verdict: Verdict, what: str) -> bool:
    for difference in verdict.differing:
        console.print(difference, style="red", markup=False, highlight=False, soft_wrap=True)
    total = verdict.agreeing + len(verdict.differing)
    style = "red" if verdict.differing else "green"
    console.print(f"{verdict.agreeing} of {total} {what} with the market's own candles", style=style, highlight=False)
    return not verdict.differing


def _market_address(stack: Stack) -> str:
    if stack.exchange_url:
        return stack.exchange_url
    if stack.exchange == "binance":
        return BINANCE
    raise InvalidInput(
        f"{stack.exchange}'s candles cannot be asked for independently; that works with binance and our own market",
        field="exchange",
    )


def how_to_go_on(stack: Stack, file: Path, days: int) -> str:
    """Commands to try on a running stack."""
    me = _program()
    user, operator = (f'-H "Authorization: Bearer $({me} token {person})"' for person in ("user", "operator"))
    return "\n".join(
        (
            f"The dashboard is at {stack.dashboard_url}",
            f"The API is at {stack.api_url}, the live feed at {stack.ws_url}; tokens and addresses are in {file}. Try:",
            f"  curl '{stack.api_url}/health'",
            f"  curl '{stack.api_url}/api/signals/latest' {user}",
            f"  curl '{stack.api_url}/api/signals/history?limit=5&include=outcomes' {user}",
            f"  curl '{stack.api_url}/performance/stats?days={days}' {user}",
            f"  curl '{stack.api_url}/api/public/paper-trading/summary/?days={days}'",
            f"  curl -X POST '{stack.api_url}/performance/tracker/stop' {operator}",
            f"  {me} signals      the table again",
            f"  {me} verify       recompute every outcome and paper trade from the market's own candles",
            f"  {me} down         stop everything",
        )
    )


def how_to_resume(period: Period, until: int | None, step: str) -> str:
    """The command that goes on with a replay that was stopped; `until`: the last finished step, ms."""
    since = iso(period.start if until is None else until)
    return f"{_program()} replay --from {since} --to {iso(period.end)} --step {step}"


def _program() -> str:
    # As it was called, so that the lines can be pasted into the same shell.
    called = Path(sys.argv[0])
    return called.name if shutil.which(called.name) else str(called)
