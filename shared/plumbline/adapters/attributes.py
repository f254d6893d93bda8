"""Attributes that PynamoDB does not have: money with every digit, whole numbers, hashes as bytes, packed JSON."""

import json
import zlib
from decimal import Context, Decimal, Inexact
from typing import Any

from pynamodb.attributes import Attribute
from pynamodb.constants import BINARY, NUMBER

from plumbline.domain.errors import InvalidInput

_DYNAMODB_NUMBER = Context(prec=38, traps=[Inexact])
"""DynamoDB keeps 38 significant digits and refuses more; so do we, instead of rounding money."""


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
