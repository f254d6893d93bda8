"""What each tab shows is what the API answers."""

from typing import Any

import pytest
from playwright.sync_api import expect

from plumbline.domain.calendar import HOUR
from tests.browser.conftest import PHONE, TABS, Reader, Visit
from tests.browser.server import Record
from tests.browser.words import change, percent, price, profit
from tests.fakes import memory_stores


def test_the_overview_leads_with_the_summarys_figures(reader: Reader) -> None:
    reader.open()
    summary = reader.record.api("summary/")
    for label, value in {
        "Total P/L, net": profit(summary["total_pnl_usd"]),
        "Win rate": percent(summary["win_rate"]),
        "Average profit": profit(summary["average_profit_usd"]),
        "Average loss": profit(summary["average_loss_usd"]),
        "Open trades": str(summary["open"]),
        "Total signals": str(summary["total_signals"]),
    }.items():
        expect(reader.figure(label).locator(".value")).to_have_text(value)
    interval = f"{percent(summary['win_rate_low']).removesuffix(' %')}–{percent(summary['win_rate_high'])}"
    expect(reader.figure("Win rate")).to_contain_text(f"{interval} · n {summary['n']}")
    expect(reader.figure("Open trades")).to_contain_text(f"{profit(summary['unrealised_usd'])} unrealised")


def test_the_three_books_stand_side_by_side(reader: Reader) -> None:
    reader.open()
    books = reader.record.api("performance/")["books"]
    shown = {row[0]: row[1:] for row in reader.rows(".books")}
    names = ("ideal", "net", "pessimistic")
    assert shown["Total P/L"] == [profit(books[name]["total_pnl_usd"]) for name in names]
    assert shown["Win rate"] == [percent(books[name]["win_rate"]) for name in names]
    assert shown["Deepest drawdown"] == [change(-books[name]["max_drawdown_pct"]) for name in names]
    assert len(shown) == 12


def test_the_equity_curve_is_drawn_and_can_be_read_as_a_table(reader: Reader) -> None:
    reader.open()
    expect(reader.page.locator(".plots canvas")).to_have_count(2)
    days = reader.record.api("performance/")["equity"]
    reader.page.get_by_text("The same as a table").click()
    rows = reader.rows(".equity table")
    assert [row[0] for row in rows] == [day["day"] for day in reversed(days)]
    assert rows[0][2] == f"${days[-1]['equity_usd']['net']:,.2f}"


def test_the_candle_chart_is_loaded_only_when_a_trade_is_opened(reader: Reader) -> None:
    reader.open("history")
    assert not [url for url in reader.requests if "/candles-" in url]
    reader.page.locator(".trades tbody a").first.click()
    expect(reader.page.locator(".candles canvas").first).to_be_visible()
    assert [url for url in reader.requests if "/candles-" in url]


def test_open_positions_are_at_the_markets_price(reader: Reader) -> None:
    reader.open("positions")
    answer = reader.record.api("open-positions/")
    expect(reader.figure("Open trades").locator(".value")).to_have_text(str(answer["count"]))
    expect(reader.figure("P/L if closed now").locator(".value")).to_have_text(profit(answer["unrealised_usd"]))
    shown = reader.rows(".trades")
    assert len(shown) == answer["count"] > 5
    for row, trade in zip(shown, answer["trades"], strict=True):
        assert row[0].startswith(trade["symbol"])
        assert row[3] == price(trade["current_price"])
        assert row[6] == f"{profit(trade['unrealised_usd'])} {change(trade['unrealised_pct'])}"


def test_the_bar_says_how_far_stop_and_target_are(reader: Reader) -> None:
    reader.open("positions")
    trade = reader.record.api("open-positions/")["trades"][0]
    now, stop = trade["current_price"], trade["stop_loss"]
    bar = reader.page.locator(f"[data-trade='{trade['signal_id']}'] .levels")
    to_stop = f"{_away(now, stop)} % to the stop at {price(stop)}"
    to_target = f"{_away(now, trade['take_profit'])} % to the target at {price(trade['take_profit'])}"
    expect(bar).to_have_attribute("aria-label", f"{to_stop}, {to_target}")


