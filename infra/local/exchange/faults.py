"""Everything an exchange does wrong, on demand: refusals, pages instead of data, half answers, impossible candles."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from threading import Lock
from typing import Any

from plumbline.domain.errors import InvalidInput

type Rows = list[list[Any]]
"""Klines as Binance lists them: open time, open, high, low, close, volume as text, and six columns more."""

REFUSALS: dict[str, tuple[int, int, str]] = {
    "400": (400, -1100, "Illegal characters found in a parameter."),
    "403": (403, 0, "Forbidden."),
    "418": (418, -1003, "Way too much request weight used; IP banned."),
    "429": (429, -1003, "Too much request weight used; please use WebSocket Streams for live updates."),
    "451": (451, 0, "Service unavailable from a restricted location according to 'b. Eligibility'."),
    "500": (500, -1000, "An unknown error occurred while processing the request."),
    "502": (502, -1001, "Internal error; unable to process your request. Please try again."),
    "503": (503, -1008, "Server is currently overloaded with other requests."),
    "504": (504, -1007, "Timeout waiting for response from backend server."),
    "delisted": (400, -1121, "Invalid symbol."),
}
"""Kind of fault: HTTP status, Binance's code and message."""

BODIES = ("html", "half", "cut", "empty", "null", "not_a_list", "drop", "hang")
"""A web page, half a JSON, a connection lost half way, no body, `null`, `{}`, no answer, an answer that never comes."""


def _middle(change: Callable[[list[Any]], list[list[Any]]]) -> Callable[[Rows], Rows]:
    """Spoil the candle in the middle: the first and the last are the ones a careless client looks at."""

    def spoil(rows: Rows) -> Rows:
        if not rows:
            return rows
        at = len(rows) // 2
        return [*rows[:at], *change(list(rows[at])), *rows[at + 1 :]]

    return spoil


def _with(row: list[Any], column: int, value: object) -> list[Any]:
    return [*row[:column], value, *row[column + 1 :]]


ROWS: dict[str, Callable[[Rows], Rows]] = {
    "malformed_row": _middle(lambda row: [_with(row, 4, "n/a")]),
    "short_row": _middle(lambda row: [row[:3]]),
    "timeless_row": _middle(lambda row: [_with(row, 0, None)]),
    "text_row": _middle(lambda _: ["maintenance"]),  # type: ignore[list-item]  # not a row: that is the fault
    "impossible_row": _middle(lambda row: [_with(row, 2, row[3] if row[2] != row[3] else "0.00000001")]),
    "negative_row": _middle(lambda row: [_with(row, 3, "-1.00000000")]),
    "off_grid_row": _middle(lambda row: [_with(row, 0, row[0] + 1)]),
    "missing_row": _middle(lambda _: []),
    "duplicate_row": _middle(lambda row: [row, row]),
    "conflicting_row": _middle(lambda row: [row, _with(row, 5, f"{float(row[5]) + 1:.8f}")]),
    "out_of_order": lambda rows: rows[::-1],
}
"""What may be wrong with the candles of an answer that is otherwise fine."""

KINDS = (*REFUSALS, *BODIES, *ROWS)
KLINES = "/api/v3/klines"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault, for the next `times` requests that match (None: until cleared), after `skip` that pass.

    An empty path, symbol or interval means any. `retry_after` is sent as it stands: seconds, or a date.
    """

    kind: str
    path: str = ""
    symbol: str = ""
    interval: str = ""
    times: int | None = 1
    skip: int = 0
    retry_after: float | str | None = None
    seconds: float = 30.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InvalidInput(f"unknown fault {self.kind!r}; valid are {' '.join(KINDS)}", field="kind")
        if self.kind in ROWS and self.path not in ("", KLINES):
            raise InvalidInput(f"{self.kind} is a fault of candles: {self.path} has none, {KLINES} has", field="path")

    @classmethod
    def parse(cls, given: object) -> "Fault":
        """A fault from JSON; InvalidInput names what is wrong."""
        try:
            return cls(**given)  # type: ignore[arg-type]  # names and values are checked here and in __post_init__
        except TypeError as exc:
            raise InvalidInput(f"{given!r} is not a fault: {exc}", field="faults") from exc

    def matches(self, path: str, query: Mapping[str, str]) -> bool:
        """Whether this request is to fail."""
        mine = KLINES if self.kind in ROWS else self.path
        wanted = (mine, path), (self.symbol, query.get("symbol")), (self.interval, query.get("interval"))
        return all(asked in ("", given) for asked, given in wanted)


class Faults:
    """The faults that are waiting, first in first out; safe to use from several threads."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []
        self._lock = Lock()

    def add(self, *faults: Fault) -> None:
        """Let these happen."""
        with self._lock:
            self._waiting += faults

    def clear(self) -> None:
        """Let nothing more go wrong."""
        with self._lock:
            self._waiting.clear()

    def waiting(self) -> list[Fault]:
        """What is still to happen."""
        with self._lock:
            return list(self._waiting)

    def next(self, path: str, query: Mapping[str, str]) -> Fault | None:
        """The fault this request meets, used up once."""
        with self._lock:
            at = next((i for i, fault in enumerate(self._waiting) if fault.matches(path, query)), None)
            if at is None:
                return None
            fault = self._waiting[at]
            if fault.skip:
                self._waiting[at] = replace(fault, skip=fault.skip - 1)
                return None
            if fault.times is not None:
                left = replace(fault, times=fault.times - 1)
                self._waiting[at : at + 1] = [left] if left.times else []
            return fault
