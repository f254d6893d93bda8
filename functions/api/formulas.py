"""One sentence with the formula for every figure of the paper record, so that a page can open a figure to it.

A name means the same wherever it stands: in a book it is about that book, in a row about that row's trades, on a day
about that day's. Names that begin with `intervals.` are about outcomes of signals, not about trades.
"""

from collections.abc import Mapping
from types import MappingProxyType

_LOW = (
    "Lower end of the 95 % Wilson interval: (p + z²/2n − z·√(p(1−p)/n + z²/4n²)) / (1 + z²/n), z = 1.96, p = win rate."
)
_HIGH = (
    "Upper end of the 95 % Wilson interval: (p + z²/2n + z·√(p(1−p)/n + z²/4n²)) / (1 + z²/n), z = 1.96, p = win rate."
)

FORMULAS: Mapping[str, str] = MappingProxyType(
    {
        # what all figures rest on
        "position_usd": "USD put into each trade that is opened now; a trade carries its own size.",
        "fee_bps": "Fee in basis points (1/100 %) of the sum traded, due at entry and again at exit.",
        "slippage_bps": "Basis points by which entry and exit are each worse than the market's price, for the holder.",
        "capital_usd": "100 × position size: a fixed sum that returns and drawdowns are percentages of.",
        "days_per_year": "Days by which daily ratios are annualised: 365, since this market never closes.",
        # counts
        "closed": "Trades that closed in the period, by the time of closing, with or without a price.",
        "n": "Closed trades that have a price: closed − unknown; every rate and average of trades divides by it.",
        "targets": "Trades that ended at their target, or at the open of a candle that opened beyond it.",
        "stops": "Trades that ended at their stop, or at the open of a candle that opened beyond it.",
        "expired": "Trades that touched neither level in 24 hours, closed at the market's last price by then.",
        "unknown": "Trades whose deadline lies in a hole of the market's data that did not fill within 7 days.",
        "closed_unknown": "Trades whose deadline lies in a hole of the market's data that did not fill within 7 days.",
        "coverage": "100 × closed trades with a price / closed trades.",
        "winning": "Trades that made more than $0.01 net.",
        "losing": "Trades that lost more than $0.01 net.",
        "flat": "Trades with a price that neither made nor lost more than $0.01 net.",
        "open": "Trades open now whose signals count: those that were made in time.",
        "total": "Open trades + trades closed in the period.",
        "total_signals": "Signals issued in the period that count, whether their trades are closed or not.",
        "signals": "Signals of this row that were issued in the period and count.",
        "days": "Calendar days of the period, those without a trade among them: the number of daily returns.",
        # rates
        "win_rate": "100 × trades that made more than $0.01 / n.",
        "win_rate_low": _LOW,
        "win_rate_high": _HIGH,
        "break_even_win_rate": "100 × L / (W + L), W the average profit and L the average loss without its sign: the "
        "win rate at which these averages earn nothing.",
        # money
        "total_pnl_usd": "Sum of the realised P&L of the trades closed in the period.",
        "total_pnl_pct": "100 × total P&L / capital.",
        "total_return_pct": "100 × total P&L / capital.",
        "average_profit_usd": "Sum of the P&L of the winning trades / their number.",
        "average_loss_usd": "Sum of the P&L of the losing trades / their number.",
        "average_pnl_usd": "Net P&L of the trades closed with a price / n.",
        "expectancy_usd": "Total P&L / n: what one trade brought on average.",
        "profit_factor": "Sum of the P&L of the winning trades / sum of that of the losing ones, without its sign.",
        "best_trade_usd": "Largest P&L of one trade.",
        "worst_trade_usd": "Smallest P&L of one trade.",
        "gross_pnl_usd": "Sum of the P&L in the ideal book: entered at the signal's own price, without costs.",
        "pessimistic_pnl_usd": "Sum of the P&L in the pessimistic book: every market fill at the worst price of its "
        "minute, with costs; a target fills at its level.",
        "fees_and_slippage_usd": "Total P&L of the ideal book − total P&L of the net book: fees, slippage, and what "
        "waiting for the next minute's open cost.",
        "unrealised_usd": "Sum over the open trades of what closing at the market's last price would make, after fees "
        "and slippage on both sides.",
        # risk
        "sharpe_ratio": "Mean of the daily P&L / its standard deviation (n − 1) × √365; no risk-free rate.",
        "sortino_ratio": "Mean of the daily P&L / √(mean over all days of min(P&L, 0)²) × √365.",
        "max_drawdown_usd": "Deepest fall of the summed P&L from a peak before it, trade by trade.",
        "max_drawdown_pct": "100 × maximum drawdown / capital.",
        "low_usd": "Net total P&L with every ambiguous trade at its stop, as it is booked.",
        "high_usd": "Net total P&L had every ambiguous trade reached its target first.",
        "ambiguous": "Trades whose last candle touched stop and target, with no finer candles to tell which was first.",
        "average_open": "Seconds that the trades were held, added up / seconds of the period.",
        "average_usd": "Position size × seconds held, added up over the trades / seconds of the period.",
        "time_in_market_hours": "Hours that the trades were held, added up.",
        "average_held_seconds": "Seconds from opening to closing, added up / n.",
        "average_max_favourable_pct": "Mean over n of the furthest move in the trade's favour, percent of the signal's "
        "price.",
        "average_max_adverse_pct": "Mean over n of the furthest move against the trade, percent of the signal's price.",
        # the curve, by day
        "pnl_usd": "Sum of the P&L of the trades closed on this day.",
        "equity_usd": "Capital + the P&L of all trades closed from the first day of the period to the end of this one.",
        "drawdown_pct": "100 × (highest summed net P&L so far − lowest on this day) / capital.",
        # outcomes
        "intervals.n": "Outcomes at this interval that have a price: what the rates divide by.",
        "intervals.wins": "Outcomes at +5 % or better, from the holder's side and before costs.",
        "intervals.losses": "Outcomes at −3 % or worse.",
        "intervals.neutral": "Outcomes between the two.",
        "intervals.win_rate": "100 × wins / n.",
        "intervals.win_rate_low": _LOW,
        "intervals.win_rate_high": _HIGH,
        "intervals.avg_pnl_pct": "Mean over n of the market's move in this interval, percent, from the holder's side.",
        "intervals.coverage": "100 × n / outcomes that fell due in the period.",
    }
)
"""By the name of the figure."""
