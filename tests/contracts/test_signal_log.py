import base64
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plumbline.adapters.stores import stores_over
from plumbline.adapters.tables import Tables
from plumbline.domain.calendar import DAY, HOUR, MINUTE, Timeframe, day_start
from plumbline.domain.errors import InvalidInput, RecordRefused
from plumbline.domain.signals import Action, MarketType, Origin, Provenance, Signal, first_id
from plumbline.ports import SignalFilter, Stores
from tests.builders import NOON, a_signal, at, signals_at

EVERYTHING = a_signal(
    origin=Origin.BACKFILL,
    symbol="ETH/USDT:USDT",
    action=Action.SELL,
    market_type=MarketType.FUTURES,
    timeframe=Timeframe.M5,
    confidence=0.1 + 0.2,
    unified_score=84.99999999999999,
    entry_price=Decimal("0.00000001234567891"),
    stop_loss=None,
    take_profit=None,
    position_size=None,
    risk_reward_ratio=Decimal("1.666666666666666666666666667"),
    model_version="ppo-lstm 3",
    win_probability=0.4321,
    provenance=Provenance("c" * 64, "d" * 64, "simulated", "0.1.0+g1a2b3c4"),
    indicator_breakdown={"rsi": 1e-12, "macd": -0.1},
    indicators_fired=(),
    reasoning=("Überverkauft — RSI 28.5",),
    latency_ms=0,
)


def test_a_stored_signal_comes_back_equal_in_every_field(stores: Stores) -> None:
    stores.signals.add(EVERYTHING)
    assert stores.signals.get(EVERYTHING.signal_id) == EVERYTHING


@pytest.mark.parametrize("text", ["", "external", "5" * 63, "F" * 64, "x" * 32])
def test_a_snapshot_that_is_no_hash_comes_back_as_it_was(stores: Stores, text: str) -> None:
    signal = a_signal(snapshot_id=text)
    stores.signals.add(signal)
    assert stores.signals.get(signal.signal_id) == signal


def test_a_signal_is_stored_once(stores: Stores) -> None:
    signal = a_signal()
    assert stores.signals.add(signal)
    assert not stores.signals.add(signal)


def test_the_first_of_two_adders_wins_and_its_signal_never_changes(stores: Stores) -> None:
    first, second = a_signal(confidence=0.7), a_signal(confidence=0.9)
    assert (stores.signals.add(first), stores.signals.add(second)) == (True, False)
    assert stores.signals.get(first.signal_id) == first


def test_an_unknown_id_is_none(stores: Stores) -> None:
    assert stores.signals.get(first_id(NOON)) is None


@pytest.mark.parametrize("id_", ["0" * 26, "7" + "Z" * 25])
def test_an_id_of_a_time_beyond_any_calendar_is_merely_unknown(stores: Stores, id_: str) -> None:
    assert stores.signals.get(id_) is None


def test_what_is_no_id_is_refused(stores: Stores) -> None:
    with pytest.raises(InvalidInput, match="not a signal id"):
        stores.signals.get("42")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"placeholder": True}, "placeholder"),
        ({"provenance": Provenance(data_source="binance")}, "'binance'.*'simulated'"),
        ({"provenance": Provenance()}, "''.*'simulated'"),
    ],
)
def test_placeholders_and_other_markets_never_enter(stores: Stores, changes: dict[str, object], reason: str) -> None:
    signal = a_signal(**changes)
    with pytest.raises(RecordRefused, match=reason):
        stores.signals.add(signal)
    assert stores.signals.get(signal.signal_id) is None


def test_a_signal_whose_id_names_another_time_is_refused(stores: Stores) -> None:
    with pytest.raises(InvalidInput, match=str(NOON + 1)):
        stores.signals.add(replace(a_signal(), timestamp=NOON + 1))


def test_two_sources_on_the_same_tables_do_not_see_each_other(tables: Tables) -> None:
    simulated, live = stores_over(tables, "simulated"), stores_over(tables, "binance")
    signal = a_signal()
    simulated.signals.add(signal)
    assert live.signals.get(signal.signal_id) is None
    assert list(live.signals.between(0, NOON)) == []
    assert live.signals.page(SignalFilter(symbol=signal.symbol), 10).items == ()


