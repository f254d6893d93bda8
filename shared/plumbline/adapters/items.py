"""How a DynamoDB item is read and written: six verbs over PynamoDB, our errors, one connection for all tables.

No verb scans. Reads are strongly consistent unless they say otherwise; writes take their condition by name.
"""

import json
import random
import time
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Context, Decimal, Inexact
from itertools import batched
from typing import Any, ClassVar, Self

from pynamodb.attributes import Attribute, UnicodeAttribute
from pynamodb.connection import Connection
from pynamodb.constants import BINARY, NUMBER
from pynamodb.exceptions import PutError, PynamoDBException, TableError, UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.models import Model

from plumbline.domain.errors import InvalidInput, StoreUnavailable

type Key = tuple[str, str]
"""Partition and sort key: every table of the record has both, as text."""

KEYS_A_CALL = 100
"""BatchGetItem takes no more."""

_CONDITION_FAILED = "ConditionalCheckFailedException"
_REQUEST_IS_WRONG = {_CONDITION_FAILED, "ValidationException", "SerializationException"}
"""Answers about the request itself: DynamoDB is there, so these are not StoreUnavailable."""

_DYNAMODB_NUMBER = Context(prec=38, traps=[Inexact])
"""DynamoDB keeps 38 significant digits and refuses more; so do we, instead of rounding money."""


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
            if reason in _REQUEST_IS_WRONG:
                raise
            raise StoreUnavailable(
                f"{operation} on table {cls.Meta.table_name} failed with {reason}: {exc.cause or exc}", retry_after=1.0
            ) from exc


class DecimalAttribute(Attribute[Decimal]):
    """Money: a DynamoDB number with every digit kept, in its shortest form."""

    attr_type = NUMBER

    def serialize(self, value: Decimal) -> str:
        """Digits without exponent; InvalidInput for what DynamoDB cannot hold exactly."""
        if not value.is_finite():
            raise InvalidInput(f"{value} cannot be stored as a number", field=self.attr_name)
        try:
            return format(_DYNAMODB_NUMBER.normalize(value), "f")
        except Inexact:
            raise InvalidInput(f"{value} has more than 38 digits", field=self.attr_name) from None

    def deserialize(self, value: str) -> Decimal:
        """The same number."""
        return Decimal(value)


class IntegerAttribute(Attribute[int]):
    """A whole number."""

    attr_type = NUMBER

    def serialize(self, value: int) -> str:
        """Its digits."""
        return str(value)

    def deserialize(self, value: str) -> int:
        """The same number."""
        return int(value)


class HashAttribute(Attribute[str]):
    """A SHA-256 in hex as 33 bytes instead of 64; any other text stays text. The first byte says which."""

    attr_type = BINARY

    def serialize(self, value: str) -> bytes:
        """`h` and 32 raw bytes, or `t` and the text in UTF-8."""
        is_hash = len(value) == 64 and set(value) <= set("0123456789abcdef")
        return b"h" + bytes.fromhex(value) if is_hash else b"t" + value.encode()

    def deserialize(self, value: bytes) -> str:
        """The same text."""
        return value[1:].hex() if value[:1] == b"h" else value[1:].decode()


class PackedJson(Attribute[Any]):
    """JSON, canonical (the same value gives the same bytes) and compressed."""

    attr_type = BINARY

    def serialize(self, value: object) -> bytes:
        """Sorted keys, no spaces, zlib."""
        return zlib.compress(json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode(), 9)

    def deserialize(self, value: bytes) -> Any:
        """The same value, tuples as lists."""
        return json.loads(zlib.decompress(value))


def _refused(exc: PynamoDBException) -> bool:
    """False where only the condition failed; anything else is an error."""
    if exc.cause_response_code == _CONDITION_FAILED:
        return False
    raise exc
