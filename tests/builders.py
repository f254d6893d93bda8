"""Small builders: readable defaults, and only what a test is about is named."""

from collections.abc import Iterable
from dataclasses import fields, replace
from decimal import Decimal
from typing import Any

import numpy as np

from plumbline.domain.calendar import HOUR, Interval, Timeframe, parse_instant
from plumbline.domain.candles import Candles, Floats
from plumbline.domain.features import Features
from plumbline.domain.feed import Event, Kind
from plumbline.domain.outcomes import Outcome, change_pct, judge
from plumbline.domain.scanners import Scene
from plumbline.domain.settlement import profit_after_costs
from plumbline.domain.signals import Action, Origin, Provenance, Side, Signal, Tier, signal_id
from plumbline.domain.strategies import Configuration
from plumbline.domain.trades import LIFETIME, Position, Profit, Status, Terms, Trade, position_of
from plumbline.domain.windows import WARM_UP

NOON = parse_instant("2026-11-20T12:00:00Z")
"""A Friday. Tests happen around it."""


def at(text: str) -> int:
    """`at("12:30")` on that Friday, or any ISO 8601 text."""
    return parse_instant(f"2026-11-20T{text}:00Z" if len(text) == 5 else text)


def a_signal(**changes: Any) -> Signal:
    """A typical signal of that noon. Its id follows from its natural key, its tier from its score."""
    given: dict[str, Any] = {
        "timestamp": NOON,
        "symbol": "BTC/USDT",
        "timeframe": Timeframe.H1,
        "snapshot_id": "5" * 64,
    } | changes
    key = given["snapshot_id"], given["symbol"], given["timeframe"]
    score = given.setdefault("unified_score", 72.5)
    typical: dict[str, Any] = {
        "signal_id": signal_id(given["timestamp"], *key),
        "recorded_at": given["timestamp"] + 2_000,
        "origin": Origin.LIVE,
        "action": Action.BUY,
        "confidence": 0.725,
        "tier": Tier.of(score),
        "scanner_type": "technical",
        "channel_id": "momentum-alpha",
        "strategy_type": "momentum",
        "entry_price": Decimal("42000.5"),
        "provenance": Provenance(candles_hash="c" * 64, data_source="simulated", code_version="0.1.0"),
        "stop_loss": Decimal("41200.25"),
        "take_profit": Decimal("43200.875"),
        "position_size": Decimal("0.02"),
        "risk_reward_ratio": Decimal("1.5"),
        "indicator_breakdown": {"rsi": 30.0, "macd": 30.0, "bollinger": 12.5, "volume": 0.0},
        "indicators_fired": ("rsi", "macd"),
        "reasoning": ("RSI oversold (28.5)", "MACD bullish cross"),
        "latency_ms": 41,
    }
    return Signal(**(typical | given))


def signals_at(*instants: int, **changes: Any) -> list[Signal]:
    """One signal for each instant."""
    return [a_signal(timestamp=instant, **changes) for instant in instants]


def an_outcome(signal: Signal | None = None, interval: Interval = Interval.H1, **changes: Any) -> Outcome:
    """The outcome of a signal, checked a second after it was due; a WIN of some 6 % unless `price` says otherwise."""
    signal = signal or a_signal()
    price = changes.pop("price", signal.entry_price * Decimal("1.06"))
    outcome = judge(signal, interval, price, signal.due(interval) + 1_000)
    return replace(outcome, **changes)


def a_position(signal: Signal | None = None, **changes: Any) -> Position:
    """The open trade of a signal, entered ten dollars above its price; its levels lie on the side of its target.

    Without a signal it is of one that opened at `opened_at` and has the other values named here.
    """
    short = changes.get("side") is Side.SHORT
    if signal is None:
        own = {name: value for name, value in changes.items() if name in {f.name for f in fields(Signal)}}
        if short:
            own = {"stop_loss": Decimal("42800.75"), "take_profit": Decimal("40800.125")} | own
        action = Action.SELL if short else Action.BUY
        signal = a_signal(**own, timestamp=changes.get("opened_at", NOON), action=action)
    position = replace(position_of(signal, Terms()), net_entry_price=signal.entry_price + 10)
    return replace(position, **changes)


def a_trade(position: Position | None = None, **changes: Any) -> Trade:
    """A closed trade, three hours later at its target unless `status`, `exit_price` or `closed_at` say otherwise.

    Its profits follow from its prices. What a position has (`symbol`, `side`, `opened_at`) may be named as well.
    """
    known = {f.name for f in fields(Position)}
    position = position or a_position(**{name: value for name, value in changes.items() if name in known})
    status = changes.get("status", Status.TARGET)
    levels = {Status.TARGET: position.take_profit, Status.STOP: position.stop_loss, Status.UNKNOWN: None}
    price: Decimal | None = changes.get("exit_price", levels.get(status, position.entry_price + 150))
    closed = position.opened_at + (3 * HOUR - 1 if status in (Status.TARGET, Status.STOP) else LIFETIME)
    typical: dict[str, Any] = {
        "position": position,
        "status": status,
        "closed_at": closed,
        "recorded_at": changes.get("closed_at", closed) + 3_000,
        "exit_price": price,
    }
    if price is not None:
        typical |= _profits(position, price)
    return Trade(**(typical | {name: value for name, value in changes.items() if name not in known}))


