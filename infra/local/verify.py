"""Prove the record: recompute every outcome the API shows from the market's own candles.

Deliberately shares nothing with the code it checks: the rules are written out again from the contract, prices come
straight from the exchange's REST answer, and the arithmetic is in exact fractions.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from typing import Any, Protocol

import httpx

BINANCE = "https://api.binance.com"
_MINUTE = 60_000
_STALE = 5 * _MINUTE
_DELAYS = {"1h": 3_600, "4h": 14_400, "24h": 86_400, "7d": 604_800, "30d": 2_592_000}


class Minutes(Protocol):
    """The market's 1m candles."""

    def __call__(self, symbol: str, start: int, end: int) -> Iterable[tuple[int, str]]:
        """(open time in ms, close as the exchange wrote it) of candles that opened in [start, end]."""


@dataclass(slots=True)
class Verdict:
    """How many outcomes agree, and a sentence for each that does not."""

    signals: int = 0
    agreeing: int = 0
    differing: list[str] = field(default_factory=list)


def verify(signals: Iterable[Mapping[str, Any]], minutes: Minutes, now: int) -> Verdict:
    """Recompute the outcomes of these signals (as the API shows them) and look for those that are due and missing."""
    verdict = Verdict()
    for signal in signals:
        verdict.signals += 1
        shown = {outcome["interval"]: outcome for outcome in signal.get("outcomes", [])}
        for interval, expected in _expected(signal, minutes, now):
            difference = _difference(shown.pop(interval, {}), expected)
            if difference:
                verdict.differing.append(f"{signal['signal_id']} {signal['symbol']} {interval}: {difference}")
            else:
                verdict.agreeing += 1
        verdict.differing += [
            f"{signal['signal_id']} {i}: a price is shown that the candles do not have" for i in _judged(shown)
        ]
    return verdict


def exchange_minutes(url: str) -> Minutes:
    """1m candles from an exchange that speaks Binance's REST."""
    client = httpx.Client(base_url=url, timeout=30)

    def minutes(symbol: str, start: int, end: int) -> Iterable[tuple[int, str]]:
        market = symbol.split(":", maxsplit=1)[0].replace("/", "")
        query: dict[str, str | int] = {"symbol": market, "interval": "1m", "startTime": start, "endTime": end}
        response = client.get("/api/v3/klines", params=query)
        response.raise_for_status()
        return [(int(row[0]), str(row[4])) for row in response.json()]

    return minutes


def _expected(signal: Mapping[str, Any], minutes: Minutes, now: int) -> Iterator[tuple[str, tuple[Fraction, str]]]:
    """Exit price and label of every interval that was due by `now` and had a price."""
    made = int(datetime.fromisoformat(signal["timestamp"]).timestamp() * 1_000)
    for interval, seconds in _DELAYS.items():
        due = made + 1_000 * seconds
        price = _last_price(minutes, signal["symbol"], due) if due <= now else None
        if price is not None:
            yield interval, (price, _label(Fraction(str(signal["entry_price"])), price, signal["action"]))


def _last_price(minutes: Minutes, symbol: str, due: int) -> Fraction | None:
    closed = [
        (opened + _MINUTE, close)
        for opened, close in minutes(symbol, due - _STALE - 2 * _MINUTE, due)
        if due - _STALE <= opened + _MINUTE <= due
    ]
    return Fraction(max(closed)[1]) if closed else None


def _label(entry: Fraction, price: Fraction, action: str) -> str:
    profit = (price - entry) / entry * (1 if action == "BUY" else -1)
    if profit >= Fraction(5, 100):
        return "WIN"
    return "LOSS" if profit <= Fraction(-3, 100) else "NEUTRAL"


def _difference(shown: Mapping[str, Any], expected: tuple[Fraction, str]) -> str:
    price, label = expected
    if not shown.get("outcome"):
        return f"due and not shown; the candles give {float(price)} {label}"
    if Fraction(str(shown["exit_price"] or 0)) != price or shown["outcome"] != label:
        return f"shown {shown['exit_price']} {shown['outcome']}, the candles give {float(price)} {label}"
    return ""


def _judged(shown: Mapping[str, Mapping[str, Any]]) -> list[str]:
    return [interval for interval, outcome in shown.items() if outcome.get("exit_price") is not None]
