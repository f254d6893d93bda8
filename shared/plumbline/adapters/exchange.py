"""The market through ccxt: closed candles, the catalogue, the most traded pairs. Importing this module imports ccxt."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from email.utils import parsedate_to_datetime
from importlib import import_module
from typing import Any

import ccxt  # type: ignore[import-untyped]  # ccxt ships no types
from ccxt.base.errors import (  # type: ignore[import-untyped]  # ccxt ships no types
    BadResponse,
    BadSymbol,
    BaseError,
    RequestTimeout,
)
from ccxt.base.exchange import Exchange as CcxtClient  # type: ignore[import-untyped]  # ccxt ships no types

from plumbline.domain.calendar import DAY, SECOND, Timeframe, to_ms
from plumbline.domain.candles import Sifted, sift
from plumbline.domain.errors import ExchangeUnavailable, InvalidInput, SettingsError, UnknownSymbol
from plumbline.domain.symbols import near
from plumbline.settings import OWN_MARKETS

DIALECT = "binance"
"""What our own simulated exchange speaks."""

SETTLING = 1 * SECOND
"""A live exchange may still count the last trades of a candle for a moment after its close."""

TIMEOUT = 10.0
_PAGE = 500
_REGION = (403, 451)
_GARBLED = (AttributeError, IndexError, KeyError, TypeError, ValueError)
"""What ccxt's parsers raise on JSON of another shape than they expect."""


def open_exchange(name: str, url: str = "", *, timeout: float = TIMEOUT) -> "CcxtExchange":
    """The exchange of this name: a ccxt id, or `simulated` or `recorded` at `url`. Asks it nothing yet.

    Raises SettingsError for a name that this installation of ccxt does not hold.
    """
    own = name in OWN_MARKETS
    settings = {
        "enableRateLimit": not own,
        "timeout": int(timeout * SECOND),
        # Spot markets and nothing else: currencies, margin and derivatives are other endpoints, some of them private.
        "has": {"fetchCurrencies": False},
        "options": {"defaultType": "spot", "fetchMarkets": {"types": ["spot"]}, "fetchMargins": False},
    }
    client = _client_class(DIALECT if own else name)(settings)
    if own:
        client.urls["api"] = {"public": f"{url.rstrip('/')}/api/v3"}
    return CcxtExchange(client, name, settling=0 if own else SETTLING)


