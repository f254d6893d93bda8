"""What a digest says in words: aligned, within its width and its limit, the same as the mail."""

import re
from dataclasses import replace
from html.parser import HTMLParser

from plumbline.summaries.letter import letter
from plumbline.summaries.text import TELEGRAM_LIMIT, TELEGRAM_WIDTH, WIDTH, plain_text, telegram_text
from tests.digest_builders import a_digest, a_quiet_digest, a_standout


def test_no_line_is_wider_than_a_terminal_or_a_quoted_mail() -> None:
    assert max(map(len, plain_text(a_digest()).splitlines())) <= WIDTH


def test_columns_stand_under_each_other() -> None:
    lines = plain_text(a_digest()).splitlines()
    start = lines.index("WHAT BECAME OF SIGNALS") + 1
    table = lines[start : start + 6]
    assert table[0] == "after  checked  win rate       95 %  average  coverage"
    assert table[3] == "24h         33    51.5 %  35.2–67.5  +1.88 %    97.1 %"
    assert len({len(line) for line in table}) == 1


def test_it_says_the_result_the_doubt_and_how_to_read_it() -> None:
    text = " ".join(plain_text(a_digest(), "https://example.com/page").split())
    assert "Net +$9.37 on 13 paper trades, +$0.72 each; gross +$13.27, pessimistic +$7.81." in text
    assert "Win rate 61.5 % (95 %: 35.5–82.3, n = 13), break-even 43.1 %." in text
    assert "48 signals); not yet significant" in text
    assert "https://example.com/page" in text
    assert "the results are hypothetical" in text


def test_a_simulated_market_is_called_one() -> None:
    simulated = a_digest(source="simulated")
    assert "SIMULATED MARKET" in plain_text(simulated)
    assert "SIMULATED MARKET" in telegram_text(simulated)
    assert "SIMULATED" not in plain_text(a_digest()) + telegram_text(a_digest())


def test_a_day_on_which_nothing_happened_is_told_without_tables() -> None:
    text = plain_text(a_quiet_digest())
    assert "No paper trade closed." in text
    assert "CHANNEL" not in text
    assert "BEST" not in text


class Message(HTMLParser):
    """What Telegram shows, and which tags it was given."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.shown = ""
        self.tags: set[str] = set()
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.shown += data


def test_the_telegram_message_has_only_tags_that_telegram_knows() -> None:
    assert Message(telegram_text(a_digest())).tags <= {"b", "i", "pre"}


def test_its_tables_fit_a_telephone() -> None:
    for block in re.findall(r"<pre>(.*?)</pre>", telegram_text(a_digest()), re.DOTALL):
        assert max(map(len, block.splitlines())) <= TELEGRAM_WIDTH


def test_it_is_short_and_says_the_result_first() -> None:
    shown = Message(telegram_text(a_digest())).shown.splitlines()
    assert shown[0] == "Friday 20 November 2026"
    assert shown[1] == "net    +$9.37  13 trades"
    assert len(shown) < 25


def test_advice_that_no_longer_fits_is_left_out_whole() -> None:
    [one, *_] = a_digest().recommendations
    many = tuple(replace(one, action=f"Review scanner {n}, which is named at some length") for n in range(200))
    text = telegram_text(a_digest(recommendations=many))
    assert TELEGRAM_LIMIT - 150 < len(text) <= TELEGRAM_LIMIT
    assert text.endswith("<i>(not yet significant)</i>")


def test_names_that_look_like_markup_are_only_names() -> None:
    text = telegram_text(a_digest(best=(a_standout("<A>/USDT", 4.0),)))
    assert "&lt;A&gt;/USDT" in text


def test_a_letter_has_both_forms_and_its_figures_attached() -> None:
    sent = letter(a_digest(), "https://example.com/page")
    assert sent.subject.startswith("Plumbline, Friday")
    assert sent.html.startswith("<!DOCTYPE html>")
    assert sent.text.startswith("PLUMBLINE: DAILY SUMMARY")
    assert [attached.name for attached in sent.attachments] == [
        "plumbline-daily-2026-11-20.csv",
        "plumbline-daily-2026-11-20.json",
    ]
