"""What requests cost: sums the capacity that DynamoDB itself reports, and computes an item's size as DynamoDB does."""

from collections import Counter, defaultdict
from decimal import Decimal
from types import TracebackType
from typing import Any, Self

from plumbline.adapters.tables import Tables

WRITES = {"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"}


class CapacityMeter:
    """Counts requests and ConsumedCapacity by operation and table while it is open. PynamoDB always asks for it.

    with CapacityMeter(tables) as meter: ...
    meter.write_units, meter.units["PutItem", "plumbline-local-signals"]

    moto reports one unit whatever an item weighs; DynamoDB and MiniStack report writes by size, indexes included.
    """

    def __init__(self, tables: Tables) -> None:
        self.units: defaultdict[tuple[str, str], float] = defaultdict(float)
        self.requests: Counter[str] = Counter()
        self._events = tables.connection.client.meta.events

    @property
    def write_units(self) -> float:
        """Units of everything that writes."""
        return sum(units for (operation, _), units in self.units.items() if operation in WRITES)

    @property
    def read_units(self) -> float:
        """Units of everything that reads."""
        return sum(units for (operation, _), units in self.units.items() if operation not in WRITES)

    def __enter__(self) -> Self:
        self._events.register("after-call.dynamodb", self._count)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._events.unregister("after-call.dynamodb", self._count)

    def _count(self, model: Any, parsed: dict[str, Any], **_: Any) -> None:
        self.requests[model.name] += 1
        reported = parsed.get("ConsumedCapacity") or []
        for each in reported if isinstance(reported, list) else [reported]:
            self.units[model.name, each.get("TableName", "")] += each["CapacityUnits"]


def item_size(item: dict[str, dict[str, Any]]) -> int:
    """Bytes of a serialized item as DynamoDB bills them: names and values, a number a byte for two digits and one more.

    From "DynamoDB item sizes and formats" in the DynamoDB developer guide; text, binary and numbers only.
    """
    return sum(len(name.encode()) + _value_size(value) for name, value in item.items())


def _value_size(value: dict[str, Any]) -> int:
    ((kind, content),) = value.items()
    match kind:
        case "S":
            return len(content.encode())
        case "B":
            return len(content)
        case "N":
            number = Decimal(content).normalize()
            return (len(number.as_tuple().digits) + 1) // 2 + 1 + (number < 0)
        case _:
            raise NotImplementedError(f"size of an attribute of type {kind}")