def _away(now: float, level: float) -> str:
    return f"{100 * abs(level - now) / now:.2f}"


def test_the_history_shows_the_last_closed_first(reader: Reader) -> None:
    reader.open("history")
    trades = reader.record.api("?status=closed")["trades"]
    shown = reader.rows(".trades")
    assert len(shown) == len(trades) == 50
    words = {"CLOSED_TP": "Target", "CLOSED_SL": "Stop", "CLOSED_EXPIRED": "Expired"}
    for row, trade in zip(shown, trades, strict=True):
        assert row[0].startswith(trade["symbol"])
        assert row[2].startswith(words[trade["status"]])
        assert row[4] == price(trade["exit_price"])
        assert row[6] == f"{profit(trade['pnl_usd'])} {change(trade['pnl_pct'])}"
        assert row[7:9] == [profit(trade["gross_pnl_usd"]), profit(trade["pessimistic_pnl_usd"])]


@pytest.mark.parametrize("by", ["scanner", "tier", "symbol", "channel"])
def test_a_breakdown_lists_each_value_with_its_figures(reader: Reader, by: str) -> None:
    reader.open(by)
    rows = reader.record.api(f"performance/?by={by}")["rows"]
    ranked = sorted(rows, key=lambda row: -row["total_pnl_usd"])
    shown = reader.rows(".board")
    assert [row[1] for row in shown] == [profit(row["total_pnl_usd"]) for row in ranked]
    assert [row[2].split(" %")[0] for row in shown] == [percent(row["win_rate"]).split(" %")[0] for row in ranked]
    assert [row[3] for row in shown] == [str(row["n"]) for row in ranked]
    assert reader.page.locator(".rates .whisker").count() == sum(row["n"] > 0 for row in rows)


def test_the_heat_map_holds_every_interval_of_every_row(reader: Reader) -> None:
    reader.open("scanner")
    rows = reader.record.api("performance/?by=scanner")["rows"]
    for shown, row in zip(reader.rows(".heat table"), rows, strict=True):
        assert shown[1:] == [_cell(row["intervals"].get(i)) for i in ("1h", "4h", "24h", "7d", "30d")]


def _cell(checked: Any) -> str:
    if not checked or not checked["n"]:
        return "—"
    return f"{change(checked['avg_pnl_pct'])} {percent(checked['win_rate'])} · {checked['n']}"


def test_the_intervals_are_those_of_the_outcomes(reader: Reader) -> None:
    reader.open("interval")
    rows = [row["intervals"][row["key"]] for row in reader.record.api("performance/?by=interval")["rows"]]
    shown = reader.rows(".board")
    assert [row[0] for row in shown] == ["1h", "4h", "24h", "7d", "30d"]
    assert [row[2:6] for row in shown] == [[str(r[k]) for k in ("n", "wins", "losses", "neutral")] for r in rows]


def test_a_trade_opens_on_its_candles_with_its_levels_and_books(reader: Reader) -> None:
    trade = reader.record.api("?status=closed")["trades"][0]
    reader.open(f"history?trade={trade['signal_id']}")
    dialog = reader.page.get_by_role("dialog")
    expect(dialog.get_by_role("heading", level=2)).to_contain_text(trade["symbol"])
    facts = dict(zip(dialog.locator("dt").all_inner_texts(), dialog.locator("dd").all_inner_texts(), strict=True))
    assert facts["Signal’s price"] == price(trade["entry_price"])
    assert (facts["Target"], facts["Stop"]) == (price(trade["take_profit"]), price(trade["stop_loss"]))
    assert facts["Exit"] == price(trade["exit_price"])
    assert facts["Pessimistic"].startswith(profit(trade["pessimistic_pnl_usd"]))
    assert facts["Signal"] == trade["signal_id"]
    expect(dialog.get_by_role("img", name="candles of")).to_be_visible()


