"""Digests: of every period one, the same whenever they are made, made again after a late fact, and sent once."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import pytest

from plumbline.domain.calendar import DAY, HOUR, MINUTE, Interval, day_of, day_start
from plumbline.domain.digest import Digest, Kind
from plumbline.domain.errors import CursorMoved, Unavailable
from plumbline.domain.strategies import Activation
from plumbline.pipeline.channels import open_channels
from plumbline.pipeline.progress import DIGEST, SUMMARISE
from plumbline.pipeline.reporting import MAIL, PATIENCE, mail_digests, write_digests
from plumbline.pipeline.summarising import summarise_day
from plumbline.ports import Cursor, Letter, Stores
from tests.builders import a_signal, a_trade, an_outcome
from tests.digest_builders import a_digest
from tests.digest_fakes import FakeMail, InMemoryDigests
from tests.fakes import Crash, CrashAfter, InMemoryCursors, memory_stores
from tests.world import SCHEDULE, START, a_stack, an_exchange, run, steps

FIRST = day_start("2026-11-16")
"""A Monday."""
WEEK = 7 * DAY


def kept(stores: Stores) -> dict[tuple[Kind, str], str]:
    assert isinstance(stores.digests, InMemoryDigests)
    return stores.digests.digests


def a_record(days: int = 7, first: int = FIRST) -> Stores:
    """Days with a signal at noon each, judged a day later and traded; nobody has summarised them yet."""
    stores = memory_stores()
    for channel in open_channels(stores):
        stores.strategies.activate(Activation(strategy=channel.channel_id, config_hash="5" * 64, active_from=0))
    for number in range(days):
        add_a_day(stores, first + number * DAY)
    stores.cursors.move(None, SUMMARISE, first - 1, {"reached": first - 1})
    return stores


def add_a_day(stores: Stores, midnight: int, symbol: str = "BTC/USDT") -> None:
    signal = a_signal(timestamp=midnight + 12 * HOUR, symbol=symbol)
    stores.signals.add(signal)
    stores.outcomes.add(an_outcome(signal, Interval.H24))
    stores.trades.add(a_trade(opened_at=signal.timestamp, symbol=symbol))


def digest_at(stores: Stores, now: int) -> int:
    summarise_day(stores, now)
    return write_digests(stores)


def test_every_day_has_its_digest_and_a_sunday_also_the_weeks() -> None:
    stores = a_record()
    assert digest_at(stores, FIRST + WEEK + 5 * MINUTE) == 8
    days = [day_of(FIRST + n * DAY) for n in range(7)]
    assert list(kept(stores)) == [*((Kind.DAILY, day) for day in days), (Kind.WEEKLY, days[-1])]


def test_a_day_that_is_not_over_has_none() -> None:
    stores = a_record(1)
    assert digest_at(stores, FIRST + DAY - 2) == 0
    assert digest_at(stores, FIRST + DAY - 1) == 1


def test_before_the_first_signal_there_is_nothing_to_tell() -> None:
    stores = memory_stores()
    assert digest_at(stores, FIRST + DAY) == 0
    assert mail_digests(stores, FakeMail(), letter_of, FIRST + DAY) == 0
    assert stores.cursors.read(MAIL) is None


def test_a_digest_tells_the_facts_of_its_own_days() -> None:
    stores = a_record()
    digest_at(stores, FIRST + WEEK)
    daily, weekly = (stores.digests.get(kind, "2026-11-22") for kind in (Kind.DAILY, Kind.WEEKLY))
    assert daily
    assert weekly
    assert (daily.record.signals, daily.record.checked, daily.trades.figures.closed) == (1, 1, 1)
    assert (weekly.record.signals, weekly.record.checked, weekly.trades.figures.closed) == (7, 6, 7)
    assert (weekly.first_day, weekly.last_day) == ("2026-11-16", "2026-11-22")
    assert [channel.name for channel in weekly.channels] == ["momentum-alpha"]
    assert len(weekly.best) == 3
    assert [day.closed for day in daily.trend[-8:]] == [0, 1, 1, 1, 1, 1, 1, 1]


def test_advice_rests_on_thirty_days_also_in_the_digest_of_one() -> None:
    stores = a_record(25)
    digest_at(stores, FIRST + 25 * DAY)
    early, late = (stores.digests.get(Kind.DAILY, day_of(FIRST + n * DAY)) for n in (3, 24))
    assert early
    assert late
    assert "not enough data" in early.recommendations[0].message.lower()
    assert late.record.checked == 1
    assert late.recommendations[0].figures["outcomes_checked"] == 24


@pytest.mark.parametrize("step", [5 * MINUTE, 7 * HOUR, DAY, 3 * DAY, 10 * DAY])
def test_digests_do_not_depend_on_how_the_schedule_chopped_time(step: int) -> None:
    stores, whole = a_record(), a_record()
    digest_at(whole, FIRST + 10 * DAY)
    for now in [*range(FIRST, FIRST + 10 * DAY, step), FIRST + 10 * DAY]:
        digest_at(stores, now)
    assert kept(stores) == kept(whole)


def test_making_a_day_again_gives_the_same_bytes() -> None:
    stores = a_record()
    digest_at(stores, FIRST + WEEK)
    before = dict(kept(stores))
    stores.cursors.rewind(DIGEST, FIRST)
    assert write_digests(stores) == 8
    assert kept(stores) == before


def test_a_late_fact_changes_the_digests_of_its_day_and_of_those_that_rest_on_it() -> None:
    stores, in_time = a_record(), a_record()
    digest_at(stores, FIRST + WEEK)
    before = dict(kept(stores))
    for each in (stores, in_time):
        add_a_day(each, FIRST + 2 * DAY, "ETH/USDT")
    stores.cursors.rewind(SUMMARISE, FIRST + 2 * DAY + 12 * HOUR - 1)
    assert digest_at(stores, FIRST + WEEK) == 6
    digest_at(in_time, FIRST + WEEK)
    assert kept(stores) == kept(in_time)
    assert [key for key in before if before[key] != kept(stores)[key]] == [*before][2:]


def test_a_summary_that_was_set_back_within_the_running_day_makes_no_digest_again() -> None:
    stores = a_record()
    digest_at(stores, FIRST + 3 * DAY + 20 * HOUR)
    stores.cursors.rewind(SUMMARISE, FIRST + 3 * DAY + HOUR)
    assert digest_at(stores, FIRST + 3 * DAY + 20 * HOUR) == 0


def test_a_run_that_was_overtaken_by_a_late_fact_stops_and_its_digest_is_replaced() -> None:
    stores = a_record(2)
    summarise_day(stores, FIRST + 2 * DAY)
    writing = replace(stores, digests=Meanwhile(stores, lambda: stores.cursors.rewind(DIGEST, FIRST)))
    with pytest.raises(CursorMoved):
        write_digests(writing)
    assert write_digests(stores) == 2


class Meanwhile(InMemoryDigests):
    """While one is put, something else happens."""

    def __init__(self, stores: Stores, happens: Callable[[], None]) -> None:
        super().__init__()
        self._inner, self._happens = stores.digests, happens

    def put(self, digest: Digest, version: int) -> None:
        self._inner.put(digest, version)
        self._happens()


def test_a_run_that_is_short_of_time_leaves_the_rest_to_the_next() -> None:
    stores = a_record()
    summarise_day(stores, FIRST + WEEK)
    turns = iter([True, True, False])
    assert write_digests(stores, lambda: next(turns)) == 2
    assert write_digests(stores) == 6


def test_the_last_three_configurations_of_each_channel_are_compared_the_newest_first() -> None:
    stores = a_record(3)
    channel = next(c for c in open_channels(stores) if c.channel_id == "momentum-alpha")
    history = [("a", 1), ("b", 2), ("c", 3), ("d", 4), ("b", 5)]
    for name, at in history:
        stores.strategies.activate(
            Activation(strategy=channel.channel_id, config_hash=name * 64, active_from=FIRST + at, notes=name)
        )
    digest_at(stores, FIRST + 3 * DAY)
    digest = stores.digests.get(Kind.DAILY, day_of(FIRST + 2 * DAY))
    assert digest
    compared = [line for line in digest.configurations if line.channel_id == channel.channel_id]
    assert [(line.notes, line.active_from, line.active_until) for line in compared] == [
        ("b", FIRST + 5, None),
        ("d", FIRST + 4, FIRST + 5),
        ("c", FIRST + 3, FIRST + 4),
    ]
    others = [line for line in digest.configurations if line.channel_id != channel.channel_id]
    assert {line.figures.closed for line in others} == {3}


def test_what_was_activated_after_the_period_is_not_in_its_digest() -> None:
    stores = a_record(2)
    [channel, *_] = open_channels(stores)
    stores.strategies.activate(
        Activation(strategy=channel.channel_id, config_hash="a" * 64, active_from=FIRST + DAY + HOUR)
    )
    digest_at(stores, FIRST + 2 * DAY)
    first, second = (stores.digests.get(Kind.DAILY, day_of(FIRST + n * DAY)) for n in (0, 1))
    assert first
    assert second
    assert [line.config_hash[0] for line in first.configurations if line.channel_id == channel.channel_id] == ["5"]
    assert [line.config_hash[0] for line in second.configurations if line.channel_id == channel.channel_id] == [
        "a",
        "5",
    ]


def crashes(writes: int) -> Iterator[tuple[int, bool]]:
    """Before each write and after it."""
    return ((write, performed) for write in range(1, writes + 1) for performed in (False, True))


def test_a_crash_at_any_write_and_a_retry_end_as_if_nothing_had_happened() -> None:
    def weekend() -> Stores:
        return a_record(2, FIRST + 5 * DAY)

    whole = weekend()
    counting = CrashAfter(whole)
    digest_at(counting.stores, FIRST + WEEK)
    for write, performed in crashes(counting.writes):
        stores = weekend()
        with pytest.raises(Crash):
            digest_at(CrashAfter(stores, at=write, performed=performed).stores, FIRST + WEEK)
        digest_at(stores, FIRST + WEEK)
        assert Kind.WEEKLY in {kind for kind, _ in kept(stores)}
        assert kept(stores) == kept(whole)


def test_a_crash_while_a_late_fact_is_summed_up_leaves_no_digest_out_of_date() -> None:
    def late() -> Stores:
        stores = a_record(2)
        digest_at(stores, FIRST + 2 * DAY)
        add_a_day(stores, FIRST, "ETH/USDT")
        stores.cursors.rewind(SUMMARISE, FIRST + 12 * HOUR - 1)
        return stores

    whole = late()
    counting = CrashAfter(whole)
    digest_at(counting.stores, FIRST + 2 * DAY)
    for write, performed in crashes(counting.writes):
        stores = late()
        with pytest.raises(Crash):
            digest_at(CrashAfter(stores, at=write, performed=performed).stores, FIRST + 2 * DAY)
        digest_at(stores, FIRST + 2 * DAY)
        assert kept(stores) == kept(whole)


def test_the_whole_pipeline_digests_its_days() -> None:
    stores = a_stack()
    run(stores, an_exchange(), steps(3, 6 * HOUR), [*SCHEDULE, lambda s, _, now: {"digests": write_digests(s)}])
    digests = [found for kind, day in kept(stores) if (found := stores.digests.get(kind, day))]
    assert [digest.last_day for digest in digests] == ["2024-01-01", "2024-01-02", "2024-01-03"]
    assert sum(digest.record.signals for digest in digests) == len([*stores.signals.between(0, START + 3 * DAY - 1)])


# --- the mail --------------------------------------------------------------------------------------------------------


def letter_of(digest: Digest) -> Letter:
    return Letter(subject=f"{digest.kind} {digest.last_day}", html="", text="")


def made(*digests: tuple[Kind, str]) -> Stores:
    """A stack whose digests up to the last of these are made."""
    stores = memory_stores()
    for kind, day in digests:
        stores.digests.put(a_digest(kind, day), 1)
    end = max(day_start(day) for _, day in digests) + DAY
    stores.cursors.move(None, DIGEST, end, {})
    return stores


def subjects(mail: FakeMail) -> list[str]:
    return [letter.subject for letter in mail.letters]


SUNDAY = "2026-11-22"
MORNING = day_start("2026-11-23") + 10 * MINUTE


def a_sunday() -> Stores:
    return made((Kind.DAILY, "2026-11-21"), (Kind.DAILY, SUNDAY), (Kind.WEEKLY, SUNDAY))


def post(stores: Stores, mail: FakeMail, *moments: int) -> list[int]:
    return [mail_digests(stores, mail, letter_of, now) for now in moments]


def test_each_digest_is_sent_once_however_often_the_function_runs() -> None:
    stores, mail = a_sunday(), FakeMail()
    assert post(stores, mail, MORNING, MORNING, MORNING + 5 * MINUTE, MORNING + HOUR) == [2, 0, 0, 0]
    assert subjects(mail) == [f"daily {SUNDAY}", f"weekly {SUNDAY}"]


def test_a_digest_that_was_made_again_is_not_sent_again() -> None:
    stores, mail = a_sunday(), FakeMail()
    post(stores, mail, MORNING)
    stores.cursors.rewind(DIGEST, day_start("2026-11-10"))
    assert post(stores, mail, MORNING + HOUR) == [0]
    cursor = stores.cursors.read(DIGEST)
    stores.cursors.move(cursor, DIGEST, day_start("2026-11-23"), {})
    assert post(stores, mail, MORNING + 2 * HOUR) == [0]


def test_after_an_outage_only_what_is_younger_than_its_own_period_is_sent() -> None:
    stores, mail = made((Kind.DAILY, "2026-11-20")), FakeMail()
    post(stores, mail, day_start("2026-11-21") + HOUR)
    days = [day_of(day_start("2026-11-21") + n * DAY) for n in range(5)]
    for day in days:
        stores.digests.put(a_digest(Kind.DAILY, day), 1)
    stores.digests.put(a_digest(Kind.WEEKLY, SUNDAY), 1)
    stores.cursors.move(stores.cursors.read(DIGEST), DIGEST, day_start(days[-1]) + DAY, {})
    assert post(stores, mail, day_start(days[-1]) + DAY + HOUR) == [2]
    assert subjects(mail)[1:] == [f"weekly {SUNDAY}", f"daily {days[-1]}"]


def test_where_nobody_is_told_the_days_pass_and_are_not_made_up_for_later() -> None:
    stores = a_sunday()
    assert mail_digests(stores, None, letter_of, MORNING) == 0
    mail = FakeMail()
    assert post(stores, mail, MORNING + HOUR) == [0]
    assert not len(mail)


def test_a_letter_that_is_refused_is_tried_again_once_no_run_can_be_sending_it() -> None:
    stores, mail = a_sunday(), FakeMail()
    mail.refusals = [Unavailable("away", retry_after=1.0)]
    with pytest.raises(Unavailable):
        post(stores, mail, MORNING)
    assert post(stores, mail, MORNING, MORNING + PATIENCE - 1, MORNING + PATIENCE) == [0, 0, 2]
    assert subjects(mail) == [f"daily {SUNDAY}", f"weekly {SUNDAY}"]


def test_what_was_sent_before_a_refusal_is_not_sent_again_with_the_rest() -> None:
    stores, mail = a_sunday(), FakeMail()

    class RefusesTheSecond(FakeMail):
        def send(self, letter: Letter) -> None:
            if len(self) == 1:
                raise Unavailable("away", retry_after=1.0)
            super().send(letter)

    first = RefusesTheSecond()
    with pytest.raises(Unavailable):
        post(stores, first, MORNING)
    assert post(stores, mail, MORNING + PATIENCE) == [1]
    assert [*subjects(first), *subjects(mail)] == [f"daily {SUNDAY}", f"weekly {SUNDAY}"]


def test_of_two_runs_at_once_one_sends() -> None:
    stores, mail = a_sunday(), FakeMail()

    class MeanwhileAnotherRun(FakeMail):
        def send(self, letter: Letter) -> None:
            assert post(stores, mail, MORNING + MINUTE) == [0]
            super().send(letter)

    sending = MeanwhileAnotherRun()
    assert post(stores, sending, MORNING) == [2]
    assert not len(mail)


class Overtaken(InMemoryCursors):
    """Cursors on which another run does the whole work before this one first moves any."""

    def __init__(self, stores: Stores, other: Callable[[], object]) -> None:
        assert isinstance(stores.cursors, InMemoryCursors)
        self.cursors, self._other = stores.cursors.cursors, [other]

    def move(self, cursor: Cursor | None, name: str, position: int, notes: Mapping[str, object]) -> Cursor:
        if self._other:
            self._other.pop()()
        return super().move(cursor, name, position, notes)


def test_of_two_runs_that_read_the_cursor_together_one_stops_before_it_sends() -> None:
    stores, mail, others = a_sunday(), FakeMail(), FakeMail()
    overtaken = replace(stores, cursors=Overtaken(stores, lambda: post(stores, others, MORNING)))
    with pytest.raises(CursorMoved):
        post(overtaken, mail, MORNING)
    assert (len(mail), len(others)) == (0, 2)


def test_a_crash_at_any_write_loses_no_letter_and_repeats_at_most_one() -> None:
    counting = CrashAfter(a_sunday())
    mail_digests(counting.stores, FakeMail(), letter_of, MORNING)
    for write, performed in crashes(counting.writes):
        stores, mail = a_sunday(), FakeMail()
        with pytest.raises(Crash):
            mail_digests(CrashAfter(stores, at=write, performed=performed).stores, mail, letter_of, MORNING)
        post(stores, mail, MORNING + PATIENCE, MORNING + 2 * PATIENCE)
        assert set(subjects(mail)) == {f"daily {SUNDAY}", f"weekly {SUNDAY}"}
        assert len(mail) <= 3


def test_setting_the_mails_cursor_back_sends_a_day_again() -> None:
    stores, mail = a_sunday(), FakeMail()
    post(stores, mail, MORNING)
    stores.cursors.rewind(MAIL, day_start(SUNDAY))
    assert post(stores, mail, MORNING + HOUR) == [2]
