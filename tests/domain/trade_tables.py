"""Trades and candles as a person reads them, for the tests of how trades end."""

from dataclasses import fields, replace
from typing import Any, NamedTuple

import numpy as np

from plumbline.domain.calendar import MINUTE, Timeframe
from plumbline.domain.candles import Candles
from plumbline.domain.exits import Exits, Orders, resolve

NAN = float("nan")
FOREVER = 10**15


def drawn(table: str, timeframe: str = "1m") -> Candles:
    """Candles from lines `number open high low close`, numbered from 1970; what follows # is for the reader."""
    frame = Timeframe(timeframe)
    lines = (line.partition("#")[0].split() for line in table.splitlines())
    rows = ((int(number) * frame.ms, *map(float, prices), 1.0) for number, *prices in filter(None, lines))
    return Candles.of(frame, rows)


def upside_down(candles: Candles) -> Candles:
    """The same candles mirrored at 100."""
    return replace(
        candles, open=200 - candles.open, high=200 - candles.low, low=200 - candles.high, close=200 - candles.close
    )


class Order(NamedTuple):
    """One trade, long from 100 unless a test says otherwise: its stop two below, its target three above."""

    opened: int = 0
    deadline: int = 5 * MINUTE
    side: int = 1
    stop: float = 98.0
    target: float = 103.0

    def mirrored(self, about: float) -> "Order":
        return self._replace(side=-self.side, stop=about - self.stop, target=about - self.target)


class Ended(NamedTuple):
    """One trade of `Exits`."""

    code: int
    entry: int
    last: int
    price: float
    gapped: bool = False
    ambiguous: bool = False
    alternative: float = NAN
    best: float = NAN
    worst: float = NAN

    def mirrored(self, about: float) -> "Ended":
        changed = {name: about - getattr(self, name) for name in ("price", "alternative", "best", "worst")}
        return self._replace(**changed)


def orders_of(*orders: Order) -> Orders:
    return Orders(*(np.array(column) for column in zip(*orders, strict=True)))


def ended(exits: Exits) -> list[Ended]:
    return [Ended(*row) for row in zip(*(getattr(exits, f.name).tolist() for f in fields(exits)), strict=True)]


def all_ended(
    candles: Candles, orders: list[Order], known_until: int = FOREVER, finer: Candles | None = None
) -> list[Ended]:
    return ended(resolve(candles, orders_of(*orders), known_until, finer)) if orders else []


def one(candles: Candles, known_until: int = FOREVER, finer: Candles | None = None, **order: Any) -> Ended:
    return all_ended(candles, [Order()._replace(**order)], known_until, finer)[0]


def same(found: Ended | list[Ended], expected: Ended | list[Ended]) -> bool:
    """Equal to the last bit, NaN being NaN."""
    return repr(found) == repr(expected)


def how(trade: Ended) -> tuple[int, int, float, bool]:
    """Code, candle and price of the exit, and whether it gapped."""
    return trade.code, trade.last, trade.price, trade.gapped
