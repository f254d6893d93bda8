import pytest

from plumbline.domain.calendar import (
    DAY,
    HOUR,
    Interval,
    Timeframe,
    day_of,
    day_start,
    days_between,
    iso,
    parse_instant,
)
from plumbline.domain.errors import InvalidInput


def test_the_five_intervals_have_the_seconds_of_the_contract() -> None:
    assert [i.ms // 1000 for i in Interval] == [3_600, 14_400, 86_400, 604_800, 2_592_000]


def test_an_unknown_timeframe_is_refused_with_the_valid_ones() -> None:
    with pytest.raises(InvalidInput, match="unknown timeframe '2h'; valid are 1m 5m 15m 1h 4h 1d"):
        Timeframe.parse("2h")


def test_an_unknown_interval_is_refused_with_the_valid_ones() -> None:
    with pytest.raises(InvalidInput, match="unknown interval '2h'; valid are 1h 4h 24h 7d 30d"):
        Interval.parse("2h")


def test_a_candle_opens_at_the_floor_of_any_instant_inside_it() -> None:
    assert Timeframe.H4.floor(9 * HOUR + 1) == 8 * HOUR
    assert Timeframe.H4.floor(8 * HOUR) == 8 * HOUR


def test_days_touched_include_both_ends() -> None:
    assert days_between(DAY - 1, DAY) == ["1970-01-01", "1970-01-02"]
    assert days_between(DAY, DAY) == ["1970-01-02"]


def test_a_day_starts_at_its_first_millisecond() -> None:
    assert day_of(day_start("2024-02-29")) == "2024-02-29"
    assert day_of(day_start("2024-02-29") - 1) == "2024-02-28"
    with pytest.raises(InvalidInput, match="is not a day"):
        day_start("2023-02-29")


@pytest.mark.parametrize(
    ("written", "instant"),
    [
        ("1970-01-02T00:00:00Z", DAY),
        ("1970-01-02T01:00:00+01:00", DAY),
        ("1970-01-02T00:00:00.005Z", DAY + 5),
        (86_400, DAY),
        (1_700_000_000, 1_700_000_000_000),
        (1_700_000_000_000, 1_700_000_000_000),
    ],
)
def test_a_time_is_read_from_iso_seconds_or_milliseconds(written: str | float, instant: int) -> None:
    assert parse_instant(written) == instant


@pytest.mark.parametrize(
    ("written", "complaint"), [("2024-01-01T00:00:00", "no time zone"), ("soon", "not a time"), (True, "not a time")]
)
def test_a_time_without_a_zone_or_sense_is_refused(written: str | bool, complaint: str) -> None:
    with pytest.raises(InvalidInput, match=complaint):
        parse_instant(written)


def test_times_are_written_in_utc_with_milliseconds_only_where_there_are_any() -> None:
    assert iso(DAY) == "1970-01-02T00:00:00Z"
    assert iso(DAY + 5) == "1970-01-02T00:00:00.005Z"
