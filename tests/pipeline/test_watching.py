"""The model's daily report: what is asked, about which candles, and that it does not matter when."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from plumbline.domain.brackets import HORIZON, resolve
from plumbline.domain.calendar import DAY, HOUR, Timeframe, day_of, parse_instant
from plumbline.domain.candles import Candles
from plumbline.domain.decisions import decide
from plumbline.domain.drift import DRIFTED, ModelReport
from plumbline.domain.features import Features
from plumbline.domain.policy import FEATURES, Policy, inputs
from plumbline.domain.strategies import Activation, Channel, Configuration
from plumbline.domain.windows import window_start
from plumbline.health import lags
from plumbline.pipeline.progress import Hole, Progress, collecting
from plumbline.pipeline.watching import WATCH, watch_model
from plumbline.ports import Stores, Universe
from tests.builders import without
from tests.fakes import Crash, CrashAfter, FakePolicy, memory_stores
from tests.world import SETTINGS

H1 = Timeframe.H1
MIDNIGHT = parse_instant("2026-11-20T00:00:00Z")
"""The end of the day that is reported on."""
DAY_BEFORE = "2026-11-19"
LONG = 2_000
MODEL = Configuration(
    strategy="policy-epsilon",
    strategy_type="model",
    scanner_weights={"model": 100.0},
    min_indicators_required=1,
    cooldown_bars=0,
)
CHANNEL = Channel(channel_id="policy-epsilon", name="Policy Epsilon", strategy_type="model", timeframe=H1)


@cache
def market(seed: int, momentum: float = 0.0, swing: float = 1.0) -> Candles:
    """2,000 hours around `MIDNIGHT`, five days of them after it.

    Each return keeps `momentum` of the one before; on every second day returns are `swing` times as large.
    """
    random = np.random.default_rng(seed)
    returns = random.normal(0, 0.005, LONG)
    for i in range(1, LONG):
        returns[i] += momentum * returns[i - 1]
    times = MIDNIGHT + 5 * DAY + (np.arange(LONG, dtype=np.int64) - LONG) * HOUR
    close = 100 * np.exp(np.cumsum(np.where(times // DAY % 2, swing, 1) * returns))
    opened = np.concatenate(([100.0], close[:-1]))
    wick = 1 + np.abs(random.normal(0, 0.001, (2, LONG)))
    high, low = np.maximum(opened, close) * wick[0], np.minimum(opened, close) / wick[1]
    return Candles(H1, times, opened, high, low, close, random.gamma(2.0, 50.0, LONG))


def markets(momentum: float = 0.0, swing: float = 1.0) -> dict[str, Candles]:
    return {f"{name}/USDT": market(seed, momentum, swing) for seed, name in enumerate(("ADA", "BTC", "ETH", "SOL"))}


BTC = {"BTC/USDT": market(1)}


def collected(stores: Stores, until: int, series: Mapping[str, Candles], holes: Sequence[Hole] = ()) -> None:
    """Store what closed by then, and say so in the collector's cursor."""
    for symbol, candles in series.items():
        stores.candles.add(symbol, candles.closed_by(until))
    notes = Progress(dict.fromkeys(series, until), list(holes)).notes()
    stores.cursors.move(stores.cursors.read(collecting(H1)), collecting(H1), until, notes)


def activated(stores: Stores, configuration: Configuration, channel: Channel, since: int = 0) -> None:
    stores.channels.add(channel)
    stores.strategies.save(configuration)
    stores.strategies.activate(
        Activation(strategy=channel.channel_id, config_hash=configuration.config_hash, active_from=since)
    )


def a_watched_stack(
    series: Mapping[str, Candles] = BTC, configuration: Configuration = MODEL, until: int = MIDNIGHT
) -> Stores:
    """A model channel on these symbols, their candles collected."""
    stores = memory_stores()
    activated(stores, configuration, replace(CHANNEL, symbols=tuple(series)))
    collected(stores, until, series)
    return stores


