"""The service at work: how fast it decides, what it signalled, which trades are open and what the others came to."""

from collections import Counter
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
from api.rendering import period_body, time_or_none
from plumbline import queries
from plumbline.domain.books import BookCell
from plumbline.domain.calendar import DAY, iso
from plumbline.domain.figures import TradeFigures
from plumbline.domain.performance import Cells
from plumbline.domain.signals import Side
from plumbline.ports import Stores
from plumbline.queries import Pace, Quantiles
from plumbline.selections import book
from plumbline.settings import Settings

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
            open=_open(stores), closed=_closed(book(stores, DAYS, ["all"], now).cell("all", "all"), call.settings)
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


def _open(stores: Stores) -> OpenBody:
    """Counted from the positions themselves, which exist no longer than a trade lasts; their worth is the board's."""
    sides = Counter(position.side for position in stores.positions.all() if position.origin.counts)
    board = stores.positions.board()
    return OpenBody(
        count=sides.total(),
        long=sides[Side.LONG],
        short=sides[Side.SHORT],
        as_of=time_or_none(board.as_of if board else None),
        unrealised_usd=float(board.unrealised_usd) if board else 0.0,
    )


def _closed(cell: BookCell, settings: Settings) -> ClosedBody:
    net = TradeFigures.of(cell.net, cell.priced)
    mean = net.expectancy_usd
    return ClosedBody(
        due=cell.closed,
        checked=cell.priced,
        wins=cell.winning,
        losses=cell.losing,
        neutral=cell.flat,
        unknown=cell.unknown,
        targets=cell.targets,
        stops=cell.stops,
        expired=cell.expired,
        total_pnl_usd=net.total_pnl_usd,
        avg_pnl_usd=mean,
        avg_pnl_pct=None if mean is None else round(100 * mean / float(settings.paper_position_usd), 6),
    )


def _signals(cells: Cells, dimension: str, value: str) -> int:
    row = cells.get(dimension, {})
    return row[value].signals if value in row else 0
