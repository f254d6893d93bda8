"""The page moves with the market: over the live feed, and without it by asking again."""

import json
from contextlib import ExitStack
from typing import Any

from playwright.sync_api import expect

from plumbline.domain.calendar import HOUR, MINUTE
from tests.browser.conftest import Reader, Visit
from tests.browser.server import Record, a_record, feed_server, http_server
from tests.browser.words import price, profit

LINE = ".chip.line"


def open_trades(record: Record) -> dict[str, Any]:
    return {trade["signal_id"]: trade for trade in record.api("open-positions/")["trades"]}


def until_one_closes(record: Record, among: int) -> set[str]:
    """Let hours pass until one of the first open trades has closed; all that closed since."""
    before = open_trades(record)
    for _ in range(24):
        record.pass_time(HOUR)
        closed = before.keys() - open_trades(record).keys()
        if closed & {*[*before][:among]}:
            return closed
    raise AssertionError(f"of {among} open trades none closed in a day")


def test_the_page_subscribes_from_the_moment_of_its_figures(reader: Reader) -> None:
    reader.open("positions")
    expect(reader.page.locator(LINE)).to_have_text("Live")
    assert reader.record.heard == [{"type": "subscribe", "since": "2024-01-04T00:00:00Z"}]


def test_a_minute_of_market_moves_prices_and_profits(reader: Reader) -> None:
    reader.open("positions")
    expect(reader.page.locator(LINE)).to_have_text("Live")
    asked = len(reader.record.asked)
    reader.record.pass_time(MINUTE)
    for signal_id, trade in open_trades(reader.record).items():
        row = reader.page.locator(f"[data-trade='{signal_id}']")
        expect(row.locator(".tick")).to_have_text(price(trade["current_price"]))
        expect(row.locator(".change")).to_have_text(profit(trade["unrealised_usd"]))
    whole = reader.record.api("open-positions/")["unrealised_usd"]
    expect(reader.figure("P/L if closed now").locator(".value")).to_have_text(profit(whole))
    expect(reader.page.locator(".at")).to_have_text("4 Jan 00:01 UTC")
    assert reader.record.asked[asked:] == []


def test_a_trade_that_closes_leaves_the_open_ones_and_heads_the_history(reader: Reader) -> None:
    reader.open("overview")
    expect(reader.page.locator(LINE)).to_have_text("Live")
    closed = until_one_closes(reader.record, among=6)
    newest = reader.record.api("?status=closed")["trades"][0]
    assert newest["signal_id"] in closed
    recent = reader.page.get_by_role("table", name="Trades that closed last").locator("tbody tr").first
    expect(recent).to_have_attribute("data-trade", newest["signal_id"])
    expect(recent.locator(".change")).to_have_text(profit(newest["pnl_usd"]))
    for signal_id in closed:
        row = reader.page.get_by_role("table", name="Open trades").locator(f"[data-trade='{signal_id}']")
        expect(row).to_have_count(0)
    summary = reader.record.api("summary/")
    expect(reader.figure("Open trades").locator(".value")).to_have_text(str(summary["open"]))
    expect(reader.figure("Total P/L, net").locator(".value")).to_have_text(profit(summary["total_pnl_usd"]))


def test_a_message_that_comes_twice_or_late_changes_nothing(reader: Reader) -> None:
    reader.open("positions")
    expect(reader.page.locator(LINE)).to_have_text("Live")
    reader.record.pass_time(MINUTE)
    reader.record.pass_time(MINUTE)
    [(signal_id, trade), *_] = open_trades(reader.record).items()
    shown = reader.page.locator(f"[data-trade='{signal_id}'] .tick")
    expect(shown).to_have_text(price(trade["current_price"]))
    [connection] = reader.record.wire.open
    late = {"type": "market_update", "id": 1, "at": "2024-01-04T00:00:59Z", "prices": {trade["symbol"]: 1.0}}
    newer = {"type": "market_update", "id": 1_000, "at": "2024-01-04T00:03:00Z", "prices": {}}
    for text in (json.dumps(late), "no JSON at all", json.dumps(newer)):
        reader.record.wire.send(connection, text)
    expect(reader.page.locator(".at")).to_have_text("4 Jan 00:03 UTC")
    expect(shown).to_have_text(price(trade["current_price"]))


