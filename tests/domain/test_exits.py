"""How trades end: a picture for every rule."""

from typing import Any

import numpy as np
import pytest

from plumbline.domain.calendar import HOUR, MINUTE, Timeframe
from plumbline.domain.candles import Candles
from plumbline.domain.errors import InvalidInput
from plumbline.domain.exits import EXPIRED, OPEN, STOP, TARGET, UNKNOWN, Orders, resolve
from tests.domain.trade_tables import FOREVER, NAN, Ended, Order, drawn, ended, how, one, orders_of, same, upside_down

# --- pictures: a trade that is long from 100, with its stop at 98, its target at 103 and five minutes to live --------

PICTURES: dict[str, tuple[str, tuple[int, int, float, bool]]] = {
    "the target is touched": (
        """ 0  100.0  101.0   99.0  100.5
            1  100.5  103.5  100.0  102.0   # above 103
            2  102.0  102.0   97.0   97.0 """,
        (TARGET, 1, 103.0, False),
    ),
    "the stop is touched": (
        """ 0  100.0  101.0   99.0  100.5
            1  100.5  101.0   97.5  101.0   # below 98
            2  101.0  104.0  101.0  104.0 """,
        (STOP, 1, 98.0, False),
    ),
    "a high exactly at the target touches it": (
        """ 0  100.0  101.0   99.0  100.5
            1  100.5  103.0  100.0  102.0   # 103 and no more""",
        (TARGET, 1, 103.0, False),
    ),
    "a low exactly at the stop touches it": (
        """ 0  100.0  101.0   99.0  100.5
            1  100.5  101.0   98.0  100.0   # 98 and no less""",
        (STOP, 1, 98.0, False),
    ),
    "the candle of entry counts": (
        """ 0  100.0  103.0   99.0  100.0   # entered at its open, so its high came after
            1  100.0  101.0   97.0   97.0 """,
        (TARGET, 0, 103.0, False),
    ),
    "both levels in one candle: the stop counts": (
        """ 0  100.0  101.0   99.0  100.0
            1  100.0  103.0   98.0  102.0   # nobody knows what came first""",
        (STOP, 1, 98.0, False),
    ),
    "a candle that opens below the stop fills at its open": (
        """ 0  100.0  101.0   99.0   99.0
            1   96.0   97.0   95.0   97.0   # the stop at 98 was never traded""",
        (STOP, 1, 96.0, True),
    ),
    "a candle that opens below the stop and rises to the target is stopped": (
        """ 0  100.0  101.0   99.0   99.0
            1   96.0  104.0   95.0  104.0   # the open came first""",
        (STOP, 1, 96.0, True),
    ),
    "a candle that opens above the target fills at its open": (
        """ 0  100.0  101.0   99.0  101.0
            1  104.5  105.0  104.0  104.0   # a limit order gets the better price""",
        (TARGET, 1, 104.5, True),
    ),
    "a candle that opens above the target and falls to the stop has gained": (
        """ 0  100.0  101.0   99.0  101.0
            1  104.5  105.0   97.0   97.0   # the open came first""",
        (TARGET, 1, 104.5, True),
    ),
    "a candle that opens exactly at the stop fills at its open": (
        """ 0  100.0  101.0   99.0   99.0
            1   98.0   99.0   98.0   99.0   # beyond includes the edge""",
        (STOP, 1, 98.0, True),
    ),
    "a candle that opens exactly at the target fills at its open": (
        """ 0  100.0  101.0   99.0  101.0
            1  103.0  103.0   97.0   97.0   # so the fall comes too late""",
        (TARGET, 1, 103.0, True),
    ),
    "a stop above the entry fills at once": (
        """ 0   97.5   99.0   97.0   98.5   # opens below 98 already
            1   98.5  103.5   98.5  103.0 """,
        (STOP, 0, 97.5, True),
    ),
    "a target below the entry fills at once": (
        """ 0  103.5  104.0   97.0  100.0   # opens above 103 already""",
        (TARGET, 0, 103.5, True),
    ),
    "a trade that touches nothing ends at the close of the candle that closes at its deadline": (
        """ 0  100.0  101.0   99.0  100.0
            1  100.0  102.9   98.1  100.0   # misses both by a little
            2  100.0  101.0   99.0  100.0
            3  100.0  101.0   99.0  100.0
            4  100.0  101.5   99.0  101.2   # closes at minute 5, the deadline
            5  101.2  110.0   90.0  110.0 """,
        (EXPIRED, 4, 101.2, False),
    ),
    "the last candle before the deadline can still decide": (
        """ 0  100.0  101.0   99.0  100.0
            4  100.0  103.0   99.0  101.2   # touches, then closes below
            5  101.2  101.2  101.2  101.2 """,
        (TARGET, 1, 103.0, False),
    ),
    "a level touched after the deadline is not touched": (
        """ 0  100.0  101.0   99.0  100.0
            4  100.0  101.0   99.0  100.0
            5  100.0  103.0   98.0  102.0   # closes at minute 6""",
        (EXPIRED, 1, 100.0, False),
    ),
    "a hole touches nothing": (
        """ 0  100.0  101.0   99.0  100.0
            3  101.0  103.0   99.0  102.0   # two minutes later""",
        (TARGET, 1, 103.0, False),
    ),
    "a hole at the deadline leaves the last price where that is five minutes old at most": (
        """ 0  100.0  101.0   99.0  100.7   # closes four minutes before the deadline
            9  100.0  101.0   99.0  100.0 """,
        (EXPIRED, 0, 100.7, False),
    ),
    "a trade enters after a hole": (
        """ 3  101.0  102.0   99.0  100.0   # the first candle from the opening on
            4  100.0  103.0   98.5  100.0 """,
        (TARGET, 1, 103.0, False),
    ),
}


