"""The service at work: how fast it decides, what it signalled, what is open and what became of the rest."""

from dataclasses import asdict
from typing import cast

from api.model import mode_of
from api.model_answers import (
    ClosedBody,
    GenerationBody,
    InferenceBody,
    IssuedBody,
    OpenBody,
    PositionsBody,
    QuantilesBody,
    ServiceStatistics,
    SignalCountsBody,
    TimeframeBody,
)
from api.operations import Call
from api.rendering import number, period_body
from plumbline import queries
from plumbline.domain.calendar import DAY, Interval, iso
from plumbline.domain.performance import Cells, Tally
from plumbline.domain.signals import Side
from plumbline.queries import Pace, Quantiles

DAYS = 30
"""UTC days of the period, the running one included."""

_COUNTED = ("all", "scanner", "type")


def service_statistics(call: Call) -> ServiceStatistics:
    """All of it, at a cost that does not grow with history."""
    stores, now = call.stores, call.now
    paces = queries.paces(stores.cursors.all())
    pooled = Pace([run for pace in paces.values() for run in pace.runs])
    period = queries.record(stores, DAYS, _COUNTED, now)
    day = queries.issued(stores, now - DAY, now)
    return ServiceStatistics(
        as_of=iso(now),
        mode=mode_of(call.services),
        period=period_body(period, stores.source),
        inference=_inference(pooled),
        generation=_generation(pooled),
        timeframes=[
            TimeframeBody(timeframe=timeframe, inference=_inference(pace), generation=_generation(pace))
            for timeframe, pace in paces.items()
        ],
        signals=SignalCountsBody(last_24h=_issued(day), period=_issued(period.cells)),
        positions=PositionsBody(
            open=_open(day), closed=_closed(period.cell("all", "all").tallies.get(Interval.H24, Tally()))
        ),
    )


def _inference(pace: Pace) -> InferenceBody:
    asked = pace.asked
    return InferenceBody(
        runs=len(asked),
        windows=sum(run.windows for run in asked),
        run_ms=_quantiles(Quantiles.of(run.inference_ms for run in asked)),
        window_ms=_quantiles(Quantiles.of(round(run.inference_ms / run.windows, 4) for run in asked)),
    )


def _generation(pace: Pace) -> GenerationBody:
    return GenerationBody(
        runs=len(pace.runs),
        evaluated=pace.evaluated,
        run_ms=_quantiles(Quantiles.of(run.generation_ms for run in pace.runs)),
        evaluations_per_minute=pace.evaluations_per_minute,
    )


def _quantiles(quantiles: Quantiles | None) -> QuantilesBody | None:
    return cast("QuantilesBody", asdict(quantiles)) if quantiles else None


def _issued(cells: Cells) -> IssuedBody:
    scanners = {name: cell.signals for name, cell in sorted(cells.get("scanner", {}).items()) if cell.signals}
    return IssuedBody(
        count=_signals(cells, "all", "all"),
        buy=_signals(cells, "type", Side.LONG),
        sell=_signals(cells, "type", Side.SHORT),
        by_scanner=scanners,
    )


def _open(day: Cells) -> OpenBody:
    return OpenBody(
        count=_signals(day, "all", "all"),
        long=_signals(day, "type", Side.LONG),
        short=_signals(day, "type", Side.SHORT),
    )


def _closed(tally: Tally) -> ClosedBody:
    checked = tally.checked
    return ClosedBody(
        due=tally.due,
        checked=checked,
        wins=tally.wins,
        losses=tally.losses,
        neutral=tally.neutral,
        unknown=tally.unknown,
        avg_pnl_pct=number(round(tally.pnl / checked, 6)) if checked else None,
    )


def _signals(cells: Cells, dimension: str, value: str) -> int:
    row = cells.get(dimension, {})
    return row[value].signals if value in row else 0
