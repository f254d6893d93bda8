"""A reader with a browser, in front of a service of their own."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from tests.browser.chromium import FLAGS, MISSING, find
from tests.browser.server import DIST, Record, a_record, feed_server, http_server

DESK: dict[str, Any] = {"viewport": {"width": 1440, "height": 900}}
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
TABS = ("overview", "positions", "history", "scanner", "tier", "interval", "symbol", "channel")


@dataclass
class Reader:
    """Somebody who looks at the page, and whatever their browser had to say about it."""

    record: Record
    page: Page
    console: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def watch(self) -> None:
        """From now on note what the browser complains about and whom it talks to."""
        self.page.on("console", lambda said: self.console.append(said.text) if said.type != "info" else None)
        self.page.on("pageerror", lambda error: self.console.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("websocket", lambda socket: self.requests.append(socket.url))

    def open(self, place: str = "overview") -> None:
        """Go to a place on the page and wait until it is all there."""
        self.page.goto(f"{self.record.page}#/{place}")
        self.settle()

    def settle(self) -> None:
        """Wait until nothing is loading."""
        self.page.locator(".tabs").wait_for()
        expect(self.page.locator(".skeleton, .ghost, .problem, [aria-busy=true]")).to_have_count(0)

    def rows(self, table: str = "table") -> list[list[str]]:
        """The cells of a table's body that are seen, each as one line of text."""
        rows = self.page.locator(f"{table} tbody tr").all()
        return [[" ".join(cell.split()) for cell in row.locator("th, td").all_inner_texts()] for row in rows]

    def figure(self, label: str) -> Locator:
        """A headline figure by what it is called."""
        return self.page.locator(".figure", has=self.page.get_by_role("button", name=label, exact=True))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    program = find()
    if program is None:
        pytest.fail(MISSING)
    if not (DIST / "index.html").is_file():
        pytest.fail("the page is not built: run `make page`")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def record() -> Iterator[Record]:
    """A service with three days of record and a live feed."""
    record = Record(a_record())
    with feed_server(record), http_server(record):
        yield record


@pytest.fixture
def record_without_feed() -> Iterator[Record]:
    """The same service where there is no live feed."""
    record = Record(a_record())
    with http_server(record):
        yield record


expect.set_options(timeout=20_000)  # a busy machine is no fault of the page

type Visit = Callable[..., Reader]


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """Opens a browser for a reader. At the end it must have had no complaint and talked to nobody else."""
    readers = []
    with ExitStack() as contexts:

        def come(record: Record, **options: Any) -> Reader:
            context = browser.new_context(**{**DESK, **options})
            contexts.callback(context.close)
            reader = Reader(record, context.new_page())
            reader.watch()
            readers.append(reader)
            return reader

        yield come
    for reader in readers:
        assert reader.console == []
        own = (f"{reader.record.origin}/", f"ws://127.0.0.1:{reader.record.feed_port}/")
        assert [url for url in reader.requests if not url.startswith(own)] == []


@pytest.fixture
def reader(record: Record, visit: Visit) -> Reader:
    """Somebody at a desk."""
    return visit(record)
