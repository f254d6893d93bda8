"""Rows as CSV (RFC 4180): what a spreadsheet opens, and nothing that it would run."""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet takes text that begins so for a formula (OWASP, CSV injection)."""


def to_csv(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """A header and one line for each row, ended by CRLF. Absent is empty, lists and objects are JSON."""
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\r\n")
    lines.writerow(columns)
    lines.writerows([cell(row[column]) for column in columns] for row in rows)
    return text.getvalue()


def cell(value: object) -> str:
    """One value: numbers plain, without an exponent; text that a spreadsheet would run behind an apostrophe."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float():
            return _plain(value)
        case int():
            return str(value)
        case str():
            return f"'{value}" if value.startswith(_FORMULA) else value
        case _:
            return json.dumps(value, ensure_ascii=False, separators=(",", ":")) if value else ""


def wants_csv(accept: str) -> bool:
    """Whether an Accept header prefers CSV to JSON; where it ranks both alike, what it names beats a wildcard."""
    ranks = dict(map(_rank, accept.lower().split(",")))
    lines = ranks.get("text/csv", 0.0)
    named = ranks.get("application/json")
    other = max(ranks.get("application/*", 0.0), ranks.get("*/*", 0.0))
    return lines > 0 and (lines > named if named is not None else lines >= other)


def _rank(item: str) -> tuple[str, float]:
    media_type, _, parameters = item.partition(";")
    quality = next((p.strip()[2:] for p in parameters.split(";") if p.strip().startswith("q=")), "1")
    try:
        return media_type.strip(), float(quality)
    except ValueError:
        return media_type.strip(), 0.0


def _plain(value: float) -> str:
    """The shortest decimal that reads back as this double: 0.00001234, not 1.234e-05."""
    return f"{Decimal(repr(value)):f}".removesuffix(".0")
