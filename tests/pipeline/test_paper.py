"""What readers ask of the paper book: the same figures whether a day comes from its rollup or from its trades."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plumbline import paper
from plumbline.domain.books import BookCell, BookCells, count_trades, dimensions_of
from plumbline.domain.calendar import DAY, HOUR, MINUTE, Interval, Timeframe, day_of, day_start
from plumbline.domain.errors import InvalidInput
from plumbline.domain.settlement import unrealised
from plumbline.domain.signals import MarketType, Origin, Side, Tier
from plumbline.domain.trades import Board, Profit, Trade
from plumbline.pipeline.progress import SUMMARISE, collecting
from plumbline.pipeline.summarising import book_rollup, rollup
from plumbline.ports import Page, Stores, TradeFilter
from plumbline.selections import MOST_TRADES, book, filters_of
from tests.builders import NOON, a_position, a_signal, a_trade, an_outcome
from tests.fakes import memory_stores
from tests.paper_fakes import InMemoryTrades

TODAY = day_start(day_of(NOON))
ANY = TradeFilter()


def closed(closed_at: int, n: int = 0, **changes: Any) -> Trade:
    """A trade of a signal an hour and `n` minutes before; every third one made nothing like the others."""
    usd = Decimal((7 * n) % 11 - 4)
    amount = Profit(usd=usd, pct=usd)
    return a_trade(opened_at=closed_at - HOUR - n * MINUTE, closed_at=closed_at, net=amount, **changes)


def a_book(*trades: Trade) -> Stores:
    stores = memory_stores()
    for trade in trades:
        stores.trades.add(trade)
    return stores


def summarise_from(stores: Stores, first: int, until: int) -> None:
    """What the daily summary leaves: whole days, and the running one up to where it came."""
    for midnight in range(first, until + 1, DAY):
        through = min(midnight + DAY - 1, until)
        stores.rollups.put(rollup(stores, midnight, through), 1)
        stores.book_rollups.put(book_rollup(stores, midnight, through), 1)
    stores.cursors.move(None, SUMMARISE, until, {})


def counted(stores: Stores, start: int, until: int) -> BookCells:
    """The same period straight from the trades."""
    return count_trades(stores.trades.closed_between(start - 1, until))


# --- the book


@settings(deadline=None)
@given(
    minutes=st.lists(st.integers(0, 12 * 24 * 60), max_size=12),
    summarised=st.integers(0, 12 * 24 * 60),
    rewound=st.none() | st.integers(0, 12 * 24 * 60),
    days=st.integers(1, 14),
    ago=st.sampled_from([0, 1, 7 * HOUR, 12 * HOUR, 12 * HOUR + 1, 3 * DAY]),
)
def test_a_period_is_its_trades_however_much_of_it_is_summarised(
    minutes: list[int], summarised: int, rewound: int | None, days: int, ago: int
) -> None:
    first = TODAY - 12 * DAY
    stores = a_book(*(closed(first + m * MINUTE, n, scanner_type="ab"[n % 2]) for n, m in enumerate(minutes)))
    summarise_from(stores, first, first + summarised * MINUTE)
    if rewound is not None:
        stores.cursors.rewind(SUMMARISE, first + rewound * MINUTE)
    until = NOON - ago
    period = book(stores, days, ["all", "scanner"], until)
    expected = counted(stores, period.start, until)
    assert period.start == day_start(day_of(until)) - (days - 1) * DAY
    assert period.cells == {name: expected[name] for name in ("all", "scanner") if name in expected}
    midnights = [period.start + n * DAY for n in range(days)]
    assert period.daily() == [
        (day_of(at), counted(stores, at, min(at + DAY - 1, until)).get("all", {}).get("all", BookCell()))
        for at in midnights
    ]


def test_a_quiet_period_is_made_of_quiet_days() -> None:
    period = book(memory_stores(), 3, ["all"], NOON)
    assert period.daily() == [("2026-11-18", BookCell()), ("2026-11-19", BookCell()), ("2026-11-20", BookCell())]
    assert period.cell("all", "all") == BookCell()


class WatchedTrades(InMemoryTrades):
    """Notes what is read, and how."""

    def __init__(self, trades: dict[str, Trade]) -> None:
        super().__init__()
        self.trades = trades
        self.spans: list[tuple[int, int]] = []
        self.pages: list[TradeFilter] = []

    def closed_between(self, after: int, until: int) -> Iterator[Trade]:
        self.spans.append((after, until))
        return super().closed_between(after, until)

    def page(self, wanted: TradeFilter, limit: int, cursor: str | None = None) -> Page[Trade]:
        self.pages.append(wanted)
        return super().page(wanted, limit, cursor)


def in_short_pages(stores: Stores, most_read: int) -> Stores:
    """The same trades in a store that looks at no more than this many for a page."""
    trades = InMemoryTrades(most_read)
    for trade in stores.trades.closed_between(0, NOON):
        trades.add(trade)
    return replace(stores, trades=trades)


def watched(stores: Stores) -> tuple[Stores, WatchedTrades]:
    trades = WatchedTrades({trade.signal_id: trade for trade in stores.trades.closed_between(0, NOON)})
    return replace(stores, trades=trades), trades


def test_closed_days_are_read_from_their_rollups_and_not_counted_again() -> None:
    stores = a_book(*(closed(TODAY - day * DAY + HOUR) for day in range(5)))
    summarise_from(stores, TODAY - 5 * DAY, TODAY + 2 * HOUR)
    stores, trades = watched(stores)
    for by in (None, "scanner", "symbol"):
        paper.performance(stores, ANY, 5, NOON, by)
    paper.summary(stores, ANY, 5, NOON)
    paper.summary(stores, TradeFilter(symbol="BTC/USDT"), 5, NOON)
    assert set(trades.spans) == {(TODAY + 2 * HOUR, NOON)}
    assert trades.pages == []


# --- filters


def a_varied_book(count: int = 60) -> Stores:
    """Trades over five days that differ in everything that can be filtered by; some do not count."""
    trades = [
        closed(
            TODAY - 4 * DAY + n * 107 * MINUTE,
            n,
            symbol=("BTC/USDT", "ETH/USDT", "SOL/USDT")[n % 3],
            side=(Side.LONG, Side.SHORT)[n % 2],
            scanner_type=("technical", "mss")[n // 2 % 2],
            channel_id=("momentum-alpha", "breakout")[n // 3 % 2],
            timeframe=(Timeframe.H1, Timeframe.H4)[n // 4 % 2],
            market_type=(MarketType.SPOT, MarketType.FUTURES)[n // 5 % 2],
            unified_score=(90.0, 72.5, 60.0)[n // 2 % 3],
            tier=(Tier.MUST_BUY, Tier.STRONG_BUY, Tier.WATCHLIST)[n // 2 % 3],
            origin=(Origin.LIVE, Origin.LIVE, Origin.BACKFILL)[n % 7 // 3],
        )
        for n in range(count)
    ]
    stores = a_book(*trades)
    summarise_from(stores, TODAY - 5 * DAY, TODAY - 1)
    return stores


FILTERS = [
    TradeFilter(),
    TradeFilter(symbol="ETH/USDT"),
    TradeFilter(side=Side.SHORT),
    TradeFilter(timeframe=Timeframe.H4),
    TradeFilter(market_type=MarketType.FUTURES),
    TradeFilter(tier=Tier.MUST_BUY),
    TradeFilter(scanner_type="mss"),
    TradeFilter(channel_id="breakout"),
    TradeFilter(symbol="ETH/USDT", side=Side.LONG),
    TradeFilter(symbol="ETH/USDT", channel_id="breakout"),
    TradeFilter(channel_id="breakout", timeframe=Timeframe.H1, scanner_type="technical"),
    TradeFilter(tier=Tier.STRONG_BUY, market_type=MarketType.SPOT),
    TradeFilter(symbol="DOGE/USDT", side=Side.LONG),
]


def those(stores: Stores, wanted: TradeFilter, start: int, until: int = NOON) -> list[Trade]:
    """What a filter means, by plain comprehension."""
    named = {name: value for name in filter_fields() if (value := getattr(wanted, name)) is not None}
    found = stores.trades.closed_between(start - 1, until)
    return [t for t in found if all(getattr(t.position, name) == value for name, value in named.items())]


def filter_fields() -> list[str]:
    return ["symbol", "channel_id", "scanner_type", "timeframe", "market_type", "tier", "side"]


@pytest.mark.parametrize("by", [None, *paper.GROUPINGS])
@pytest.mark.parametrize("wanted", FILTERS, ids=lambda wanted: "+".join(d for d, _ in filters_of(wanted)) or "all")
def test_any_filter_and_grouping_gives_the_cells_of_the_trades_it_means(wanted: TradeFilter, by: str | None) -> None:
    stores = a_varied_book()
    found = paper.performance(stores, wanted, 4, NOON, by)
    expected = count_trades(those(stores, wanted, found.selection.period.start))
    assert found.selection.cell == expected.get("all", {}).get("all", BookCell())
    assert sum((cell for _, cell in found.selection.daily), BookCell()) == found.selection.cell
    assert len(found.selection.daily) == 4
    if by:
        rows = {row.key: row.trades for row in found.rows if row.trades.closed}
        assert rows == expected.get(paper.GROUPINGS[by], {})
        assert [row.key for row in found.rows] == sorted(row.key for row in found.rows)


def test_every_field_that_filters_is_a_dimension_of_the_book() -> None:
    every = TradeFilter(
        symbol="BTC/USDT",
        channel_id="momentum-alpha",
        scanner_type="technical",
        timeframe=Timeframe.H1,
        market_type=MarketType.SPOT,
        tier=Tier.STRONG_BUY,
        side=Side.LONG,
    )
    trade = closed(NOON)
    assert len(filters_of(every)) == len(filter_fields())
    assert set(filters_of(every)) < set(dimensions_of(trade))


def test_several_filters_are_answered_by_the_index_of_the_symbol_or_else_of_the_channel() -> None:
    stores, trades = watched(a_varied_book())
    paper.summary(stores, TradeFilter(symbol="ETH/USDT", channel_id="breakout", side=Side.LONG), 4, NOON)
    paper.summary(stores, TradeFilter(channel_id="breakout", side=Side.LONG), 4, NOON)
    assert [(page.symbol, page.channel_id) for page in trades.pages] == [("ETH/USDT", None), (None, "breakout")]
    assert set(trades.spans) == {(TODAY - 1, NOON)}  # what the rollups do not hold yet, to see how many there are


def test_a_selection_that_needs_several_pages_is_read_to_its_end() -> None:
    stores = in_short_pages(a_varied_book(), 3)
    wanted = TradeFilter(symbol="ETH/USDT", side=Side.LONG)
    found = paper.performance(stores, wanted, 4, NOON)
    expected = count_trades(those(stores, wanted, found.selection.period.start))
    assert found.selection.cell == expected["all"]["all"]


def test_too_many_trades_for_several_filters_are_refused_before_any_of_them_is_read() -> None:
    stores = a_book()
    many = replace(BookCell(), targets=MOST_TRADES + 1)
    yesterday = replace(book_rollup(stores, TODAY - DAY, TODAY - 1), cells={"all": {"all": many}})
    stores.book_rollups.put(yesterday, 1)
    stores.cursors.move(None, SUMMARISE, TODAY - 1, {})
    stores, trades = watched(stores)
    with pytest.raises(InvalidInput, match=r"20,001 trades or more, at most 20,000 .* fewer filters or fewer days"):
        paper.performance(stores, TradeFilter(tier=Tier.MUST_BUY, side=Side.LONG), 3, NOON)
    assert trades.spans == [(TODAY - 1, NOON)]
    assert paper.performance(stores, ANY, 3, NOON).selection.cell == many


# --- the summary


def test_open_trades_and_what_they_would_make_come_from_the_board() -> None:
    stores = memory_stores()
    stores.positions.mark(Board(as_of=NOON, open=3, unrealised_usd=Decimal("1.5"), prices={}))
    found = paper.summary(stores, ANY, 30, NOON)
    assert found.open == paper.OpenTrades(count=3, unrealised_usd=Decimal("1.5"), as_of=NOON)


def test_before_the_tracker_ever_ran_nothing_is_open() -> None:
    assert paper.summary(memory_stores(), ANY, 30, NOON).open == paper.OpenTrades(
        count=0, unrealised_usd=Decimal(0), as_of=None
    )


def test_under_a_filter_open_trades_are_valued_at_the_prices_of_the_board() -> None:
    stores = memory_stores()
    price = Decimal(43_000)
    mine = a_position(opened_at=NOON - HOUR)
    others = [
        a_position(opened_at=NOON - 2 * HOUR, symbol="ETH/USDT"),
        a_position(opened_at=NOON - 3 * HOUR, origin=Origin.BACKFILL),
    ]
    unpriced = a_position(opened_at=NOON - 4 * HOUR, net_entry_price=None)
    for position in (mine, unpriced, *others):
        stores.positions.put(position)
    stores.positions.mark(Board(as_of=NOON, open=3, unrealised_usd=Decimal(9), prices={"BTC/USDT": price}))
    profit = unrealised(mine, price)
    assert profit
    found = paper.open_trades(stores, TradeFilter(symbol="BTC/USDT"))
    assert found == paper.OpenTrades(count=2, unrealised_usd=profit.usd, as_of=NOON)
    assert paper.open_trades(stores, TradeFilter(symbol="ETH/USDT")).unrealised_usd == 0


def with_signals() -> Stores:
    """Five signals of yesterday and today by two scanners, their outcomes at one hour, and no trade yet."""
    stores = memory_stores()
    for n in range(5):
        signal = a_signal(timestamp=NOON - 15 * HOUR + n * HOUR, scanner_type=("technical", "mss")[n % 2])
        stores.signals.add(signal)
        stores.outcomes.add(an_outcome(signal))
    stores.signals.add(a_signal(timestamp=NOON - 20 * HOUR, origin=Origin.BACKFILL))
    summarise_from(stores, TODAY - DAY, TODAY - 1)
    return stores


def test_the_signals_of_the_period_are_counted_beside_its_trades() -> None:
    stores = with_signals()
    assert paper.summary(stores, ANY, 2, NOON).signals == 5
    assert paper.summary(stores, ANY, 1, NOON).signals == 2
    assert paper.summary(stores, TradeFilter(scanner_type="mss"), 2, NOON).signals == 2


@pytest.mark.parametrize(
    "wanted", [TradeFilter(timeframe=Timeframe.H1), TradeFilter(scanner_type="mss", side=Side.LONG)]
)
def test_signals_that_no_rollup_counts_are_unknown_and_not_zero(wanted: TradeFilter) -> None:
    stores = with_signals()
    assert paper.summary(stores, wanted, 2, NOON).signals is None
    assert paper.performance(stores, wanted, 2, NOON, "interval").rows == []


@pytest.mark.parametrize(
    ("age", "stale"), [(MINUTE, False), (10 * MINUTE, False), (10 * MINUTE + 1, True), (None, True)]
)
def test_a_market_whose_newest_candle_is_older_than_ten_minutes_is_stale(age: int | None, stale: bool) -> None:
    stores = memory_stores()
    if age is not None:
        notes = {"positions": {str(NOON - age): ["BTC/USDT"]}}
        stores.cursors.move(None, collecting(Timeframe.M1), NOON - age, notes)
    found = paper.summary(stores, ANY, 30, NOON)
    assert (found.newest_candle_at, found.stale) == (None if age is None else NOON - age, stale)


# --- rows


def test_a_row_has_its_signals_and_their_outcomes_beside_its_trades() -> None:
    stores = with_signals()
    stores.trades.add(closed(NOON - HOUR, scanner_type="mss"))
    rows = {row.key: row for row in paper.performance(stores, ANY, 2, NOON, "scanner").rows}
    assert {key: (row.trades.closed, row.signals) for key, row in rows.items()} == {"mss": (1, 2), "technical": (0, 3)}
    assert rows["technical"].outcomes[Interval.H1].wins == 3


def test_a_filter_by_what_is_grouped_leaves_one_row() -> None:
    rows = paper.performance(with_signals(), TradeFilter(scanner_type="mss"), 2, NOON, "scanner").rows
    assert [(row.key, row.signals) for row in rows] == [("mss", 2)]


def test_a_dimension_that_the_outcomes_are_not_kept_along_has_rows_of_trades_alone() -> None:
    stores = with_signals()
    stores.trades.add(closed(NOON - HOUR))
    [row] = paper.performance(stores, ANY, 2, NOON, "timeframe").rows
    assert (row.key, row.trades.closed, row.signals, row.outcomes) == ("1h", 1, None, {})


def test_by_interval_there_is_one_row_for_each_of_the_outcomes_alone() -> None:
    rows = paper.performance(with_signals(), TradeFilter(scanner_type="technical"), 2, NOON, "interval").rows
    assert [row.key for row in rows] == [*Interval]
    assert [row.outcomes[Interval(row.key)].wins for row in rows] == [3, 0, 0, 0, 0]
    assert {row.trades for row in rows} == {BookCell()}


def test_what_cannot_be_grouped_by_is_refused_with_what_can() -> None:
    with pytest.raises(InvalidInput, match=r"'colour'; valid are scanner tier .* interval"):
        paper.performance(memory_stores(), ANY, 2, NOON, "colour")
