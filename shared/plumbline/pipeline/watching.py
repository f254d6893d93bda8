"""Once a day: whether the model still sees the market it was trained on, and still earns its place in it."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from plumbline.domain.brackets import HORIZON, resolve
from plumbline.domain.calendar import DAY, Timeframe, day_of
from plumbline.domain.candles import Candles, Floats, Ints
from plumbline.domain.drift import Decided, ModelReport, parts, psi
from plumbline.domain.strategies import Channel, Configuration
from plumbline.domain.windows import blocks, window_start
from plumbline.pipeline.channels import configurations, open_channels, stretches, universes_between
from plumbline.pipeline.progress import SUMMARISE, EnoughTime, Progress, always, collecting, move
from plumbline.pipeline.ruling import Policies, unasked
from plumbline.ports import Span, Stores, Universe
from plumbline.settings import Settings

if TYPE_CHECKING:  # its module brings the indicators' library
    from plumbline.domain.policy import ModelFacts, Policy

WATCH = f"{SUMMARISE}#model"
"""Name of the cursor: the model is reported on for every day that ended by its position. As late as the summary."""

DAYS = 30
"""Days that a report looks back on."""


def watch_model(
    stores: Stores,
    settings: Settings,
    policies: Policies,
    now: int,
    enough_time: EnoughTime = always,
    *,
    tell: Callable[[ModelReport], None] = lambda _: None,
) -> list[ModelReport]:
    """Report on the model for every day that closed since the last run and is collected; returns the new reports.

    `tell` hears of the newest before its day is done: rather twice than never.

    Each missed day gets its own report, made of what was known at its end: runs that come late or again leave the same
    reports as those in time. A model begins with the last closed day. Without a model, or without a candle to ask about
    or a decided trade, there is no report. What the collector fills in later is in the reports of later days.
    """
    cursor, midnight = stores.cursors.read(WATCH), now - now % DAY
    # Opening a model loads its runtime, and in nearly all runs there is nothing to ask it.
    if cursor and cursor.position >= midnight:
        return []
    policy = policies()
    if policy is None:
        if cursor:
            move(stores.cursors, cursor, WATCH, midnight)
        return []
    collected = stores.cursors.read(collecting(policy.facts.timeframe))
    if collected is None:
        return []
    target = min(midnight, collected.position - collected.position % DAY)
    end = cursor.position + DAY if cursor else target
    reports = []
    while end <= target and enough_time():
        report = _report(stores, settings, policy, Progress.of(collected), end)
        if report:
            stores.model_reports.put(report)
            reports.append(report)
            if end == target:
                tell(report)
        cursor = move(stores.cursors, cursor, WATCH, end)
        end += DAY
    return reports


def _report(stores: Stores, settings: Settings, policy: "Policy", progress: Progress, end: int) -> ModelReport | None:
    """The report of the day that ended at `end`, symbol by symbol: what is kept of one is a few kilobytes."""
    timeframe = policy.facts.timeframe
    asking = _asking(stores, settings, policy.facts, end)
    if not asking:
        return None
    # All of them trade at the levels that its probabilities are about; the thresholds are the model's own channel's.
    watch = _Watch(policy, _alone(asking[0][1]), end)
    seen: dict[str, _Seen] = {}
    universes = universes_between(stores, watch.first, end)
    for symbol, spans in _scanned(universes, asking, watch.first, end).items():
        [candles] = stores.candles.load([Span(symbol, timeframe, watch.start, end)])
        # Beyond a hole that may still fill, indicators would see a gap.
        holes = [hole.start for hole in progress.holes if hole.symbol == symbol]
        part = watch.see(candles.closed_by(min([end, *holes])), spans)
        if len(part.decided):
            seen[symbol] = part
    spread = policy.facts.spread
    counts = {name: np.sum([part.counts[name] for part in seen.values()], axis=0) for name in spread}
    if not all(np.any(count) for count in counts.values()):
        return None
    drift = {name: psi(spread[name], count) for name, count in counts.items()}
    decided = Decided.together([part.decided for part in seen.values()])
    return ModelReport.of(day_of(end - 1), DAYS, policy.facts, seen, drift, decided)


def _asking(stores: Stores, settings: Settings, facts: "ModelFacts", at: int) -> list[tuple[Channel, Configuration]]:
    """The channels in whose configuration at that instant the model has a say, those of the model itself first."""
    found = [
        (channel, current.configuration)
        for channel in open_channels(stores)
        # One without an activation has decided on nothing yet, and asking for its configuration would store one.
        if stores.strategies.activations(channel.channel_id)
        for current in configurations(stores, channel, at - 1, at, settings)
        if current.configuration.asks_the_model and not unasked(facts, current.configuration, channel.timeframe)
    ]
    return sorted(found, key=lambda pair: pair[1].strategy_type != "model")


def _alone(configuration: Configuration) -> Configuration:
    """The same with the model as its only scanner and no cooldown: what it would do, were every candle its first."""
    return replace(configuration, scanner_weights={"model": 100.0}, min_indicators_required=1, cooldown_bars=0)


type Spans = Sequence[tuple[int, int]]
"""Stretches of closes, from and to inclusive (ms)."""


def _scanned(
    universes: Sequence[Universe], asking: Iterable[tuple[Channel, Configuration]], first: int, last: int
) -> Mapping[str, Spans]:
    """Every symbol that one of these channels scans, in order, and for which closes: chosen by what was known then."""
    spans: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    for channel, configuration in asking:
        for begin, until, symbols in stretches(universes, channel, first, last):
            for symbol in set(symbols) - {*configuration.excluded_symbols}:
                spans[symbol].append((begin, until))
    return dict(sorted(spans.items()))


@dataclass(frozen=True, slots=True)
class _Seen:
    """One symbol's share of a report: its candles in each part of each feature's spread, and its decided trades."""

    counts: Mapping[str, Ints]
    decided: Decided


@dataclass(frozen=True, slots=True)
class _Watch:
    """What is asked about each symbol for the day that ended at `end`."""

    policy: "Policy"
    configuration: Configuration
    end: int

    @property
    def timeframe(self) -> Timeframe:
        """Of the candles that the policy reads."""
        return self.policy.facts.timeframe

    @property
    def trade(self) -> int:
        """Longest that a trade may last (ms)."""
        return HORIZON * self.timeframe.ms

    @property
    def first(self) -> int:
        """First close that is asked about: a trade entered there had its whole time `DAYS` ago."""
        return self.end - DAYS * DAY - self.trade + self.timeframe.ms

    @property
    def start(self) -> int:
        """Open time of the first candle that is needed."""
        return window_start(self.timeframe, self.first - self.timeframe.ms)

    def see(self, candles: Candles, spans: Spans) -> _Seen:
        """Ask the policy about these candles, all closed by the day's end, in the windows in which it is served."""
        # The indicators' library is loaded on the one run a day that needs it.
        from plumbline.domain.evaluation import evaluate  # noqa: PLC0415  # see above
        from plumbline.domain.policy import FEATURES, inputs  # noqa: PLC0415  # see above

        counts = {name: np.zeros(len(spread[1]), np.int64) for name, spread in self.policy.facts.spread.items()}
        found = []
        for first, last in blocks(self.timeframe, self.first, self.end):
            window = candles.between(window_start(self.timeframe, first - self.timeframe.ms), last)
            cells = evaluate(self.configuration, [window], first, last, self.policy)
            closes, opinions = cells.closes, cells.scene.opinions
            if closes is None or opinions is None:
                raise ValueError("candles evaluated with a policy have closes and opinions")
            asked = np.isfinite(opinions[0]).all(axis=1) & _within(closes, spans)
            recent = inputs(cells.scene.features)[0, asked & (closes > self.end - DAYS * DAY)]
            for name, spread in self.policy.facts.spread.items():
                counts[name] += parts(spread, recent[:, FEATURES.index(name)])
            over = asked & (closes <= self.end - self.trade)
            found.append(
                self._decided(
                    candles, closes[over], opinions[0, over], cells.fires[0, over], cells.scene.features.atr[0, over]
                )
            )
        return _Seen(counts, Decided.together(found))

    def _decided(
        self, candles: Candles, closes: Ints, opinions: Floats, acted: NDArray[np.bool_], atr: Floats
    ) -> Decided:
        """What came of a long and a short trade entered at each of these closes; the undecided ones are left out."""
        at = np.searchsorted(candles.open_time, closes - self.timeframe.ms)
        stop, target = self.configuration.sl_threshold * atr, self.configuration.tp_threshold * atr
        long, short = (resolve(candles, at, side, stop, target) for side in (1, -1))
        labels = np.where(long.ended == 1, 1, np.where(short.ended == 1, 2, 0))
        known = long.known & short.known
        return Decided(opinions[known], labels[known], acted[known], closes[known] // self.trade)


def _within(closes: Ints, spans: Spans) -> NDArray[np.bool_]:
    """Which closes (n,) lie in one of the stretches."""
    inside = np.zeros(len(closes), dtype=bool)
    for begin, until in spans:
        inside |= (closes >= begin) & (closes <= until)
    return inside
