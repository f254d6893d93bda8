import pytest

from plumbline.domain.errors import SettingsError
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
