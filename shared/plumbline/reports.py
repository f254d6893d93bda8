"""What readers ask of the record as a whole: the report, the best and worst of it, and how each channel does.

As in `queries`, the cost of an answer does not grow with history: all breakdowns of a report come from one read of the
rollups, only what lies after them is counted from the facts. Nothing is written here.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from plumbline.domain.books import BookCell
from plumbline.domain.calendar import Interval
from plumbline.domain.errors import InvalidInput, NotFound
from plumbline.domain.extremes import EXTREMES, KEPT, Extremes, Standout
from plumbline.domain.performance import DIMENSIONS, Cell
from plumbline.domain.quality import ChannelPerformance
from plumbline.domain.rankings import Ends, SymbolRankings, rank
from plumbline.domain.recommendations import Recommendation, Standing, recommend, tier_trend
from plumbline.domain.signals import Side, Tier
from plumbline.domain.strategies import DEFAULT_CHANNELS
from plumbline.ports import Stores
from plumbline.queries import Period, by_interval, record
from plumbline.selections import book


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The record over whole UTC days, the running one included, along every dimension.

    Rows come by name; tiers the best first, all four; intervals the shortest first, all five; sides both.
    `tier_trend_p_value` is how likely so clear a fall of the win rate from tier to tier would be if the tiers did not
    differ. `best` are the signals that had gained most 24 hours later and `worst` those that had lost most, at most
    twenty each.
    """

    period: Period
    overall: Cell
    by_scanner: Mapping[str, Cell]
    by_tier: Mapping[Tier, Cell]
    by_interval: Mapping[Interval, Cell]
    by_type: Mapping[Side, Cell]
    by_symbol: Mapping[str, Cell]
    by_channel: Mapping[str, Cell]
    by_snapshot: Mapping[str, Cell]
    tier_trend_p_value: float
    recommendations: Sequence[Recommendation]
    best: Sequence[Standout]
    worst: Sequence[Standout]


@dataclass(frozen=True, slots=True, kw_only=True)
class TopPerformers:
    """The signals that had gained and lost most 24 hours later, and the symbols by three measures of their outcomes."""

    period: Period
    signals: Ends[Standout]
    symbols: SymbolRankings


def report(stores: Stores, days: int, now: int, *, consistent: bool = False) -> Report:
    """The report over the last `days` UTC days, the day of `now` included. One that is kept must be `consistent`."""
    period = record(stores, days, [*DIMENSIONS, EXTREMES], now, consistent=consistent)
    signals = _signals(period.extremes, KEPT)
    return Report(
        period=period,
        overall=period.cell("all", "all"),
        by_scanner=_by_name(period, "scanner"),
        by_tier={tier: period.cell("tier", tier) for tier in Tier},
        by_interval=by_interval(period),
        by_type={side: period.cell("type", side) for side in Side},
        by_symbol=_by_name(period, "symbol"),
        by_channel=_by_name(period, "channel"),
        by_snapshot=_by_name(period, "snapshot"),
        tier_trend_p_value=tier_trend(period.cells.get("tier", {})),
        recommendations=recommend(Standing.of(period.cells)),
        best=signals.best,
        worst=signals.worst,
    )


def top_performers(stores: Stores, days: int, limit: int, now: int) -> TopPerformers:
    """At most `limit` of each end over the last `days` UTC days. InvalidInput for more than `KEPT`."""
    if not 1 <= limit <= KEPT:
        raise InvalidInput(f"1 to {KEPT} of each end are known, not {limit}", field="limit")
    period = record(stores, days, ["symbol", EXTREMES], now)
    return TopPerformers(
        period=period,
        signals=_signals(period.extremes, limit),
        symbols=rank(period.cells.get("symbol", {}), limit),
    )


def channel_performance(stores: Stores, days: int, channel_id: str | None, now: int) -> list[ChannelPerformance]:
    """One row for each channel by its id, or for the one named; NotFound lists those that exist.

    Of the trades that closed in the last `days` UTC days, the day of `now` included, and of those that are open.
    """
    pending = Counter(p.channel_id for p in stores.positions.all() if p.origin.counts)
    cells = book(stores, days, ["channel"], now).cells.get("channel", {})
    published = {channel.channel_id for channel in (*DEFAULT_CHANNELS, *stores.channels.all())}
    known = sorted(published | {*cells} | {*pending})
    if channel_id is not None and channel_id not in known:
        raise NotFound(f"no channel {channel_id!r}; there are {', '.join(known)}")
    return [_channel(name, cells, pending) for name in known if channel_id in (None, name)]


def _channel(name: str, cells: Mapping[str, BookCell], pending: Mapping[str, int]) -> ChannelPerformance:
    return ChannelPerformance.of(name, cells.get(name, BookCell()), pending.get(name, 0))


def _by_name(period: Period, dimension: str) -> dict[str, Cell]:
    return dict(sorted(period.cells.get(dimension, {}).items()))


def _signals(extremes: Extremes, limit: int) -> Ends[Standout]:
    """The best gained, the worst lost: where signals are few, one list would else go on with those of the other."""
    return Ends(
        best=_first(limit, (one for one in extremes.best if one.pnl_pct > 0)),
        worst=_first(limit, (one for one in extremes.worst if one.pnl_pct < 0)),
    )


def _first(limit: int, standouts: Iterable[Standout]) -> list[Standout]:
    return list(islice(standouts, limit))
