from dataclasses import replace
from decimal import Decimal

import pytest

from plumbline.domain.calendar import DAY, HOUR, MINUTE, Interval
from plumbline.domain.errors import InvalidInput, RecordRefused, UnknownSymbol
from plumbline.domain.signals import Action, Origin, Signal, Tier
from plumbline.pipeline.tracking import ExternalAlert, track_signal
from plumbline.ports import Stores
from tests.fakes import Crash, CrashAfter
from tests.world import START, a_stack, an_exchange, check, collect, market, run, steps, summarise

PRICE = Decimal(str(market("BTC/USDT", 3)[0].closed_by(START).close[-1]))
ALERT = ExternalAlert(
    id="tweet-17",
    symbol="BTCUSDT",
    signal="LONG",
    price=PRICE,
    unified_score=71.0,
    tier=None,
    scanner_type="social",
    timestamp=START + 30_000,
)
NOW = START + MINUTE


@pytest.fixture
def stores() -> Stores:
    stores = a_stack()
    run(stores, an_exchange(), [START])
    return stores


def external(stores: Stores) -> list[Signal]:
    """What came from outside; the channels' own signals stand beside it."""
    return [s for s in stores.signals.between(0, START + 9 * DAY) if s.origin is Origin.EXTERNAL]


def test_an_outside_signal_enters_the_log_under_its_market_and_side(stores: Stores) -> None:
    signal, is_new = track_signal(stores, ALERT, NOW)
    assert is_new
    assert stores.signals.get(signal.signal_id) == signal
    assert (signal.symbol, signal.action, signal.origin) == ("BTC/USDT", Action.BUY, Origin.EXTERNAL)
    assert (signal.tier, signal.scanner_type, signal.recorded_at) == (Tier.STRONG_BUY, "social", NOW)


def test_the_same_alert_sent_twice_is_one_signal_even_without_its_time(stores: Stores) -> None:
    first, _ = track_signal(stores, ALERT, NOW)
    again, is_new = track_signal(stores, replace(ALERT, timestamp=NOW + MINUTE), NOW + MINUTE)
    assert not is_new
    assert again == first
    assert external(stores) == [first]


def test_an_id_that_already_stands_for_something_else_is_refused(stores: Stores) -> None:
    track_signal(stores, ALERT, NOW)
    with pytest.raises(RecordRefused, match=r"'tweet-17' of social already stands for BUY BTC/USDT at "):
        track_signal(stores, replace(ALERT, signal="SELL"), NOW)


def test_an_id_that_was_claimed_and_never_completed_cannot_be_completed_with_hindsight(stores: Stores) -> None:
    crashing = CrashAfter(stores, at=1, performed=True)
    with pytest.raises(Crash):
        track_signal(crashing.stores, ALERT, NOW)
    later = NOW + 3 * DAY
    with pytest.raises(RecordRefused, match="first sent at 2024-01-01T00:00:30Z and never completed"):
        track_signal(stores, replace(ALERT, timestamp=later), later)
    assert not external(stores)


def test_two_sources_may_use_the_same_id(stores: Stores) -> None:
    one, _ = track_signal(stores, ALERT, NOW)
    other, is_new = track_signal(stores, replace(ALERT, scanner_type="newsletter"), NOW)
    assert is_new
    assert one.signal_id != other.signal_id


@pytest.mark.parametrize(
    ("change", "error", "complaint"),
    [
        ({"symbol": "BTCC/USDT"}, UnknownSymbol, "did you mean"),
        ({"signal": "MAYBE"}, InvalidInput, "must be one of BUY LONG SELL SHORT"),
        ({"timestamp": NOW - HOUR - 1}, InvalidInput, "only if it was sent before the market moved"),
        ({"timestamp": NOW + MINUTE + 1}, InvalidInput, "must lie between"),
        ({"unified_score": 101.0}, InvalidInput, "outside 0–100"),
        ({"tier": Tier.MUST_BUY}, InvalidInput, "is not TIER_1_MUST_BUY"),
        ({"price": Decimal(0)}, InvalidInput, "must be above zero"),
        ({"price": PRICE * Decimal("0.979")}, InvalidInput, "more than 2 % away from the market's"),
        ({"price": PRICE * Decimal("1.021")}, InvalidInput, "more than 2 % away from the market's"),
    ],
)
def test_a_wrong_alert_is_refused_with_a_reason_and_leaves_nothing(
    stores: Stores, change: dict[str, object], error: type[Exception], complaint: str
) -> None:
    with pytest.raises(error, match=complaint):
        track_signal(stores, replace(ALERT, **change), NOW)  # type: ignore[arg-type]  # one wrong field at a time
    assert not external(stores)


def test_an_outside_signal_is_checked_like_any_other(stores: Stores) -> None:
    signal, _ = track_signal(stores, ALERT, NOW)
    run(stores, an_exchange(), [m for m in steps(0.5, HOUR) if m > START], [collect, check(Interval.H1), summarise])
    (outcome,) = stores.outcomes.get([(signal.signal_id, Interval.H1)]).values()
    assert outcome.due_at == ALERT.timestamp + HOUR
    assert outcome.scanner_type == "social"


def test_a_late_outside_signal_is_checked_although_its_check_had_already_run(stores: Stores) -> None:
    exchange = an_exchange()
    now = START + 2 * HOUR
    run(stores, exchange, [now])
    signal, _ = track_signal(stores, replace(ALERT, timestamp=now - HOUR), now)
    run(stores, exchange, [now + MINUTE])
    assert stores.outcomes.get([(signal.signal_id, Interval.H1)])


def test_a_market_only_an_outside_signal_names_is_collected_for_it(stores: Stores) -> None:
    exchange = an_exchange()
    exchange._most_traded = ("ETH/USDT",)
    stores = a_stack()
    run(stores, exchange, [START], [collect])
    assert "BTC/USDT" not in stores.markets.followed(NOW)
    signal, _ = track_signal(stores, ALERT, NOW)
    run(stores, exchange, [START + 2 * HOUR])
    assert stores.outcomes.get([(signal.signal_id, Interval.H1)])


@pytest.mark.parametrize("performed", [False, True])
@pytest.mark.parametrize("at", range(1, 16))
def test_a_crash_at_any_write_and_a_retry_leave_one_signal_and_its_outcome(at: int, performed: bool) -> None:
    stores, exchange = a_stack(), an_exchange()
    run(stores, exchange, [START])
    crashing = CrashAfter(stores, at=at, performed=performed)
    try:
        track_signal(crashing.stores, ALERT, NOW)
    except Crash:
        track_signal(stores, replace(ALERT, timestamp=NOW + 1), NOW + 1)
    run(stores, exchange, [START + 2 * HOUR, START + 2 * HOUR])
    (signal,) = external(stores)
    assert stores.outcomes.get([(signal.signal_id, Interval.H1)])
