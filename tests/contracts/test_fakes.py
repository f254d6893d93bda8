"""The fakes that have no DynamoDB beside them, and the crashes."""

import pytest

from plumbline.domain.calendar import MINUTE, Timeframe
from plumbline.domain.errors import ExchangeUnavailable, Unavailable, UnknownSymbol
from plumbline.ports import Span, Stores
from tests.builders import (
    NOON,
    a_position,
    a_signal,
    a_trade,
    an_event,
    an_outcome,
    candles,
    minute_candles,
    random_walk,
    without,
)
from tests.fakes import Crash, CrashAfter, FakeExchange, InMemoryOutcomes, InMemorySignals, memory_stores
from tests.feed_fakes import FakeSockets
from tests.paper_fakes import InMemoryPositions, InMemoryTrades

BTC = "BTC/USDT"


def an_exchange() -> FakeExchange:
    exchange = FakeExchange(most_traded=["ETH/USDT", BTC, "ETH/EUR"])
    exchange.list(BTC, minute_candles(1, 2, 3), candles("1h", 5))
    exchange.list("ETH/USDT", minute_candles(7))
    return exchange


def test_an_exchange_trades_what_it_was_given() -> None:
    exchange = an_exchange()
    sifted = exchange.candles(BTC, Timeframe.M1, NOON + MINUTE, NOON + 3 * MINUTE)
    assert sifted.candles.close.tolist() == [2, 3]
    assert exchange.markets() == (BTC, "ETH/USDT")
    assert exchange.most_traded("USDT", 1) == ("ETH/USDT",)
    assert exchange.calls == [Span(BTC, Timeframe.M1, NOON + MINUTE, NOON + 3 * MINUTE)]


def test_an_exchange_fails_as_often_as_it_is_told() -> None:
    exchange = an_exchange()
    exchange.fail_with = [ExchangeUnavailable("418", retry_after=60)]
    with pytest.raises(ExchangeUnavailable):
        exchange.candles(BTC, Timeframe.M1, NOON, NOON + MINUTE)
    assert len(exchange.candles(BTC, Timeframe.M1, NOON, NOON + MINUTE).candles) == 1


def test_an_unknown_symbol_comes_with_its_neighbours() -> None:
    with pytest.raises(UnknownSymbol) as refusal:
        an_exchange().candles("BTC/USD", Timeframe.M1, NOON, NOON + MINUTE)
    assert BTC in refusal.value.near


def test_the_stores_of_facts_speak_the_domain() -> None:
    signals, outcomes, signal = InMemorySignals("simulated"), InMemoryOutcomes(), a_signal()
    assert signal not in signals
    assert signals.add(signal)
    assert outcomes.add(an_outcome(signal))
    assert signal in signals
    assert an_outcome(signal) in outcomes
    assert an_outcome(signal, price=signal.entry_price) not in outcomes
    assert (len(signals), len(outcomes)) == (1, 1)


def test_the_stores_of_the_paper_book_speak_the_domain() -> None:
    positions, trades, trade = InMemoryPositions(), InMemoryTrades(), a_trade()
    positions.put(trade.position)
    assert trade.position in positions
    assert a_position(net_entry_price=None) not in positions
    trades.add(trade)
    assert trade in trades
    assert (len(positions), len(trades), list(trades)) == (1, 1, [trade])


def test_sockets_keep_what_each_connection_was_sent_in_order() -> None:
    sockets = FakeSockets()
    assert all(sockets.send(*each) for each in (("a", '{"id": 1}'), ("b", '{"id": 1}'), ("a", '{"id": 2}')))
    assert sockets.messages("a") == [{"id": 1}, {"id": 2}]
    assert sockets.sent["b"] == ['{"id": 1}']


def test_a_connection_that_hung_up_or_was_closed_gets_nothing_more() -> None:
    sockets = FakeSockets("gone")
    for _ in range(2):
        sockets.close("closed")
        sockets.close("gone")
    assert not any(sockets.send(name, "{}") for name in ("gone", "closed"))
    assert sockets.closed == ["closed"]
    assert not any(sockets.sent.values())


def test_sockets_fail_as_often_as_they_are_told() -> None:
    sockets = FakeSockets()
    sockets.fail_with = [Unavailable("throttled")]
    with pytest.raises(Unavailable):
        sockets.send("a", "{}")
    assert sockets.send("a", "{}")


@pytest.mark.parametrize("at", [1, 2, 3, 4, 5])
def test_every_write_of_the_paper_book_and_the_feed_is_a_place_to_crash(at: int) -> None:
    crashing = CrashAfter(memory_stores(), at=at)

    def a_life(stores: Stores) -> None:
        stores.positions.put(a_position())
        stores.trades.add(a_trade())
        stores.positions.remove(a_position().signal_id)
        stores.feed.append(an_event())
        stores.connections.add("a", 0, NOON)

    with pytest.raises(Crash):
        a_life(crashing.stores)
    assert crashing.writes == at


def test_writes_are_counted_over_all_stores_and_reads_are_not() -> None:
    counting = CrashAfter(memory_stores())
    counting.stores.signals.add(a_signal())
    counting.stores.signals.get(a_signal().signal_id)
    counting.stores.cursors.move(None, "check#1h", 1, {})
    assert counting.writes == 2


@pytest.mark.parametrize(("performed", "stored"), [(False, 0), (True, 1)])
def test_a_crash_comes_before_or_after_the_write_itself(performed: bool, stored: int) -> None:
    stores = memory_stores()
    crashing = CrashAfter(stores, at=2, performed=performed)
    crashing.stores.candles.add(BTC, minute_candles(1))
    with pytest.raises(Crash, match=r"write 2: InMemorySignals\.add"):
        crashing.stores.signals.add(a_signal())
    assert len(list(stores.signals.between(0, NOON))) == stored


def test_no_handler_of_errors_survives_a_crash() -> None:
    assert not issubclass(Crash, Exception)


def test_random_candles_are_the_same_for_the_same_seed() -> None:
    assert random_walk("5m", 300, seed=4) == random_walk("5m", 300, seed=4)
    assert random_walk("5m", 300, seed=4) != random_walk("5m", 300, seed=5)


def test_a_series_without_some_candles_has_holes_there() -> None:
    holed = without(minute_candles(1, 2, 3), [NOON + MINUTE])
    assert holed.holes(NOON, NOON + 3 * MINUTE) == [(NOON + MINUTE, NOON + 2 * MINUTE)]