def watch(stores: Stores, now: int = MIDNIGHT, policy: Policy | None = None) -> list[ModelReport]:
    asked = policy or FakePolicy()
    return watch_model(stores, SETTINGS, lambda: asked, now)


def reports(stores: Stores) -> dict[tuple[str, str], ModelReport]:
    return dict(stores.model_reports.reports)  # type: ignore[attr-defined]  # the fake's own dict


def the_report(
    series: Mapping[str, Candles] = BTC, policy: Policy | None = None, configuration: Configuration = MODEL
) -> ModelReport:
    [report] = watch(a_watched_stack(series, configuration), policy=policy)
    return report


# --- what is asked ---------------------------------------------------------------------------------------------------


def test_a_report_is_about_the_trades_that_had_their_day_within_the_last_thirty() -> None:
    report = the_report(markets())
    assert (report.day, report.days) == (DAY_BEFORE, 30)
    assert (report.model, report.version, report.model_hash) == ("fake", "0.0.1", "f" * 64)
    assert report.symbols == ("ADA/USDT", "BTC/USDT", "ETH/USDT", "SOL/USDT")
    assert report.examples == 4 * 30 * 24
    assert set(report.psi) == set(FEATURES)


def test_what_is_judged_is_what_the_service_decides_candle_by_candle() -> None:
    series, policy = market(1), FakePolicy()
    past = series.closed_by(MIDNIGHT)
    said, labels, acted = [], [], 0
    for close in range(MIDNIGHT - 30 * DAY - 23 * HOUR, MIDNIGHT - 23 * HOUR, HOUR):
        window = past.between(window_start(H1, close - HOUR), close)
        decision = decide(MODEL, window, policy)
        features = Features.of([window], np.array([close - HOUR]))
        at = np.searchsorted(past.open_time, [close - HOUR])
        stop, target = 2 * features.atr[0], 3 * features.atr[0]
        ends = [resolve(past, at, side, stop, target, HORIZON).ended.item() for side in (1, -1)]
        assert decision.opinion
        said.append(decision.opinion)
        labels.append(1 if ends[0] == 1 else 2 if ends[1] == 1 else 0)
        acted += decision.action != "HOLD"
    report = the_report(policy=policy)
    assert report.examples == len(said) == 720
    assert report.acted == acted > 100
    assert report.log_loss == pytest.approx(
        np.mean([-np.log(max(p[k], 5e-5)) for p, k in zip(said, labels, strict=True)]), abs=1e-6
    )
    assert report.hits == sum(p[k] == max(p) >= 0.65 for p, k in zip(said, labels, strict=True) if k)


def test_a_channel_with_other_levels_than_the_models_is_no_matter_of_its_report() -> None:
    assert not watch(a_watched_stack(configuration=replace(MODEL, sl_threshold=4.0, tp_threshold=6.0)))


def test_the_threshold_is_that_of_the_models_own_channel() -> None:
    strict = replace(MODEL, confidence_threshold=0.9)
    assert the_report(configuration=strict).acted < the_report().acted
    stores = a_watched_stack(configuration=strict)
    mixed = Configuration(strategy="a-mix", strategy_type="momentum")
    activated(stores, mixed, replace(CHANNEL, channel_id="a-mix", strategy_type="momentum", symbols=tuple(BTC)))
    assert watch(stores) == [the_report(configuration=strict)]


def test_a_trade_that_is_not_decided_is_left_out() -> None:
    gap = MIDNIGHT - 10 * DAY
    holed = {"BTC/USDT": without(market(1), [gap])}
    # no opinion for 32 candles from the hole on, and no end for the trades that it cuts off
    assert 720 - 32 - 23 <= the_report(holed).examples < 720 - 32


