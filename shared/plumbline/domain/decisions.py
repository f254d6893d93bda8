"""From candles to a decision: votes, score, tier, cooldown, levels. The same code live, in backfill and backtest."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from plumbline.domain import scanners
from plumbline.domain.candles import Candles, Floats
from plumbline.domain.errors import InvalidInput
from plumbline.domain.features import Features
from plumbline.domain.signals import Action, Tier, to_price
from plumbline.domain.strategies import Configuration
from plumbline.domain.windows import WARM_UP

_FIRED_AT = 0.5
"""An indicator counts as fired from this strength of its vote."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """Where a trade ends, what it stakes (share of equity), and reward over risk; None where nothing can be said."""

    stop_loss: Decimal | None = None
    take_profit: Decimal | None = None
    position_size: Decimal | None = None
    risk_reward_ratio: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a configuration makes of one candle. HOLD says in `reasoning` why nothing is done.

    `confidence` of the rules is the score as a fraction: how strongly they agree, not a probability of winning.
    `candle_close` is the ms at which the candle closed, None for a decision on given values.
    """

    action: Action
    confidence: float
    unified_score: float
    tier: Tier
    indicator_breakdown: Mapping[str, float] = field(default_factory=dict)
    indicators_fired: tuple[str, ...] = ()
    reasoning: tuple[str, ...] = ()
    entry_price: Decimal | None = None
    stop_loss: Decimal | None = None
    take_profit: Decimal | None = None
    position_size: Decimal | None = None
    risk_reward_ratio: Decimal | None = None
    candle_close: int | None = None


@dataclass(frozen=True, slots=True)
class _Scored:
    """Votes of a window, weighted. `side` is +1, −1 or 0 (nothing fires), each array (n,)."""

    features: Features
    votes: Mapping[str, Floats]
    buy: Floats
    sell: Floats
    fired: Floats
    side: NDArray[np.int64]

    @property
    def score(self) -> Floats:
        return np.maximum(self.buy, self.sell)


def decide(configuration: Configuration, candles: Candles) -> Decision:
    """Decision at the last of these candles, which should be its window (`windows.window_start`)."""
    if len(candles) < WARM_UP:
        return _hold(0.0, f"not enough history: {len(candles)} of {WARM_UP} candles")
    (scored, fires), last = _evaluate(configuration, candles, len(candles) - 1), -1
    return _dated(_decision(configuration, scored, last, fires=bool(fires[last])), candles, last)


def decide_all(configuration: Configuration, candles: Candles, after: int, until: int) -> Iterator[Decision]:
    """BUY and SELL decisions of the candles of one window that close in (after, until], oldest first."""
    closed = candles.closed_by(until)
    first = max(WARM_UP - 1, int(np.searchsorted(candles.open_time, after - candles.timeframe.ms, "right")))
    if first >= len(closed):
        return
    scored, fires = _evaluate(configuration, closed, first)
    for at in (np.flatnonzero(fires) - len(fires)).tolist():
        if at >= first - len(closed):
            yield _dated(_decision(configuration, scored, at, fires=True), closed, at)


def decide_snapshot(configuration: Configuration, values: Mapping[str, float]) -> Decision:
    """Decision on indicator values somebody gives; without an ATR it carries no levels."""
    if not values.get("close", 0) > 0:
        raise InvalidInput(f"close {values.get('close')} must be above zero", field="close_price")
    scored = _score(configuration, Features.of_snapshot(values))
    return _decision(configuration, scored, 0, fires=bool(scored.side[0]))


def levels(configuration: Configuration, action: Action, close: float, atr: float) -> Levels:
    """Stop and target by ATR: entry ∓ sl_threshold × ATR, entry ± tp_threshold × ATR.

    Empty where the ATR is not a number or so wide that a level would not be a price.
    """
    sign = action.side.sign
    stop = close - sign * configuration.sl_threshold * atr
    target = close + sign * configuration.tp_threshold * atr
    if not (np.isfinite(atr) and atr > 0 and min(stop, target) > 0):
        return Levels()
    return Levels(
        stop_loss=to_price(stop),
        take_profit=to_price(target),
        position_size=to_price(configuration.position_size_pct),
        risk_reward_ratio=to_price(configuration.tp_threshold / configuration.sl_threshold),
    )


