"""What the generator decides, for whom it waits, and what it does without a model."""

from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from functools import partial

import pytest

from plumbline.domain.calendar import DAY, HOUR, Timeframe, day_of
from plumbline.domain.candles import Candles
from plumbline.domain.decisions import Decision, decide, decide_all
from plumbline.domain.errors import RecordRefused
from plumbline.domain.policy import Policy
from plumbline.domain.signals import Signal
from plumbline.domain.strategies import DEFAULT_CHANNELS, Activation, Channel, Configuration, default_configuration
from plumbline.domain.windows import blocks, window_start
from plumbline.pipeline.channels import active_configuration
from plumbline.pipeline.generating import decided_until, generate_signals, window_span
from plumbline.pipeline.progress import Hole, Progress
from plumbline.pipeline.ruling import Models, Ruling, no_policy
from plumbline.ports import CandleStore, Span, Stores, Universe
from tests.builders import a_configuration
from tests.fakes import FakeExchange, FakePolicy, InMemorySignals
from tests.world import (
    SETTINGS,
    START,
    SYMBOLS,
    Record,
    a_stack,
    an_exchange,
    collect,
    generate,
    generate_without_a_model,
    run,
    steps,
)

END = START + 3 * DAY
FAR = START + 1_000 * DAY
CHANNELS = {channel.strategy_type: channel for channel in DEFAULT_CHANNELS}
MODEL, RANKED = CHANNELS["model"], CHANNELS["trend_following"]


def signals_of(stores: Stores, channel: Channel | None = None) -> list[Signal]:
    return [s for s in stores.signals.between(0, FAR) if channel is None or s.channel_id == channel.channel_id]


def configuration_of(stores: Stores, channel: Channel) -> Configuration:
    return active_configuration(stores, channel, END, SETTINGS)


@pytest.fixture(scope="module")
def live() -> Stores:
    """Three days, hour by hour."""
    stores = a_stack()
    run(stores, an_exchange(), steps(3, HOUR), [collect, generate])
    return stores


# --- P6: one kernel ----------------------------------------------------------------------------------------------


def told(decision: Decision | Signal) -> tuple[object, ...]:
    """What a decision and its signal have in common; the levels stand apart in one of them."""
    given = decision.levels if isinstance(decision, Decision) else decision
    return (
        *(getattr(decision, name) for name in SHARED),
        *(getattr(given, name) for name in ("stop_loss", "take_profit", "position_size", "risk_reward_ratio")),
    )


SHARED = sorted({f.name for f in fields(Decision)} & {f.name for f in fields(Signal)})


@pytest.mark.parametrize("channel", DEFAULT_CHANNELS, ids=lambda channel: channel.channel_id)
def test_live_signals_are_the_decisions_on_a_whole_block_of_stored_candles(live: Stores, channel: Channel) -> None:
    found = {}
    for first, last in blocks(Timeframe.H1, START, END):
        start = window_start(Timeframe.H1, first - HOUR)
        windows = live.candles.load([Span(symbol, Timeframe.H1, start, last) for symbol in SYMBOLS])
        for market, decision in decide_all(configuration_of(live, channel), windows, first, last, FakePolicy()):
            found[decision.candle_close, SYMBOLS[market]] = told(decision)
    recorded = {(s.timestamp, s.symbol): told(s) for s in signals_of(live, channel)}
    assert len(recorded) > 5
    assert recorded == found


@pytest.mark.parametrize("channel", DEFAULT_CHANNELS, ids=lambda channel: channel.channel_id)
def test_live_signals_are_the_decisions_on_the_window_of_one_candle(live: Stores, channel: Channel) -> None:
    configuration, recorded = configuration_of(live, channel), signals_of(live, channel)
    for signal in recorded:
        spans = [window_span(symbol, Timeframe.H1, signal.timestamp) for symbol in SYMBOLS]
        windows = live.candles.load(spans)
        if configuration.compares_markets:
            together = decide_all(configuration, windows, signal.timestamp, signal.timestamp, FakePolicy())
            decision = {SYMBOLS[market]: each for market, each in together}[signal.symbol]
        else:
            decision = decide(configuration, windows[SYMBOLS.index(signal.symbol)], FakePolicy())
        assert told(decision) == told(signal)
        assert decision.candle_close == signal.timestamp


