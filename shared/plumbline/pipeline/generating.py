"""Evaluate every closed candle once and append the signals it makes to the log."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from plumbline.domain.calendar import Timeframe
from plumbline.domain.candles import Candles
from plumbline.domain.decisions import Decision, decide_all
from plumbline.domain.scanners import SCANNER
from plumbline.domain.signals import Action, Origin, Provenance, Signal, signal_id
from plumbline.domain.strategies import Channel
from plumbline.domain.windows import blocks, window_start
from plumbline.pipeline.channels import (
    Current,
    configurations,
    open_channels,
    scanned_between,
    scanned_symbols,
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
from plumbline.ports import Span, Stores, Universe
from plumbline.settings import Settings


def generate_signals(
    stores: Stores,
    settings: Settings,
    timeframe: Timeframe,
    now: int,
    enough_time: EnoughTime = always,
    *,
    clock: Clock = event_time,
) -> dict[str, int]:
    """Evaluate every candle of `timeframe` that closed since the last run and is collected.

    `now` says how far to go, `clock` when a signal is really recorded: an old event sent again makes no live signal.
    Returns how many candles were `evaluated` and how many `signals` are new in the log.
    """
    count = {"evaluated": 0, "signals": 0}
    known = snapshot(stores.cursors)
    collected, cursor = known.get(collecting(timeframe)), known.get(generating(timeframe))
    if collected is None:
        return count
    target = min(timeframe.floor(now), collected.position)
    after = cursor.position if cursor else target - timeframe.ms
    channels = [c for c in open_channels(stores) if c.timeframe is timeframe]
    for first, last in blocks(timeframe, after + timeframe.ms, target):
        if not enough_time():
            break
        late = [] if cursor else [first]
        block = _Block(stores, settings, Progress.of(collected), clock(now), first, last, count)
        for signal in block.signals(channels):
            count["signals"] += stores.signals.add(signal)
            if signal.timestamp <= reached(cursor):
                late.append(signal.timestamp)
        if late:
            call_log_readers_back(stores.cursors, min(late))
        cursor = move(stores.cursors, cursor, generating(timeframe), last)
    return count


def window_span(symbol: str, timeframe: Timeframe, close: int) -> Span:
    """The candles that decide on the one that closed at `close`."""
    return Span(symbol, timeframe, window_start(timeframe, close - timeframe.ms), close)


@dataclass(frozen=True, slots=True)
class _Block:
    """The candles that closed in [first, last], all within one window, and what is needed to decide on them."""

    stores: Stores
    settings: Settings
    progress: Progress
    recorded_at: int
    first: int
    last: int
    count: dict[str, int]

    def signals(self, channels: Sequence[Channel]) -> Iterator[Signal]:
        """Signals of these channels, which share a timeframe, on every symbol they scan."""
        if not channels:
            return
        timeframe = channels[0].timeframe
        universes = universes_between(self.stores, self.first, self.last)
        scanned = {c.channel_id: scanned_between(universes, c, self.first, self.last) for c in channels}
        symbols = sorted({symbol for names in scanned.values() for symbol in names})
        start = window_start(timeframe, self.first - timeframe.ms)
        loaded = self.stores.candles.load([Span(symbol, timeframe, start, self.last) for symbol in symbols])
        windows = dict(zip(symbols, loaded, strict=True))
        for channel in channels:
            for current in configurations(self.stores, channel, self.first - 1, self.last, self.settings):
                for symbol in scanned[channel.channel_id]:
                    yield from self._decide(channel, current, symbol, windows[symbol], universes)

    def _decide(
        self, channel: Channel, current: Current, symbol: str, window: Candles, universes: Sequence[Universe]
    ) -> Iterator[Signal]:
        # Beyond the collector's own position, or a hole that may still fill, indicators would see a gap.
        until = min(current.until, self.progress.solid_until(symbol))
        known = window.closed_by(until)
        self.count["evaluated"] += len(known.between(current.after + 1 - window.timeframe.ms, until))
        if symbol in current.configuration.excluded_symbols:
            return
        for decision in decide_all(current.configuration, known, current.after, until):
            close = decision.candle_close
            if close is not None and symbol in scanned_symbols(universes, channel, close):
                provenance = Provenance(
                    candles_hash=known.closed_by(close).digest(),
                    data_source=self.stores.source,
                    code_version=self.settings.code_version,
                )
                yield to_signal(decision, current, channel, symbol, close, provenance, self.recorded_at)


def to_signal(
    decision: Decision,
    current: Current,
    channel: Channel,
    symbol: str,
    close: int,
    provenance: Provenance,
    now: int,
) -> Signal:
    """The signal of a decision: its id is made of snapshot, symbol, timeframe and close, so it can exist only once."""
    snapshot = current.configuration.config_hash
    if decision.action is Action.HOLD or decision.entry_price is None:
        raise ValueError(f"{decision.action} at {decision.entry_price} is no signal")
    return Signal(
        signal_id=signal_id(close, snapshot, symbol, channel.timeframe),
        timestamp=close,
        recorded_at=now,
        origin=Origin.LIVE if now - close <= channel.max_lag else Origin.BACKFILL,
        symbol=symbol,
        timeframe=channel.timeframe,
        action=decision.action,
        confidence=decision.confidence,
        unified_score=decision.unified_score,
        tier=decision.tier,
        scanner_type=SCANNER,
        channel_id=channel.channel_id,
        strategy_type=current.configuration.strategy_type,
        entry_price=decision.entry_price,
        stop_loss=decision.stop_loss,
        take_profit=decision.take_profit,
        position_size=decision.position_size,
        risk_reward_ratio=decision.risk_reward_ratio,
        snapshot_id=snapshot,
        provenance=provenance,
        indicator_breakdown=decision.indicator_breakdown,
        indicators_fired=decision.indicators_fired,
        reasoning=decision.reasoning,
        latency_ms=now - close,
    )
