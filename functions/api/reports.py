"""The report, the best and worst, and the channels' performance, in the shapes of the answers."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any, cast

from api.rendering import period_body, statistics_body
from api.report_answers import (
    ChannelBody,
    RankedBody,
    RecommendationBody,
    ReportBody,
    StandoutBody,
    SymbolEnds,
    SymbolRankingsBody,
    TopPerformersBody,
)
from plumbline.domain.calendar import iso
from plumbline.domain.extremes import JUDGED_AT, Standout
from plumbline.domain.performance import Cell
from plumbline.domain.quality import ChannelPerformance
from plumbline.domain.rankings import Ends, Ranked
from plumbline.domain.recommendations import Recommendation
from plumbline.reports import Report, TopPerformers


def report_body(found: Report, source: str) -> ReportBody:
    """The whole report."""
    body = {
        **period_body(found.period, source),
        "overall": statistics_body(found.overall),
        "by_scanner": _rows("scanner", found.by_scanner),
        "by_tier": _rows("tier", found.by_tier),
        "by_interval": _rows("interval", found.by_interval),
        "by_type": _rows("type", found.by_type),
        "by_symbol": _rows("symbol", found.by_symbol),
        "by_channel": _rows("channel", found.by_channel),
        "by_snapshot": _rows("snapshot", found.by_snapshot),
        "tier_trend_p_value": found.tier_trend_p_value,
        "recommendations": [_recommendation(one) for one in found.recommendations],
        "best_signals": _standouts(found.best),
        "worst_signals": _standouts(found.worst),
    }
    return cast("ReportBody", body)


def top_performers_body(found: TopPerformers, source: str) -> TopPerformersBody:
    """The best and the worst."""
    symbols = found.symbols
    body = {
        **period_body(found.period, source),
        "signals": {"best": _standouts(found.signals.best), "worst": _standouts(found.signals.worst)},
        "symbols": SymbolRankingsBody(
            by_win_rate=_symbols(symbols.by_win_rate),
            by_average_pnl=_symbols(symbols.by_average_pnl),
            by_consistency=_symbols(symbols.by_consistency),
        ),
    }
    return cast("TopPerformersBody", body)


def channel_body(found: ChannelPerformance) -> ChannelBody:
    """One channel; the names of its figures are the contract."""
    rate = found.rate
    values = {name: value for name, value in asdict(found).items() if name != "rate"}
    rates = {"win_rate": rate.win_rate, "win_rate_low": rate.win_rate_low, "win_rate_high": rate.win_rate_high}
    return cast("ChannelBody", values | rates)


def _rows(name: str, cells: Mapping[Any, Cell]) -> list[dict[str, Any]]:
    return [{name: value, **statistics_body(cell)} for value, cell in cells.items()]


def _recommendation(one: Recommendation) -> RecommendationBody:
    return RecommendationBody(
        priority=one.priority.value,
        category=one.category.value,
        message=one.message,
        action=one.action,
        figures=dict(one.figures),
        significant=one.significant,
    )


def _standouts(standouts: Iterable[Standout]) -> list[StandoutBody]:
    return [
        StandoutBody(
            signal_id=one.signal_id,
            timestamp=iso(one.timestamp),
            symbol=one.symbol,
            signal_type=one.side.value,
            scanner_type=one.scanner_type,
            channel_id=one.channel_id,
            unified_score=one.unified_score,
            tier=one.tier.value,
            interval=JUDGED_AT.value,
            pnl_pct=float(one.pnl_pct),
        )
        for one in standouts
    ]


def _symbols(ends: Ends[Ranked]) -> SymbolEnds:
    return SymbolEnds(best=[_ranked(one) for one in ends.best], worst=[_ranked(one) for one in ends.worst])


def _ranked(one: Ranked) -> RankedBody:
    consistency = None if one.consistency is None else round(one.consistency, 6)
    return cast("RankedBody", {"symbol": one.symbol, "consistency": consistency, **statistics_body(one.cell)})