def test_an_outside_name_stays_with_the_first_signal_that_claimed_it(stores: Stores) -> None:
    first, second = (signal.signal_id for signal in signals_at(NOON, NOON + 1))
    assert stores.signals.claim("social#42", first) == first
    assert stores.signals.claim("social#42", second) == first
    assert stores.signals.claim("social#43", second) == second


@pytest.mark.parametrize("name", ["", "x" * 5_000])
def test_an_outside_name_may_have_any_length(stores: Stores, name: str) -> None:
    id_ = first_id(NOON)
    assert (stores.signals.claim(name, id_), stores.signals.claim(name, first_id(0))) == (id_, id_)


def test_between_leaves_its_start_out_and_takes_its_end(stores: Stores) -> None:
    early, inside, end, late = signals_at(NOON, NOON + 1, NOON + MINUTE, NOON + MINUTE + 1)
    for signal in (late, end, inside, early):
        stores.signals.add(signal)
    assert list(stores.signals.between(NOON, NOON + MINUTE)) == [inside, end]


def test_between_nothing_and_nothing_is_nothing(stores: Stores) -> None:
    stores.signals.add(a_signal())
    assert list(stores.signals.between(NOON, NOON)) == []
    assert list(stores.signals.between(NOON + DAY, NOON)) == []


def test_signals_of_one_moment_come_in_order_of_id(stores: Stores) -> None:
    coins = [a_signal(symbol=f"C{i}/USDT") for i in range(12)]
    for signal in coins:
        stores.signals.add(signal)
    assert list(stores.signals.between(NOON - 1, NOON)) == sorted(coins, key=lambda s: s.signal_id)


@pytest.mark.parametrize("after", [-HOUR, 0, NOON - 30 * DAY])
def test_a_long_range_finds_its_few_days(stores: Stores, after: int) -> None:
    few = signals_at(NOON - 12 * DAY, NOON - DAY, NOON)
    for signal in few:
        stores.signals.add(signal)
    assert list(stores.signals.between(after, NOON)) == few


def test_midnight_belongs_to_the_day_it_begins(stores: Stores) -> None:
    midnight = day_start("2026-11-20")
    last, first = signals_at(midnight - 1, midnight)
    for signal in (last, first):
        stores.signals.add(signal)
    assert list(stores.signals.between(midnight - DAY, midnight - 1)) == [last]
    assert list(stores.signals.between(midnight - 1, midnight)) == [first]


def a_log(stores: Stores) -> list[Signal]:
    """Nine signals, newest first: three months, two symbols, two channels, three of one moment."""
    log = [
        a_signal(timestamp=at("2026-11-20T12:00:00Z")),
        a_signal(timestamp=at("2026-11-20T12:00:00Z"), symbol="ETH/USDT"),
        a_signal(timestamp=at("2026-11-20T12:00:00Z"), snapshot_id="7" * 64, channel_id="reversion-beta"),
        a_signal(timestamp=at("2026-11-20T11:00:00Z"), symbol="ETH/USDT", channel_id="reversion-beta"),
        a_signal(timestamp=at("2026-11-18T23:59:00Z")),
        a_signal(timestamp=at("2026-10-31T23:00:00Z")),
        a_signal(timestamp=at("2026-10-31T22:00:00Z"), symbol="ETH/USDT"),
        a_signal(timestamp=at("2026-02-01T00:00:00Z"), channel_id="reversion-beta"),
        a_signal(timestamp=at("2024-01-05T07:00:00Z")),
    ]
    for signal in log:
        stores.signals.add(signal)
    return sorted(log, key=lambda signal: signal.signal_id, reverse=True)


