"""Reliability of what signals state: by hand, in any grouping, and on draws that are calibrated by their making."""

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plumbline.domain.calendar import HOUR, Interval
from plumbline.domain.calibration import (
    STATED,
    Bin,
    Reliability,
    Result,
    Stated,
    calibrate,
    merge_tables,
)
from plumbline.domain.errors import InvalidInput
from plumbline.domain.performance import wilson
from plumbline.domain.signals import Origin
from plumbline.domain.trades import Profit, Status
from tests.builders import NOON, a_position, a_signal, a_trade, an_outcome


def a_result(stated: float = 0.7, won: bool = True, scanner: str = "technical", score: float | None = None) -> Result:
    return Result(
        at=NOON,
        known_at=NOON + HOUR,
        scanner=scanner,
        confidence=stated,
        score=stated if score is None else score,
        won=won,
        pnl_pct=Decimal(6 if won else -4),
    )


# --- what a result is ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("price", "won"), [("105", True), ("104.99", False), ("100", False), ("90", False)])
def test_a_signal_won_where_its_outcome_is_a_win(price: str, won: bool) -> None:
    signal = a_signal(entry_price=Decimal(100), confidence=0.8125, unified_score=91.5, scanner_type="mss")
    outcome = an_outcome(signal, Interval.H24, price=Decimal(price))
    assert Result.of_outcome(signal, outcome) == Result(
        at=signal.timestamp,
        known_at=signal.timestamp + 24 * HOUR,
        scanner="mss",
        confidence=0.8125,
        score=0.915,
        won=won,
        pnl_pct=Decimal(price) - 100,
    )


@pytest.mark.parametrize(("usd", "won"), [("0.02", True), ("0.01", False), ("-5", False)])
def test_a_trade_won_where_it_made_more_than_a_cent_net(usd: str, won: bool) -> None:
    trade = a_trade(confidence=0.9, unified_score=88.0, net=Profit(usd=Decimal(usd), pct=Decimal(usd)))
    found = Result.of_trade(trade)
    assert found is not None
    assert (found.won, found.pnl_pct, found.confidence, found.score) == (won, Decimal(usd), 0.9, 0.88)
    assert (found.at, found.known_at) == (trade.position.opened_at, trade.closed_at)


def test_what_has_no_price_or_does_not_count_is_no_result() -> None:
    backfilled = a_signal(origin=Origin.BACKFILL)
    assert Result.of_outcome(backfilled, an_outcome(backfilled, Interval.H24)) is None
    assert Result.of_outcome(a_signal(), an_outcome(a_signal(), Interval.H24, price=None)) is None
    assert Result.of_trade(a_trade(a_position(origin=Origin.BACKFILL))) is None
    assert Result.of_trade(a_trade(status=Status.UNKNOWN)) is None


# --- reliability -----------------------------------------------------------------------------------------------------


def test_five_signals_in_two_bins_by_hand() -> None:
    found = Reliability.of([(0.65, True), (0.65, False), (0.9, True), (0.95, True), (0.95, False)])
    weak, sure = found.bins[6], found.bins[9]
    assert (weak.n, weak.won, weak.mean_stated, weak.rate) == pytest.approx((2, 1, 0.65, 0.5))
    assert (sure.n, sure.won, sure.mean_stated, sure.rate) == pytest.approx((3, 2, 2.8 / 3, 2 / 3))
    assert found.n == 5
    # 0.35² + 0.65² + 0.1² + 0.05² + 0.95² = 1.46
    assert found.brier == pytest.approx(1.46 / 5)
    assert found.base_brier == pytest.approx(0.6 * 0.4)
    # 2/5 · |0.65 − 0.5| + 3/5 · |0.9333 − 0.6667| = 0.06 + 0.16
    assert found.calibration_error == pytest.approx(0.22)
    # (√(2 · 2 · 0.65 · 0.35 / π) + √(2 · 3 · 0.9333 · 0.0667 / π)) / 5
    assert found.error_by_chance == pytest.approx((0.538203 + 0.344726) / 5, abs=1e-6)