def test_candles_beyond_a_hole_that_may_still_fill_are_not_asked_about() -> None:
    gap = MIDNIGHT - 10 * DAY
    stores = a_watched_stack({"BTC/USDT": without(market(1), [gap])})
    notes = Progress({"BTC/USDT": MIDNIGHT}, [Hole("BTC/USDT", gap, gap + HOUR)]).notes()
    stores.cursors.move(stores.cursors.read(collecting(H1)), collecting(H1), MIDNIGHT, notes)
    [report] = watch(stores)
    assert report.examples <= 21 * 24


def test_a_symbol_counts_from_when_its_channel_scanned_it() -> None:
    stores = memory_stores()
    activated(stores, MODEL, CHANNEL)
    collected(stores, MIDNIGHT, markets())
    for taken_at, symbols in ((MIDNIGHT - 45 * DAY, ("BTC/USDT",)), (MIDNIGHT - 11 * DAY, ("ETH/USDT",))):
        stores.markets.add(Universe(day=day_of(taken_at), taken_at=taken_at, markets=(), most_traded={"USDT": symbols}))
    [report] = watch(stores)
    assert report.symbols == ("BTC/USDT", "ETH/USDT")
    assert report.examples == 720
    policy = FakePolicy()
    stores.cursors.rewind(WATCH, MIDNIGHT - DAY)
    stores.markets.universes.pop(day_of(MIDNIGHT - 11 * DAY))  # type: ignore[attr-defined]  # the fake's own dict
    [alone] = watch(stores, policy=policy)
    assert alone.symbols == ("BTC/USDT",)


def test_what_a_channel_excludes_or_does_not_ask_the_model_about_is_not_watched() -> None:
    excluding = replace(MODEL, excluded_symbols=("ADA/USDT", "SOL/USDT"))
    assert the_report(markets(), configuration=excluding).symbols == ("BTC/USDT", "ETH/USDT")
    by_rules = Configuration(strategy="policy-epsilon", strategy_type="breakout", scanner_weights={"technical": 1.0})
    assert watch(a_watched_stack(configuration=by_rules)) == []


def test_the_configuration_is_the_one_that_was_current_at_the_days_end() -> None:
    stores = a_watched_stack()
    by_rules = Configuration(strategy="policy-epsilon", strategy_type="breakout", scanner_weights={"technical": 1.0})
    activated(stores, by_rules, CHANNEL, since=MIDNIGHT + 1)
    assert len(watch(stores)) == 1


def test_a_channel_that_never_decided_is_not_watched_and_nothing_is_stored_for_it() -> None:
    stores = memory_stores()
    stores.channels.add(replace(CHANNEL, symbols=tuple(BTC)))
    collected(stores, MIDNIGHT, BTC)
    assert watch(stores) == []
    assert stores.strategies.activations(CHANNEL.channel_id) == []


def test_a_market_that_is_too_young_to_judge_makes_no_report() -> None:
    young = {"BTC/USDT": market(1).between(MIDNIGHT - 300 * HOUR, MIDNIGHT)}
    stores = a_watched_stack(young)
    assert watch(stores) == []
    assert reports(stores) == {}


def test_a_market_that_was_gone_before_the_thirty_days_makes_no_report() -> None:
    gone = {"BTC/USDT": market(1).closed_by(MIDNIGHT - 30 * DAY)}
    assert watch(a_watched_stack(gone)) == []
    beside = gone | {"ETH/USDT": market(2)}
    assert the_report(beside).symbols == ("BTC/USDT", "ETH/USDT")


# --- when it is asked ------------------------------------------------------------------------------------------------


def test_the_model_stays_closed_until_a_day_has_closed() -> None:
    stores, opened = a_watched_stack(), 0

    def policies() -> Policy:
        nonlocal opened
        opened += 1
        return FakePolicy()

    for hour in range(24):
        watch_model(stores, SETTINGS, policies, MIDNIGHT + hour * HOUR + 5)
    assert opened == 1


def test_a_day_is_reported_on_once_its_candles_are_collected() -> None:
    stores = a_watched_stack(until=MIDNIGHT - HOUR)
    watch(stores, MIDNIGHT - DAY)
    assert watch(stores) == []
    collected(stores, MIDNIGHT, BTC)
    assert [report.day for report in watch(stores, MIDNIGHT + HOUR)] == [DAY_BEFORE]


