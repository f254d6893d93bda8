"""Each vote of the technical scanner, by hand, for every strategy type and both sides."""

import numpy as np
import pytest

from plumbline.domain.errors import InvalidInput
from plumbline.domain.scanners import SCANNERS
from tests.builders import a_configuration, a_scene

TECHNICAL = SCANNERS["technical"]
NAN = float("nan")
BANDS = {"bb_lower": 90.0, "bb_middle": 100.0, "bb_upper": 110.0}


def vote(strategy_type: str, indicator: str, **values: float) -> float:
    cast = TECHNICAL.votes(a_configuration(strategy_type=strategy_type), a_scene(**values))
    return cast[indicator].item()


def told(strategy_type: str, cast: dict[str, float], **values: float) -> dict[str, str]:
    return dict(TECHNICAL.tell(a_configuration(strategy_type=strategy_type), a_scene(**values), cast))


@pytest.mark.parametrize(
    ("rsi", "expected"), [(95, 1), (70, 1), (60, 0.5), (50, 0), (40, -0.5), (30, -1), (5, -1), (NAN, NAN)]
)
def test_momentum_goes_with_the_rsi_up_to_its_thresholds(rsi: float, expected: float) -> None:
    assert vote("momentum", "rsi", rsi=rsi) == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        (-1, 1, 1.0),  # crossed
        (1, -1, -1.0),
        (1, 2, 0.7),  # gaining
        (-1, -2, -0.7),
        (2, 1, 0.2),  # fading
        (-2, -1, -0.2),
        (NAN, 1, 0.7),  # the candle before is missing
        (1, 0, 0.0),
        (1, NAN, NAN),
    ],
)
def test_momentum_goes_with_the_macd_and_most_of_all_when_it_crosses(
    before: float, now: float, expected: float
) -> None:
    assert vote("momentum", "macd", macd_hist=now, macd_hist_prev=before) == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize(("close", "expected"), [(120, 1), (110, 1), (105, 0.5), (100, 0), (95, -0.5), (90, -1)])
def test_momentum_goes_with_the_close_towards_its_band(close: float, expected: float) -> None:
    assert vote("momentum", "bollinger", close=close, **BANDS) == expected


@pytest.mark.parametrize(
    ("body", "ratio", "expected"), [(1, 1.5, 0.5), (1, 3, 1), (-1, 1.5, -0.5), (1, 0.8, 0), (0, 3, 0), (1, NAN, NAN)]
)
def test_momentum_counts_the_volume_above_the_usual_behind_the_candle(
    body: float, ratio: float, expected: float
) -> None:
    assert vote("momentum", "volume", body=body, volume_ratio=ratio) == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize(
    ("rsi", "expected"), [(10, 1), (30, 1), (37.5, 0.5), (45, 0), (50, 0), (55, 0), (62.5, -0.5), (70, -1)]
)
def test_mean_reversion_buys_the_oversold_and_fades_out_over_15_points(rsi: float, expected: float) -> None:
    assert vote("mean_reversion", "rsi", rsi=rsi) == expected


@pytest.mark.parametrize(
    ("close", "expected"), [(85, 1), (90, 1), (92.5, 0.5), (95, 0), (100, 0), (105, 0), (107.5, -0.5), (110, -1)]
)
def test_mean_reversion_goes_against_the_outer_quarters_of_the_bands(close: float, expected: float) -> None:
    assert vote("mean_reversion", "bollinger", close=close, **BANDS) == expected


@pytest.mark.parametrize(
    ("before", "now", "expected"), [(-2, -1, 0.7), (2, 1, -0.7), (-1, 1, 1), (1, -1, -1), (-1, -2, 0), (1, 2, 0)]
)
def test_mean_reversion_waits_for_the_macd_to_turn(before: float, now: float, expected: float) -> None:
    assert vote("mean_reversion", "macd", macd_hist=now, macd_hist_prev=before) == expected


def test_mean_reversion_goes_against_a_volume_climax() -> None:
    assert vote("mean_reversion", "volume", body=-1.0, volume_ratio=2.0) == 1
    assert vote("mean_reversion", "volume", body=1.0, volume_ratio=1.5) == -0.5


CHANNEL = {"channel_high": 100.0, "channel_low": 90.0}
BREAK = {"macd_hist": 1.0, "rsi": 55.0, "volume_ratio": 1.5, "bb_lower": 94.0, "bb_upper": 106.0, "atr": 2.0}


def test_a_breakout_is_bought_with_what_stands_behind_it() -> None:
    scene = CHANNEL | BREAK | {"close": 101.0}
    votes = {name: vote("breakout", name, **scene) for name in ("rsi", "macd", "bollinger", "volume")}
    assert votes == {"rsi": 0.5, "macd": 1, "bollinger": 0.5, "volume": 0.5}


def test_a_breakdown_is_sold_with_what_stands_behind_it() -> None:
    scene = CHANNEL | BREAK | {"close": 89.0, "macd_hist": -1.0, "rsi": 45.0}
    votes = {name: vote("breakout", name, **scene) for name in ("rsi", "macd", "bollinger", "volume")}
    assert votes == {"rsi": -0.5, "macd": -1, "bollinger": -0.5, "volume": -0.5}


