"""The unified score: one weighted figure over the scanners that agree on a market and a side."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plumbline.domain.candles import Floats
from plumbline.domain.scanners import SCANNERS, Scene
from plumbline.domain.strategies import Configuration

FIRED_AT = 0.5
"""An indicator counts as fired from this strength of its vote."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What one scanner makes of a scene: its votes (NaN counted as none) and its score 0–100 for either side."""

    votes: Mapping[str, Floats]
    buy: Floats
    sell: Floats

    def part(self, rows: slice, columns: slice) -> "Reading":
        """Some markets at some candles, as views."""
        votes = {name: vote[rows, columns] for name, vote in self.votes.items()}
        return Reading(votes, self.buy[rows, columns], self.sell[rows, columns])


@dataclass(frozen=True, slots=True)
class Scores:
    """Arrays (markets, candles). `side` is +1, −1, or 0 where nothing is found.

    A scanner has found something on a side where its score reaches the configuration's target there and is above its
    score for the other side. `buy` and `sell` are the weighted means over the scanners that have, 0 where none has;
    `margin` is by how much the weighted sum for BUY exceeds that for SELL.
    """

    readings: Mapping[str, Reading]
    buy: Floats
    sell: Floats
    margin: Floats
    fired: NDArray[np.int64]
    side: NDArray[np.int64]

    def agreeing(self, configuration: Configuration, side: int) -> dict[str, Reading]:
        """The scanners that found something on this side at one market's candle, the one that counts most first."""
        agreed = {n: reading for n, reading in self.readings.items() if found(configuration, reading, side).item()}
        weights = configuration.scanner_weights

        def support(name: str) -> float:
            return float(weights[name] * (agreed[name].buy if side > 0 else agreed[name].sell).item())

        return {name: agreed[name] for name in sorted(agreed, key=support, reverse=True)}

    def part(self, rows: slice, columns: slice) -> "Scores":
        """Some markets at some candles, as views."""
        readings = {name: reading.part(rows, columns) for name, reading in self.readings.items()}
        some = rows, columns
        return Scores(readings, self.buy[some], self.sell[some], self.margin[some], self.fired[some], self.side[some])


def score(configuration: Configuration, scene: Scene) -> Scores:
    """Ask the scanners that count, and weigh what they found."""
    weights = {name: weight for name, weight in configuration.scanner_weights.items() if weight > 0}
    readings = {name: _reading(configuration, scene, name) for name in weights}
    zero = np.zeros_like(scene.features.close)
    support, weight = {1: zero.copy(), -1: zero.copy()}, {1: zero.copy(), -1: zero.copy()}
    for name, reading in readings.items():
        for side in (1, -1):
            share = weights[name] * found(configuration, reading, side)
            support[side] += share * (reading.buy if side > 0 else reading.sell)
            weight[side] += share
    lead = np.where(support[1] >= support[-1], 1, -1)
    fired = sum((_fired(configuration, name, reading, lead) for name, reading in readings.items()), zero.astype(int))
    enough = (support[1] != support[-1]) & (fired >= configuration.min_indicators_required)
    return Scores(
        readings,
        np.divide(support[1], weight[1], out=zero.copy(), where=weight[1] > 0),
        np.divide(support[-1], weight[-1], out=zero, where=weight[-1] > 0),
        support[1] - support[-1],
        fired,
        np.where(enough, lead, 0),
    )


def found(configuration: Configuration, reading: Reading, side: int) -> NDArray[np.bool_]:
    """Where this scanner has found something on this side (+1 or −1)."""
    if side > 0:
        return (reading.buy >= configuration.score_buy_target) & (reading.buy > reading.sell)
    return (reading.sell >= configuration.score_sell_target) & (reading.sell > reading.buy)


def _reading(configuration: Configuration, scene: Scene, name: str) -> Reading:
    scanner = SCANNERS[name]
    votes = {key: np.nan_to_num(vote, nan=0.0) for key, vote in scanner.votes(configuration, scene).items()}
    weights = scanner.weights(configuration)
    total = sum(weights.values())
    buy, sell = np.zeros_like(scene.features.close), np.zeros_like(scene.features.close)
    for key, vote in votes.items():
        share = 100 * weights.get(key, 0.0) / total
        buy += share * np.clip(vote, 0, 1)
        sell += share * np.clip(-vote, 0, 1)
    return Reading(votes, buy, sell)


def _fired(configuration: Configuration, name: str, reading: Reading, lead: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many indicators of a scanner fired on the leading side, where the scanner found something there."""
    weights = SCANNERS[name].weights(configuration)
    count = np.zeros_like(lead)
    for key, vote in reading.votes.items():
        if weights.get(key):
            count += lead * vote >= FIRED_AT
    agrees = np.where(lead > 0, found(configuration, reading, 1), found(configuration, reading, -1))
    return count * agrees