def test_every_scanner_that_speaks_here_leads_some_signal_and_ranks_count(live: Stores) -> None:
    assert {s.scanner_type for s in signals_of(live)} >= {"technical", "mss", "model"}
    alone = a_stack()
    exchange = an_exchange()
    exchange.series = {key: table for key, table in exchange.series.items() if key[0] in SYMBOLS[:4]}
    run(alone, exchange, [START, END], [collect, generate])
    assert not [s for s in signals_of(alone) if "relative_strength" in s.indicators_fired]


def test_each_market_is_read_once_a_block_however_many_channels_there_are() -> None:
    stores, exchange = a_stack(), an_exchange()
    run(stores, exchange, [START], [collect])
    asked: list[Sequence[Span]] = []

    class Watched:
        def load(self, spans: Sequence[Span]) -> list[Candles]:
            asked.append(spans)
            return stores.candles.load(spans)

    generate(replace(stores, candles=_as_store(Watched())), exchange, START)
    assert [[span.symbol for span in spans] for spans in asked] == [[*SYMBOLS]]


def _as_store(reader: object) -> CandleStore:
    """The generator only reads candles."""
    return reader  # type: ignore[return-value]


# --- P9: without a model -----------------------------------------------------------------------------------------


def four_candles() -> Policy:
    """A policy that reads other candles than the channels."""
    return FakePolicy(timeframe=Timeframe.H4)


def nearer_targets() -> FakePolicy:
    policy = FakePolicy()
    policy.facts = replace(policy.facts, target_atr=1.0)
    return policy


@pytest.mark.parametrize(
    "policies", [no_policy, four_candles, nearer_targets], ids=["none", "of another timeframe", "about other levels"]
)
def test_without_a_model_what_its_channel_finds_is_refused_and_counted(policies: Policy) -> None:
    stores, exchange = a_stack(), an_exchange()
    run(stores, exchange, [START], [collect, partial(_generate, policies=policies)])
    collect(stores, exchange, END)
    count = _generate(stores, exchange, END, policies=policies)
    assert count["refused"] > 5
    assert count["signals"] == len([s for s in signals_of(stores) if s.timestamp > START])
    assert not signals_of(stores, MODEL)
    assert {(s.provenance.model_hash, s.model_version, s.placeholder) for s in signals_of(stores)} == {("", "", False)}
    assert not [s for s in signals_of(stores) if "model" in (s.scanner_type, *s.indicators_fired)]
    cursor = stores.cursors.read("generate#1h")
    assert cursor
    assert cursor.position == END


def _generate(stores: Stores, _: FakeExchange, now: int, *, policies: object) -> dict[str, int]:
    return generate_signals(stores, SETTINGS, Timeframe.H1, now, models=Models(policies))  # type: ignore[arg-type]  # any


def test_the_refused_are_what_the_technical_score_alone_finds() -> None:
    stores, exchange = a_stack(), an_exchange()
    run(stores, exchange, [START, END], [collect])
    refused: list[Signal] = []

    class Log(InMemorySignals):
        def add(self, signal: Signal) -> bool:
            if signal.placeholder:
                refused.append(signal)
            return super().add(signal)

    stores.cursors.move(None, "generate#1h", START - HOUR, {})
    count = generate_without_a_model(replace(stores, signals=Log("simulated")), exchange, END)
    rules = configuration_of(stores, MODEL).by_the_rules()
    expected = 0
    for first, last in blocks(Timeframe.H1, START, END):
        start = window_start(Timeframe.H1, first - HOUR)
        windows = stores.candles.load([Span(symbol, Timeframe.H1, start, last) for symbol in SYMBOLS])
        expected += len([*decide_all(rules, windows, first, last)])
    assert count["refused"] == len(refused) == expected
    assert {s.channel_id for s in refused} == {MODEL.channel_id}
    assert {s.scanner_type for s in refused} == {"technical"}


