"""Every port in memory. They keep the ports' promises, as tests/contracts shows, and speak the domain:
`assert signal in stores.signals`, `len(stores.outcomes)`."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from difflib import get_close_matches
from functools import wraps
from typing import Any, cast

import numpy as np

from plumbline.domain.calendar import Timeframe
from plumbline.domain.candles import COLUMNS, Candles, Floats, Sifted
from plumbline.domain.drift import ModelReport
from plumbline.domain.errors import CursorMoved, InvalidInput, UnknownSymbol
from plumbline.domain.extremes import EXTREMES, Extremes
from plumbline.domain.outcomes import Outcome
from plumbline.domain.performance import DIMENSIONS, DayRollup
from plumbline.domain.policy import FEATURES, ModelFacts, Windows
from plumbline.domain.signals import Signal, admit, timestamp_of
from plumbline.domain.strategies import Activation, Channel, Configuration
from plumbline.domain.win import WIN_FEATURES, Rows, WinFacts
from plumbline.ports import Cursor, OutcomeKey, Page, SignalFilter, Span, Stores, Universe
from tests.digest_fakes import InMemoryDigests
from tests.fake_pages import cursor_after, put_new, resume_at
from tests.feed_fakes import InMemoryConnections, InMemoryFeed
from tests.paper_fakes import InMemoryBookRollups, InMemoryPositions, InMemoryTrades


class FakeExchange:
    """A market from tables of candles. `fail_with` holds errors to raise, one for each coming call of `candles`."""

    def __init__(
        self,
        series: Mapping[tuple[str, Timeframe], Candles] | None = None,
        *,
        source: str = "simulated",
        most_traded: Sequence[str] | None = None,
    ) -> None:
        self.source = source
        self.series = dict(series or {})
        self.fail_with: list[Exception] = []
        self.refused: dict[tuple[str, Timeframe], tuple[str, ...]] = {}
        self.calls: list[Span] = []
        self._most_traded = most_traded

    def list(self, symbol: str, *series: Candles) -> None:
        """Trade this market, with these candles, one table for each timeframe."""
        self.series |= {(symbol, candles.timeframe): candles for candles in series}

    def candles(self, symbol: str, timeframe: Timeframe, start: int, end: int) -> Sifted:
        self.calls.append(Span(symbol, timeframe, start, end))
        if self.fail_with:
            raise self.fail_with.pop(0)
        if symbol not in self.markets():
            raise UnknownSymbol(symbol, get_close_matches(symbol, self.markets()))
        table = self.series.get((symbol, timeframe), Candles.empty(timeframe))
        return Sifted(table.between(start, end), self.refused.get((symbol, timeframe), ()))

    def markets(self) -> tuple[str, ...]:
        return tuple(sorted({symbol for symbol, _ in self.series}))

    def most_traded(self, quote: str, count: int) -> tuple[str, ...]:
        known = self.markets() if self._most_traded is None else self._most_traded
        return tuple(symbol for symbol in known if symbol.endswith(f"/{quote}"))[:count]


class InMemoryCandles:
    """ports.CandleStore. Series are kept in pieces, so that adding a candle to a month does not copy the month."""

    _PIECE = 256

    def __init__(self) -> None:
        self._pieces: dict[tuple[str, Timeframe, int], Candles] = {}

    def load(self, spans: Sequence[Span]) -> list[Candles]:
        return [self._load(span) for span in spans]

    def add(self, symbol: str, candles: Candles) -> int:
        length = self._PIECE * candles.timeframe.ms
        before = len(self)
        for start in np.unique(candles.open_time - candles.open_time % length).tolist():
            key = symbol, candles.timeframe, start
            old = self._pieces.get(key, Candles.empty(candles.timeframe))
            self._pieces[key] = old.merge(candles.between(start, start + length))
        return len(self) - before

    def _load(self, span: Span) -> Candles:
        length = self._PIECE * span.timeframe.ms
        starts = range(span.start - span.start % length, span.end, length)
        pieces = [piece for start in starts if (piece := self._pieces.get((span.symbol, span.timeframe, start)))]
        if not pieces:
            return Candles.empty(span.timeframe)
        columns = (np.concatenate([getattr(piece, name) for piece in pieces]) for name in ("open_time", *COLUMNS))
        return Candles(span.timeframe, *columns).between(span.start, span.end)

    def __len__(self) -> int:
        return sum(map(len, self._pieces.values()))


class InMemorySignals:
    """ports.SignalLog."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.signals: dict[str, Signal] = {}
        self.claims: dict[str, str] = {}

    def add(self, signal: Signal) -> bool:
        admit(signal, self.source)
        if timestamp_of(signal.signal_id) != signal.timestamp:
            raise InvalidInput(f"{signal.signal_id} does not name the time {signal.timestamp}", field="signal_id")
        return put_new(self.signals, signal.signal_id, signal)

    def claim(self, name: str, signal_id: str) -> str:
        return self.claims.setdefault(name, signal_id)

    def get(self, signal_id: str) -> Signal | None:
        timestamp_of(signal_id)
        return self.signals.get(signal_id)

    def between(self, after: int, until: int, *, consistent: bool = True) -> Iterator[Signal]:
        yield from [signal for signal in self if after < signal.timestamp <= until]

    def page(self, wanted: SignalFilter, limit: int, cursor: str | None = None) -> Page[Signal]:
        if limit < 1:
            raise InvalidInput(f"a page holds 1 signal or more, not {limit}", field="limit")
        before = resume_at(cursor, wanted, timestamp_of)
        newest = sorted((s for s in self if _matches(s, wanted)), key=lambda s: s.signal_id, reverse=True)
        rest = [signal for signal in newest if before is None or signal.signal_id < before]
        more = cursor_after(rest[limit - 1].signal_id, wanted) if len(rest) > limit else None
        return Page(tuple(rest[:limit]), more)

    def __contains__(self, signal: Signal) -> bool:
        return self.signals.get(signal.signal_id) == signal

    def __iter__(self) -> Iterator[Signal]:
        return iter([self.signals[signal_id] for signal_id in sorted(self.signals)])

    def __len__(self) -> int:
        return len(self.signals)


