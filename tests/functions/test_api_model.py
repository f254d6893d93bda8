"""Decisions with the policy over HTTP, as the generator makes them, and what the API tells about the model."""

import re
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from plumbline.domain.calendar import HOUR, Timeframe, iso
from plumbline.domain.candles import Candles, Floats
from plumbline.domain.errors import ModelRefused
from plumbline.domain.policy import FEATURES, WINDOW, ModelFacts, Windows
from plumbline.domain.signals import Signal
from plumbline.domain.strategies import DEFAULT_CHANNELS, Activation, default_configuration
from plumbline.pipeline.generating import generate_signals
from plumbline.pipeline.progress import Hole, Progress, collecting, generating
from plumbline.pipeline.ruling import Models
from plumbline.ports import Stores, Universe
from tests.builders import NOON, a_configuration, random_walk, without
from tests.fakes import FakePolicy, FakeWin, InMemoryCursors, memory_stores
from tests.functions.gateway import Gateway, a_report, services, settings

SYMBOLS = ("ADA/USDT", "BTC/USDT", "DOT/USDT", "ETH/USDT", "SOL/USDT", "XRP/USDT")
OUTSIDER = "ZEC/USDT"
CHANNELS = [channel.channel_id for channel in DEFAULT_CHANNELS]
VALUES = {"symbol": "BTC", "close_price": 100.0, "rsi": 50.0}
REFUSAL = "policy.onnx was made for features ['rsi'], this code computes ['macd']: train it again"
LIVE_HOURS = 72


@cache
def walk(symbol: str) -> Candles:
    return random_walk("1h", 1_000, seed=sum(symbol.encode()), start=NOON - 1_000 * HOUR)


def a_market(*symbols: str) -> Stores:
    """Six markets that the channels scan, a seventh that they do not, all collected until noon."""
    stores = memory_stores()
    for symbol in (*SYMBOLS, OUTSIDER):
        stores.candles.add(symbol, walk(symbol))
    stores.markets.add(
        Universe(day="2026-11-17", markets=(*SYMBOLS, OUTSIDER), most_traded={"USDT": symbols or SYMBOLS})
    )
    return reaches(stores, NOON)


def reaches(stores: Stores, until: int, *holes: Hole, **ends: int) -> Stores:
    """The same with a collector that has come to `until`, some symbols no further than their own end."""
    positions = dict.fromkeys((*SYMBOLS, OUTSIDER), until) | {f"{name}/USDT": end for name, end in ends.items()}
    cursors = InMemoryCursors()
    cursors.move(None, collecting(Timeframe.H1), until, Progress(positions, list(holes)).notes())
    return replace(stores, cursors=cursors)


@cache
def lived() -> tuple[Stores, tuple[Signal, ...]]:
    """That market and the signals that the generator made of its last days."""
    stores = a_market()
    cursors = reaches(stores, NOON).cursors
    cursors.move(None, generating(Timeframe.H1), NOON - LIVE_HOURS * HOUR, {})
    generate_signals(replace(stores, cursors=cursors), settings(), Timeframe.H1, NOON, models=Models(FakePolicy))
    return stores, tuple(stores.signals.between(0, NOON))


def asked(stores: Stores, symbol: str, channel: str, now: int = NOON, policy: Any = None) -> Any:
    api = Gateway(services(stores, now=now, policy=policy or FakePolicy()))
    return api.post("/api/signals/generate-from-db", {"symbol": symbol, "channel_id": channel}).json


def sent(policy: Any = None, rows: list[Any] | None = None, **changes: Any) -> Any:
    body = {"symbol": "BTC", "timeframe": "1h", "candles": rows or walk("BTC/USDT").rows()[-900:]} | changes
    return Gateway(services(policy=policy, stores=a_market())).post("/api/signals/generate", body).json


# --- as the generator decides


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_decision_on_demand_is_the_signal_that_the_generator_made(channel: str) -> None:
    stores, signals = lived()
    found = [signal for signal in signals if signal.channel_id == channel]
    assert found
    for signal in found[:12]:
        body = asked(reaches(stores, signal.timestamp), signal.symbol, channel, now=signal.timestamp + 60_000)
        told = Gateway(services(stores)).get(f"/api/signals/history?channel={channel}&limit=200").json["signals"]
        [live] = [one for one in told if one["signal_id"] == signal.signal_id]
        same = set(live) & set(body["signal"])
        assert {name: body["signal"][name] or "" for name in same} == {name: live[name] or "" for name in same}
        assert body["signal"]["candle_close"] == live["timestamp"]
        assert (body["signal"]["model_hash"] or "") == live["provenance"]["model_hash"]