def _evaluate(configuration: Configuration, candles: Candles, first: int) -> tuple[_Scored, NDArray[np.bool_]]:
    """Scores from candle `first` on, and which of them fire after cooldown; both end with the last candle.

    The indicators need the whole window, the votes only these candles and those that the cooldown looks back on.
    """
    begin = max(0, first - configuration.cooldown_bars)
    scored = _score(configuration, Features.of(candles).since(begin))
    return scored, _after_cooldown(configuration, scored.side) != 0


def _score(configuration: Configuration, features: Features) -> _Scored:
    votes = scanners.votes(configuration, features)
    weights = {name: configuration.indicator_weights.get(name, 0.0) for name in votes}
    total = sum(configuration.indicator_weights.values())
    nothing = np.zeros_like(features.close)
    buy, sell = nothing.copy(), nothing.copy()
    for name, vote in votes.items():
        share = 100 * weights[name] / total
        buy += share * np.clip(vote, 0, 1)
        sell += share * np.clip(-vote, 0, 1)
    lead = np.where(buy >= sell, 1, -1)
    fired = nothing.copy()
    for name, vote in votes.items():
        if weights[name]:
            fired += lead * vote >= _FIRED_AT
    target = np.where(lead > 0, configuration.score_buy_target, configuration.score_sell_target)
    enough = (np.maximum(buy, sell) >= target) & (fired >= configuration.min_indicators_required) & (buy != sell)
    return _Scored(features, votes, buy, sell, fired, np.where(enough, lead, 0))


def _after_cooldown(configuration: Configuration, side: NDArray[np.int64]) -> NDArray[np.int64]:
    """Keep what fires after `cooldown_bars` candles without the same side: a lasting condition is one signal.

    Judged on the condition itself, not on what was signalled, so it needs no memory and no start.
    """
    kept = side.copy()
    for back in range(1, min(configuration.cooldown_bars, len(side) - 1) + 1):
        kept[back:] = np.where(side[back:] == side[:-back], 0, kept[back:])
    return kept


def _decision(configuration: Configuration, scored: _Scored, at: int, *, fires: bool) -> Decision:
    score = round(float(scored.score[at]), 2)
    side = int(scored.side[at])
    if not fires or not side:
        return _hold(score, _why_not(configuration, scored, at))
    action = Action.BUY if side > 0 else Action.SELL
    close = float(scored.features.close[at])
    ends = levels(configuration, action, close, float(scored.features.atr[at]))
    cast = {name: round(float(vote[at]), 4) for name, vote in scored.votes.items()}
    agreeing = {name: vote for name, vote in cast.items() if vote * side > 0}
    return Decision(
        action=action,
        confidence=round(score / 100, 4),
        unified_score=score,
        tier=Tier.of(score),
        indicator_breakdown=_breakdown(configuration, cast),
        indicators_fired=tuple(name for name, vote in cast.items() if vote * side >= _FIRED_AT),
        reasoning=scanners.reasons(configuration, scored.features, at, agreeing),
        entry_price=to_price(close),
        stop_loss=ends.stop_loss,
        take_profit=ends.take_profit,
        position_size=ends.position_size,
        risk_reward_ratio=ends.risk_reward_ratio,
    )


def _breakdown(configuration: Configuration, cast: Mapping[str, float]) -> dict[str, float]:
    """Points each indicator adds to the score; negative where it voted for the other side."""
    total = sum(configuration.indicator_weights.values())
    return {n: round(100 * vote * configuration.indicator_weights.get(n, 0.0) / total, 2) for n, vote in cast.items()}


def _hold(score: float, reason: str) -> Decision:
    return Decision(
        action=Action.HOLD,
        confidence=round(score / 100, 4),
        unified_score=score,
        tier=Tier.of(score),
        reasoning=(reason,),
    )


def _why_not(configuration: Configuration, scored: _Scored, at: int) -> str:
    if scored.side[at]:
        return f"the condition already held within the last {configuration.cooldown_bars} candles (cooldown)"
    buy, sell, fired = scored.buy[at], scored.sell[at], int(scored.fired[at])
    if fired < configuration.min_indicators_required:
        return f"{fired} of {configuration.min_indicators_required} required indicators fired"
    return (
        f"score {buy:.1f} for BUY (from {configuration.score_buy_target:g}), "
        f"{sell:.1f} for SELL (from {configuration.score_sell_target:g})"
    )


def _dated(decision: Decision, candles: Candles, at: int) -> Decision:
    close = int(candles.open_time[at]) + candles.timeframe.ms
    return replace(decision, candle_close=close)
