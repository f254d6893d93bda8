"""From candles to decisions: what fires, at which levels, and why. The same code live, in backfill and backtest."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np

from plumbline.domain.calendar import iso
from plumbline.domain.candles import Candles
from plumbline.domain.errors import InvalidInput
from plumbline.domain.evaluation import Evaluation, Panel
from plumbline.domain.features import Features
from plumbline.domain.policy import Policy
from plumbline.domain.reasons import why, why_not
from plumbline.domain.scanners import SCANNERS, Scene
from plumbline.domain.scanners.model import value
from plumbline.domain.scores import FIRED_AT, Reading, score
from plumbline.domain.signals import Action, Tier, to_price
from plumbline.domain.strategies import Configuration
from plumbline.domain.windows import WARM_UP


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

    `scanner` is the one that counts most in the score. `confidence` is the policy's probability where that is the
    model, else the score as a fraction: how strongly the rules agree, not a probability of winning. `candle_close` is
    the ms at which the candle closed, None for a decision on given values. `opinion` holds the policy's probabilities
    in the order of `policy.ACTIONS`, `expected_value` what a trade on its likelier side earns on average after costs,
    at least, in units of its risk; both None where it has no opinion.
    """

    action: Action
    confidence: float
    unified_score: float
    tier: Tier
    scanner: str = ""
    indicator_breakdown: Mapping[str, float] = field(default_factory=dict)
    indicators_fired: tuple[str, ...] = ()
    reasoning: tuple[str, ...] = ()
    levels: Levels = field(default_factory=Levels)
    entry_price: Decimal | None = None
    candle_close: int | None = None
    opinion: tuple[float, ...] | None = None
    expected_value: float | None = None


def decide(configuration: Configuration, candles: Candles, policy: Policy | None = None) -> Decision:
    """Decision at the last of these candles, which should be its window (`windows.window_start`)."""
    close = int(candles.open_time[-1]) + candles.timeframe.ms if len(candles) else 0
    return decide_at(configuration, Panel([candles], close, close), 0, policy)


def decide_at(configuration: Configuration, panel: Panel, market: int, policy: Policy | None = None) -> Decision:
    """Decision on one market at the panel's last candle, made among the others of the panel."""
    window, close = panel.windows[market], panel.last
    if len(window) < WARM_UP:
        return hold(f"not enough history: {len(window)} of {WARM_UP} candles")
    if int(window.open_time[-1]) + window.timeframe.ms != close:
        return hold(f"no candle closed at {iso(close)}")
    evaluation = panel.evaluate(configuration, policy)
    return _decision(configuration, evaluation.part(market, len(evaluation.fires[0]) - 1))


def decide_all(
    configuration: Configuration, windows: Sequence[Candles], first: int, last: int, policy: Policy | None = None
) -> Iterator[tuple[int, Decision]]:
    """BUY and SELL decisions of the candles that close in [first, last] (ms), each with the index of its market.

    The windows are of one timeframe and begin where those of these candles do; together they are the universe in which
    `mss` ranks. Oldest candle first.
    """
    if not windows:
        return
    step = windows[0].timeframe.ms
    first, last = -(-first // step) * step, last - last % step
    if first <= last:
        yield from decide_panel(configuration, Panel(windows, first, last), policy)


def decide_panel(
    configuration: Configuration, panel: Panel, policy: Policy | None = None
) -> Iterator[tuple[int, Decision]]:
    """The same on a panel, which several configurations may share."""
    evaluation = panel.evaluate(configuration, policy)
    for candle, market in np.argwhere(evaluation.fires.T).tolist():
        yield market, _decision(configuration, evaluation.part(market, candle))


def decide_snapshot(configuration: Configuration, values: Mapping[str, float]) -> Decision:
    """Decision of the rules on indicator values somebody gives; without an ATR it carries no levels."""
    if not values.get("close", 0) > 0:
        raise InvalidInput(f"close {values.get('close')} must be above zero", field="close_price")
    scene = Scene(Features.of_snapshot(values))
    scores = score(configuration, scene)
    return _decision(configuration, Evaluation(None, scene, scores, scores.side != 0))


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


def hold(
    *reasons: str,
    score: float = 0.0,
    candle_close: int | None = None,
    opinion: tuple[float, ...] | None = None,
    expected_value: float | None = None,
) -> Decision:
    """HOLD for these reasons; `score` (0–100) is the best that was found."""
    score = round(score, 2)
    return Decision(
        action=Action.HOLD,
        confidence=round(score / 100, 4),
        unified_score=score,
        tier=Tier.of(score),
        reasoning=reasons,
        candle_close=candle_close,
        opinion=opinion,
        expected_value=expected_value,
    )


def _decision(configuration: Configuration, cell: Evaluation) -> Decision:
    """The decision at one market's candle: every array of `cell` holds one value."""
    scores, scene = cell.scores, cell.scene
    close = None if cell.closes is None else int(cell.closes[0])
    opinion, worth = _opinion(configuration, scene)
    side = int(scores.side[0, 0])
    if not cell.fires[0, 0]:
        best = max(max(reading.buy.item(), reading.sell.item()) for reading in scores.readings.values())
        reasons = why_not(configuration, scene, scores)
        return hold(*reasons, score=best, candle_close=close, opinion=opinion, expected_value=worth)
    action = Action.BUY if side > 0 else Action.SELL
    agreeing = scores.agreeing(configuration, side)
    unified = round((scores.buy if side > 0 else scores.sell).item(), 2)
    lead = next(iter(agreeing))
    return Decision(
        action=action,
        confidence=max(opinion[1:]) if lead == "model" and opinion else round(unified / 100, 4),
        unified_score=unified,
        tier=Tier.of(unified),
        scanner=lead,
        indicator_breakdown=_breakdown(configuration, agreeing),
        indicators_fired=_fired(configuration, agreeing, side),
        reasoning=tuple(why(configuration, scene, scores, side)),
        levels=levels(configuration, action, scene.features.close.item(), scene.features.atr.item()),
        entry_price=to_price(scene.features.close.item()),
        candle_close=close,
        opinion=opinion,
        expected_value=worth,
    )


def _opinion(configuration: Configuration, scene: Scene) -> tuple[tuple[float, ...] | None, float | None]:
    """The policy's probabilities, and what a trade on the likelier side is worth; None where it has no opinion."""
    if scene.opinions is None or not np.isfinite(scene.opinions).all():
        return None, None
    chances = tuple(scene.opinions[0, 0].tolist())
    return chances, round(value(configuration, scene, np.array([[max(chances[1:])]])).item(), 4)


def _breakdown(configuration: Configuration, agreeing: Mapping[str, Reading]) -> dict[str, float]:
    """Points of the unified score from each indicator: positive for BUY, negative for SELL."""
    total = sum(configuration.scanner_weights[name] for name in agreeing)
    points = {}
    for name, reading in agreeing.items():
        weights = SCANNERS[name].weights(configuration)
        share = configuration.scanner_weights[name] / total / sum(weights.values())
        for key, vote in reading.votes.items():
            points[key] = round(100 * vote.item() * weights.get(key, 0.0) * share, 2) + 0.0  # never −0.0
    return points


def _fired(configuration: Configuration, agreeing: Mapping[str, Reading], side: int) -> tuple[str, ...]:
    return tuple(
        key
        for name, reading in agreeing.items()
        for key, vote in reading.votes.items()
        if vote.item() * side >= FIRED_AT and SCANNERS[name].weights(configuration).get(key)
    )
