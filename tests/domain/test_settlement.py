"""What a trade earned, by hand. Times are minutes after noon, prices as a person would draw them."""

from dataclasses import replace
from decimal import Decimal

import pytest

from plumbline.domain.calendar import DAY, MINUTE, Timeframe
from plumbline.domain.candles import Candles
from plumbline.domain.errors import InvalidInput
from plumbline.domain.settlement import Settlement, profit_after_costs, settle, unknown, unrealised
from plumbline.domain.signals import Action
from plumbline.domain.trades import Position, Status, Terms, Trade, TradeOutcome, position_of
from tests.builders import NOON, a_signal

FREE = Terms(fee_bps=Decimal(0), slippage_bps=Decimal(0))


def long(terms: Terms = FREE, **changes: object) -> Position:
    """A long from 100, stop 98, target 103."""
    levels = {"entry_price": Decimal(100), "stop_loss": Decimal(98), "take_profit": Decimal(103)}
    return position_of(a_signal(**levels | changes), terms)


def short(terms: Terms = FREE) -> Position:
    """Its mirror image: a short from 100, stop 102, target 97."""
    return long(terms, action=Action.SELL, stop_loss=Decimal(102), take_profit=Decimal(97))


def minutes(*rows: tuple[float, float, float, float]) -> Candles:
    """1m candles from noon."""
    return Candles.of(Timeframe.M1, ((NOON + i * MINUTE, *row, 1.0) for i, row in enumerate(rows)))


def closed(position: Position, table: Candles) -> Trade:
    trade = settle(position, table, NOON + len(table) * MINUTE, recorded_at=NOON + DAY).trade
    assert trade
    return trade


#               open   high   low    close
RISES = minutes(
    (100.0, 100.5, 99.5, 100.2),  # enters here
    (100.2, 101.0, 100.1, 100.9),
    (100.9, 103.2, 100.4, 102.0),  # touches 103
)


def test_a_long_that_reaches_its_target_earns_the_way_there() -> None:
    trade = closed(long(), RISES)
    assert (trade.status, trade.outcome) == (Status.TARGET, TradeOutcome.WIN)
    assert trade.exit_price == Decimal(103)
    assert trade.ideal
    assert (trade.ideal.usd, trade.ideal.pct) == (Decimal(3), Decimal(3))


def test_a_touch_happened_within_its_minute_and_is_dated_to_the_end_of_it() -> None:
    trade = closed(long(), RISES)
    assert trade.closed_at == NOON + 3 * MINUTE - 1
    assert trade.held_seconds == 179


def test_a_trade_that_ends_in_its_first_minute_is_a_fast_exit() -> None:
    assert closed(long(), minutes((100.0, 103.0, 99.0, 101.0))).held_seconds == 59


def test_the_short_of_the_mirrored_market_earns_the_same() -> None:
    falls = minutes((100.0, 100.5, 99.5, 99.8), (99.8, 99.9, 96.9, 97.5))
    trade = closed(short(), falls)
    assert (trade.status, trade.exit_price) == (Status.TARGET, Decimal(97))
    assert trade.ideal
    assert trade.ideal.pct == Decimal(3)


def test_the_net_book_enters_at_the_next_minutes_open_and_pays_both_sides() -> None:
    terms = Terms(position_usd=Decimal(200), fee_bps=Decimal(10), slippage_bps=Decimal(5))
    late = minutes((100.4, 100.5, 99.5, 100.2), (100.2, 103.5, 100.2, 103.1))
    trade = closed(long(terms), late)
    bought, sold = 100.4 * 1.0005, 103 * 0.9995
    quantity = 200 / bought
    expected = quantity * (sold - bought) - 0.001 * (200 + quantity * sold)
    assert trade.net
    assert float(trade.net.usd) == pytest.approx(expected, abs=1e-6)
    assert float(trade.net.pct) == pytest.approx(expected / 2, abs=1e-6)
    assert trade.position.net_entry_price == Decimal("100.4")


def test_costs_move_a_shorts_prices_the_other_way() -> None:
    terms = Terms(fee_bps=Decimal(0), slippage_bps=Decimal(100))
    assert profit_after_costs(short(terms), Decimal(100), Decimal(100)).usd == Decimal("-2.020202")


