"""Evaluate every closed candle once and append the signals it makes to the log."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import isfinite
from typing import cast

import numpy as np

from plumbline.domain.calendar import Timeframe
from plumbline.domain.candles import Candles
from plumbline.domain.decisions import Decision, decide_panel
from plumbline.domain.errors import RecordRefused
from plumbline.domain.evaluation import Panel
from plumbline.domain.outcomes import GIVE_UP_AFTER
from plumbline.domain.signals import Action, Origin, Provenance, Signal, signal_id
from plumbline.domain.strategies import Channel
from plumbline.domain.win import describe
from plumbline.domain.windows import blocks, window_start
from plumbline.pipeline.channels import (
    configurations,
    open_channels,
    scanned_between,
    stretches,
    universes_between,
)
from plumbline.pipeline.progress import (
    Clock,
    EnoughTime,
    Progress,
    always,
    call_log_readers_back,
    collecting,
    event_time,
    generating,
    move,
    reached,
    snapshot,
)
from plumbline.pipeline.ruling import NO_MODELS, Models, Policies, Ruling, WinModels
from plumbline.pipeline.timing import Stopwatch, Timing, stopped
from plumbline.ports import Cursor, Span, Stores
from plumbline.settings import Settings


def generate_signals(
    stores: Stores,
    settings: Settings,
    timeframe: Timeframe,
    now: int,
    enough_time: EnoughTime = always,
    *,
    clock: Clock = event_time,
    models: Models = NO_MODELS,
    stopwatch: Stopwatch = stopped,
) -> dict[str, int]:
    """Evaluate every candle of `timeframe` that closed since the last run and is collected.

    `now` says how far to go, `clock` when a signal is really recorded: an old event sent again makes no live signal.
    Returns how many candles were `evaluated`, how many `signals` are new in the log, and how many were `refused`:
    without a model, what its channels find by the rules is a placeholder. `stopwatch` says how long it took.
    """
    count = {"evaluated": 0, "signals": 0, "refused": 0}
    timing = Timing(models.policy, stopwatch)
    known = snapshot(stores.cursors)
    collected, cursor = known.get(collecting(timeframe)), known.get(generating(timeframe))
    if collected is None:
        return count
    progress, target = Progress.of(collected), min(timeframe.floor(now), collected.position)
    gone = sorted(s for s in progress.stalled if progress.gave_up(s, now, GIVE_UP_AFTER))
    after = _resume_at(timeframe, cursor, progress, gone) if cursor else target - timeframe.ms
    channels = [c for c in open_channels(stores) if c.timeframe is timeframe]
    for first, last in blocks(timeframe, after + timeframe.ms, target):
        if not enough_time():
            break
        late = [] if cursor else [first]
        block = _Block(stores, settings, progress, now, clock(now), first, last, timing.policies, count)
        with timing.run(count):
            found = with_win_probability([*block.signals(channels)], models.win)
        late += [s.timestamp for s in found if _append(stores, s, count) and s.timestamp <= reached(cursor)]
        if late:
            call_log_readers_back(stores.cursors, min(late))
        cursor = move(stores.cursors, cursor, generating(timeframe), last, runs=timing.notes(cursor), gone=gone)
    return count


def decided_until(progress: Progress, symbols: Iterable[str], last: int, now: int, *, together: bool) -> dict[str, int]:
    """Close (ms, at most `last`) up to which each symbol can be decided: beyond it indicators would see a gap.

    Decided `together`, as a rank changes with every market that is missing, they go as far as the last of them. Only
    a market that brought nothing for a week is not waited for: it is ranked as far as it goes.
    """
    solid = {symbol: min(last, progress.solid_until(symbol)) for symbol in symbols}
    if not together:
        return solid
    waited_for = [at for symbol, at in solid.items() if not progress.gave_up(symbol, now, GIVE_UP_AFTER)]
    return {symbol: min(at, *waited_for) if waited_for else at for symbol, at in solid.items()}


def window_span(symbol: str, timeframe: Timeframe, close: int) -> Span:
    """The candles that decide on the one that closed at `close`."""
    return Span(symbol, timeframe, window_start(timeframe, close - timeframe.ms), close)


def _resume_at(timeframe: Timeframe, cursor: Cursor, progress: Progress, gone: Sequence[str]) -> int:
    """Where to go on (ms): where the cursor stands, or where a market ended that is only now given up.

    What was decided together with it has waited from there on; nobody else would call the generator back.
    """
    noted = cast("Collection[str]", cursor.notes.get("gone", ()))
    # Of one that never brought anything, the candle that closed when it was first asked for has waited, too.
    ends = (
        progress.positions.get(s, timeframe.floor(progress.stalled[s]) - timeframe.ms) for s in gone if s not in noted
    )
    return min([cursor.position, *ends])


@dataclass(frozen=True, slots=True)
class _Block:
    """The candles that closed in [first, last], all within one window, and what is needed to decide on them."""

    stores: Stores
    settings: Settings
    progress: Progress
    now: int
    recorded_at: int
    first: int
    last: int
    policy: Policies
    count: dict[str, int]
    panels: dict[tuple[object, ...], Panel] = field(default_factory=dict)

    def signals(self, channels: Sequence[Channel]) -> Iterator[Signal]:
        """Signals of these channels, which share a timeframe, on every symbol they scan."""
        if not channels:
            return
        timeframe = channels[0].timeframe
        universes = universes_between(self.stores, self.first, self.last)
        symbols = sorted({s for c in channels for s in scanned_between(universes, c, self.first, self.last)})
        start = window_start(timeframe, self.first - timeframe.ms)
        loaded = self.stores.candles.load([Span(symbol, timeframe, start, self.last) for symbol in symbols])
        windows = dict(zip(symbols, loaded, strict=True))
        for channel in channels:
            for current in configurations(self.stores, channel, self.first - 1, self.last, self.settings):
                ruling = Ruling.of(current.configuration, timeframe, self.policy)
                for first, last, scanned in stretches(universes, channel, current.after + 1, current.until):
                    together = {s: windows[s] for s in scanned if s not in current.configuration.excluded_symbols}
                    yield from self._decide(channel, ruling, together, first, last)

    def _decide(
        self, channel: Channel, ruling: Ruling, windows: Mapping[str, Candles], first: int, last: int
    ) -> Iterator[Signal]:
        together = ruling.configuration.compares_markets
        solid = decided_until(self.progress, windows, last, self.now, together=together)
        known = {symbol: window.closed_by(solid[symbol]) for symbol, window in windows.items()}
        step = channel.timeframe.ms
        first, last = -(-first // step) * step, channel.timeframe.floor(last)
        self.count["evaluated"] += sum(len(w.between(first - step, last)) for w in known.values())
        symbols = list(known)
        if not known or first > last:
            return
        for market, decision in decide_panel(ruling.configuration, self._panel(known, first, last), ruling.policy):
            yield self._signal(channel, ruling, symbols[market], known[symbols[market]], decision)

    def _panel(self, known: Mapping[str, Candles], first: int, last: int) -> Panel:
        """Channels that look at the same candles share what is computed from them."""
        key = first, last, *((symbol, len(window)) for symbol, window in known.items())
        if key not in self.panels:
            self.panels[key] = Panel([*known.values()], first, last)
        return self.panels[key]

    def _signal(self, channel: Channel, ruling: Ruling, symbol: str, window: Candles, decision: Decision) -> Signal:
        provenance = Provenance(
            candles_hash=window.closed_by(decision.candle_close or 0).digest(),
            model_hash=ruling.model_hash,
            data_source=self.stores.source,
            code_version=self.settings.code_version,
        )
        return to_signal(decision, channel, ruling, symbol, provenance, self.recorded_at)


def to_signal(
    decision: Decision,
    channel: Channel,
    ruling: Ruling,
    symbol: str,
    provenance: Provenance,
    now: int,
) -> Signal:
    """The signal of a decision: its id is made of snapshot, symbol, timeframe and close, so it can exist only once."""
    close = decision.candle_close
    if decision.action is Action.HOLD or decision.entry_price is None or close is None:
        raise ValueError(f"{decision.action} at {decision.entry_price}, candle {close}, is no signal")
    configuration, ends = ruling.configuration, decision.levels
    return Signal(
        signal_id=signal_id(close, ruling.snapshot_id, symbol, channel.timeframe),
        timestamp=close,
        recorded_at=now,
        origin=Origin.LIVE if now - close <= channel.max_lag else Origin.BACKFILL,
        symbol=symbol,
        timeframe=channel.timeframe,
        action=decision.action,
        confidence=decision.confidence,
        unified_score=decision.unified_score,
        tier=decision.tier,
        scanner_type=decision.scanner,
        channel_id=channel.channel_id,
        strategy_type=configuration.strategy_type,
        entry_price=decision.entry_price,
        stop_loss=ends.stop_loss,
        take_profit=ends.take_profit,
        position_size=ends.position_size,
        risk_reward_ratio=ends.risk_reward_ratio,
        snapshot_id=ruling.snapshot_id,
        provenance=provenance,
        model_version=ruling.model_version,
        indicator_breakdown=decision.indicator_breakdown,
        indicators_fired=decision.indicators_fired,
        reasoning=decision.reasoning,
        latency_ms=now - close,
        placeholder=ruling.placeholder,
    )


def with_win_probability(signals: Sequence[Signal], win: WinModels) -> list[Signal]:
    """The same signals, each with its probability where a model that is in use reads their timeframe."""
    model = win() if signals else None
    if model is None or not model.facts.enabled or model.facts.timeframe is not signals[0].timeframe:
        return list(signals)
    told = np.round(model.probability(np.stack([describe(signal) for signal in signals])), 4)
    return [replace(s, win_probability=p if isfinite(p) else None) for s, p in zip(signals, told.tolist(), strict=True)]


def _append(stores: Stores, signal: Signal, count: dict[str, int]) -> bool:
    """Append to the log; False where the log refuses a placeholder; what is there already may be from a crashed run."""
    try:
        count["signals"] += stores.signals.add(signal)
    except RecordRefused:
        if not signal.placeholder:
            raise
        count["refused"] += 1
        return False
    return True
