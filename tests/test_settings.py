from decimal import Decimal

import pytest

from plumbline.domain.errors import SettingsError
from plumbline.domain.signals import MarketType
from plumbline.settings import Settings

GOOD = {
    "PLUMBLINE_STAGE": "test",
    "PLUMBLINE_TABLES": "plumbline-test",
    "PLUMBLINE_EXCHANGE": "binance",
}


def test_thresholds_have_the_defaults_of_the_contract() -> None:
    settings = Settings.read(GOOD)
    assert (settings.confidence_threshold, settings.atr_multiplier_sl, settings.atr_multiplier_tp) == (0.65, 2.0, 3.0)
    assert (settings.position_size_pct, settings.universe_size) == (0.02, 50)


def test_a_threshold_comes_from_the_environment() -> None:
    assert Settings.read(GOOD | {"CONFIDENCE_THRESHOLD": "0.7"}).confidence_threshold == 0.7


def test_everything_that_is_missing_or_wrong_is_listed_at_once() -> None:
    with pytest.raises(SettingsError) as error:
        Settings.read({"CONFIDENCE_THRESHOLD": "65%", "ATR_MULTIPLIER_SL": "0", "PLUMBLINE_UNIVERSE_SIZE": "0"})
    message = str(error.value)
    for name in ("PLUMBLINE_STAGE", "PLUMBLINE_TABLES", "PLUMBLINE_EXCHANGE"):
        assert f"{name} is missing" in message
    for name in ("CONFIDENCE_THRESHOLD='65%'", "ATR_MULTIPLIER_SL='0'", "PLUMBLINE_UNIVERSE_SIZE='0'"):
        assert f"{name} is wrong" in message


def test_our_own_market_needs_its_address() -> None:
    with pytest.raises(SettingsError, match="PLUMBLINE_EXCHANGE_URL is missing: PLUMBLINE_EXCHANGE=simulated"):
        Settings.read(GOOD | {"PLUMBLINE_EXCHANGE": "simulated"})


@pytest.mark.parametrize("number", ["nan", "inf", "1.01", "-1"])
def test_a_fraction_outside_0_to_1_is_refused(number: str) -> None:
    with pytest.raises(SettingsError, match="expected a number above 0, at most 1"):
        Settings.read(GOOD | {"POSITION_SIZE_PCT": number})


@pytest.mark.parametrize("text", ["", "none", "/opt/python/policies/own.onnx"])
def test_the_model_is_the_shipped_one_unless_the_environment_names_another_or_none(text: str) -> None:
    assert Settings.read(GOOD | {"PLUMBLINE_MODEL": text}).model == text


@pytest.mark.parametrize("name", ["ATR_MULTIPLIER_SL", "ATR_MULTIPLIER_TP", "CONFIDENCE_THRESHOLD"])
@pytest.mark.parametrize("number", ["nan", "inf", "0", "-1", "x"])
def test_a_setting_that_is_no_number_above_zero_is_refused(name: str, number: str) -> None:
    with pytest.raises(SettingsError, match=f"{name}='{number}' is wrong: expected a number above 0"):
        Settings.read(GOOD | {name: number})


def test_names_of_rules_are_separated_by_commas() -> None:
    assert Settings.read(GOOD | {"PLUMBLINE_CHECK_RULES": " a, b,,c "}).check_rules == ("a", "b", "c")


def test_blanks_around_a_value_mean_nothing_and_a_blank_value_is_missing() -> None:
    assert Settings.read(GOOD | {"PLUMBLINE_STAGE": " dev "}).stage == "dev"
    with pytest.raises(SettingsError, match="PLUMBLINE_STAGE is missing"):
        Settings.read(GOOD | {"PLUMBLINE_STAGE": "  "})


def test_paper_trades_have_the_terms_of_the_contract_and_every_signal_trades() -> None:
    settings = Settings.read(GOOD)
    terms = settings.paper_position_usd, settings.paper_fee_bps, settings.paper_slippage_bps
    assert terms == (Decimal(100), Decimal(10), Decimal(5))
    assert (settings.paper_market_types, settings.paper_min_confidence) == ((MarketType.SPOT, MarketType.FUTURES), 0)


def test_the_terms_of_paper_trades_come_from_the_environment() -> None:
    changed = {"PAPER_POSITION_USD": "250", "PAPER_FEE_BPS": "7.5", "PAPER_SLIPPAGE_BPS": "0"}
    settings = Settings.read(GOOD | changed | {"PAPER_MARKET_TYPES": "spot", "PAPER_MIN_CONFIDENCE": "0.7"})
    assert (settings.paper_position_usd, settings.paper_fee_bps) == (Decimal(250), Decimal("7.5"))
    assert (settings.paper_slippage_bps, settings.paper_market_types) == (Decimal(0), (MarketType.SPOT,))
    assert settings.paper_min_confidence == 0.7


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("PAPER_POSITION_USD", "0"),
        ("PAPER_POSITION_USD", "nan"),
        ("PAPER_POSITION_USD", "much"),
        ("PAPER_FEE_BPS", "-1"),
        ("PAPER_SLIPPAGE_BPS", "1001"),
        ("PAPER_MARKET_TYPES", "OPTIONS"),
        ("PAPER_MIN_CONFIDENCE", "65"),
    ],
)
def test_terms_that_cannot_be_are_refused(name: str, text: str) -> None:
    with pytest.raises(SettingsError, match=f"{name}='{text}' is wrong"):
        Settings.read(GOOD | {name: text})


def test_nobody_is_told_of_a_summary_unless_the_environment_names_them() -> None:
    assert Settings.read(GOOD).summary_email_to == ()
    named = {"SUMMARY_EMAIL_TO": "desk@example.com, risk@example.com", "SUMMARY_EMAIL_FROM": "plumbline@example.com"}
    settings = Settings.read(GOOD | named)
    assert settings.summary_email_to == ("desk@example.com", "risk@example.com")
    assert settings.summary_email_from == "plumbline@example.com"


def test_who_is_told_needs_a_sender() -> None:
    with pytest.raises(SettingsError, match="SUMMARY_EMAIL_FROM is missing: SUMMARY_EMAIL_TO needs a sender"):
        Settings.read(GOOD | {"SUMMARY_EMAIL_TO": "desk@example.com"})


@pytest.mark.parametrize(
    "text", ["desk", "desk@", "@example.com", "desk@example", "Desk <desk@example.com>", "a@b@c.d"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match=r"SUMMARY_EMAIL_FROM='.*' is wrong: expected an e-mail address"):
        Settings.read(GOOD | {"SUMMARY_EMAIL_FROM": text})
