"""When and at what price trades end: the one kernel behind live tracking, replay and backtest.

A candle touches a level that lies in its range, the edges included. Its open comes before the rest of it: where that is
beyond a level already, the trade fills there, stop and target alike, whatever the candle does afterwards. The candle of
entry counts from its open on, so a level on the wrong side of the entry fills at once. Of a candle that reaches both
levels after its open only finer candles can tell which came first.

Missing candles touch nothing: a market may not have traded. Candles that close after a trade's deadline, or after the
time up to which they are known, are never looked at.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from plumbline.domain.candles import Candles, Floats, Ints
from plumbline.domain.errors import InvalidInput
from plumbline.domain.outcomes import STALE_AFTER
from plumbline.domain.touches import Touches, first_touches, portions

type Flags = NDArray[np.bool_]

TARGET, STOP, EXPIRED, OPEN, UNKNOWN = 1, -1, 0, 2, -2


@dataclass(frozen=True, slots=True)
class Orders:
    """Trades of one market, arrays (trades,). InvalidInput where their lengths differ or a side is no side.

    A trade enters at the open of the first candle that opens at or after `opened` (ms) and is over at `deadline` (ms)
    at the latest. `side` is +1 long, −1 short; `stop` and `target` are prices, NaN where there is none.
    """

    opened: Ints
    deadline: Ints
    side: Ints
    stop: Floats
    target: Floats

    def __post_init__(self) -> None:
        shapes = {name: np.shape(getattr(self, name)) for name in self.__slots__}
        if len(set(shapes.values())) > 1 or np.ndim(self.opened) != 1:
            raise InvalidInput(f"orders must be arrays of one length; theirs are {shapes}")
        if not (np.abs(self.side) == 1).all():
            raise InvalidInput(f"sides are 1 (long) and -1 (short), not {np.unique(self.side).tolist()}", field="side")

    def __len__(self) -> int:
        return len(self.opened)

    def take(self, some: Ints) -> Self:
        """Those at these indices."""
        return type(self)(*(getattr(self, name)[some] for name in self.__slots__))


@dataclass(frozen=True, slots=True)
class Exits:
    """How each trade ended, arrays (trades,).

    `code` is TARGET, STOP, EXPIRED, OPEN (not decided by `known_until`) or UNKNOWN (expired in a hole: no price).
    `entry` and `last` are the index of the candle of entry and of the exit, −1 where there is none. `price` is the
    exit's, NaN where there is none. `gapped`: it filled at the open of a candle that opened beyond the level.
    `ambiguous`: one candle touched both levels and nothing finer tells which came first; `alternative` is the price had
    the target been first, NaN for the others. `best` and `worst` are the most favourable and most adverse price while
    it was open, of a candle that touched a level only the open and the fill; NaN before the entry.
    """

    code: NDArray[np.int8]
    entry: Ints
    last: Ints
    price: Floats
    gapped: Flags
    ambiguous: Flags
    alternative: Floats
    best: Floats
    worst: Floats


def resolve(candles: Candles, orders: Orders, known_until: int, finer: Candles | None = None) -> Exits:
    """How these trades ended, as far as candles that closed by `known_until` (ms) tell.

    A trade that reaches its deadline ends at the close of the last candle that closed by then, if that is at most five
    minutes old or, on longer candles, no candle is missing in between; else it is UNKNOWN, as is one that found no
    candle to enter. `finer` candles of the same market decide inside a candle that touches both levels, where none of
    them is missing up to the one that decides; InvalidInput where their length does not divide that of the others.
    """
    step = candles.timeframe.ms
    if finer is not None and (finer.timeframe.ms >= step or step % finer.timeframe.ms):
        raise InvalidInput(f"candles of {finer.timeframe} cannot decide inside candles of {candles.timeframe}")
    first = np.searchsorted(candles.open_time, orders.opened)
    # Closed by an instant are the candles that opened a candle's length before it, or earlier.
    end = np.searchsorted(candles.open_time, np.minimum(orders.deadline, known_until) - step, side="right")
    batches = portions(first, end)
    if len(batches) == 1 and len(batches[0]) == len(orders):
        return _entered(candles, orders, first, end - 1, known_until, finer)
    exits = _nothing(orders, known_until)
    for some in batches:
        found = _entered(candles, orders.take(some), first[some], end[some] - 1, known_until, finer)
        for name in Exits.__slots__:
            getattr(exits, name)[some] = getattr(found, name)
    return exits


def _nothing(orders: Orders, known_until: int) -> Exits:
    """Trades that have found no candle to enter."""
    none, no_price = np.full(len(orders), -1, dtype=np.int64), np.full(len(orders), np.nan)
    code = np.where(orders.deadline <= known_until, UNKNOWN, OPEN).astype(np.int8)
    no, no_too = np.zeros((2, len(orders)), dtype=np.bool_)
    return Exits(code, none, none.copy(), no_price, no, no_too, *(no_price.copy() for _ in range(3)))


def _entered(
    candles: Candles, orders: Orders, first: Ints, final: Ints, known_until: int, finer: Candles | None
) -> Exits:
    """Trades that entered at candles `first`; `final` are the last ones that may be looked at."""
    long = orders.side > 0
    lower, upper = np.where(long, orders.stop, orders.target), np.where(long, orders.target, orders.stop)
    touches = first_touches(candles.low, candles.high, first, final, lower, upper)
    view = _View.of(candles, orders, touches.at)
    fills = _Fills.of(view)
    if finer is not None:
        _decide(fills, candles, orders, touches.at, finer)
    age = orders.deadline - (candles.open_time[touches.at] + candles.timeframe.ms)
    over = orders.deadline <= known_until
    expired = ~fills.touched & over & (age <= max(STALE_AFTER, candles.timeframe.ms - 1))
    closed = fills.touched | expired
    price = np.where(closed, np.where(fills.touched, fills.price, view.close), np.nan)
    best, worst = _extremes(view, touches, fills, orders.side)
    untouched = np.where(expired, EXPIRED, np.where(over, UNKNOWN, OPEN))
    return Exits(
        code=np.where(fills.touched, np.where(fills.gained, TARGET, STOP), untouched).astype(np.int8),
        entry=first,
        last=np.where(closed, touches.at, -1),
        price=price * orders.side,
        gapped=fills.gapped,
        ambiguous=fills.ambiguous,
        alternative=np.where(fills.ambiguous, orders.target, np.nan),
        best=best,
        worst=worst,
    )


@dataclass(frozen=True, slots=True)
class _View:
    """One candle for each trade from its holder's side: to a short trade, prices are × −1, a rise is a fall."""

    open: Floats
    worst: Floats
    best: Floats
    close: Floats
    stop: Floats
    target: Floats

    @classmethod
    def of(cls, candles: Candles, orders: Orders, at: Ints) -> Self:
        side, long = orders.side, orders.side > 0
        low, high = candles.low[at], candles.high[at]
        worst, best = np.where(long, low, -high), np.where(long, high, -low)
        return cls(
            candles.open[at] * side, worst, best, candles.close[at] * side, orders.stop * side, orders.target * side
        )