def test_with_a_model_signals_carry_its_hash_and_version_where_it_was_asked(live: Stores) -> None:
    facts = FakePolicy().facts
    for channel in DEFAULT_CHANNELS:
        asks = configuration_of(live, channel).asks_the_model
        expected = (facts.hash, facts.version) if asks else ("", "")
        assert {(s.provenance.model_hash, s.model_version) for s in signals_of(live, channel)} == {expected}
    assert {s.scanner_type for s in signals_of(live, MODEL)} == {"model"}
    assert all(s.confidence >= SETTINGS.confidence_threshold for s in signals_of(live, MODEL))


def test_a_model_that_is_found_later_makes_no_record_of_the_time_before() -> None:
    stores, exchange = a_stack(), an_exchange()
    run(stores, exchange, steps(1, HOUR), [collect, generate_without_a_model])
    run(stores, exchange, [START + 2 * DAY], [collect, generate])
    assert min(s.timestamp for s in signals_of(stores, MODEL)) > START + DAY


def test_the_policy_is_opened_only_where_a_configuration_asks_it() -> None:
    def must_not() -> Policy:
        raise AssertionError

    plain = a_configuration(scanner_weights={"technical": 50.0, "model": 0.0})
    assert Ruling.of(plain, Timeframe.H1, must_not) == Ruling(plain, plain.config_hash)
    with pytest.raises(AssertionError):
        Ruling.of(a_configuration(), Timeframe.H1, must_not)


def test_a_refusal_for_any_other_reason_is_an_error() -> None:
    stores, exchange = a_stack(), an_exchange()
    collect(stores, exchange, START)
    with pytest.raises(RecordRefused, match="'binance'"):
        generate(replace(stores, source="binance"), exchange, START)
    assert stores.cursors.read("generate#1h") is None


# --- for whom ranked markets wait --------------------------------------------------------------------------------


def cut(exchange: FakeExchange, symbol: str, end: int) -> FakeExchange:
    """The same exchange, on which one market ends."""
    gone = {key: table.closed_by(end) for key, table in exchange.series.items() if key[0] == symbol}
    return FakeExchange(exchange.series | gone)


def test_ranked_markets_wait_for_the_last_of_them_and_the_others_do_not(live: Stores) -> None:
    stores, whole = a_stack(), an_exchange()
    late = cut(whole, SYMBOLS[0], START + 2 * HOUR)
    run(stores, late, steps(1, HOUR), [collect, generate])
    expected = [s for s in Record.of(live).signals if s.timestamp <= START + DAY]
    waiting = [s for s in expected if s.timestamp > START + 2 * HOUR and _needs(s, SYMBOLS[0])]
    assert {s.symbol for s in waiting if s.channel_id == RANKED.channel_id} > {SYMBOLS[0]}
    found = Record.of(stores).signals
    assert found == [s for s in expected if s not in waiting]
    run(stores, whole, [START + 25 * HOUR], [collect, generate])
    assert [s for s in Record.of(stores).signals if s.timestamp <= START + DAY] == expected


def _needs(signal: Signal, symbol: str) -> bool:
    return signal.symbol == symbol or signal.channel_id == RANKED.channel_id


def test_a_market_that_brings_nothing_for_a_week_is_ranked_as_far_as_it_goes() -> None:
    stores, exchange = a_stack(), cut(an_exchange(days=10), SYMBOLS[0], START + 2 * HOUR)
    run(stores, exchange, [*steps(1, HOUR), *range(START + 30 * HOUR, START + 7 * DAY, 6 * HOUR)], [collect, generate])
    before = signals_of(stores)
    assert not [s for s in before if s.timestamp > START + 2 * HOUR and s.channel_id == RANKED.channel_id]
    run(stores, exchange, [START + 7 * DAY + 4 * HOUR, START + 8 * DAY], [collect, generate])
    ranked = [s for s in signals_of(stores, RANKED) if s.timestamp > START + 2 * HOUR]
    found = {}
    for first, last in blocks(Timeframe.H1, START + 3 * HOUR, START + 8 * DAY):
        start = window_start(Timeframe.H1, first - HOUR)
        windows = stores.candles.load([Span(symbol, Timeframe.H1, start, last) for symbol in SYMBOLS])
        for market, decision in decide_all(configuration_of(stores, RANKED), windows, first, last):
            found[decision.candle_close, SYMBOLS[market]] = told(decision)
    assert len(ranked) > 10
    assert {(s.timestamp, s.symbol): told(s) for s in ranked} == found
    assert [s for s in signals_of(stores) if s in before] == before


