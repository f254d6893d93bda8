"""A small market and a schedule that runs the use cases over it, however the test wants time to pass."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np

from plumbline.domain.books import BOOK_DIMENSIONS, dump_book_row
from plumbline.domain.calendar import DAY, HOUR, MINUTE, Interval, Timeframe, days_between, parse_instant
from plumbline.domain.candles import Candles
from plumbline.domain.extremes import EXTREMES, dump_extremes
from plumbline.domain.outcomes import Outcome
from plumbline.domain.performance import dump_row
from plumbline.domain.signals import Signal
from plumbline.domain.strategies import DEFAULT_CHANNELS
from plumbline.domain.trades import Position, Trade
from plumbline.pipeline.checking import check_outcomes
from plumbline.pipeline.collecting import collect_candles
from plumbline.pipeline.generating import generate_signals
from plumbline.pipeline.ruling import Models
from plumbline.pipeline.summarising import summarise_day
from plumbline.pipeline.trading import track_trades
from plumbline.ports import Stores
from plumbline.settings import Settings
from tests.fakes import FakeExchange, FakePolicy, memory_stores

START = parse_instant("2024-01-01T00:00:00Z")
SYMBOLS = ("ADA/USDT", "BTC/USDT", "ETH/USDT", "SOL/USDT", "XRP/USDT")
"""As many as it takes for markets to be ranked."""
SETTINGS = Settings(stage="test", tables="test", exchange="simulated", exchange_url="http://127.0.0.1")
ANY_LAG = 10_000 * DAY
HISTORY = 1_000 * HOUR

type Call = Callable[[Stores, FakeExchange, int], dict[str, int]]


def collect(stores: Stores, exchange: FakeExchange, now: int) -> dict[str, int]:
    """The collector's run."""
    return collect_candles(stores, exchange, 50, now)


def generate(stores: Stores, _: FakeExchange, now: int) -> dict[str, int]:
    """The hourly generator's run, with a policy."""
    return generate_signals(stores, SETTINGS, Timeframe.H1, now, models=Models(FakePolicy))


def generate_without_a_model(stores: Stores, _: FakeExchange, now: int) -> dict[str, int]:
    """The same in PLACEHOLDER mode."""
    return generate_signals(stores, SETTINGS, Timeframe.H1, now)


def track(stores: Stores, _: FakeExchange, now: int) -> dict[str, int]:
    """The tracker's run."""
    return track_trades(stores, SETTINGS, now)


def check(interval: Interval) -> Call:
    """One interval's check."""
    return lambda stores, _, now: check_outcomes(stores, interval, now)


def summarise(stores: Stores, _: FakeExchange, now: int) -> dict[str, int]:
    """The summary's run."""
    return summarise_day(stores, now)


SCHEDULE: tuple[Call, ...] = (collect, generate, track, *map(check, Interval), summarise)


@cache
def market(symbol: str, days: int) -> tuple[Candles, Candles]:
    """1m and 1h candles of a market: hours from 1,000 before `START`, minutes from a day before, `days` onwards.

    The hours agree with the minutes where both exist. Volatile enough that some outcomes win and some lose.
    """
    random = np.random.default_rng(sum(symbol.encode()))
    count = (HISTORY + days * DAY) // MINUTE
    closes = np.round(1_000 * np.exp(np.cumsum(random.normal(0, 0.0016, count))), 4)
    opens = np.concatenate(([1_000.0], closes[:-1]))
    times = np.arange(count, dtype=np.int64) * MINUTE + START - HISTORY
    high, low = np.maximum(opens, closes), np.minimum(opens, closes)
    volume = np.round(random.gamma(2.0, 5.0, count), 3)
    minutes = Candles(Timeframe.M1, times, opens, high, low, closes, volume)
    hours = Candles(
        Timeframe.H1,
        times[::60],
        opens[::60],
        high.reshape(-1, 60).max(axis=1),
        low.reshape(-1, 60).min(axis=1),
        closes[59::60],
        volume.reshape(-1, 60).sum(axis=1),
    )
    return minutes.between(START - DAY, START + days * DAY), hours


def an_exchange(days: int = 3) -> FakeExchange:
    """An exchange that trades the symbols of this world."""
    exchange = FakeExchange()
    for symbol in SYMBOLS:
        exchange.list(symbol, *market(symbol, days))
    return exchange


def a_stack(*, max_lag: int = ANY_LAG) -> Stores:
    """Empty tables with the default channels; by default no signal is ever too late to count."""
    stores = memory_stores()
    for channel in DEFAULT_CHANNELS:
        stores.channels.add(replace(channel, max_lag=max_lag))
    return stores


def run(stores: Stores, exchange: FakeExchange, moments: Iterable[int], calls: Iterable[Call] = SCHEDULE) -> None:
    """Run every use case at each of these moments, as the schedules would."""
    calls = tuple(calls)
    for now in moments:
        for call in calls:
            call(stores, exchange, now)


def steps(days: float, step: int) -> list[int]:
    """The first moment of the world, then one every `step` up to and including the last."""
    end = START + int(days * DAY)
    return [*range(START, end, step), end]


@dataclass(frozen=True)
class Record:
    """What a stack holds, without what legitimately depends on when it was computed."""

    signals: list[Signal] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    rollups: dict[tuple[str, str], str] = field(default_factory=dict)
    trades: list[Trade] = field(default_factory=list)
    positions: list[Position] = field(default_factory=list)
    books: dict[tuple[str, str], str] = field(default_factory=dict)

    @classmethod
    def of(cls, stores: Stores) -> "Record":
        """Read a stack of fakes."""
        far = START + 1_000 * DAY
        signals = [replace(s, recorded_at=0, latency_ms=0) for s in stores.signals.between(0, far)]
        outcomes = [replace(o, checked_at=0) for o in stores.outcomes.due_between(0, far)]
        days = stores.rollups.days(list(stores.rollups.rollups), ["all", "symbol", "tier", "channel", EXTREMES])  # type: ignore[attr-defined]  # the fake's own dict
        return cls(
            signals,
            sorted(outcomes, key=lambda o: (o.signal_id, o.interval)),
            {(r.day, d): dump_row(row) for r in days for d, row in r.cells.items()}
            | {(r.day, EXTREMES): dump_extremes(r.extremes) for r in days if r.extremes.best},
            [replace(t, recorded_at=0) for t in stores.trades.closed_between(0, far)],
            stores.positions.all(),
            {
                (r.day, d): dump_book_row(row)
                for r in stores.book_rollups.days(days_between(START - DAY, START + 30 * DAY), BOOK_DIMENSIONS)
                for d, row in r.cells.items()
            },
        )
