"""The report, the best and worst, and the channels: the same figures whether days come from rollups or from facts."""

from decimal import Decimal
from itertools import product

import pytest

from plumbline import queries, reports
from plumbline.domain.calendar import DAY, HOUR, Interval, day_of, day_start
from plumbline.domain.errors import InvalidInput, NotFound
from plumbline.domain.performance import DIMENSIONS
from plumbline.domain.signals import Origin, Side, Tier
from plumbline.domain.strategies import DEFAULT_CHANNELS
from plumbline.domain.trades import Status
from plumbline.pipeline.progress import SUMMARISE
from plumbline.pipeline.summarising import summarise_day
from plumbline.ports import Stores
from tests.builders import NOON, a_position, a_signal, a_trade, an_outcome
from tests.fakes import memory_stores

TODAY = day_start(day_of(NOON))
FIRST = TODAY - 9 * DAY
SYMBOLS = ("ADA/USDT", "BTC/USDT", "ETH/USDT")


def a_record(count: int = 60) -> Stores:
    """Signals over nine days, none summarised, and the outcomes due by noon: MUST_BUY wins, the rest go either way."""
    stores = memory_stores()
    stores.cursors.move(None, SUMMARISE, FIRST - 1, {})
    for n in range(count):
        signal = a_signal(
            timestamp=FIRST + n * 3 * HOUR,
            symbol=SYMBOLS[n % 3],
            scanner_type=("technical", "mss")[n % 2],
            unified_score=(90.0, 72.0, 60.0, 40.0)[n % 4],
            snapshot_id=str(n % 2) * 64,
        )
        stores.signals.add(signal)
        won = n % 4 == 0 or n % 7 < 3
        for interval in Interval:
            if signal.due(interval) <= NOON:
                move = Decimal(106 + n % 5) if won else Decimal(96 - n % 5)
                stores.outcomes.add(an_outcome(signal, interval, price=signal.entry_price * move / 100))
    return stores


def summarised(stores: Stores, until: int) -> Stores:
    summarise_day(stores, until)
    return stores


@pytest.mark.parametrize("until", [FIRST, TODAY - 3 * DAY + 5 * HOUR, TODAY - 1, NOON - HOUR])
def test_a_report_says_the_same_however_much_of_it_is_summarised(until: int) -> None:
    from_facts, from_both = (
        reports.report(a_record(), 14, NOON),
        reports.report(summarised(a_record(), until), 14, NOON),
    )
    assert from_both == from_facts
    assert from_both.best
    assert from_both.worst


def test_every_breakdown_of_a_report_is_what_it_is_alone() -> None:
    stores = summarised(a_record(), NOON - 7 * HOUR)
    found = reports.report(stores, 5, NOON)
    alone = {name: queries.performance(stores, 5, name, NOON).cells[name] for name in DIMENSIONS}
    assert found.overall == alone["all"]["all"]
    assert (found.by_scanner, found.by_symbol) == (alone["scanner"], alone["symbol"])
    assert (found.by_channel, found.by_snapshot) == (alone["channel"], alone["snapshot"])
    assert {tier: cell for tier, cell in found.by_tier.items() if cell.signals} == alone["tier"]
    assert found.by_type[Side.LONG] == alone["type"]["LONG"]
    assert found.by_interval == queries.by_interval(queries.performance(stores, 5, "all", NOON))


def test_a_report_names_every_tier_interval_and_side_and_sorts_the_rest() -> None:
    found = reports.report(a_record(9), 14, NOON)
    assert list(found.by_tier) == list(Tier)
    assert list(found.by_interval) == list(Interval)
    assert list(found.by_type) == list(Side)
    assert list(found.by_symbol) == sorted(SYMBOLS)
    assert (found.period.days, found.period.start, found.period.until) == (14, TODAY - 13 * DAY, NOON)


