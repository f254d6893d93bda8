"""Trades × candles a second of the trade kernel, in one run with a plain compiled loop and with vectorbt.

The candles are simulated: a random walk of minutes with gaps now and then. The trades have stops and targets
some 2 and 3 ATR of an hour away, and 24 hours to live. Every exit is compared with the peers' before they are
timed: a loop in C (`trades.c`), and vectorbt's compiled simulation (`trades_vectorbt.py`).
"""

import ctypes
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plumbline.domain.calendar import DAY, MINUTE, Timeframe
from plumbline.domain.candles import Candles, Floats, Ints
from plumbline.domain.exits import TARGET, Exits, Orders, resolve
from plumbline.domain.outcomes import STALE_AFTER

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PEERS = ROOT / ".venv-peers"
CANDLES, LIFE = 1_000_000, DAY // MINUTE
SIZES = (1_000, 10_000, 100_000)
ROUNDS, VECTORBT_ROUNDS = 9, 3
SYMBOLS, OPEN_TRADES = 50, 10
WIDTHS = 0.015, 0.0225
"""Of stop and target as a share of the price."""

type Job = Callable[[], float]
"""Does it once and says how many milliseconds that took."""


@dataclass(frozen=True)
class Crowd:
    """Trades on the simulated minutes, each entering at candle `first`, and how they end."""

    name: str
    first: Ints
    orders: Orders
    exits: Exits

    @property
    def lived(self) -> int:
        """Candles that the trades lived through, all together."""
        return int((self.exits.last - self.exits.entry + 1).sum())


def lines() -> Iterator[str]:
    """Every table."""
    candles = _minutes()
    crowds = [_crowd(candles, f"{count:,} trades", _anywhere(count)) for count in SIZES]
    one_by_one = np.arange(1, CANDLES - LIFE, LIFE + 60)
    queue = _crowd(candles, f"{len(one_by_one)} trades, one after the other", one_by_one)
    with ExitStack() as stack:
        compiled = stack.enter_context(_compiled())
        vectorbt = stack.enter_context(_vectorbt(candles, [*crowds, queue]))
        yield from ("no C compiler (`cc`) is here: the compiled loop is left out", "") if compiled is None else ()
        yield from ("vectorbt could not be installed (`make .venv-peers/installed`)", "") if vectorbt is None else ()
        yield from _agreement(candles, [*crowds, queue], compiled, vectorbt)
        yield ""
        yield from _speeds(candles, [*crowds, queue], compiled, vectorbt)
        yield ""
        yield from _live(candles, compiled)


def _minutes() -> Candles:
    random = np.random.default_rng(1)
    moves = random.normal(0, 0.0006, CANDLES)
    gaps = np.where(random.random(CANDLES) < 0.001, random.normal(0, 0.01, CANDLES), 0.0)
    close = 100 * np.exp(np.cumsum(moves + gaps))
    open_ = close / np.exp(moves)
    wicks = 1 + np.abs(random.normal(0, 0.0003, (2, CANDLES)))
    high, low = np.maximum(open_, close) * wicks[0], np.minimum(open_, close) / wicks[1]
    return Candles(Timeframe.M1, np.arange(CANDLES) * MINUTE, open_, high, low, close, np.ones(CANDLES))


def _anywhere(count: int) -> Ints:
    return np.sort(np.random.default_rng(count).integers(1, CANDLES - LIFE, count))


def _crowd(candles: Candles, name: str, first: Ints) -> Crowd:
    orders = _orders(candles, first)
    return Crowd(name, first, orders, resolve(candles, orders, CANDLES * MINUTE))


def _orders(candles: Candles, first: Ints) -> Orders:
    opened = candles.open_time[first]
    side = np.random.default_rng(2).choice(np.array([-1, 1]), len(first))
    entry, (stop, target) = candles.open[first], WIDTHS
    return Orders(opened, opened + LIFE * MINUTE, side, entry * (1 - side * stop), entry * (1 + side * target))


# --- the loop in C --------------------------------------------------------------------------------------------------

type Resolve = Callable[[Candles, Orders, int], Exits]


