"""Symbols as people write them, resolved to the market's own: `BTCUSDT`, `btc-usdt` and `BTC` are `BTC/USDT`."""

from collections.abc import Collection
from difflib import get_close_matches

from plumbline.domain.errors import UnknownSymbol

NEAR_MATCHES = 3


def resolve(text: str, markets: Collection[str], quote: str = "USDT") -> str:
    """The market that `text` names, in ccxt's spelling; UnknownSymbol with the near matches where there is none.

    A contract such as `BTC/USDT:USDT` answers only to its full name: nobody gets a swap who asked for `BTC`.
    """
    wanted = text.strip().upper()
    found = _names(wanted, markets, quote.upper())
    if not found:
        raise UnknownSymbol(text, near(text, markets))
    return found


def near(text: str, markets: Collection[str], count: int = NEAR_MATCHES) -> tuple[str, ...]:
    """The markets whose name, with or without its quote currency, looks most like `text`; the closest first."""
    wanted = _compact(text.upper())
    spellings: dict[str, str] = {}
    for market in sorted(markets):
        spellings.setdefault(market.split("/")[0].upper(), market)
        spellings[_compact(market.upper())] = market
    close = get_close_matches(wanted, spellings, n=2 * count) if wanted else []
    return tuple(dict.fromkeys(spellings[name] for name in close))[:count]


def _names(wanted: str, markets: Collection[str], quote: str) -> str:
    """Exact name first, then base with the usual quote, then the name without its separators."""
    by_name = {market.upper(): market for market in markets}
    if exact := by_name.get(wanted) or by_name.get(f"{wanted}/{quote}"):
        return exact
    if ":" in wanted:
        return ""
    squeezed = _compact(wanted)
    same = sorted(market for market in markets if ":" not in market and _compact(market.upper()) == squeezed)
    # AB/CUSDT and ABC/USDT squeeze to one name: the usual quote decides, otherwise nobody does.
    usual = [market for market in same if market.upper().endswith(f"/{quote}")]
    only = usual or same
    return only[0] if len(only) == 1 else ""


def _compact(name: str) -> str:
    return "".join(character for character in name if character not in "/-_: ")