@pytest.mark.parametrize(("table", "expected"), PICTURES.values(), ids=PICTURES)
def test_a_long_trade(table: str, expected: tuple[int, int, float, bool]) -> None:
    assert how(one(drawn(table))) == expected


@pytest.mark.parametrize(("table", "expected"), PICTURES.values(), ids=PICTURES)
def test_a_short_trade_is_a_long_one_upside_down(table: str, expected: tuple[int, int, float, bool]) -> None:
    code, last, price, gapped = expected
    found = one(upside_down(drawn(table)), side=-1, stop=102.0, target=97.0)
    assert (found.code, found.last, found.gapped) == (code, last, gapped)
    assert found.price == pytest.approx(200 - price, rel=1e-15)


QUIET = """ 0  100.0  101.0   99.0  100.4
            1  100.4  101.0   99.0  100.6
            2  100.6  101.0   99.0  100.8
            3  100.8  101.0   99.0  100.2 """


def test_a_deadline_between_candles_takes_the_close_before_it_and_no_touch_after_that() -> None:
    deadline = 3 * MINUTE + 59_999
    assert how(one(drawn(QUIET), deadline=deadline)) == (EXPIRED, 2, 100.8, False)
    assert how(one(drawn(QUIET), deadline=deadline + 1)) == (EXPIRED, 3, 100.2, False)
    # The fourth candle touches the target, but nobody can say that it did so in its first 59 seconds.
    touching = drawn(QUIET.replace("101.0   99.0  100.2", "103.0   99.0  100.2"))
    assert how(one(touching, deadline=deadline)) == (EXPIRED, 2, 100.8, False)


def test_a_trade_opened_between_candles_enters_at_the_next_open() -> None:
    assert one(drawn(QUIET), opened=1).entry == 1
    assert one(drawn(QUIET), opened=MINUTE).entry == 1
    assert one(drawn(QUIET), opened=MINUTE + 1).entry == 2


def test_what_came_before_the_entry_does_not_matter() -> None:
    stormy = drawn(""" 0  100.0  110.0   90.0  100.4
                       1  100.4  101.0   99.0  100.6   # entry
                       2  100.6  101.0   99.0  100.8 """)
    found = one(stormy, opened=MINUTE, deadline=3 * MINUTE)
    assert (found.code, found.entry, found.best, found.worst) == (EXPIRED, 1, 101.0, 99.0)


def test_a_last_price_older_than_five_minutes_is_a_hole_and_the_trade_has_no_price() -> None:
    candles = drawn(QUIET)  # the last one closes at minute 4
    assert how(one(candles, deadline=9 * MINUTE)) == (EXPIRED, 3, 100.2, False)
    found = one(candles, deadline=9 * MINUTE + 1)
    assert same(found, Ended(UNKNOWN, entry=0, last=-1, price=NAN, best=101.0, worst=99.0))


def test_a_hole_at_the_deadline_hides_no_touch_before_it() -> None:
    assert one(drawn(QUIET.replace("101.0   99.0  100.2", "103.0   99.0  100.2")), deadline=HOUR).code == TARGET


def test_a_trade_that_finds_no_candle_to_enter_is_unknown_at_its_deadline() -> None:
    candles = drawn(QUIET)
    nothing = Ended(UNKNOWN, entry=-1, last=-1, price=NAN)
    assert same(one(candles, opened=4 * MINUTE, deadline=9 * MINUTE), nothing)
    assert same(one(Candles.empty(Timeframe.M1)), nothing)
    # The last price before it would be fresh enough, but it is no price of this trade.
    assert same(one(candles, opened=4 * MINUTE, deadline=4 * MINUTE), nothing)
    # A candle of entry that closes after the deadline is not looked at.
    assert same(one(candles, opened=3 * MINUTE, deadline=4 * MINUTE - 1), nothing)


