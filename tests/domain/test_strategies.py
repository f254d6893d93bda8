import json
from dataclasses import fields

import pytest

from plumbline.domain.errors import InvalidInput
from plumbline.domain.scanners import SCANNERS, STRATEGY_TYPES
from plumbline.domain.strategies import (
    DEFAULT_CHANNELS,
    SCANNER_WEIGHTS,
    Channel,
    Configuration,
    default_configuration,
)
from tests.builders import a_configuration

NAN, INF = float("nan"), float("inf")


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
        ({"min_indicators_required": 0}, "must be ≥ 1"),
        ({"confidence_threshold": 1.5}, "confidence_threshold 1.5"),
        ({"position_size_pct": 0.0}, "position_size_pct 0.0"),
        ({"scanner_weights": {"oracle": 1.0}}, r"scanner_weights must name .* got \['oracle'\]"),
        ({"scanner_weights": {}}, "scanner_weights {} must be ≥ 0 with a sum above 0"),
        ({"scanner_weights": {"model": 0.0}}, "sum above 0"),
        ({"scanner_weights": {"technical": 2.0, "model": -1.0}}, "must be ≥ 0"),
        ({"scanner_weights": {"technical": INF, "model": 1.0}}, "scanner_weights .* sum above 0"),
        ({"indicator_weights": {"rsi": NAN, "macd": 1.0}}, "indicator_weights .* sum above 0"),
        ({"fee_bps": -1.0}, "fee_bps -1.0 and slippage_bps 5.0 must lie in 0–1000"),
        ({"slippage_bps": 1_001.0}, "slippage_bps 1001.0"),
        ({"min_expected_value": NAN}, "{'min_expected_value': nan} must be finite numbers"),
        ({"min_expected_value": INF}, "{'min_expected_value': inf} must be finite numbers"),
    ],
)
def test_a_configuration_that_cannot_work_is_refused_with_the_values(change: dict[str, object], complaint: str) -> None:
    with pytest.raises(InvalidInput, match=complaint):
        a_configuration(**change)


@pytest.mark.parametrize("name", [f.name for f in fields(Configuration) if f.type is float])
@pytest.mark.parametrize("value", [NAN, INF, -INF])
def test_no_setting_may_be_something_else_than_a_finite_number(name: str, value: float) -> None:
    with pytest.raises(InvalidInput, match=f"'{name}': {value}.* must be finite numbers"):
        a_configuration(**{name: value})


def test_every_fault_is_listed_at_once() -> None:
    with pytest.raises(InvalidInput, match=r"cooldown_bars -1.*position_size_pct 2"):
        a_configuration(cooldown_bars=-1, position_size_pct=2)


def test_a_number_is_the_same_setting_however_it_is_written() -> None:
    whole = a_configuration(score_buy_target=55, scanner_weights={"technical": 50, "model": 25}, fee_bps=10)
    dotted = a_configuration(score_buy_target=55.0, scanner_weights={"technical": 50.0, "model": 25.0}, fee_bps=10.0)
    assert whole.config_hash == dotted.config_hash


def test_weights_are_settings_like_any_other() -> None:
    weights = {"technical": 50.0, "smart_money": 25.0, "model": 25.0}
    other = weights | {"model": 26.0}
    assert a_configuration(scanner_weights=weights).config_hash == a_configuration().config_hash
    assert a_configuration(scanner_weights=other).config_hash != a_configuration().config_hash
    # A scanner of weight 0 is not asked, as one that is not named; still it is another text and so another snapshot.
    assert a_configuration(scanner_weights=weights | {"mss": 0.0}).config_hash != a_configuration().config_hash


@pytest.mark.parametrize(
    ("weights", "asks", "compares"),
    [
        ({"technical": 1.0}, False, False),
        ({"technical": 1.0, "model": 1.0}, True, False),
        ({"technical": 1.0, "model": 0.0, "mss": 0.0}, False, False),
        ({"mss": 0.5}, False, True),
    ],
)
def test_a_configuration_knows_whom_it_asks(weights: dict[str, float], asks: bool, compares: bool) -> None:
    configuration = a_configuration(scanner_weights=weights)
    assert (configuration.asks_the_model, configuration.compares_markets) == (asks, compares)


def test_by_the_rules_leaves_the_technical_score_alone_and_is_another_snapshot() -> None:
    asking = a_configuration(strategy_type="model", scanner_weights={"model": 1.0}, min_indicators_required=1)
    rules = asking.by_the_rules()
    assert rules == a_configuration(
        strategy_type="model", scanner_weights={"technical": 100.0}, min_indicators_required=2
    )
    assert not rules.asks_the_model
    assert rules.config_hash != asking.config_hash


def test_one_channel_of_each_strategy_type_exists_from_the_start() -> None:
    assert {channel.channel_id: channel.strategy_type for channel in DEFAULT_CHANNELS} == {
        "momentum-alpha": "momentum",
        "reversion-beta": "mean_reversion",
        "breakout-gamma": "breakout",
        "trend-delta": "trend_following",
        "policy-epsilon": "model",
    }
    assert [channel.strategy_type for channel in DEFAULT_CHANNELS] == [*STRATEGY_TYPES]


@pytest.mark.parametrize("channel", DEFAULT_CHANNELS, ids=lambda channel: channel.channel_id)
def test_a_channel_starts_with_the_scanners_of_its_type(channel: Channel) -> None:
    configuration = default_configuration(channel)
    assert configuration.strategy == channel.channel_id
    assert configuration.scanner_weights == SCANNER_WEIGHTS[channel.strategy_type]
    assert set(configuration.scanner_weights) <= set(SCANNERS)
    assert configuration.min_indicators_required == (1 if channel.strategy_type == "model" else 2)
    assert Configuration.parse(json.loads(configuration.canonical())) == configuration


def test_a_channels_start_can_be_set_and_is_checked() -> None:
    assert default_configuration(DEFAULT_CHANNELS[0], fee_bps=2.5).fee_bps == 2.5
    with pytest.raises(InvalidInput, match="fee_bps -1"):
        default_configuration(DEFAULT_CHANNELS[0], fee_bps=-1)


def test_what_a_snapshot_holds_cannot_change_after_it_was_named() -> None:
    weights = {"technical": 1.0}
    configuration = a_configuration(scanner_weights=weights)
    before = configuration.config_hash
    weights["technical"] = 2.0
    assert configuration.config_hash == before
