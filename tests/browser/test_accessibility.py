"""axe-core finds nothing to object to, in either theme, on any tab."""

from functools import cache
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE, TABS, Reader, Visit
from tests.browser.server import DIST, Record

AXE = DIST.parent / "node_modules" / "axe-core" / "axe.min.js"
THEMES = ("light", "dark")


@cache
def axe() -> str:
    return AXE.read_text(encoding="utf-8")


def faults(reader: Reader) -> list[tuple[str, list[Any]]]:
    """What axe objects to, with the elements; run by the debugger, which the page's policy does not bind."""
    reader.page.evaluate(axe())
    found = reader.page.evaluate("async () => (await axe.run()).violations")
    return [(fault["id"], [node["html"] for node in fault["nodes"]]) for fault in found]


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("tab", TABS)
def test_a_tab_is_without_fault(record: Record, visit: Visit, tab: str, theme: str) -> None:
    reader = visit(record, color_scheme=theme)
    reader.open(tab)
    assert faults(reader) == []


@pytest.mark.parametrize("theme", THEMES)
def test_a_trade_and_its_formula_are_without_fault(record: Record, visit: Visit, theme: str) -> None:
    reader = visit(record, color_scheme=theme)
    reader.open("history")
    reader.page.locator(".trades tbody a").first.click()
    expect(reader.page.locator(".candles canvas").first).to_be_visible()
    assert faults(reader) == []
    reader.page.get_by_role("dialog").get_by_role("button", name="Net P/L").click()
    assert faults(reader) == []


@pytest.mark.parametrize("theme", THEMES)
def test_a_phone_with_stale_figures_and_an_open_formula_is_without_fault(
    record: Record, visit: Visit, theme: str
) -> None:
    record.changes = {"stale": True}
    reader = visit(record, **PHONE, color_scheme=theme)
    reader.open()
    reader.page.get_by_role("button", name="Total P/L, net").click()
    expect(reader.page.locator(".explanation")).to_be_visible()
    assert faults(reader) == []


def test_who_wants_no_motion_gets_none(record: Record, visit: Visit) -> None:
    reader = visit(record, reduced_motion="reduce")
    reader.open("positions")
    moving = "[...document.querySelectorAll('*')].filter(e => getComputedStyle(e).animationName !== 'none').length"
    reader.page.evaluate("document.querySelector('.tick').classList.add('up')")
    assert reader.page.evaluate(moving) == 0
