"""The paper record's summary and metrics."""

from api.formulas import FORMULAS
from api.operations import Call
from api.paper_inputs import PaperQuery, PerformanceQuery
from api.paper_lists import filter_of
from api.paper_rendering import book_body, equity_body, rate_body, row_body
from api.paper_statistics_answers import CostsBody, LiveBody, Performance, Summary
from api.rendering import period_body, time_or_none
from plumbline import health, paper
from plumbline.domain.books import BookName
from plumbline.domain.calendar import Timeframe, iso
from plumbline.domain.figures import (
    DAYS_PER_YEAR,
    Averages,
    BookFigures,
    Exposure,
    TradeFigures,
    ambiguous_bounds,
    capital_of,
    costs,
    coverage,
    equity,
)
from plumbline.domain.trades import Terms
from plumbline.rendering import is_simulated
from plumbline.settings import Settings

HYPOTHETICAL = (
    "These results are hypothetical: no order was sent and no money was at stake. Every signal is traded on paper with "
    "the same sum, at prices and costs that a real order may not have met. Past results say nothing sure about later "
    "ones, and nothing here is advice."
)
SIMULATED = " The market itself is simulated: these figures prove nothing about a real one."


def summary_answer(call: Call, query: PaperQuery) -> Summary:
    """The record in short, as of the last full minute."""
    stores, settings, until = call.stores, call.settings, _minute(call)
    found = paper.summary(stores, filter_of(call, query), query.days, until)
    cell, opened = found.selection.cell, found.open
    capital = capital_of(_terms(settings))
    net = TradeFigures.of(cell.net, cell.priced)
    simulated = is_simulated(stores.source)
    return {
        **rate_body(net.rate),
        "as_of": iso(until),
        "newest_candle_at": time_or_none(found.newest_candle_at),
        "stale": found.stale or _is_old(opened.as_of, call.now),
        "simulated": simulated,
        "data_source": stores.source,
        "hypothetical": HYPOTHETICAL + (SIMULATED if simulated else ""),
        "period": period_body(found.selection.period, stores.source),
        "costs": _costs(settings),
        "live": LiveBody(url=settings.feed_url or None),
        "total_pnl_usd": net.total_pnl_usd,
        "total_pnl_pct": round(100 * float(cell.net.pnl / capital), 4),
        "break_even_win_rate": net.break_even_win_rate,
        "average_profit_usd": net.average_profit_usd,
        "average_loss_usd": net.average_loss_usd,
        "winning": cell.winning,
        "losing": cell.losing,
        "flat": cell.flat,
        "closed": cell.closed,
        "closed_unknown": cell.unknown,
        "open": opened.count,
        "total": opened.count + cell.closed,
        "total_signals": found.signals,
        "coverage": coverage(cell),
        "unrealised_usd": float(opened.unrealised_usd),
    }


def performance_answer(call: Call, query: PerformanceQuery) -> Performance:
    """The metrics, as of the last full minute."""
    stores, until = call.stores, _minute(call)
    found = paper.performance(stores, filter_of(call, query), query.days, until, query.by)
    selection, capital = found.selection, capital_of(_terms(call.settings))
    cell, period, averages = selection.cell, selection.period, Averages.of(selection.cell)
    low, high = ambiguous_bounds(cell)
    exposure = Exposure.of(cell, period.until - period.start)

    def book(name: BookName) -> BookFigures:
        return BookFigures.of(name, cell, selection.daily, capital)

    return Performance(
        as_of=iso(until),
        period=period_body(period, stores.source),
        capital_usd=float(capital),
        days_per_year=DAYS_PER_YEAR,
        books={
            "ideal": book_body(book("ideal")),
            "net": book_body(book("net")),
            "pessimistic": book_body(book("pessimistic")),
        },
        closed=cell.closed,
        targets=cell.targets,
        stops=cell.stops,
        expired=cell.expired,
        unknown=cell.unknown,
        ambiguous=cell.ambiguous,
        ambiguous_bounds={"low_usd": low, "high_usd": high},
        exposure={
            "average_open": exposure.average_open,
            "average_usd": exposure.average_usd,
            "time_in_market_hours": exposure.time_in_market_hours,
        },
        average_held_seconds=averages.average_held_seconds,
        average_max_favourable_pct=averages.average_max_favourable_pct,
        average_max_adverse_pct=averages.average_max_adverse_pct,
        fees_and_slippage_usd=costs(cell),
        equity=[equity_body(day) for day in equity(selection.daily, capital)],
        rows=[row_body(row) for row in found.rows],
        formulas=dict(FORMULAS),
    )


def _minute(call: Call) -> int:
    """Figures are as of the last full minute: within one they do not change, and readers need not fetch them again."""
    return Timeframe.M1.floor(call.now)


def _is_old(as_of: int | None, now: int) -> bool:
    """Whether the open trades' prices are older than the market may be: the tracker stands still."""
    return as_of is not None and now - as_of > health.allowed(health.MARKET)


def _terms(settings: Settings) -> Terms:
    return Terms(
        position_usd=settings.paper_position_usd,
        fee_bps=settings.paper_fee_bps,
        slippage_bps=settings.paper_slippage_bps,
    )


def _costs(settings: Settings) -> CostsBody:
    terms = _terms(settings)
    return CostsBody(
        position_usd=float(terms.position_usd),
        fee_bps=float(terms.fee_bps),
        slippage_bps=float(terms.slippage_bps),
        capital_usd=float(capital_of(terms)),
    )
