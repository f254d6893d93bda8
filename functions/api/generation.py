"""Decisions on demand, by the very code that decides live. Imported when first asked: it brings the kernels."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from api.answers import DecidedBy, DecisionBody, Generated, ProbabilitiesBody
from api.inputs import CandlesGiven, FromDatabase, ValuesGiven
from api.operations import Call
from api.stored import ALONE, Stored, newest_close, stored
from plumbline import queries
from plumbline.domain.calendar import Timeframe, iso
from plumbline.domain.candles import Candles
from plumbline.domain.decisions import Decision, decide, decide_at, decide_snapshot, hold
from plumbline.domain.errors import InvalidCandle, InvalidInput
from plumbline.domain.evaluation import Panel
from plumbline.domain.signals import Action, Provenance
from plumbline.domain.strategies import Channel, Configuration
from plumbline.domain.windows import window_start
from plumbline.pipeline.channels import active_configuration
from plumbline.pipeline.generating import to_signal, with_win_probability
from plumbline.pipeline.progress import Progress, collecting
from plumbline.pipeline.ruling import Ruling, WinModels, no_policy, no_win_model, unasked
from plumbline.rendering import number

GIVEN = "given"


def on_given(call: Call, body: ValuesGiven | CandlesGiven) -> Generated:
    """Decision on what the caller sends."""
    return _on_candles(call, body) if isinstance(body, CandlesGiven) else _on_values(call, body)


def on_stored(call: Call, body: FromDatabase) -> Generated:
    """Decision at the last candle that is collected and whole; `candle_close` says which one that was."""
    channel, symbol = _named(call, body)
    timeframe = Timeframe(body.timeframe or channel.timeframe)
    collected = call.stores.cursors.read(collecting(timeframe))
    newest = newest_close(collected, timeframe, call.now)
    matter = _matter(call, channel, symbol, timeframe, newest or call.now)
    progress = Progress.of(collected)
    found = stored(call.stores, channel, matter.configuration, timeframe, symbol, progress, newest=newest, now=call.now)
    decision = _excluded(matter) or _among(matter.ruling, found)
    return matter.answer(decision, call.stores.source, timeframe, found.notes)


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
    matter = _matter(call, channel, symbol, timeframe, now)
    decision = _excluded(matter) or decide(matter.ruling.configuration, window, matter.ruling.policy)
    notes = [
        *_left_out(len(given) - len(closed), f"not closed at {iso(now)}"),
        *_left_out(len(closed) - len(window), "older than the window of the last candle"),
        *([ALONE] if matter.configuration.compares_markets else []),
    ]
    return matter.answer(decision, GIVEN, timeframe, notes)


def _on_values(call: Call, body: ValuesGiven) -> Generated:
    """Values of one moment: the rules decide, whatever the channel; neither the policy nor a rank can read them."""
    channel, symbol = _named(call, body)
    configuration = active_configuration(call.stores, channel, call.now, call.settings)
    ruling = Ruling.of(configuration, channel.timeframe, no_policy)
    matter = _Matter(channel, symbol, configuration, ruling, "RULES" if call.services.has_model() else "PLACEHOLDER")
    decision = _excluded(matter) or decide_snapshot(ruling.configuration, body.values())
    unread = configuration.asks_the_model and matter.decided_by == "RULES"
    notes = [
        *(f"{name}: no such value" for name in sorted(body.model_extra or ())),
        *(["model: the policy reads candles, and these are values of one moment"] if unread else []),
        *([ALONE] if configuration.compares_markets else []),
    ]
    return matter.answer(decision, GIVEN, None, notes)


@dataclass(frozen=True, slots=True)
class _Matter:
    """What is to be decided, and by what."""

    channel: Channel
    symbol: str
    configuration: Configuration
    ruling: Ruling
    decided_by: DecidedBy
    notes: tuple[str, ...] = ()
    win: WinModels = no_win_model

    def answer(
        self,
        decision: Decision,
        source: str,
        timeframe: Timeframe | None,
        notes: Sequence[str],
    ) -> Generated:
        """The decision as an answer, its levels and worth beside it."""
        body = DecisionBody(
            symbol=self.symbol,
            action=decision.action.value,
            timeframe=timeframe,
            candle_close=None if decision.candle_close is None else iso(decision.candle_close),
            confidence=decision.confidence,
            unified_score=decision.unified_score,
            tier=decision.tier.value,
            scanner_type=decision.scanner or None,
            channel_id=self.channel.channel_id,
            strategy_type=self.configuration.strategy_type,
            snapshot_id=self.ruling.snapshot_id,
            model_version=self.ruling.model_version or None,
            model_hash=self.ruling.model_hash or None,
            probabilities=_probabilities(decision),
            expected_value=decision.expected_value,
            win_probability=self._win_probability(decision, timeframe),
            entry_price=number(decision.entry_price),
            stop_loss=number(decision.levels.stop_loss),
            take_profit=number(decision.levels.take_profit),
            position_size=number(decision.levels.position_size),
            risk_reward_ratio=number(decision.levels.risk_reward_ratio),
            indicator_breakdown=dict(decision.indicator_breakdown),
            indicators_fired=list(decision.indicators_fired),
            reasoning=list(decision.reasoning),
        )
        ignored = [*self.notes, *notes]
        return Generated(mode=self.decided_by, stored=False, data_source=source, signal=body, ignored=ignored)

    def _win_probability(self, decision: Decision, timeframe: Timeframe | None) -> float | None:
        """What the generator would write beside this signal."""
        if decision.action is Action.HOLD or decision.candle_close is None or timeframe is None:
            return None
        channel = replace(self.channel, timeframe=timeframe)
        signal = to_signal(decision, channel, self.ruling, self.symbol, Provenance(), decision.candle_close)
        return with_win_probability([signal], self.win)[0].win_probability


def _named(call: Call, body: ValuesGiven | CandlesGiven | FromDatabase) -> tuple[Channel, str]:
    stores = call.stores
    channel = queries.channel_named(stores, body.channel_id)
    return channel, queries.symbol_named(stores, body.symbol, call.now, channel.quote)


def _matter(call: Call, channel: Channel, symbol: str, timeframe: Timeframe, at: int) -> _Matter:
    configuration = active_configuration(call.stores, channel, at, call.settings)
    policies = call.services.policy
    ruling = Ruling.of(configuration, timeframe, policies)
    notes: tuple[str, ...] = ()
    if configuration.asks_the_model and ruling.policy is None and (other := policies()):
        notes = (f"model: {unasked(other.facts, configuration, timeframe)}",)
    return _Matter(channel, symbol, configuration, ruling, _decided_by(call, ruling), notes, call.services.win)


def _decided_by(call: Call, ruling: Ruling) -> DecidedBy:
    if ruling.policy:
        return "MODEL"
    return "PLACEHOLDER" if ruling.placeholder or not call.services.has_model() else "RULES"


def _excluded(matter: _Matter) -> Decision | None:
    """The generator does not look at excluded symbols at all."""
    if matter.symbol not in matter.configuration.excluded_symbols:
        return None
    return hold(f"{matter.symbol} is excluded by the channel's configuration")


def _among(ruling: Ruling, found: Stored) -> Decision:
    """The generator's decision on this market, made among those it is ranked with."""
    if len(found.windows) == 1:
        return decide(ruling.configuration, found.window, ruling.policy)
    panel = Panel(list(found.windows.values()), found.close, found.close)
    return decide_at(ruling.configuration, panel, list(found.windows).index(found.symbol), ruling.policy)


def _probabilities(decision: Decision) -> ProbabilitiesBody | None:
    if decision.opinion is None:
        return None
    hold, buy, sell = decision.opinion
    return ProbabilitiesBody(HOLD=hold, BUY=buy, SELL=sell)


def _left_out(count: int, why: str) -> list[str]:
    return [f"{count} candle{'s' if count > 1 else ''}: {why}"] if count else []