@pytest.mark.parametrize("channel", CHANNELS)
def test_where_the_generator_made_no_signal_the_answer_is_hold_with_its_reasons(channel: str) -> None:
    stores, signals = lived()
    made = {signal.symbol for signal in signals if (signal.channel_id, signal.timestamp) == (channel, NOON)}
    silent = [symbol for symbol in SYMBOLS if symbol not in made]
    assert silent
    for symbol in silent:
        signal = asked(stores, symbol, channel)["signal"]
        assert (signal["action"], signal["scanner_type"], signal["candle_close"]) == ("HOLD", None, iso(NOON))
        assert signal["reasoning"]


def test_without_its_universe_a_channel_that_ranks_markets_decides_otherwise() -> None:
    """What makes the comparison above worth anything."""
    _, signals = lived()
    ranked = [s for s in signals if s.channel_id == "trend-delta"]
    alone = a_market("BTC/USDT")
    again = [asked(reaches(alone, s.timestamp), s.symbol, "trend-delta", now=s.timestamp)["signal"] for s in ranked]
    assert [body["unified_score"] for body in again] != [s.unified_score for s in ranked]


def test_a_universe_goes_no_further_than_the_last_of_its_markets_and_the_answer_says_which() -> None:
    body, reach = asked(reaches(a_market(), NOON, SOL=NOON - 3 * HOUR), "BTC", "trend-delta"), iso(NOON - 3 * HOUR)
    assert body["signal"]["candle_close"] == reach
    assert body["ignored"] == [
        f"candles closed by {iso(NOON)}: a rank needs every market, and those of SOL/USDT are whole until {reach} only"
    ]


def test_a_channel_that_ranks_nothing_does_not_wait_for_other_markets() -> None:
    body = asked(reaches(a_market(), NOON, SOL=NOON - 3 * HOUR), "BTC", "momentum-alpha")
    assert (body["signal"]["candle_close"], body["ignored"]) == (iso(NOON), [])


def test_a_market_outside_of_the_universe_is_ranked_among_it_and_said_to_be_outside() -> None:
    body = asked(a_market(), OUTSIDER, "trend-delta")
    assert body["signal"]["candle_close"] == iso(NOON)
    assert body["ignored"] == [f"{OUTSIDER} is ranked among the 6 markets that the channel scans"]


def test_given_candles_are_of_one_market_so_that_a_rank_has_no_say() -> None:
    body = sent(FakePolicy(), channel_id="trend-delta")
    assert body["ignored"] == ["mss: it ranks a market among the channel's universe, and this decision had one market"]
    assert "mss" not in {reason.partition(":")[0] for reason in body["signal"]["reasoning"]}


def test_nothing_is_decided_beyond_a_hole_that_may_still_fill() -> None:
    stores = reaches(a_market(), NOON, Hole("BTC/USDT", NOON - 3 * HOUR, NOON - 2 * HOUR))
    assert asked(stores, "BTC", "policy-epsilon")["signal"]["candle_close"] == iso(NOON - 3 * HOUR)


def test_a_market_that_stood_still_is_decided_at_its_last_candle_from_the_window_of_that_candle() -> None:
    """Noon's window holds some 380 of its candles, too few to decide on; its own begins a block earlier."""
    gone = [NOON - hours * HOUR for hours in range(1, 520)]
    stores = memory_stores()
    stores.candles.add("BTC/USDT", without(walk("BTC/USDT"), gone))
    early = asked(reaches(stores, NOON - 519 * HOUR), "BTC/USDT", "policy-epsilon")
    late = asked(reaches(stores, NOON), "BTC/USDT", "policy-epsilon")
    assert late["signal"] == early["signal"]
    assert late["signal"]["probabilities"]


def test_a_market_without_a_candle_at_the_universes_close_is_held() -> None:
    stores = memory_stores()
    for symbol in SYMBOLS:
        series = walk(symbol)
        stores.candles.add(symbol, without(series, [NOON - HOUR]) if symbol == "BTC/USDT" else series)
    stores.markets.add(Universe(day="2026-11-20", markets=SYMBOLS, most_traded={"USDT": SYMBOLS}))
    signal = asked(reaches(stores, NOON), "BTC", "trend-delta")["signal"]
    assert (signal["action"], signal["reasoning"]) == ("HOLD", [f"no candle closed at {iso(NOON)}"])


