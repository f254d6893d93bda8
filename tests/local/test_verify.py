"""The independent recomputation of the record: it must find what is wrong, and only that."""

from decimal import Decimal
from typing import Any

import pytest

from infra.local.verify import MINUTE, Minute, verify
from plumbline.domain.calendar import HOUR, iso
from tests.world import START

NOW = START + 2 * HOUR


def minutes(symbol: str, start: int, end: int) -> list[Minute]:
    """A market that rises by 0.1 a minute from 100, as the exchange writes it."""
    return [
        Minute(t, *[Decimal(f"{100 + (t + MINUTE - START) / MINUTE / 10:.1f}")] * 4)
        for t in range(start - start % MINUTE, end + 1, MINUTE)
    ]


def a_signal(**changes: Any) -> dict[str, Any]:
    outcome = {"interval": "1h", "exit_price": "106.0", "outcome": "WIN", **changes.pop("outcome", {})}
    signal = {"signal_id": "S1", "symbol": "BTC/USDT", "timestamp": iso(START), "action": "BUY", "entry_price": "100"}
    return {**signal, "outcomes": [outcome], **changes}


def test_a_right_outcome_agrees() -> None:
    verdict = verify([a_signal()], minutes, NOW)
    assert (verdict.signals, verdict.agreeing, verdict.differing) == (1, 1, [])


@pytest.mark.parametrize(
    ("signal", "complaint"),
    [
        (a_signal(outcome={"exit_price": "106.1"}), "shown 106.1 WIN, the candles give 106.0 WIN"),
        (a_signal(outcome={"outcome": "NEUTRAL"}), "shown 106.0 NEUTRAL, the candles give 106.0 WIN"),
        (a_signal(action="SELL"), "the candles give 106.0 LOSS"),
        (a_signal(outcomes=[]), "due and not shown"),
        (a_signal(outcomes=[{"interval": "1h", "exit_price": None, "outcome": None}]), "due and not shown"),
    ],
)
def test_a_wrong_or_missing_outcome_is_found(signal: dict[str, Any], complaint: str) -> None:
    verdict = verify([signal], minutes, NOW)
    assert verdict.agreeing == 0
    assert complaint in verdict.differing[0]


def test_an_outcome_that_is_shown_before_it_was_due_is_found() -> None:
    early = a_signal()
    early["outcomes"].append({"interval": "4h", "exit_price": "124.0", "outcome": "WIN"})
    assert "S1 4h: a price is shown that the candles do not have" in verify([early], minutes, NOW).differing[0]


def test_a_hole_expects_nothing() -> None:
    verdict = verify([a_signal(outcomes=[])], lambda *_: [], NOW)
    assert (verdict.agreeing, verdict.differing) == (0, [])
