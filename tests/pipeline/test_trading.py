"""One trade for every signal: opened, matched against the minutes, closed once, whatever happens to the schedule."""

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

import pytest

from plumbline.domain.calendar import DAY, HOUR, MINUTE, Interval, Timeframe
from plumbline.domain.candles import Candles
from plumbline.domain.outcomes import GIVE_UP_AFTER
from plumbline.domain.signals import Action, MarketType, Origin, Provenance, Signal
from plumbline.domain.trades import Position, Status, Terms, Trade
from plumbline.pipeline.checking import check_outcomes
from plumbline.pipeline.progress import SUMMARISE, TRACK, Hole, Progress, call_log_readers_back, collecting, generating
from plumbline.pipeline.trading import HOLE_PATIENCE, track_trades
from plumbline.ports import Stores
from plumbline.settings import Settings
from tests.builders import NOON, a_signal, without
from tests.fakes import Crash, CrashAfter, memory_stores
from tests.paper_fakes import InMemoryPositions
from tests.world import SETTINGS

BTC, ETH = "BTC/USDT", "ETH/USDT"


def flat(count: int, *, start: int = NOON, price: float = 100.0) -> Candles:
    """A market that does nothing."""
    times = range(start, start + count * MINUTE, MINUTE)
    return Candles.of(Timeframe.M1, ((t, price, price + 0.5, price - 0.5, price, 1.0) for t in times))


def with_spike(series: Candles, minute: int, **prices: float) -> Candles:
    """The same with one minute changed."""
    names = ("open", "high", "low", "close")
    rows = [list(row) for row in series.rows()]
    for name, price in prices.items():
        rows[minute][1 + names.index(name)] = price
    return Candles.of(Timeframe.M1, rows)


class Stack:
    """Tables with minutes, signals, and how far everything has come."""

    def __init__(self) -> None:
        self.stores: Stores = memory_stores()
        self.progress = Progress()
        self.settings: Settings = SETTINGS
        self.stores.cursors.move(None, generating(Timeframe.H1), NOON + 1_000 * DAY, {})
        self.stores.cursors.move(None, TRACK, NOON - MINUTE, {})
        self.stores.cursors.move(None, SUMMARISE, NOON - MINUTE, {})

    def trade(self, symbol: str, minutes: Candles) -> None:
        """The market has traded these minutes, and they are collected."""
        self.stores.candles.add(symbol, minutes)
        end = int(minutes.open_time[-1]) + MINUTE
        self.progress.positions[symbol] = max(end, self.progress.positions.get(symbol, 0))

    def signal(self, **changes: object) -> Signal:
        """A long from 100 with its stop at 98 and its target at 103, unless the test says otherwise."""
        levels = {"entry_price": Decimal(100), "stop_loss": Decimal(98), "take_profit": Decimal(103)}
        signal = a_signal(**levels | changes)
        self.stores.signals.add(signal)
        return signal

    def collected(self, until: int) -> None:
        """The collector has come so far."""
        cursor = self.stores.cursors.read(collecting(Timeframe.M1))
        self.stores.cursors.move(cursor, collecting(Timeframe.M1), until, self.progress.notes())

    def track(self, now: int) -> dict[str, int]:
        self.collected(now)
        return track_trades(self.stores, self.settings, now)

    def closed(self) -> list[Trade]:
        return [*self.stores.trades.closed_between(0, NOON + 1_000 * DAY)]


@pytest.fixture
def stack() -> Stack:
    stack = Stack()
    stack.trade(BTC, flat(26 * 60))
    return stack


def at_each(start: int, end: int, step: int = MINUTE) -> Iterable[int]:
    return range(start, end + 1, step)


def test_a_signal_opens_one_position_that_knows_its_terms_and_where_the_net_book_entered(stack: Stack) -> None:
    signal = stack.signal()
    assert stack.track(NOON + MINUTE) == {"opened": 1, "closed": 0, "open": 1, "priceless": 0}
    (position,) = stack.stores.positions.all()
    assert (position.signal_id, position.net_entry_price) == (signal.signal_id, Decimal(100))
    assert position.terms == Terms(position_usd=Decimal(100), fee_bps=Decimal(10), slippage_bps=Decimal(5))
    assert stack.track(NOON + 2 * MINUTE)["opened"] == 0


