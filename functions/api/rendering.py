"""How the domain's values take the shapes of the answers."""

from collections.abc import Mapping
from decimal import Decimal
from typing import cast

from api.answers import ExchangeBody, LagBody, OutcomeBody, ProvenanceBody, SignalBody
from api.performance_answers import CheckBody, PeriodBody, StatisticsBody, TallyBody
from plumbline.domain.calendar import Interval, iso
from plumbline.domain.outcomes import Outcome
from plumbline.domain.performance import Cell, Tally, statistics
from plumbline.domain.signals import Signal
from plumbline.health import Check, Lag, MarketState, seconds
from plumbline.queries import Period


def signal_body(signal: Signal, outcomes: Mapping[Interval, Outcome] | None = None) -> SignalBody:
    """A recorded signal; with `outcomes`, its five checks, judged or not."""
    source = signal.provenance
    body = SignalBody(
        signal_id=signal.signal_id,
        timestamp=iso(signal.timestamp),
        recorded_at=iso(signal.recorded_at),
        origin=signal.origin.value,
        symbol=signal.symbol,
        timeframe=signal.timeframe,
        action="BUY" if signal.side.sign > 0 else "SELL",
        confidence=signal.confidence,
        unified_score=signal.unified_score,
        tier=signal.tier.value,
        scanner_type=signal.scanner_type,
        channel_id=signal.channel_id,
        strategy_type=signal.strategy_type,
        market_type=signal.market_type.value,
        entry_price=number(signal.entry_price),
        stop_loss=number(signal.stop_loss),
        take_profit=number(signal.take_profit),
        position_size=number(signal.position_size),
        risk_reward_ratio=number(signal.risk_reward_ratio),
        model_version=signal.model_version,
        win_probability=signal.win_probability,
        snapshot_id=signal.snapshot_id,
        indicator_breakdown=dict(signal.indicator_breakdown),
        indicators_fired=list(signal.indicators_fired),
        reasoning=list(signal.reasoning),
        latency_ms=signal.latency_ms,
        provenance=ProvenanceBody(
            candles_hash=source.candles_hash,
            model_hash=source.model_hash,
            data_source=source.data_source,
            code_version=source.code_version,
        ),
        simulated=is_simulated(source.data_source),
    )
    if outcomes is not None:
        body["outcomes"] = [_outcome_body(signal, interval, outcomes.get(interval)) for interval in Interval]
    return body


def period_body(period: Period, source: str) -> PeriodBody:
    """What the figures are about."""
    return PeriodBody(
        {
            "period_days": period.days,
            "from": iso(period.start),
            "to": iso(period.until),
            "data_source": source,
            "simulated": is_simulated(source),
        }
    )


def statistics_body(cell: Cell) -> StatisticsBody:
    """The domain's statistics; their names are the contract."""
    return cast("StatisticsBody", statistics(cell))


def check_body(check: Check) -> CheckBody:
    """State of one interval's checks."""
    return CheckBody(
        interval=check.interval.value,
        checked_until=_time(check.position),
        lag_seconds=None if check.lag is None else seconds(check.lag),
        next_due_at=_time(check.next_due),
        enabled=check.enabled,
        last_day=_tally_body(check.last_day),
    )


def lag_body(lag: Lag) -> LagBody:
    """Lag of one cursor."""
    return LagBody(
        cursor=lag.name,
        position=iso(lag.position),
        lag_seconds=seconds(lag.lag),
        allowed_seconds=seconds(lag.allowed),
        late=lag.late,
    )


def exchange_body(market: MarketState, source: str, now: int) -> ExchangeBody:
    """How fresh the market's data is."""
    return ExchangeBody(
        source=source,
        simulated=is_simulated(source),
        newest_candle=_time(market.newest),
        lag_seconds=None if market.newest is None else seconds(max(0, now - market.newest)),
        symbols=market.symbols,
        symbols_behind=market.behind,
    )


def is_simulated(source: str) -> bool:
    """Whether a data source is no market at all."""
    return source == "simulated"


def number(value: Decimal | None) -> float | None:
    """Money as a JSON number: prices have ten significant digits, which a double holds exactly enough."""
    return None if value is None else float(value)


def _outcome_body(signal: Signal, interval: Interval, outcome: Outcome | None) -> OutcomeBody:
    return OutcomeBody(
        interval=interval.value,
        due_at=iso(signal.due(interval)),
        exit_price=number(outcome.exit_price) if outcome else None,
        pnl_pct=number(outcome.pnl_pct) if outcome else None,
        outcome=outcome.outcome.value if outcome else None,
    )


def _tally_body(tally: Tally) -> TallyBody:
    return TallyBody(due=tally.due, wins=tally.wins, losses=tally.losses, neutral=tally.neutral, unknown=tally.unknown)


def _time(instant: int | None) -> str | None:
    return None if instant is None else iso(instant)
