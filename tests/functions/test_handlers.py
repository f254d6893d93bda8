"""The scheduled functions, called as Lambda calls them, with fakes behind them."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

import check_outcomes
import collect_candles
import generate_signals
import summarise_day
import track_trades
from plumbline.domain.calendar import HOUR, Interval, Timeframe, iso
from plumbline.domain.candles import Sifted
from plumbline.domain.digest import Kind
from plumbline.domain.errors import InvalidInput, Unavailable
from plumbline.events import now_of, wall_clock
from plumbline.pipeline.ruling import Models, Policies, no_policy
from plumbline.ports import Stores
from plumbline.wiring import App, enough_time
from tests.digest_fakes import FakeMail
from tests.fakes import FakeExchange, FakePolicy
from tests.world import SETTINGS, START, a_stack, an_exchange

EVENTS = Path(__file__).parent.parent / "events"


@dataclass
class Context:
    """Lambda's context, with a clock that stands still."""

    remaining: int = 60_000
    function_name: str = "test"
    aws_request_id: str = "1"

    def get_remaining_time_in_millis(self) -> int:
        return self.remaining


def an_app(stores: Stores | None = None, exchange: FakeExchange | None = None, policy: Policies = no_policy) -> App:
    return App(SETTINGS, stores or a_stack(), lambda: exchange or an_exchange(), Models(policy))


def at(hours: float) -> dict[str, str]:
    return {"time": iso(START + int(hours * HOUR))}


def run_a_day(app: App) -> list[dict[str, Any]]:
    results = []
    for hour in range(30):
        results.append(collect_candles.handler(at(hour), Context(), app))
        results.append(generate_signals.handler({"timeframe": "1h", **at(hour)}, Context(), app))
        results.append(track_trades.handler(at(hour), Context(), app))
        results.append(check_outcomes.handler({"interval": "1h", **at(hour)}, Context(), app))
        results.append(summarise_day.handler(at(hour + 0.1), Context(), app))
    return results


def test_a_day_of_events_collects_generates_trades_checks_and_summarises() -> None:
    results = run_a_day(an_app())
    totals = {
        name: sum(r.get(name, 0) for r in results)
        for name in ("stored", "signals", "opened", "closed", "checked", "days")
    }
    assert all(totals.values()), totals


def test_the_same_events_again_find_nothing_to_do() -> None:
    app = an_app()
    run_a_day(app)
    again = run_a_day(app)
    assert sum(r.get(name, 0) for r in again for name in ("stored", "signals", "opened", "checked", "closed")) == 0


def test_now_is_the_events_own_time_and_the_wall_clock_only_where_it_has_none() -> None:
    assert now_of({"time": "2024-01-01T00:00:00Z"}) == START
    assert abs(now_of({"timeframe": "1h"}) - wall_clock()) < 60_000
    with pytest.raises(InvalidInput, match="must be ISO 8601 or a number"):
        now_of({"time": ["2024"]})


def test_an_event_without_its_argument_says_how_to_write_it() -> None:
    with pytest.raises(InvalidInput, match=r'must name its timeframe, as in \{"timeframe": "1h"\}; got None'):
        generate_signals.handler(at(0), Context(), an_app())
    with pytest.raises(InvalidInput, match="unknown interval '2h'"):
        check_outcomes.handler({"interval": "2h"}, Context(), an_app())


def test_a_run_that_lost_the_race_is_no_error_and_says_so() -> None:
    app = an_app()

    class Overtaken(FakeExchange):
        """While this run asks the exchange, another one does the whole work."""

        overtaken = False

        def candles(self, symbol: str, timeframe: Timeframe, start: int, end: int) -> Sifted:
            if not self.overtaken:
                self.overtaken = True
                collect_candles.handler(at(0), Context(), app)
            return super().candles(symbol, timeframe, start, end)

    slow = an_app(app.stores, Overtaken(an_exchange().series))
    assert collect_candles.handler(at(0), Context(), slow) == {"moved_by_another_run": 1}


def test_a_function_that_is_about_to_be_stopped_begins_nothing_more() -> None:
    assert enough_time(Context(remaining=60_000))()
    assert not enough_time(Context(remaining=5_000))()
    assert enough_time(None)()


def test_every_run_counts_its_numbers_and_the_age_of_every_cursor_as_metrics(
    capsys: pytest.CaptureFixture[str],
) -> None:
    app = an_app()
    collect_candles.handler(at(0), Context(), app)
    collect_candles.handler(at(1), Context(), app)
    blobs = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    names = {metric["Name"] for blob in blobs for metric in blob["_aws"]["CloudWatchMetrics"][0]["Metrics"]}
    assert {"stored", "failed", "refused", "CursorLag"} <= names
    ages = {blob["cursor"]: blob["CursorLag"] for blob in blobs if "CursorLag" in blob}
    assert ages[f"collect#{Timeframe.M1}"] == [0.0]


