import pytest

from plumbline.domain.errors import CursorMoved
from plumbline.ports import Cursor, Stores

NAME = "check#24h"


def at_100(stores: Stores) -> Cursor:
    return stores.cursors.move(None, NAME, 100, {"tried": [1, 2], "until": {"BTC/USDT": 7}})


def test_a_cursor_that_never_moved_is_none(stores: Stores) -> None:
    assert stores.cursors.read(NAME) is None


def test_a_moved_cursor_is_read_as_it_was_returned(stores: Stores) -> None:
    moved = at_100(stores)
    assert moved.position == 100
    assert stores.cursors.read(NAME) == moved


def test_numbers_of_any_kind_in_the_notes_come_back_as_they_were(stores: Stores) -> None:
    notes: dict[str, object] = {"runs": [[250, 345.6, 50, 1.25], [1, 0.1, 0, 0.0]], "gone": [], "tiny": 1e-300}
    moved = stores.cursors.move(None, NAME, 100, notes)
    read = stores.cursors.read(NAME)
    assert read is not None
    assert read.notes == moved.notes == notes


def test_moving_on_raises_the_version(stores: Stores) -> None:
    first = at_100(stores)
    second = stores.cursors.move(first, NAME, 200, {})
    assert (second.position, second.notes) == (200, {})
    assert second.version > first.version


def test_a_position_may_stay_while_the_notes_change(stores: Stores) -> None:
    second = stores.cursors.move(at_100(stores), NAME, 100, {"tried": []})
    assert stores.cursors.read(NAME) == second


def test_of_two_runs_that_read_the_same_cursor_one_moves_it(stores: Stores) -> None:
    read = at_100(stores)
    won = stores.cursors.move(read, NAME, 200, {})
    with pytest.raises(CursorMoved, match=NAME):
        stores.cursors.move(read, NAME, 300, {})
    assert stores.cursors.read(NAME) == won


def test_of_two_runs_that_found_no_cursor_one_makes_it(stores: Stores) -> None:
    at_100(stores)
    with pytest.raises(CursorMoved):
        stores.cursors.move(None, NAME, 300, {})


def test_a_cursor_that_vanished_is_not_made_again(stores: Stores) -> None:
    with pytest.raises(CursorMoved):
        stores.cursors.move(Cursor(NAME, 100, 3), NAME, 200, {})
    assert stores.cursors.read(NAME) is None


@pytest.mark.parametrize(("to", "position"), [(50, 50), (100, 100), (150, 100)])
def test_a_rewind_never_moves_forward_and_keeps_the_notes(stores: Stores, to: int, position: int) -> None:
    before = at_100(stores)
    stores.cursors.rewind(NAME, to)
    after = stores.cursors.read(NAME)
    assert after is not None
    assert (after.position, after.notes) == (position, before.notes)


@pytest.mark.parametrize("to", [50, 100, 150])
def test_a_run_under_way_cannot_move_a_cursor_that_was_rewound(stores: Stores, to: int) -> None:
    read = at_100(stores)
    stores.cursors.rewind(NAME, to)
    with pytest.raises(CursorMoved):
        stores.cursors.move(read, NAME, 200, {})


def test_rewinding_what_does_not_exist_does_nothing(stores: Stores) -> None:
    stores.cursors.rewind(NAME, 50)
    assert stores.cursors.read(NAME) is None


def test_all_cursors_are_sorted_by_name(stores: Stores) -> None:
    moved = [stores.cursors.move(None, name, 1, {}) for name in ("generate#1h", "check#1h", "collect#1m")]
    assert stores.cursors.all() == sorted(moved, key=lambda cursor: cursor.name)
