"""What trades returned on their own positions, in percent: by how they closed, and the extremes. Mergeable."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Self

from plumbline.domain.trades import Status, Trade

_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Returns:
    """Net returns of some closed trades that have a price, percent of each one's position. `+` merges in any order.

    `total` is of all of them, `targets` of those that closed at their target, `stops` of those at their stop; `best`
    and `worst` are single trades, None without any. Returns have six decimals, so the sums are exact.
    """

    total: Decimal = _ZERO
    targets: Decimal = _ZERO
    stops: Decimal = _ZERO
    best: Decimal | None = None
    worst: Decimal | None = None

    def __add__(self, other: "Returns") -> "Returns":
        return Returns(
            total=self.total + other.total,
            targets=self.targets + other.targets,
            stops=self.stops + other.stops,
            best=max(_known(self.best, other.best), default=None),
            worst=min(_known(self.worst, other.worst), default=None),
        )

    @classmethod
    def of(cls, trade: Trade) -> Self:
        """Of one trade; empty where it has no price."""
        if trade.net is None:
            return cls()
        pct = trade.net.pct
        return cls(
            total=pct,
            targets=pct if trade.status is Status.TARGET else _ZERO,
            stops=pct if trade.status is Status.STOP else _ZERO,
            best=pct,
            worst=pct,
        )


def _known(*values: Decimal | None) -> Iterable[Decimal]:
    return (value for value in values if value is not None)
