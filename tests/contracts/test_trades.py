import base64
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plumbline.adapters.stores import stores_over
from plumbline.adapters.stores.trades import DynamoTrades
from plumbline.adapters.tables import Tables
from plumbline.domain.calendar import DAY, HOUR, MINUTE, Timeframe, day_start
from plumbline.domain.errors import InvalidInput
from plumbline.domain.signals import MarketType, Origin, Side, Tier, first_id
from plumbline.domain.trades import Profit, Status, Terms, Trade, Trigger
from plumbline.ports import Page, Stores, TradeFilter, Trades
from tests.builders import NOON, a_position, a_trade, at
from tests.paper_fakes import InMemoryTrades

MIDNIGHT = day_start("2026-11-20")
EVERYTHING = a_trade(
    a_position(
        side=Side.SHORT,
        symbol="ETH/USDT:USDT",
        market_type=MarketType.FUTURES,
        timeframe=Timeframe.M5,
        scanner_type="social",
        channel_id="outside",
        strategy_type="",
        snapshot_id="external",
        origin=Origin.EXTERNAL,
        unified_score=84.99999999999999,
        confidence=0.1 + 0.2,
        entry_price=Decimal("0.00000001234567891"),
        stop_loss=Decimal("0.0000000125"),
        take_profit=Decimal("0.000000012"),
        trigger_type=Trigger.LEVELS,
        indicators_fired=("Überverkauft",),
        indicator_breakdown={"rsi": 1e-12, "macd": -0.1},
        terms=Terms(position_usd=Decimal("250.50"), fee_bps=Decimal("7.5"), slippage_bps=Decimal(0)),
        net_entry_price=Decimal("0.0000000123456"),
    ),
    status=Status.STOP,
    ambiguous=True,
    net_if_target=Profit(usd=Decimal("6.123456"), pct=Decimal("2.444493")),
    max_favourable_pct=Decimal(0),
)
BARE = a_trade(
    a_position(stop_loss=None, take_profit=None, net_entry_price=None, indicators_fired=(), indicator_breakdown={}),
    status=Status.UNKNOWN,
)


@pytest.mark.parametrize("trade", [a_trade(), EVERYTHING, BARE, a_trade(status=Status.EXPIRED)])
def test_a_stored_trade_comes_back_equal_in_every_field_from_every_list(stores: Stores, trade: Trade) -> None:
    assert stores.trades.add(trade)
    assert stores.trades.get([trade.signal_id]) == {trade.signal_id: trade}
    assert list(stores.trades.closed_between(trade.closed_at - 1, trade.closed_at)) == [trade]
    assert stores.trades.page(TradeFilter(), 5) == Page((trade,))
    assert stores.trades.page(TradeFilter(symbol=trade.position.symbol), 5) == Page((trade,))
    assert stores.trades.page(TradeFilter(channel_id=trade.position.channel_id), 5) == Page((trade,))


def test_a_signal_has_one_trade_ever_and_the_first_one_stays(stores: Stores) -> None:
    first, second = a_trade(), a_trade(status=Status.STOP, closed_at=NOON + 30 * HOUR)
    assert (stores.trades.add(first), stores.trades.add(first), stores.trades.add(second)) == (True, False, False)
    assert stores.trades.get([first.signal_id]) == {first.signal_id: first}
    assert list(stores.trades.closed_between(0, NOON + 30 * DAY)) == [first]
    assert stores.trades.page(TradeFilter(), 5).items == (first,)


def test_only_trades_that_are_closed_are_answered_each_once(stores: Stores) -> None:
    trade = a_trade()
    stores.trades.add(trade)
    assert set(stores.trades.get([trade.signal_id, trade.signal_id, first_id(NOON), "0" * 26])) == {trade.signal_id}
    assert stores.trades.get([]) == {}


def test_more_than_a_hundred_trades_are_answered(stores: Stores) -> None:
    trades = {t.signal_id: t for t in (a_trade(opened_at=NOON + i) for i in range(104))}
    for trade in trades.values():
        stores.trades.add(trade)
    assert stores.trades.get(trades) == trades


def test_what_is_no_id_is_refused(stores: Stores) -> None:
    with pytest.raises(InvalidInput, match="not a signal id"):
        stores.trades.get(["42"])