class InMemoryOutcomes:
    """ports.OutcomeStore."""

    def __init__(self) -> None:
        self.outcomes: dict[OutcomeKey, Outcome] = {}

    def add(self, outcome: Outcome) -> bool:
        due = timestamp_of(outcome.signal_id) + outcome.interval.ms
        if due != outcome.due_at:
            raise InvalidInput(f"{outcome.signal_id} is due at {due}, not {outcome.due_at}", field="due_at")
        return put_new(self.outcomes, (outcome.signal_id, outcome.interval), outcome)

    def get(self, keys: Iterable[OutcomeKey]) -> dict[OutcomeKey, Outcome]:
        return {key: self.outcomes[key] for key in keys if key in self.outcomes}

    def due_between(self, after: int, until: int, *, consistent: bool = True) -> Iterator[Outcome]:
        yield from [outcome for outcome in self if after < outcome.due_at <= until]

    def __contains__(self, outcome: Outcome) -> bool:
        return self.outcomes.get((outcome.signal_id, outcome.interval)) == outcome

    def __iter__(self) -> Iterator[Outcome]:
        return iter(list(self.outcomes.values()))

    def __len__(self) -> int:
        return len(self.outcomes)


class InMemoryCursors:
    """ports.Cursors."""

    def __init__(self) -> None:
        self.cursors: dict[str, Cursor] = {}

    def read(self, name: str) -> Cursor | None:
        return self.cursors.get(name)

    def move(self, cursor: Cursor | None, name: str, position: int, notes: Mapping[str, object]) -> Cursor:
        version = cursor.version if cursor else 0
        stored = self.cursors.get(name)
        if version != (stored.version if stored else 0):
            raise CursorMoved(name, version)
        # Notes travel as JSON in every real store: a fake that kept tuples would hide a test's mistake.
        plain = json.loads(json.dumps(dict(notes)))
        self.cursors[name] = Cursor(name, position, version + 1, plain)
        return self.cursors[name]

    def rewind(self, name: str, position: int) -> None:
        if stored := self.cursors.get(name):
            self.cursors[name] = replace(stored, position=min(stored.position, position), version=stored.version + 1)

    def all(self) -> list[Cursor]:
        return [self.cursors[name] for name in sorted(self.cursors)]