@contextmanager
def _compiled() -> Iterator[Resolve | None]:
    compiler = shutil.which("cc")
    if compiler is None:
        yield None
        return
    with TemporaryDirectory() as folder:
        library = Path(folder) / "trades.so"
        command = [compiler, "-O3", "-shared", "-fPIC", "-o", str(library), str(HERE / "trades.c")]
        subprocess.run(command, check=True)
        function = ctypes.CDLL(str(library)).resolve
        function.restype = None
        yield lambda candles, orders, known_until: _call(function, candles, orders, known_until)


def _call(function: Callable[..., None], candles: Candles, orders: Orders, known_until: int) -> Exits:
    count = len(orders)
    kinds = (np.int8, np.int64, np.int64, np.float64, np.bool_, np.bool_, np.float64, np.float64, np.float64)
    empty: list[Any] = [np.empty(count, dtype=kind) for kind in kinds]
    exits = Exits(*empty)
    number = ctypes.c_int64
    prices = (candles.open_time, candles.open, candles.high, candles.low, candles.close)
    function(
        *(number(value) for value in (len(candles), candles.timeframe.ms, STALE_AFTER)),
        *(_pointer(values) for values in prices),
        number(count),
        *(_pointer(getattr(orders, field.name)) for field in fields(orders)),
        number(known_until),
        *(_pointer(getattr(exits, field.name)) for field in fields(exits)),
    )
    return exits


def _pointer(values: NDArray[Any]) -> ctypes.c_void_p:
    return ctypes.c_void_p(values.ctypes.data)


