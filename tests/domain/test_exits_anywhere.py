"""How trades end on any candles: a slow walk beside the kernel, and what must not change the answer."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from plumbline.domain import brackets
from plumbline.domain.calendar import HOUR, MINUTE, Timeframe
from plumbline.domain.candles import Candles
from plumbline.domain.exits import EXPIRED, OPEN, STOP, TARGET, UNKNOWN, Orders, resolve
from plumbline.domain.outcomes import price_at
from plumbline.domain.signals import to_price
from tests.builders import mirrored, random_walk, without
from tests.domain.trade_tables import FOREVER, NAN, Ended, Order, all_ended, ended, same

# --- beside a slow walk ---------------------------------------------------------------------------------------------


def slowly(candles: Candles, order: Order, known_until: int, finer: Candles | None = None) -> Ended:
    """The rules read aloud: one trade, candle by candle."""
    step, by = candles.timeframe.ms, min(order.deadline, known_until)
    rows = [(i, row) for i, row in enumerate(candles.rows()) if row[0] >= order.opened and row[0] + step <= by]
    if not rows:
        return Ended(UNKNOWN if order.deadline <= known_until else OPEN, -1, -1, NAN)
    entry, lived = rows[0][0], list[float]()
    for i, (time, open_, high, low, _, _) in rows:
        lived.append(open_)
        if beyond(open_, order.stop, -order.side):
            return _with_extremes(Ended(STOP, entry, i, open_, gapped=True), [*lived, open_], order.side)
        if beyond(open_, order.target, order.side):
            return _with_extremes(Ended(TARGET, entry, i, open_, gapped=True), [*lived, open_], order.side)
        worst, best = (low, high) if order.side > 0 else (high, low)
        stopped, reached = beyond(worst, order.stop, -order.side), beyond(best, order.target, order.side)
        if stopped and reached:
            told = _finely(finer, time, step, order) if finer is not None else None
            unclear = Ended(STOP, entry, i, order.stop, ambiguous=True, alternative=order.target)
            found = unclear if told is None else Ended(told.code, entry, i, told.price)
            return _with_extremes(found, [*lived, found.price], order.side)
        if stopped or reached:
            code, price = (STOP, order.stop) if stopped else (TARGET, order.target)
            return _with_extremes(Ended(code, entry, i, price), [*lived, price], order.side)
        lived += [high, low]
    last, (time, _, _, _, close, _) = rows[-1]
    if order.deadline > known_until:
        return _with_extremes(Ended(OPEN, entry, -1, NAN), lived, order.side)
    if order.deadline - (time + step) > 5 * MINUTE and order.deadline - (time + step) >= step:
        return _with_extremes(Ended(UNKNOWN, entry, -1, NAN), lived, order.side)
    return _with_extremes(Ended(EXPIRED, entry, last, close), lived, order.side)


def beyond(price: float, level: float, direction: int) -> bool:
    return price >= level if direction > 0 else price <= level


def _finely(finer: Candles, start: int, length: int, order: Order) -> Ended | None:
    inside = [row for row in finer.rows() if start <= row[0] and row[0] + finer.timeframe.ms <= start + length]
    found = slowly(Candles.of(finer.timeframe, inside), order._replace(opened=start, deadline=start + length), FOREVER)
    if found.code not in (TARGET, STOP) or found.ambiguous:
        return None
    whole = [start + k * finer.timeframe.ms for k in range(found.last + 1)]
    return found if [row[0] for row in inside[: found.last + 1]] == whole else None


def _with_extremes(trade: Ended, lived: list[float], side: int) -> Ended:
    best, worst = (max(lived), min(lived)) if side > 0 else (min(lived), max(lived))
    return trade._replace(best=best, worst=worst)


@st.composite
def markets(draw: st.DrawFn, count: int = 40) -> Candles:
    """1m candles around 100 in whole numbers, with holes: levels are met exactly, gaps and both levels are common."""
    moves = draw(st.lists(st.tuples(*[st.integers(-4, 4)] * 4), min_size=1, max_size=count))
    gone = draw(st.sets(st.integers(0, count), max_size=count // 3))
    rows = []
    for k, (gap, body, up, down) in enumerate(moves):
        open_, close = 100.0 + gap, 100.0 + gap + body
        rows.append((k * MINUTE, open_, max(open_, close) + abs(up), min(open_, close) - abs(down), close, 1.0))
    return without(Candles.of(Timeframe.M1, rows), (k * MINUTE for k in gone))


instants = st.integers(-2, 50).map(lambda k: k * MINUTE) | st.integers(-2 * MINUTE, 50 * MINUTE)
levels = st.integers(86, 114).map(float) | st.just(NAN)
any_orders = st.lists(st.builds(Order, instants, instants, st.sampled_from([1, -1]), levels, levels), max_size=8)


def coarse(minutes: Candles, timeframe: str) -> Candles:
    """The same market in longer candles, each of the minutes there are in it."""
    frame = Timeframe(timeframe)
    spans: dict[int, list[tuple[int, float, float, float, float, float]]] = {}
    for row in minutes.rows():
        spans.setdefault(frame.floor(row[0]), []).append(row)
    rows = (
        (start, rows[0][1], max(r[2] for r in rows), min(r[3] for r in rows), rows[-1][4], 1.0)
        for start, rows in spans.items()
    )
    return Candles.of(frame, rows)


@settings(max_examples=200, deadline=None)
@given(markets(), any_orders, instants)
def test_any_trades_on_any_candles_end_as_a_slow_walk_says(
    candles: Candles, orders: list[Order], known_until: int
) -> None:
    found = all_ended(candles, orders, known_until)
    assert same(found, [slowly(candles, order, known_until) for order in orders])


@settings(max_examples=200, deadline=None)
@given(markets(), any_orders, instants, st.sets(st.integers(0, 40), max_size=4))
def test_so_they_do_where_finer_candles_decide(
    minutes: Candles, orders: list[Order], known_until: int, gone: set[int]
) -> None:
    candles, finer = coarse(minutes, "5m"), without(minutes, (k * MINUTE for k in gone))
    found = all_ended(candles, orders, known_until, finer)
    assert same(found, [slowly(candles, order, known_until, finer) for order in orders])


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6))
def test_long_and_short_lives_among_many_end_as_a_slow_walk_says(seed: int) -> None:
    candles, orders = a_crowd(seed)
    known_until = int(candles.open_time[-100])
    found = all_ended(candles, orders, known_until)
    assert same(found, [slowly(candles, order, known_until) for order in orders])


def a_crowd(seed: int, count: int = 30) -> tuple[Candles, list[Order]]:
    """Six hundred minutes with holes, and trades of a few minutes to ten hours with levels near and far."""
    random = np.random.default_rng(seed)
    walk = random_walk("1m", 600, seed, start=0)
    candles = without(walk, random.choice(walk.open_time, 40, replace=False).tolist())
    orders = []
    for _ in range(count):
        opened, side = int(random.integers(0, 600 * MINUTE)), int(random.choice([-1, 1]))
        near = float(walk.open[min(opened // MINUTE, 599)])
        stop, target = (near * (1 + side * random.choice([1e-3, 0.01, 0.1], 2) * [-2, 3])).tolist()
        orders.append(Order(opened, opened + int(random.integers(MINUTE, 600 * MINUTE)), side, stop, target))
    return candles, orders


# --- what must not change the answer --------------------------------------------------------------------------------


@settings(max_examples=80, deadline=None)
@given(markets(), any_orders, instants)
def test_a_mirrored_market_mirrors_the_trades(candles: Candles, orders: list[Order], known_until: int) -> None:
    if not len(candles):
        return
    about = float(2 * candles.high.max())
    found = all_ended(mirrored(candles), [order.mirrored(about) for order in orders], known_until)
    assert same(found, [trade.mirrored(about) for trade in all_ended(candles, orders, known_until)])


@settings(max_examples=80, deadline=None)
@given(markets(), any_orders, instants, markets())
def test_candles_that_close_later_change_nothing(
    candles: Candles, orders: list[Order], until: int, others: Candles
) -> None:
    known = candles.closed_by(until)
    later = others.between(max(0, until - MINUTE + 1), FOREVER)
    found = all_ended(candles, orders, until)
    assert same(found, all_ended(known, orders, until))
    assert same(found, all_ended(known.merge(later), orders, until))


@settings(max_examples=80, deadline=None)
@given(markets(), any_orders, st.lists(instants, min_size=2, max_size=6).map(sorted))
def test_a_trade_once_decided_stays_as_it_is(candles: Candles, orders: list[Order], moments: list[int]) -> None:
    before = all_ended(candles, orders, moments[0])
    for moment in moments[1:]:
        after = all_ended(candles, orders, moment)
        for old, new in zip(before, after, strict=True):
            assert old.code == OPEN or same(old, new)
        before = after


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6))
def test_a_trade_among_many_ends_as_it_does_alone(seed: int) -> None:
    candles, orders = a_crowd(seed)
    assert same(all_ended(candles, orders), [all_ended(candles, [order])[0] for order in orders])


def test_trades_of_years_end_as_each_does_alone() -> None:
    candles = random_walk("1m", 300_000, seed=3, start=0)
    random = np.random.default_rng(3)
    opened = random.integers(-3, 300_003, 20_000) * MINUTE
    side = random.choice([-1, 1], len(opened))
    near = candles.open[np.clip(opened // MINUTE, 0, 299_999)]
    orders = Orders(opened, opened + 24 * HOUR, side, near * (1 - side * 0.1), near * (1 + side * 0.15))
    together = ended(resolve(candles, orders, FOREVER))
    assert {trade.code for trade in together} == {TARGET, STOP, EXPIRED, UNKNOWN}
    for k in range(0, len(opened), 500):
        assert same([together[k]], ended(resolve(candles, orders.take(np.array([k])), FOREVER)))


@settings(max_examples=80, deadline=None)
@given(markets(), any_orders)
def test_a_trade_that_expires_on_minutes_ends_at_the_price_an_outcome_would_have(
    minutes: Candles, orders: list[Order]
) -> None:
    for order, trade in zip(orders, all_ended(minutes, orders), strict=True):
        price = price_at(minutes, order.deadline)
        if trade.code == EXPIRED:
            assert to_price(np.float64(trade.price)) == price
        elif trade.code == UNKNOWN and trade.entry >= 0:
            assert price is None


def test_trades_and_the_models_examples_are_judged_by_the_same_rules() -> None:
    candles = random_walk("1h", 2_000, seed=8)
    at = np.arange(0, len(candles) - 25)
    distance = 400.0 + 10.0 * (at % 50).astype(np.float64)
    for side in (1, -1):
        entry, hours = candles.close[at], candles.open_time[at] + HOUR
        examples = brackets.resolve(candles, at, side, 2 * distance, 3 * distance)
        orders = Orders(
            hours, hours + 24 * HOUR, np.full(len(at), side), entry - side * 2 * distance, entry + side * 3 * distance
        )
        trades = resolve(candles, orders, FOREVER)
        assert trades.code.tolist() == examples.ended.tolist()
        assert (trades.last - at).tolist() == examples.held.tolist()
        np.testing.assert_allclose(side * (trades.price - entry), examples.r * 2 * distance, atol=1e-9)
