"""Everything that can go wrong and is ours to say.

PlumblineError
├── InvalidInput          the caller's data cannot be used; the message shows the value and what is valid
│   ├── InvalidCandle     a candle that cannot have happened
│   └── UnknownSymbol     no such market; carries the near matches
├── NotFound              the thing named does not exist
├── RecordRefused         may not enter the record (placeholder output, another data source)
├── ModelRefused          the model file is not the one this code was made for
├── SettingsError         the environment is incomplete or wrong; lists every fault at once
├── CorruptChunk          stored candles do not match their own checksum; ours to repair, nobody's input
├── CursorMoved           another run moved the cursor first; nothing is lost, the next run goes on
└── Unavailable           somebody else is away; try again after `retry_after` seconds
    ├── ExchangeUnavailable
    └── StoreUnavailable
"""

from collections.abc import Sequence


class PlumblineError(Exception):
    """Root of the tree: catching it catches what this project raises on purpose."""


class InvalidInput(PlumblineError):
    """The caller's data cannot be used. `field` names the culprit where there is one."""

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class InvalidCandle(InvalidInput):
    """A candle that cannot have happened: high under low, a price of zero, a time off its grid."""


class UnknownSymbol(InvalidInput):
    """No market of this name is known; `near` holds the closest that are."""

    def __init__(self, symbol: str, near: Sequence[str] = ()) -> None:
        hint = f"; did you mean {', '.join(near)}?" if near else "; no similar market is known"
        super().__init__(f"unknown symbol {symbol!r}{hint}", field="symbol")
        self.symbol = symbol
        self.near = tuple(near)


class NotFound(PlumblineError):
    """The thing named does not exist."""


class RecordRefused(PlumblineError):
    """This may not enter the record."""


class ModelRefused(PlumblineError):
    """This model file is broken, or made for other features, another window or other actions than this code has."""


class SettingsError(PlumblineError):
    """The environment is incomplete or wrong."""


class CorruptChunk(PlumblineError):
    """A stored chunk of candles does not match its own checksum or count."""


class CursorMoved(PlumblineError):
    """Another run moved this cursor first: what it and we wrote is the same, so we simply stop."""

    def __init__(self, name: str, expected: int) -> None:
        super().__init__(f"cursor {name!r} is no longer at version {expected}: another run moved it first")
        self.name = name


class Unavailable(PlumblineError):
    """Somebody else is away; trying again after `retry_after` seconds may work."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ExchangeUnavailable(Unavailable):
    """The exchange refused, failed or answered something that is not market data."""


class StoreUnavailable(Unavailable):
    """A table did not answer."""
