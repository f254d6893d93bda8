"""Where Chromium is on this machine. `python -m tests.browser.chromium` installs one where there is none."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path

from playwright.sync_api import sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
MISSING = (
    "No Chromium was found and none could be installed. Install one (Debian: apt-get install chromium) or name one in "
    "PLUMBLINE_CHROMIUM, and try again."
)


def find() -> str | None:
    """The program: what PLUMBLINE_CHROMIUM names, one on PATH, or the one that Playwright keeps."""
    named = os.environ.get("PLUMBLINE_CHROMIUM")
    return next(filter(None, chain([named], map(shutil.which, NAMES), _of_playwright())), None)


def install() -> str | None:
    """Find one, if need be after letting Playwright download its own, or apt-get install Debian's."""
    ways: tuple[Callable[[], object], ...] = (lambda: None, _by_playwright, _by_apt)
    for way in ways:
        way()
        if found := find():
            return found
    return None


def _of_playwright() -> Iterator[str]:
    with sync_playwright() as playwright:
        if Path(playwright.chromium.executable_path).is_file():
            yield playwright.chromium.executable_path


def _by_playwright() -> None:
    subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], capture_output=True, check=False)


def _by_apt() -> None:
    if os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run(["apt-get", "update", "-qq"], capture_output=True, check=False)
        subprocess.run(["apt-get", "install", "-y", "-qq", "chromium"], capture_output=True, check=False)


if __name__ == "__main__":
    found = install()
    sys.exit(None if found else MISSING)
