"""The record of the scanners: decided as live, judged by hand, and beside chance that has the same exits."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from layers.model.training import record_page
from layers.model.training.examples import COST_PCT
from layers.model.training.record import PAGE, held_out, quarter_of, report, signals_of, subjects
from layers.model.training.record_scores import (
    Ground,
    Taken,
    effective,
    held,
    measure,
    outcome_of,
    random_entries,
    shown,
)
from plumbline.domain import brackets
from plumbline.domain.calendar import DAY, HOUR, Timeframe, day_start
from plumbline.domain.candles import Candles
from plumbline.domain.decisions import decide
from plumbline.domain.errors import InvalidInput
from plumbline.domain.outcomes import Label
from plumbline.domain.performance import wilson
from plumbline.domain.signals import Action, Signal
from plumbline.domain.strategies import DEFAULT_CHANNELS, default_configuration
from plumbline.domain.windows import window_start
from tests.builders import NOON, a_signal, candles, random_walk, without

WEEK = 7 * DAY
HISTORY = {f"M{k}/USDT": random_walk("1h", 1_500, k, start=NOON - 1_500 * HOUR) for k in range(6)}
SPAN = NOON - 900 * HOUR, NOON - 30 * HOUR
MOMENTUM = DEFAULT_CHANNELS[0]


def found(history: dict[str, Candles], span: tuple[int, int] = SPAN, name: str = "technical, momentum") -> list[Signal]:
    channel, configuration = subjects()[name]
    return signals_of(history, channel, configuration, span)


def a_ground(net: np.ndarray, time: np.ndarray, market: np.ndarray | None = None) -> Ground:
    """Entries with these R, long and short: (n, 2)."""
    market = np.zeros(len(net), dtype=np.int64) if market is None else market
    place = {(f"M{m}", t): i for i, (m, t) in enumerate(zip(market.tolist(), time.tolist(), strict=True))}
    return Ground({}, (int(time[0]), int(time[-1])), time, market, net, net > 0, net, place)


def a_taken(ground: Ground, at: np.ndarray, side: np.ndarray) -> Taken:
    return Taken(ground.time[at], side, at, ground.day[at, side], np.full(len(at), str(Label.NEUTRAL)))


def test_alone_a_scanner_names_every_signal_and_no_other_has_points() -> None:
    for name in ("technical, momentum", "technical, breakout", "smart_money", "mss"):
        signals = found(HISTORY, name=name)
        assert {s.scanner_type for s in signals} == {name.split(",", maxsplit=1)[0]}, name


def test_every_scanner_strategy_type_and_channel_is_a_subject() -> None:
    kinds = [f"technical, {kind}" for kind in ("momentum", "mean_reversion", "breakout", "trend_following")]
    channels = [c.channel_id for c in DEFAULT_CHANNELS if c.strategy_type != "model"]
    assert list(subjects()) == [*kinds, "smart_money", "mss", "model", *channels]


def test_signals_know_nothing_of_the_candles_that_follow() -> None:
    until = NOON - 400 * HOUR
    earlier = {symbol: series.closed_by(until) for symbol, series in HISTORY.items()}
    known = found(earlier)
    assert known == [s for s in found(HISTORY) if s.timestamp <= until]
    assert known


def test_signals_are_the_same_however_the_span_is_cut() -> None:
    cut = NOON - 333 * HOUR
    parts = found(HISTORY, (SPAN[0], cut)) + found(HISTORY, (cut + 1, SPAN[1]))
    assert sorted(s.signal_id for s in parts) == sorted(s.signal_id for s in found(HISTORY))


def test_every_candle_is_decided_on_the_window_that_the_live_service_reads() -> None:
    # After a long hole a market is silent until its own window holds enough, not until its whole history does.
    series = random_walk("1h", 1_500, start=NOON - 1_500 * HOUR)
    series = without(series, range(NOON - 900 * HOUR, NOON - 600 * HOUR, HOUR))
    channel, configuration = subjects()["technical, momentum"]
    span = NOON - 580 * HOUR, NOON - 100 * HOUR
    live = []
    for close in range(span[0], span[1] + 1, HOUR):
        window = series.between(window_start(Timeframe.H1, close - HOUR), close)
        live.append((close, decide(configuration, window)))
    found = signals_of({"M/USDT": series}, channel, configuration, span)
    assert [(s.timestamp, s.action, s.unified_score, s.entry_price) for s in found] == [
        (close, d.action, d.unified_score, d.entry_price) for close, d in live if d.action is not Action.HOLD
    ]
    silent = [d for _, d in live if d.reasoning[0].startswith("not enough history")]
    assert found
    assert silent


def test_without_a_policy_its_channel_leaves_no_placeholder() -> None:
    model = next(c for c in DEFAULT_CHANNELS if c.strategy_type == "model")
    assert signals_of(HISTORY, model, default_configuration(model), SPAN) == []


def test_an_outcome_is_the_close_of_the_candle_that_ends_at_the_due_time() -> None:
    series = candles("1h", *range(100, 150), start=NOON)
    signal = a_signal(timestamp=NOON + 3 * HOUR, entry_price=Decimal(102))
    assert outcome_of(signal, series).exit_price == 126
    assert outcome_of(signal, series).outcome is Label.WIN


def test_an_outcome_at_a_hole_or_beyond_the_end_is_unknown() -> None:
    series = candles("1h", *range(100, 150), start=NOON)
    signal = a_signal(timestamp=NOON + 3 * HOUR)
    assert outcome_of(signal, without(series, [NOON + 26 * HOUR])).outcome is Label.UNKNOWN
    assert outcome_of(replace(signal, timestamp=NOON + 40 * HOUR), series).outcome is Label.UNKNOWN


def test_every_trade_of_the_table_is_that_of_the_signals_own_levels() -> None:
    ground, signals = Ground.of(HISTORY, SPAN), found(HISTORY)
    taken = Taken.of(signals, ground)
    assert len(signals) > 50
    for signal, at, side in zip(signals, taken.at.tolist(), taken.side.tolist(), strict=True):
        series, entry = HISTORY[signal.symbol], float(signal.entry_price)
        here = np.searchsorted(series.open_time, [signal.timestamp - HOUR])
        stop, target = (np.array([abs(float(p or 0) - entry)]) for p in (signal.stop_loss, signal.take_profit))
        own = brackets.resolve(series, here, signal.side.sign, stop, target)
        cost = COST_PCT / 100 * entry / stop[0]
        assert ground.net[at, side] == pytest.approx(own.r[0] - cost, abs=1e-6)
        assert ground.hit[at, side] == (own.ended[0] == 1)


def test_random_entries_have_the_markets_sides_and_exits_of_the_signals() -> None:
    # Each market and side has one R of its own, so that a draw from another would show.
    market = np.repeat([0, 1], 50)
    net = np.stack((market + 1.0, -market - 10.0), axis=1)
    ground = a_ground(net, np.tile(np.arange(50) * HOUR, 2), market)
    at, side = np.array([3, 4, 60]), np.array([0, 1, 1])
    drawn = random_entries(ground, at, side, draws=20)
    np.testing.assert_allclose(drawn["net"], (1.0 - 10.0 - 11.0) / 3)
    np.testing.assert_allclose(drawn["hit"], 1 / 3)


def test_random_entries_come_at_any_candle() -> None:
    net = np.zeros((1_000, 2))
    net[:500] = 1.0
    ground = a_ground(net, np.arange(1_000) * HOUR)
    drawn = random_entries(ground, np.zeros(200, dtype=np.int64), np.zeros(200, dtype=np.int64))
    assert drawn["net"].mean() == pytest.approx(0.5, abs=0.01)
    assert drawn["net"].std() == pytest.approx(0.5 / 200**0.5, rel=0.1)


def test_figures_by_hand() -> None:
    time = np.arange(8) * WEEK
    net = np.array([[1.4, -1.1], [-1.1, 1.4], [-0.2, 0.1], [1.4, -1.1], [1.4, -1.1], [-1.1, 1.4], [0, 0], [0, 0]])
    ground = a_ground(net, time)
    taken = replace(
        a_taken(ground, np.array([0, 1, 2, 3]), np.array([0, 0, 1, 1])),
        pnl=np.array([6.0, -4.0, 1.0, np.nan]),
        label=np.array(["WIN", "LOSS", "NEUTRAL", "UNKNOWN"]),
    )
    row = measure(replace(taken, at=np.array([0, 1, 2, -1])), ground)
    assert (row["n"], row["long"], row["decided"]) == (4, 2, 3)
    assert [row[label] for label in ("WIN", "LOSS", "NEUTRAL", "UNKNOWN")] == [1, 1, 1, 1]
    assert row["hit_rate"] == pytest.approx(2 / 3)
    assert row["r"] == pytest.approx((1.4 - 1.1 + 0.1) / 3)
    assert row["pnl"] == pytest.approx(1.0)
    assert row["effective"] == 3
    assert row["hit_interval"] == wilson(2 / 3, 3)


def test_signals_that_come_together_are_worth_one() -> None:
    random = np.random.default_rng(1)
    weeks = random.integers(0, 2, 100).astype(np.float64)
    time = np.repeat(np.arange(100) * WEEK, 10)
    assert effective(np.repeat(weeks, 10), time) == pytest.approx(100, rel=0.15)
    assert effective(random.integers(0, 2, 1_000).astype(np.float64), time) > 600


def test_signals_of_few_weeks_are_worth_their_weeks() -> None:
    values = np.random.default_rng(1).integers(0, 2, 500).astype(np.float64)
    assert effective(values, np.linspace(0, 9 * WEEK - 1, 500).astype(np.int64)) == 9


def test_a_planted_edge_is_found_and_a_planted_nothing_is_not() -> None:
    random = np.random.default_rng(3)
    long = random.choice((1.4, -1.1), 20_000, p=(0.4, 0.6))
    ground = a_ground(np.stack((long, -long), axis=1), np.arange(20_000) * HOUR)
    anywhere = random.choice(20_000, 800, replace=False)
    sides = random.integers(0, 2, 800)
    assert measure(a_taken(ground, anywhere, sides), ground)["shown"] == "no edge shown"
    knowing = np.where(random.random(800) < 0.3, (long[anywhere] < 0).astype(np.int64), sides)
    assert measure(a_taken(ground, anywhere, knowing), ground)["shown"] == "edge after costs"
    assert measure(a_taken(ground, anywhere, 1 - knowing), ground)["shown"] == "worse than random"


@pytest.mark.parametrize(
    ("interval", "says"),
    [
        ((-0.10, 0.05), "no edge shown"),
        ((-0.05, 0.05), "better than random, not than its costs"),
        ((0.01, 0.20), "edge after costs"),
        ((-0.60, -0.40), "worse than random"),
        (None, "no edge shown"),
    ],
)
def test_what_is_shown_follows_from_interval_and_band(interval: tuple[float, float] | None, says: str) -> None:
    assert shown(interval, (-0.2, -0.1)) == says


def test_nothing_found_is_counted_and_not_judged() -> None:
    ground = a_ground(np.zeros((3, 2)), np.arange(3) * WEEK)
    none = np.array([], dtype=np.int64)
    row = measure(a_taken(ground, none, none), ground)
    assert row["n"] == 0
    assert "r" not in row


def test_held_out_months_begin_after_the_training_with_enough_markets() -> None:
    long = {f"M{k}": random_walk("1h", 24 * 120, k, start=day_start("2024-01-01")) for k in range(4)}
    later = random_walk("1h", 24 * 60, 9, start=day_start("2024-03-02"))
    first, last = held_out({**long, "late": later}, day_start("2024-01-15"))
    # In March one candle in thirty is missing of the fifth market, which is little enough.
    assert first == day_start("2024-03-01") + HOUR
    assert last == day_start("2024-05-01")
    # A month that has begun is not wholly held out.
    assert held_out({**long, "M4": long["M0"]}, day_start("2024-01-15"))[0] == day_start("2024-02-01") + HOUR
    with pytest.raises(InvalidInput, match="has candles of 5 markets"):
        held_out(long, day_start("2024-01-15"))


def test_holding_is_from_the_first_close_to_the_last() -> None:
    before = NOON - HOUR
    up, down = candles("1h", 80, 100, 120, 90, 150, start=before), candles("1h", 80, 100, 50, 50, start=before)
    nothing = np.empty((0, 2))
    none = np.array([], dtype=np.int64)
    ground = Ground({"A": up, "B": down}, (NOON + HOUR, NOON + 4 * HOUR), none, none, nothing, nothing > 0, nothing, {})
    results = held(ground)
    assert results["A"] == pytest.approx((50.0, -25.0))
    assert results["B"] == pytest.approx((-50.0, -50.0))
    # 1, .85, .7, 1: the market that ended stays as cash.
    assert results["all, in equal parts"] == pytest.approx((0.0, -30.0))


def test_a_quarter_is_named_by_its_year() -> None:
    assert [quarter_of(day_start(d)) for d in ("2024-01-01", "2024-03-31", "2024-10-01")] == [
        "2024 Q1",
        "2024 Q1",
        "2024 Q4",
    ]


def test_a_page_is_rewritten_between_its_markers_and_nowhere_else(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- a: begin -->\nold\n<!-- a: end -->\nafter\n")
    record_page.rewrite(page, "a", "new")
    assert page.read_text() == "before\n<!-- a: begin -->\nnew\n<!-- a: end -->\nafter\n"
    with pytest.raises(InvalidInput, match="has no <!-- b: begin -->"):
        record_page.rewrite(page, "b", "new")


def test_a_report_names_every_subject_and_says_what_it_holds() -> None:
    page = record_page.write({"directionless": report(HISTORY, SPAN, None)}, {})
    for name in subjects():
        assert f"\n| {name} | " in page
    assert "| model | 0 | 0 | 0 |" in page
    assert "edge after costs" not in page


@pytest.mark.parametrize(("verdict", "says"), [("no edge", 1), ("edge", 0)])
def test_the_page_says_whether_the_policy_may_act(verdict: str, says: int) -> None:
    spans = {name: ["2020-01-01T01:00:00Z", "2020-02-01T00:00:00Z"] for name in ("train", "val", "cal")}
    card = {"verdict": verdict, "trained_on": spans, "pooled": {"n": 0, "examples": 9}}
    told = {"span": (0, HOUR), "markets": {}, "rows": {}, "held": {}}
    assert record_page.write({"recorded": told}, card).count("it is asked, and never acts") == says


def test_the_page_has_a_place_for_both_measurements() -> None:
    text = PAGE.read_text()
    for name in ("scanners", "win"):
        assert text.index(f"<!-- {name}: begin -->") < text.index(f"<!-- {name}: end -->")
    for name in subjects():
        assert f"\n| {name} | " in text
