"""`plumbline report`: what it shows is what the API says, and what it computes itself is right."""

import re
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode

import pytest
from rich.console import Console

from infra.local.analysis.charts import Line, Scale, Whisker, line_chart, whisker_chart
from infra.local.analysis.figures import Analysis, analyse, daily_books, skill
from infra.local.analysis.page import page
from infra.local.analysis.tables import show
from infra.local.analysis.words import skill_words
from infra.local.report import Reader
from plumbline.domain.calendar import DAY, HOUR, Interval
from plumbline.domain.signals import Origin
from plumbline.ports import Stores
from tests.builders import NOON, a_position, a_signal, an_outcome
from tests.builders import a_trade as a_closed_trade
from tests.fakes import memory_stores
from tests.functions.gateway import Gateway, services
from tests.world import START, a_stack, an_exchange, run, steps

DAYS = 9


class InProcess(Reader):
    """Reads the real API over stores in memory."""

    def __init__(self, stores: Stores, now: int) -> None:
        self._gateway = Gateway(services(stores, now=now))

    def get(self, path: str, **query: str | int) -> dict[str, Any]:
        reply = self._gateway.get(f"{path.rstrip('/')}?{urlencode(query)}")
        assert reply.status == 200, reply.body
        return dict(reply.json)


@cache
def found() -> Analysis:
    stores = a_stack()
    run(stores, an_exchange(DAYS + 1), steps(DAYS, 6 * HOUR))
    return analyse(InProcess(stores, START + DAYS * DAY), 30)


@cache
def nothing() -> Analysis:
    return analyse(InProcess(memory_stores(), START), 30)


def printed(analysis: Analysis) -> str:
    console = Console(width=160, color_system=None)
    with console.capture() as captured:
        show(console, analysis)
    return captured.get()