class CcxtExchange:
    """`ports.Exchange` over one ccxt client, which keeps its connection and its catalogue of markets."""

    def __init__(self, client: Any, source: str, *, settling: int) -> None:
        self._client = client
        self._settling = settling
        self._catalogued: int | None = None
        self.source = source

    def candles(self, symbol: str, timeframe: Timeframe, start: int, end: int) -> Sifted:
        """Closed candles with open time in [start, end), as many pages as it takes; all of them or an error.

        A candle counts as closed by the exchange's own time at its first answer, so that one still open is not taken
        even where `end` lies in the future.
        """
        rows: list[object] = []
        seen_at: int | None = None
        with self._asking():
            page = self._page_size(symbol, timeframe) * timeframe.ms
            for since in range(-(-start // timeframe.ms) * timeframe.ms, end, page):
                rows += self._page(symbol, timeframe, since, min(since + page, end))
                seen_at = self._client.answered if seen_at is None else seen_at
        sifted = sift(timeframe, rows)
        closed = sifted.candles.between(start, end).closed_by((seen_at or 0) - self._settling)
        return Sifted(closed, sifted.refused)

    def markets(self) -> tuple[str, ...]:
        """Every active symbol, sorted; the catalogue is asked for again when it is a day old."""
        with self._asking():
            listed = self._catalogue(at_most_old=DAY)
        return tuple(sorted(symbol for symbol, market in listed.items() if market.get("active") is not False))

    def most_traded(self, quote: str, count: int) -> tuple[str, ...]:
        """Active spot pairs of `quote` by quote volume of the last 24 hours, largest first."""
        with self._asking():
            listed = self._catalogue()
            tickers = self._client.fetch_tickers()
            volumes = {
                symbol: _quote_volume(ticker)
                for symbol, ticker in tickers.items()
                if _is_spot_of(listed.get(symbol), quote)
            }
        return tuple(sorted(volumes, key=lambda symbol: (-volumes[symbol], symbol))[:count])

    def _page_size(self, symbol: str, timeframe: Timeframe) -> int:
        """Candles that one answer of this exchange may hold."""
        listed = self._catalogue()
        if symbol not in listed:
            raise UnknownSymbol(symbol, near(symbol, listed))
        valid = self._client.timeframes or {}
        if timeframe not in valid:
            raise InvalidInput(f"{self.source} has no {timeframe} candles; it has {' '.join(valid)}", field="timeframe")
        return int(self._client.feature_value(symbol, "fetchOHLCV", "limit", _PAGE) or _PAGE)

    def _page(self, symbol: str, timeframe: Timeframe, since: int, until: int) -> Sequence[object]:
        """The rows of [since, until), as they came."""
        limit = (until - since - 1) // timeframe.ms + 1
        try:
            rows: Sequence[object] = self._client.fetch_ohlcv(
                symbol, str(timeframe), since, limit, {"until": until - 1}
            )
        except BadSymbol as exc:
            # Delisted since the catalogue was read: near is whatever else looks like it.
            others = [market for market in self._catalogue() if market != symbol]
            raise UnknownSymbol(symbol, near(symbol, others)) from exc
        return rows

    def _catalogue(self, at_most_old: int | None = None) -> dict[str, Any]:
        client = self._client
        stale = at_most_old is not None and (client.answered or 0) - (self._catalogued or 0) >= at_most_old
        if self._catalogued is None or stale:
            # Binance repeats the permission sets of every pair: most of the answer's bytes, and nothing we read.
            client.load_markets(True, {"showPermissionSets": "false"} if client.id == DIALECT else {})
            if not client.markets:
                raise ExchangeUnavailable(f"{self.source} answered with a catalogue that holds no market")
            if self.source in OWN_MARKETS:
                _check_label(self.source, client.last_response_headers)
            self._catalogued = client.answered
        markets: dict[str, Any] = client.markets
        return markets

    @contextmanager
    def _asking(self) -> Iterator[None]:
        try:
            yield
        except BaseError as exc:
            raise _unavailable(self.source, self._client, exc) from exc
        except _GARBLED as exc:
            raise ExchangeUnavailable(f"{self.source} answered what is not market data: {exc!r}") from exc


class _StrictClient(CcxtClient):  # type: ignore[misc]  # ccxt ships no types
    """Where ccxt is lenient: it hands on a page of HTML or half a JSON as text, and drops rows that have no time."""

    answered: int | None = None
    """The exchange's time (ms) at its last answer, by that answer's Date; ours where it sends none."""

    def fetch(self, url: str, method: str = "GET", headers: Any = None, body: Any = None) -> Any:
        answer = super().fetch(url, method, headers, body)
        # An empty object is what a proxy says instead of a list; ccxt reads it as "no candles".
        if not isinstance(answer, dict | list) or answer == {}:
            raise BadResponse(f"{_short(answer, 80) or 'nothing'} (to {method} {url.partition('?')[0]})")
        self.answered = _date(self.last_response_headers) or self.milliseconds()
        return answer

    def parse_ohlcvs(self, ohlcvs: Any, market: Any = None, *_: object, **__: object) -> list[object]:
        """Every row, also the ones that cannot be read, so that each refused one is counted."""
        return [self.parse_ohlcv(row, market) if isinstance(row, list | dict) else row for row in ohlcvs]


def _client_class(name: str) -> Any:
    if name not in ccxt.exchanges:
        close = get_close_matches(name, ccxt.exchanges, n=3)
        hint = f"did you mean {', '.join(close)}?" if close else f"there are {', '.join(ccxt.exchanges)}"
        raise SettingsError(f"PLUMBLINE_EXCHANGE={name!r} is no exchange of this installation; {hint}")
    return type(name, (_StrictClient, getattr(import_module(f"ccxt.{name}"), name)), {})


def _check_label(source: str, headers: Any) -> None:
    """What a record says of its source must be true: our exchange names in each answer what it serves."""
    served = headers.get("X-Plumbline-Source", "nothing it names")
    if served != source:
        raise SettingsError(f"PLUMBLINE_EXCHANGE is {source!r}, but the market at PLUMBLINE_EXCHANGE_URL is {served}")


def _unavailable(name: str, client: Any, exc: Exception) -> ExchangeUnavailable:
    # ccxt raises while it handles the HTTP library's error: the answer itself hangs on that one.
    response = getattr(exc.__context__, "response", None)
    if response is None:
        return ExchangeUnavailable(_without_answer(name, client, exc))
    status, said = response.status_code, _short(response.text)
    if status in _REGION:
        return ExchangeUnavailable(
            f"{name} refuses requests from this region or network (HTTP {status}: {said}); "
            "run the functions where it serves, or set PLUMBLINE_EXCHANGE to another exchange"
        )
    wait = _retry_after(response.headers)
    when = f"; it asks to wait {wait:g} s" if wait is not None else ""
    return ExchangeUnavailable(f"{name} answered HTTP {status}: {said or 'nothing'}{when}", retry_after=wait)


def _without_answer(name: str, client: Any, exc: Exception) -> str:
    if isinstance(exc, RequestTimeout):
        return f"{name} did not answer within {client.timeout / SECOND:g} s"
    if isinstance(exc, BadResponse):
        return f"{name} answered what is not market data: {_short(exc)}"
    return f"{name} cannot be asked: {type(exc).__name__}: {_short(exc)}"


def _retry_after(headers: Any) -> float | None:
    """Seconds to wait: the header holds a number or a date."""
    text = headers.get("Retry-After", "")
    try:
        return max(0.0, float(text))
    except ValueError:
        until, now = _date({"Date": text}), _date(headers)
        return max(0.0, (until - now) / SECOND) if until and now else None


def _date(headers: Any) -> int | None:
    try:
        return to_ms(parsedate_to_datetime(headers["Date"]))
    except (KeyError, TypeError, ValueError):
        return None


def _short(text: object, length: int = 200) -> str:
    return " ".join(str(text).split())[:length]


def _is_spot_of(market: Any, quote: str) -> bool:
    return bool(market and market["spot"] and market["quote"] == quote and market.get("active") is not False)


def _quote_volume(ticker: Any) -> float:
    """Some exchanges count in the base currency only."""
    volume = ticker.get("quoteVolume")
    if volume is None:
        volume = (ticker.get("baseVolume") or 0.0) * (ticker.get("last") or 0.0)
    return float(volume)