def test_a_trade_is_open_until_its_deadline_is_known() -> None:
    candles, deadline = drawn(QUIET), 4 * MINUTE
    found = one(candles, deadline - 1, deadline=deadline)
    assert same(found, Ended(OPEN, entry=0, last=-1, price=NAN, best=101.0, worst=99.0))
    assert one(candles, deadline, deadline=deadline).code == EXPIRED


def test_a_trade_whose_candle_of_entry_is_not_closed_yet_is_open_without_an_entry() -> None:
    not_entered = Ended(OPEN, entry=-1, last=-1, price=NAN)
    assert same(one(drawn(QUIET), MINUTE - 1), not_entered)
    assert same(one(Candles.empty(Timeframe.M1), MINUTE), not_entered)
    assert one(drawn(QUIET), MINUTE).entry == 0


def test_a_candle_that_closes_after_what_is_known_is_not_looked_at() -> None:
    candles = drawn(PICTURES["the target is touched"][0])  # by the candle that closes at minute 2
    assert one(candles, 2 * MINUTE - 1).code == OPEN
    assert one(candles, 2 * MINUTE).code == TARGET


def test_a_level_that_is_not_there_is_never_touched() -> None:
    both = drawn(PICTURES["both levels in one candle: the stop counts"][0])
    assert how(one(both, stop=NAN)) == (TARGET, 1, 103.0, False)
    assert how(one(both, target=NAN)) == (STOP, 1, 98.0, False)
    assert not one(both, target=NAN).ambiguous
    assert how(one(both, stop=NAN, target=NAN)) == (EXPIRED, 1, 102.0, False)


def test_a_stop_above_a_target_fills_at_the_open_and_counts_as_the_stop() -> None:
    found = one(drawn(QUIET), stop=101.0, target=99.0)
    assert (how(found), found.ambiguous) == ((STOP, 0, 100.0, True), False)


def test_excursions_are_whole_candles_but_of_the_last_one_only_the_open_and_the_fill() -> None:
    candles = drawn(""" 0  100.0  101.5   98.5  100.0
                        1  100.0  102.5   99.0  102.0   # best: its high
                        2  102.0  109.0   97.0  105.0   # stopped; its high may have come after that """)
    found = one(candles)
    assert (found.code, found.best, found.worst) == (STOP, 102.5, 98.0)
    short = one(upside_down(candles), side=-1, stop=102.0, target=97.0)
    assert (short.code, short.best, short.worst) == (STOP, 97.5, 102.0)


def test_excursions_of_a_gap_reach_to_the_open_and_those_of_an_expiry_through_its_last_candle() -> None:
    gap = one(drawn(PICTURES["a candle that opens above the target fills at its open"][0]))
    assert (gap.best, gap.worst) == (104.5, 99.0)
    at_once = one(drawn(PICTURES["a stop above the entry fills at once"][0]))
    assert (at_once.best, at_once.worst) == (97.5, 97.5)
    expiry = one(
        drawn(""" 0  100.0  102.0   99.5  101.0
                           1  101.0  102.9   98.1   99.2 """)
    )
    assert (expiry.code, expiry.best, expiry.worst) == (EXPIRED, 102.9, 98.1)


# --- one candle that touches both -----------------------------------------------------------------------------------

BOTH = """ 0  100.0  101.0   99.0  100.0
           1  100.0  104.0   97.0  101.0   # minutes 5 to 9"""
WITHIN: dict[str, Any] = {"deadline": 50 * MINUTE, "stop": 98.0, "target": 103.0}
RISES_FIRST = """ 5  100.0  101.0   99.5  101.0
                  6  101.0  104.0  101.0  102.0   # the target
                  7  102.0  102.0   97.0   98.0
                  8   98.0  101.0   98.0  101.0
                  9  101.0  101.0  101.0  101.0 """
FALLS_FIRST = """ 5  100.0  101.0   99.5   99.5
                  6   99.5  100.0   97.0  100.0   # the stop
                  7  100.0  104.0  100.0  101.0
                  8  101.0  101.0  101.0  101.0
                  9  101.0  101.0  101.0  101.0 """


def test_without_finer_candles_the_stop_counts_and_the_other_bound_is_kept() -> None:
    found = one(drawn(BOTH, "5m"), **WITHIN)
    assert same(found, Ended(STOP, 0, 1, 98.0, ambiguous=True, alternative=103.0, best=101.0, worst=98.0))


@pytest.mark.parametrize(("minutes", "code", "price"), [(RISES_FIRST, TARGET, 103.0), (FALLS_FIRST, STOP, 98.0)])
def test_finer_candles_decide_what_came_first(minutes: str, code: int, price: float) -> None:
    found = one(drawn(BOTH, "5m"), finer=drawn(minutes), **WITHIN)
    assert same(found, Ended(code, 0, 1, price, best=max(101.0, price), worst=min(99.0, price)))