def test_a_trade_that_opened_at_another_time_than_its_id_names_is_refused(stores: Stores) -> None:
    with pytest.raises(InvalidInput, match=str(NOON + 1)):
        stores.trades.add(a_trade(replace(a_position(), opened_at=NOON + 1)))


def closed(*instants: int) -> list[Trade]:
    """Trades that closed at these times; each opened an hour before and is of a signal of its own."""
    return [a_trade(opened_at=t - HOUR, snapshot_id=f"{i}", closed_at=t) for i, t in enumerate(instants)]


def in_order(trades: list[Trade]) -> list[Trade]:
    return sorted(trades, key=lambda trade: (trade.closed_at, trade.signal_id))


def test_closed_between_leaves_its_start_out_and_takes_its_end(stores: Stores) -> None:
    trades = closed(NOON, NOON + 1, NOON + MINUTE, NOON + MINUTE + 1)
    for trade in reversed(trades):
        stores.trades.add(trade)
    assert list(stores.trades.closed_between(NOON, NOON + MINUTE)) == trades[1:3]
    assert list(stores.trades.closed_between(NOON, NOON)) == []
    assert list(stores.trades.closed_between(NOON + DAY, NOON)) == []


def test_trades_are_listed_by_their_closing_not_their_opening(stores: Stores) -> None:
    long, short = a_trade(opened_at=NOON - DAY, closed_at=NOON + 2), a_trade(opened_at=NOON, closed_at=NOON + 1)
    for trade in (long, short):
        stores.trades.add(trade)
    assert list(stores.trades.closed_between(0, NOON + DAY)) == [short, long]
    assert stores.trades.page(TradeFilter(), 5).items == (long, short)


def test_trades_that_closed_at_one_moment_come_in_order_of_id(stores: Stores) -> None:
    trades = closed(*[NOON] * 12)
    for trade in trades:
        stores.trades.add(trade)
    assert list(stores.trades.closed_between(NOON - 1, NOON)) == in_order(trades)


@pytest.mark.parametrize("after", [-HOUR, 0, NOON - 30 * DAY])
def test_a_long_range_over_months_finds_its_few_days(stores: Stores, after: int) -> None:
    few = closed(NOON - 21 * DAY, NOON - 20 * DAY, NOON - DAY, NOON)
    for trade in few:
        stores.trades.add(trade)
    assert list(stores.trades.closed_between(after, NOON)) == few


def test_midnight_belongs_to_the_day_it_begins(stores: Stores) -> None:
    last, first = closed(MIDNIGHT - 1, MIDNIGHT)
    for trade in (last, first):
        stores.trades.add(trade)
    assert list(stores.trades.closed_between(MIDNIGHT - DAY, MIDNIGHT - 1)) == [last]
    assert list(stores.trades.closed_between(MIDNIGHT - 1, MIDNIGHT)) == [first]
    assert list(stores.trades.closed_between(MIDNIGHT - 2, MIDNIGHT + DAY)) == [last, first]


def test_two_sources_on_the_same_tables_do_not_see_each_other(tables: Tables) -> None:
    simulated, live = stores_over(tables, "simulated"), stores_over(tables, "binance")
    trade = a_trade()
    simulated.trades.add(trade)
    assert live.trades.get([trade.signal_id]) == {}
    assert list(live.trades.closed_between(0, NOON + DAY)) == []
    for wanted in (TradeFilter(), TradeFilter(symbol="BTC/USDT"), TradeFilter(channel_id="momentum-alpha")):
        assert live.trades.page(wanted, 10).items == ()


# Pages


