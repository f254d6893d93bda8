"""A replay does what the schedules would have done, in an order in which nothing waits for itself."""

from collections.abc import Mapping

import pytest

from infra.local.replay import CHECKS, COLLECT, SUMMARISE, FunctionFailed, Invocation, Result, Step, count, plan, run
from plumbline.domain.calendar import DAY, HOUR, MINUTE, Interval, day_start, iso
from plumbline.domain.errors import InvalidInput

START = day_start("2024-01-01")


def generators(step: Step) -> list[str]:
    return [i.arguments["timeframe"] for stage in step.stages for i in stage if i.function == "generate_signals"]


def functions(step: Step) -> list[set[str]]:
    return [{invocation.function for invocation in stage} for stage in step.stages]


def test_every_moment_comes_once_and_the_last_is_the_end() -> None:
    moments = [step.now for step in plan(START, START + 5 * HOUR, 2 * HOUR)]
    assert moments == [START, START + 2 * HOUR, START + 4 * HOUR, START + 5 * HOUR]


@pytest.mark.parametrize(("end", "steps"), [(0, 1), (HOUR, 2), (HOUR + 1, 3), (DAY, 25)])
def test_the_steps_are_counted_without_being_made(end: int, steps: int) -> None:
    assert count(START, START + end, HOUR) == steps == len([*plan(START, START + end, HOUR)])


def test_only_timeframes_whose_candle_closed_in_the_step_are_generated() -> None:
    midnight, one, two, three, four = [*plan(START, START + 4 * HOUR, HOUR)]
    assert generators(midnight) == ["5m", "15m", "1h", "4h", "1d"]
    assert generators(one) == generators(two) == generators(three) == ["5m", "15m", "1h"]
    assert generators(four) == ["5m", "15m", "1h", "4h"]


def test_a_minute_in_which_no_candle_of_a_strategy_closed_generates_nothing() -> None:
    _, minute = [*plan(START, START + MINUTE, MINUTE)]
    assert generators(minute) == []


def test_candles_are_collected_before_anything_reads_them() -> None:
    assert all(step.stages[0] == (COLLECT,) for step in plan(START, START + DAY, 3 * HOUR))


def test_every_interval_is_checked_in_every_step() -> None:
    wanted = [{"interval": interval} for interval in Interval]
    for step in plan(START, START + 3 * HOUR, HOUR):
        made = [i.arguments for stage in step.stages for i in stage if i.function == "check_outcomes"]
        assert made == wanted


@pytest.mark.parametrize("step", [MINUTE, HOUR, 2 * DAY])
def test_signals_are_there_before_they_are_judged_or_traded(step: int) -> None:
    *_, last = plan(START, START + 2 * DAY, step)
    assert functions(last)[1:3] == [{"generate_signals"}, {"check_outcomes", "track_trades"}]


def test_trades_are_tracked_in_every_step_before_its_day_is_summarised() -> None:
    for step in plan(START, START + 26 * HOUR, HOUR):
        order = [invocation.function for stage in step.stages for invocation in stage]
        assert order.count("track_trades") == 1
        assert "summarise_day" not in order[: order.index("track_trades")]


def test_a_day_is_summarised_once_by_the_first_step_at_or_after_five_past_midnight() -> None:
    steps = [*plan(START, START + 2 * DAY + 2 * HOUR, HOUR)]
    summaries = [step.now for step in steps[:-1] if (SUMMARISE,) in step.stages]
    assert summaries == [START + HOUR, START + DAY + HOUR, START + 2 * DAY + HOUR]


def test_a_step_exactly_on_five_past_midnight_summarises() -> None:
    before, on, after, _ = [*plan(START + 4 * MINUTE, START + 7 * MINUTE, MINUTE)]
    assert [(SUMMARISE,) in step.stages for step in (before, on, after)] == [False, True, False]


def test_the_last_step_folds_the_running_day() -> None:
    *_, last = plan(START, START + 7 * HOUR, HOUR)
    assert last.stages[-1] == (SUMMARISE,)


def test_a_replay_that_runs_backwards_is_refused_with_both_times() -> None:
    with pytest.raises(InvalidInput, match="2024-01-01T01:00:00Z to 2024-01-01T00:00:00Z"):
        next(plan(START + HOUR, START, HOUR))


def test_a_step_shorter_than_the_schedules_is_refused() -> None:
    with pytest.raises(InvalidInput, match="too short"):
        next(plan(START, START + HOUR, 1000))


def test_an_event_is_what_the_schedule_sends_with_its_time() -> None:
    assert CHECKS[2].event(START) == {"interval": "24h", "time": "2024-01-01T00:00:00Z"}


class Recorder:
    """Functions that answer at once, and the order in which they and the clock were asked."""

    def __init__(self, fails_at: str = "") -> None:
        self.seen: list[tuple[str, str]] = []
        self._fails_at = fails_at

    def invoke(self, function: str, event: Mapping[str, str]) -> Mapping[str, object]:
        if event["time"] == self._fails_at:
            raise FunctionFailed(f"{function} failed")
        self.seen.append((function, event["time"]))
        return {"stored": 2, "ok": True, "note": "text"}

    def set_clock(self, now: int) -> None:
        self.seen.append(("clock", iso(now)))


def replayed(recorder: Recorder, hours: int, result: Result) -> list[int]:
    seen: list[int] = []
    run(
        plan(START, START + hours * HOUR, HOUR),
        recorder.invoke,
        recorder.set_clock,
        lambda step, _: seen.append(step.now),
        result,
    )
    return seen


def test_the_markets_clock_is_set_before_anything_of_its_step_runs() -> None:
    recorder = Recorder()
    replayed(recorder, 1, Result())
    second = [name for name, time in recorder.seen if time == iso(START + HOUR)]
    assert second[:2] == ["clock", "collect_candles"]
    assert [time for _, time in recorder.seen] == sorted(time for _, time in recorder.seen)


def test_the_result_sums_the_numbers_of_the_answers_and_nothing_else() -> None:
    result = Result()
    assert replayed(Recorder(), 2, result) == [START, START + HOUR, START + 2 * HOUR]
    assert (result.steps, result.until, result.calls["collect_candles"]) == (3, START + 2 * HOUR, 3)
    assert dict(result.sums) == {(name, "stored"): 2.0 * calls for name, calls in result.calls.items()}


def test_a_function_that_fails_ends_the_replay_and_the_result_tells_how_far_it_came() -> None:
    result = Result()
    with pytest.raises(FunctionFailed, match="collect_candles failed"):
        replayed(Recorder(fails_at=iso(START + 2 * HOUR)), 5, result)
    assert (result.steps, result.until) == (2, START + HOUR)


def test_invocations_of_the_same_function_differ_by_their_arguments() -> None:
    assert len({(i.function, *i.arguments.items()) for i in CHECKS}) == len(Interval)
    assert Invocation("a").event(START) == {"time": "2024-01-01T00:00:00Z"}
