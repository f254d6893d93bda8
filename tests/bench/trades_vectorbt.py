"""The same trades in vectorbt: run in an environment of its own, told on stdin what to time.

vectorbt holds one position a column, so trades that overlap need a column each: the candles of every trade are laid
side by side and simulated with `entries` in the first row, `exits` in the last, `sl_stop` and `tp_stop` a column.
Trades that do not overlap fit into one column, the series itself. Both call its compiled simulation directly, without
pandas.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from vectorbt.portfolio import nb  # type: ignore[import-not-found]  # not in the project's environment
from vectorbt.portfolio.enums import Direction, StopEntryPrice  # type: ignore[import-not-found]  # as above

COLUMNS = 2_500
"""Trades side by side: of 24 hours, four tables of 29 MB."""


def main(folder: Path) -> None:
    """Answer every line, `columns` or `series` and the name of a set of trades, with the milliseconds it took."""
    candles = {name: np.load(folder / f"{name}.npy") for name in ("open", "high", "low", "close")}
    jobs = {"columns": columns, "series": series}
    for line in sys.stdin:
        job, name = line.split()
        trades = dict(np.load(folder / f"{name}.npz"))
        began = time.perf_counter()
        last, price = jobs[job](candles, trades)
        taken = time.perf_counter() - began
        np.savez(folder / f"{name}-{job}.npz", last=last, price=price)
        print(json.dumps(1e3 * taken), flush=True)  # noqa: T201  # this is the answer


def columns(candles: dict[str, Any], trades: dict[str, Any]) -> tuple[Any, Any]:
    """Candle and price of each exit, a column for each trade."""
    parts = [slice(at, at + COLUMNS) for at in range(0, len(trades["first"]), COLUMNS)]
    found = [_side_by_side(candles, {name: values[part] for name, values in trades.items()}) for part in parts]
    last, price = (np.concatenate(column) for column in zip(*found, strict=True))
    return last, price


def _side_by_side(candles: dict[str, Any], trades: dict[str, Any]) -> tuple[Any, Any]:
    first, count = trades["first"], len(trades["first"])
    rows = first[:, None] + np.arange(-1, int(trades["candles"][0]))
    tables = {name: values.take(rows).T for name, values in candles.items()}
    # The row before the first candle is where it buys, at the open that follows.
    tables["close"][0] = candles["open"][first]
    length = rows.shape[1]
    here = np.zeros((length, 1), dtype=np.bool_), np.zeros((length, 1), dtype=np.bool_)
    here[0][0] = here[1][-1] = True
    orders = _simulate((length, count), tables, *here, trades, tables["close"])
    exits = orders[1::2]
    return first + exits["idx"] - 1, exits["price"]


def series(candles: dict[str, Any], trades: dict[str, Any]) -> tuple[Any, Any]:
    """Candle and price of each exit, all in one column: only where no trade begins before another ends."""
    first, length = trades["first"], len(candles["open"])
    per_candle = {name: np.full((length, 1), np.nan) for name in ("sl", "tp")}
    direction = np.zeros((length, 1), dtype=np.int64)
    entries, exits = np.zeros((2, length, 1), dtype=np.bool_)
    price = candles["close"].copy().reshape(-1, 1)
    bought, over = first - 1, first + int(trades["candles"][0]) - 1
    entries[bought], exits[over] = True, True
    price[bought, 0] = candles["open"][first]
    direction[bought, 0] = direction[over, 0] = trades["direction"]
    for name, values in per_candle.items():
        values[bought, 0] = trades[name]
    tables = {name: values.reshape(-1, 1) for name, values in candles.items()}
    orders = _simulate((length, 1), tables, entries, exits, {"direction": direction, **per_candle}, price)
    return orders[1::2]["idx"], orders[1::2]["price"]


def _simulate(
    shape: tuple[int, int], tables: dict[str, Any], entries: Any, exits: Any, trades: dict[str, Any], price: Any
) -> Any:
    orders, _ = nb.simulate_from_signals_nb(
        target_shape=shape,
        group_lens=np.ones(shape[1], dtype=np.int64),
        init_cash=np.full(shape[1], 1e12),
        call_seq=np.zeros((1, shape[1]), dtype=np.int64),
        entries=entries,
        exits=exits,
        direction=trades["direction"],
        size=np.asarray(1.0),
        price=price,
        sl_stop=trades["sl"],
        tp_stop=trades["tp"],
        stop_entry_price=np.asarray(StopEntryPrice.FillPrice),
        max_orders=2 * int(entries.sum()) * shape[1],
        **tables,
    )
    return orders


if __name__ == "__main__":
    assert (Direction.LongOnly, Direction.ShortOnly) == (0, 1)
    main(Path(sys.argv[1]))