@pytest.mark.parametrize("path", ["stored", "candles", "values"])
def test_an_excluded_symbol_is_never_decided_on(path: str) -> None:
    stores = a_market()
    configuration = a_configuration(excluded_symbols=("BTC/USDT",))
    stores.strategies.save(configuration)
    stores.strategies.activate(
        Activation(strategy="momentum-alpha", config_hash=configuration.config_hash, active_from=0)
    )
    api = Gateway(services(stores, policy=FakePolicy()))
    bodies: dict[str, tuple[str, dict[str, Any]]] = {
        "stored": ("-from-db", {"symbol": "BTC"}),
        "candles": ("", {"symbol": "BTC", "timeframe": "1h", "candles": walk("BTC/USDT").rows()}),
        "values": ("", VALUES),
    }
    end, body = bodies[path]
    signal = api.post(f"/api/signals/generate{end}", body | {"channel_id": "momentum-alpha"}).json["signal"]
    assert signal["action"] == "HOLD"
    assert signal["reasoning"] == ["BTC/USDT is excluded by the channel's configuration"]


# --- who decided


@pytest.mark.parametrize(
    ("policy", "given", "mode"),
    [
        (FakePolicy(), {}, "MODEL"),
        (FakePolicy(), {"channel_id": "momentum-alpha"}, "MODEL"),
        (FakePolicy(), {"channel_id": "breakout-gamma"}, "RULES"),
        (FakePolicy(timeframe=Timeframe.H4), {}, "PLACEHOLDER"),
        (FakePolicy(timeframe=Timeframe.H4), {"channel_id": "momentum-alpha"}, "RULES"),
        (None, {}, "PLACEHOLDER"),
        (None, {"channel_id": "breakout-gamma"}, "PLACEHOLDER"),
        (ModelRefused(REFUSAL), {"channel_id": "breakout-gamma"}, "RULES"),
    ],
)
def test_the_mode_says_who_decided_on_candles(policy: Any, given: dict[str, Any], mode: str) -> None:
    body = sent(policy, **given)
    assert body["mode"] == mode
    assert bool(body["signal"]["model_hash"]) == bool(body["signal"]["probabilities"]) == (mode == "MODEL")


@pytest.mark.parametrize(
    ("policy", "mode"), [(FakePolicy(), "RULES"), (None, "PLACEHOLDER"), (ModelRefused(REFUSAL), "RULES")]
)
@pytest.mark.parametrize("channel", [None, *CHANNELS])
def test_values_of_one_moment_are_decided_on_by_the_rules(policy: Any, mode: str, channel: str | None) -> None:
    api = Gateway(services(a_market(), policy=policy))
    body = api.post("/api/signals/generate", VALUES | ({"channel_id": channel} if channel else {})).json
    assert body["mode"] == mode
    assert body["signal"]["channel_id"] == (channel or "momentum-alpha")
    assert body["signal"]["probabilities"] is body["signal"]["expected_value"] is body["signal"]["model_hash"] is None


def test_the_models_own_channel_judges_values_by_its_rules_and_says_that_the_policy_did_not() -> None:
    strong = VALUES | {"rsi": 68.0, "macd": 1.0, "macd_signal": 0.0, "bb_lower": 80.0, "bb_upper": 100.0}
    body = Gateway(services(a_market(), policy=FakePolicy())).post(
        "/api/signals/generate", strong | {"channel_id": "policy-epsilon"}
    )
    assert (body.json["signal"]["action"], body.json["signal"]["scanner_type"]) == ("BUY", "technical")
    assert body.json["ignored"] == ["model: the policy reads candles, and these are values of one moment"]


def test_candles_that_the_policy_does_not_read_are_said_to_be_none_for_it() -> None:
    body = sent(FakePolicy(timeframe=Timeframe.H4), channel_id="momentum-alpha")
    assert body["ignored"] == ["model: the policy reads candles of 4h, and these are of 1h"]


@pytest.mark.parametrize("end", ["", "-from-db"])
def test_candles_are_the_models_business_unless_a_channel_is_named(end: str) -> None:
    given = {} if end else {"timeframe": "1h", "candles": walk("BTC/USDT").rows()}
    api = Gateway(services(a_market(), policy=FakePolicy()))
    body = api.post(f"/api/signals/generate{end}", {"symbol": "BTC", **given}).json
    assert (body["signal"]["channel_id"], body["signal"]["model_version"]) == ("policy-epsilon", "0.0.1")
    assert sum(body["signal"]["probabilities"].values()) == pytest.approx(1, abs=2e-4)


