"""The win probability: learned from the record alone, judged beside the base rate, off unless it beats that."""

import json
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

import numpy as np
import pytest

from layers.model.training import win_page
from layers.model.training.folds import Fold
from layers.model.training.win import FILE, PARITY, SCHEMA, WinFile
from layers.model.training.win_record import Record, area, check_no_input_knows, in_stores, on_candles
from layers.model.training.win_scores import PURGE, base_rate, folds_of, judge, of_answers, verdict
from plumbline.domain.calendar import DAY, HOUR, Interval, Timeframe
from plumbline.domain.errors import InvalidInput
from plumbline.domain.signals import Origin
from plumbline.domain.win import WIN_FEATURES, describe
from tests.builders import NOON, a_signal, an_outcome, random_walk
from tests.fakes import memory_stores

N = 8_000


def a_record(edge: float = 0.0, count: int = N, seed: int = 1) -> Record:
    """Signals five hours apart whose first input says how likely they are to be worth it, by this much."""
    random = np.random.default_rng(seed)
    rows = random.normal(size=(count, len(WIN_FEATURES))).astype(np.float32)
    won = (random.random(count) < chance(rows, edge)).astype(np.int64)
    return Record(rows, won, np.where(won, 2.0, -2.0), NOON + np.arange(count) * 5 * HOUR, 1)


def chance(rows: np.ndarray, edge: float) -> np.ndarray:
    given: np.ndarray = 1 / (1 + np.exp(-edge * rows[:, 0].astype(np.float64)))
    return given


def test_a_record_holds_the_known_outcomes_in_order_of_time() -> None:
    first, second, third = (a_signal(timestamp=NOON + k * HOUR) for k in range(3))
    unlevelled = a_signal(timestamp=NOON + 3 * HOUR, stop_loss=None)
    judged = [
        (second, an_outcome(second, Interval.H24, price=second.entry_price * Decimal("0.9"))),
        (first, an_outcome(first, Interval.H24)),
        (third, an_outcome(third, Interval.H24, pnl_pct=None)),
        (a_signal(timestamp=NOON + 5 * HOUR), None),
        (unlevelled, an_outcome(unlevelled, Interval.H24)),
    ]
    record = Record.of(judged)
    assert record.time.tolist() == [NOON, NOON + HOUR]
    assert record.won.tolist() == [1, 0]
    assert record.pnl == pytest.approx([6.0, -10.0])
    assert record.rows.tobytes() == np.stack([describe(first), describe(second)]).tobytes()


def test_the_record_of_a_stack_is_what_counts_on_hourly_candles() -> None:
    stores = memory_stores()
    counts = a_signal()
    late = a_signal(timestamp=NOON + HOUR, origin=Origin.BACKFILL)
    quick = a_signal(timestamp=NOON + 2 * HOUR, timeframe=Timeframe.M15)
    early = a_signal(timestamp=NOON - DAY)
    for signal in (counts, late, quick, early):
        stores.signals.add(signal)
        stores.outcomes.add(an_outcome(signal, Interval.H24))
        stores.outcomes.add(an_outcome(signal, Interval.H1, price=Decimal(1)))
    record = in_stores(stores, NOON - HOUR, NOON + DAY)
    assert record.time.tolist() == [counts.timestamp]
    assert record.won.tolist() == [1]


def test_the_record_on_candles_knows_nothing_of_the_candles_that_follow() -> None:
    walks = {f"M{k}": random_walk("1h", 1_500, k, start=NOON - 1_500 * HOUR) for k in range(5)}
    whole = on_candles(walks)
    cut = NOON - 300 * HOUR
    earlier = on_candles({symbol: series.closed_by(cut) for symbol, series in walks.items()})
    assert len(earlier) > 100
    # What was judged by then was described and judged alike.
    assert earlier.time[-1] <= cut - DAY
    assert earlier.rows.tobytes() == whole.rows[: len(earlier)].tobytes()
    assert earlier.won.tolist() == whole.won[: len(earlier)].tolist()


@pytest.mark.parametrize("leak", ["won", "pnl", "lost"])
def test_an_outcome_among_the_inputs_is_refused(leak: str) -> None:
    record = a_record(edge=1.0)
    known = {"won": record.won, "pnl": record.pnl, "lost": 1 - record.won}[leak].astype(np.float64)
    rows = record.rows.copy()
    rows[:, 3] = known + np.random.default_rng(1).normal(0, 0.3 * known.std(), len(known))
    check_no_input_knows(record)
    with pytest.raises(InvalidInput, match=rf"^{WIN_FEATURES[3]} alone tells"):
        check_no_input_knows(replace(record, rows=rows))


def test_the_area_is_the_share_of_pairs_in_the_right_order() -> None:
    # Won: 3 and 1. Lost: 2 and 1. Pairs: 3>2, 3>1, 1<2, 1=1.
    assert area(np.array([3.0, 2.0, 1.0, 1.0]), np.array([1, 0, 1, 0])) == pytest.approx(2.5 / 4)
    assert area(np.array([1.0, 2.0]), np.array([1, 1])) == 0.5


def test_nothing_is_learned_from_an_outcome_that_was_not_known_yet() -> None:
    record = a_record()
    for fold in folds_of(record):
        parts = [record.time[part] for part in (fold.train, fold.cal, fold.test) if len(part)]
        for earlier, later in pairwise(parts):
            assert earlier[-1] + DAY < later[0]
            assert earlier[-1] + PURGE <= later[0]
    assert len(folds_of(record)[-1].test) == 0


