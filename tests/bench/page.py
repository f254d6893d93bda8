"""What the dashboard weighs, and how soon it shows something: in Chromium, from the real API over stores in memory."""

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, sync_playwright

from plumbline.observability import logger
from tests.browser.chromium import FLAGS, MISSING, find
from tests.browser.server import DIST, Record, a_record, http_server

LOADS = 9
PHONE_SLOWDOWN = 4
"""How much slower a phone of the middle class computes than a desk, as Lighthouse has it."""

_PAINT = """new Promise(done => new PerformanceObserver((list, observer) => {
  const [paint] = list.getEntriesByName("first-contentful-paint");
  if (paint) { observer.disconnect(); done(paint.startTime); }
}).observe({ type: "paint", buffered: true }))"""
_FIGURES = """new Promise(done => {
  const look = () => document.querySelector(".figure .value") && !document.querySelector(".figure .ghost")
    ? done(performance.now()) : requestAnimationFrame(look);
  look();
})"""


def lines() -> Iterator[str]:
    """Weights of the built files, then medians over fresh browsers without a cache."""
    yield "| when | files | KB | KB gzipped |"
    yield "|---|---|---|---|"
    for when, files in _by_moment().items():
        contents = [file.read_bytes() for file in files]
        packed = sum(len(gzip.compress(content)) for content in contents)
        yield f"| {when} | {len(files)} | {sum(map(len, contents)) / 1000:.1f} | {packed / 1000:.1f} |"
    yield ""
    yield f"Medians of {LOADS} first loads of the overview with three days of record, ms from the click:"
    yield ""
    yield "| | first contentful paint | figures |"
    yield "|---|---|---|"
    logger.setLevel("WARNING")  # a line for each request would drown the table
    record = Record(a_record())
    with http_server(record), _browser() as browser:
        for name, slowdown in {"this machine": 1, f"the same, {PHONE_SLOWDOWN} times slower": PHONE_SLOWDOWN}.items():
            loads = [_load(browser, record.page, slowdown) for _ in range(LOADS)]
            paint, figures = (median(column) for column in zip(*loads, strict=True))
            yield f"| {name} | {paint:.0f} | {figures:.0f} |"


def _by_moment() -> dict[str, list[Path]]:
    files = [file for file in sorted(DIST.iterdir()) if file.suffix != ".svg"]
    curve = [file for file in files if file.name.startswith("plots-")]
    trade = [file for file in files if file.name.startswith("candles-")]
    first = [file for file in files if file not in [*curve, *trade]]
    return {"first paint and figures": first, "the equity curve": curve, "a trade's candles": trade}


@contextmanager
def _browser() -> Iterator[Browser]:
    program = find()
    if program is None:
        raise SystemExit(MISSING)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


def _load(browser: Browser, address: str, slowdown: int) -> tuple[float, float]:
    """First contentful paint, and the moment from which the headline figures stand, of one load."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    try:
        page = context.new_page()
        context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": slowdown})
        page.goto(address, wait_until="commit")
        figures = float(page.evaluate(_FIGURES))
        return float(page.evaluate(_PAINT)), figures
    finally:
        context.close()
