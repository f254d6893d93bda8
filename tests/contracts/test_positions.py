from dataclasses import replace
from decimal import Decimal

import pytest

from plumbline.adapters.stores import stores_over
from plumbline.adapters.stores.positions import DynamoPositions
from plumbline.adapters.tables import Tables
from plumbline.domain.calendar import DAY, HOUR, MINUTE, Timeframe
from plumbline.domain.errors import InvalidInput
from plumbline.domain.signals import MarketType, Side, Tier
from plumbline.domain.trades import Board, Position
from plumbline.ports import Page, Positions, Stores, TradeFilter
from tests.builders import NOON, a_position, a_trade
from tests.paper_fakes import InMemoryPositions

BOARD = Board(
    as_of=NOON,
    open=2,
    unrealised_usd=Decimal("-1.234567"),
    prices={"BTC/USDT": Decimal("42000.50"), "PEPE/USDT": Decimal("0.00000001234")},
)


@pytest.mark.parametrize(
    "position",
    [a_position(), a_position(side=Side.SHORT), a_position(stop_loss=None, take_profit=None, net_entry_price=None)],
)
def test_an_open_trade_comes_back_equal_in_every_field(stores: Stores, position: Position) -> None:
    stores.positions.put(position)
    assert stores.positions.all() == [position]
    assert stores.positions.page(TradeFilter(), 5) == Page((position,))


def test_an_open_trade_is_replaced_when_it_has_entered(stores: Stores) -> None:
    stores.positions.put(a_position(net_entry_price=None))
    stores.positions.put(a_position())
    assert stores.positions.all() == [a_position()]


def test_what_is_removed_is_gone_and_removing_it_again_does_nothing(stores: Stores) -> None:
    gone, stays = a_position(), a_position(symbol="ETH/USDT")
    for position in (gone, stays):
        stores.positions.put(position)
    for _ in range(2):
        stores.positions.remove(gone.signal_id)
    assert stores.positions.all() == [stays]


def test_open_trades_come_in_order_of_id(stores: Stores) -> None:
    positions = [a_position(symbol=f"C{i}/USDT", opened_at=NOON + i % 3) for i in range(12)]
    for position in positions:
        stores.positions.put(position)
    assert stores.positions.all() == sorted(positions, key=lambda position: position.signal_id)


def test_a_trade_that_opened_at_another_time_than_its_id_names_is_refused(stores: Stores) -> None:
    with pytest.raises(InvalidInput, match=str(NOON + 1)):
        stores.positions.put(replace(a_position(), opened_at=NOON + 1))


def test_closed_trades_are_no_open_ones(stores: Stores) -> None:
    stores.trades.add(a_trade())
    assert stores.positions.all() == []


def test_two_sources_on_the_same_tables_do_not_see_each_other(tables: Tables) -> None:
    simulated, live = stores_over(tables, "simulated"), stores_over(tables, "binance")
    simulated.positions.put(a_position())
    simulated.positions.mark(BOARD)
    assert live.positions.all() == []
    assert live.positions.page(TradeFilter(), 5).items == ()
    assert live.positions.board() is None


# The board


def test_a_board_that_was_never_marked_is_none(stores: Stores) -> None:
    stores.positions.put(a_position())
    assert stores.positions.board() is None


@pytest.mark.parametrize("board", [BOARD, Board(as_of=0, open=0, unrealised_usd=Decimal(0), prices={})])
def test_a_board_comes_back_equal_and_is_no_open_trade(stores: Stores, board: Board) -> None:
    stores.positions.mark(board)
    assert stores.positions.board() == board
    assert stores.positions.all() == []


@pytest.mark.parametrize(("later", "as_of"), [(MINUTE, NOON + MINUTE), (0, NOON), (-MINUTE, NOON)])
def test_a_board_never_goes_back_in_time(stores: Stores, later: int, as_of: int) -> None:
    stores.positions.mark(BOARD)
    stores.positions.mark(replace(BOARD, as_of=NOON + later, open=9, prices={}))
    board = stores.positions.board()
    assert board
    assert (board.as_of, board.open) == (as_of, 9 if later >= 0 else 2)


# Pages


def open_trades(positions: Positions) -> list[Position]:
    """Seven open trades, newest first."""
    trades = [
        a_position(),
        a_position(symbol="ETH/USDT", unified_score=90.0, channel_id="reversion-beta"),
        a_position(symbol="SOL/USDT", side=Side.SHORT),
        a_position(opened_at=NOON - HOUR, scanner_type="mss"),
        a_position(opened_at=NOON - HOUR, timeframe=Timeframe.M5),
        a_position(opened_at=NOON - DAY, symbol="ETH/USDT"),
        a_position(opened_at=NOON - DAY, market_type=MarketType.FUTURES),
    ]
    for position in trades:
        positions.put(position)
    return sorted(trades, key=lambda position: position.signal_id, reverse=True)


