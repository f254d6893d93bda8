"""Read units as DynamoDB bills them, computed from the sizes of the items in each answer.

Emulators count a read as one unit whatever it returns, so their own figure says nothing. The rule (DynamoDB developer
guide, "Read consumption"): a Query rounds the sum of its page up to 4 KB; GetItem and BatchGetItem round each item up;
an answer without items costs one unit; half of it all where the read is eventually consistent.
"""

import json
from collections import Counter, defaultdict
from types import TracebackType
from typing import Any, Self

from plumbline.adapters.tables import Tables
from tests.capacity import item_size

_UNIT = 4096


class ReadMeter:
    """Sums read units by table, and counts requests, while it is open."""

    def __init__(self, tables: Tables) -> None:
        self.units: defaultdict[str, float] = defaultdict(float)
        self.requests: Counter[str] = Counter()
        self._events = tables.connection.client.meta.events
        self._asked: dict[str, Any] = {}

    @property
    def total(self) -> float:
        """Units of all tables."""
        return sum(self.units.values())

    def __enter__(self) -> Self:
        self._events.register("before-call.dynamodb", self._ask)
        self._events.register("after-call.dynamodb", self._answer)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._events.unregister("before-call.dynamodb", self._ask)
        self._events.unregister("after-call.dynamodb", self._answer)

    def _ask(self, params: dict[str, Any], **_: Any) -> None:
        self._asked = json.loads(params["body"])

    def _answer(self, model: Any, parsed: dict[str, Any], **_: Any) -> None:
        asked = self._asked
        match model.name:
            case "Query":
                size = sum(map(item_size, parsed["Items"]))
                self._count(asked["TableName"], [size], consistent=asked.get("ConsistentRead", False))
            case "GetItem":
                size = item_size(parsed.get("Item", {}))
                self._count(asked["TableName"], [size], consistent=asked.get("ConsistentRead", False))
            case "BatchGetItem":
                for table, wanted in asked["RequestItems"].items():
                    sizes = [item_size(item) for item in parsed["Responses"].get(table, ())]
                    sizes += [0] * (len(wanted["Keys"]) - len(sizes))
                    self._count(table, sizes, consistent=wanted.get("ConsistentRead", False))
            case _:
                return
        self.requests[model.name] += 1

    def _count(self, table: str, sizes: list[int], *, consistent: bool) -> None:
        units = sum(max(1, -(-size // _UNIT)) for size in sizes)
        self.units[table.rsplit("-", 1)[-1]] += units if consistent else units / 2
