"""A digest as files: JSON with every field, and a table with one figure a line."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from plumbline.domain.digest import Digest, plain

COLUMNS = ("kind", "first_day", "last_day", "section", "name", "figure", "value")
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")


def json_file(digest: Digest) -> str:
    """Readable JSON: what is kept, to the last figure."""
    return json.dumps(plain(digest), indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


def csv_file(digest: Digest) -> str:
    """One figure a line (RFC 4180): what a spreadsheet pivots and next month's file can be put under."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    about = digest.kind.value, digest.first_day, digest.last_day
    for section, name, figure, value in _figures(digest):
        writer.writerow([*about, section, _safe(name), figure, "" if value is None else value])
    return out.getvalue()


def _figures(digest: Digest) -> Iterator[tuple[str, str, str, Any]]:
    yield from _named("record", digest.record.name, asdict(digest.record))
    for line in digest.intervals:
        yield from _named("interval", line.name, asdict(line))
    yield from _named("trades", digest.trades.name, asdict(digest.trades))
    for channel in digest.channels:
        yield from _named("channel", channel.name, asdict(channel))
    for day in digest.trend:
        yield from _named("day", day.day, {"closed": day.closed, "net_pnl_usd": day.net_pnl_usd})
    for end, signals in (("best", digest.best), ("worst", digest.worst)):
        for signal in signals:
            yield end, signal.signal_id, "pnl_pct", signal.pnl_pct
    for configuration in digest.configurations:
        yield from _named("configuration", configuration.config_hash, asdict(configuration.figures))
    for one in digest.recommendations:
        yield from _named(f"recommendation {one.priority}", one.action, one.figures)


def _named(section: str, name: str, content: Any, prefix: str = "") -> Iterator[tuple[str, str, str, Any]]:
    """Every number in it, with the way to it as its name."""
    for key, value in content.items():
        if isinstance(value, dict):
            yield from _named(section, name, value, f"{prefix}{key}.")
        elif not isinstance(value, str):
            yield section, name, f"{prefix}{key}", value


def _safe(text: str) -> str:
    """A spreadsheet takes what begins so for a formula."""
    return f"'{text}" if text.startswith(_FORMULAS) else text