WANTED = {
    TradeFilter(): 7,
    TradeFilter(symbol="ETH/USDT"): 2,
    TradeFilter(channel_id="momentum-alpha"): 6,
    TradeFilter(symbol="ETH/USDT", channel_id="momentum-alpha"): 1,
    TradeFilter(scanner_type="mss"): 1,
    TradeFilter(timeframe=Timeframe.H1): 6,
    TradeFilter(market_type=MarketType.SPOT): 6,
    TradeFilter(tier=Tier.MUST_BUY): 1,
    TradeFilter(side=Side.SHORT): 1,
    TradeFilter(since=NOON - HOUR): 5,
    TradeFilter(until=NOON - HOUR): 4,
    TradeFilter(since=NOON - HOUR, until=NOON - HOUR): 2,
    TradeFilter(since=NOON, until=NOON - 1): 0,
    TradeFilter(symbol="DOGE/USDT"): 0,
}
FIELDS = ("symbol", "channel_id", "scanner_type", "timeframe", "market_type", "tier", "side")


def chosen(trades: list[Position], wanted: TradeFilter) -> list[Position]:
    first, last = wanted.since or 0, NOON if wanted.until is None else wanted.until
    asked = {name: value for name in FIELDS if (value := getattr(wanted, name))}
    found = [t for t in trades if first <= t.opened_at <= last and asked == {n: getattr(t, n) for n in asked}]
    assert len(found) == WANTED[wanted]
    return found


def pages_of(positions: Positions, wanted: TradeFilter, limit: int) -> list[Page[Position]]:
    pages, cursor = list[Page[Position]](), None
    while not pages or cursor:
        pages.append(positions.page(wanted, limit, cursor))
        assert pages[-1].next_cursor is None or pages[-1].next_cursor != cursor, "a cursor goes on"
        cursor = pages[-1].next_cursor
    return pages


def trades_of(pages: list[Page[Position]]) -> list[Position]:
    return [position for page in pages for position in page.items]


@pytest.mark.parametrize("wanted", WANTED)
def test_pages_lead_to_the_end_newest_first_without_loss(stores: Stores, wanted: TradeFilter) -> None:
    expected = chosen(open_trades(stores.positions), wanted)
    for limit in (1, 2, 7):
        *full, last = pages_of(stores.positions, wanted, limit)
        assert trades_of([*full, last]) == expected
        assert all(len(page.items) == limit for page in full)
        assert last.items or not full, "a cursor leads to something"


@pytest.fixture(params=["memory", "dynamo"])
def frugal(request: pytest.FixtureRequest) -> Positions:
    """Open trades of which a page looks at three, at most."""
    if request.param == "memory":
        return InMemoryPositions(most_read=3)
    tables: Tables = request.getfixturevalue("tables")
    return DynamoPositions(tables.positions, tables.boards, "simulated", most_read=3)


@pytest.mark.parametrize("wanted", WANTED)
def test_a_page_that_has_looked_at_enough_is_short_and_goes_on(frugal: Positions, wanted: TradeFilter) -> None:
    expected = chosen(open_trades(frugal), wanted)
    pages = pages_of(frugal, wanted, 5)
    assert trades_of(pages) == expected
    assert max(len(page.items) for page in pages) <= 3


def test_a_trade_that_closes_meanwhile_does_not_end_the_list(stores: Stores) -> None:
    trades = open_trades(stores.positions)
    first = stores.positions.page(TradeFilter(), 3)
    stores.positions.remove(trades[2].signal_id)
    assert list(stores.positions.page(TradeFilter(), 9, first.next_cursor).items) == trades[3:]


@pytest.mark.parametrize("cursor", ["", "x", "e30", "eyJiZWZvcmUiOiI0MiIsIm9mIjoiIn0"])
def test_a_cursor_that_is_not_ours_is_refused(stores: Stores, cursor: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        stores.positions.page(TradeFilter(), 1, cursor)
    assert refusal.value.field == "cursor"


def test_a_cursor_of_another_filter_is_refused(stores: Stores) -> None:
    open_trades(stores.positions)
    cursor = stores.positions.page(TradeFilter(side=Side.LONG), 1).next_cursor
    with pytest.raises(InvalidInput, match="another filter"):
        stores.positions.page(TradeFilter(), 1, cursor)


def test_a_page_of_nothing_is_refused(stores: Stores) -> None:
    with pytest.raises(InvalidInput, match="1 trade or more"):
        stores.positions.page(TradeFilter(), 0)