# --- vectorbt -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Vectorbt:
    """A process with vectorbt, and the folder through which the two exchange arrays."""

    process: "subprocess.Popen[str]"
    folder: Path

    def time(self, job: str, crowd: Crowd) -> float:
        """Milliseconds of one run, as it measured them itself."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{job} {_file(crowd)}\n")
        self.process.stdin.flush()
        return float(json.loads(self.process.stdout.readline()))

    def exits(self, job: str, crowd: Crowd) -> tuple[Ints, Floats]:
        """Candle and price of each exit."""
        self.time(job, crowd)
        found = np.load(self.folder / f"{_file(crowd)}-{job}.npz")
        return found["last"], found["price"]


@contextmanager
def _vectorbt(candles: Candles, crowds: list[Crowd]) -> Iterator[Vectorbt | None]:
    made = subprocess.run(["make", "--silent", f"{PEERS.name}/installed"], cwd=ROOT, check=False, stdout=sys.stderr)
    if made.returncode:
        yield None
        return
    with TemporaryDirectory() as folder:
        for name in ("open", "high", "low", "close"):
            np.save(Path(folder) / f"{name}.npy", getattr(candles, name))
        for crowd in crowds:
            everywhere = {"candles": LIFE, "sl": WIDTHS[0], "tp": WIDTHS[1]}
            trades: dict[str, Any] = {name: np.full(len(crowd.first), value) for name, value in everywhere.items()}
            trades |= {"first": crowd.first, "direction": (crowd.orders.side < 0).astype(np.int64)}
            np.savez(Path(folder) / f"{_file(crowd)}.npz", **trades)
        command = [str(PEERS / "bin/python"), str(HERE / "trades_vectorbt.py"), folder]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            yield Vectorbt(process, Path(folder))


def _file(crowd: Crowd) -> str:
    return f"crowd-{len(crowd.first)}"


# --- what they say, and how fast ------------------------------------------------------------------------------------


def _agreement(
    candles: Candles, crowds: list[Crowd], compiled: Resolve | None, vectorbt: Vectorbt | None
) -> Iterator[str]:
    if compiled:
        for crowd in crowds:
            theirs = compiled(candles, crowd.orders, CANDLES * MINUTE)
            for field in fields(Exits):
                np.testing.assert_array_equal(getattr(theirs, field.name), getattr(crowd.exits, field.name))
        yield f"the loop in C: all nine columns equal to the last bit, {sum(len(c.first) for c in crowds):,} trades"
    if vectorbt:
        for crowd in crowds:
            yield _compare(crowd, *vectorbt.exits(_job(crowd), crowd))


def _compare(crowd: Crowd, last: Ints, price: Floats) -> str:
    ours = crowd.exits
    other = ~((last == ours.last) & np.isclose(price, ours.price, rtol=1e-12))
    told = f"vectorbt, {crowd.name}: {len(other) - int(other.sum()):,} of {len(other):,} exits are the same"
    if not other.any():
        return told
    gained = int((other & ours.gapped & (ours.code == TARGET)).sum())
    return f"{told}; {gained} of the others opened beyond the target and touched the stop afterwards"


def _speeds(
    candles: Candles, crowds: list[Crowd], compiled: Resolve | None, vectorbt: Vectorbt | None
) -> Iterator[str]:
    yield f"{CANDLES:,} simulated minutes, trades of 24 hours, medians of {ROUNDS} turns (vectorbt {VECTORBT_ROUNDS})"
    yield ""
    yield "| | candles lived | kernel, ms | million a second | loop in C, ms | × kernel | vectorbt, ms | × kernel |"
    yield "|---|---|---|---|---|---|---|---|"
    for crowd in crowds:
        jobs: dict[str, tuple[Job, int]] = {
            "kernel": (_timed(lambda c=crowd: resolve(candles, c.orders, CANDLES * MINUTE)), ROUNDS)  # type: ignore[misc]  # bound now
        }
        if compiled:
            jobs["C"] = _timed(lambda c=crowd: compiled(candles, c.orders, CANDLES * MINUTE)), ROUNDS  # type: ignore[misc]  # bound now
        if vectorbt:
            jobs["vectorbt"] = (lambda c=crowd: vectorbt.time(_job(c), c)), VECTORBT_ROUNDS  # type: ignore[misc]  # bound now
        yield _row(crowd, _medians(jobs))


def _row(crowd: Crowd, taken: dict[str, float]) -> str:
    kernel = taken["kernel"]
    cells = [f"{crowd.lived:,}", f"{kernel:.1f}", f"{crowd.lived / kernel / 1e3:,.0f}"]
    for peer in ("C", "vectorbt"):
        cells += [f"{taken[peer]:,.1f}", f"{taken[peer] / kernel:,.2f}"] if peer in taken else ["–", "–"]
    return f"| {crowd.name} | {' | '.join(cells)} |"


def _live(candles: Candles, compiled: Resolve | None) -> Iterator[str]:
    yield "| one call, µs: trades × candles | kernel | loop in C, called from Python |"
    yield "|---|---|---|"
    for trades, count in ((OPEN_TRADES, 1), (OPEN_TRADES, 2), (OPEN_TRADES, 60), (300, 60), (1, LIFE)):
        window = candles.between(0, count * MINUTE)
        orders = _orders(candles, np.zeros(trades, dtype=np.int64))
        jobs = {"kernel": _each(resolve, window, orders)}
        if compiled:
            jobs["C"] = _each(compiled, window, orders)
        taken = _medians({name: (job, ROUNDS) for name, job in jobs.items()})
        peer = f"{1e3 * taken['C']:.0f}" if "C" in taken else "–"
        yield f"| {trades} × {count} | {1e3 * taken['kernel']:.0f} | {peer} |"
        if (trades, count) == (OPEN_TRADES, 2):
            minute = (
                f"a minute of {SYMBOLS} symbols with {OPEN_TRADES} open trades each: {SYMBOLS * taken['kernel']:.1f} ms"
            )
    yield ""
    yield minute


def _each(job: Resolve, window: Candles, orders: Orders, times: int = 200) -> Job:
    """Milliseconds of one of many calls, the candles known to their end."""
    known_until = len(window) * MINUTE
    run = _timed(lambda: [job(window, orders, known_until) for _ in range(times)])
    return lambda: run() / times


def _timed(job: Callable[[], object]) -> Job:
    def run() -> float:
        began = time.perf_counter()
        job()
        return 1e3 * (time.perf_counter() - began)

    return run


def _medians(jobs: dict[str, tuple[Job, int]]) -> dict[str, float]:
    """Median milliseconds of each, run in turns so that a slow moment hits all of them."""
    taken: dict[str, list[float]] = {name: [] for name in jobs}
    for turn in range(max(rounds for _, rounds in jobs.values())):
        for name, (job, rounds) in jobs.items():
            if turn < rounds:
                taken[name].append(job())
    return {name: median(times) for name, times in taken.items()}


def _job(crowd: Crowd) -> str:
    """Trades that overlap need a column each."""
    return "series" if (crowd.first[1:] > crowd.exits.last[:-1]).all() else "columns"
