"""What readers ask of the paper book: its summary, its figures along a dimension, the trades open now."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from plumbline import health
from plumbline.domain.books import BookCell
from plumbline.domain.calendar import Interval, Timeframe
from plumbline.domain.errors import InvalidInput
from plumbline.domain.performance import DIMENSIONS, Tally
from plumbline.domain.settlement import unrealised
from plumbline.domain.trades import Position
from plumbline.pipeline.progress import collecting
from plumbline.ports import MOST_READ, Stores, TradeFilter
from plumbline.queries import Period, record, signals_issued
from plumbline.selections import MOST_TRADES, Selection, filters_of, refuse_too_many, select

INTERVAL = "interval"
GROUPINGS: Mapping[str, str] = {
    "scanner": "scanner",
    "tier": "tier",
    "symbol": "symbol",
    "channel": "channel",
    "timeframe": "timeframe",
    "market_type": "market",
    "side": "type",
    "snapshot": "snapshot",
}
"""What trades can be grouped by, and the dimension that answers it; `interval` groups the outcomes of signals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenTrades:
    """Open trades that count, and what closing them all at the last prices would make net (USD).

    `as_of` (ms) is the minute of those prices; None before the tracker ever ran.
    """

    count: int
    unrealised_usd: Decimal
    as_of: int | None


def open_trades(stores: Stores, wanted: TradeFilter) -> OpenTrades:
    """As the board has them; under a filter, each open trade at the board's prices."""
    board = stores.positions.board()
    if board is None:
        return OpenTrades(count=0, unrealised_usd=Decimal(0), as_of=None)
    if not filters_of(wanted):
        return OpenTrades(count=board.open, unrealised_usd=board.unrealised_usd, as_of=board.as_of)
    positions = [position for position in _open_positions(stores, wanted) if position.origin.counts]
    made = [unrealised(p, board.prices[p.symbol]) for p in positions if p.symbol in board.prices]
    total = sum((profit.usd for profit in made if profit), Decimal(0))
    return OpenTrades(count=len(positions), unrealised_usd=total, as_of=board.as_of)


def _open_positions(stores: Stores, wanted: TradeFilter) -> Iterator[Position]:
    cursor: str | None = None
    for _ in range(MOST_TRADES // MOST_READ):
        page = stores.positions.page(replace(wanted, since=None, until=None), MOST_READ, cursor)
        yield from page.items
        if (cursor := page.next_cursor) is None:
            return
    refuse_too_many(MOST_TRADES + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The book at a glance. `signals` were issued in the period, None where the filter does not say.

    `newest_candle_at` (ms) is the close of the newest candle; `stale`: it is too old for what is open to be current.
    """

    selection: Selection
    open: OpenTrades
    signals: int | None
    newest_candle_at: int | None
    stale: bool


def summary(stores: Stores, wanted: TradeFilter, days: int, now: int) -> Summary:
    """The trades closed in the last `days` UTC days under a filter, and those open now."""
    selection = select(stores, wanted, days, now)
    newest = health.market_state(filter(None, [stores.cursors.read(collecting(Timeframe.M1))])).newest
    return Summary(
        selection=selection,
        open=open_trades(stores, wanted),
        signals=signals_issued(stores, days, *selection.signals, now) if selection.signals else None,
        newest_candle_at=newest,
        stale=newest is None or now - newest > health.allowed(health.MARKET),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One value of a dimension: its trades, its signals and their outcomes at each interval.

    `signals` is None and `outcomes` empty where the outcomes' record is not kept along this dimension.
    """

    key: str
    trades: BookCell
    signals: int | None
    outcomes: Mapping[Interval, Tally]


@dataclass(frozen=True, slots=True, kw_only=True)
class Performance:
    """The figures' material: the selection, and a row for each value of what it is grouped by, in order of its key."""

    selection: Selection
    rows: Sequence[Row]


def performance(stores: Stores, wanted: TradeFilter, days: int, now: int, by: str | None = None) -> Performance:
    """The book under a filter, grouped by one of `GROUPINGS`, by `interval`, or not at all."""
    if by is not None and by != INTERVAL and by not in GROUPINGS:
        raise InvalidInput(f"cannot group by {by!r}; valid are {' '.join([*GROUPINGS, INTERVAL])}", field="by")
    selection = select(stores, wanted, days, now, GROUPINGS.get(by) if by else None)
    return Performance(selection=selection, rows=_rows(stores, selection, by, now) if by else ())


def _rows(stores: Stores, selection: Selection, by: str, now: int) -> list[Row]:
    if by == INTERVAL:
        return _interval_rows(stores, selection, now)
    dimension, (filtered_by, value) = GROUPINGS[by], selection.key
    has_outcomes = selection.signals is not None and dimension in DIMENSIONS
    outcomes = record(stores, selection.period.days, [dimension], now) if has_outcomes else None
    known = {*selection.period.cells.get(dimension, {}), *(outcomes.cells.get(dimension, {}) if outcomes else ())}
    keys = {value} if filtered_by == dimension else known
    return [_row(selection, outcomes, dimension, key) for key in sorted(keys)]


def _row(selection: Selection, outcomes: Period | None, dimension: str, key: str) -> Row:
    found = outcomes.cell(dimension, key) if outcomes else None
    return Row(
        key=key,
        trades=selection.period.cell(dimension, key),
        signals=found.signals if found else None,
        outcomes=found.tallies if found else {},
    )


def _interval_rows(stores: Stores, selection: Selection, now: int) -> list[Row]:
    """One row for each interval, without trades: a trade ends when it ends. None where the outcomes are not known."""
    if selection.signals is None:
        return []
    dimension, value = selection.signals
    cell = record(stores, selection.period.days, [dimension], now).cell(dimension, value)
    return [
        Row(key=i, trades=BookCell(), signals=cell.signals, outcomes={i: cell.tallies.get(i, Tally())})
        for i in Interval
    ]