def test_the_best_signals_gained_and_the_worst_lost_and_no_signal_stands_twice() -> None:
    found = reports.report(a_record(12), 14, NOON)
    best, worst = ([one.pnl_pct for one in end] for end in (found.best, found.worst))
    assert best == sorted((p for p in best if p > 0), reverse=True)
    assert worst == sorted(p for p in worst if p < 0)
    ids = [one.signal_id for one in (*found.best, *found.worst)]
    assert len(ids) == len(set(ids)) == 12


def test_tiers_that_mean_something_have_a_trend_and_the_rules_speak_of_them() -> None:
    found = reports.report(a_record(), 14, NOON)
    assert found.tier_trend_p_value < 0.01
    assert found.recommendations
    assert reports.report(memory_stores(), 14, NOON).tier_trend_p_value == 1


def test_top_performers_are_as_many_as_asked_for() -> None:
    stores = summarised(a_record(), NOON - HOUR)
    found = reports.top_performers(stores, 14, 2, NOON)
    assert [len(end) for end in (found.signals.best, found.signals.worst)] == [2, 2]
    assert [len(end) for end in (found.symbols.by_win_rate.best, found.symbols.by_consistency.worst)] == [2, 2]
    whole = reports.report(stores, 14, NOON)
    assert (found.signals.best, found.signals.worst) == (whole.best[:2], whole.worst[:2])


@pytest.mark.parametrize("limit", [0, 21])
def test_nobody_is_told_of_more_than_are_kept(limit: int) -> None:
    with pytest.raises(InvalidInput, match=f"1 to 20 of each end are known, not {limit}"):
        reports.top_performers(memory_stores(), 7, limit, NOON)


# --- channels


def traded() -> Stores:
    """Two channels with trades: one closed yesterday and today, the other has one open and one long closed."""
    stores = memory_stores()
    stores.cursors.move(None, SUMMARISE, NOON - 60 * DAY, {})
    for hours, status in product((14, 30), (Status.TARGET, Status.STOP)):
        at = NOON - hours * HOUR - (status is Status.STOP) * 1_000
        stores.trades.add(a_trade(opened_at=at, closed_at=at + HOUR, status=status, channel_id="momentum-alpha"))
    stores.trades.add(a_trade(opened_at=NOON - 40 * DAY, channel_id="external"))
    stores.positions.put(a_position(opened_at=NOON - HOUR, channel_id="external"))
    stores.positions.put(a_position(opened_at=NOON - 2 * HOUR, channel_id="external", origin=Origin.BACKFILL))
    return stores


def test_every_channel_has_a_row_by_its_id_also_one_without_a_trade() -> None:
    rows = reports.channel_performance(traded(), 7, None, NOON)
    assert [row.channel_id for row in rows] == sorted({"external", *(c.channel_id for c in DEFAULT_CHANNELS)})
    assert [(r.channel_id, r.total_signals) for r in rows if r.total_signals] == [
        ("external", 1),
        ("momentum-alpha", 4),
    ]


def test_a_channels_trades_are_those_closed_in_the_period_and_those_that_are_open_and_count() -> None:
    [external] = reports.channel_performance(traded(), 7, "external", NOON)
    assert (external.completed, external.pending, external.quality_score) == (0, 1, 0.0)
    [longer] = reports.channel_performance(traded(), 60, "external", NOON)
    assert (longer.completed, longer.win_count, longer.total_signals) == (1, 1, 2)


def test_a_channels_figures_are_the_same_from_rollups_and_from_trades() -> None:
    [from_trades] = reports.channel_performance(traded(), 7, "momentum-alpha", NOON)
    [from_rollups] = reports.channel_performance(summarised(traded(), NOON - HOUR), 7, "momentum-alpha", NOON)
    assert from_rollups == from_trades
    assert (from_trades.win_count, from_trades.loss_count, from_trades.rate.win_rate) == (2, 2, 50.0)


def test_a_channel_that_is_not_there_is_answered_with_those_that_are() -> None:
    with pytest.raises(NotFound, match="no channel 'nobody'; there are breakout-gamma, external, momentum"):
        reports.channel_performance(traded(), 7, "nobody", NOON)
