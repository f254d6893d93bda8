"""What the record suggests doing, by fixed rules, each with its figures and whether they carry it.

A rule speaks by the observed win rate, from twenty outcomes on. It is *significant* where the 95 % interval of the rate
(or of the difference) lies wholly on its side of the line, and false-discovery control over all comparisons that were
made, also those on which no rule spoke, lets its exact test through. Otherwise its message ends "not yet significant".
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Self

from plumbline.domain.calendar import Interval
from plumbline.domain.claims import Claim, Sample, at_least, at_most, beats, loses, within
from plumbline.domain.performance import Cell, Cells
from plumbline.domain.signals import Tier
from plumbline.domain.significance import benjamini_hochberg, independent, trend_over_tiers

LEAST_OUTCOMES = 20
"""Nothing is recommended from fewer."""

EXCELLENT, GOOD = 70, 55
"""Overall win rates in percent, from which."""
WEAK_SCANNER = 50
TIER_1_LOW, TIER_1_FINE, TIER_1_HIGH = 60, 75, 80
"""Win rates of TIER_1 in percent: its threshold is too low below the first, fine from the second to the third."""


class Priority(StrEnum):
    """How soon; in order."""

    URGENT = "URGENT"
    HIGH = "HIGH"
    MEDIUM = "MEDIUM"
    INFO = "INFO"


class Category(StrEnum):
    """What part of the record it is about."""

    OVERALL = "overall"
    SCANNER = "scanner"
    TIER = "tier"
    INTERVAL = "interval"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommendation:
    """One sentence on what is, one on what to do. `figures` are those it rests on: rates and P&L in percent.

    `significant`: false where the sample does not carry it, which the message then says.
    """

    priority: Priority
    category: Category
    message: str
    action: str
    figures: Mapping[str, float | int]
    significant: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The cells that the rules look at: of all signals, by scanner, by tier (those that have any) and by interval."""

    overall: Cell
    scanners: Mapping[str, Cell]
    tiers: Mapping[str, Cell]
    intervals: Mapping[Interval, Cell]

    @classmethod
    def of(cls, cells: Cells) -> Self:
        """From the cells of a period along `all`, `scanner` and `tier`."""
        overall = cells.get("all", {}).get("all", Cell())
        return cls(
            overall=overall,
            scanners=cells.get("scanner", {}),
            tiers=cells.get("tier", {}),
            intervals={i: Cell(overall.signals, {i: tally}) for i, tally in overall.tallies.items()},
        )


@dataclass(frozen=True, slots=True)
class _Advice:
    """A rule that speaks, before it is known whether its figures carry it."""

    priority: Priority
    category: Category
    message: str
    action: str

    def said(self, claim: Claim, passed: bool) -> Recommendation:
        """With its figures, and what they are worth."""
        significant = claim.supported and passed
        return Recommendation(
            priority=self.priority,
            category=self.category,
            message=self.message if significant else f"{self.message}; not yet significant",
            action=self.action,
            figures=claim.figures,
            significant=significant,
        )


type _Judged = tuple[Claim, _Advice | None]
"""A comparison, and what a rule makes of it."""


def recommend(standing: Standing) -> list[Recommendation]:
    """All that the rules say, the most urgent first; among equals the whole, scanners, tiers, intervals."""
    if _checked(standing.overall) < LEAST_OUTCOMES:
        return [_too_few(Category.OVERALL, {"all signals": _checked(standing.overall)})]
    judged = [*_overall(standing), *_scanners(standing), *_tier_1(standing), *_order(standing), *_intervals(standing)]
    passed = benjamini_hochberg([claim.p for claim, _ in judged])
    found = [advice.said(claim, ok) for (claim, advice), ok in zip(judged, passed, strict=True) if advice]
    return sorted([*found, *_gaps(standing)], key=lambda one: list(Priority).index(one.priority))


def tier_trend(tiers: Mapping[str, Cell]) -> float:
    """One-sided p of win rates that fall from the best tier to the last: small where the tiers mean what they say."""
    counts = [independent(tiers.get(tier, Cell())) for tier in Tier]
    return trend_over_tiers([wins for wins, _ in counts], [n for _, n in counts])


def _overall(standing: Standing) -> Iterator[_Judged]:
    whole = Sample.of("all signals", standing.overall)
    if whole.rate >= EXCELLENT:
        action = "Keep the configuration as it is"
        yield (
            at_least(whole, EXCELLENT),
            _Advice(Priority.HIGH, Category.OVERALL, f"Excellent: {whole}", action),
        )
    elif whole.rate >= GOOD:
        action = "Keep the configuration; look at the weakest scanner and tier first"
        yield at_least(whole, GOOD), _Advice(Priority.MEDIUM, Category.OVERALL, f"Good: {whole}", action)
    else:
        action = "Review weights and thresholds before relying on these signals"
        yield at_most(whole, GOOD), _Advice(Priority.URGENT, Category.OVERALL, f"Needs work: {whole}", action)


