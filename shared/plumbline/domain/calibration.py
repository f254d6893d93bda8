"""Whether what was stated is what happened: confidence and unified score against the signals' results.

A stated figure is read as a probability in 0–1; the unified score is no probability by its making, so its table says
what it would be worth as one. Sums are whole millionths, so tables merge in any order to the same bytes.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, Self

from plumbline.domain.errors import InvalidInput
from plumbline.domain.outcomes import Label, Outcome
from plumbline.domain.performance import wilson
from plumbline.domain.signals import Signal
from plumbline.domain.trades import FLAT_WITHIN, Trade

BINS = 10

type Stated = Literal["confidence", "score"]
STATED: tuple[Stated, ...] = ("confidence", "score")
"""What a signal states of itself."""

_ONE = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One signal with a result. `confidence` and `score` are in 0–1, `pnl_pct` is percent from the holder's side.

    `at` is the signal's time and `known_at` when its result was there (ms); `won` says what is to be predicted.
    """

    at: int
    known_at: int
    scanner: str
    confidence: float
    score: float
    won: bool
    pnl_pct: Decimal

    def stated(self, name: Stated) -> float:
        """One of the two."""
        return self.confidence if name == "confidence" else self.score

    @classmethod
    def of_outcome(cls, signal: Signal, outcome: Outcome) -> Self | None:
        """Won: the outcome is WIN. None where it is UNKNOWN or does not count in the record."""
        if outcome.pnl_pct is None or not signal.origin.counts:
            return None
        return cls(
            at=signal.timestamp,
            known_at=outcome.due_at,
            scanner=signal.scanner_type,
            confidence=signal.confidence,
            score=signal.unified_score / 100,
            won=outcome.outcome is Label.WIN,
            pnl_pct=outcome.pnl_pct,
        )

    @classmethod
    def of_trade(cls, trade: Trade) -> Self | None:
        """Won: it made more than $0.01 net. None where it has no price or does not count in the record."""
        if trade.net is None or not trade.position.origin.counts:
            return None
        return cls(
            at=trade.position.opened_at,
            known_at=trade.closed_at,
            scanner=trade.position.scanner_type,
            confidence=trade.position.confidence,
            score=trade.position.unified_score / 100,
            won=trade.net.usd > FLAT_WITHIN,
            pnl_pct=trade.net.pct,
        )


@dataclass(frozen=True, slots=True)
class Bin:
    """Signals that stated about the same. Sums of what they stated: millionths, and their squares. `+` merges."""

    n: int = 0
    won: int = 0
    stated: int = 0
    squares: int = 0
    stated_of_won: int = 0

    def __add__(self, other: "Bin") -> "Bin":
        return Bin(*(getattr(self, name) + getattr(other, name) for name in Bin.__slots__))

    @property
    def mean_stated(self) -> float | None:
        """0–1; None where it is empty."""
        return self.stated / (_ONE * self.n) if self.n else None

    @property
    def rate(self) -> float | None:
        """Share that won, 0–1; None where it is empty."""
        return self.won / self.n if self.n else None

    @property
    def interval(self) -> tuple[float, float]:
        """95 % Wilson interval of `rate`."""
        return wilson(self.won / self.n if self.n else 0.0, self.n)

    @property
    def squared_error(self) -> float:
        """Σ (stated − won)²."""
        return self.squares / _ONE**2 - 2 * self.stated_of_won / _ONE + self.won


_EMPTY = (Bin(),) * BINS


@dataclass(frozen=True, slots=True)
class Reliability:
    """Ten bins of equal width, the upper edge of each but the last in the next. `+` merges, in any order.

    Every figure is None where there are no signals.
    """

    bins: tuple[Bin, ...] = _EMPTY

    def __add__(self, other: "Reliability") -> "Reliability":
        return Reliability(tuple(a + b for a, b in zip(self.bins, other.bins, strict=True)))

    @classmethod
    def of(cls, pairs: Iterable[tuple[float, bool]]) -> Self:
        """What was stated (0–1, read to six decimals), and whether it happened."""
        sums = [[0] * len(Bin.__slots__) for _ in range(BINS)]
        for stated, won in pairs:
            if not 0 <= stated <= 1:
                raise InvalidInput(f"{stated} is no probability: it must lie in 0–1", field="stated")
            micro = round(stated * _ONE)
            row = sums[min(micro * BINS // _ONE, BINS - 1)]
            for place, value in enumerate((1, int(won), micro, micro * micro, micro * won)):
                row[place] += value
        return cls(tuple(Bin(*row) for row in sums))

    @property
    def whole(self) -> Bin:
        """All signals as one bin."""
        return sum(self.bins, Bin())

    @property
    def n(self) -> int:
        """Signals."""
        return self.whole.n

    @property
    def brier(self) -> float | None:
        """Mean of (stated − won)²: 0 is perfect (Brier 1950, Monthly Weather Review 78:1)."""
        return self.whole.squared_error / self.n if self.n else None

    @property
    def base_brier(self) -> float | None:
        """The Brier score of always stating the share that won: what a stated figure must stay below to be of use."""
        rate = self.whole.rate
        return None if rate is None else rate * (1 - rate)

    @property
    def calibration_error(self) -> float | None:
        """Expected calibration error: Σ n_b / n · |mean stated − share that won| (Naeini et al. 2015, AAAI)."""
        gaps = (abs(b.stated / _ONE - b.won) for b in self.bins)
        return sum(gaps) / self.n if self.n else None

    @property
    def error_by_chance(self) -> float | None:
        """About what the calibration error of this sample would be if every bin's mean were its true probability.

        Σ n_b / n · √(2 · m · (1 − m) / (π · n_b)), m the mean stated: the mean distance of a normal from its mean.
        """
        expected = (math.sqrt(2 * b.n * _spread(b) / math.pi) for b in self.bins)
        return sum(expected) / self.n if self.n else None


def _spread(one: Bin) -> float:
    mean = one.mean_stated or 0.0
    return mean * (1 - mean)


type Table = dict[tuple[str, Stated], Reliability]
"""By scanner (`all` among them) and what was stated."""


def calibrate(results: Iterable[Result]) -> Table:
    """Reliability of everything stated, by scanner and of all together."""
    grouped: dict[tuple[str, Stated], list[tuple[float, bool]]] = {}
    for result in results:
        for key in _keys(result):
            grouped.setdefault(key, []).append((result.stated(key[1]), result.won))
    return {key: Reliability.of(grouped[key]) for key in sorted(grouped)}


def merge_tables(parts: Iterable[Table]) -> Table:
    """Tables of disjoint signals as one; the order of the parts does not matter."""
    merged: Table = {}
    for part in parts:
        for key, found in part.items():
            merged[key] = merged.get(key, Reliability()) + found
    return dict(sorted(merged.items()))


def _keys(result: Result) -> Iterator[tuple[str, Stated]]:
    for name in STATED:
        yield "all", name
        yield result.scanner, name