def test_what_waited_for_a_market_that_is_gone_is_looked_at_once() -> None:
    stores, exchange = a_stack(), cut(an_exchange(days=10), SYMBOLS[0], START + 2 * HOUR)
    run(stores, exchange, [START, START + 3 * HOUR, START + 4 * HOUR, START + 7 * DAY], [collect, generate])
    evaluated = []
    for now in range(START + 7 * DAY + HOUR, START + 7 * DAY + 8 * HOUR, HOUR):
        collect(stores, exchange, now)
        evaluated.append(generate(stores, exchange, now)["evaluated"])
    once = len(DEFAULT_CHANNELS) * (len(SYMBOLS) - 1)
    assert evaluated[-1] == once
    assert len([n for n in evaluated if n > once]) == 1


def test_a_market_that_comes_back_after_it_was_given_up_changes_nothing_that_is_stored() -> None:
    stores, whole = a_stack(), an_exchange(days=10)
    run(stores, cut(whole, SYMBOLS[0], START + 2 * HOUR), [START, *steps(8, 4 * HOUR)], [collect, generate])
    before = signals_of(stores)
    run(stores, whole, [START + 9 * DAY], [collect, generate])
    assert [s for s in signals_of(stores) if s in before] == before
    assert [s for s in signals_of(stores) if s.symbol == SYMBOLS[0] and s.timestamp < START + 8 * DAY]


def test_the_reach_of_markets_alone_and_together() -> None:
    week, now = 7 * DAY, START + 7 * DAY
    progress = Progress(
        positions={"A": START, "B": START + 5 * HOUR, "C": START + 9 * HOUR, "D": START - DAY},
        holes=[Hole("C", START + 3 * HOUR, START + 4 * HOUR)],
        stalled={"D": now - week + 1},
    )
    reach = partial(decided_until, progress, "ABCD", START + 8 * HOUR)
    alone = {"A": START, "B": START + 5 * HOUR, "C": START + 3 * HOUR, "D": START - DAY}
    assert reach(now, together=False) == alone
    assert reach(now, together=True) == dict.fromkeys("ABCD", START - DAY)
    assert reach(now + 1, together=True) == {"A": START, "B": START, "C": START, "D": START - DAY}
    assert decided_until(progress, "BC", START + 8 * HOUR, now, together=True) == dict.fromkeys("BC", START + 3 * HOUR)
    assert decided_until(progress, "D", START, now + 1, together=True) == {"D": START - DAY}
    assert decided_until(progress, "", START, now, together=True) == {}


# --- symbols that change inside a block --------------------------------------------------------------------------


def with_rankings(days: int) -> Stores:
    """A stack whose ranking of each day is known since two in the afternoon: another two or three markets."""
    stores = a_stack()
    for n in range(days):
        taken_at = START + n * DAY + (14 * HOUR if n else 0)
        ranked = {"USDT": SYMBOLS[n % 2 :: 2]}
        stores.markets.add(Universe(day=day_of(taken_at), taken_at=taken_at, markets=SYMBOLS, most_traded=ranked))
    for symbol in SYMBOLS:
        stores.markets.follow(symbol, FAR)
    return stores


def test_no_candle_is_evaluated_twice_or_left_out_where_the_ranking_changes() -> None:
    def evaluated(moments: list[int]) -> Iterator[int]:
        stores, exchange = with_rankings(4), an_exchange()
        for now in moments:
            collect(stores, exchange, now)
            yield generate(stores, exchange, now)["evaluated"]

    hourly = [*evaluated(steps(3, HOUR))]
    # Three markets from the start on, two since two o'clock of the second day, three since two o'clock of the third.
    assert hourly == [len(DEFAULT_CHANNELS) * count for count in 38 * [3] + 24 * [2] + 11 * [3]]
    assert sum(evaluated([START, END])) == sum(hourly)


