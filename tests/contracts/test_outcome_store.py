from dataclasses import replace
from decimal import Decimal

import pytest

from plumbline.domain.calendar import DAY, HOUR, Interval, day_start
from plumbline.domain.errors import InvalidInput
from plumbline.domain.outcomes import Label, Outcome
from plumbline.domain.signals import first_id
from plumbline.ports import Stores
from tests.builders import NOON, a_signal, an_outcome, signals_at

MIDNIGHT = day_start("2026-11-20")


def found(stores: Stores, after: int, until: int) -> list[Outcome]:
    """In one order, which the port leaves open."""
    return sorted(stores.outcomes.due_between(after, until), key=lambda o: (o.due_at, o.interval, o.signal_id))


def test_a_stored_outcome_comes_back_equal_in_every_field(stores: Stores) -> None:
    outcome = an_outcome(a_signal(entry_price=Decimal("0.00001234567891")), Interval.D7)
    stores.outcomes.add(outcome)
    assert stores.outcomes.get([(outcome.signal_id, Interval.D7)]) == {(outcome.signal_id, Interval.D7): outcome}


def test_an_unknown_outcome_has_no_price_and_comes_back_so(stores: Stores) -> None:
    outcome = an_outcome(price=None)
    stores.outcomes.add(outcome)
    (stored,) = stores.outcomes.get([(outcome.signal_id, outcome.interval)]).values()
    assert (stored.outcome, stored.exit_price, stored.pnl_pct) == (Label.UNKNOWN, None, None)


@pytest.mark.parametrize(
    "text",
    ["5", "-3.000000", "0", "1E+5", "0.1", "-0.000001", "99999999999999999999999999999999999999", "1E-120"],
)
def test_every_digit_of_a_price_is_kept(stores: Stores, text: str) -> None:
    outcome = replace(an_outcome(), pnl_pct=Decimal(text))
    stores.outcomes.add(outcome)
    (stored,) = stores.outcomes.get([(outcome.signal_id, outcome.interval)]).values()
    assert stored.pnl_pct == Decimal(text)
    assert isinstance(stored.pnl_pct, Decimal)


@pytest.mark.parametrize("text", ["1." + "1" * 38, "NaN", "Infinity"])
def test_a_number_that_dynamodb_cannot_hold_exactly_is_refused(dynamo: Stores, text: str) -> None:
    with pytest.raises(InvalidInput):
        dynamo.outcomes.add(replace(an_outcome(), pnl_pct=Decimal(text)))


def test_a_check_has_one_outcome_ever(stores: Stores) -> None:
    first = an_outcome()
    assert stores.outcomes.add(first)
    assert not stores.outcomes.add(first)
    assert not stores.outcomes.add(an_outcome(price=Decimal(1)))
    assert list(stores.outcomes.get([(first.signal_id, first.interval)]).values()) == [first]


def test_the_five_intervals_of_a_signal_are_five_outcomes(stores: Stores) -> None:
    signal = a_signal()
    outcomes = [an_outcome(signal, interval) for interval in Interval]
    assert [stores.outcomes.add(outcome) for outcome in outcomes] == [True] * 5
    assert list(stores.outcomes.get((signal.signal_id, i) for i in Interval).values()) != []
    assert stores.outcomes.get((signal.signal_id, i) for i in Interval) == {
        (signal.signal_id, outcome.interval): outcome for outcome in outcomes
    }


def test_only_keys_that_exist_are_answered(stores: Stores) -> None:
    outcome = an_outcome()
    stores.outcomes.add(outcome)
    keys = [(outcome.signal_id, Interval.H1), (outcome.signal_id, Interval.H4), (first_id(NOON), Interval.H1)]
    assert set(stores.outcomes.get(keys)) == {keys[0]}
    assert stores.outcomes.get([]) == {}
    assert set(stores.outcomes.get([keys[0], keys[0]])) == {keys[0]}


def test_more_than_a_hundred_keys_are_answered(stores: Stores) -> None:
    outcomes = [an_outcome(signal) for signal in signals_at(*range(NOON, NOON + 104))]
    for outcome in outcomes:
        stores.outcomes.add(outcome)
    keys = [(outcome.signal_id, outcome.interval) for outcome in outcomes]
    assert stores.outcomes.get([*keys, *keys]) == dict(zip(keys, outcomes, strict=True))


def test_an_outcome_whose_due_time_is_not_its_signals_is_refused(stores: Stores) -> None:
    with pytest.raises(InvalidInput, match="due at"):
        stores.outcomes.add(replace(an_outcome(), due_at=NOON))


@pytest.mark.parametrize("interval", list(Interval))
def test_due_between_leaves_its_start_out_and_takes_its_end(stores: Stores, interval: Interval) -> None:
    instants = (NOON, NOON + 1, NOON + HOUR, NOON + HOUR + 1)
    outcomes = [an_outcome(s, interval) for s in signals_at(*(due - interval.ms for due in instants))]
    for outcome in outcomes:
        stores.outcomes.add(outcome)
    assert found(stores, NOON, NOON + HOUR) == outcomes[1:3]
    assert found(stores, NOON, NOON) == []


def test_a_whole_day_is_every_outcome_due_in_it(stores: Stores) -> None:
    before, *inside, after = [
        an_outcome(signal, Interval.H4)
        for signal in signals_at(
            *(due - Interval.H4.ms for due in (MIDNIGHT - 1, MIDNIGHT, NOON, MIDNIGHT + DAY - 1, MIDNIGHT + DAY))
        )
    ]
    monthly = an_outcome(a_signal(timestamp=NOON - Interval.D30.ms), Interval.D30)
    for outcome in (before, *inside, after, monthly):
        stores.outcomes.add(outcome)
    whole = found(stores, MIDNIGHT - 1, MIDNIGHT + DAY - 1)
    assert sorted(whole, key=repr) == sorted([*inside, monthly], key=repr)
    assert before in found(stores, MIDNIGHT - 2, MIDNIGHT + DAY)
    assert after in found(stores, MIDNIGHT - 2, MIDNIGHT + DAY)


def test_a_day_from_its_start_ends_where_it_is_told(stores: Stores) -> None:
    outcomes = [an_outcome(signal) for signal in signals_at(MIDNIGHT, MIDNIGHT + HOUR, MIDNIGHT + HOUR + 1)]
    for outcome in outcomes:
        stores.outcomes.add(outcome)
    assert found(stores, MIDNIGHT - 1, MIDNIGHT + 2 * HOUR) == outcomes[:2]


def test_a_range_over_midnight_is_read_from_both_days(stores: Stores) -> None:
    outcomes = [an_outcome(signal) for signal in signals_at(*range(MIDNIGHT - HOUR - 2, MIDNIGHT - HOUR + 3))]
    for outcome in outcomes:
        stores.outcomes.add(outcome)
    assert found(stores, MIDNIGHT - 2, MIDNIGHT + 1) == outcomes[1:4]
