"""How a DynamoDB item is read and written: a few verbs over PynamoDB, our errors, one connection for all tables.

No verb scans. Reads are strongly consistent unless they say otherwise; writes take their condition by name.
"""

import random
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import batched
from typing import TYPE_CHECKING, Any, ClassVar, Self

from pynamodb.attributes import UnicodeAttribute
from pynamodb.connection import Connection
from pynamodb.exceptions import PutError, PynamoDBException, TableError, TransactWriteError, UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.models import Model
from pynamodb.transactions import TransactWrite

from plumbline.domain.errors import StoreUnavailable

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

type Key = tuple[str, str]
"""Partition and sort key: every table of the record has both, as text."""

SIDE_BY_SIDE = 8
"""Reads that wait for the network at the same time; the connection keeps ten sockets."""

KEYS_A_CALL = 100
"""BatchGetItem takes no more."""

_CONDITION_FAILED = "ConditionalCheckFailedException"
_CANCELED = "TransactionCanceledException"
_CHECK_FAILED = "ConditionalCheckFailed"
_LOST_RACES = {_CHECK_FAILED, "TransactionConflict"}
"""Reasons for which a transaction is cancelled although nobody is away."""
_REQUEST_IS_WRONG = {_CONDITION_FAILED, "ValidationException", "SerializationException"}
"""Answers about the request itself: DynamoDB is there, so these are not StoreUnavailable."""


