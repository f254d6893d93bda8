"""The independent recomputation of the paper book: it must find what is wrong, and only that."""

from decimal import Decimal
from typing import Any

import pytest

from infra.local.verify import MINUTE, Minute, Minutes
from infra.local.verify_trades import verify_trades
from plumbline.domain.calendar import DAY, iso
from tests.world import START

NOW = START + 2 * DAY


def market(*candles: tuple[str, str, str, str], after: str = "100") -> Minutes:
    """Minutes from START on (open, high, low, close), and from then on a market that does not move."""

    def minutes(symbol: str, start: int, end: int) -> list[Minute]:
        opened = range(-(-start // MINUTE) * MINUTE, end + 1, MINUTE)
        return [Minute(at, *map(Decimal, _candle((at - START) // MINUTE))) for at in opened]

    def _candle(number: int) -> tuple[str, ...]:
        return candles[number] if number < len(candles) else (after,) * 4

    return minutes


def a_trade(**changes: Any) -> dict[str, Any]:
    """A long trade from 100 that was stopped in its second minute, as the API shows it."""
    shown = {
        "signal_id": "S1",
        "symbol": "BTC/USDT",
        "direction": "LONG",
        "entry_price": 100.0,
        "stop_loss": 98.0,
        "take_profit": 103.0,
        "opened_at": iso(START),
        "expires_at": iso(START + DAY),
        "position_usd": 100.0,
        "fee_bps": 10.0,
        "slippage_bps": 5.0,
        "status": "CLOSED_SL",
        "closed_at": iso(START + 2 * MINUTE - 1),
        "exit_price": 98.0,
        "net_entry_price": 100.5,
        "ambiguous": False,
        "gross_pnl_usd": -2.0,
        # bought at 100.55025, sold at 97.951, a thousandth of both sums in fees
        "pnl_usd": -2.782441,
    }
    return shown | changes


STOPPED = market(("100.5", "101", "99", "100"), ("100", "100.2", "97.5", "99"))


def differences(trade: dict[str, Any], minutes: Minutes = STOPPED, now: int = NOW) -> list[str]:
    verdict = verify_trades([trade], minutes, now)
    assert verdict.signals == verdict.agreeing + len(verdict.differing) == 1
    return verdict.differing


def test_a_trade_that_ended_as_the_market_went_agrees() -> None:
    assert differences(a_trade()) == []


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"status": "CLOSED_TP"}, "status CLOSED_TP, by the candles CLOSED_SL"),
        ({"exit_price": 98.01}, "exit_price 98.01, by the candles 98"),
        ({"closed_at": iso(START + MINUTE)}, "closed_at 2024-01-01T00:01:00Z, by the candles"),
        ({"net_entry_price": 100.0}, "net_entry_price 100.0, by the candles 100.5"),
        ({"ambiguous": True}, "ambiguous True, by the candles False"),
        ({"pnl_usd": -2.78}, "pnl_usd -2.78, by the candles -2.782441"),
        ({"gross_pnl_usd": -2.01}, "gross_pnl_usd -2.01, by the candles -2.0"),
        ({"status": "OPEN", "exit_price": None}, "shown OPEN, by the candles CLOSED_SL at 98"),
        ({"stop_loss": None, "expires_at": iso(NOW)}, "without an end"),
    ],
)
def test_a_wrong_figure_is_named_with_what_the_candles_give(change: dict[str, Any], complaint: str) -> None:
    [found] = differences(a_trade(**change), now=NOW - 1)
    assert found.startswith("trade S1 BTC/USDT: ")
    assert complaint in found


def test_a_short_trade_is_its_mirror_image() -> None:
    short = a_trade(
        direction="SHORT",
        stop_loss=102.0,
        take_profit=97.0,
        status="CLOSED_TP",
        exit_price=97.0,
        gross_pnl_usd=3.0,
        # sold at 100.44975, bought at 97.0485
        pnl_usd=3.189407,
    )
    assert differences(short, market(("100.5", "101", "99", "100"), ("100", "101", "96.9", "99"))) == []


def test_a_candle_that_opens_beyond_a_level_fills_at_its_open() -> None:
    gapped = market(("100.5", "101", "99", "100"), ("96", "97", "95", "96"))
    assert "exit_price 98.0, by the candles 96" in differences(a_trade(), gapped)[0]
    at_open = f"closed_at {iso(START + 2 * MINUTE - 1)}, by the candles {START + MINUTE}"
    assert at_open in differences(a_trade(), gapped)[0]


def test_of_two_levels_in_one_candle_the_stop_counts_and_the_trade_is_ambiguous() -> None:
    both = market(("100.5", "101", "99", "100"), ("100", "104", "97", "99"))
    assert differences(a_trade(ambiguous=True), both) == []
    assert differences(a_trade(status="CLOSED_TP", exit_price=103.0), both)


def test_after_a_day_a_trade_expires_at_the_last_close() -> None:
    expired = a_trade(
        status="CLOSED_EXPIRED",
        closed_at=iso(START + DAY),
        exit_price=100.0,
        net_entry_price=100.0,
        gross_pnl_usd=0.0,
        pnl_usd=-0.29985,
    )
    assert differences(expired, market()) == []


def test_a_trade_that_has_touched_nothing_is_open() -> None:
    untouched = a_trade(status="OPEN", exit_price=None, closed_at=None)
    assert differences(untouched, market(), now=START + DAY - 1) == []
    assert "by the candles CLOSED_EXPIRED at 100" in differences(untouched, market(), now=START + DAY)[0]


@pytest.mark.parametrize("status", ["OPEN", "CLOSED_UNKNOWN"])
def test_where_the_market_has_a_hole_no_price_is_expected(status: str) -> None:
    trade = a_trade(status=status, exit_price=None, closed_at=None)
    assert differences(trade, lambda *_: []) == []
    assert differences(a_trade(), lambda *_: []) == [
        "trade S1 BTC/USDT: shown CLOSED_SL, by the candles without an end"
    ]
