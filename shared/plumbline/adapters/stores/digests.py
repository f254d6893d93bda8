"""Digests in DynamoDB, beside the rollups they are made of: one item each, a year of a kind in one partition."""

import zlib
from typing import TYPE_CHECKING

from plumbline.adapters.tables import RollupItem

if TYPE_CHECKING:
    from plumbline.domain.digest import Digest, Kind


class DynamoDigests:
    """ports.Digests."""

    def __init__(self, items: type[RollupItem], source: str) -> None:
        self._items = items
        self._source = source

    def put(self, digest: "Digest", version: int) -> None:
        """One item, replaced whole."""
        from plumbline.domain.digest import dump_digest  # noqa: PLC0415  # only the summary needs what it brings

        packed = zlib.compress(dump_digest(digest).encode(), 9)
        none_is_newer = self._items.version.does_not_exist() | (self._items.version <= version)
        key = self._partition(digest.kind, digest.last_day), digest.last_day
        self._items(*key, version=version, through=digest.end - 1, cells=packed).put_if(none_is_newer)

    def get(self, kind: "Kind", last_day: str) -> "Digest | None":
        """One read."""
        from plumbline.domain.digest import parse_digest  # noqa: PLC0415  # as above

        item = self._items.read(self._partition(kind, last_day), last_day)
        return parse_digest(zlib.decompress(item.cells).decode()) if item else None

    def _partition(self, kind: "Kind", day: str) -> str:
        return f"{self._source}#digest#{kind}#{day[:4]}"
