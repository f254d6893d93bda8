"""What became of the signals: statistics of the record, and the checks that make it."""

from collections.abc import Iterable
from typing import Any

from api.answers import Tracked
from api.inputs import OutsideSignal, PeriodQuery, TopQuery, outside_signal_body
from api.operations import Access, Answer, Call, Resource
from api.performance_answers import ByInterval, ByScanner, ByTier, Stats, Switched, TrackerStats
from api.rendering import check_body, period_body, signal_body, statistics_body
from api.report_answers import BySymbol, ByType, Report, TopPerformers
from api.reports import report_body, top_performers_body
from plumbline import health, queries, reports
from plumbline.domain.calendar import iso
from plumbline.domain.performance import Cell
from plumbline.domain.signals import Side, Tier
from plumbline.pipeline.tracking import ExternalAlert, track_signal

performance = Resource("performance")


@performance.get("/performance/stats", "The record", query=PeriodQuery, answers={200: Stats}, problems=(422,))
def performance_stats(call: Call, query: PeriodQuery) -> Answer:
    """Statistics over all signals of the last `days` UTC days. Backfilled signals do not count."""
    period = _period(call, query, "all")
    about = period_body(period, call.stores.source)
    return Answer({"ok": True, "data": {**about, **statistics_body(period.cell("all", "all"))}})


@performance.get(
    "/performance/by-scanner", "The record by scanner", query=PeriodQuery, answers={200: ByScanner}, problems=(422,)
)
def performance_by_scanner(call: Call, query: PeriodQuery) -> Answer:
    """One row for each scanner that signalled, by name."""
    period = _period(call, query, "scanner")
    return _rows(call, period, "scanner", sorted(period.cells.get("scanner", {}).items()))


@performance.get(
    "/performance/by-tier", "The record by tier", query=PeriodQuery, answers={200: ByTier}, problems=(422,)
)
def performance_by_tier(call: Call, query: PeriodQuery) -> Answer:
    """One row for each tier, the best first, also where it has no signals."""
    period = _period(call, query, "tier")
    return _rows(call, period, "tier", ((tier.value, period.cell("tier", tier)) for tier in Tier))


@performance.get(
    "/performance/by-interval", "The record by interval", query=PeriodQuery, answers={200: ByInterval}, problems=(422,)
)
def performance_by_interval(call: Call, query: PeriodQuery) -> Answer:
    """One row for each interval, the shortest first; `total_signals` are those of the period."""
    period = _period(call, query, "all")
    cells = queries.by_interval(period)
    return _rows(call, period, "interval", ((interval.value, cell) for interval, cell in cells.items()))


@performance.get(
    "/performance/by-symbol", "The record by symbol", query=PeriodQuery, answers={200: BySymbol}, problems=(422,)
)
def performance_by_symbol(call: Call, query: PeriodQuery) -> Answer:
    """One row for each symbol that had a signal, or an outcome due, in the period, by name."""
    period = _period(call, query, "symbol")
    return _rows(call, period, "symbol", sorted(period.cells.get("symbol", {}).items()))


@performance.get(
    "/performance/by-type", "The record by direction", query=PeriodQuery, answers={200: ByType}, problems=(422,)
)
def performance_by_type(call: Call, query: PeriodQuery) -> Answer:
    """Two rows: LONG and SHORT."""
    period = _period(call, query, "type")
    return _rows(call, period, "type", ((side.value, period.cell("type", side)) for side in Side))


@performance.get(
    "/performance/report", "The record as a whole", query=PeriodQuery, answers={200: Report}, problems=(422,)
)
def performance_report(call: Call, query: PeriodQuery) -> Answer:
    """The record along every dimension, what it recommends, and its best and worst signals.

    A recommendation is `significant` where the 95 % interval of its rate supports it over the number of signals and
    where false-discovery control over all comparisons that were made lets it through; else its message says so.
    """
    found = reports.report(call.stores, query.days, _until(call, query))
    return Answer({"ok": True, "data": report_body(found, call.stores.source)})


@performance.get(
    "/performance/top-performers",
    "The best and worst signals and symbols",
    query=TopQuery,
    answers={200: TopPerformers},
    problems=(422,),
)
def top_performers(call: Call, query: TopQuery) -> Answer:
    """Signals by what they had come to 24 hours later: the best gained most, the worst lost most.

    Symbols with three judged signals or more, in three orders, over their outcomes at all intervals: by win rate, by
    average P&L, and by consistency, the mean of the P&L over its standard deviation.
    """
    found = reports.top_performers(call.stores, query.days, query.limit, _until(call, query))
    return Answer({"ok": True, "data": top_performers_body(found, call.stores.source)})


@performance.get("/performance/tracker-stats", "State of the outcome checks", answers={200: TrackerStats})
def tracker_stats(call: Call) -> Answer:
    """For each interval: how far it is checked, what falls due next, its schedule, the last day's counts."""
    now = call.now
    checks, rules = health.tracker(call.stores, call.services.schedules(), now)
    data = {"as_of": iso(now), "intervals": [check_body(check) for check in checks], "rules": rules}
    return Answer({"ok": True, "data": data})


@performance.post(
    "/performance/track-signal",
    "Record an outside signal",
    access=Access.OPERATOR,
    body=outside_signal_body,
    answers={201: Tracked, 200: Tracked},
    problems=(400, 409, 415, 422),
    idempotent=True,
)
def track_outside_signal(call: Call, body: OutsideSignal) -> Answer:
    """A signal from outside enters the log and is checked like any other.

    201 where it is new, 200 where this id already stands for the same signal, 409 where it stands for another.
    """
    now = call.now
    alert = ExternalAlert(
        id=body.id,
        symbol=body.symbol,
        signal=body.signal,
        price=body.price,
        unified_score=body.unified_score,
        tier=body.tier,
        scanner_type=body.scanner_type,
        timestamp=now if body.timestamp is None else body.timestamp,
    )
    signal, is_new = track_signal(call.stores, alert, now)
    trade = call.stores.trades.get([signal.signal_id]).get(signal.signal_id)
    return Answer({"ok": True, "data": signal_body(signal, trade)}, status=201 if is_new else 200)


@performance.post(
    "/performance/tracker/start", "Start the outcome checks", access=Access.OPERATOR, answers={200: Switched}
)
def start_tracker(call: Call) -> Answer:
    """Enables the schedules of the checks. What fell due meanwhile is checked at the price of its due time."""
    return _switched(call.services.schedules().enable(), enabled=True)


@performance.post(
    "/performance/tracker/stop", "Stop the outcome checks", access=Access.OPERATOR, answers={200: Switched}
)
def stop_tracker(call: Call) -> Answer:
    """Disables the schedules of the checks. Nothing is lost: a later start catches up."""
    return _switched(call.services.schedules().disable(), enabled=False)


def _period(call: Call, query: PeriodQuery, dimension: str) -> queries.Period:
    return queries.performance(call.stores, query.days, dimension, _until(call, query))


def _until(call: Call, query: PeriodQuery) -> int:
    return call.now if query.until is None else min(query.until, call.now)


def _rows(call: Call, period: queries.Period, name: str, cells: Iterable[tuple[str, Cell]]) -> Answer:
    rows: list[dict[str, Any]] = [{name: value, **statistics_body(cell)} for value, cell in cells]
    return Answer({"ok": True, "data": rows, "period": period_body(period, call.stores.source)})


def _switched(rules: list[str], *, enabled: bool) -> Answer:
    return Answer({"ok": True, "data": {"rules": rules, "enabled": enabled}})
