"""Filters, pages and files: what the reader chose stands in the address, and the rows follow it."""

import csv
import io
from urllib.request import urlopen

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE, Reader, Visit
from tests.browser.server import Record
from tests.browser.words import percent, profit


def closed_first(reader: Reader) -> list[str]:
    """Symbols of the rows, top to bottom."""
    return [row[0].split(" ", 1)[0] for row in reader.rows(".trades")]


@pytest.mark.parametrize(
    ("label", "name", "value"),
    [("Side", "side", "SHORT"), ("Tier", "tier", "TIER_2_STRONG_BUY"), ("Timeframe", "timeframe", "1h")],
)
def test_a_choice_changes_the_address_and_the_rows_and_survives_a_reload(
    reader: Reader, label: str, name: str, value: str
) -> None:
    reader.open("history")
    reader.page.get_by_label(label).select_option(value)
    reader.page.wait_for_url(f"**{name}={value}*")
    reader.settle()
    trades = reader.record.api(f"?status=closed&{name}={value}")["trades"]
    assert trades
    expect(reader.page.locator(".trades tbody tr")).to_have_count(len(trades))
    assert closed_first(reader) == [trade["symbol"] for trade in trades]
    reader.page.reload()
    reader.settle()
    expect(reader.page.get_by_label(label)).to_have_value(value)
    assert closed_first(reader) == [trade["symbol"] for trade in trades]


@pytest.mark.parametrize("typed", ["ETH", "ETHUSDT", "ETH/USDT"])
def test_a_symbol_may_be_typed_as_people_write_it(reader: Reader, typed: str) -> None:
    reader.open("history")
    field = reader.page.get_by_label("Symbol")
    field.fill(typed)
    field.press("Enter")
    reader.page.wait_for_url("**symbol=*")
    reader.settle()
    trades = reader.record.api(f"?status=closed&symbol={typed}")["trades"]
    expect(reader.page.locator(".trades tbody tr")).to_have_count(len(trades))
    assert {*closed_first(reader)} == {"ETH/USDT"}


def test_names_are_offered_from_the_record(reader: Reader) -> None:
    reader.open("history")
    reader.page.get_by_label("Scanner").focus()
    rows = reader.record.api("performance/?by=scanner")["rows"]
    expect(reader.page.locator("#known-scanner option")).to_have_count(len(rows))


def test_what_the_api_refuses_is_said_with_its_reason(reader: Reader) -> None:
    reader.page.goto(f"{reader.record.page}#/history?symbol=NOTHING")
    expect(reader.page.get_by_role("alert").last).to_contain_text("NOTHING")
    reader.page.get_by_role("link", name="Clear filters").click()
    reader.settle()
    expect(reader.page.locator(".trades tbody tr")).to_have_count(50)
    assert [said for said in reader.console if " 4" not in said] == []
    reader.console.clear()


def test_filters_are_cleared_at_once_and_keep_the_period(reader: Reader) -> None:
    reader.open("history?days=7&side=SHORT&scanner=technical")
    reader.page.get_by_role("link", name="Clear filters").click()
    reader.page.wait_for_url("**#/history?days=7")
    expect(reader.page.get_by_label("Side")).to_have_value("")


def test_the_period_changes_every_figure(reader: Reader) -> None:
    reader.open()
    reader.page.get_by_role("link", name="7 days").click()
    reader.page.wait_for_url("**days=7*")
    reader.page.reload()
    reader.settle()
    summary = reader.record.api("summary/?days=7")
    expect(reader.figure("Total P/L, net").locator(".value")).to_have_text(profit(summary["total_pnl_usd"]))
    expect(reader.page.get_by_role("link", name="7 days")).to_have_attribute("aria-current", "true")
    reader.page.get_by_text("The same as a table").click()
    assert len(reader.rows(".equity table")) == 7


def test_a_filter_narrows_the_overview_too_and_says_so(reader: Reader) -> None:
    reader.open("overview?side=SHORT")
    expect(reader.page.get_by_text("Only side SHORT.")).to_be_visible()
    summary = reader.record.api("summary/?side=SHORT")
    expect(reader.figure("Win rate").locator(".value")).to_have_text(percent(summary["win_rate"]))
    reader.page.get_by_role("link", name="Show everything").click()
    reader.settle()
    everything = reader.record.api("summary/")
    expect(reader.figure("Win rate").locator(".value")).to_have_text(percent(everything["win_rate"]))


def test_older_pages_follow_and_the_way_back_is_there(reader: Reader) -> None:
    reader.open("history")
    first = closed_first(reader)
    following = reader.record.api("?status=closed")["next_cursor"]
    second = [trade["symbol"] for trade in reader.record.api(f"?status=closed&cursor={following}")["trades"]]
    reader.page.get_by_role("link", name="Older").click()
    reader.page.wait_for_url("**cursor=*")
    expect(reader.page.locator(".trades tbody tr")).to_have_count(len(second))
    assert closed_first(reader) == second
    expect(reader.page.get_by_text("The oldest are shown")).to_be_visible()
    reader.page.reload()
    reader.settle()
    assert closed_first(reader) == second
    reader.page.get_by_role("link", name="First page").click()
    expect(reader.page.locator(".trades tbody tr")).to_have_count(50)
    assert closed_first(reader) == first


def test_the_file_holds_what_the_filters_chose(reader: Reader) -> None:
    reader.open("history?side=LONG")
    address = reader.page.get_by_role("link", name="Download as CSV").evaluate("link => link.href")
    with urlopen(address) as answer:
        assert answer.headers["content-type"].startswith("text/csv")
        lines = [*csv.DictReader(io.StringIO(answer.read().decode()))]
    trades = reader.record.api("?status=closed&side=LONG&limit=200")["trades"]
    assert [line["signal_id"] for line in lines] == [trade["signal_id"] for trade in trades]


def test_the_columns_of_a_leaderboard_sort_it_and_the_order_can_be_sent(reader: Reader) -> None:
    reader.open("symbol")
    rows = reader.record.api("performance/?by=symbol")["rows"]
    reader.page.get_by_role("button", name="Win rate", exact=True).click()
    best = [row["key"] for row in sorted(rows, key=lambda row: (-row["win_rate"], row["key"]))]
    assert [row[0] for row in reader.rows(".board")] == best
    reader.page.reload()
    reader.settle()
    assert [row[0] for row in reader.rows(".board")] == best
    heading = reader.page.get_by_role("columnheader", name="Win rate").first
    expect(heading).to_have_attribute("aria-sort", "descending")
    reader.page.get_by_role("button", name="Win rate", exact=True).click()
    worst = [row["key"] for row in sorted(rows, key=lambda row: (row["win_rate"], row["key"]))]
    assert [row[0] for row in reader.rows(".board")] == worst


def test_a_value_of_a_breakdown_leads_to_its_trades(reader: Reader) -> None:
    reader.open("scanner")
    row = reader.record.api("performance/?by=scanner")["rows"][0]
    reader.page.locator(".board tbody a").filter(has_text="Model").click()
    reader.page.wait_for_url("**#/history?scanner=model")
    reader.settle()
    expect(reader.page.locator(".trades tbody tr")).to_have_count(row["closed"])


def test_on_a_phone_the_filters_wait_behind_a_word(record: Record, visit: Visit) -> None:
    reader = visit(record, **PHONE)
    reader.open("history")
    expect(reader.page.get_by_label("Side")).to_be_hidden()
    reader.page.locator("summary", has_text="Filters").click()
    reader.page.get_by_label("Side").select_option("SHORT")
    expect(reader.page.locator("summary", has_text="Filters (1)")).to_be_visible()