def test_a_border_without_a_purge_would_be_seen() -> None:
    record = a_record()
    fold = folds_of(record)[0]
    leaking = replace(fold, train=np.arange(fold.cal[0]))
    assert record.time[leaking.train[-1]] + DAY >= record.time[leaking.cal[0]]


def test_the_base_rate_knows_all_that_the_model_knew() -> None:
    record = replace(a_record(count=8), won=np.array([1, 0, 0, 0, 1, 1, 1, 1]))
    fold = Fold(np.array([0, 1]), np.array([], dtype=np.int64), np.array([3, 4]), np.array([6, 7]))
    assert base_rate(record, fold) == 0.5


def test_figures_by_hand() -> None:
    record = replace(a_record(count=4), won=np.array([1, 0, 1, 0]), pnl=np.array([2.3, -1.7, 0.8, 0.1]))
    given, rate = np.array([0.8, 0.4, 0.5, 0.2]), np.full(4, 0.5)
    row = of_answers(record, np.arange(4), given, rate)
    loss = -np.log([0.8, 0.6, 0.5, 0.8]).mean()
    assert row["log_loss"] == pytest.approx(loss, abs=1e-4)
    assert row["log_loss_gain"] == pytest.approx(np.log(2) - loss, abs=1e-4)
    assert row["brier"] == pytest.approx((0.04 + 0.16 + 0.25 + 0.04) / 4, abs=1e-4)
    assert row["base_brier"] == 0.25
    assert row["auc"] == 1.0
    # Tenths: .8 came, .4 did not, .5 came, .2 did not.
    assert row["ece"] == pytest.approx((0.2 + 0.4 + 0.5 + 0.2) / 4, abs=1e-4)
    assert row["net_pct"] == pytest.approx((2.3 - 1.7 + 0.8 + 0.1) / 4 - 0.3, abs=1e-4)
    assert (row["at_half"], row["at_half_won"]) == (2, 1.0)
    assert row["at_half_net_pct"] == pytest.approx(1.55 - 0.3, abs=1e-4)


def test_answers_that_know_something_switch_it_on_and_noise_does_not() -> None:
    knowing, blind = a_record(edge=1.0), a_record()
    folds = folds_of(knowing)[:-1]
    figures = judge(knowing, folds, [chance(knowing.rows[f.test], 1.0) for f in folds])
    assert verdict(figures)[0]
    noise = judge(blind, folds, [chance(blind.rows[f.test], 0.1) for f in folds])
    assert not verdict(noise)[0]
    assert "off, because it does not beat the base rate beyond chance" in verdict(noise)[1]


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({}, ""),
        ({"log_loss_gain_interval": [0.0, 0.02]}, "does not beat the base rate"),
        ({"log_loss_gain_interval": None}, "does not beat the base rate"),
        ({"ece": 0.0501}, "calibration error is above 0.05"),
        ({"signals": 999}, "1,000 signals are asked for"),
    ],
)
def test_it_is_on_only_where_everything_holds(changed: dict[str, object], reason: str) -> None:
    good: dict[str, object] = {
        "signals": 1_000,
        "log_loss": 0.67,
        "base_log_loss": 0.68,
        "log_loss_gain": 0.01,
        "log_loss_gain_interval": [0.0001, 0.02],
        "ece": 0.05,
    }
    enabled, sentence = verdict(good | changed)
    assert enabled is not bool(reason)
    assert sentence.startswith("off, because" if reason else "on: log-loss 0.6700")
    assert reason in sentence


def test_the_page_shows_the_record_and_both_controls() -> None:
    record = a_record(edge=1.0)
    folds = folds_of(record)[:-1]
    figures = judge(record, folds, [chance(record.rows[f.test], 1.0) for f in folds])
    page = win_page.write(figures, "recorded", {"simulated": figures, "directionless": figures})
    assert page.startswith("`win.onnx` is on: log-loss ")
    assert page.count("\n| recorded candles: `win.onnx` | ") == 1
    assert "the record of `binance`: `win.onnx`" in win_page.write(
        figures, "binance", {"simulated": figures, "directionless": figures}
    )


# --- the file that is shipped ---------------------------------------------------------------------------------------


def stated(name: str) -> object:
    return json.loads(WinFile(FILE).metadata[name])


def test_the_shipped_model_was_made_for_the_inputs_of_this_code() -> None:
    assert stated("schema") == SCHEMA
    assert stated("features") == list(WIN_FEATURES)
    assert WinFile(FILE).metadata["timeframe"] == Timeframe.H1
    assert WinFile(FILE).metadata["name"] == "win"


def test_the_shipped_model_answers_its_own_examples_as_its_framework_did() -> None:
    assert WinFile(FILE).parity() < PARITY


def test_a_broken_input_comes_out_as_broken() -> None:
    assert WinFile(FILE).swallowed() == 0


def test_an_answer_is_a_probability_whatever_its_neighbours() -> None:
    rows = a_record(count=300).rows
    together = WinFile(FILE).probability(rows)
    assert together.shape == (300,)
    assert ((together >= 0) & (together <= 1)).all()
    apart = np.concatenate([WinFile(FILE).probability(rows[k : k + 1]) for k in range(10)])
    np.testing.assert_allclose(apart, together[:10], atol=1e-6)


def test_the_shipped_model_is_on_only_if_its_own_figures_say_so() -> None:
    figures = stated("figures")
    assert isinstance(figures, dict)
    enabled, reason = verdict(figures)
    assert stated("enabled") is enabled
    assert WinFile(FILE).metadata["reason"] == reason


def test_the_shipped_model_is_small_and_tells_nothing_of_where_it_was_made() -> None:
    content = FILE.read_bytes()
    assert len(content) < 50_000
    for trace in (b".py", b"/tmp", b"site-packages"):
        assert trace not in content