def test_a_ranking_that_changes_inside_a_block_leaves_the_record_of_single_steps() -> None:
    records = []
    for moments in (steps(3, HOUR), [START, END], [START, START + 37 * HOUR, START + 38 * HOUR, END]):
        stores = with_rankings(4)
        run(stores, an_exchange(), moments, [collect, generate])
        records.append(Record.of(stores).signals)
    assert records[0] == records[1] == records[2]
    symbols = {s.symbol for s in records[0] if s.timestamp >= START + 38 * HOUR and s.timestamp < START + 62 * HOUR}
    assert symbols
    assert symbols <= {*SYMBOLS[1::2]}


def test_a_configuration_that_changes_inside_a_block_leaves_the_record_of_single_steps() -> None:
    channel, since = CHANNELS["momentum"], START + 20 * HOUR

    def record(moments: list[int]) -> list[Signal]:
        stores, exchange = a_stack(), an_exchange()
        run(stores, exchange, [START], [collect, generate])
        eager = replace(configuration_of(stores, channel), score_buy_target=40.0, score_sell_target=40.0)
        stores.strategies.save(eager)
        stores.strategies.activate(
            Activation(strategy=channel.channel_id, config_hash=eager.config_hash, active_from=since)
        )
        run(stores, exchange, moments, [collect, generate])
        found = Record.of(stores).signals
        changed = {s.timestamp >= since for s in found if s.snapshot_id == eager.config_hash}
        assert changed == {True}
        return found

    assert record([END]) == record(steps(3, HOUR))


def no_edge() -> FakePolicy:
    policy = FakePolicy()
    policy.facts = replace(policy.facts, card={"verdict": "no edge"})
    return policy


def test_a_policy_without_an_edge_leads_no_signal_and_silences_nobody() -> None:
    acting, idle = recorded_with(FakePolicy), recorded_with(no_edge)
    assert [s for s in acting if "policy" in s.indicators_fired]
    assert not [s for s in idle if "policy" in s.indicators_fired]
    assert {s.channel_id for s in idle} == {c.channel_id for c in DEFAULT_CHANNELS} - {"policy-epsilon"}


def recorded_with(policies: object) -> list[Signal]:
    stores, exchange = a_stack(), an_exchange()
    run(stores, exchange, [START], [collect, partial(_generate, policies=policies)])
    collect(stores, exchange, END)
    _generate(stores, exchange, END, policies=policies)
    return signals_of(stores)


class DeadListing(FakeExchange):
    """From its second day on it ranks a market that never has a candle."""

    is_listed = False

    def markets(self) -> tuple[str, ...]:
        return tuple(sorted({*super().markets(), "NEW/USDT"}))

    def most_traded(self, quote: str, count: int) -> tuple[str, ...]:
        return (*SYMBOLS, "NEW/USDT") if self.is_listed else SYMBOLS


def ranked_signals(*, listed: bool) -> set[tuple[int, str]]:
    stores, exchange = a_stack(), DeadListing(an_exchange(10).series)
    eager = default_configuration(RANKED, score_buy_target=30.0, score_sell_target=30.0, cooldown_bars=0)
    stores.strategies.save(eager)
    stores.strategies.activate(Activation(strategy=RANKED.channel_id, config_hash=eager.config_hash, active_from=0))
    for now in steps(10, DAY):
        exchange.is_listed = listed and now >= START + DAY
        collect(stores, exchange, now)
        _generate(stores, exchange, now, policies=no_policy)
    return {(s.timestamp, s.symbol) for s in signals_of(stores, RANKED)}


def test_a_listing_that_never_trades_costs_no_candle_of_those_ranked_with_it() -> None:
    assert ranked_signals(listed=True) == ranked_signals(listed=False) != set()