def test_a_lost_feed_is_taken_up_again_where_it_broke(visit: Visit) -> None:
    record = Record(a_record())
    with ExitStack() as stack:
        with feed_server(record):
            stack.enter_context(http_server(record))
            reader = visit(record)
            reader.page.clock.install()
            reader.open("positions")
            expect(reader.page.locator(LINE)).to_have_text("Live")
            record.pass_time(MINUTE)
            expect(reader.page.locator(".at")).to_have_text("4 Jan 00:01 UTC")
        expect(reader.page.locator(LINE)).to_have_text("Polling")
        record.heard.clear()
        gone = until_one_closes(record, among=12)
        with feed_server(record, record.feed_port):
            reader.page.clock.fast_forward(45_000)
            expect(reader.page.locator(LINE)).to_have_text("Live")
            assert record.heard == [{"type": "subscribe", "since": 1}]
            for signal_id in gone:
                expect(reader.page.locator(f"[data-trade='{signal_id}']")).to_have_count(0)
            minute = record.api("open-positions/")["as_of"][11:16]
            expect(reader.page.locator(".at")).to_have_text(f"4 Jan {minute} UTC")
            assert {said for said in reader.console if "ERR_CONNECTION_REFUSED" not in said} == set()
            reader.console.clear()


def test_without_a_feed_the_page_asks_again_every_thirty_seconds(visit: Visit, record_without_feed: Record) -> None:
    record = record_without_feed
    reader = visit(record)
    reader.page.clock.install()
    reader.open("positions")
    expect(reader.page.locator(LINE)).to_have_text("Polling")
    record.pass_time(MINUTE)
    reader.page.clock.fast_forward(29_000)
    expect(reader.page.locator(".at")).to_have_text("4 Jan 00:00 UTC")
    reader.page.clock.fast_forward(1_500)
    expect(reader.page.locator(".at")).to_have_text("4 Jan 00:01 UTC")
    for signal_id, trade in open_trades(record).items():
        row = reader.page.locator(f"[data-trade='{signal_id}']")
        expect(row.locator(".tick")).to_have_text(price(trade["current_price"]))


def test_a_service_out_of_reach_is_called_offline_and_what_was_shown_stays(
    visit: Visit, record_without_feed: Record
) -> None:
    reader = visit(record_without_feed)
    reader.page.clock.install()
    reader.open("positions")
    count = len(open_trades(record_without_feed))
    reader.page.route("**/api/public/**", lambda route: route.abort())
    reader.page.clock.fast_forward(31_000)
    expect(reader.page.locator(LINE)).to_have_text("Offline")
    expect(reader.page.locator(".trades tbody tr")).to_have_count(count)
    reader.page.unroute_all()
    reader.page.clock.fast_forward(31_000)
    expect(reader.page.locator(LINE)).to_have_text("Polling")
    assert {said for said in reader.console if "ERR_FAILED" not in said} == set()
    reader.console.clear()


def test_the_line_is_kept_open_by_a_ping_every_five_minutes(reader: Reader) -> None:
    reader.page.clock.install()
    reader.open("positions")
    expect(reader.page.locator(LINE)).to_have_text("Live")
    reader.page.clock.run_for(301_000)
    expect(reader.page.locator(LINE)).to_have_text("Live")
    assert reader.record.hears({"type": "ping"})


def test_an_open_trade_in_its_dialog_moves_too(reader: Reader) -> None:
    [(signal_id, _), *_] = open_trades(reader.record).items()
    reader.open(f"positions?trade={signal_id}")
    dialog = reader.page.get_by_role("dialog")
    expect(dialog.locator(".result .change")).to_be_visible()
    expect(reader.page.locator(LINE)).to_have_text("Live")
    reader.record.pass_time(MINUTE)
    trade = open_trades(reader.record)[signal_id]
    expect(dialog.locator(".result .change")).to_have_text(profit(trade["unrealised_usd"]))