def test_nothing_is_reported_before_anything_is_collected() -> None:
    stores = memory_stores()
    activated(stores, MODEL, replace(CHANNEL, symbols=tuple(BTC)))
    assert watch(stores) == []
    assert stores.cursors.read(WATCH) is None


def test_without_a_model_there_is_no_report_and_nothing_falls_behind() -> None:
    stores = a_watched_stack()
    assert watch_model(stores, SETTINGS, lambda: None, MIDNIGHT) == []
    assert stores.cursors.read(WATCH) is None
    watch(stores)
    assert watch_model(stores, SETTINGS, lambda: None, MIDNIGHT + 9 * DAY) == []
    assert not [lag for lag in lags(stores.cursors.all(), MIDNIGHT + 9 * DAY) if lag.name == WATCH and lag.late]


def test_the_cursor_of_a_day_that_is_over_for_a_day_is_not_late_and_one_of_two_is() -> None:
    stores = a_watched_stack()
    watch(stores)
    late = {hours: lags(stores.cursors.all(), MIDNIGHT + hours * HOUR) for hours in (24, 26)}
    assert [{lag.name: lag.late for lag in found}[WATCH] for found in late.values()] == [False, True]


def test_a_run_that_comes_again_finds_nothing_to_do() -> None:
    stores = a_watched_stack()
    assert len(watch(stores)) == 1
    before = reports(stores)
    assert watch(stores) == []
    assert reports(stores) == before


def test_every_missed_day_gets_the_report_that_it_would_have_had_in_time() -> None:
    daily, late = a_watched_stack(), a_watched_stack()
    for day in range(5):
        collected(daily, MIDNIGHT + day * DAY, BTC)
        watch(daily, MIDNIGHT + day * DAY + 5 * 60_000)
    watch(late)
    collected(late, MIDNIGHT + 4 * DAY, BTC)
    assert len(watch(late, MIDNIGHT + 4 * DAY + 7 * HOUR)) == 4
    assert reports(late) == reports(daily)
    assert late.cursors.read(WATCH) == daily.cursors.read(WATCH)


def test_a_run_that_is_about_to_be_stopped_leaves_the_other_days_to_the_next() -> None:
    stores, policy = a_watched_stack(), FakePolicy()
    watch(stores)
    collected(stores, MIDNIGHT + 3 * DAY, BTC)
    time = iter((True, False))
    assert len(watch_model(stores, SETTINGS, lambda: policy, MIDNIGHT + 3 * DAY, lambda: next(time))) == 1
    assert len(watch(stores, MIDNIGHT + 3 * DAY)) == 2


def test_no_report_changes_when_the_candles_after_its_day_are_removed() -> None:
    full, policy = a_watched_stack(markets(), until=MIDNIGHT + 5 * DAY), FakePolicy()
    full.cursors.move(None, WATCH, MIDNIGHT - DAY, {})
    watch(full, MIDNIGHT + 5 * DAY, policy)
    for day in range(-1, 3):
        blind = a_watched_stack(markets(), until=MIDNIGHT + (day + 1) * DAY)
        [report] = watch(blind, MIDNIGHT + (day + 1) * DAY, policy)
        assert reports(full)["fake", report.day] == report


@pytest.mark.parametrize("performed", [False, True])
def test_a_crash_at_any_write_and_a_retry_end_as_if_nothing_had_happened(performed: bool) -> None:
    def two_days() -> Stores:
        stores = a_watched_stack()
        stores.cursors.move(None, WATCH, MIDNIGHT - 2 * DAY, {})
        return stores

    whole = two_days()
    counting = CrashAfter(whole)
    watch(counting.stores)
    assert counting.writes == 4
    for at in range(1, counting.writes + 1):
        stores = two_days()
        with pytest.raises(Crash):
            watch(CrashAfter(stores, at, performed=performed).stores)
        watch(stores)
        assert reports(stores) == reports(whole)
        assert [c.position for c in stores.cursors.all()] == [c.position for c in whole.cursors.all()]


