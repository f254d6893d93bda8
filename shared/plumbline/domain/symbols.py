"""Symbols as people write them, resolved to the market's own: `BTCUSDT`, `btc-usdt` and `BTC` are `BTC/USDT`."""

from collections.abc import Collection
from difflib import SequenceMatcher, get_close_matches

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
    """The markets that look most like `text`, the closest first: a base with a typing error, or the whole name.

    Names are not compared as a whole only: every pair of USDT shares half its letters with every other.
    """
    wanted = _compact(text.upper())
    named = {market: _compact(market.upper()) for market in markets}
    bases = set(get_close_matches(_base(text.upper(), wanted, markets), {_base_of(market) for market in markets}))
    whole = set(get_close_matches(wanted, named.values(), cutoff=0.8))
    close = [market for market in markets if _base_of(market) in bases or named[market] in whole]
    return tuple(sorted(close, key=lambda market: (-_likeness(named[market], wanted), market))[:count])


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


def _base(text: str, squeezed: str, markets: Collection[str]) -> str:
    """The base that `text` names: what stands before a separator or before a quote currency that is traded."""
    if "/" in text:
        return text.split("/", maxsplit=1)[0]
    quotes = {market.split("/")[-1].split(":")[0].upper() for market in markets}
    longest = max((quote for quote in quotes if squeezed.endswith(quote)), key=len, default="")
    return squeezed.removesuffix(longest) or squeezed


def _base_of(market: str) -> str:
    return market.split("/", maxsplit=1)[0].upper()


def _likeness(name: str, wanted: str) -> float:
    return SequenceMatcher(None, name, wanted).ratio()


def _compact(name: str) -> str:
    return "".join(character for character in name if character not in "/-_: ")
