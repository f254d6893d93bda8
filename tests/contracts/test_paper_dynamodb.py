"""What only real tables can do wrong with the paper book: crashes between the two halves of a trade, and its cost."""

from decimal import Decimal

import pytest

from plumbline.adapters.stores import stores_over
from plumbline.adapters.stores.keys import shard_of
from plumbline.adapters.tables import Tables
from plumbline.domain.calendar import DAY, HOUR
from plumbline.domain.signals import Side
from plumbline.domain.trades import Profit, Status, Terms, Trade
from plumbline.ports import Stores, TradeFilter
from tests.bench.reads import ReadMeter
from tests.builders import NOON, a_position, a_trade, an_event
from tests.capacity import CapacityMeter, item_size
from tests.contracts.wire import crash_at_write
from tests.fakes import Crash
from tests.tables import table_definitions


def lists_of(stores: Stores, trade: Trade) -> list[list[Trade]]:
    """The trade in every list that may hold it."""
    wanted = TradeFilter(), TradeFilter(symbol=trade.position.symbol), TradeFilter(channel_id="momentum-alpha")
    pages = [list(stores.trades.page(each, 9).items) for each in wanted]
    week = [list(stores.trades.closed_between(NOON - 7 * DAY, NOON + 7 * DAY))]
    return [list(stores.trades.get([trade.signal_id]).values()), *pages, *week]


@pytest.mark.parametrize("performed", [False, True])
@pytest.mark.parametrize("at", [1, 2, 3])
def test_a_trade_that_a_crash_left_behind_is_in_every_list_after_the_retry(
    tables: Tables, dynamo: Stores, at: int, performed: bool
) -> None:
    trade = a_trade()
    with crash_at_write(tables, at, performed=performed), pytest.raises(Crash):
        dynamo.trades.add(trade)
    stored = at > 1 or performed
    short = list(dynamo.trades.closed_between(trade.closed_at - 1, trade.closed_at))
    assert lists_of(dynamo, trade)[1:] == [short] * 4, "listed everywhere or nowhere, also before the retry"
    retried = stores_over(tables, "simulated")
    assert retried.trades.add(trade) is not stored
    assert lists_of(retried, trade) == [[trade]] * 5


def test_the_trade_that_is_stored_is_the_one_that_is_listed(tables: Tables, dynamo: Stores) -> None:
    first, other = a_trade(), a_trade(status=Status.EXPIRED)
    with crash_at_write(tables, 2), pytest.raises(Crash):
        dynamo.trades.add(first)
    retried = stores_over(tables, "simulated")
    assert not retried.trades.add(other)
    assert lists_of(retried, first) == [[first]] * 5


def test_closing_a_trade_is_three_writes_and_two_entries_of_indexes(tables: Tables, dynamo: Stores) -> None:
    dynamo.trades.add(a_trade())  # the day's first one marks it
    trade = a_trade(symbol="ETH/USDT")
    dynamo.positions.put(trade.position)
    with CapacityMeter(tables) as meter:
        dynamo.trades.add(trade)
        dynamo.positions.remove(trade.signal_id)
    assert meter.requests == {"PutItem": 2, "DeleteItem": 1}
    indexes = next(each for each in table_definitions("any") if each["TableName"] == "any-trades")
    assert len(indexes["GlobalSecondaryIndexes"]) == 2


def a_long_winded_trade() -> Trade:
    position = a_position(
        side=Side.SHORT,
        unified_score=87.35714285714286,
        confidence=0.8735714285714286,
        snapshot_id="0123456789abcdef" * 4,
        entry_price=Decimal("42000.51234"),
        stop_loss=Decimal("42800.71987"),
        take_profit=Decimal("40800.20105"),
        net_entry_price=Decimal("41998.77001"),
        indicators_fired=("rsi", "macd", "bollinger", "volume"),
        indicator_breakdown={"rsi": 29.512345678, "macd": 30.0, "bollinger": 17.845, "volume": 10.000000001},
        terms=Terms(position_usd=Decimal("1234.56"), fee_bps=Decimal("7.5"), slippage_bps=Decimal("2.5")),
    )
    if_target = Profit(usd=Decimal("34.123456"), pct=Decimal("2.764017"))
    return a_trade(position, status=Status.STOP, ambiguous=True, net_if_target=if_target)


def test_a_trade_fits_one_write_unit_open_closed_and_listed(tables: Tables, dynamo: Stores) -> None:
    trade = a_long_winded_trade()
    dynamo.positions.put(trade.position)
    dynamo.trades.add(trade)
    shard = shard_of(trade.signal_id)
    stored = [
        *tables.positions.select(f"simulated#open#{shard}"),
        *tables.trades.select(f"simulated#trade#2026-11-20#{shard}"),
        *tables.closed_trades.select(f"simulated#closed#2026-11-20#{shard}"),
    ]
    sizes = [item_size(item.serialize()) for item in stored]
    assert len(sizes) == 3
    assert max(sizes) <= 1_024, sizes


def test_only_the_listing_stands_in_the_indexes(tables: Tables, dynamo: Stores) -> None:
    trade = a_trade()
    dynamo.trades.add(trade)
    fact = tables.trades.read(f"simulated#trade#2026-11-20#{shard_of(trade.signal_id)}", trade.signal_id)
    assert fact
    assert {"sm", "cm"}.isdisjoint(fact.serialize())
    listed = tables.closed_trades.select("simulated#BTC/USDT#2026-11", index="by-symbol")
    assert [item.sk for item in listed] == [f"{trade.closed_at}#{trade.signal_id}"]


def test_the_cost_of_a_page_does_not_grow_with_the_book(tables: Tables, dynamo: Stores) -> None:
    costs = []
    for count in (15, 45):
        for i in range(count):
            dynamo.trades.add(a_trade(snapshot_id=f"{count}#{i}", closed_at=NOON + HOUR + i))
        with ReadMeter(tables) as meter:
            dynamo.trades.page(TradeFilter(), 5)
            dynamo.trades.page(TradeFilter(symbol="BTC/USDT"), 5)
        costs.append(meter.total)
    assert costs[0] == costs[1]


def test_a_thin_list_is_read_in_few_requests(tables: Tables, dynamo: Stores) -> None:
    for i in range(40):
        dynamo.positions.put(a_position(snapshot_id=f"{i}"))
        dynamo.trades.add(a_trade(snapshot_id=f"{i}"))
    with CapacityMeter(tables) as meter:
        assert dynamo.positions.page(TradeFilter(scanner_type="mss"), 2).items == ()
        assert dynamo.trades.page(TradeFilter(scanner_type="mss"), 2).items == ()
    assert meter.requests == {"Query": 2 + 1 + 2}  # a day is two partitions, and the list of days one more


def test_nothing_of_the_paper_book_and_the_feed_scans(tables: Tables, dynamo: Stores) -> None:
    with CapacityMeter(tables) as meter:
        lists_of(dynamo, a_trade())
        dynamo.positions.all()
        dynamo.positions.board()
        dynamo.book_rollups.days(["2026-11-20"], ["all"])
        dynamo.feed.append(an_event())
        dynamo.feed.after(0, 9)
        dynamo.feed.number_at(0)
        dynamo.connections.all()
    assert set(meter.requests) <= {"GetItem", "BatchGetItem", "Query", "TransactWriteItems"}