def test_the_pessimistic_book_fills_at_the_worst_price_of_each_minute_but_never_worse_than_a_limit() -> None:
    trade = closed(long(), RISES)
    assert trade.pessimistic
    assert float(trade.pessimistic.pct) == pytest.approx(100 * (103 / 100.5 - 1), abs=1e-6)
    stopped = closed(long(), minutes((100.0, 100.5, 98.9, 99.0), (99.0, 99.1, 97.0, 97.5)))
    assert (stopped.status, stopped.exit_price) == (Status.STOP, Decimal(98))
    assert stopped.pessimistic
    assert float(stopped.pessimistic.pct) == pytest.approx(100 * (97 / 100.5 - 1), abs=1e-6)


def test_no_book_is_ever_better_than_the_one_before_it() -> None:
    for table in (RISES, minutes((100.0, 100.5, 98.9, 99.0), (99.0, 99.1, 97.0, 97.5))):
        trade = closed(long(Terms()), table)
        assert trade.ideal
        assert trade.net
        assert trade.pessimistic
        assert trade.pessimistic.usd <= trade.net.usd <= trade.ideal.usd


def test_a_gap_through_the_stop_fills_at_the_open_and_is_dated_to_it() -> None:
    trade = closed(long(), minutes((100.0, 100.5, 98.9, 99.0), (95.0, 96.0, 94.0, 95.5)))
    assert (trade.status, trade.exit_price) == (Status.STOP, Decimal(95))
    assert trade.closed_at == NOON + MINUTE


def test_a_minute_that_touches_both_counts_as_the_stop_and_keeps_the_other_bound() -> None:
    trade = closed(long(), minutes((100.0, 100.5, 99.5, 100.0), (100.0, 103.5, 97.5, 100.0)))
    assert (trade.status, trade.ambiguous) == (Status.STOP, True)
    assert trade.net
    assert trade.net_if_target
    assert (trade.net.usd, trade.net_if_target.usd) == (Decimal(-2), Decimal(3))


def test_excursions_count_whole_minutes_and_of_the_last_one_only_the_open_and_the_fill() -> None:
    trade = closed(long(), RISES)
    assert trade.max_favourable_pct == Decimal(3)  # the fill, not the 103.2 that may have come after it
    assert trade.max_adverse_pct == Decimal("-0.5")
    straight_down = closed(long(), minutes((100.0, 100.0, 97.0, 97.5)))
    assert straight_down.max_favourable_pct == 0


def test_after_a_day_it_is_closed_at_the_last_minutes_close() -> None:
    position = long()
    table = minutes(*((100.0, 100.5, 99.5, 100.25),) * 1441)
    assert settle(position, table, position.deadline - MINUTE, NOON).trade is None
    trade = settle(position, table, position.deadline, NOON).trade
    assert trade
    assert (trade.status, trade.outcome) == (Status.EXPIRED, TradeOutcome.EXPIRED)
    assert (trade.exit_price, trade.closed_at) == (Decimal("100.25"), NOON + DAY)


def test_a_trade_without_levels_ends_with_its_day() -> None:
    position = replace(long(), stop_loss=None, take_profit=None)
    table = minutes(*((100.0, 150.0, 50.0, 100.0),) * 1440)
    trade = settle(position, table, position.deadline, NOON).trade
    assert trade
    assert trade.status is Status.EXPIRED


def test_a_hole_at_the_deadline_is_no_price() -> None:
    position = long()
    table = minutes(*((100.0, 100.5, 99.5, 100.0),) * 1430)  # the last ten minutes are missing
    assert settle(position, table, position.deadline, NOON) == Settlement(entry=Decimal(100), priceless=True)
    given_up = unknown(position, NOON + 8 * DAY)
    assert (given_up.status, given_up.outcome) == (Status.UNKNOWN, TradeOutcome.UNKNOWN)
    assert (given_up.closed_at, given_up.exit_price, given_up.net) == (position.deadline, None, None)


def test_an_open_trade_has_its_entry_and_what_closing_it_now_would_make() -> None:
    position = long()
    found = settle(position, minutes((100.5, 101.0, 100.0, 100.8)), NOON + MINUTE, NOON)
    assert found == Settlement(entry=Decimal("100.5"))
    assert unrealised(position, Decimal(101)) is None
    entered = replace(position, net_entry_price=Decimal("100.5"))
    profit = unrealised(entered, Decimal("101.505"))
    assert profit
    assert profit.pct == Decimal(1)


def test_what_cannot_be_a_trade_is_refused() -> None:
    trade = closed(long(), RISES)
    with pytest.raises(InvalidInput, match="open trade is a position"):
        replace(trade, status=Status.OPEN)