@pytest.mark.parametrize("close", [100.0, 95.0, 90.0])
def test_inside_its_channel_or_on_its_edge_nothing_is_a_breakout(close: float) -> None:
    scene = CHANNEL | BREAK | {"close": close}
    assert not any(vote("breakout", name, **scene) for name in ("rsi", "macd", "bollinger", "volume"))


def test_without_a_channel_nothing_is_a_breakout() -> None:
    cast = TECHNICAL.votes(a_configuration(strategy_type="breakout"), a_scene(**BREAK, close=101.0))
    assert not any(np.nan_to_num(values).any() for values in cast.values())


def test_a_break_that_the_other_indicators_do_not_share_has_no_vote_of_theirs() -> None:
    against = CHANNEL | {"close": 101.0, "macd_hist": -1.0, "rsi": 45.0, "volume_ratio": 0.5}
    assert not any(vote("breakout", name, **against) for name in ("rsi", "macd", "volume"))


@pytest.mark.parametrize(("width", "expected"), [(4, 1), (8, 1), (12, 0.5), (16, 0), (40, 0)])
def test_a_break_out_of_narrow_bands_counts_more(width: float, expected: float) -> None:
    bands = {"bb_lower": 100.0 - width / 2, "bb_upper": 100.0 + width / 2, "atr": 2.0}
    assert vote("breakout", "bollinger", close=101.0, **CHANNEL, **bands) == expected


TREND = {"slow_average": 90.0, "bb_middle": 99.0, "macd": 1.0, "atr": 2.0, "rsi": 55.0, "volume_ratio": 1.0}


def test_a_rising_trend_is_followed() -> None:
    scene = TREND | {"close": 100.0, "body": 1.0}
    votes = {name: vote("trend_following", name, **scene) for name in ("rsi", "macd", "bollinger", "volume")}
    assert votes == {"rsi": 0.5, "macd": 0.5, "bollinger": 0.5, "volume": 0.5}


def test_a_falling_trend_is_followed() -> None:
    scene = TREND | {"close": 80.0, "body": -1.0, "bb_middle": 81.0, "macd": -1.0, "rsi": 45.0}
    votes = {name: vote("trend_following", name, **scene) for name in ("rsi", "macd", "bollinger", "volume")}
    assert votes == {"rsi": -0.5, "macd": -0.5, "bollinger": -0.5, "volume": -0.5}


def test_a_pullback_within_a_trend_has_no_votes_against_it() -> None:
    scene = TREND | {"close": 100.0, "body": -1.0, "bb_middle": 101.0, "macd": -1.0, "rsi": 45.0}
    assert not any(vote("trend_following", name, **scene) for name in ("rsi", "macd", "bollinger", "volume"))


def test_the_type_of_the_policy_falls_back_on_momentum() -> None:
    assert vote("model", "rsi", rsi=60.0) == vote("momentum", "rsi", rsi=60.0) == 0.5


def test_an_unknown_strategy_type_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InvalidInput, match="unknown strategy type 'magic'; known are momentum mean_reversion breakout"):
        vote("magic", "rsi", rsi=50.0)


@pytest.mark.parametrize(
    ("rsi", "cast", "sentence"),
    [
        (25, 1.0, "RSI oversold (25.0)"),
        (75, -1.0, "RSI overbought (75.0)"),
        (60, 0.5, "RSI supports a rise (60.0)"),
        (40, -0.5, "RSI supports a fall (40.0)"),
    ],
)
def test_the_rsi_is_told_in_the_words_of_its_side(rsi: float, cast: float, sentence: str) -> None:
    assert told("momentum", {"rsi": cast}, rsi=rsi) == {"rsi": sentence}


@pytest.mark.parametrize(
    ("before", "now", "cast", "sentence"),
    [
        (-1, 1, 1.0, "MACD bullish cross"),
        (1, -1, -1.0, "MACD bearish cross"),
        (1, 2, 0.7, "MACD histogram bullish"),
        (-1, -2, -0.7, "MACD histogram bearish"),
        (NAN, -2, -0.7, "MACD histogram bearish"),
    ],
)
def test_the_macd_is_told_in_the_words_of_its_side(before: float, now: float, cast: float, sentence: str) -> None:
    assert told("momentum", {"macd": cast}, macd_hist=now, macd_hist_prev=before) == {"macd": sentence}


@pytest.mark.parametrize(
    ("close", "sentence"),
    [
        (111, "close above the upper Bollinger band"),
        (89, "close below the lower Bollinger band"),
        (105, "close at 75 % of the Bollinger band"),
    ],
)
def test_the_bands_are_told_by_where_the_close_stands(close: float, sentence: str) -> None:
    assert told("momentum", {"bollinger": 1.0}, close=close, **BANDS) == {"bollinger": sentence}


def test_the_volume_is_told_as_a_multiple_of_the_usual() -> None:
    assert told("momentum", {"volume": -1.0}, volume_ratio=2.34) == {"volume": "volume 2.3 times its average"}
