"""Stored candles as the generator takes them: as far as they are whole, with those that a market is ranked among."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from plumbline.domain.calendar import Timeframe, iso
from plumbline.domain.candles import Candles
from plumbline.domain.strategies import Channel, Configuration
from plumbline.pipeline.channels import scanned_symbols, universes_between
from plumbline.pipeline.generating import decided_until, window_span
from plumbline.pipeline.progress import Progress
from plumbline.ports import Cursor, Stores, Universe


@dataclass(frozen=True, slots=True)
class Stored:
    """What decides on `symbol`: each market's window at the candle that closed at `close` (ms); 0 before there is one.

    Without ranks `windows` holds only the symbol's own. `notes` say what was left out and why.
    """

    symbol: str
    close: int
    windows: Mapping[str, Candles]
    notes: tuple[str, ...] = ()

    @property
    def window(self) -> Candles:
        """The symbol's own candles."""
        return self.windows[self.symbol]


def newest_close(collected: Cursor | None, timeframe: Timeframe, now: int) -> int:
    """Close of the newest candle that is collected (ms); 0 before there is one.

    "Newest" is the collector's word, not the clock's: in a replay, or while the exchange is away, the two differ.
    """
    return timeframe.floor(min(now, collected.position)) if collected else 0


def stored(
    stores: Stores,
    channel: Channel,
    configuration: Configuration,
    timeframe: Timeframe,
    symbol: str,
    progress: Progress,
    *,
    newest: int,
    now: int,
) -> Stored:
    """The candles on which the generator decides: none beyond a hole that may still fill.

    Where the configuration compares markets these are the channel's whole universe, which goes as far as the last of
    its markets. A symbol outside of the universe is ranked among it all the same.
    """
    universes = universes_between(stores, newest, newest) if configuration.compares_markets and newest else []
    close = newest
    while True:
        company = _company(universes, channel, configuration, symbol, close)
        ends = decided_until(progress, company, close, now, together=len(company) > 1)
        reach = timeframe.floor(ends[symbol])
        if reach == close:
            break
        # A market that was never collected cannot be waited for: before the ranking that names it, another one served.
        ranked_at = max((u.taken_at for u in universes if u.taken_at <= close), default=0)
        close = max(reach, timeframe.floor(ranked_at - 1))
    if len(company) == 1:
        window = _own_window(stores, symbol, timeframe, close)
        return Stored(symbol, close, {symbol: window}, (ALONE,) if configuration.compares_markets else ())
    notes = (*_outsider(universes, channel, symbol, close), *_laggard(progress, company, close, newest))
    return Stored(symbol, close, _windows(stores, ends, timeframe, close), notes)


def _company(
    universes: Sequence[Universe], channel: Channel, configuration: Configuration, symbol: str, close: int
) -> list[str]:
    scanned = scanned_symbols(universes, channel, close) if configuration.compares_markets else ()
    return sorted({symbol, *scanned} - {*configuration.excluded_symbols} | {symbol})


def _windows(stores: Stores, ends: Mapping[str, int], timeframe: Timeframe, close: int) -> dict[str, Candles]:
    """Each symbol's window at `close`, as far as it goes."""
    if not close:
        return {symbol: Candles.empty(timeframe) for symbol in ends}
    loaded = stores.candles.load([window_span(symbol, timeframe, close) for symbol in ends])
    return {symbol: window.closed_by(ends[symbol]) for symbol, window in zip(ends, loaded, strict=True)}


def _own_window(stores: Stores, symbol: str, timeframe: Timeframe, close: int) -> Candles:
    """The window of the symbol's last candle: where it closed earlier, its window may begin earlier too."""
    window = _windows(stores, {symbol: close}, timeframe, close)[symbol]
    last = int(window.open_time[-1]) + timeframe.ms if len(window) else close
    return window if last == close else _own_window(stores, symbol, timeframe, last)


ALONE = "mss: it ranks a market among the channel's universe, and this decision had one market"
"""Said wherever a configuration that compares markets sees only one."""


def _outsider(universes: Sequence[Universe], channel: Channel, symbol: str, close: int) -> tuple[str, ...]:
    scanned = scanned_symbols(universes, channel, close)
    return () if symbol in scanned else (f"{symbol} is ranked among the {len(scanned)} markets that the channel scans",)


def _laggard(progress: Progress, company: Sequence[str], close: int, newest: int) -> tuple[str, ...]:
    if close == newest:
        return ()
    last = min(company, key=progress.solid_until)
    reached = f"are whole until {iso(close)} only" if close else "are not collected yet"
    return (f"candles closed by {iso(newest)}: a rank needs every market, and those of {last} {reached}",)
