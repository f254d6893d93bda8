"""A report on the record in depth: the API's figures, and what can only be told from every signal and trade.

Calibration, thresholds and resampling need the facts one by one, so these are read through the API as well, as any user
may read them.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from statistics import variance

import numpy as np

from infra.local.report import Reader, Row
from plumbline.domain.books import Book
from plumbline.domain.calendar import day_of, days_between, parse_instant
from plumbline.domain.calibration import STATED, Reliability, Result, Stated, Table, calibrate
from plumbline.domain.extremes import JUDGED_AT
from plumbline.domain.resampling import Bands, Moments, Resampled, deflated_sharpe, probabilistic_sharpe, resample
from plumbline.domain.signals import Origin
from plumbline.domain.thresholds import BestThreshold, best_threshold
from plumbline.domain.trades import FLAT_WITHIN, Profit

SEED = 1
"""Of the resampling: the same record gives the same bands."""
PATHS = 10_000
TARGETS = {"outcome": "WIN 24 hours later", "trade": "the paper trade made money"}
"""What a stated figure is held against."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Skill:
    """How sure the Sharpe ratio (per day) is, and what is left of the best configuration's when luck is taken off it.

    `above_zero` is the probability that the true ratio is above zero, `best_deflated` that the best configuration's is
    above what the best of `configurations` tries without skill shows; None where there are too few days.
    """

    sharpe: float | None
    days: int
    above_zero: float | None
    configurations: int
    best: str | None
    best_sharpe: float | None
    best_deflated: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """Everything that the report shows. `report` and `book` are the API's answers."""

    days: int
    report: Row
    book: Row
    calibration: Mapping[str, Table]
    thresholds: Mapping[Stated, BestThreshold | None]
    resampled: Resampled | None
    skill: Skill

    @property
    def market(self) -> str:
        """The data source."""
        return str(self.report["data_source"])

    @property
    def simulated(self) -> bool:
        """Whether it is no market at all."""
        return bool(self.report["simulated"])


def analyse(reader: Reader, days: int) -> Analysis:
    """Read the last `days` UTC days and compute what is not stored."""
    report, book = reader.record(days), reader.paper_performance(days, by="channel")
    since = str(report["from"])
    closed = [*_counting(t for t in reader.trades(days) if t["closed_at"] and t["pnl_usd"] is not None)]
    issued = [*_counting(reader.signals(since=since))]
    by_trade = [_of_trade(trade) for trade in closed]
    return Analysis(
        days=days,
        report=report,
        book=book,
        calibration={"outcome": calibrate(_of_outcomes(issued)), "trade": calibrate(by_trade)},
        thresholds={name: best_threshold(by_trade, name) for name in STATED},
        resampled=resample(daily_books(closed), np.random.default_rng(SEED), PATHS),
        skill=skill(closed),
    )


def skill(closed: Sequence[Row]) -> Skill:
    """Of closed trades: their daily net P&L as a whole, and that of each configuration over the same days."""
    whole = Moments.of([float(book.pnl) for book in daily_books(closed)])
    by_configuration: defaultdict[str, list[Row]] = defaultdict(list)
    for trade in closed:
        by_configuration[str(trade["snapshot_id"])].append(trade)
    span = _span(closed)
    known = {
        name: Moments.of([float(b.pnl) for b in daily_books(rows, span)]) for name, rows in by_configuration.items()
    }
    tries = {name: moments for name, moments in known.items() if moments}
    best = max(tries, key=lambda name: tries[name].sharpe, default=None)
    spread = variance([m.sharpe for m in tries.values()]) if len(tries) > 1 else 0.0
    return Skill(
        sharpe=whole.sharpe if whole else None,
        days=whole.n if whole else 0,
        above_zero=probabilistic_sharpe(whole.sharpe, whole.n, whole.skew, whole.kurtosis) if whole else None,
        configurations=len(tries),
        best=best,
        best_sharpe=tries[best].sharpe if best else None,
        best_deflated=_deflated(tries[best], len(tries), spread) if best else None,
    )


def measures(one: Reliability) -> tuple[float | None, ...]:
    """Mean stated, share that happened, Brier score, that of the base rate, ECE, ECE by chance."""
    whole = one.whole
    return whole.mean_stated, whole.rate, one.brier, one.base_brier, one.calibration_error, one.error_by_chance


def percentiles(bands: Bands) -> tuple[float, ...]:
    """The 5th, 25th, 50th, 75th and 95th."""
    return bands.p5, bands.p25, bands.p50, bands.p75, bands.p95


def daily_books(closed: Iterable[Row], span: tuple[int, int] | None = None) -> list[Book]:
    """The net book of every calendar day of a span (ms), by default from the first closing to the last."""
    ordered = sorted(closed, key=lambda trade: (parse_instant(trade["closed_at"]), trade["signal_id"]))
    first, last = span or _span(ordered)
    by_day = {
        day: sum((Book.of(_profit(trade)) for trade in trades), Book())
        for day, trades in groupby(ordered, key=lambda trade: day_of(parse_instant(trade["closed_at"])))
    }
    return [by_day.get(day, Book()) for day in days_between(first, last)] if ordered else []


def _deflated(moments: Moments, trials: int, spread: float) -> float:
    return deflated_sharpe(moments.sharpe, moments.n, moments.skew, moments.kurtosis, trials, spread)


def _span(closed: Sequence[Row]) -> tuple[int, int]:
    moments = [parse_instant(trade["closed_at"]) for trade in closed] or [0]
    return min(moments), max(moments)


def _profit(trade: Row) -> Profit:
    return Profit(usd=_decimal(trade["pnl_usd"]), pct=_decimal(trade["pnl_pct"]))


def _of_trade(trade: Row) -> Result:
    return Result(
        at=parse_instant(trade["opened_at"]),
        known_at=parse_instant(trade["closed_at"]),
        scanner=str(trade["scanner_type"]),
        confidence=float(trade["confidence"]),
        score=float(trade["unified_score"]) / 100,
        won=_decimal(trade["pnl_usd"]) > FLAT_WITHIN,
        pnl_pct=_decimal(trade["pnl_pct"]),
    )


def _of_outcomes(signals: Iterable[Row]) -> Iterator[Result]:
    for signal in signals:
        for outcome in signal["outcomes"]:
            if outcome["interval"] == JUDGED_AT and outcome["pnl_pct"] is not None:
                yield Result(
                    at=parse_instant(signal["timestamp"]),
                    known_at=parse_instant(outcome["due_at"]),
                    scanner=str(signal["scanner_type"]),
                    confidence=float(signal["confidence"]),
                    score=float(signal["unified_score"]) / 100,
                    won=outcome["outcome"] == "WIN",
                    pnl_pct=_decimal(outcome["pnl_pct"]),
                )


def _counting(rows: Iterable[Row]) -> Iterator[Row]:
    """Those that count in the record."""
    return (row for row in rows if Origin(row["origin"]).counts)


def _decimal(number: float | str) -> Decimal:
    return Decimal(str(number))