def test_the_statement_that_results_are_hypothetical_is_always_there(reader: Reader) -> None:
    sentence = reader.record.api("summary/")["hypothetical"]
    for tab in TABS:
        reader.open(tab)
        expect(reader.page.get_by_text(sentence)).to_be_visible()


def test_a_simulated_market_is_called_one_and_a_real_one_by_its_name(record: Record, visit: Visit) -> None:
    reader = visit(record)
    reader.open()
    expect(reader.page.get_by_text("Simulated market.")).to_be_visible()
    record.changes = {"simulated": False, "data_source": "binance"}
    another = visit(record)
    another.open()
    expect(another.page.locator(".chip", has_text="binance")).to_be_visible()
    expect(another.page.get_by_text("Simulated market.")).to_have_count(0)


def test_stale_figures_are_called_stale(record: Record, visit: Visit) -> None:
    reader = visit(record)
    reader.open()
    expect(reader.page.get_by_role("alert")).to_have_count(0)
    record.now += HOUR
    another = visit(record)
    another.open()
    expect(another.page.locator(".chip", has_text="Stale")).to_be_visible()
    expect(another.page.get_by_role("alert")).to_contain_text(
        "These figures are stale. The newest candle is of 4 Jan 00:00 UTC"
    )


def test_a_record_without_trades_says_so(visit: Visit, record_without_feed: Record) -> None:
    record_without_feed.stores = memory_stores()
    reader = visit(record_without_feed)
    reader.open()
    expect(reader.page.get_by_text("Nothing is open")).to_be_visible()
    expect(reader.figure("Win rate")).to_contain_text("no closed trade yet")
    for tab, words in {
        "positions": "Nothing is open",
        "history": "No trade has these",
        "tier": "Nothing to compare",
    }.items():
        reader.open(tab)
        expect(reader.page.get_by_text(words)).to_be_visible()


def test_a_service_that_is_away_is_asked_again(reader: Reader) -> None:
    reader.record.failing = True
    reader.page.goto(f"{reader.record.page}#/history")
    problem = reader.page.get_by_role("alert").last
    expect(problem).to_contain_text("a store is away")
    reader.record.failing = False
    problem.get_by_role("button", name="Try again").click()
    reader.settle()
    expect(reader.page.locator(".trades tbody tr")).to_have_count(50)
    assert {said for said in reader.console if "503" not in said} == set()
    reader.console.clear()


@pytest.mark.parametrize("tab", TABS)
def test_a_phone_needs_no_sideways_scrolling(record: Record, visit: Visit, tab: str) -> None:
    reader = visit(record, **PHONE)
    reader.open(tab)
    assert _overflow(reader) == 0


def test_a_trade_fits_a_phone(record: Record, visit: Visit) -> None:
    reader = visit(record, **PHONE)
    reader.open("history")
    reader.page.locator(".trades tbody a").first.click()
    expect(reader.page.locator(".candles canvas").first).to_be_visible()
    assert _overflow(reader) == 0
    dialog = reader.page.locator("dialog")
    assert dialog.evaluate("box => box.scrollWidth - box.clientWidth") == 0


def _overflow(reader: Reader) -> int:
    """How far the page can be pushed aside, in pixels. Where it is wider than the screen a phone zooms out as well."""
    aside = reader.page.evaluate("() => { scrollTo(1000, scrollY); return scrollX + innerWidth; }")
    return int(aside) - int(PHONE["viewport"]["width"])


def test_the_page_comes_with_a_policy_that_allows_its_own_scripts_only(reader: Reader) -> None:
    response = reader.page.goto(reader.record.page)
    assert response is not None
    policy = response.headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "style-src 'self';" in policy
    assert "unsafe" not in policy
    reader.settle()


def test_the_page_works_behind_a_trailing_slash_too(reader: Reader) -> None:
    reader.page.goto(f"{reader.record.page}/")
    reader.settle()
    expect(reader.figure("Win rate").locator(".value")).not_to_be_empty()