def _profits(position: Position, price: Decimal) -> dict[str, Any]:
    """The books of a trade that left at this price and went no further, having dipped a quarter of a percent."""
    entry = position.net_entry_price or position.entry_price
    move = change_pct(position.entry_price, price) * position.side.sign
    return {
        "ideal": Profit(usd=position.terms.position_usd * move / 100, pct=move),
        "net": profit_after_costs(position, entry, price),
        "pessimistic": profit_after_costs(position, entry + 5 * position.side.sign, price),
        "max_favourable_pct": max(move, Decimal(0)),
        "max_adverse_pct": min(move, Decimal("-0.25")),
    }


def an_event(**changes: Any) -> Event:
    """The news of a signal, told the second it was recorded."""
    key = changes.get("key", f"signal#{a_signal().signal_id}")
    typical: dict[str, Any] = {
        "key": key,
        "kind": Kind.SIGNAL,
        "at": NOON + 2_000,
        "symbols": ("BTC/USDT",),
        "channel_id": "momentum-alpha",
        "body": {"key": key, "symbol": "BTC/USDT", "entry_price": 42000.5, "indicators_fired": ["rsi", "macd"]},
    }
    return Event(**(typical | changes))


def a_configuration(**changes: Any) -> Configuration:
    """The momentum channel's configuration as it ships."""
    return Configuration(**({"strategy": "momentum-alpha", "strategy_type": "momentum"} | changes))


def candles(timeframe: str, *closes: float, start: int = NOON) -> Candles:
    """Candles one after the other from `start`: each opens where the last closed, with a quarter above and below."""
    opens = (closes[0], *closes[:-1]) if closes else ()
    step = Timeframe(timeframe).ms
    rows = (
        (start + i * step, open_, max(open_, close) + 0.25, min(open_, close) - 0.25, close, 10.0)
        for i, (open_, close) in enumerate(zip(opens, closes, strict=True))
    )
    return Candles.of(Timeframe(timeframe), rows)


def minute_candles(*closes: float, start: int = NOON) -> Candles:
    """1m candles from `start`."""
    return candles("1m", *closes, start=start)


def random_walk(timeframe: str, count: int, seed: int = 1, *, start: int = NOON - 1_000 * HOUR) -> Candles:
    """`count` possible candles without any pattern, the same for the same seed. Prices have two decimals."""
    random = np.random.default_rng(seed)
    closes = np.round(40_000 * np.exp(np.cumsum(random.normal(0, 0.005, count))), 2)
    opens = np.concatenate(([40_000.0], closes[:-1])) if count else closes
    wick = np.round(np.abs(random.normal(0, 40, (2, count))), 2)
    frame = Timeframe(timeframe)
    first = frame.floor(start)
    times = np.arange(first, first + count * frame.ms, frame.ms, dtype=np.int64)[:count]
    high, low = np.maximum(opens, closes) + wick[0], np.minimum(opens, closes) - wick[1]
    return Candles(frame, times, opens, high, low, closes, np.round(random.gamma(2.0, 50.0, count), 3))


def without(series: Candles, missing: Iterable[int]) -> Candles:
    """The same candles with holes at these open times."""
    gone = set(missing)
    return Candles.of(series.timeframe, (row for row in series.rows() if row[0] not in gone))


def mirrored(series: Candles) -> Candles:
    """The same market upside down: every rise is a fall of the same size."""
    about = 2 * series.high.max()
    return replace(
        series, open=about - series.open, high=about - series.low, low=about - series.high, close=about - series.close
    )


def scaled(series: Candles, *, price: float = 1.0, volume: float = 1.0) -> Candles:
    """The same market counted in other units."""
    prices = {name: price * getattr(series, name) for name in ("open", "high", "low", "close")}
    return replace(series, **prices, volume=volume * series.volume)


def a_universe(count: int = 560, seed: int = 1) -> list[Candles]:
    """Seven markets that end at the same hour, among them one with holes, one too young, one that grows old enough
    120 candles before the end, and one that is gone 40 candles before it.
    """
    end = NOON
    lengths = (count, count, count, count, WARM_UP - 50, WARM_UP + 119, count)
    walks = [random_walk("1h", n, seed + k, start=end - n * HOUR) for k, n in enumerate(lengths)]
    walks[1] = without(walks[1], (end - back * HOUR for back in (130, 75, 74, 73, 20)))
    walks[6] = walks[6].closed_by(end - 40 * HOUR)
    return walks


def a_scene(opinions: Any = None, **values: Any) -> Scene:
    """One candle as scanners see it: each feature a number for each market, or one for all; NaN where none is named.

    `opinions` are three probabilities for each market.
    """
    columns = {name: np.asarray(value, dtype=np.float64).reshape(-1, 1) for name, value in values.items()}
    markets = max((len(column) for column in columns.values()), default=1)
    nothing: Floats = np.full((markets, 1), np.nan)
    features = {f.name: np.broadcast_to(columns.get(f.name, nothing), nothing.shape).copy() for f in fields(Features)}
    said = None if opinions is None else np.asarray(opinions, dtype=np.float64)[:, None, :]
    return Scene(Features(**features), said)
