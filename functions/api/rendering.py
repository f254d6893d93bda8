"""How the domain's values take the shapes of the answers."""

from collections.abc import Mapping
from typing import cast

from api.answers import ExchangeBody, LagBody, OutcomeBody, SignalBody
from api.performance_answers import CheckBody, PeriodBody, StatisticsBody, TallyBody
from plumbline import rendering
from plumbline.domain.calendar import Interval, iso
from plumbline.domain.outcomes import Outcome
from plumbline.domain.performance import Cell, Tally, statistics
from plumbline.domain.signals import Signal
from plumbline.domain.trades import Trade
from plumbline.health import Check, Lag, MarketState, seconds
from plumbline.queries import Period
from plumbline.rendering import is_simulated, number
from plumbline.selections import BookPeriod


def signal_body(signal: Signal, trade: Trade | None, outcomes: Mapping[Interval, Outcome] | None = None) -> SignalBody:
    """A recorded signal, what its trade came to if it is closed, and, with `outcomes`, its five checks."""
    body = cast("SignalBody", rendering.signal_body(signal, trade))
    if outcomes is not None:
        body["outcomes"] = [_outcome_body(signal, interval, outcomes.get(interval)) for interval in Interval]
    return body


def period_body(period: Period | BookPeriod, source: str) -> PeriodBody:
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
        checked_until=time_or_none(check.position),
        lag_seconds=None if check.lag is None else seconds(check.lag),
        next_due_at=time_or_none(check.next_due),
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
        newest_candle=time_or_none(market.newest),
        lag_seconds=None if market.newest is None else seconds(max(0, now - market.newest)),
        symbols=market.symbols,
        symbols_behind=market.behind,
    )


def time_or_none(instant: int | None) -> str | None:
    """An instant as text, if there is one."""
    return None if instant is None else iso(instant)


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
