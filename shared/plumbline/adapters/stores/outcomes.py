"""Outcomes in DynamoDB: the five of a signal lie under five keys that anybody can compute. One write unit each."""

from collections.abc import Iterable, Iterator
from itertools import chain

from pynamodb.expressions.condition import Condition

from plumbline.adapters.items import at_once
from plumbline.adapters.stores.keys import days_of, ids_within, outcome_key, shards_of
from plumbline.adapters.tables import OutcomeItem
from plumbline.domain.calendar import DAY, Interval, day_start
from plumbline.domain.errors import InvalidInput
from plumbline.domain.outcomes import Label, Outcome
from plumbline.domain.signals import Origin, Side, Tier, timestamp_of
from plumbline.ports import OutcomeKey


class DynamoOutcomes:
    """ports.OutcomeStore."""

    def __init__(self, items: type[OutcomeItem], source: str) -> None:
        self._items = items
        self._source = source

    def add(self, outcome: Outcome) -> bool:
        """Put if absent, under the key of its check."""
        due = timestamp_of(outcome.signal_id) + outcome.interval.ms
        if outcome.due_at != due:
            raise InvalidInput(
                f"outcome of {outcome.signal_id} at {outcome.interval} is due at {due}, not {outcome.due_at}",
                field="due_at",
            )
        return self._encode(outcome).put_new()

    def get(self, keys: Iterable[OutcomeKey]) -> dict[OutcomeKey, Outcome]:
        """Those that exist, a hundred keys a call."""
        stored = self._items.fetch(outcome_key(self._source, *key) for key in keys)
        return {(outcome.signal_id, outcome.interval): outcome for outcome in map(_decode, stored)}

    def due_between(self, after: int, until: int, *, consistent: bool = True) -> Iterator[Outcome]:
        """Outcomes due in (after, until]: two queries for a day read from its start, else two for each interval.

        Today's partitions hold nothing that is not due yet, so reading them from the start reads nothing in vain.
        A reader's few outcomes are asked for at once; who must be `consistent` may read a whole day, page by page.
        """
        reads = self._reads(after, until, consistent=consistent)
        yield from chain.from_iterable(reads if consistent else at_once(reads))

    def _reads(self, after: int, until: int, *, consistent: bool) -> Iterator[Iterator[Outcome]]:
        for day in days_of(after, until) if until > after else ():
            start = day_start(day)
            first, last = max(after, start - 1), min(until, start + DAY - 1)
            for partition in shards_of(self._source, day):
                if first < start:
                    yield self._until(last, self._items.select(partition, consistent=consistent))
                else:
                    for within in self._parts(first, last):
                        yield self._until(last, self._items.select(partition, within, consistent=consistent))

    def _until(self, last: int, stored: Iterable[OutcomeItem]) -> Iterator[Outcome]:
        return (outcome for outcome in map(_decode, stored) if outcome.due_at <= last)

    def _parts(self, after: int, until: int) -> Iterator[Condition]:
        """Where in a partition each interval's outcomes of (after, until] lie."""
        for interval in Interval:
            low, high = ids_within(after - interval.ms, until - interval.ms)
            yield self._items.sk.between(f"{interval}#{low}", f"{interval}#{high}")

    def _encode(self, outcome: Outcome) -> OutcomeItem:
        return self._items(
            *outcome_key(self._source, outcome.signal_id, outcome.interval),
            symbol=outcome.symbol,
            signal_type=outcome.signal_type,
            entry_price=outcome.entry_price,
            exit_price=outcome.exit_price,
            price_change_pct=outcome.price_change_pct,
            pnl_pct=outcome.pnl_pct,
            outcome=outcome.outcome,
            unified_score=outcome.unified_score,
            scanner_type=outcome.scanner_type,
            channel_id=outcome.channel_id,
            snapshot_id=outcome.snapshot_id,
            origin=outcome.origin,
            checked_at=outcome.checked_at,
        )


def _decode(item: OutcomeItem) -> Outcome:
    interval, signal_id = item.sk.split("#")
    check = Interval(interval)
    return Outcome(
        signal_id=signal_id,
        interval=check,
        symbol=item.symbol,
        signal_type=Side(item.signal_type),
        entry_price=item.entry_price,
        exit_price=item.exit_price,
        price_change_pct=item.price_change_pct,
        pnl_pct=item.pnl_pct,
        outcome=Label(item.outcome),
        unified_score=item.unified_score,
        tier=Tier.of(item.unified_score),
        scanner_type=item.scanner_type,
        channel_id=item.channel_id,
        snapshot_id=item.snapshot_id,
        origin=Origin(item.origin),
        due_at=timestamp_of(signal_id) + check.ms,
        checked_at=item.checked_at,
    )
