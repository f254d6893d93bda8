"""Everything on the page can be done without a mouse, and the focus is where one expects it."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import TABS, Reader
from tests.browser.words import percent


def press(reader: Reader, *keys: str) -> None:
    for key in keys:
        reader.page.keyboard.press(key)


def test_the_first_stop_leads_past_the_tabs(reader: Reader) -> None:
    reader.open()
    press(reader, "Tab")
    expect(reader.page.get_by_role("link", name="Skip to the record")).to_be_focused()
    press(reader, "Enter")
    expect(reader.page.get_by_role("tabpanel")).to_be_focused()
    press(reader, "Tab")
    expect(reader.page.get_by_role("link", name="7 days")).to_be_focused()


def test_arrows_move_through_the_tabs_and_round_the_ends(reader: Reader) -> None:
    reader.open()
    reader.page.get_by_role("tab", selected=True).focus()
    for tab in [*TABS[1:], TABS[0]]:
        press(reader, "ArrowRight")
        expect(reader.page.locator(f"#tab-{tab}")).to_be_focused()
        expect(reader.page.locator(f"#tab-{tab}")).to_have_attribute("aria-selected", "true")
        expect(reader.page.get_by_role("tabpanel")).to_have_attribute("aria-labelledby", f"tab-{tab}")
    press(reader, "End")
    expect(reader.page.locator("#tab-channel")).to_be_focused()
    press(reader, "Home")
    expect(reader.page.locator("#tab-overview")).to_be_focused()
    reader.settle()


def test_one_tab_is_one_stop(reader: Reader) -> None:
    reader.open()
    reader.page.get_by_role("tab", selected=True).focus()
    press(reader, "Tab")
    expect(reader.page.get_by_role("link", name="7 days")).to_be_focused()


def test_a_figure_opens_to_its_formula_its_n_and_its_rows(reader: Reader) -> None:
    reader.open()
    button = reader.page.get_by_role("button", name="Win rate", exact=True).first
    button.focus()
    press(reader, "Enter")
    formulas = reader.record.api("performance/")["formulas"]
    box = reader.page.get_by_role("dialog", name="Win rate")
    expect(box).to_be_focused()
    expect(box).to_contain_text(formulas["win_rate"])
    expect(box).to_contain_text("n = 81 closed trades with a price")
    expect(button).to_have_attribute("aria-expanded", "true")
    press(reader, "Escape")
    expect(box).to_have_count(0)
    expect(button).to_be_focused()
    expect(button).to_have_attribute("aria-expanded", "false")
    press(reader, "Enter", "Tab", "Enter")
    reader.page.wait_for_url("**#/history*")
    reader.settle()
    expect(reader.page.get_by_role("tabpanel")).to_be_focused()
    expect(reader.page.locator(".trades tbody tr")).to_have_count(50)


@pytest.mark.parametrize("tab", [tab for tab in TABS if tab != "history"])
def test_every_figure_has_a_formula(reader: Reader, tab: str) -> None:
    reader.open(tab)
    buttons = reader.page.locator("#panel button[aria-expanded]")
    assert buttons.count() > 1
    for button in buttons.all():
        button.press("Enter")
        box = reader.page.locator(".explanation")
        expect(box.locator(".formula")).not_to_have_text("Asking for the formula …")
        expect(box.locator(".formula")).not_to_contain_text("states no formula")
        expect(box.locator(".n")).to_contain_text("n = ")
        box.press("Escape")
        expect(box).to_have_count(0)


def test_a_trade_opens_and_closes_and_the_focus_returns_to_its_row(reader: Reader) -> None:
    reader.open("history")
    link = reader.page.locator(".trades tbody a").nth(3)
    link.focus()
    press(reader, "Enter")
    dialog = reader.page.get_by_role("dialog", name="Trade")
    expect(dialog).to_be_visible()
    reader.page.wait_for_url("**trade=*")
    expect(dialog.locator(".candles canvas").first).to_be_visible()
    press(reader, "Escape")
    expect(dialog).to_have_count(0)
    expect(link).to_be_focused()
    assert "trade=" not in reader.page.url


def test_a_trade_that_was_sent_as_a_link_leaves_the_focus_on_its_row(reader: Reader) -> None:
    signal_id = reader.record.api("?status=closed")["trades"][5]["signal_id"]
    reader.open(f"history?trade={signal_id}")
    dialog = reader.page.get_by_role("dialog", name="Trade")
    expect(dialog.get_by_role("button", name="Close")).to_be_visible()
    press(reader, "Escape")
    expect(reader.page.locator(f"[data-trade='{signal_id}'] a")).to_be_focused()


def test_going_back_closes_the_trade(reader: Reader) -> None:
    reader.open("history")
    reader.page.locator(".trades tbody a").first.press("Enter")
    expect(reader.page.get_by_role("dialog", name="Trade")).to_be_visible()
    reader.page.go_back()
    expect(reader.page.get_by_role("dialog", name="Trade")).to_have_count(0)
    expect(reader.page.locator(".trades tbody tr")).to_have_count(50)


def test_inside_a_trade_escape_closes_a_formula_first(reader: Reader) -> None:
    reader.open("history")
    reader.page.locator(".trades tbody a").first.press("Enter")
    dialog = reader.page.get_by_role("dialog", name="Trade")
    dialog.get_by_role("button", name="Net P/L").press("Enter")
    expect(dialog.locator(".explanation")).to_contain_text("less 10 bp fee on both sums")
    press(reader, "Escape")
    expect(dialog.locator(".explanation")).to_have_count(0)
    expect(dialog).to_be_visible()
    press(reader, "Escape")
    expect(dialog).to_have_count(0)


def test_a_leaderboard_is_sorted_from_its_headings(reader: Reader) -> None:
    reader.open("tier")
    reader.page.get_by_role("button", name="Win rate", exact=True).press("Enter")
    expect(reader.page.get_by_role("button", name="Win rate", exact=True)).to_be_focused()
    rates = sorted((r["win_rate"] for r in reader.record.api("performance/?by=tier")["rows"]), reverse=True)
    assert [row[2].split(" %")[0] for row in reader.rows(".board")] == [percent(r).split(" %")[0] for r in rates]


def test_the_chosen_theme_is_remembered(reader: Reader) -> None:
    reader.open()
    root = reader.page.locator("html")
    reader.page.get_by_role("button", name="Change to the dark theme").press("Enter")
    expect(root).to_have_attribute("data-theme", "dark")
    reader.page.reload()
    reader.settle()
    expect(root).to_have_attribute("data-theme", "dark")
    expect(reader.page.get_by_role("button", name="Change to the light theme")).to_be_visible()