def test_too_few_candles_are_a_hold_on_which_the_policy_is_not_asked() -> None:
    policy = FakePolicy()
    signal = sent(policy, walk("BTC/USDT").rows()[-120:])["signal"]
    assert (signal["action"], signal["reasoning"]) == ("HOLD", ["not enough history: 120 of 400 candles"])
    assert signal["probabilities"] is signal["expected_value"] is None
    assert policy.seen == 0


# --- what an opinion is worth


def test_the_expected_value_is_what_the_reasons_say_and_follows_from_the_levels() -> None:
    stores, signals = lived()
    signal = next(s for s in signals if s.channel_id == "policy-epsilon")
    body = asked(reaches(stores, signal.timestamp), signal.symbol, "policy-epsilon", now=signal.timestamp)["signal"]
    chance = max(body["probabilities"]["BUY"], body["probabilities"]["SELL"])
    risk = abs(body["entry_price"] - body["stop_loss"]) / body["entry_price"]
    assert body["confidence"] == chance
    assert body["expected_value"] == pytest.approx(chance * 1.5 - (1 - chance) - 0.003 / risk, abs=1e-4)
    [said] = [m[1] for reason in body["reasoning"] if (m := re.search(r"expected ([+-]\d+\.\d\d) of", reason))]
    assert float(said) == pytest.approx(body["expected_value"], abs=0.006)


def test_a_market_that_does_not_move_at_all_has_no_expected_value() -> None:
    rows = [[NOON - hours * HOUR, 100.0, 100.0, 100.0, 100.0, 5.0] for hours in range(600, 0, -1)]
    signal = sent(FakePolicy(), rows)["signal"]
    assert (signal["action"], signal["expected_value"]) == ("HOLD", None)


@dataclass(frozen=True)
class Certain:
    """A policy with one opinion."""

    hold: float
    buy: float
    sell: float
    facts: ModelFacts = field(default_factory=lambda: FakePolicy().facts)

    def probabilities(self, windows: Windows) -> Floats:
        return np.tile([self.hold, self.buy, self.sell], (len(windows), 1))


@pytest.mark.parametrize(
    ("opinion", "costs", "said"),
    [
        ((0.5, 0.3, 0.2), 10.0, "policy: HOLD is likeliest (0.50)"),
        ((0.25, 0.21, 0.54), 10.0, "policy: SELL is likeliest (0.54), it acts from 0.65"),
        ((0.1, 0.7, 0.2), 400.0, "policy: BUY is likeliest (0.70), worth -5.93 of its risk after costs: not above 0"),
        ((0.1, 0.7, 0.2), 10.0, "the condition already held within the last 6 candles (cooldown)"),
    ],
    ids=["holds", "unsure", "too dear", "cooldown"],
)
def test_a_hold_says_what_the_policy_saw_and_what_it_lacked(
    opinion: tuple[float, float, float], costs: float, said: str
) -> None:
    stores = a_market()
    configuration = replace(default_configuration(DEFAULT_CHANNELS[-1]), fee_bps=costs)
    stores.strategies.save(configuration)
    stores.strategies.activate(
        Activation(strategy="policy-epsilon", config_hash=configuration.config_hash, active_from=0)
    )
    signal = asked(stores, "BTC", "policy-epsilon", policy=Certain(*opinion))["signal"]
    assert (signal["action"], list(signal["probabilities"].values())) == ("HOLD", list(opinion))
    assert signal["reasoning"][-1].startswith(said)


# --- a model that is refused


@pytest.mark.parametrize("channel", ["policy-epsilon", "momentum-alpha"])
def test_a_refused_model_is_a_503_with_both_lists_wherever_it_is_asked(channel: str) -> None:
    api = Gateway(services(a_market(), policy=ModelRefused(REFUSAL)))
    for reply in (
        api.post("/api/signals/generate-from-db", {"symbol": "BTC", "channel_id": channel}),
        api.get("/api/signals/model/info"),
    ):
        assert (reply.status, reply.headers["content-type"]) == (503, "application/problem+json")
        assert reply.json["detail"] == REFUSAL
        assert "retry-after" not in reply.headers


# --- what is told about it


def info(stores: Stores | None = None, policy: FakePolicy | None = None) -> Any:
    return Gateway(services(stores, policy=policy)).get("/api/signals/model/info").json


def test_without_a_model_everything_about_it_is_null_but_the_reason() -> None:
    content = info()
    assert (content.pop("mode"), content.pop("reason").partition(",")[0]) == (
        "PLACEHOLDER",
        "no model file is shipped for this market",
    )
    assert content
    assert set(content.values()) == {None}


