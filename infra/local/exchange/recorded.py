"""A folder of recorded candles: `<BASE>-<QUOTE>_<timeframe>.csv.gz`, read when first asked for."""

import gzip
import io
import re
import zlib
from pathlib import Path
from threading import Lock

import numpy as np

from infra.local.exchange.market import Pair, aggregate, buckets
from plumbline.domain.calendar import Timeframe
from plumbline.domain.candles import COLUMNS, Candles, fault_of
from plumbline.domain.errors import InvalidCandle, InvalidInput

HEADER = ",".join(("timestamp", *COLUMNS))
_NAME = re.compile(r"([A-Z0-9]+)-([A-Z0-9]+)_(\w+)\.csv\.gz")


class RecordedMarket:
    """Recorded candles of a folder. A timeframe without a file of its own is made of the pair's 1m candles."""

    source = "recorded"

    def __init__(self, folder: Path) -> None:
        self._files = _files(folder)
        self._pairs = {pair.symbol: pair for pair, _ in self._files}
        self._read: dict[tuple[str, Timeframe], Candles] = {}
        self._lock = Lock()

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """Every pair that has a file, sorted."""
        return tuple(self._pairs[symbol] for symbol in sorted(self._pairs))

    @property
    def end(self) -> int | None:
        """The close of the last candle of the finest timeframe each pair has, the latest of them."""
        finest: dict[str, Timeframe] = {}
        for pair, timeframe in self._files:
            finest[pair.symbol] = min(timeframe, finest.get(pair.symbol, timeframe), key=lambda one: one.ms)
        series = [self._series(symbol, timeframe) for symbol, timeframe in finest.items()]
        return max(int(candles.open_time[-1]) + candles.timeframe.ms for candles in series)

    def begin(self, symbol: str, timeframe: Timeframe) -> int:
        """Open time of the first candle there is; 0 where there is none."""
        series = self._series(symbol, timeframe)
        return int(series.open_time[0]) if len(series) else 0

    def candles(self, symbol: str, timeframe: Timeframe, start: int, end: int) -> Candles:
        """Every candle with open time in [start, end), as recorded."""
        return self._series(symbol, timeframe).between(*buckets(timeframe, start, end))

    def check(self) -> None:
        """Read every file now, so that a bad one is known before the first question."""
        for pair, timeframe in self._files:
            self._series(pair.symbol, timeframe)

    def _series(self, symbol: str, timeframe: Timeframe) -> Candles:
        key = (symbol, timeframe)
        with self._lock:
            if key not in self._read:
                self._read[key] = self._load(self._pairs[symbol], timeframe)
            return self._read[key]

    def _load(self, pair: Pair, timeframe: Timeframe) -> Candles:
        if path := self._files.get((pair, timeframe)):
            return read_file(path, timeframe)
        minutes = self._files.get((pair, Timeframe.M1))
        return aggregate(read_file(minutes, Timeframe.M1), timeframe) if minutes else Candles.empty(timeframe)


def read_file(path: Path, timeframe: Timeframe) -> Candles:
    """The candles of one file; InvalidInput names the file and the first bad line."""
    try:
        text = gzip.decompress(path.read_bytes()).decode()
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as exc:
        raise InvalidInput(f"{path}: not a gzip file of text: {exc}") from exc
    head, _, body = text.partition("\n")
    if head.strip() != HEADER:
        raise InvalidInput(f"{path}:1: the first line must be {HEADER!r}, not {head.strip()[:80]!r}")
    if not body.strip():
        raise InvalidInput(f"{path}:2: there is no candle in this file")
    try:
        table = np.loadtxt(io.StringIO(body), delimiter=",", ndmin=2, comments=None)
        return Candles(timeframe, table[:, 0].astype(np.int64), *table[:, 1:].T.copy())
    except (ValueError, TypeError, InvalidCandle) as exc:
        raise InvalidInput(f"{path}:{_first_fault(body, timeframe) or exc}") from exc


def _first_fault(body: str, timeframe: Timeframe) -> str:
    """Number of the first bad line and what is wrong with it: only walked once a file is known to be bad."""
    before = -1.0
    for number, line in enumerate(body.splitlines(), start=2):
        try:
            row = tuple(float(value) for value in line.split(","))
        except ValueError:
            return f"{number}: {line!r} is not six numbers"
        if len(row) != 6:
            return f"{number}: {line!r} has {len(row)} columns instead of 6"
        if fault := fault_of(timeframe, row):
            return f"{number}: {fault}"
        if row[0] <= before:
            return f"{number}: time {row[0]:.0f} does not come after {before:.0f}; candles must be sorted, each once"
        before = row[0]
    return ""


def _files(folder: Path) -> dict[tuple[Pair, Timeframe], Path]:
    if not folder.is_dir():
        raise InvalidInput(f"{folder} is not a folder; recorded candles are files <BASE>-<QUOTE>_<timeframe>.csv.gz")
    found: dict[tuple[Pair, Timeframe], Path] = {}
    for path in sorted(folder.glob("*.csv.gz")):
        name = _NAME.fullmatch(path.name)
        if not name or name[3] not in tuple(Timeframe):
            valid = " ".join(Timeframe)
            raise InvalidInput(f"{path}: name it <BASE>-<QUOTE>_<timeframe>.csv.gz with a timeframe of {valid}")
        found[Pair(name[1], name[2]), Timeframe(name[3])] = path
    if not found:
        raise InvalidInput(f"{folder} holds no <BASE>-<QUOTE>_<timeframe>.csv.gz, such as BTC-USDT_1m.csv.gz")
    return found
