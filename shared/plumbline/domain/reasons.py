"""Why a signal is given, and why none is: short sentences a person reads."""

from collections.abc import Iterator

from plumbline.domain.scanners import SCANNERS, Scene
from plumbline.domain.scanners.model import hesitation
from plumbline.domain.scores import Scores
from plumbline.domain.strategies import Configuration


def why(configuration: Configuration, scene: Scene, scores: Scores, side: int) -> Iterator[str]:
    """A sentence for every vote on this side, scanner by scanner, the strongest first; then who found the other side.

    Every array holds one value: one market at one candle.
    """
    for name, reading in scores.agreeing(configuration, side).items():
        cast = {key: vote.item() for key, vote in reading.votes.items() if vote.item() * side > 0}
        told = SCANNERS[name].tell(configuration, scene, cast)
        yield from (told[key] for key in sorted(told, key=lambda key: -abs(cast[key])))
    for name, reading in scores.agreeing(configuration, -side).items():
        points = (reading.sell if side > 0 else reading.buy).item()
        yield f"{name} disagrees: {'SELL' if side > 0 else 'BUY'} {points:.0f}"


def why_not(configuration: Configuration, scene: Scene, scores: Scores) -> list[str]:
    """What is missing for a signal, of the same; and why the policy does not act, where it was asked."""
    held_back = hesitation(configuration, scene)
    return [_missing(configuration, scores), *([held_back] if held_back else [])]


def _missing(configuration: Configuration, scores: Scores) -> str:
    if scores.side.item():
        return f"the condition already held within the last {configuration.cooldown_bars} candles (cooldown)"
    if scores.fired.item() >= configuration.min_indicators_required and scores.buy.item():
        return "as much speaks for BUY as for SELL"
    if scores.buy.item() or scores.sell.item():
        return f"{scores.fired.item()} of {configuration.min_indicators_required} required indicators fired"
    buy = max(reading.buy.item() for reading in scores.readings.values())
    sell = max(reading.sell.item() for reading in scores.readings.values())
    return (
        f"score {buy:.1f} for BUY (from {configuration.score_buy_target:g}), "
        f"{sell:.1f} for SELL (from {configuration.score_sell_target:g})"
    )
