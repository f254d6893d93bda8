import gzip
from pathlib import Path

import pytest

from infra.local.exchange import ExchangeServer, RecordedMarket
from plumbline.domain.calendar import DAY, HOUR, MINUTE, Timeframe, day_start
from plumbline.domain.errors import InvalidInput

JANUARY = day_start("2024-01-01")
HEADER = "timestamp,open,high,low,close,volume"


def write(folder: Path, name: str, *lines: str, header: str = HEADER) -> Path:
    path = folder / name
    path.write_bytes(gzip.compress("\n".join((header, *lines, "")).encode()))
    return path


def minutes(count: int, price: float = 100.0) -> list[str]:
    return [f"{JANUARY + i * MINUTE},{price},{price + 2},{price - 1},{price + 1},1.5" for i in range(count)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path, "BTC-USDT_1m.csv.gz", *minutes(90))
    write(tmp_path, "BTC-USDT_1h.csv.gz", f"{JANUARY - HOUR},50,51,49,50,7", f"{JANUARY},50,60,40,55,8")
    write(tmp_path, "ETH-USDT_1m.csv.gz", *minutes(30, price=20.0))
    return tmp_path


def test_pairs_are_what_the_files_are_named(folder: Path) -> None:
    assert [pair.symbol for pair in RecordedMarket(folder).pairs] == ["BTC/USDT", "ETH/USDT"]


def test_a_timeframe_with_its_own_file_is_served_from_it(folder: Path) -> None:
    hours = RecordedMarket(folder).candles("BTC/USDT", Timeframe.H1, JANUARY - DAY, JANUARY + DAY)
    assert hours.rows() == [(JANUARY - HOUR, 50, 51, 49, 50, 7), (JANUARY, 50, 60, 40, 55, 8)]


def test_any_other_timeframe_is_made_of_the_minutes(folder: Path) -> None:
    found = RecordedMarket(folder).candles("ETH/USDT", Timeframe.M15, JANUARY, JANUARY + DAY)
    assert found.rows() == [(JANUARY, 20, 22, 19, 21, 22.5), (JANUARY + 15 * MINUTE, 20, 22, 19, 21, 22.5)]


def test_a_window_holds_the_candles_that_open_in_it(folder: Path) -> None:
    found = RecordedMarket(folder).candles("BTC/USDT", Timeframe.M1, JANUARY + 1, JANUARY + 3 * MINUTE)
    assert found.open_time.tolist() == [JANUARY + MINUTE, JANUARY + 2 * MINUTE]


def test_a_pair_without_minutes_still_has_the_timeframes_recorded(tmp_path: Path) -> None:
    write(tmp_path, "SOL-USDT_1d.csv.gz", f"{JANUARY},10,12,9,11,5")
    market = RecordedMarket(tmp_path)
    assert len(market.candles("SOL/USDT", Timeframe.D1, 0, JANUARY + DAY)) == 1
    assert len(market.candles("SOL/USDT", Timeframe.H1, 0, JANUARY + DAY)) == 0
    assert market.end == JANUARY + DAY


def test_without_a_set_clock_it_is_the_end_of_the_data(folder: Path) -> None:
    market = RecordedMarket(folder)
    assert market.end == JANUARY + 90 * MINUTE
    with ExchangeServer(market) as server:
        assert server.venue.now == JANUARY + 90 * MINUTE


@pytest.mark.parametrize(
    ("lines", "where"),
    [
        ([*minutes(2), "tomorrow,1,1,1,1,1"], r":4: 'tomorrow,1,1,1,1,1' is not six numbers"),
        ([*minutes(1), f"{JANUARY + MINUTE},1,2,1,1"], r":3: .* has 5 columns instead of 6"),
        ([*minutes(1), f"{JANUARY + MINUTE},1,2,1,1,1,1"], r":3: .* has 7 columns instead of 6"),
        ([*minutes(1), f"{JANUARY + MINUTE},10,9,8,9,1"], r":3: .*high 9.0 is below open 10.0"),
        ([*minutes(1), f"{JANUARY + MINUTE},10,11,0,9,1"], r":3: .*low 0.0 must be above zero"),
        ([*minutes(1), f"{JANUARY + MINUTE},10,nan,9,9,1"], r":3: .*must be a finite number"),
        ([*minutes(1), f"{JANUARY + 5},10,11,9,9,1"], r":3: .*multiple of 1m"),
        ([*minutes(3), minutes(1)[0]], r":5: .*does not come after"),
        ([*minutes(1), *minutes(1)], r":3: .*does not come after"),
        ([], r":2: there is no candle"),
    ],
)
def test_a_bad_line_is_named_with_its_file_and_number(tmp_path: Path, lines: list[str], where: str) -> None:
    path = write(tmp_path, "BTC-USDT_1m.csv.gz", *lines)
    with pytest.raises(InvalidInput, match=f"{path}{where}"):
        RecordedMarket(tmp_path).check()


def test_other_columns_are_refused(tmp_path: Path) -> None:
    write(tmp_path, "BTC-USDT_1m.csv.gz", *minutes(1), header="time,open,close,high,low,volume")
    with pytest.raises(InvalidInput, match=r":1: the first line must be 'timestamp,open,high,low,close,volume'"):
        RecordedMarket(tmp_path).check()


@pytest.mark.parametrize("content", [b"timestamp,open", gzip.compress(b"timestamp" * 99, mtime=0)[:-9], b""])
def test_what_is_no_gzip_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "BTC-USDT_1m.csv.gz").write_bytes(content)
    with pytest.raises(InvalidInput, match=r"BTC-USDT_1m\.csv\.gz"):
        RecordedMarket(tmp_path).check()


@pytest.mark.parametrize("name", ["BTCUSDT_1m.csv.gz", "BTC-USDT_7m.csv.gz", "btc-usdt_1m.csv.gz"])
def test_a_file_of_another_name_is_refused(tmp_path: Path, name: str) -> None:
    write(tmp_path, name, *minutes(1))
    with pytest.raises(InvalidInput, match=f"{name}: name it <BASE>-<QUOTE>_<timeframe>"):
        RecordedMarket(tmp_path)


def test_a_folder_without_candles_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="holds no"):
        RecordedMarket(tmp_path)
    with pytest.raises(InvalidInput, match="is not a folder"):
        RecordedMarket(tmp_path / "nowhere")