FILTERS = [
    SignalFilter(),
    SignalFilter(symbol="BTC/USDT"),
    SignalFilter(channel_id="reversion-beta"),
    SignalFilter(symbol="BTC/USDT", channel_id="reversion-beta"),
    SignalFilter(since=at("2026-10-31T22:00:00Z"), until=at("2026-11-20T11:00:00Z")),
    SignalFilter(symbol="ETH/USDT", since=at("2026-10-31T22:00:00Z"), until=at("2026-10-31T22:00:00Z")),
    SignalFilter(symbol="DOGE/USDT"),
    SignalFilter(until=0),
    SignalFilter(since=NOON + DAY),
]


def chosen(log: list[Signal], wanted: SignalFilter) -> list[Signal]:
    """What a filter means, said another way."""
    first, last = wanted.since or 0, NOON if wanted.until is None else wanted.until
    return [
        signal
        for signal in log
        if signal.timestamp in range(first, last + 1)
        and signal.symbol == (wanted.symbol or signal.symbol)
        and signal.channel_id == (wanted.channel_id or signal.channel_id)
    ]


@pytest.mark.parametrize("wanted", FILTERS)
@pytest.mark.parametrize("limit", [1, 2, 3, 9, 100])
def test_pages_lead_to_the_end_without_loss_or_repetition(stores: Stores, wanted: SignalFilter, limit: int) -> None:
    log = a_log(stores)
    seen, cursor = list[Signal](), None
    while True:
        page = stores.signals.page(wanted, limit, cursor)
        assert page.items or cursor is None, "a cursor leads to something"
        seen += page.items
        cursor = page.next_cursor
        if cursor is None:
            break
        assert len(page.items) == limit
    assert seen == chosen(log, wanted)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(wanted=st.sampled_from(FILTERS), limits=st.lists(st.integers(1, 4), min_size=1, max_size=4))
def test_the_page_size_may_change_on_the_way(dynamo: Stores, wanted: SignalFilter, limits: list[int]) -> None:
    log = a_log(dynamo)  # put-if-absent: every example finds the same nine
    seen, cursor, turn = list[Signal](), None, 0
    while turn == 0 or cursor:
        page = dynamo.signals.page(wanted, limits[turn % len(limits)], cursor)
        seen, cursor, turn = [*seen, *page.items], page.next_cursor, turn + 1
    assert seen == chosen(log, wanted)


def test_a_signal_added_meanwhile_disturbs_no_later_page(stores: Stores) -> None:
    log = a_log(stores)
    first = stores.signals.page(SignalFilter(), 3)
    stores.signals.add(a_signal(timestamp=NOON + HOUR))
    rest = stores.signals.page(SignalFilter(), 100, first.next_cursor)
    assert [*first.items, *rest.items] == log


@pytest.mark.parametrize(
    "cursor", ["", "x", "e30", "bnVsbA", "WyI0MiJd", "eyJiZWZvcmUiOiI0MiIsIm9mIjoiIn0", "ü", "===="]
)
def test_a_cursor_that_is_not_ours_is_refused(stores: Stores, cursor: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        stores.signals.page(SignalFilter(), 1, cursor)
    assert refusal.value.field == "cursor"


def test_a_cursor_of_another_filter_is_refused(stores: Stores) -> None:
    a_log(stores)
    cursor = stores.signals.page(SignalFilter(symbol="BTC/USDT"), 1).next_cursor
    with pytest.raises(InvalidInput, match="another filter"):
        stores.signals.page(SignalFilter(symbol="ETH/USDT"), 1, cursor)


def test_a_cursor_that_somebody_changed_is_refused(stores: Stores) -> None:
    log = a_log(stores)
    cursor = stores.signals.page(SignalFilter(), 1).next_cursor or ""
    content = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    changed = base64.urlsafe_b64encode(content.replace(log[0].signal_id, "42").encode()).decode()
    with pytest.raises(InvalidInput, match="not a cursor"):
        stores.signals.page(SignalFilter(), 1, changed)


def test_a_page_of_nothing_is_refused(stores: Stores) -> None:
    with pytest.raises(InvalidInput, match="1 signal or more"):
        stores.signals.page(SignalFilter(), 0)