def test_a_model_is_described_with_its_inputs_figures_and_threshold() -> None:
    stores, policy = memory_stores(), FakePolicy()
    figures = {"ece": 0.02, "brier": 0.6, "log_loss": 1.0, "prior_log_loss": 1.1}
    policy.facts = replace(policy.facts, card={"pooled": figures, "reliability": [[10, 0.4, 0.5]]})
    stricter = replace(default_configuration(DEFAULT_CHANNELS[-1]), confidence_threshold=0.8, min_expected_value=0.1)
    stores.strategies.save(stricter)
    stores.strategies.activate(
        Activation(strategy="policy-epsilon", config_hash=stricter.config_hash, active_from=NOON - HOUR)
    )
    content = info(stores, policy)
    assert (content["mode"], content["reason"], content["drift"]) == ("MODEL", None, None)
    assert (content["name"], content["version"], content["hash"]) == ("fake", "0.0.1", "f" * 64)
    assert (content["features"], content["window"], content["actions"]) == (
        list(FEATURES),
        WINDOW,
        ["HOLD", "BUY", "SELL"],
    )
    assert (content["market"], content["timeframe"], content["prior"]["HOLD"]) == ("simulated", "1h", 0.4)
    assert (content["confidence_threshold"], content["min_expected_value"]) == (0.8, 0.1)
    assert content["card"] == policy.facts.card
    assert content["calibration"] == {
        "calibration_error": 0.02,
        "brier": 0.6,
        "log_loss": 1.0,
        "prior_log_loss": 1.1,
        "bins": [{"n": 10, "stated": 0.4, "observed": 0.5}],
    }


def test_the_newest_report_on_the_model_stands_beside_it_and_tells_which_file_it_is_about() -> None:
    stores = memory_stores()
    for day, hash_ in (("2026-11-18", "a"), ("2026-11-19", "b"), ("2026-11-21", "c")):
        stores.model_reports.put(a_report(day=day, model_hash=hash_))
    stores.model_reports.put(a_report(model="another"))
    drift = info(stores, FakePolicy())["drift"]
    assert (drift["day"], drift["model_hash"], drift["earns_its_place"]) == ("2026-11-19", "b", False)
    assert (drift["symbols"], drift["psi"]) == (["BTC/USDT", "ETH/USDT"], {"rsi": 0.04})


# --- the win probability


def test_a_decision_carries_the_win_probability_that_its_signal_would() -> None:
    stores, signals = lived()
    signal = next(s for s in signals if s.channel_id == "momentum-alpha")
    api = Gateway(services(reaches(stores, signal.timestamp), now=signal.timestamp, policy=FakePolicy(), win=FakeWin()))
    body = {"symbol": signal.symbol, "channel_id": "momentum-alpha"}
    told = api.post("/api/signals/generate-from-db", body).json["signal"]
    assert told["action"] == signal.action
    assert told["win_probability"] == pytest.approx(signal.unified_score / 100, abs=5e-5)


def test_a_hold_and_values_of_one_moment_have_no_win_probability() -> None:
    api = Gateway(services(a_market(), policy=FakePolicy(), win=FakeWin()))
    hold = api.post("/api/signals/generate-from-db", {"symbol": "BTC"}).json["signal"]
    values = api.post("/api/signals/generate", {"symbol": "BTC", "close_price": 100.0, "rsi": 20.0}).json["signal"]
    assert (hold["action"], hold["win_probability"], values["win_probability"]) == ("HOLD", None, None)


def test_the_second_model_says_whether_it_is_in_use_and_why() -> None:
    told = Gateway(services(policy=FakePolicy(), win=FakeWin(enabled=False))).get("/api/signals/model/info").json["win"]
    assert (told["enabled"], told["reason"], told["hash"]) == (False, "it believes the score", "e" * 64)
    assert info(policy=FakePolicy())["win"] is None


def test_a_market_that_is_excluded_is_nobodys_company_in_a_rank() -> None:
    def told(stores: Stores, excluded: tuple[str, ...]) -> Any:
        channel = next(c for c in DEFAULT_CHANNELS if c.strategy_type == "trend_following")
        configuration = replace(
            default_configuration(channel),
            excluded_symbols=excluded,
            scanner_weights={"mss": 1.0},
            score_buy_target=1.0,
        )
        stores.strategies.save(configuration)
        stores.strategies.activate(
            Activation(strategy=channel.channel_id, config_hash=configuration.config_hash, active_from=0)
        )
        return [asked(stores, symbol, channel.channel_id)["signal"]["unified_score"] for symbol in SYMBOLS[1:]]

    six = told(a_market(), ())
    without_one = told(a_market(), ("ADA/USDT",))
    assert without_one == told(a_market(*SYMBOLS[1:]), ()) != six