class CountedPositions(InMemoryPositions):
    """Says what was written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[str] = []

    def put(self, position: Position) -> None:
        self.writes.append("put")
        super().put(position)

    def remove(self, signal_id: str) -> None:
        self.writes.append("remove")
        super().remove(signal_id)


def test_a_position_that_enters_as_it_opens_is_written_once_and_one_that_closes_at_once_never(stack: Stack) -> None:
    counted = CountedPositions()
    stack.stores = replace(stack.stores, positions=counted)
    stack.signal()
    stack.track(NOON + MINUTE)
    assert counted.writes == ["put"]
    stack.signal(symbol=ETH, timestamp=NOON + 2 * MINUTE, take_profit=Decimal("100.25"))
    stack.trade(ETH, flat(60))
    stack.track(NOON + 3 * MINUTE)
    assert counted.writes == ["put"]
    assert [trade.position.symbol for trade in stack.closed()] == [ETH]


def test_the_entry_price_follows_when_its_minute_is_collected(stack: Stack) -> None:
    stack.signal()
    stack.track(NOON)
    assert stack.stores.positions.all()[0].net_entry_price is None
    stack.track(NOON + MINUTE)
    assert stack.stores.positions.all()[0].net_entry_price == Decimal(100)


def test_a_touch_closes_the_trade_and_the_position_is_gone() -> None:
    stack = Stack()
    stack.trade(BTC, with_spike(flat(60), 7, high=103.0))
    stack.signal()
    for now in at_each(NOON, NOON + 7 * MINUTE):
        assert stack.track(now)["closed"] == 0
    assert stack.track(NOON + 8 * MINUTE) == {"opened": 0, "closed": 1, "open": 0, "priceless": 0}
    (trade,) = stack.closed()
    assert (trade.status, trade.exit_price, trade.closed_at) == (Status.TARGET, Decimal(103), NOON + 8 * MINUTE - 1)
    assert not stack.stores.positions.all()


def test_the_highs_and_lows_count_and_never_only_the_latest_price(stack: Stack) -> None:
    spiked = Stack()
    spiked.trade(BTC, with_spike(flat(120), 30, low=97.9))
    spiked.signal()
    spiked.track(NOON)
    spiked.track(NOON + 2 * HOUR)  # the market has long come back
    assert [trade.status for trade in spiked.closed()] == [Status.STOP]


def test_what_expires_ends_at_the_price_of_the_24_hour_outcome(stack: Stack) -> None:
    signal = stack.signal()
    stack.stores.cursors.move(None, "check#24h", NOON, {})
    stack.track(NOON + 25 * HOUR)
    check_outcomes(stack.stores, Interval.H24, NOON + 25 * HOUR)
    (trade,) = stack.closed()
    outcome = stack.stores.outcomes.get([(signal.signal_id, Interval.H24)])[signal.signal_id, Interval.H24]
    assert trade.status is Status.EXPIRED
    assert (trade.exit_price, trade.closed_at) == (outcome.exit_price, outcome.due_at)
    assert trade.ideal
    assert trade.ideal.pct == outcome.pnl_pct


def test_minute_by_minute_closes_the_same_trade_as_one_step() -> None:
    stacks = []
    for moments in (at_each(NOON, NOON + 3 * HOUR), [NOON, NOON + 3 * HOUR], [NOON + 3 * HOUR]):
        stack = Stack()
        stack.trade(BTC, with_spike(with_spike(flat(240), 95, low=97.0), 20, high=102.9))
        stack.signal()
        for now in moments:
            stack.track(now)
        stacks.append([replace(trade, recorded_at=0) for trade in stack.closed()])
    assert len(stacks[0]) == 1
    assert stacks[0] == stacks[1] == stacks[2]


def test_running_twice_closes_once(stack: Stack) -> None:
    stack.signal(take_profit=Decimal("100.25"))
    assert stack.track(NOON + HOUR)["closed"] == 1
    stack.stores.cursors.rewind(TRACK, NOON - MINUTE)
    assert stack.track(NOON + HOUR) == {"opened": 0, "closed": 0, "open": 0, "priceless": 0}
    assert len(stack.closed()) == 1


def test_a_signal_that_comes_late_is_traded_from_its_own_time_on_and_its_day_is_counted_again(stack: Stack) -> None:
    stack.track(NOON + 5 * HOUR)
    stack.stores.cursors.move(stack.stores.cursors.read(SUMMARISE), SUMMARISE, NOON + 5 * HOUR, {})
    late = stack.signal(take_profit=Decimal("100.5"))
    call_log_readers_back(stack.stores.cursors, late.timestamp)
    stack.stores.cursors.move(stack.stores.cursors.read(SUMMARISE), SUMMARISE, NOON + 5 * HOUR, {})
    stack.track(NOON + 5 * HOUR)
    (trade,) = stack.closed()
    assert trade.closed_at == NOON + MINUTE - 1
    summarised = stack.stores.cursors.read(SUMMARISE)
    assert summarised
    assert summarised.position < trade.closed_at


def test_a_market_that_is_behind_keeps_only_its_own_trades_waiting(stack: Stack) -> None:
    stack.trade(ETH, with_spike(flat(60), 5, high=110.0))
    stack.signal(take_profit=Decimal("100.5"))
    slow = stack.signal(symbol=ETH)
    stack.progress.positions[ETH] = NOON + 3 * MINUTE
    stack.progress.stalled[ETH] = NOON + 4 * MINUTE
    stack.track(NOON + 10 * MINUTE)
    assert [trade.position.symbol for trade in stack.closed()] == [BTC]
    stack.progress.positions[ETH] = NOON + 60 * MINUTE
    stack.progress.stalled.clear()
    stack.track(NOON + 11 * MINUTE)  # nobody sets the cursor back for it
    closed = {trade.signal_id: trade for trade in stack.closed()}
    assert closed[slow.signal_id].closed_at == NOON + 6 * MINUTE - 1


def test_a_hole_is_waited_for_two_hours_and_then_the_market_did_not_trade_there() -> None:
    stack = Stack()
    gone = range(NOON + 10 * MINUTE, NOON + 20 * MINUTE, MINUTE)
    stack.trade(BTC, without(with_spike(flat(240), 30, high=104.0), gone))
    stack.progress.holes.append(Hole(BTC, gone[0], gone[-1] + MINUTE))
    stack.signal()
    stack.track(NOON)
    stack.track(NOON + HOUR)
    assert not stack.closed()
    stack.track(NOON + 20 * MINUTE + HOLE_PATIENCE)
    assert [trade.status for trade in stack.closed()] == [Status.TARGET]


def test_a_hole_at_the_deadline_is_retried_until_it_fills(stack: Stack) -> None:
    stack = Stack()
    whole = flat(26 * 60)
    gone = range(NOON + DAY - 30 * MINUTE, NOON + DAY + 30 * MINUTE, MINUTE)
    stack.trade(BTC, without(whole, gone))
    stack.progress.holes.append(Hole(BTC, gone[0], gone[-1] + MINUTE))
    stack.signal()
    stack.track(NOON)
    assert stack.track(NOON + 30 * HOUR)["priceless"] == 1
    assert not stack.closed()
    stack.trade(BTC, whole)
    stack.progress.holes.clear()
    stack.stores.cursors.rewind(TRACK, gone[0])  # as the collector does when a hole fills
    stack.track(NOON + 30 * HOUR)
    assert [trade.status for trade in stack.closed()] == [Status.EXPIRED]


def test_a_hole_at_the_deadline_that_never_fills_is_closed_as_unknown_a_week_later_and_not_before() -> None:
    stack = Stack()
    gone = range(NOON + DAY - 30 * MINUTE, NOON + DAY + 30 * MINUTE, MINUTE)
    stack.trade(BTC, without(flat(26 * 60), gone))
    stack.signal()
    stack.track(NOON)
    for now in (NOON + DAY, NOON + 3 * DAY, NOON + DAY + GIVE_UP_AFTER - MINUTE):
        stack.progress.positions[BTC] = now
        stack.track(now)
    assert not stack.closed()
    stack.progress.positions[BTC] = NOON + DAY + GIVE_UP_AFTER
    stack.track(NOON + DAY + GIVE_UP_AFTER)
    (trade,) = stack.closed()
    assert (trade.status, trade.net, trade.closed_at) == (Status.UNKNOWN, None, NOON + DAY)


def test_a_trade_past_its_deadline_waits_for_a_market_that_may_return(stack: Stack) -> None:
    stack.signal(symbol=ETH)
    stack.trade(ETH, flat(60))
    stack.progress.stalled[ETH] = NOON + HOUR
    assert stack.track(NOON + 25 * HOUR)["open"] == 1
    assert not stack.closed()


def test_a_signal_without_levels_is_closed_after_its_day(stack: Stack) -> None:
    stack.signal(stop_loss=None, take_profit=None, origin=Origin.EXTERNAL, timestamp=NOON + 17_301)
    stack.track(NOON + 25 * HOUR)
    (trade,) = stack.closed()
    assert (trade.status, trade.closed_at) == (Status.EXPIRED, NOON + 17_301 + DAY)
    assert trade.position.net_entry_price == Decimal(100)


@pytest.mark.parametrize(
    ("changes", "signal"),
    [
        ({"paper_market_types": (MarketType.FUTURES,)}, {}),
        ({"paper_min_confidence": 0.9}, {"confidence": 0.8999}),
    ],
)
def test_an_operator_may_leave_signals_out(stack: Stack, changes: dict[str, object], signal: dict[str, object]) -> None:
    stack.settings = replace(SETTINGS, **changes)  # type: ignore[arg-type]  # each value fits its own field
    stack.signal(**signal)
    assert stack.track(NOON + MINUTE)["opened"] == 0


def test_terms_hold_for_trades_that_are_opened_after_them(stack: Stack) -> None:
    stack.signal()
    stack.track(NOON + MINUTE)
    stack.settings = replace(SETTINGS, paper_position_usd=Decimal(500))
    stack.signal(symbol=ETH, timestamp=NOON + 2 * MINUTE)
    stack.track(NOON + 3 * MINUTE)
    assert [p.terms.position_usd for p in stack.stores.positions.all()] == [100, 500]


def test_the_board_tells_what_is_open_and_what_it_is_worth(stack: Stack) -> None:
    stack.signal()
    stack.signal(symbol=ETH, action=Action.SELL, stop_loss=Decimal(110), take_profit=Decimal(90))
    stack.trade(ETH, with_spike(flat(60), 1, low=94.0, close=95.0))
    stack.settings = replace(SETTINGS, paper_fee_bps=Decimal(0), paper_slippage_bps=Decimal(0))
    stack.track(NOON + 2 * MINUTE)
    board = stack.stores.positions.board()
    assert board
    assert (board.as_of, board.open) == (NOON + 2 * MINUTE, 2)
    assert board.prices == {BTC: Decimal(100), ETH: Decimal(95)}
    assert board.unrealised_usd == Decimal(5)


def test_a_symbol_that_brings_no_candle_keeps_its_price_on_the_board(stack: Stack) -> None:
    stack.signal()
    stack.track(NOON + MINUTE)
    stack.progress.positions[BTC] = NOON + MINUTE
    stack.track(NOON + 2 * MINUTE)
    board = stack.stores.positions.board()
    assert board
    assert (board.as_of, board.prices) == (NOON + 2 * MINUTE, {BTC: Decimal(100)})


def test_backfilled_signals_trade_and_are_not_counted_on_the_board(stack: Stack) -> None:
    stack.signal(origin=Origin.BACKFILL)
    stack.track(NOON + MINUTE)
    board = stack.stores.positions.board()
    assert len(stack.stores.positions.all()) == 1
    assert board
    assert board.open == 0


def test_a_placeholder_never_reaches_the_paper_book(stack: Stack) -> None:
    with pytest.raises(Exception, match="placeholder output"):
        stack.signal(placeholder=True)
    stack.track(NOON + HOUR)
    assert not stack.stores.positions.all()
    assert not stack.closed()


def test_a_position_that_was_put_back_after_its_trade_closed_is_found_within_the_hour() -> None:
    stack = Stack()
    stack.trade(BTC, with_spike(flat(120), 0, high=103.0))
    stack.signal()
    stack.track(NOON)
    (position,) = stack.stores.positions.all()
    stack.track(NOON + MINUTE)
    stack.stores.positions.put(position)  # by a run that was overtaken, and died
    assert stack.track(NOON + 59 * MINUTE)["open"] == 1
    assert stack.track(NOON + 61 * MINUTE) == {"opened": 0, "closed": 0, "open": 0, "priceless": 0}
    assert not stack.stores.positions.all()
    assert len(stack.closed()) == 1


@pytest.mark.parametrize("performed", [False, True])
def test_a_crash_at_any_write_and_a_retry_leave_one_closed_trade_and_no_position(*, performed: bool) -> None:
    def a_spiked_stack() -> Stack:
        stack = Stack()
        stack.trade(BTC, with_spike(flat(60), 7, high=103.0))
        stack.signal()
        stack.track(NOON)
        stack.collected(NOON + HOUR)
        return stack

    counting = a_spiked_stack()
    writes = CrashAfter(counting.stores)
    track_trades(writes.stores, SETTINGS, NOON + HOUR)
    assert writes.writes > 3
    for at in range(1, writes.writes + 1):
        stack = a_spiked_stack()
        with pytest.raises(Crash):
            track_trades(CrashAfter(stack.stores, at=at, performed=performed).stores, SETTINGS, NOON + HOUR)
        track_trades(stack.stores, SETTINGS, NOON + HOUR)
        assert stack.closed() == counting.closed(), at
        assert not stack.stores.positions.all(), at


def test_the_tracker_never_passes_a_signal_that_is_still_being_computed(stack: Stack) -> None:
    generator = stack.stores.cursors.read(generating(Timeframe.H1))
    stack.stores.cursors.move(generator, generating(Timeframe.H1), NOON - HOUR, {})
    stack.track(NOON + 30 * MINUTE)
    stack.signal()
    generator = stack.stores.cursors.read(generating(Timeframe.H1))
    stack.stores.cursors.move(generator, generating(Timeframe.H1), NOON, {})
    assert stack.track(NOON + 30 * MINUTE)["opened"] == 1


def test_a_market_that_was_quiet_at_the_open_is_entered_when_it_trades_again() -> None:
    stack = Stack()
    stack.trade(BTC, without(with_spike(flat(60), 3, open=100.3), range(NOON, NOON + 3 * MINUTE, MINUTE)))
    stack.signal()
    for now in at_each(NOON, NOON + 3 * MINUTE):
        stack.track(now)
        assert stack.stores.positions.all()[0].net_entry_price is None
    stack.track(NOON + 4 * MINUTE)
    assert stack.stores.positions.all()[0].net_entry_price == Decimal("100.3")


def test_a_late_minute_corrects_the_entry_of_a_trade_that_is_still_open() -> None:
    stack = Stack()
    whole = with_spike(flat(60), 0, open=99.7)
    stack.trade(BTC, without(whole, [NOON]))
    stack.signal()
    stack.track(NOON)
    stack.track(NOON + 5 * MINUTE)
    assert stack.stores.positions.all()[0].net_entry_price == Decimal(100)
    stack.trade(BTC, whole)
    stack.stores.cursors.rewind(TRACK, NOON)  # as the collector does when a hole fills
    stack.track(NOON + 5 * MINUTE)
    assert stack.stores.positions.all()[0].net_entry_price == Decimal("99.7")


def test_a_signal_of_another_market_is_refused_before_it_could_trade(stack: Stack) -> None:
    with pytest.raises(Exception, match="this record is about 'simulated'"):
        stack.signal(provenance=Provenance(data_source="binance"))


def test_the_first_run_begins_where_the_market_stands() -> None:
    stack = Stack()
    stack.stores = memory_stores()
    stack.trade(BTC, flat(60))
    stack.signal()
    assert stack.track(NOON + HOUR) == {"opened": 0, "closed": 0, "open": 0, "priceless": 0}
    cursor = stack.stores.cursors.read(TRACK)
    assert cursor
    assert cursor.position == NOON + HOUR