class InMemoryStrategies:
    """ports.StrategyStore."""

    def __init__(self) -> None:
        self.snapshots: dict[tuple[str, str], Configuration] = {}
        self.history: defaultdict[str, dict[int, Activation]] = defaultdict(dict)

    def save(self, configuration: Configuration) -> bool:
        key = configuration.strategy, configuration.config_hash
        return put_new(self.snapshots, key, configuration)

    def get(self, strategy: str, config_hash: str) -> Configuration | None:
        return self.snapshots.get((strategy, config_hash))

    def activate(self, activation: Activation) -> bool:
        return put_new(self.history[activation.strategy], activation.active_from, activation)

    def activations(self, strategy: str) -> list[Activation]:
        return [activation for _, activation in sorted(self.history[strategy].items())]


class InMemoryChannels:
    """ports.ChannelStore."""

    def __init__(self) -> None:
        self.channels: dict[str, Channel] = {}

    def add(self, channel: Channel) -> bool:
        return put_new(self.channels, channel.channel_id, channel)

    def all(self) -> list[Channel]:
        return [self.channels[channel_id] for channel_id in sorted(self.channels)]


class InMemoryMarkets:
    """ports.Markets."""

    def __init__(self) -> None:
        self.universes: dict[str, Universe] = {}
        self.ends: dict[str, int] = {}

    def add(self, universe: Universe) -> bool:
        return put_new(self.universes, universe.day, universe)

    def on(self, days: Sequence[str]) -> list[Universe]:
        return [self.universes[day] for day in sorted({*days}) if day in self.universes]

    def follow(self, symbol: str, until: int) -> None:
        self.ends[symbol] = max(until, self.ends.get(symbol, until))

    def followed(self, now: int) -> tuple[str, ...]:
        return tuple(sorted(symbol for symbol, until in self.ends.items() if until >= now))


class InMemoryRollups:
    """ports.Rollups."""

    def __init__(self) -> None:
        self.rollups: dict[str, DayRollup] = {}
        self.versions: dict[str, int] = {}

    def put(self, rollup: DayRollup, version: int) -> None:
        if version < self.versions.get(rollup.day, version):
            return
        self.versions[rollup.day] = version
        cells = {d: row for d, row in rollup.cells.items() if row and d in DIMENSIONS}
        self.rollups[rollup.day] = replace(rollup, cells=cells)

    def get(self, day: str) -> DayRollup | None:
        return self.rollups.get(day)

    def days(self, days: Sequence[str], dimensions: Sequence[str], *, consistent: bool = False) -> list[DayRollup]:
        found = [self.rollups[day] for day in sorted({*days}) if day in self.rollups]
        return [
            replace(
                rollup,
                cells={d: rollup.cells[d] for d in dimensions if d in rollup.cells},
                extremes=rollup.extremes if EXTREMES in dimensions else Extremes(),
            )
            for rollup in found
        ]


class InMemoryModelReports:
    """ports.ModelReports."""

    def __init__(self) -> None:
        self.reports: dict[tuple[str, str], ModelReport] = {}

    def put(self, report: ModelReport) -> None:
        self.reports[report.model, report.day] = report

    def latest(self, model: str, until: str) -> ModelReport | None:
        days = [day for name, day in self.reports if name == model and day <= until]
        return self.reports[model, max(days)] if days else None


class FakeSchedules:
    """ports.Schedules."""

    def __init__(self, *rules: str) -> None:
        self.rules = dict.fromkeys(rules, True)

    def enable(self) -> list[str]:
        return self._set(on=True)

    def disable(self) -> list[str]:
        return self._set(on=False)

    def states(self) -> dict[str, bool]:
        return dict(self.rules)

    def _set(self, *, on: bool) -> list[str]:
        self.rules = dict.fromkeys(self.rules, on)
        return list(self.rules)


def memory_stores(source: str = "simulated") -> Stores:
    """Every store, empty."""
    return Stores(
        source=source,
        candles=InMemoryCandles(),
        signals=InMemorySignals(source),
        outcomes=InMemoryOutcomes(),
        cursors=InMemoryCursors(),
        strategies=InMemoryStrategies(),
        channels=InMemoryChannels(),
        markets=InMemoryMarkets(),
        rollups=InMemoryRollups(),
        model_reports=InMemoryModelReports(),
        positions=InMemoryPositions(),
        trades=InMemoryTrades(),
        book_rollups=InMemoryBookRollups(),
        digests=InMemoryDigests(),
        feed=InMemoryFeed(),
        connections=InMemoryConnections(),
    )


