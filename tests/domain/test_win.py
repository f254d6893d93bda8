"""A signal as the model of its win probability sees it."""

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from plumbline.domain.calendar import HOUR, Interval, Timeframe
from plumbline.domain.features import Features
from plumbline.domain.outcomes import judge
from plumbline.domain.scanners import SCANNERS, STRATEGY_TYPES, Scene
from plumbline.domain.signals import Action, Origin, Provenance, Signal, Tier
from plumbline.domain.strategies import Configuration
from plumbline.domain.win import INDICATORS, WIN_FEATURES, describe, worth_it

LONG = Signal(
    signal_id="01HM0000000000000000000000",
    timestamp=1_704_110_400_000,  # 2024-01-01T12:00:00Z
    recorded_at=1_704_110_400_000,
    origin=Origin.LIVE,
    symbol="BTC/USDT",
    timeframe=Timeframe.H1,
    action=Action.BUY,
    confidence=0.72,
    unified_score=72.0,
    tier=Tier.STRONG_BUY,
    scanner_type="technical",
    channel_id="momentum-alpha",
    strategy_type="momentum",
    entry_price=Decimal(200),
    stop_loss=Decimal(196),
    take_profit=Decimal(206),
    snapshot_id="a",
    provenance=Provenance(),
    indicator_breakdown={"rsi": 30.0, "macd": -10.0, "money_flow": 12.5},
)
SHORT = replace(
    LONG,
    action=Action.SELL,
    stop_loss=Decimal(204),
    take_profit=Decimal(194),
    indicator_breakdown={"rsi": -30.0, "macd": 10.0, "money_flow": -12.5},
)


def seen(signal: Signal) -> dict[str, float]:
    return dict(zip(WIN_FEATURES, describe(signal).tolist(), strict=True))


def test_a_signal_is_described_by_what_it_holds() -> None:
    expected = dict.fromkeys(WIN_FEATURES, 0.0) | {
        "unified_score": 0.72,
        "confidence": 0.72,
        "stop_pct": 2.0,
        "hour_cos": -1.0,  # noon
        "points_rsi": 0.3,
        "points_macd": -0.1,
        "points_money_flow": 0.125,
        "scanner_technical": 1.0,
        "strategy_momentum": 1.0,
    }
    assert seen(LONG) == pytest.approx(expected, abs=1e-7)
    assert describe(LONG).dtype == np.float32


def test_a_short_signal_that_mirrors_a_long_one_is_described_alike() -> None:
    assert describe(SHORT).tobytes() == describe(LONG).tobytes()


def test_points_against_the_side_are_negative_on_both_sides() -> None:
    assert seen(LONG)["points_macd"] == seen(SHORT)["points_macd"] < 0


def test_the_hour_goes_round() -> None:
    evening, midnight = (replace(LONG, timestamp=LONG.timestamp + h * HOUR) for h in (11, 12))
    assert seen(midnight)["hour_cos"] == pytest.approx(1)
    assert seen(evening)["hour_cos"] == pytest.approx(np.cos(np.pi / 12))
    assert seen(evening)["hour_sin"] == pytest.approx(-np.sin(np.pi / 12))


def test_a_signal_without_a_stop_has_no_number_for_it() -> None:
    row = seen(replace(LONG, stop_loss=None))
    assert [name for name, value in row.items() if np.isnan(value)] == ["stop_pct"]


def test_a_stop_far_away_is_counted_as_no_farther_than_a_fifth() -> None:
    assert seen(replace(LONG, stop_loss=Decimal(72)))["stop_pct"] == 20


def test_a_signal_from_outside_is_none_of_our_scanners_and_strategies() -> None:
    row = seen(replace(LONG, scanner_type="social", strategy_type="", indicator_breakdown={"mood": 80.0}))
    assert not any(value for name, value in row.items() if name.startswith(("points_", "scanner_", "strategy_")))


def test_how_late_and_where_it_was_recorded_changes_nothing() -> None:
    later = replace(LONG, recorded_at=LONG.recorded_at + HOUR, origin=Origin.BACKFILL, latency_ms=5, symbol="ETH/USDT")
    assert describe(later).tobytes() == describe(LONG).tobytes()


def test_every_vote_of_every_scanner_is_an_indicator() -> None:
    scene = Scene(Features.of_snapshot({"close": 1.0}))
    configuration = Configuration(strategy="s", strategy_type="momentum")
    votes = [name for scanner in SCANNERS.values() for name in scanner.votes(configuration, scene)]
    assert sorted(votes) == sorted(INDICATORS)


def test_every_scanner_and_strategy_type_has_its_place() -> None:
    places = {f"scanner_{name}" for name in SCANNERS} | {f"strategy_{name}" for name in STRATEGY_TYPES}
    assert places == {name for name in WIN_FEATURES if name.startswith(("scanner_", "strategy_"))}
    assert len(set(WIN_FEATURES)) == len(WIN_FEATURES)


@pytest.mark.parametrize(
    ("price", "long", "short"),
    [("200.6", False, False), ("200.61", True, False), ("199.4", False, False), ("199.39", False, True)],
)
def test_a_signal_was_worth_it_where_it_earned_more_than_its_costs(price: str, long: bool, short: bool) -> None:
    assert worth_it(judge(LONG, Interval.H24, Decimal(price), 0)) is long
    assert worth_it(judge(SHORT, Interval.H24, Decimal(price), 0)) is short


def test_an_unknown_outcome_is_no_label() -> None:
    assert worth_it(judge(LONG, Interval.H24, None, 0)) is None
