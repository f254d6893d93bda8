from dataclasses import replace

from plumbline.domain.calendar import DAY, HOUR, Timeframe, day_of
from plumbline.domain.strategies import DEFAULT_CHANNELS
from plumbline.pipeline.channels import scanned_between, scanned_symbols
from plumbline.pipeline.progress import (
    Hole,
    Progress,
    call_log_readers_back,
    move,
    reached,
    signals_complete_until,
    snapshot,
)
from plumbline.ports import Universe
from tests.fakes import memory_stores
from tests.world import START


def test_a_cursor_that_was_set_back_remembers_the_farthest_it_ever_was() -> None:
    cursors = memory_stores().cursors
    assert reached(None) == -1
    cursor = move(cursors, None, "check#1h", 9 * HOUR)
    cursors.rewind("check#1h", 2 * HOUR)
    cursor = move(cursors, cursors.read("check#1h"), "check#1h", 3 * HOUR)
    assert cursor.position == 3 * HOUR
    assert reached(cursor) == 9 * HOUR


def test_a_reader_that_never_ran_begins_no_later_than_the_first_signal() -> None:
    cursors = memory_stores().cursors
    call_log_readers_back(cursors, START)
    positions = {c.name: c.position - START for c in cursors.all()}
    assert positions["check#1h"] == positions["close#1h"] == HOUR - 1
    assert positions["summarise"] == -1


def test_readers_beyond_a_late_signal_are_set_back_and_others_stay() -> None:
    cursors = memory_stores().cursors
    move(cursors, None, "check#1h", START + DAY)
    move(cursors, None, "check#24h", START + HOUR)
    call_log_readers_back(cursors, START)
    after = {c.name: c.position for c in cursors.all()}
    assert (after["check#1h"], after["check#24h"]) == (START + HOUR - 1, START + HOUR)


def test_signals_are_complete_until_just_before_the_next_candle_closes() -> None:
    cursors = memory_stores().cursors
    assert signals_complete_until({}, [Timeframe.H1]) is None
    move(cursors, None, "generate#1h", START)
    move(cursors, None, "generate#4h", START)
    assert signals_complete_until(snapshot(cursors), [Timeframe.H1, Timeframe.H4]) == START + HOUR - 1


def test_the_collectors_notes_survive_their_cursor_and_hold_no_position_twice() -> None:
    progress = Progress(
        {"BTC/USDT": START, "ETH/USDT": START, "SOL/USDT": 0},
        [Hole("BTC/USDT", 0, HOUR)],
        {"XRP/USDT": 7},
        9,
    )
    cursors = memory_stores().cursors
    cursor = move(cursors, None, "collect#1m", START, **progress.notes())
    assert Progress.of(cursor) == progress
    assert cursor.notes["positions"] == {"0": ["SOL/USDT"], str(START): ["BTC/USDT", "ETH/USDT"]}


def test_a_ranking_never_chooses_for_a_candle_that_closed_before_it_was_made() -> None:
    old = Universe(day=day_of(START - DAY), taken_at=START - DAY, markets=(), most_traded={"USDT": ("OLD/USDT",)})
    new = replace(old, day=day_of(START), taken_at=START + 14 * HOUR, most_traded={"USDT": ("NEW/USDT",)})
    channel = DEFAULT_CHANNELS[0]
    assert scanned_symbols([old, new], channel, START + 13 * HOUR) == ("OLD/USDT",)
    assert scanned_symbols([old, new], channel, START + 14 * HOUR) == ("NEW/USDT",)


def test_a_long_catch_up_scans_what_any_of_its_days_ranked() -> None:
    days = [
        Universe(day=day_of(at), taken_at=at, markets=(), most_traded={"USDT": (f"{name}/USDT",)})
        for at, name in ((START, "ONE"), (START + DAY, "TWO"), (START + 2 * DAY, "SIX"))
    ]
    found = scanned_between(days, DEFAULT_CHANNELS[0], START + HOUR, START + 3 * DAY)
    assert found == ["ONE/USDT", "SIX/USDT", "TWO/USDT"]


def test_a_new_stack_begins_with_its_first_ranking() -> None:
    first = Universe(day=day_of(START), taken_at=START + 30, markets=(), most_traded={"USDT": ("NEW/USDT",)})
    assert scanned_symbols([first], DEFAULT_CHANNELS[0], START) == ("NEW/USDT",)


def test_without_the_days_own_catalogue_the_one_before_serves() -> None:
    before = Universe(day=day_of(START - DAY), markets=(), most_traded={"USDT": ("OLD/USDT",)})
    assert scanned_symbols([before], DEFAULT_CHANNELS[0], START + 3 * DAY) == ("OLD/USDT",)
    assert scanned_symbols([], DEFAULT_CHANNELS[0], START) == ()