# --- what it says ----------------------------------------------------------------------------------------------------


def trained_on(series: Mapping[str, Candles]) -> FakePolicy:
    """A policy whose training saw these markets: ten equal parts of each feature."""
    grids = [candles.open_time[500:] for candles in series.values()]
    seen = [inputs(Features.of([c], g))[0] for c, g in zip(series.values(), grids, strict=True)]
    edges = np.quantile(np.concatenate(seen), np.arange(1, 10) / 10, axis=0)
    policy = FakePolicy()
    spread = {name: (tuple(edges[:, i].tolist()), (0.1,) * 10) for i, name in enumerate(FEATURES)}
    policy.facts = replace(policy.facts, spread=spread)
    return policy


def test_a_market_like_that_of_the_training_has_not_drifted() -> None:
    assert the_report(markets(), trained_on(markets())).drift < 0.1


def test_a_market_that_begins_to_trend_has_drifted() -> None:
    drifted = the_report(markets(momentum=0.3), trained_on(markets()))
    assert max(drifted.psi, key=lambda name: drifted.psi[name]) == "band_width"
    assert drifted.drift > DRIFTED


def test_a_market_whose_volatility_bursts_every_other_day_has_drifted() -> None:
    drifted = the_report(markets(swing=6.0), trained_on(markets()))
    assert max(drifted.psi, key=lambda name: drifted.psi[name]) == "range"
    assert drifted.drift > DRIFTED


def test_a_market_that_is_twice_as_rough_every_other_day_has_not_for_inputs_that_know_no_scale() -> None:
    assert the_report(markets(swing=2.0), trained_on(markets())).drift < 0.1


def test_the_unit_of_a_price_is_no_drift() -> None:
    dear = {
        symbol: replace(c, **{name: 64 * getattr(c, name) for name in ("open", "high", "low", "close")})
        for symbol, c in markets().items()
    }
    assert the_report(dear, trained_on(markets())).psi == the_report(markets(), trained_on(markets())).psi


def taller(candles: Candles, start: int) -> Candles:
    """The same, with the highs of the day from `start` 2 % higher: its closes lie lower in their ranges."""
    within = (candles.open_time >= start) & (candles.open_time < start + DAY)
    return replace(candles, high=np.where(within, 1.02 * candles.high, candles.high))


def test_drift_is_about_the_thirty_days_that_ended_with_the_report() -> None:
    def drift(series: Candles) -> float:
        return the_report({"BTC/USDT": series}).psi["close_location"]

    plain = drift(market(1))
    assert drift(taller(market(1), MIDNIGHT - 31 * DAY)) == plain
    assert drift(taller(market(1), MIDNIGHT - 30 * DAY)) != plain
    assert drift(taller(market(1), MIDNIGHT - DAY)) != plain
    assert drift(taller(market(1), MIDNIGHT)) == plain


def test_a_policy_that_finds_something_and_overstates_nothing_keeps_its_place() -> None:
    honest = the_report(markets(momentum=0.7), FakePolicy(stretch=0.5))
    assert honest.skill_low > 0
    assert honest.acted > 30
    assert honest.hits / honest.acted > honest.stated
    assert honest.earns_its_place


def test_one_that_finds_something_and_overstates_it_loses_its_place() -> None:
    overconfident = the_report(markets(momentum=0.7), FakePolicy(stretch=1.0))
    assert overconfident.skill_low > 0
    assert overconfident.hits / overconfident.acted < overconfident.stated
    assert not overconfident.earns_its_place


def test_one_that_finds_patterns_where_there_are_none_loses_its_place() -> None:
    lost = the_report(markets(), FakePolicy(stretch=3.0))
    assert lost.skill_high < 0
    assert not lost.earns_its_place
