"""The best and the worst signals of a stretch of time: two short lists that merge without losing anybody."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from heapq import nsmallest
from typing import Self

from plumbline.domain.calendar import Interval
from plumbline.domain.outcomes import Outcome
from plumbline.domain.signals import Side, Tier, timestamp_of

EXTREMES = "extremes"
"""Under this name the lists stand among the dimensions of a day's rollup."""

KEPT = 20
"""How many of each end are kept: so many can be shown, of one day as of a year."""

JUDGED_AT = Interval.H24
"""By what a signal is ranked: one outcome each, after the same time, and as long as its trade may run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standout:
    """A signal and what it came to at `JUDGED_AT` (percent, from the holder's side)."""

    signal_id: str
    symbol: str
    side: Side
    scanner_type: str
    channel_id: str
    unified_score: float
    pnl_pct: Decimal

    @property
    def timestamp(self) -> int:
        """When it was given (ms)."""
        return timestamp_of(self.signal_id)

    @property
    def tier(self) -> Tier:
        """By its score."""
        return Tier.of(self.unified_score)


@dataclass(frozen=True, slots=True)
class Extremes:
    """At most `KEPT` signals of each end, the best and the worst first; of equal ones the older first.

    `+` merges: whoever is among the most extreme of the whole is among those of its part, so any split of the outcomes
    gives the same lists.
    """

    best: tuple[Standout, ...] = ()
    worst: tuple[Standout, ...] = ()

    def __add__(self, other: "Extremes") -> "Extremes":
        return Extremes(_best((*self.best, *other.best)), _worst((*self.worst, *other.worst)))

    @classmethod
    def of(cls, outcomes: Iterable[Outcome]) -> Self:
        """Of the outcomes at `JUDGED_AT` that have a price; those of backfilled signals do not count."""
        known = [_standout(o, o.pnl_pct) for o in outcomes if o.pnl_pct is not None and _is_ranked(o)]
        return cls(_best(known), _worst(known))


def dump_extremes(extremes: Extremes) -> str:
    """Canonical JSON: the same outcomes give the same bytes."""
    return json.dumps([[_row(s) for s in end] for end in (extremes.best, extremes.worst)], separators=(",", ":"))


def parse_extremes(text: str) -> Extremes:
    """Reverse of `dump_extremes`."""
    best, worst = json.loads(text)
    return Extremes(tuple(map(_read, best)), tuple(map(_read, worst)))


def _is_ranked(outcome: Outcome) -> bool:
    return outcome.interval is JUDGED_AT and outcome.origin.counts


def _standout(outcome: Outcome, pnl_pct: Decimal) -> Standout:
    return Standout(
        signal_id=outcome.signal_id,
        symbol=outcome.symbol,
        side=outcome.signal_type,
        scanner_type=outcome.scanner_type,
        channel_id=outcome.channel_id,
        unified_score=outcome.unified_score,
        pnl_pct=pnl_pct,
    )


def _best(standouts: Iterable[Standout]) -> tuple[Standout, ...]:
    return tuple(nsmallest(KEPT, standouts, key=lambda s: (-s.pnl_pct, s.signal_id)))


def _worst(standouts: Iterable[Standout]) -> tuple[Standout, ...]:
    return tuple(nsmallest(KEPT, standouts, key=lambda s: (s.pnl_pct, s.signal_id)))


def _row(s: Standout) -> list[str | float]:
    return [s.signal_id, s.symbol, s.side, s.scanner_type, s.channel_id, s.unified_score, str(s.pnl_pct)]


def _read(row: list[str | float]) -> Standout:
    signal_id, symbol, side, scanner, channel, score, pnl = row
    return Standout(
        signal_id=str(signal_id),
        symbol=str(symbol),
        side=Side(str(side)),
        scanner_type=str(scanner),
        channel_id=str(channel),
        unified_score=float(score),
        pnl_pct=Decimal(str(pnl)),
    )
