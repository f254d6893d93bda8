"""A replay: the deployed functions, invoked for one event time after another."""

import base64
import json
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from plumbline.domain.calendar import DAY, MINUTE, SIGNAL_TIMEFRAMES, Interval, iso
from plumbline.domain.errors import InvalidInput, PlumblineError

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

SUMMARY_AT = 5 * MINUTE
"""The first run of `summarise_day` that finds the day before complete, UTC."""
WORKERS = 4


class FunctionFailed(PlumblineError):
    """A deployed function ended in an error; the message holds the end of its log."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """One call of one function."""

    function: str
    arguments: Mapping[str, str] = field(default_factory=dict)

    def event(self, now: int) -> dict[str, str]:
        """What the schedule sends, with the time at which it does."""
        return {**self.arguments, "time": iso(now)}


type Stages = tuple[tuple[Invocation, ...], ...]
"""Invocations of one moment: the stages one after the other, within a stage all at once."""

COLLECT = Invocation("collect_candles")
CHECKS = tuple(Invocation("check_outcomes", {"interval": interval}) for interval in Interval)
TRACK = Invocation("track_trades")
SUMMARISE = Invocation("summarise_day")


@dataclass(frozen=True, slots=True)
class Step:
    """One moment of the replay and what the schedules start at it."""

    now: int
    stages: Stages


def plan(start: int, end: int, step: int) -> Iterator[Step]:
    """The moments start, start + step, … and `end` (ms), each with what fell due since the moment before it.

    Candles first, since all others read them; then the signals, and beside each other what follows from both: checks
    and paper trades. A day's summary is made at 00:05; of those in between, which only save readers work, the last
    step has one.
    """
    if step < MINUTE:
        raise InvalidInput(f"a step of {step} ms is too short: the schedules run every minute", field="step")
    if start > end:
        raise InvalidInput(f"a replay from {iso(start)} to {iso(end)} runs backwards", field="from")
    before = start - step
    for now in _moments(start, end, step):
        yield Step(now, _stages(before, now, last=now == end))
        before = now


def count(start: int, end: int, step: int) -> int:
    """How many steps `plan` has."""
    return len([*_moments(start, end, step)])


def _moments(start: int, end: int, step: int) -> Iterator[int]:
    yield from range(start, end, step)
    yield end


def _stages(before: int, now: int, *, last: bool) -> Stages:
    generators = tuple(
        Invocation("generate_signals", {"timeframe": timeframe})
        for timeframe in SIGNAL_TIMEFRAMES
        if timeframe.floor(now) > before
    )
    summary_due = (now - SUMMARY_AT) // DAY * DAY + SUMMARY_AT
    summary: Stages = ((SUMMARISE,),) if last or summary_due > before else ()
    return ((COLLECT,), *((generators,) if generators else ()), (*CHECKS, TRACK), *summary)


class Invoke(Protocol):
    """Calls a function and waits for its answer."""

    def __call__(self, function: str, event: Mapping[str, str]) -> Mapping[str, object]:
        """Its answer; FunctionFailed where it ended in an error."""


@dataclass(slots=True)
class Result:
    """What a replay did: invocations, seconds spent in them, and the sums of the numbers in the answers."""

    steps: int = 0
    until: int | None = None
    calls: Counter[str] = field(default_factory=Counter)
    seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    sums: defaultdict[tuple[str, str], float] = field(default_factory=lambda: defaultdict(float))

    def add(self, function: str, seconds: float, answer: Mapping[str, object]) -> None:
        """Count one invocation."""
        self.calls[function] += 1
        self.seconds[function] += seconds
        for name, value in answer.items():
            if isinstance(value, int | float) and not isinstance(value, bool):
                self.sums[function, name] += value


def run(
    steps: Iterator[Step],
    invoke: Invoke,
    set_clock: Callable[[int], None],
    on_step: Callable[[Step, Result], None],
    result: Result,
) -> None:
    """Go through the steps. Interrupted between any two answers, it can be run again: done work is not done twice."""
    with ThreadPoolExecutor(WORKERS) as pool:
        for step in steps:
            set_clock(step.now)
            for stage in step.stages:
                for invocation, (seconds, answer) in zip(stage, _all(pool, invoke, stage, step.now), strict=True):
                    result.add(invocation.function, seconds, answer)
            result.steps += 1
            result.until = step.now
            on_step(step, result)


def _all(
    pool: Executor, invoke: Invoke, stage: Sequence[Invocation], now: int
) -> Iterator[tuple[float, Mapping[str, object]]]:
    def timed(invocation: Invocation) -> tuple[float, Mapping[str, object]]:
        began = time.perf_counter()
        answer = invoke(invocation.function, invocation.event(now))
        return time.perf_counter() - began, answer

    return pool.map(timed, stage)


def lambda_invoker(client: "LambdaClient", names: Mapping[str, str]) -> Invoke:
    """Invocation through the Lambda API. `names` maps a handler to the deployed function's name."""

    def invoke(function: str, event: Mapping[str, str]) -> Mapping[str, object]:
        if function not in names:
            raise FunctionFailed(f"{function} is not deployed; deployed are {', '.join(sorted(names))}")
        response = client.invoke(FunctionName=names[function], Payload=json.dumps(event), LogType="Tail")
        payload = response["Payload"].read()
        if response.get("FunctionError"):
            log = base64.b64decode(response.get("LogResult", "")).decode(errors="replace").strip()
            raise FunctionFailed(f"{function} {json.dumps(event)} failed: {payload.decode()}\n{log}")
        answer = json.loads(payload or b"null")
        return answer if isinstance(answer, dict) else {}

    return invoke
