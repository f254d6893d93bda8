"""The tables say what the API says: no more, and nothing without its sample."""

from typing import Any

import pytest
from rich.console import Console

from infra.local.report import figures_table, paper_line, signal_table


def signal(number: int, **outcomes: Any) -> dict[str, Any]:
    return {
        "signal_id": f"s{number:03}",
        "timestamp": f"2024-01-01T{number:02}:00:00Z",
        "channel_id": "momentum-alpha",
        "symbol": "BTC/USDT",
        "action": "BUY",
        "unified_score": 61.4,
        "entry_price": "42283.58",
        "outcomes": [{"interval": interval, **outcome} for interval, outcome in outcomes.items()],
    }


def shown(table: object) -> str:
    console = Console(width=140, color_system=None)
    with console.capture() as captured:
        console.print(table)
    return captured.get()


def line_of(text: str, part: str) -> list[str]:
    return next(line for line in text.splitlines() if part in line).split()


def test_a_row_shows_the_signal_and_what_became_of_it_at_each_interval() -> None:
    outcomes = {
        "1h": {"outcome": "WIN", "pnl_pct": 5.004},
        "4h": {"outcome": "LOSS", "pnl_pct": "-3.2"},
        "24h": {"outcome": "NEUTRAL", "pnl_pct": 0.1},
        "7d": {"outcome": "UNKNOWN", "pnl_pct": None},
    }
    row = line_of(shown(signal_table([signal(7, **outcomes)], "simulated", 10)), "2024-01-01 07:00")
    assert " ".join(row[2:]) == "momentum-alpha BTC/USDT BUY 61 42,283.58 +5.00 WIN -3.20 LOSS +0.10 ? ·"


def test_the_title_counts_every_signal_and_names_the_market() -> None:
    assert "3 signals on a simulated market" in shown(signal_table([signal(n) for n in range(3)], "simulated", 2))


def test_signals_stand_in_order_of_time_and_the_middle_gives_way() -> None:
    text = shown(signal_table([signal(n) for n in (5, 3, 1, 4, 2, 0)], "recorded", 4))
    times = [line.split()[1] for line in text.splitlines() if line.strip().startswith("2024-01-01")]
    assert times == ["00:00", "01:00", "04:00", "05:00"]
    assert "2 more" in text


@pytest.mark.parametrize("rows", [6, 7])
def test_nothing_is_left_out_where_there_is_room(rows: int) -> None:
    assert "more" not in shown(signal_table([signal(n) for n in range(6)], "recorded", rows))


def test_a_rate_stands_with_its_sample_and_its_interval() -> None:
    overall = {"total_signals": 32, "win_rate": 12.5, "win_rate_low": 4.97, "win_rate_high": 28.07, "independent_n": 32}
    text = shown(figures_table(overall, {"1h": {"total_signals": 32, "win_rate": None}}, "simulated"))
    assert line_of(text, "win rate %")[-2:] == ["12.50", "–"]
    assert "5.0 – 28.1" in text
    assert line_of(text, "independent n")[-2:] == ["32", "–"]


def test_the_paper_book_is_told_in_a_line_with_its_sample_and_its_interval() -> None:
    book = {"closed": 41, "open": 3, "win_rate": None, "win_rate_low": None, "win_rate_high": None, "n": 0}
    assert paper_line(book) == "Paper book: 41 trades closed, 3 open"
    priced = {"total_pnl_usd": -1234.5, "win_rate": 36.58, "win_rate_low": 23.6, "win_rate_high": 51.87, "n": 41}
    assert paper_line({**book, **priced, "costs": {"position_usd": 100.0}}) == (
        "Paper book: 41 trades closed, 3 open; net -1,234.50 USD on 100 USD each, "
        "win rate 36.6 % (95 % interval 23.6 – 51.9, n = 41)"
    )
