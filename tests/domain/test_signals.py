from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plumbline.domain.calendar import Interval
from plumbline.domain.errors import InvalidInput, RecordRefused
from plumbline.domain.signals import (
    Action,
    Origin,
    Side,
    Tier,
    admit,
    first_id,
    signal_id,
    timestamp_of,
    to_price,
)
from tests.builders import a_signal

instants = st.integers(0, 2**48 - 1)


@pytest.mark.parametrize(
    ("score", "tier"),
    [
        (100, Tier.MUST_BUY),
        (85, Tier.MUST_BUY),
        (84.99, Tier.STRONG_BUY),
        (70, Tier.STRONG_BUY),
        (69.99, Tier.WATCHLIST),
        (55, Tier.WATCHLIST),
        (54.99, Tier.NEUTRAL),
        (0, Tier.NEUTRAL),
    ],
)
def test_tiers_begin_at_their_edges(score: float, tier: Tier) -> None:
    assert Tier.of(score) is tier


def test_a_score_outside_0_to_100_has_no_tier() -> None:
    with pytest.raises(InvalidInput, match=r"100\.01 is outside 0–100"):
        Tier.of(100.01)


def test_buy_is_long_and_sell_is_short() -> None:
    assert (Action.BUY.side, Action.SELL.side) == (Side.LONG, Side.SHORT)
    with pytest.raises(InvalidInput, match="HOLD takes no side"):
        assert Action.HOLD.side


@given(instants, st.text())
def test_the_same_natural_key_is_the_same_id_and_holds_its_time(timestamp: int, key: str) -> None:
    assert signal_id(timestamp, key) == signal_id(timestamp, key)
    assert timestamp_of(signal_id(timestamp, key)) == timestamp


@given(instants, instants)
def test_ids_sort_by_time_and_lie_above_the_first_id_of_their_moment(a: int, b: int) -> None:
    if a < b:
        assert signal_id(a, "z") < first_id(b) <= signal_id(b, "a")


def test_every_part_of_the_natural_key_makes_another_id() -> None:
    ids = {
        signal_id(1, "snapshot", "BTC/USDT", "1h"),
        signal_id(2, "snapshot", "BTC/USDT", "1h"),
        signal_id(1, "other", "BTC/USDT", "1h"),
        signal_id(1, "snapshot", "ETH/USDT", "1h"),
        signal_id(1, "snapshot", "BTC/USDT", "4h"),
    }
    assert len(ids) == 5


@pytest.mark.parametrize("text", ["", "short", "8" + "0" * 25, "I" * 26, "0" * 27])
def test_what_is_no_id_has_no_time(text: str) -> None:
    with pytest.raises(InvalidInput, match="is not a signal id"):
        timestamp_of(text)


def test_a_hold_cannot_become_a_signal() -> None:
    with pytest.raises(InvalidInput, match="HOLD is never a signal"):
        a_signal(action=Action.HOLD)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"entry_price": Decimal(0)}, "entry price 0 must be above zero"),
        ({"entry_price": Decimal("NaN")}, "entry price NaN must be above zero"),
        ({"confidence": 1.01}, "confidence 1.01 is outside"),
        ({"unified_score": 90.0, "tier": Tier.NEUTRAL}, "score 90.0 is not TIER_4_NEUTRAL"),
    ],
)
def test_a_signal_that_contradicts_itself_cannot_exist(change: dict[str, object], complaint: str) -> None:
    with pytest.raises(InvalidInput, match=complaint):
        a_signal(**change)


def test_a_check_is_due_exactly_its_interval_after_the_signal() -> None:
    assert a_signal(timestamp=1_000).due(Interval.H1) == 3_601_000


def test_placeholder_output_never_enters_the_record() -> None:
    with pytest.raises(RecordRefused, match="placeholder output"):
        admit(a_signal(placeholder=True), "simulated")


def test_a_simulated_signal_never_enters_the_record_of_a_live_market() -> None:
    signal = a_signal()
    assert admit(signal, signal.provenance.data_source) is signal
    simulated = replace(signal, provenance=replace(signal.provenance, data_source="simulated"))
    with pytest.raises(RecordRefused, match="comes from 'simulated', this record is about 'binance'"):
        admit(simulated, "binance")


def test_only_live_and_external_signals_count() -> None:
    assert [o for o in Origin if o.counts] == [Origin.LIVE, Origin.EXTERNAL]


@pytest.mark.parametrize(
    ("number", "price"),
    [(42298.61, "42298.61"), (0.00001234, "0.00001234"), (42300.0, "42300"), (0.1 + 0.2, "0.3"), (1e8, "100000000")],
)
def test_a_price_crosses_from_float_to_decimal_with_ten_digits_and_no_noise(number: float, price: str) -> None:
    assert to_price(number) == Decimal(price)
    assert "E+" not in str(to_price(number))
