import pytest

from plumbline.adapters.stores import stores_over
from plumbline.adapters.tables import Tables
from plumbline.domain.digest import Kind
from plumbline.domain.performance import DayRollup
from plumbline.ports import Stores
from tests.builders import NOON
from tests.capacity import CapacityMeter
from tests.digest_builders import FRIDAY, a_digest


def test_a_digest_comes_back_equal_in_every_field(stores: Stores) -> None:
    digest = a_digest()
    stores.digests.put(digest, 1)
    assert stores.digests.get(Kind.DAILY, FRIDAY) == digest


def test_without_a_digest_there_is_none(stores: Stores) -> None:
    stores.digests.put(a_digest(), 1)
    assert stores.digests.get(Kind.DAILY, "2026-11-19") is None
    assert stores.digests.get(Kind.WEEKLY, FRIDAY) is None


def test_those_that_end_on_the_same_day_do_not_replace_each_other(stores: Stores) -> None:
    for kind in Kind:
        stores.digests.put(a_digest(kind), 1)
    assert [stores.digests.get(kind, FRIDAY) for kind in Kind] == [a_digest(kind) for kind in Kind]


def test_making_one_again_replaces_it_whole(stores: Stores) -> None:
    stores.digests.put(a_digest(), 1)
    again = a_digest(best=(), channels=())
    stores.digests.put(again, 1)
    assert stores.digests.get(Kind.DAILY, FRIDAY) == again


@pytest.mark.parametrize(("version", "stays"), [(6, True), (7, False), (8, False)])
def test_a_run_that_was_overtaken_does_not_replace_the_newer_one(stores: Stores, version: int, stays: bool) -> None:
    newer, other = a_digest(), a_digest(best=())
    stores.digests.put(newer, 7)
    stores.digests.put(other, version)
    assert stores.digests.get(Kind.DAILY, FRIDAY) == (newer if stays else other)


def test_two_sources_on_the_same_tables_do_not_see_each_others_digests(tables: Tables) -> None:
    simulated, live = stores_over(tables, "simulated"), stores_over(tables, "binance")
    simulated.digests.put(a_digest(source="simulated"), 1)
    assert live.digests.get(Kind.DAILY, FRIDAY) is None


def test_digests_and_rollups_share_a_table_and_nothing_else(stores: Stores) -> None:
    stores.digests.put(a_digest(), 1)
    assert stores.rollups.days([FRIDAY], ["all", "digest"]) == []
    stores.rollups.put(DayRollup(FRIDAY, NOON, {}), 1)
    assert stores.digests.get(Kind.DAILY, FRIDAY) == a_digest()


def test_the_same_digest_leaves_the_same_bytes_and_costs_one_write_and_one_read(tables: Tables, dynamo: Stores) -> None:
    stored = []
    for _ in range(2):
        with CapacityMeter(tables) as meter:
            dynamo.digests.put(a_digest(), 1)
        assert meter.requests == {"PutItem": 1}
        stored += [bytes(item.cells) for item in tables.rollups.select("simulated#digest#daily#2026")]
    assert stored[0] == stored[1]
    assert len(stored[0]) < 4_096
    with CapacityMeter(tables) as meter:
        dynamo.digests.get(Kind.DAILY, FRIDAY)
    assert meter.requests == {"GetItem": 1}