@dataclass(frozen=True, slots=True)
class _Fills:
    """What one candle does to each trade; `price` from the holder's side, of no meaning where no level is touched."""

    touched: Flags
    gained: Flags
    gapped: Flags
    ambiguous: Flags
    price: Floats

    @classmethod
    def of(cls, view: _View) -> Self:
        stopped, reached = view.worst <= view.stop, view.best >= view.target
        fell, rose = view.open <= view.stop, view.open >= view.target
        gapped = fell | rose
        # Beyond both at the open is a stop above a target: the price is the same, and the stop counts.
        gained = reached & ~fell & (rose | ~stopped)
        price = np.where(gapped, view.open, np.where(gained, view.target, view.stop))
        return cls(stopped | reached, gained, gapped, stopped & reached & ~gapped, price)


def _decide(fills: _Fills, candles: Candles, orders: Orders, at: Ints, finer: Candles) -> None:
    """Let finer candles say what came first inside the candles that touched both levels, where they can."""
    some = np.flatnonzero(fills.ambiguous)
    if not len(some):
        return
    start = candles.open_time[at[some]]
    end = start + candles.timeframe.ms
    side = orders.side[some]
    inner = resolve(finer, Orders(start, end, side, orders.stop[some], orders.target[some]), int(end.max()))
    told = np.flatnonzero((np.abs(inner.code) == 1) & ~inner.ambiguous)
    passed = (inner.last - inner.entry)[told] * finer.timeframe.ms
    told = told[finer.open_time[inner.last[told]] - start[told] == passed]
    fills.gained[some[told]] = inner.code[told] == TARGET
    fills.price[some[told]] = (inner.price * side)[told]
    fills.ambiguous[some[told]] = False


def _extremes(view: _View, touches: Touches, fills: _Fills, side: Ints) -> tuple[Floats, Floats]:
    """Best and worst price; the candle at hand counts whole where no level was touched in it."""
    long, touched = side > 0, fills.touched
    best = np.maximum(np.where(long, touches.highest, -touches.lowest), np.where(touched, fills.price, view.best))
    worst = np.minimum(np.where(long, touches.lowest, -touches.highest), np.where(touched, fills.price, view.worst))
    return np.maximum(best, view.open) * side, np.minimum(worst, view.open) * side
