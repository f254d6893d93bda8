"""The mail as programs read it: whole, self-contained, escaped, and saying what the digest says."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from plumbline.domain.digest import Digest, Kind, TradesLine
from plumbline.summaries.mail import html_mail
from plumbline.summaries.wording import heading, subject
from tests.digest_builders import a_book_cell, a_digest, a_quiet_digest, a_standout

GMAIL_CUTS_AT = 102_000
"""Bytes of a mail that are shown without a click."""


class Page(HTMLParser):
    """What a mail program makes of it: open elements, text, attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in {"style", "title"}:
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


@pytest.mark.parametrize("digest", [a_digest(), a_digest(Kind.WEEKLY, "2026-11-22"), a_quiet_digest()])
def test_every_element_is_closed_and_the_mail_is_shown_whole(digest: Digest) -> None:
    text = html_mail(digest, "https://example.com/bot-performance")
    assert Page(text).open == []
    assert len(text.encode()) < GMAIL_CUTS_AT


def test_nothing_is_loaded_from_anywhere_and_nothing_runs() -> None:
    page = Page(html_mail(a_digest(), "https://example.com/bot-performance"))
    assert not {tag for tag, _, _ in page.attributes} & {"img", "script", "link", "iframe"}
    addresses = {value for _, _, value in page.attributes if "://" in value}
    assert addresses == {"https://example.com/bot-performance"}
    assert "url(" not in html_mail(a_digest())


def test_without_an_address_of_the_dashboard_there_is_no_link() -> None:
    assert "<a " not in html_mail(a_digest())


def test_it_says_what_the_digest_says() -> None:
    text = Page(html_mail(a_digest())).text
    for said in (
        "Friday 20 November 2026",
        "+$9.37",
        "13 trades closed, +$0.72 each · gross +$13.27 · pessimistic +$7.81 · deepest fall $4.07",
        "Win rate 61.5 % , 95 % interval 35.5–82.3, n = 13",
        "break-even 43.1 %",
        "138 outcomes checked, 96.5 % of those due",
        "SOL/USDT long, score 78 19 Nov 07:00 momentum-alpha +11.42 %",
        "24h 33 51.5 % 35.2–67.5 +1.88 % 97.1 %",
        "URGENT not yet significant Raise the threshold of TIER_1 to 90",
        "HIGH Raise the weight of smart_money",
    ):
        assert said in text, said


def test_a_simulated_market_is_called_one_at_the_top_and_in_the_subject() -> None:
    digest = a_digest(source="simulated")
    assert "prove nothing about a real one" in Page(html_mail(digest)).text
    assert subject(digest).startswith("[simulated] ")
    assert "prove nothing about a real one" not in html_mail(a_digest())


def test_names_that_look_like_markup_are_only_names() -> None:
    named = a_standout("<b>BTC</b>/USDT", 3.0, channel_id='"><img src=x>')
    page = Page(html_mail(a_digest(best=(named,))))
    assert "<b>BTC</b>/USDT" in page.text
    assert not [tag for tag, _, _ in page.attributes if tag == "img"]


def test_a_day_without_trades_claims_no_rate() -> None:
    text = Page(html_mail(a_quiet_digest())).text
    assert "No trade closed" in text
    assert "Win rate" not in text


def test_where_there_are_few_signals_none_is_shown_twice() -> None:
    only = a_standout("BTC/USDT", 3.0)
    assert Page(html_mail(a_digest(best=(only,), worst=(only,)))).text.count("BTC/USDT") == 1


def bars(digest: Digest) -> list[str]:
    return re.findall(r'class="((?:up|down)(?:before)?)"', html_mail(digest))


def test_the_days_of_the_period_stand_out_from_those_before() -> None:
    daily, weekly = bars(a_digest()), bars(a_digest(Kind.WEEKLY, "2026-11-22"))
    assert [bar for bar in daily if bar in {"up", "down"}] == ["up"]
    assert len([bar for bar in weekly if bar in {"up", "down"}]) == 7
    assert len(daily) == len(weekly) == 26


@pytest.mark.parametrize("sign", [1, -1])
def test_a_month_that_only_won_or_only_lost_has_bars_on_one_side(sign: int) -> None:
    trend = tuple(replace(day, net_pnl_usd=sign * abs(day.net_pnl_usd)) for day in a_digest().trend)
    sides = {bar.removesuffix("before") for bar in bars(a_digest(trend=trend))}
    assert sides == {"up" if sign > 0 else "down"}


def strip_of(digest: Digest) -> list[tuple[str, float]]:
    found = re.findall(r'class="bar (\w+)"[^>]*|width="([\d.]+)%" class="bar (\w+)"', html_mail(digest))
    return [(look or other, float(width or 0)) for look, width, other in found]


@pytest.mark.parametrize("results", [["1"], ["-1"], ["1", "-1"], ["1"] * 400])
def test_the_strip_of_a_rate_is_always_as_wide_as_the_mail(results: list[str]) -> None:
    strip = strip_of(a_digest(trades=TradesLine.of("all", a_book_cell(*results))))
    assert sum(width for _, width in strip) == pytest.approx(100)
    assert [look for look, _ in strip].count("mark") == 1


@pytest.mark.parametrize(
    ("kind", "last_day", "said"),
    [
        (Kind.DAILY, "2026-03-01", "Sunday 1 March 2026"),
        (Kind.WEEKLY, "2026-11-22", "Week of 16–22 November 2026"),
        (Kind.WEEKLY, "2026-11-01", "Week of 26 October – 1 November 2026"),
        (Kind.WEEKLY, "2027-01-03", "Week of 28 December 2026 – 3 January 2027"),
        (Kind.MONTHLY, "2026-11-30", "30 days to 30 November 2026"),
    ],
)
def test_a_period_is_named_as_people_say_it(kind: Kind, last_day: str, said: str) -> None:
    assert heading(a_digest(kind, last_day)) == said


def test_the_subject_tells_the_result() -> None:
    assert subject(a_digest()) == "Plumbline, Friday 20 November 2026: net +$9.37 on 13 trades"
    assert subject(a_quiet_digest()) == "Plumbline, Friday 20 November 2026: no trade closed"