@pytest.mark.parametrize(
    ("stated", "place"),
    [(0.0, 0), (0.1, 1), (0.3, 3), (0.7, 7), (0.6999994, 6), (0.6999996, 7), (0.999999, 9), (1.0, 9)],
)
def test_a_stated_figure_on_an_edge_belongs_to_the_bin_above_it_and_certainty_to_the_last(
    stated: float, place: int
) -> None:
    assert [b.n for b in Reliability.of([(stated, True)]).bins] == [int(p == place) for p in range(10)]


@pytest.mark.parametrize("stated", [-0.01, 1.01, float("nan")])
def test_what_is_no_probability_is_refused(stated: float) -> None:
    with pytest.raises(InvalidInput, match="0–1"):
        Reliability.of([(stated, True)])


def test_without_signals_nothing_is_defined() -> None:
    found = Reliability()
    assert (found.brier, found.base_brier, found.calibration_error, found.error_by_chance) == (None,) * 4
    assert (Bin().mean_stated, Bin().rate, Bin().interval) == (None, None, (0, 1))


def test_a_bins_rate_carries_its_interval() -> None:
    found = Reliability.of([(0.65, won) for won in (True, True, False)])
    assert found.bins[6].interval == wilson(2 / 3, 3)


def test_what_happens_as_often_as_stated_has_no_more_error_than_chance() -> None:
    random = np.random.default_rng(3)
    stated = random.random(40_000).round(6)
    honest = Reliability.of(zip(stated.tolist(), (random.random(40_000) < stated).tolist(), strict=True))
    assert honest.calibration_error == pytest.approx(honest.error_by_chance, rel=0.5)
    assert honest.brier == pytest.approx(1 / 6, abs=0.005)  # ∫ p(1 − p) dp
    boastful = Reliability.of(zip(stated.tolist(), (random.random(40_000) < stated / 2).tolist(), strict=True))
    assert boastful.calibration_error == pytest.approx(0.25, abs=0.01)


pairs = st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=40)


@given(pairs, st.data())
def test_any_split_in_any_order_merges_to_the_same_table(rows: list[tuple[float, bool]], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(rows))
    cut = data.draw(st.integers(0, len(rows)))
    assert Reliability.of(shuffled[:cut]) + Reliability.of(shuffled[cut:]) == Reliability.of(rows)


@given(pairs.filter(bool))
def test_the_brier_score_is_that_of_plain_arithmetic(rows: list[tuple[float, bool]]) -> None:
    plain = sum((round(stated, 6) - won) ** 2 for stated, won in rows) / len(rows)
    assert Reliability.of(rows).brier == pytest.approx(plain, abs=1e-9)


# --- by scanner ------------------------------------------------------------------------------------------------------


def test_every_scanner_has_a_table_for_what_it_states_and_so_have_all_together() -> None:
    results = [a_result(0.7, True, "mss", score=0.9), a_result(0.8, False, "model", score=0.6)]
    found = calibrate(results)
    assert set(found) == {(scanner, name) for scanner in ("all", "mss", "model") for name in STATED}
    assert found["mss", "confidence"] == Reliability.of([(0.7, True)])
    assert found["mss", "score"] == Reliability.of([(0.9, True)])
    assert found["all", "score"] == Reliability.of([(0.9, True), (0.6, False)])
    assert calibrate([]) == {}


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans(), st.sampled_from(["mss", "model"])), max_size=20), st.data())
def test_tables_of_disjoint_signals_merge_in_any_order(
    rows: list[tuple[float, bool, str]], data: st.DataObject
) -> None:
    results = [a_result(*row) for row in rows]
    cut = data.draw(st.integers(0, len(results)))
    parts = [calibrate(results[:cut]), calibrate(results[cut:])]
    whole: dict[tuple[str, Stated], Reliability] = calibrate(results)
    assert list(merge_tables(parts).items()) == list(merge_tables(parts[::-1]).items()) == list(whole.items())