def a_book(trades: Trades) -> list[Trade]:
    """Ten trades, last closed first: three months, and something of everything that can be asked for."""
    book = [
        a_trade(closed_at=at("2026-11-20T12:00:00Z")),
        a_trade(closed_at=at("2026-11-20T12:00:00Z"), symbol="ETH/USDT", unified_score=90.0),
        a_trade(closed_at=at("2026-11-20T12:00:00Z"), snapshot_id="7" * 64, channel_id="reversion-beta"),
        a_trade(
            closed_at=at("2026-11-20T11:00:00Z"),
            symbol="ETH/USDT",
            snapshot_id="6" * 64,
            channel_id="reversion-beta",
            side=Side.SHORT,
        ),
        a_trade(closed_at=at("2026-11-20T11:00:00Z"), snapshot_id="8" * 64, timeframe=Timeframe.M5),
        a_trade(closed_at=at("2026-11-18T23:59:00Z"), snapshot_id="9" * 64, scanner_type="mss"),
        a_trade(closed_at=at("2026-10-31T23:00:00Z"), opened_at=at("2026-10-31T03:00:00Z"), scanner_type="mss"),
        a_trade(closed_at=at("2026-10-31T22:00:00Z"), symbol="ETH/USDT", opened_at=at("2026-10-31T01:00:00Z")),
        a_trade(
            closed_at=at("2026-02-01T00:00:00Z"), opened_at=at("2026-01-31T01:00:00Z"), channel_id="reversion-beta"
        ),
        a_trade(
            closed_at=at("2024-01-05T07:00:00Z"),
            opened_at=at("2024-01-05T06:00:00Z"),
            market_type=MarketType.FUTURES,
            status=Status.EXPIRED,
        ),
    ]
    for trade in book:
        trades.add(trade)
    assert len({trade.signal_id for trade in book}) == len(book)
    return in_order(book)[::-1]


WANTED: dict[TradeFilter, Callable[[Trade], bool]] = {
    TradeFilter(): lambda t: True,
    TradeFilter(symbol="BTC/USDT"): lambda t: t.position.symbol == "BTC/USDT",
    TradeFilter(channel_id="reversion-beta"): lambda t: t.position.channel_id == "reversion-beta",
    TradeFilter(symbol="ETH/USDT", channel_id="reversion-beta"): lambda t: (
        (t.position.symbol, t.position.channel_id) == ("ETH/USDT", "reversion-beta")
    ),
    TradeFilter(scanner_type="mss"): lambda t: t.position.scanner_type == "mss",
    TradeFilter(timeframe=Timeframe.M5): lambda t: t.position.timeframe == "5m",
    TradeFilter(market_type=MarketType.FUTURES): lambda t: t.position.market_type == "FUTURES",
    TradeFilter(tier=Tier.MUST_BUY): lambda t: t.position.unified_score >= 85,
    TradeFilter(side=Side.SHORT): lambda t: t.position.side == "SHORT",
    TradeFilter(side=Side.LONG, symbol="ETH/USDT"): lambda t: (
        (t.position.side, t.position.symbol) == ("LONG", "ETH/USDT")
    ),
    TradeFilter(since=at("2026-10-31T22:00:00Z"), until=at("2026-11-20T11:00:00Z")): lambda t: (
        at("2026-10-31T22:00:00Z") <= t.closed_at <= at("2026-11-20T11:00:00Z")
    ),
    TradeFilter(symbol="ETH/USDT", since=at("2026-11-01T00:00:00Z")): lambda t: (
        t.position.symbol == "ETH/USDT" and t.closed_at >= at("2026-11-01T00:00:00Z")
    ),
    TradeFilter(symbol="DOGE/USDT"): lambda t: False,
    TradeFilter(until=0): lambda t: False,
    TradeFilter(since=NOON + DAY): lambda t: False,
    TradeFilter(since=NOON, until=NOON - 1): lambda t: False,
}


def chosen(book: list[Trade], wanted: TradeFilter) -> list[Trade]:
    return [trade for trade in book if WANTED[wanted](trade)]


def pages_of(trades: Trades, wanted: TradeFilter, *limits: int) -> list[Page[Trade]]:
    """All pages, each of the next size."""
    pages, cursor = list[Page[Trade]](), None
    while not pages or cursor:
        pages.append(trades.page(wanted, limits[len(pages) % len(limits)], cursor))
        assert pages[-1].next_cursor is None or pages[-1].next_cursor != cursor, "a cursor goes on"
        cursor = pages[-1].next_cursor
    return pages


def trades_of(pages: list[Page[Trade]]) -> list[Trade]:
    return [trade for page in pages for trade in page.items]


