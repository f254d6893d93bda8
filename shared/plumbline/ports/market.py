"""What the market is asked, and what is kept of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from plumbline.domain.calendar import Timeframe
from plumbline.domain.candles import Candles, Sifted


class Exchange(Protocol):
    """A market's public data. Only `collect_candles` may hold one."""

    @property
    def source(self) -> str:
        """Name of the data source: `binance`, `recorded`, `simulated`."""

    def candles(self, symbol: str, timeframe: Timeframe, start: int, end: int) -> Sifted:
        """Candles with open time in [start, end), as many pages as it takes.

        Raises UnknownSymbol, or ExchangeUnavailable with `retry_after` where the exchange said so.
        """

    def markets(self) -> tuple[str, ...]:
        """Every active symbol, sorted, in ccxt's spelling."""

    def most_traded(self, quote: str, count: int) -> tuple[str, ...]:
        """Spot pairs of `quote` by quote volume of the last 24 hours, largest first."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of one series: open times in [start, end)."""

    symbol: str
    timeframe: Timeframe
    start: int
    end: int


class CandleStore(Protocol):
    """Closed candles of one data source."""

    def load(self, spans: Sequence[Span]) -> list[Candles]:
        """What is stored of each span, in the order asked."""

    def add(self, symbol: str, candles: Candles) -> int:
        """Store what is not stored yet; a stored candle never changes. Returns how many were new."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Universe:
    """The market's catalogue on one day: its symbols, and the most traded ones of each quote currency scanned.

    `taken_at` (ms) is when the exchange was asked: what it ranks had been traded by then. 0: known from the beginning.
    """

    day: str
    markets: tuple[str, ...]
    most_traded: Mapping[str, tuple[str, ...]]
    taken_at: int = 0


class Markets(Protocol):
    """What was traded, day by day, and which outside symbols are followed until when."""

    def add(self, universe: Universe) -> bool:
        """Store a day's catalogue; False where the day has one."""

    def on(self, days: Sequence[str]) -> list[Universe]:
        """The catalogues that exist of these days, oldest first."""

    def follow(self, symbol: str, until: int) -> None:
        """Collect this symbol at least until then; never shortens."""

    def followed(self, now: int) -> tuple[str, ...]:
        """Symbols to be collected beside the channels' own, sorted."""
