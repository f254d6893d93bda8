from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from plumbline.adapters.feed_items import EXPIRATION
from plumbline.adapters.stores import stores_over
from plumbline.adapters.tables import Tables
from plumbline.domain.calendar import HOUR
from plumbline.domain.feed import Subscription
from plumbline.ports import Stores
from tests.builders import NOON

ENDS = NOON + 2 * HOUR + 123
NEW = Subscription(connection_id="a1=", position=7, expires_at=ENDS)


@pytest.fixture
def listener(stores: Stores) -> Subscription:
    stores.connections.add("a1=", 7, ENDS)
    return NEW


def test_a_new_listener_has_not_subscribed_yet(stores: Stores, listener: Subscription) -> None:
    assert stores.connections.get("a1=") == listener
    assert stores.connections.all() == [listener]


def test_who_never_came_is_nobody(stores: Stores) -> None:
    assert stores.connections.get("a1=") is None
    assert stores.connections.all() == []


@pytest.mark.parametrize(
    "wants",
    [
        {"symbols": frozenset({"BTC/USDT", "ETH/USDT"}), "channels": None},
        {"symbols": None, "channels": frozenset({"momentum-alpha"})},
        {"symbols": frozenset(), "channels": frozenset()},
        {"position": 0, "expires_at": ENDS + 1, "ref": "tab 2"},
        {"listening": False, "position": 99, "ref": 0},
    ],
)
def test_what_a_listener_wants_comes_back_equal_as_its_next_version(
    stores: Stores, listener: Subscription, wants: dict[str, object]
) -> None:
    changed = replace(listener, **({"listening": True} | wants))  # type: ignore[arg-type]  # fields by name
    for version in (1, 2):
        assert stores.connections.save(changed)
        assert stores.connections.get("a1=") == replace(changed, version=version)


def test_a_listener_that_hung_up_cannot_be_saved_or_moved_back_into_being(stores: Stores) -> None:
    assert not stores.connections.save(NEW)
    assert not stores.connections.advance(NEW, 8)
    assert stores.connections.get("a1=") is None


def test_coming_twice_keeps_what_was_already_wanted(stores: Stores, listener: Subscription) -> None:
    stores.connections.save(replace(listener, listening=True, position=9))
    stores.connections.add("a1=", 0, ENDS)
    assert stores.connections.get("a1=") == replace(listener, listening=True, position=9, version=1)


def test_a_listener_that_was_told_moves_on_and_keeps_what_it_wants(stores: Stores, listener: Subscription) -> None:
    wanted = replace(listener, listening=True, symbols=frozenset({"BTC/USDT"}), version=1)
    stores.connections.save(wanted)
    assert stores.connections.advance(wanted, 12)
    assert stores.connections.get("a1=") == replace(wanted, position=12)


def test_of_two_that_read_the_same_position_one_moves_it(stores: Stores, listener: Subscription) -> None:
    assert stores.connections.advance(listener, 12)
    assert not stores.connections.advance(listener, 10)
    assert stores.connections.get("a1=") == replace(listener, position=12)


def test_who_read_a_listener_before_it_spoke_cannot_move_it(stores: Stores, listener: Subscription) -> None:
    stores.connections.save(replace(listener, listening=True))
    assert not stores.connections.advance(listener, 12)
    assert stores.connections.advance(replace(listener, version=1), 12)


def test_of_many_that_advance_at_once_one_does(tables: Tables, dynamo: Stores) -> None:
    dynamo.connections.add("a1=", 7, ENDS)
    rivals = [stores_over(tables, "simulated").connections for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        moved = list(pool.map(lambda connections: connections.advance(NEW, 8), rivals))
    assert sorted(moved) == [False] * 7 + [True]


def test_what_is_removed_is_gone_and_removing_it_again_does_nothing(stores: Stores, listener: Subscription) -> None:
    stores.connections.add("b2=", 1, ENDS)
    for _ in range(2):
        stores.connections.remove("b2=")
    assert stores.connections.all() == [listener]


def test_every_listener_is_found(stores: Stores) -> None:
    for i in range(40):
        stores.connections.add(f"Lx{i}=", i, ENDS)
    assert sorted(each.position for each in stores.connections.all()) == list(range(40))


def test_two_sources_on_the_same_tables_have_their_own_listeners(tables: Tables) -> None:
    simulated, live = stores_over(tables, "simulated"), stores_over(tables, "binance")
    simulated.connections.add("a1=", 7, ENDS)
    assert live.connections.get("a1=") is None
    assert live.connections.all() == []


def test_a_listener_expires_in_the_second_it_said(tables: Tables, dynamo: Stores) -> None:
    dynamo.connections.add("a1=", 7, ENDS)
    dynamo.connections.add("b2=", 7, ENDS)
    dynamo.connections.save(replace(NEW, connection_id="b2=", expires_at=ENDS + HOUR))
    stored = [item for shard in range(4) for item in tables.connections.select(f"simulated#{shard}")]
    expirations = {item.sk: item.serialize()[EXPIRATION] for item in stored}
    assert expirations == {"a1=": {"N": str(ENDS // 1_000)}, "b2=": {"N": str((ENDS + HOUR) // 1_000)}}