@pytest.mark.parametrize("wanted", WANTED)
def test_a_page_is_what_the_filter_means_last_closed_first_and_leads_to_the_next(
    stores: Stores, wanted: TradeFilter
) -> None:
    expected = chosen(a_book(stores.trades), wanted)
    for limit in (1, 2, 3, len(expected) or 1, 100):
        *full, last = pages_of(stores.trades, wanted, limit)
        assert trades_of([*full, last]) == expected
        assert all(len(page.items) == limit for page in full)
        assert last.items or not full, "a cursor leads to something"


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(wanted=st.sampled_from([*WANTED]), limits=st.lists(st.integers(1, 4), min_size=1, max_size=4))
def test_the_page_size_may_change_on_the_way(dynamo: Stores, wanted: TradeFilter, limits: list[int]) -> None:
    book = a_book(dynamo.trades)  # put-if-absent: every example finds the same ten
    assert trades_of(pages_of(dynamo.trades, wanted, *limits)) == chosen(book, wanted)


@pytest.fixture(params=["memory", "dynamo"])
def frugal(request: pytest.FixtureRequest) -> Trades:
    """Trades of which a page looks at three, at most."""
    if request.param == "memory":
        return InMemoryTrades(most_read=3)
    tables: Tables = request.getfixturevalue("tables")
    return DynamoTrades(tables.trades, tables.closed_trades, tables.closed_days, "simulated", most_read=3)


@pytest.mark.parametrize("wanted", WANTED)
def test_a_page_that_has_looked_at_enough_is_short_and_goes_on(frugal: Trades, wanted: TradeFilter) -> None:
    expected = chosen(a_book(frugal), wanted)
    for limit in (1, 3, 4):
        pages = pages_of(frugal, wanted, limit)
        assert trades_of(pages) == expected
        assert max(len(page.items) for page in pages) <= 3


def test_a_page_may_be_empty_and_still_have_a_next_one(frugal: Trades) -> None:
    a_book(frugal)
    page = frugal.page(TradeFilter(market_type=MarketType.FUTURES), 5)
    assert page.items == ()
    assert page.next_cursor


def test_a_trade_that_closes_meanwhile_disturbs_no_later_page(stores: Stores) -> None:
    book = a_book(stores.trades)
    first = stores.trades.page(TradeFilter(), 3)
    stores.trades.add(a_trade(symbol="SOL/USDT", closed_at=NOON + HOUR))
    rest = stores.trades.page(TradeFilter(), 100, first.next_cursor)
    assert [*first.items, *rest.items] == book


@pytest.mark.parametrize("cursor", ["", "x", "e30", "bnVsbA", "WyI0MiJd", "eyJiZWZvcmUiOiI0MiIsIm9mIjoiIn0", "ü"])
def test_a_cursor_that_is_not_ours_is_refused(stores: Stores, cursor: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        stores.trades.page(TradeFilter(), 1, cursor)
    assert refusal.value.field == "cursor"


@pytest.mark.parametrize("other", [TradeFilter(), TradeFilter(symbol="ETH/USDT"), TradeFilter(tier=Tier.MUST_BUY)])
def test_a_cursor_of_another_filter_is_refused(stores: Stores, other: TradeFilter) -> None:
    a_book(stores.trades)
    cursor = stores.trades.page(TradeFilter(symbol="BTC/USDT"), 1).next_cursor
    with pytest.raises(InvalidInput, match="another filter"):
        stores.trades.page(other, 1, cursor)


def test_a_cursor_of_the_open_trades_is_refused(stores: Stores) -> None:
    for position in (a_position(), a_position(symbol="ETH/USDT")):
        stores.positions.put(position)
    cursor = stores.positions.page(TradeFilter(), 1).next_cursor
    assert cursor
    with pytest.raises(InvalidInput, match="not a cursor"):
        stores.trades.page(TradeFilter(), 1, cursor)


@pytest.mark.parametrize("place", ["42", "42#{id}", "x234567890123#{id}", "1795186799999#42"])
def test_a_cursor_that_somebody_changed_is_refused(dynamo: Stores, place: str) -> None:
    last = a_book(dynamo.trades)[0]
    cursor = dynamo.trades.page(TradeFilter(), 1).next_cursor or ""
    content = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    changed = content.replace(f"{last.closed_at}#{last.signal_id}", place.format(id=last.signal_id))
    assert changed != content
    with pytest.raises(InvalidInput, match="not a cursor"):
        dynamo.trades.page(TradeFilter(), 1, base64.urlsafe_b64encode(changed.encode()).decode())


def test_a_page_of_nothing_is_refused(stores: Stores) -> None:
    with pytest.raises(InvalidInput, match="1 trade or more"):
        stores.trades.page(TradeFilter(), 0)
