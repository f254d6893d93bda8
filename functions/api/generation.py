"""Decisions on demand, by the very code that decides live. Imported when first asked: it brings the kernels."""

from collections.abc import Sequence

from api.answers import DecisionBody, Generated
from api.inputs import CandlesGiven, FromDatabase, ValuesGiven
from api.operations import Call
from api.rendering import PLACEHOLDER, number
from plumbline import queries
from plumbline.domain.calendar import Timeframe, iso
from plumbline.domain.candles import Candles
from plumbline.domain.decisions import Decision, decide, decide_snapshot
from plumbline.domain.errors import InvalidCandle, InvalidInput
from plumbline.domain.strategies import Channel, Configuration
from plumbline.domain.windows import window_start
from plumbline.pipeline.channels import active_configuration
from plumbline.pipeline.generating import window_span
from plumbline.pipeline.progress import collecting

GIVEN = "given"


def on_given(call: Call, body: ValuesGiven | CandlesGiven) -> Generated:
    """Decision on what the caller sends."""
    return _on_candles(call, body) if isinstance(body, CandlesGiven) else _on_values(call, body)


def on_stored(call: Call, body: FromDatabase) -> Generated:
    """Decision at the last candle that is collected.

    "Last" is the collector's word, not the clock's: in a replay, or while the exchange is away, the two differ, and
    `candle_close` says which candle it was.
    """
    stores, now = call.stores, call.now
    channel = queries.channel_named(stores, body.channel_id)
    timeframe = Timeframe(body.timeframe or channel.timeframe)
    symbol = queries.symbol_named(stores, body.symbol, now, channel.quote)
    collected = stores.cursors.read(collecting(timeframe))
    close = timeframe.floor(min(now, collected.position) if collected else now)
    window = stores.candles.load([window_span(symbol, timeframe, close)])[0].closed_by(close)
    configuration = _configuration(call, channel, close)
    decision = decide(configuration, window)
    return _generated(symbol, channel, configuration, decision, source=stores.source, timeframe=timeframe)


def _on_candles(call: Call, body: CandlesGiven) -> Generated:
    timeframe, now = Timeframe(body.timeframe), call.now
    channel, symbol = _named(call, body)
    try:
        given = Candles.of(timeframe, body.candles)
    except InvalidCandle as fault:
        raise InvalidInput(str(fault), field="candles") from None
    closed = given.closed_by(now)
    last_open = int(closed.open_time[-1]) if len(closed) else 0
    window = closed.between(window_start(timeframe, last_open), now)
    configuration = _configuration(call, channel, now)
    decision = decide(configuration, window)
    ignored = [
        *_left_out(len(given) - len(closed), f"not closed at {iso(now)}"),
        *_left_out(len(closed) - len(window), "older than the window of the last candle"),
    ]
    return _generated(symbol, channel, configuration, decision, source=GIVEN, timeframe=timeframe, ignored=ignored)


def _on_values(call: Call, body: ValuesGiven) -> Generated:
    channel, symbol = _named(call, body)
    configuration = _configuration(call, channel, call.now)
    decision = decide_snapshot(configuration, body.values())
    ignored = [f"{name}: no such value" for name in sorted(body.model_extra or ())]
    return _generated(symbol, channel, configuration, decision, source=GIVEN, timeframe=None, ignored=ignored)


def _named(call: Call, body: ValuesGiven | CandlesGiven) -> tuple[Channel, str]:
    stores = call.stores
    channel = queries.channel_named(stores, body.channel_id)
    return channel, queries.symbol_named(stores, body.symbol, call.now, channel.quote)


def _configuration(call: Call, channel: Channel, at: int) -> Configuration:
    return active_configuration(call.stores, channel, at, call.settings)


def _left_out(count: int, why: str) -> list[str]:
    return [f"{count} candle{'s' if count > 1 else ''}: {why}"] if count else []


def _generated(
    symbol: str,
    channel: Channel,
    configuration: Configuration,
    decision: Decision,
    *,
    source: str,
    timeframe: Timeframe | None,
    ignored: Sequence[str] = (),
) -> Generated:
    body = DecisionBody(
        symbol=symbol,
        action=decision.action.value,
        timeframe=timeframe,
        candle_close=None if decision.candle_close is None else iso(decision.candle_close),
        confidence=decision.confidence,
        unified_score=decision.unified_score,
        tier=decision.tier.value,
        channel_id=channel.channel_id,
        strategy_type=configuration.strategy_type,
        snapshot_id=configuration.config_hash,
        entry_price=number(decision.entry_price),
        stop_loss=number(decision.levels.stop_loss),
        take_profit=number(decision.levels.take_profit),
        position_size=number(decision.levels.position_size),
        risk_reward_ratio=number(decision.levels.risk_reward_ratio),
        indicator_breakdown=dict(decision.indicator_breakdown),
        indicators_fired=list(decision.indicators_fired),
        reasoning=list(decision.reasoning),
    )
    return Generated(mode=PLACEHOLDER, stored=False, data_source=source, signal=body, ignored=list(ignored))
