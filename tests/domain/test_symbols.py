import pytest

from plumbline.domain.errors import UnknownSymbol
from plumbline.domain.symbols import near, resolve

MARKETS = ("BTC/EUR", "BTC/USDT", "BTC/USDT:USDT", "DOGE/USDT", "ETH/BTC", "ETH/USDT", "SOL/USDC", "XRP/USDT")


@pytest.mark.parametrize("text", ["BTC/USDT", "btc/usdt", "BTCUSDT", "BTC", " btc ", "BTC-USDT", "btc_usdt"])
def test_every_spelling_of_a_pair_is_that_pair(text: str) -> None:
    assert resolve(text, MARKETS) == "BTC/USDT"


def test_a_base_alone_means_the_usual_quote_currency() -> None:
    assert resolve("BTC", MARKETS, quote="EUR") == "BTC/EUR"
    assert resolve("SOL", MARKETS, quote="usdc") == "SOL/USDC"


def test_a_name_that_ends_in_another_quote_currency_keeps_it() -> None:
    assert resolve("ETHBTC", MARKETS) == "ETH/BTC"


def test_a_swap_answers_only_to_its_full_name() -> None:
    assert resolve("btc/usdt:usdt", MARKETS) == "BTC/USDT:USDT"
    for text in ("BTCUSDT", "BTC", "BTCUSDTUSDT", "ETH/USDT:USDT"):
        with pytest.raises(UnknownSymbol):
            resolve(text, ("BTC/USDT:USDT", "ETH/USDT"))


def test_a_market_is_found_whatever_its_case() -> None:
    assert resolve("1000sats", ("1000sats/usdt",)) == "1000sats/usdt"


def test_where_two_pairs_squeeze_to_one_name_the_usual_quote_decides() -> None:
    assert resolve("ABCUSDT", ("AB/CUSDT", "ABC/USDT")) == "ABC/USDT"


def test_a_name_that_two_pairs_share_is_refused_with_both() -> None:
    with pytest.raises(UnknownSymbol) as refused:
        resolve("ABCXYZ", ("AB/CXYZ", "ABC/XYZ"))
    assert set(refused.value.near) == {"AB/CXYZ", "ABC/XYZ"}


@pytest.mark.parametrize("text", ["BTCC/USDT", "BTCC", "BTCUDST", "XBTUSDT"])
def test_a_typing_error_is_refused_with_what_was_probably_meant(text: str) -> None:
    with pytest.raises(UnknownSymbol, match=r"did you mean .*BTC/USDT") as refused:
        resolve(text, MARKETS)
    assert refused.value.symbol == text


def test_pairs_are_not_near_because_they_share_a_quote_currency() -> None:
    assert near("BTCC/USDT", MARKETS)[0] == "BTC/USDT"
    assert not set(near("BTCC/USDT", MARKETS)) & {"ETH/USDT", "DOGE/USDT", "XRP/USDT"}


def test_a_known_base_with_an_unknown_quote_brings_its_markets() -> None:
    assert near("SOL/USDT", MARKETS) == ("SOL/USDC",)


@pytest.mark.parametrize("text", ["", "   ", "/", "GARBAGE"])
def test_what_resembles_nothing_is_refused_without_a_guess(text: str) -> None:
    with pytest.raises(UnknownSymbol, match="no similar market is known"):
        resolve(text, MARKETS)


def test_an_empty_catalogue_knows_nothing() -> None:
    with pytest.raises(UnknownSymbol):
        resolve("BTC/USDT", ())
