"""What a scanner is: a method that reads the market and votes for one side or the other."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from plumbline.domain.candles import Floats
from plumbline.domain.features import Features
from plumbline.domain.strategies import Configuration


@dataclass(frozen=True, slots=True)
class Scene:
    """What scanners look at: arrays (markets, candles). The rows are one universe, which `mss` compares.

    `opinions` are the policy's probabilities (markets, candles, 3), NaN where it has none; None without a policy.
    `has_edge` says whether they may lead to a signal (`ModelFacts.has_edge`).
    """

    features: Features
    opinions: Floats | None = None
    has_edge: bool = True

    def part(self, rows: slice, columns: slice) -> "Scene":
        """Some markets at some candles, as views."""
        opinions = None if self.opinions is None else self.opinions[rows, columns]
        return Scene(self.features.part(rows, columns), opinions, self.has_edge)


type Votes = Mapping[str, Floats]
"""Each indicator's vote, float64 (markets, candles) from −1 (sell) to +1 (buy); NaN where it cannot say."""


@dataclass(frozen=True, slots=True)
class Scanner:
    """One method. `weights` are those of its votes; `tell` says in words what was seen where it voted.

    `tell` takes a scene of one market and one candle, and the votes cast there that are not 0.
    """

    name: str
    votes: Callable[[Configuration, Scene], Votes]
    weights: Callable[[Configuration], Mapping[str, float]]
    tell: Callable[[Configuration, Scene, Mapping[str, float]], Mapping[str, str]]
