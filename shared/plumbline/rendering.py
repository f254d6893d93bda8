"""A signal, a trade and an open position as plain JSON: the HTTP API and the live feed say them alike.

Prices, money and percentages are numbers, times ISO 8601 in UTC; null is what does not exist yet.
"""

from decimal import Decimal

from plumbline.domain.calendar import iso
from plumbline.domain.settlement import unrealised
from plumbline.domain.signals import Signal
from plumbline.domain.trades import Board, Position, Profit, Status, Trade, TradeOutcome, outcome_of

type Body = dict[str, object]
"""A JSON object."""


def signal_body(signal: Signal, trade: Trade | None = None) -> Body:
    """A recorded signal with what its trade came to, if it is closed."""
    source = signal.provenance
    return {
        "signal_id": signal.signal_id,
        "timestamp": iso(signal.timestamp),
        "recorded_at": iso(signal.recorded_at),
        "origin": signal.origin.value,
        "symbol": signal.symbol,
        "timeframe": signal.timeframe.value,
        "action": signal.action.value,
        "confidence": signal.confidence,
        "unified_score": signal.unified_score,
        "tier": signal.tier.value,
        "scanner_type": signal.scanner_type,
        "channel_id": signal.channel_id,
        "strategy_type": signal.strategy_type,
        "market_type": signal.market_type.value,
        "entry_price": number(signal.entry_price),
        "stop_loss": number(signal.stop_loss),
        "take_profit": number(signal.take_profit),
        "position_size": number(signal.position_size),
        "risk_reward_ratio": number(signal.risk_reward_ratio),
        "model_version": signal.model_version,
        "win_probability": signal.win_probability,
        "snapshot_id": signal.snapshot_id,
        "indicator_breakdown": dict(signal.indicator_breakdown),
        "indicators_fired": list(signal.indicators_fired),
        "reasoning": list(signal.reasoning),
        "latency_ms": signal.latency_ms,
        "provenance": {
            "candles_hash": source.candles_hash,
            "model_hash": source.model_hash,
            "data_source": source.data_source,
            "code_version": source.code_version,
        },
        "simulated": is_simulated(source.data_source),
        "actual_outcome": (trade.outcome if trade else TradeOutcome.PENDING).value,
        "actual_profit_pct": _pct(trade.net) if trade else None,
        "close_price": number(trade.exit_price) if trade else None,
        "closed_at": iso(trade.closed_at) if trade else None,
    }


def position_body(position: Position, source: str, board: Board | None = None) -> Body:
    """An open trade; at the board's last price of its symbol, where there is one."""
    price = board.prices.get(position.symbol) if board else None
    worth = None if price is None else unrealised(position, price)
    return {
        **_terms_body(position, Status.OPEN),
        **_result_body(None),
        "current_price": number(price),
        "price_at": iso(board.as_of) if board and price is not None else None,
        "unrealised_usd": _usd(worth),
        "unrealised_pct": _pct(worth),
        "simulated": is_simulated(source),
    }


def trade_body(trade: Trade, source: str) -> Body:
    """A closed trade."""
    return {
        **_terms_body(trade.position, trade.status),
        **_result_body(trade),
        "current_price": None,
        "price_at": None,
        "unrealised_usd": None,
        "unrealised_pct": None,
        "simulated": is_simulated(source),
    }


def number(value: Decimal | None) -> float | None:
    """Money as a JSON number: prices have ten significant digits, which a double holds exactly enough."""
    return None if value is None else float(value)


def is_simulated(source: str) -> bool:
    """Whether a data source is no market at all."""
    return source == "simulated"


def _terms_body(position: Position, status: Status) -> Body:
    """What was known when the trade was opened."""
    return {
        "signal_id": position.signal_id,
        "symbol": position.symbol,
        "direction": position.side.value,
        "status": status.value,
        "outcome": outcome_of(status).value,
        "market_type": position.market_type.value,
        "timeframe": position.timeframe.value,
        "scanner_type": position.scanner_type,
        "channel_id": position.channel_id,
        "strategy_type": position.strategy_type,
        "tier": position.tier.value,
        "unified_score": position.unified_score,
        "confidence": position.confidence,
        "snapshot_id": position.snapshot_id,
        "origin": position.origin.value,
        "trigger_type": position.trigger_type.value,
        "buy_score": position.buy_score,
        "sell_score": position.sell_score,
        "indicators_fired": list(position.indicators_fired),
        "indicator_breakdown": dict(position.indicator_breakdown),
        "entry_price": number(position.entry_price),
        "net_entry_price": number(position.net_entry_price),
        "stop_loss": number(position.stop_loss),
        "take_profit": number(position.take_profit),
        "opened_at": iso(position.opened_at),
        "expires_at": iso(position.deadline),
        "position_usd": number(position.terms.position_usd),
        "fee_bps": number(position.terms.fee_bps),
        "slippage_bps": number(position.terms.slippage_bps),
    }


def _result_body(trade: Trade | None) -> Body:
    """How it closed; nothing of that while it is open."""
    return {
        "closed_at": iso(trade.closed_at) if trade else None,
        "exit_price": number(trade.exit_price) if trade else None,
        "held_seconds": trade.held_seconds if trade else None,
        "pnl_usd": _usd(trade.net) if trade else None,
        "pnl_pct": _pct(trade.net) if trade else None,
        "gross_pnl_usd": _usd(trade.ideal) if trade else None,
        "gross_pnl_pct": _pct(trade.ideal) if trade else None,
        "pessimistic_pnl_usd": _usd(trade.pessimistic) if trade else None,
        "pessimistic_pnl_pct": _pct(trade.pessimistic) if trade else None,
        "ambiguous": bool(trade and trade.ambiguous),
        "pnl_usd_if_target": _usd(trade.net_if_target) if trade else None,
        "max_favourable_pct": number(trade.max_favourable_pct) if trade else None,
        "max_adverse_pct": number(trade.max_adverse_pct) if trade else None,
    }


def _usd(profit: Profit | None) -> float | None:
    return number(profit.usd) if profit else None


def _pct(profit: Profit | None) -> float | None:
    return number(profit.pct) if profit else None
