import json

import pytest

from plumbline.domain.errors import InvalidInput
from plumbline.domain.strategies import DEFAULT_CHANNELS, Configuration
from tests.builders import a_configuration


def test_the_same_content_is_the_same_snapshot_in_whatever_order_it_was_written() -> None:
    one = a_configuration(indicator_weights={"rsi": 1.0, "macd": 2.0})
    other = a_configuration(indicator_weights={"macd": 2.0, "rsi": 1.0})
    assert one.config_hash == other.config_hash
    assert len(one.config_hash) == 64


@pytest.mark.parametrize(
    "change",
    [{"strategy": "other"}, {"score_buy_target": 56.0}, {"excluded_symbols": ("DOGE/USDT",)}, {"cooldown_bars": 7}],
)
def test_any_change_is_another_snapshot(change: dict[str, object]) -> None:
    assert a_configuration(**change).config_hash != a_configuration().config_hash


def test_a_configuration_read_back_from_its_canonical_text_is_the_same() -> None:
    configuration = a_configuration(excluded_symbols=("DOGE/USDT",))
    assert Configuration.parse(json.loads(configuration.canonical())) == configuration


def test_a_misspelt_setting_is_refused_and_named() -> None:
    with pytest.raises(InvalidInput, match=r"unknown settings \['cooldown'\]"):
        Configuration.parse({"strategy": "x", "strategy_type": "momentum", "cooldown": 3})


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"indicator_weights": {"moon": 1.0}}, r"must name .* got \['moon'\]"),
        ({"indicator_weights": {"rsi": 0.0}}, "sum above 0"),
        ({"indicator_weights": {"rsi": 2.0, "macd": -1.0}}, "must be ≥ 0"),
        ({"score_buy_target": 101.0}, "score targets 101.0, 55.0 must lie in 0–100"),
        ({"rsi_buy_threshold": 70.0}, "70.0 must be below rsi_sell_threshold 70.0"),
        ({"tp_threshold": 0.0}, "must be above 0"),
        ({"cooldown_bars": -1}, "cooldown_bars -1"),
        ({"min_indicators_required": 0}, "must be 1–4"),
        ({"confidence_threshold": 1.5}, "confidence_threshold 1.5"),
        ({"position_size_pct": 0.0}, "position_size_pct 0.0"),
    ],
)
def test_a_configuration_that_cannot_work_is_refused_with_the_values(change: dict[str, object], complaint: str) -> None:
    with pytest.raises(InvalidInput, match=complaint):
        a_configuration(**change)


def test_every_fault_is_listed_at_once() -> None:
    with pytest.raises(InvalidInput, match=r"cooldown_bars -1.*position_size_pct 2"):
        a_configuration(cooldown_bars=-1, position_size_pct=2)


def test_two_channels_exist_from_the_start() -> None:
    assert [c.channel_id for c in DEFAULT_CHANNELS] == ["momentum-alpha", "reversion-beta"]
