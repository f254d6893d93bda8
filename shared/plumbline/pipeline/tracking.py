"""A signal from outside enters the log: while it is fresh, under its own name, once."""

from dataclasses import dataclass, replace
from decimal import Decimal

from plumbline.domain.calendar import HOUR, MINUTE, Timeframe, iso
from plumbline.domain.errors import InvalidInput, RecordRefused
from plumbline.domain.outcomes import change_pct, price_at
from plumbline.domain.signals import Action, Origin, Provenance, Signal, Tier, signal_id, timestamp_of
from plumbline.domain.symbols import resolve
from plumbline.pipeline.channels import FOLLOW_FOR, known_markets
from plumbline.pipeline.checking import price_span
from plumbline.pipeline.progress import call_log_readers_back
from plumbline.ports import Stores

OUTSIDE = "external"
"""Channel, strategy and snapshot of every signal that was not made here."""

MAX_LAG = HOUR
"""Older than this, an outside signal could have been chosen by what the market did since."""

MOST_OFF_MARKET = Decimal(2)
"""Percent by which an outside signal's price may differ from the market's last one: another venue, a minute's move."""

_ACTIONS = {"BUY": Action.BUY, "LONG": Action.BUY, "SELL": Action.SELL, "SHORT": Action.SELL}


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalAlert:
    """What an outside source says: its own id, market, direction (BUY LONG SELL SHORT), price and score."""

    id: str
    symbol: str
    signal: str
    price: Decimal
    unified_score: float
    tier: Tier | None
    scanner_type: str
    timestamp: int


def track_signal(stores: Stores, alert: ExternalAlert, now: int) -> tuple[Signal, bool]:
    """Enter an outside signal into the log. Returns it and whether it is new.

    Raises UnknownSymbol, InvalidInput (direction, tier, time) and RecordRefused where the id already stands for
    something else, or was first sent too long ago: a record that could be corrected or completed afterwards would
    prove nothing.
    """
    fresh = _to_signal(stores, alert, now)
    _require_market_price(stores, fresh)
    # The id holds the time: an alert sent twice, the second time without one, must not become two signals.
    held = stores.signals.claim(f"{alert.scanner_type}#{alert.id}", fresh.signal_id)
    stored = stores.signals.get(held)
    claimed_at = timestamp_of(held)
    if stored is None and claimed_at < now - MAX_LAG:
        raise RecordRefused(
            f"id {alert.id!r} of {alert.scanner_type} was first sent at {iso(claimed_at)} and never completed; "
            "what the market did since is known by now, so send a new id for a new signal"
        )
    signal = replace(fresh, signal_id=held, timestamp=claimed_at, latency_ms=now - claimed_at)
    is_new = stored is None and stores.signals.add(signal)
    stored = stored or stores.signals.get(held) or signal
    if _content(stored) != _content(signal):
        raise RecordRefused(
            f"id {alert.id!r} of {alert.scanner_type} already stands for {stored.action} {stored.symbol} at "
            f"{stored.entry_price}; send a new id for a new signal"
        )
    stores.markets.follow(signal.symbol, signal.timestamp + FOLLOW_FOR)
    call_log_readers_back(stores.cursors, signal.timestamp)
    return stored, is_new


def _to_signal(stores: Stores, alert: ExternalAlert, now: int) -> Signal:
    if not now - MAX_LAG <= alert.timestamp <= now + MINUTE:
        raise InvalidInput(
            f"timestamp {iso(alert.timestamp)} must lie between {iso(now - MAX_LAG)} and now ({iso(now)}): "
            "a signal counts only if it was sent before the market moved",
            field="timestamp",
        )
    action = _ACTIONS.get(alert.signal.upper())
    if action is None:
        raise InvalidInput(f"signal {alert.signal!r} must be one of {' '.join(_ACTIONS)}", field="signal")
    return Signal(
        signal_id=signal_id(alert.timestamp, OUTSIDE, alert.scanner_type, alert.id),
        timestamp=alert.timestamp,
        recorded_at=now,
        origin=Origin.EXTERNAL,
        symbol=resolve(alert.symbol, known_markets(stores, now)),
        timeframe=Timeframe.M1,
        action=action,
        confidence=round(alert.unified_score / 100, 4),
        unified_score=alert.unified_score,
        tier=alert.tier or Tier.of(alert.unified_score),
        scanner_type=alert.scanner_type,
        channel_id=OUTSIDE,
        strategy_type=OUTSIDE,
        entry_price=alert.price,
        snapshot_id=OUTSIDE,
        provenance=Provenance(data_source=stores.source),
        reasoning=(f"sent by {alert.scanner_type}",),
        latency_ms=now - alert.timestamp,
    )


def _require_market_price(stores: Stores, signal: Signal) -> None:
    """An entry below the market would win by itself. Where the market's price is not known yet, none is required."""
    (minutes,) = stores.candles.load([price_span(signal.symbol, signal.timestamp)])
    last = price_at(minutes, signal.timestamp)
    if last is not None and abs(change_pct(last, signal.entry_price)) > MOST_OFF_MARKET:
        raise InvalidInput(
            f"price {signal.entry_price} is more than {MOST_OFF_MARKET} % away from the market's {last} at "
            f"{iso(signal.timestamp)}: a signal is recorded at a price that could be had",
            field="price",
        )


def _content(signal: Signal) -> tuple[object, ...]:
    return signal.symbol, signal.action, signal.entry_price, signal.unified_score, signal.tier