def test_a_short_trade_asks_finer_candles_too() -> None:
    short: dict[str, Any] = {"deadline": 50 * MINUTE, "side": -1, "stop": 103.0, "target": 98.0}
    assert how(one(drawn(BOTH, "5m"), finer=drawn(RISES_FIRST), **short)) == (STOP, 1, 103.0, False)
    assert how(one(drawn(BOTH, "5m"), finer=drawn(FALLS_FIRST), **short)) == (TARGET, 1, 98.0, False)


def test_a_finer_candle_that_opens_beyond_the_level_tells_the_price() -> None:
    found = one(drawn(BOTH, "5m"), finer=drawn(RISES_FIRST.replace("6  101.0", "6  103.5")), **WITHIN)
    # It is the five minutes' candle that did not open beyond the level: the trade did not close at its open.
    assert how(found) == (TARGET, 1, 103.5, False)


@pytest.mark.parametrize(
    "minutes",
    [
        "",  # none at all
        "\n".join(RISES_FIRST.splitlines()[1:]),  # the first one is missing
        RISES_FIRST.replace(" 6 ", "#6 "),  # the one that touched the target is missing
        "5  100.0  101.0   99.5  101.0\n7  101.0  104.0  101.0  102.0",  # one is missing before the touch
        "5  100.0  101.0   99.5  101.0\n6  101.0  104.0   97.0  101.0",  # one finer candle touches both
        "5  100.0  101.0   99.5  101.0\n6  101.0  101.5   99.5  101.0",  # none touches anything
        "4  100.0  104.0   99.5  101.0\n10  101.0  104.0   99.5  101.0",  # neither lies inside
    ],
)
def test_where_finer_candles_cannot_tell_the_stop_counts(minutes: str) -> None:
    assert same(one(drawn(BOTH, "5m"), finer=drawn(minutes), **WITHIN), one(drawn(BOTH, "5m"), **WITHIN))


def test_a_hole_among_finer_candles_after_the_touch_does_not_matter() -> None:
    minutes = "\n".join(RISES_FIRST.splitlines()[:2])
    assert one(drawn(BOTH, "5m"), finer=drawn(minutes), **WITHIN).code == TARGET


def test_finer_candles_are_asked_about_nothing_else() -> None:
    fell = drawn("0  100.0  100.0   90.0  100.0\n1  100.0  101.0   99.0  100.0")
    assert one(drawn(QUIET, "5m"), finer=fell, deadline=20 * MINUTE).code == EXPIRED


@pytest.mark.parametrize("finer", ["5m", "15m"])
def test_candles_that_are_not_finer_are_refused(finer: str) -> None:
    with pytest.raises(InvalidInput, match=f"candles of {finer} cannot decide inside candles of 5m"):
        one(drawn(BOTH, "5m"), finer=Candles.empty(Timeframe(finer)))


# --- longer candles -------------------------------------------------------------------------------------------------


def test_on_longer_candles_the_close_before_the_deadlines_own_candle_is_its_price() -> None:
    hours = drawn(QUIET, "1h")  # the last one closes at 4:00
    assert one(hours, deadline=5 * HOUR - 1).price == 100.2
    # At 5:00 another one should have closed.
    assert one(hours, deadline=5 * HOUR).code == UNKNOWN


def test_five_minutes_are_allowed_on_candles_of_five_minutes() -> None:
    fives = drawn(QUIET, "5m")  # the last one closes at minute 20
    assert one(fives, deadline=25 * MINUTE).code == EXPIRED
    assert one(fives, deadline=25 * MINUTE + 1).code == UNKNOWN


# --- what is no order -----------------------------------------------------------------------------------------------


def test_orders_of_different_lengths_are_refused() -> None:
    one_, two = np.zeros(1), np.zeros(2)
    with pytest.raises(InvalidInput, match=r"arrays of one length.*'target': \(1,\)"):
        Orders(two.astype(np.int64), two.astype(np.int64), np.ones(2, dtype=np.int64), two, one_)
    with pytest.raises(InvalidInput, match="arrays of one length"):
        Orders(*(np.ones((2, 2)) for _ in range(5)))  # type: ignore[arg-type]  # what the check is for


def test_a_side_is_long_or_short() -> None:
    with pytest.raises(InvalidInput, match=r"1 \(long\) and -1 \(short\), not \[-1, 0\]"):
        orders_of(Order(side=-1), Order(side=0))


def test_no_trades_are_no_trades() -> None:
    none, no_price = np.array([], dtype=np.int64), np.array([])
    for candles in (drawn(QUIET), Candles.empty(Timeframe.M1)):
        assert ended(resolve(candles, Orders(none, none, none, no_price, no_price), FOREVER)) == []