class Item(Model):
    """Base of every model: text keys `pk` and `sk`, and the verbs."""

    pauses: ClassVar[Sequence[float]] = (0.05, 0.1, 0.2, 0.4, 0.8)
    """Seconds (at most) before each new try for the keys that a BatchGetItem left out."""

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)

    @classmethod
    def bind(cls, table: str, connection: Connection) -> type[Self]:
        """This model over one table of one stack: PynamoDB keeps the name on the class, so each stack has its own."""
        bound: type[Self] = type(cls.__name__, (cls,), {"Meta": type("Meta", (), {"table_name": table})})
        bound.share(connection)
        return bound

    @classmethod
    def share(cls, connection: Connection) -> None:
        """Use this connection: a session and client for each table costs a cold start some 40 ms apiece."""
        table = cls._get_connection()
        try:
            connection.get_meta_table(table.table_name)
        except TableError:
            connection.add_meta_table(table.get_meta_table())
        table.connection = connection

    def put_new(self) -> bool:
        """Put if absent; False where the key is taken."""
        key_is_free = type(self).pk.does_not_exist()
        return self.put_if(key_is_free)

    def put_if(self, condition: Condition) -> bool:
        """Put where the condition holds; False where it does not."""
        try:
            with self._asking("PutItem"):
                self.save(condition)
        except PutError as exc:
            return _refused(exc)
        return True

    def put(self) -> None:
        """Put, whatever is there."""
        with self._asking("PutItem"):
            self.save()

    def change_if(self, condition: Condition, *actions: Action) -> bool:
        """Update where the condition holds; False where it does not."""
        try:
            with self._asking("UpdateItem"):
                self.update(list(actions), condition)
        except UpdateError as exc:
            return _refused(exc)
        return True

    @classmethod
    def put_together(cls, *puts: tuple["Item", Condition]) -> list[bool] | None:
        """Put all of these if each condition holds, else none: None where it is done, else whose condition failed.

        No True among them: somebody else was writing one of them at that moment, and trying again may work. All are of
        one stack. Costs twice the write units of single puts.
        """
        connection = cls._get_connection().connection
        try:
            with (
                cls._asking("TransactWriteItems"),
                TransactWrite(connection=connection, return_consumed_capacity="TOTAL") as together,
            ):
                for item, condition in puts:
                    together.save(item, condition)
        except TransactWriteError as exc:
            if not _lost_a_race(exc):
                raise
            return [reason is not None and reason.code == _CHECK_FAILED for reason in exc.cancellation_reasons]
        return None

    @classmethod
    def remove(cls, pk: str, sk: str) -> None:
        """Delete; nothing happens where there is none."""
        with cls._asking("DeleteItem"):
            cls(pk, sk).delete()

    @classmethod
    def read(cls, pk: str, sk: str, *, consistent: bool = True) -> Self | None:
        """One item."""
        try:
            with cls._asking("GetItem"):
                return cls.get(pk, sk, consistent_read=consistent)
        except cls.DoesNotExist:
            return None

    @classmethod
    def fetch(cls, keys: Iterable[Key]) -> Iterator[Self]:
        """The items that exist of these keys, each once, in no order."""
        unique = [{"pk": {"S": pk}, "sk": {"S": sk}} for pk, sk in dict.fromkeys(keys)]
        for page in batched(unique, KEYS_A_CALL, strict=False):
            yield from cls._fetch_page(page)

    @classmethod
    def select(
        cls,
        pk: str,
        within: Condition | None = None,
        *,
        newest_first: bool = False,
        consistent: bool = True,
        index: str | None = None,
        page_size: int | None = None,
    ) -> Iterator[Self]:
        """One partition's items in order of their sort key; an index is only ever eventually consistent."""
        with cls._asking("Query"):
            yield from cls.query(
                pk,
                within,
                consistent_read=consistent and index is None,
                index_name=index,
                scan_index_forward=not newest_first,
                page_size=page_size,
            )

    @classmethod
    def _fetch_page(cls, missing: Sequence[Any]) -> Iterator[Self]:
        """DynamoDB answers what it can (16 MB, or its capacity of the moment) and returns the other keys: ask again."""
        pauses, table = iter(cls.pauses), cls.Meta.table_name
        while missing:
            with cls._asking("BatchGetItem"):
                answer = cls._get_connection().batch_get_item(missing, consistent_read=True)
            found = answer.get("Responses", {}).get(table, ())
            missing = answer.get("UnprocessedKeys", {}).get(table, {}).get("Keys", ())
            yield from map(cls.from_raw_data, found)
            if missing and not found:
                cls._pause(pauses, len(missing))

    @classmethod
    def _pause(cls, pauses: Iterator[float], missing: int) -> None:
        longest = next(pauses, None)
        if longest is None:
            raise StoreUnavailable(
                f"BatchGetItem on table {cls.Meta.table_name}: {missing} keys still unprocessed after "
                f"{len(cls.pauses)} more tries; its capacity is used up, try again later",
                retry_after=1.0,
            )
        time.sleep(random.uniform(0, longest))  # noqa: S311  # spreads writers that were throttled together

    @classmethod
    @contextmanager
    def _asking(cls, operation: str) -> Iterator[None]:
        """Turn whatever kept DynamoDB from answering into StoreUnavailable."""
        try:
            yield
        except cls.DoesNotExist:
            raise
        except PynamoDBException as exc:
            reason = exc.cause_response_code or type(exc.cause or exc).__name__
            if reason in _REQUEST_IS_WRONG or _lost_a_race(exc):
                raise
            raise StoreUnavailable(
                f"{operation} on table {cls.Meta.table_name} failed with {reason}: {exc.cause or exc}", retry_after=1.0
            ) from exc


def _lost_a_race(exc: PynamoDBException) -> bool:
    """Whether a transaction was cancelled by conditions or by another one, and by nothing else."""
    if not isinstance(exc, TransactWriteError) or exc.cause_response_code != _CANCELED:
        return False
    return all(reason is None or reason.code in _LOST_RACES for reason in exc.cancellation_reasons)


def _refused(exc: PynamoDBException) -> bool:
    """False where only the condition failed; anything else is an error."""
    if exc.cause_response_code == _CONDITION_FAILED:
        return False
    raise exc


def at_once[T](reads: Iterable[Iterable[T]]) -> list[list[T]]:
    """Each of several lazy reads to its end, in their order: they wait side by side, not one after the other."""
    return list(_readers().map(list, reads))


@cache
def _readers() -> "ThreadPoolExecutor":
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415  # only functions that answer readers need it

    return ThreadPoolExecutor(SIDE_BY_SIDE, thread_name_prefix="reads")