class Page(HTMLParser):
    """Open elements, and what is between the tags."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_every_signal_that_was_judged_a_day_later_and_every_closed_trade_is_held_against_its_word() -> None:
    of_day = next(row for row in found().report["by_interval"] if row["interval"] == "24h")
    assert found().calibration["outcome"][("all", "confidence")].n == of_day["outcomes_checked"] > 50
    net = found().book["books"]["net"]
    of_trades = found().calibration["trade"][("all", "score")]
    assert of_trades.n == net["n"] > 50
    assert of_trades.whole.rate == pytest.approx(net["win_rate"] / 100, abs=1e-6)


def test_the_resampled_days_are_those_of_the_net_book() -> None:
    resampled = found().resampled
    assert resampled
    assert resampled.days == DAYS
    assert resampled.final.p5 < found().book["books"]["net"]["total_pnl_usd"] < resampled.final.p95


def test_the_same_record_gives_the_same_bands() -> None:
    stores = a_stack()
    run(stores, an_exchange(DAYS + 1), steps(DAYS, 6 * HOUR))
    assert analyse(InProcess(stores, START + DAYS * DAY), 30).resampled == found().resampled


def test_what_came_too_late_to_count_is_held_against_nobody() -> None:
    stores = memory_stores()
    for number, origin in enumerate((Origin.LIVE, Origin.BACKFILL)):
        signal = a_signal(timestamp=NOON + number * HOUR, origin=origin)
        stores.signals.add(signal)
        stores.outcomes.add(an_outcome(signal, Interval.H24))
        stores.trades.add(a_closed_trade(a_position(signal)))
    analysis = analyse(InProcess(stores, NOON + 2 * DAY), 30)
    assert {target: table[("all", "score")].n for target, table in analysis.calibration.items()} == {
        "outcome": 1,
        "trade": 1,
    }


def a_trade(day: int, usd: float, snapshot: str = "a") -> dict[str, Any]:
    closed = f"2026-11-{day:02}T12:00:00Z"
    return {
        "signal_id": f"{day}{usd}{snapshot}",
        "closed_at": closed,
        "pnl_usd": usd,
        "pnl_pct": usd,
        "snapshot_id": snapshot,
    }


def test_a_day_without_a_trade_is_a_day_all_the_same() -> None:
    books = daily_books([a_trade(12, 3.0), a_trade(9, -1.0), a_trade(9, 2.0)])
    assert [float(book.pnl) for book in books] == [1.0, 0.0, 0.0, 3.0]
    assert daily_books([]) == []


def test_the_best_of_several_configurations_has_luck_taken_off_and_that_of_one_has_not() -> None:
    gains = [2.0, -1.0, 1.5, 0.5, -0.5, 2.5, 1.0, -1.5]
    alone = [a_trade(n + 1, usd) for n, usd in enumerate(gains)]
    one, several = skill(alone), skill([*alone, *(a_trade(n + 1, -usd, "b") for n, usd in enumerate(gains))])
    assert (one.configurations, several.configurations) == (1, 2)
    assert one.best == several.best == "a"
    assert one.best_deflated == one.above_zero
    assert one.best_sharpe == several.best_sharpe
    assert several.best_deflated is not None
    assert one.best_deflated is not None
    assert several.best_deflated < one.best_deflated


def test_configurations_are_compared_over_the_same_days() -> None:
    month = [a_trade(day, gain) for day, gain in ((1, 1.0), (2, -1.0), (30, 0.5))]
    lucky = [a_trade(day, gain, "b") for day, gain in ((14, 2.0), (15, 3.0))]
    found = skill([*month, *lucky])
    assert found.best == "b"
    assert found.best_sharpe == pytest.approx(0.257313, abs=1e-6)  # 5 in 30 days, not in the two on which it traded


def test_without_trades_there_is_no_skill_to_speak_of() -> None:
    assert skill_words(skill([])) == "Too few days for a Sharpe ratio."
    assert skill_words(skill([a_trade(1, 1.0)])) == "Too few days for a Sharpe ratio."


def test_the_terminal_shows_every_breakdown_with_its_sample_and_its_interval() -> None:
    text = printed(found())
    overall = found().report["overall"]
    assert f"{overall['outcomes_checked']:,}" in text
    for said in ("interval 24h", "scanner technical", "tier Tier 1", "direction SHORT", "channel momentum-alpha"):
        assert said in text, said
    assert "This is hindsight" in text
    assert "10,000 other orders of these 9 days" in text
    assert "deflated Sharpe ratio" in text
    assert "prove nothing about a real one" in text


def test_the_page_is_one_file_that_loads_nothing_and_runs_nothing() -> None:
    text = page(found())
    read = Page(text)
    assert read.open == []
    assert not {"script", "link", "img", "iframe"} & set(read.tags)
    assert "://" not in text
    assert "url(" not in text


def test_every_chart_says_in_words_what_it_shows() -> None:
    charts = re.findall(r"<svg [^>]*>", page(found()))
    assert len(charts) == 7
    assert all(re.search(r'role="img" aria-label="[A-Z][^"]{40,}"', chart) for chart in charts)


def test_page_and_terminal_tell_of_the_same_figures() -> None:
    text, written = printed(found()), " ".join(Page(page(found())).texts)
    for figure in re.findall(r"[+−]\$[\d,]+\.\d\d", text):
        assert figure in written, figure


@pytest.mark.parametrize("shown", [lambda: printed(nothing()), lambda: page(nothing())], ids=["terminal", "page"])
def test_an_empty_record_is_shown_without_a_rate(shown: Any) -> None:
    text = shown()
    assert "Too few days to be resampled" in text
    assert "Too few days for a Sharpe ratio" in text
    assert "nan" not in text.lower().replace("finance", "")


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (-520, 560, [-500, -250, 0, 250, 500]),
        (9_650, 10_020, [9_700, 9_800, 9_900, 10_000]),
        (0.013, 0.019, [0.014, 0.016, 0.018]),
    ],
)
def test_an_axis_has_round_ticks(low: float, high: float, ticks: list[float]) -> None:
    assert Scale(low, high, 0, 100).ticks() == ticks


def test_an_axis_runs_from_its_start_to_its_end_and_stands_upside_down_where_pixels_do() -> None:
    across, up = Scale(0, 10, 64, 700), Scale(0, 10, 200, 20)
    assert (across(0), across(10), up(0), up(10)) == (64, 700, 200, 20)


def points(chart: str) -> Iterator[tuple[float, float]]:
    [drawn] = re.findall(r'points="([^"]+)"', chart)
    return ((float(x), float(y)) for x, y in (pair.split(",") for pair in drawn.split()))


def test_a_line_rises_where_its_values_do() -> None:
    chart = line_chart(["1 Nov", "2 Nov", "3 Nov"], [Line("net", "net", [1.0, 3.0, 2.0])], "said", str)
    (_, first), (_, top), (_, last) = points(chart)
    assert top < last < first


def test_a_single_day_and_a_flat_line_can_be_drawn() -> None:
    assert [*points(line_chart(["1 Nov"], [Line("net", "net", [5.0])], "said", str))]
    assert [*points(line_chart(["1 Nov", "2 Nov"], [Line("net", "net", [0.0, 0.0])], "said", str))]


def test_a_rate_that_is_not_known_yet_is_named_and_has_no_dot() -> None:
    chart = whisker_chart([Whisker("Tier 4", 0, None, None, None)], "said")
    assert "nothing yet" in chart
    assert "<circle" not in chart