def test_the_first_summary_after_a_days_end_reports_on_the_model_and_the_hourly_ones_do_not(
    capsys: pytest.CaptureFixture[str],
) -> None:
    policy = FakePolicy()
    app = an_app(policy=lambda: policy)
    for hour in (-1, 24):
        collect_candles.handler(at(hour), Context(), app)
        generate_signals.handler({"timeframe": "1h", **at(hour)}, Context(), app)
    first = summarise_day.handler(at(24.1), Context(), app)
    capsys.readouterr()
    again = summarise_day.handler(at(25.1), Context(), app)
    assert (first["reports"], again["reports"]) == (1, 0)
    assert "ModelDrift" not in capsys.readouterr().out
    report = app.stores.model_reports.latest("fake", "2024-01-01")
    assert report
    assert report.day == "2024-01-01"


def a_day_that_is_over(app: App) -> None:
    """Everything up to the summary of the first day, but for it."""
    for hour in (-1, 24):
        collect_candles.handler(at(hour), Context(), app)
        generate_signals.handler({"timeframe": "1h", **at(hour)}, Context(), app)
        track_trades.handler(at(hour), Context(), app)
        for interval in Interval:
            check_outcomes.handler({"interval": interval, **at(hour)}, Context(), app)


def test_the_first_summary_after_a_days_end_makes_its_digest_and_sends_it_once() -> None:
    mail = FakeMail()
    settings = replace(SETTINGS, dashboard_url="https://example.com/bot-performance")
    app = replace(an_app(policy=FakePolicy), settings=settings, mail=lambda: mail)
    a_day_that_is_over(app)
    first, again = (summarise_day.handler(at(hour), Context(), app) for hour in (24.1, 24.2))
    # The record begins an hour before the year: that Sunday is the end of a week and of a month, too.
    assert (first["digests"], first["mailed"], again["digests"], again["mailed"]) == (4, 1, 0, 0)
    assert app.stores.digests.get(Kind.DAILY, "2024-01-01")
    [letter] = mail.letters
    assert letter.subject.startswith("[simulated] Plumbline, Monday 1 January 2024: ")
    assert "https://example.com/bot-performance" in letter.html


def test_a_mail_that_is_refused_fails_the_run_after_everything_else_is_done() -> None:
    mail = FakeMail()
    mail.refusals = [Unavailable("SES refused", retry_after=1.0)]
    app = replace(an_app(policy=FakePolicy), mail=lambda: mail)
    a_day_that_is_over(app)
    with pytest.raises(Unavailable, match="SES refused"):
        summarise_day.handler(at(24.1), Context(), app)
    assert app.stores.digests.get(Kind.DAILY, "2024-01-01")
    assert app.stores.model_reports.latest("fake", "2024-01-01")
    assert summarise_day.handler(at(24.5), Context(), app)["mailed"] == 1


def test_what_is_reported_of_the_model_is_published(capsys: pytest.CaptureFixture[str]) -> None:
    app = an_app(policy=FakePolicy)
    for hour in (-1, 24):
        collect_candles.handler(at(hour), Context(), app)
        generate_signals.handler({"timeframe": "1h", **at(hour)}, Context(), app)
    summarise_day.handler(at(24.1), Context(), app)
    blobs = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "ModelDrift" in line]
    report = app.stores.model_reports.latest("fake", "2024-01-01")
    assert report
    assert [(blob["ModelDrift"], blob["ModelSkill"], blob["ModelEarnsItsPlace"]) for blob in blobs] == [
        ([report.drift], [report.skill], [float(report.earns_its_place)])
    ]


def test_without_a_model_the_day_is_summarised_all_the_same() -> None:
    app = an_app()
    run_a_day(app)
    assert summarise_day.handler(at(48.1), Context(), app)["reports"] == 0


HANDLERS: dict[str, Callable[..., dict[str, Any]]] = {
    "collect_candles": collect_candles.handler,
    "generate_signals": generate_signals.handler,
    "check_outcomes": check_outcomes.handler,
    "summarise_day": summarise_day.handler,
    "track_trades": track_trades.handler,
}


@pytest.mark.parametrize("name", HANDLERS)
def test_each_function_accepts_the_event_that_documents_it(name: str) -> None:
    event = json.loads((EVENTS / f"{name}.json").read_text())
    assert isinstance(HANDLERS[name](event, Context(), an_app()), dict)
