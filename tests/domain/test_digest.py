from dataclasses import replace

import pytest

from plumbline.domain.calendar import Interval
from plumbline.domain.digest import (
    Kind,
    RecordLine,
    TradesLine,
    dump_digest,
    first_day,
    kinds_ending,
    parse_digest,
)
from plumbline.domain.performance import Cell
from tests.digest_builders import FRIDAY, a_book_cell, a_cell, a_digest, a_quiet_digest


@pytest.mark.parametrize(
    ("day", "kinds"),
    [
        ("2026-11-20", [Kind.DAILY]),
        ("2026-11-22", [Kind.DAILY, Kind.WEEKLY]),
        ("2026-11-23", [Kind.DAILY]),
        ("2026-11-30", [Kind.DAILY, Kind.MONTHLY]),
        ("2026-05-31", [Kind.DAILY, Kind.WEEKLY, Kind.MONTHLY]),
        ("2028-02-28", [Kind.DAILY]),
        ("2028-02-29", [Kind.DAILY, Kind.MONTHLY]),
        ("2026-12-31", [Kind.DAILY, Kind.MONTHLY]),
    ],
)
def test_every_day_has_its_digest_a_week_ends_on_sunday_and_a_month_with_its_last_day(
    day: str, kinds: list[Kind]
) -> None:
    assert kinds_ending(day) == kinds


@pytest.mark.parametrize(
    ("kind", "first"), [(Kind.DAILY, FRIDAY), (Kind.WEEKLY, "2026-11-14"), (Kind.MONTHLY, "2026-10-22")]
)
def test_a_period_is_one_seven_or_thirty_whole_days(kind: Kind, first: str) -> None:
    assert first_day(kind, FRIDAY) == first


def test_a_digest_comes_back_equal_from_its_bytes_and_gives_the_same_again() -> None:
    digest = a_digest()
    text = dump_digest(digest)
    assert parse_digest(text) == digest
    assert dump_digest(parse_digest(text)) == text


def test_so_does_one_of_a_period_in_which_nothing_happened() -> None:
    nothing = RecordLine.of("all", Cell())
    trades = TradesLine.of("all", a_book_cell())
    digest = replace(a_quiet_digest(), record=nothing, trades=trades, intervals=(), trend=())
    assert parse_digest(dump_digest(digest)) == digest


def test_figures_that_come_in_another_order_are_the_same_bytes() -> None:
    digest = a_digest()
    [first, *rest] = digest.recommendations
    turned = replace(first, figures={name: first.figures[name] for name in reversed([*first.figures])})
    assert dump_digest(replace(digest, recommendations=(turned, *rest))) == dump_digest(digest)


def test_the_record_of_a_period_stands_with_its_sample_its_interval_and_its_coverage() -> None:
    line = RecordLine.of("24h", a_cell(41, (Interval.H24, 20, 12, 8)))
    assert (line.signals, line.due, line.checked, line.unknown, line.independent_n) == (41, 41, 40, 0, 40)
    assert line.win_rate == 50.0
    assert (line.win_rate_low, line.win_rate_high) == (35.1995, 64.8005)
    assert line.coverage == 97.561


def test_a_rate_of_nothing_is_none_and_never_zero() -> None:
    line = RecordLine.of("all", Cell(signals=3))
    assert (line.signals, line.checked, line.win_rate, line.win_rate_low, line.avg_pnl_pct) == (3, 0, None, None, None)


def test_trades_stand_with_the_deepest_fall_of_their_order() -> None:
    line = TradesLine.of("momentum-alpha", a_book_cell("2", "-3", "-1.5", "4"))
    assert (line.figures.closed, line.figures.net.total_pnl_usd, line.max_drawdown_usd) == (4, 1.5, 4.5)
    assert line.figures.gross_pnl_usd == 2.7
