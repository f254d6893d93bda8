"""Candles to learn from: a folder of recorded ones, the simulated market, and either without its direction."""

import gzip
import re
from pathlib import Path

import numpy as np

from infra.local.exchange.recorded import HEADER
from infra.local.exchange.simulated import SimulatedMarket
from plumbline.domain.calendar import Timeframe
from plumbline.domain.candles import Candles, sift
from plumbline.domain.errors import InvalidInput

type History = dict[str, Candles]
"""Candles of each symbol, spelled as `BTC/USDT`."""

TIMEFRAME = Timeframe.H1
QUOTE = "USDT"

_NAMES = (
    re.compile(rf"(?P<base>[A-Z0-9]+)-{QUOTE}_{TIMEFRAME}\.csv\.gz"),
    re.compile(rf"spot__(?P<base>[A-Z0-9]+){QUOTE}__{TIMEFRAME}__\w[\w.-]*\.csv\.gz"),
)
"""The documented name of a recorded file, and one that says market and source; a symbol may have several sources."""


def recorded(folder: Path) -> History:
    """Every pair against USDT that has hourly candles in the folder.

    Files of one symbol are merged by time: where two hold the same candle, that of the file first by name stays. Rows
    that cannot be candles are left out, as the service leaves them out of an exchange's answer; some exchanges recorded
    their restarts off the hour. InvalidInput where the folder holds none, or where a file is no such table.
    """
    found: History = {}
    for path in sorted(folder.glob("*.csv.gz")):
        if name := next(filter(None, (pattern.fullmatch(path.name) for pattern in _NAMES)), None):
            symbol, candles = f"{name['base']}/{QUOTE}", _read(path)
            found[symbol] = found[symbol].merge(candles) if symbol in found else candles
    if not found:
        raise InvalidInput(f"{folder} holds no hourly candles; name them BTC-{QUOTE}_{TIMEFRAME}.csv.gz")
    return dict(sorted(found.items()))


def _read(path: Path) -> Candles:
    try:
        with gzip.open(path, "rt") as lines:
            head = next(lines, "").strip()
            rows = [[float(value) for value in line.split(",")] for line in lines]
    except (OSError, EOFError, ValueError) as exc:
        raise InvalidInput(f"{path}: not a gzip file of numbers: {exc}") from exc
    if head != HEADER:
        raise InvalidInput(f"{path}:1: the first line must be {HEADER!r}, not {head[:80]!r}")
    return sift(TIMEFRAME, rows).candles


def simulated(seed: int, start: int, end: int) -> History:
    """The simulated market's pairs in [start, end) (ms)."""
    market = SimulatedMarket(seed)
    return {pair.symbol: market.candles(pair.symbol, TIMEFRAME, start, end) for pair in market.pairs}


def without_direction(history: History, seed: int) -> History:
    """The same market with the direction of every candle drawn by lot: as volatile, and nothing to be known.

    A candle keeps its range, its distance from the close before and its volume; with one half it is mirrored, so that
    what was a rise is a fall. The log price is a martingale whatever it was before.
    """
    random = np.random.default_rng(seed)
    return {symbol: _by_lot(candles, random) for symbol, candles in history.items()}


def _by_lot(candles: Candles, random: np.random.Generator) -> Candles:
    side = random.choice((-1.0, 1.0), len(candles))
    before = np.log(np.concatenate((candles.open[:1], candles.close[:-1])))
    opened, high, low, last = (
        side * (np.log(values) - before) for values in (candles.open, candles.high, candles.low, candles.close)
    )
    base = before[0] + np.concatenate(([0.0], np.cumsum(last)[:-1]))
    top, bottom = np.maximum(high, low), np.minimum(high, low)
    prices = [np.exp(base + part) for part in (opened, top, bottom, last)]
    # The two ends of a candle may come out in the wrong order by a last bit.
    high, low = np.maximum.reduce(prices), np.minimum.reduce(prices)
    return Candles(candles.timeframe, candles.open_time, prices[0], high, low, prices[3], candles.volume)
