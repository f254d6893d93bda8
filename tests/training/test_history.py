"""Candles of a folder under either name, and the market that has lost its direction."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from layers.model.training import history
from plumbline.domain.calendar import HOUR, day_start
from plumbline.domain.candles import Candles
from plumbline.domain.errors import InvalidInput
from tests.builders import random_walk

START, END = day_start("2021-01-01"), day_start("2021-03-01")


def write(path: Path, candles: Candles, *further: str) -> None:
    rows = (",".join(map(repr, row)) for row in candles.rows())
    path.write_bytes(gzip.compress("\n".join(("timestamp,open,high,low,close,volume", *rows, *further)).encode()))


def test_a_folder_is_read_under_the_documented_name(tmp_path: Path) -> None:
    candles = random_walk("1h", 50)
    write(tmp_path / "BTC-USDT_1h.csv.gz", candles)
    assert history.recorded(tmp_path) == {"BTC/USDT": candles}


def test_two_sources_of_one_symbol_are_merged_by_time(tmp_path: Path) -> None:
    candles = random_walk("1h", 50)
    middle = int(candles.open_time[20])
    write(tmp_path / "spot__ADAUSDT__1h__one.csv.gz", candles.between(0, middle))
    write(tmp_path / "spot__ADAUSDT__1h__two.csv.gz", candles.between(middle - 5 * HOUR, middle + 500 * HOUR))
    assert history.recorded(tmp_path) == {"ADA/USDT": candles}


def test_other_markets_quotes_and_timeframes_are_left_alone(tmp_path: Path) -> None:
    for name in ("fx__EURUSD__1h__x", "um__BTCUSDT__1h__x", "spot__BTCUSDT__5m__x", "ETH-BTC_1h", "BTC-USDT_1m"):
        write(tmp_path / f"{name}.csv.gz", random_walk("1h", 5))
    write(tmp_path / "SOL-USDT_1h.csv.gz", random_walk("1h", 5))
    assert list(history.recorded(tmp_path)) == ["SOL/USDT"]


def test_a_row_that_cannot_be_a_candle_is_left_out(tmp_path: Path) -> None:
    candles = random_walk("1h", 5)
    off_the_hour = f"{int(candles.open_time[-1]) + HOUR + 1},1,1,1,1,1"
    write(tmp_path / "BTC-USDT_1h.csv.gz", candles, off_the_hour)
    assert history.recorded(tmp_path)["BTC/USDT"] == candles


@pytest.mark.parametrize(
    "content",
    [b"no gzip", gzip.compress(b"a,b\n1,2"), gzip.compress(b"")],
    ids=["no gzip", "other columns", "nothing"],  # a compressed file holds the second it was made in
)
def test_a_file_that_is_no_table_of_candles_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "BTC-USDT_1h.csv.gz").write_bytes(content)
    with pytest.raises(InvalidInput, match="BTC-USDT_1h"):
        history.recorded(tmp_path)


def test_a_folder_without_hourly_candles_says_how_to_name_them(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"BTC-USDT_1h\.csv\.gz"):
        history.recorded(tmp_path)


def hourly_sizes(candles: Candles) -> np.ndarray:
    return np.abs(np.diff(np.log(candles.close)))


def test_the_market_without_direction_moves_as_much_and_as_wildly() -> None:
    market = history.simulated(101, START, END)
    lost = history.without_direction(market, 1)
    for symbol, candles in market.items():
        np.testing.assert_allclose(hourly_sizes(lost[symbol]), hourly_sizes(candles), atol=1e-9)
        spread, before = np.log(lost[symbol].high / lost[symbol].low), np.log(candles.high / candles.low)
        np.testing.assert_allclose(spread, before, atol=1e-9)
        assert (lost[symbol].volume == candles.volume).all()


def follows(history_: history.History) -> float:
    """How a day's return goes with that of the day before, over all markets: 0 where nothing is to be known."""
    pairs = []
    for candles in history_.values():
        days = np.diff(np.log(candles.close[::24]))
        days /= days.std()
        pairs.append(np.mean(days[1:] * days[:-1]))
    return float(np.mean(pairs))


def test_the_simulated_market_has_trends_and_the_one_without_direction_has_none() -> None:
    market = history.simulated(101, START, day_start("2022-01-01"))
    lost = history.without_direction(market, 1)
    assert follows(market) > 0.2
    assert abs(follows(lost)) < 0.05


def test_the_same_seed_draws_the_same_lots() -> None:
    market = {"BTC/USDT": random_walk("1h", 100)}
    assert history.without_direction(market, 1) == history.without_direction(market, 1)
    assert history.without_direction(market, 1) != history.without_direction(market, 2)
