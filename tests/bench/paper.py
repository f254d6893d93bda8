"""What the dashboard reads when it opens, by the number of paper trades in its 30 days."""

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import product
from statistics import median

from plumbline.adapters.stores import stores_over
from plumbline.adapters.tables import Tables
from plumbline.domain.books import BookRollup, count_trades
from plumbline.domain.calendar import DAY, HOUR, MINUTE, Interval, day_of
from plumbline.domain.outcomes import judge
from plumbline.domain.performance import DayRollup, count
from plumbline.domain.signals import Signal
from plumbline.domain.trades import Board, Position, Terms, Trade, position_of
from plumbline.pipeline.progress import SUMMARISE
from plumbline.ports import Stores
from tests.bench import cloud
from tests.bench.reads import ReadMeter
from tests.builders import a_signal, a_trade
from tests.functions.gateway import Gateway, services
from tests.world import START

PERIOD = 30
NOW = START + PERIOD * DAY + 12 * HOUR
SUMMARY = NOW - 6 * MINUTE
SYMBOLS = 50
SCANNERS = ("technical", "smart_money", "mss", "model")
CHANNELS = 5
HELD = 12 * HOUR
"""How long each trade is open: half of its longest life."""
PATH = "/api/public/paper-trading"
REQUESTS = {
    "summary": f"{PATH}/summary/",
    "performance": f"{PATH}/performance/",
    "performance by scanner": f"{PATH}/performance/?by=scanner",
    "first page of closed trades": f"{PATH}/?status=closed&limit=50",
    "first page of open trades": f"{PATH}/open-positions/?limit=50",
}


def lines() -> Iterator[str]:
    """Read units, requests and time of each answer and of all five, at 10³ and 10⁵ trades."""
    logging.disable(logging.INFO)  # a line for each request
    yield f"{PERIOD} days, {SYMBOLS} symbols, each trade open for 12 hours, the last summary six minutes ago"
    yield ""
    yield "| trades | answer | requests | read units | ms, warm |"
    yield "|---|---|---|---|---|"
    for trades in (1_000, 100_000):
        with cloud.tables() as tables:
            _Record(trades // PERIOD).store(stores_over(tables, "simulated"))
            yield from _measured(tables, trades)


def _measured(tables: Tables, trades: int) -> Iterator[str]:
    api = Gateway(services(stores_over(tables, "simulated"), now=NOW))
    load = [0.0, 0.0, 0.0]
    for name, path in REQUESTS.items():
        with ReadMeter(tables) as reads:
            answer = api.get(path)
        assert answer.status == 200, answer.body
        row = [sum(reads.requests.values()), reads.total, 1_000 * _seconds(api, path)]
        load = [total + figure for total, figure in zip(load, row, strict=True)]
        yield _line(f"{trades:,}", name, row)
    yield _line(f"**{trades:,}**", "**one load of the page**", load)


def _line(trades: str, name: str, row: list[float]) -> str:
    requests, units, milliseconds = row
    return f"| {trades} | {name} | {requests:g} | {units:g} | {milliseconds:.0f} |"


def _seconds(api: Gateway, path: str) -> float:
    times = []
    for _ in range(5):
        began = time.perf_counter()
        api.get(path)
        times.append(time.perf_counter() - began)
    return median(times)


@dataclass(frozen=True)
class _Record:
    """A record of which every day is alike: so many signals, evenly spread, each with its trade and its outcomes.

    The cells of one day are counted by the very code that makes rollups and stored for each; of the facts, only those
    are stored that a reader of these five answers can come past.
    """

    signals_a_day: int

    def store(self, stores: Stores) -> None:
        """Fill empty tables."""
        self._store_rollups(stores)
        for ago in (0, *(interval.ms for interval in Interval)):
            for signal in self._signals(SUMMARY - ago, NOW - ago):
                stores.signals.add(signal)
        for signal, interval in product(self._signals(SUMMARY - Interval.D30.ms, NOW), Interval):
            if SUMMARY < signal.due(interval) <= NOW:
                stores.outcomes.add(judge(signal, interval, signal.entry_price * _move(signal), NOW))
        newest = [_trade(signal) for signal in self._signals(min(SUMMARY, NOW - 60 * self._step) - HELD, NOW - HELD)]
        for trade in newest:
            stores.trades.add(trade)
        opened = [position_of(signal, Terms()) for signal in self._signals(NOW - HELD, NOW)]
        for position in opened:
            stores.positions.put(replace(position, net_entry_price=position.entry_price))
        stores.positions.mark(_board(opened))
        stores.cursors.move(None, SUMMARISE, SUMMARY, {})

    def _store_rollups(self, stores: Stores) -> None:
        signals = list(self._signals(START - 1, START + DAY - 1))
        outcomes = [judge(s, i, s.entry_price * _move(s), s.due(i)) for s, i in product(signals, Interval)]
        cells = count(signals, product(signals, Interval), outcomes)
        books = count_trades(_trade(signal) for signal in signals)
        for midnight in range(START + DAY, NOW, DAY):
            day, through = day_of(midnight), min(midnight + DAY - 1, SUMMARY)
            stores.rollups.put(DayRollup(day, through, cells), 1)
            stores.book_rollups.put(BookRollup(day, through, books), 1)

    @property
    def _step(self) -> int:
        return DAY // self.signals_a_day

    def _signals(self, after: int, until: int) -> Iterator[Signal]:
        """The signals of (after, until]; the n-th of all since the beginning is the same whoever asks."""
        first = START - DAY
        for n in range((after - first) // self._step + 1, (until - first) // self._step + 1):
            yield a_signal(
                timestamp=first + n * self._step,
                symbol=f"S{n % SYMBOLS}/USDT",
                scanner_type=SCANNERS[n % len(SCANNERS)],
                channel_id=f"channel-{n % CHANNELS}",
                snapshot_id=f"{n % CHANNELS}" * 64,
                unified_score=float(50 + n % 50),
            )


def _move(signal: Signal) -> Decimal:
    """Some lose and some win."""
    return Decimal(95 + signal.timestamp // MINUTE % 12) / 100


def _trade(signal: Signal) -> Trade:
    position = replace(position_of(signal, Terms()), net_entry_price=signal.entry_price)
    return a_trade(position, exit_price=signal.entry_price * _move(signal), closed_at=signal.timestamp + HELD)


def _board(opened: list[Position]) -> Board:
    prices = {position.symbol: position.entry_price for position in opened}
    return Board(as_of=NOW, open=len(opened), unrealised_usd=Decimal(0), prices=prices)