class Crash(BaseException):
    """The process died here. No `except Exception` can swallow it, as none can survive a killed Lambda."""


WRITES = {"add", "claim", "move", "rewind", "save", "activate", "follow", "put"} | {
    "remove",
    "mark",
    "append",
    "advance",
}
"""The ports' methods that write."""


class CrashAfter:
    """Stores whose writes are numbered from 1, over all of them; the process dies at write `at`.

    `performed` says whether that write was stored (the crash came between it and its answer) or never happened.
    `at` None never crashes: run once like that, and `writes` is the number of places to crash at.

        counting = CrashAfter(stores); use_case(counting.stores); counting.writes
        crashing = CrashAfter(stores, at=3, performed=True)
        with pytest.raises(Crash): use_case(crashing.stores)
        use_case(stores)  # the retry: must end as if nothing had happened
    """

    def __init__(self, stores: Stores, at: int | None = None, *, performed: bool = False) -> None:
        self.writes = 0
        self._at = at
        self._performed = performed
        guarded = {f.name: cast("Any", _Guarded(getattr(stores, f.name), self)) for f in fields(stores)}
        self.stores = replace(stores, **(guarded | {"source": stores.source}))

    def write[**P, R](self, perform: Callable[P, R]) -> Callable[P, R]:
        """The same method, dying at its turn."""

        @wraps(perform)
        def numbered(*args: P.args, **kwargs: P.kwargs) -> R:
            self.writes += 1
            dies = self.writes == self._at
            if dies and not self._performed:
                raise Crash(f"before write {self.writes}: {perform.__qualname__}")
            result = perform(*args, **kwargs)
            if dies:
                raise Crash(f"after write {self.writes}: {perform.__qualname__}")
            return result

        return numbered


class _Guarded:
    """One store behind a CrashAfter; reads pass through."""

    def __init__(self, store: object, crashes: CrashAfter) -> None:
        self._store = store
        self._crashes = crashes

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._store, name)
        return self._crashes.write(found) if name in WRITES else found

    def __contains__(self, fact: object) -> bool:
        return fact in cast("Any", self._store)

    def __iter__(self) -> Iterator[Any]:
        return iter(cast("Any", self._store))

    def __len__(self) -> int:
        return len(cast("Any", self._store))


def _matches(signal: Signal, wanted: SignalFilter) -> bool:
    return (
        wanted.symbol in (None, signal.symbol)
        and wanted.channel_id in (None, signal.channel_id)
        and (wanted.since is None or wanted.since <= signal.timestamp)
        and (wanted.until is None or signal.timestamp <= wanted.until)
    )


class FakePolicy:
    """A policy that follows the last candle: the larger its body, the surer it is of that side.

    `seen` counts the windows it was asked about. `stretch` makes it surer of everything.
    """

    def __init__(self, stretch: float = 3.0, timeframe: Timeframe = Timeframe.H1) -> None:
        self.seen = 0
        self.stretch = stretch
        self.facts = ModelFacts(
            name="fake",
            version="0.0.1",
            hash="f" * 64,
            market="simulated",
            timeframe=timeframe,
            stop_atr=2.0,
            target_atr=3.0,
            prior=(0.4, 0.3, 0.3),
            spread={name: (tuple(np.linspace(-1, 1, 9).tolist()), (0.1,) * 10) for name in FEATURES},
            card={"verdict": "edge"},
        )

    def probabilities(self, windows: Windows) -> Floats:
        self.seen += len(windows)
        body = self.stretch * windows[:, -1, FEATURES.index("body")].astype(np.float64)
        odds = np.stack((np.ones_like(body), np.exp(body), np.exp(-body)), axis=1)
        return cast("Floats", odds / odds.sum(axis=1, keepdims=True))


class FakeWin:
    """A model of the win probability that believes the score."""

    def __init__(self, *, enabled: bool = True, timeframe: Timeframe = Timeframe.H1) -> None:
        self.facts = WinFacts(
            name="win",
            version="0.0.1",
            hash="e" * 64,
            market="simulated",
            timeframe=timeframe,
            enabled=enabled,
            reason="it believes the score",
            figures={"signals": 0},
        )

    def probability(self, rows: Rows) -> Floats:
        return rows[:, WIN_FEATURES.index("unified_score")].astype(np.float64)