def _scanners(standing: Standing) -> Iterator[_Judged]:
    """Each against the others together, for the best was picked from as many; and each against the line."""
    samples = _samples(_named(standing)[Category.SCANNER])
    best, _ = _ends(samples)
    for one, others in _each_and_others(samples):
        said = f"Best scanner {one.name}: {one}; {others.rate:.1f} % of the others{_losing(one)}"
        advice = _Advice(Priority.HIGH, Category.SCANNER, said, f"Raise the weight of {one.name}")
        yield beats(one, others), advice if one is best and one.rate >= WEAK_SCANNER else None
    for one in samples:
        action = f"Review {one.name} or lower its weight"
        advice = _Advice(Priority.URGENT, Category.SCANNER, f"Scanner {one.name}: {one}", action)
        yield at_most(one, WEAK_SCANNER), advice if one.rate < WEAK_SCANNER else None


def _tier_1(standing: Standing) -> Iterator[_Judged]:
    for one in _samples({Tier.MUST_BUY: standing.tiers.get(Tier.MUST_BUY, Cell())}):
        said = f"{one.name}: {one}"
        if one.rate < TIER_1_LOW:
            action = "Raise the threshold of TIER_1 to 90"
            yield at_most(one, TIER_1_LOW), _Advice(Priority.URGENT, Category.TIER, said, action)
        elif one.rate > TIER_1_HIGH:
            action = "Consider lowering the threshold of TIER_1 to catch more"
            yield at_least(one, TIER_1_HIGH), _Advice(Priority.MEDIUM, Category.TIER, said, action)
        elif one.rate >= TIER_1_FINE:
            action = "Leave the threshold of TIER_1: it is fine"
            yield within(one, TIER_1_LOW, TIER_1_HIGH), _Advice(Priority.INFO, Category.TIER, said, action)


def _order(standing: Standing) -> Iterator[_Judged]:
    """Neighbours alone: tiers that are out of order anywhere are so between two neighbours."""
    tiers, trend = _samples(_named(standing)[Category.TIER]), tier_trend(standing.tiers)
    for higher, lower in pairwise(tiers):
        claim = beats(lower, higher)
        said = f"Tiers out of order: {lower.name} beats {higher.name} ({higher.rate:.1f} %): {lower}"
        action = "Review how the unified score is weighted: it does not rank these signals"
        advice = _Advice(Priority.URGENT, Category.TIER, said, action)
        with_trend = Claim(claim.p, claim.supported, {**claim.figures, "trend_p_value": trend})
        yield with_trend, advice if lower.rate > higher.rate else None


def _intervals(standing: Standing) -> Iterator[_Judged]:
    """Each against the others together as if they were other signals. They are the same ones, so p is too large."""
    samples = _samples(_named(standing)[Category.INTERVAL])
    best, worst = _ends(samples)
    for one, others in _each_and_others(samples):
        said = f"interval {one.name}: {one}; {others.rate:.1f} % of the others{_losing(one)}"
        if one is worst:
            action = f"Do not count on these signals at {one.name}"
            yield loses(one, others), _Advice(Priority.INFO, Category.INTERVAL, f"Worst {said}", action)
        else:
            action = f"Judge these signals at {one.name} first"
            advice = _Advice(Priority.INFO, Category.INTERVAL, f"Best {said}", action)
            yield beats(one, others), advice if one is best else None


def _named(standing: Standing) -> dict[Category, dict[str, Cell]]:
    """What is compared with each other, always in one order."""
    return {
        Category.SCANNER: dict(sorted(standing.scanners.items())),
        Category.TIER: {tier: standing.tiers[tier] for tier in Tier if tier in standing.tiers},
        Category.INTERVAL: {i: standing.intervals[i] for i in Interval if i in standing.intervals},
    }


def _samples(cells: Mapping[str, Cell]) -> list[Sample]:
    """Those with enough outcomes."""
    return [Sample.of(name, cell) for name, cell in cells.items() if _checked(cell) >= LEAST_OUTCOMES]


def _ends(samples: Sequence[Sample]) -> tuple[Sample | None, Sample | None]:
    """The best and the worst by rate, of equals the larger or else the first; none where all are equal."""
    best = max(samples, key=lambda one: (one.rate, one.n), default=None)
    worst = min(samples, key=lambda one: (one.rate, -one.n), default=None)
    return (best, worst) if best and worst and best.rate > worst.rate else (None, None)


def _each_and_others(samples: Sequence[Sample]) -> Iterator[tuple[Sample, Sample]]:
    if len(samples) > 1:
        yield from ((one, Sample.together(other for other in samples if other is not one)) for one in samples)


def _losing(one: Sample) -> str:
    """A warning where a rate does not earn anything."""
    average = one.figures["avg_pnl_pct"]
    return f"; it loses {-average:.2f} % on average" if average < 0 else ""


def _gaps(standing: Standing) -> Iterator[Recommendation]:
    """What was left out of each comparison for want of outcomes."""
    for category, cells in _named(standing).items():
        if few := {name: n for name, cell in cells.items() if (n := _checked(cell)) < LEAST_OUTCOMES}:
            yield _too_few(category, few)


def _too_few(category: Category, counts: Mapping[str, int]) -> Recommendation:
    named = ", ".join(f"{name} {n}" for name, n in counts.items())
    return Recommendation(
        priority=Priority.INFO,
        category=category,
        message=f"Not enough data ({LEAST_OUTCOMES} outcomes needed): {named}",
        action="Wait for more outcomes",
        figures=dict(counts),
        significant=False,
    )


def _checked(cell: Cell) -> int:
    return cell.pooled().checked
