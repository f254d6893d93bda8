"""What the tables' streams report, back in the domain's words."""

import base64
from collections.abc import Mapping
from typing import Any

from plumbline.adapters.paper_items import BoardItem, PositionItem, TradeItem
from plumbline.adapters.stores.positions import decode_board, decode_position
from plumbline.adapters.stores.signals import decode_signal
from plumbline.adapters.stores.trades import decode_trade
from plumbline.adapters.tables import SignalItem
from plumbline.domain.signals import Signal
from plumbline.domain.trades import Board, Position, Trade


def decode_change(record: Mapping[str, Any], source: str) -> Signal | Position | Board | Trade | None:
    """What a stream record has written: a signal, an open trade, the board, or the fact of a closed trade.

    None for all else: deletions, marks, the listing of a trade that is a fact elsewhere, another source's record.
    `record` is one of `Records` in a Lambda event of a stream with new images, its binary values in base64.
    """
    image = record["dynamodb"].get("NewImage")
    own, _, place = image["pk"]["S"].partition("#") if image else ("", "", "")
    if own != source:
        return None
    raw = {name: _bytes(value) for name, value in image.items()}
    match place.split("#"):
        case [day, _] if len(day) == len("2026-11-20") and day[:4].isdecimal():
            return decode_signal(SignalItem.from_raw_data(raw), source)
        case ["trade", _, _]:
            return decode_trade(TradeItem.from_raw_data(raw))
        case ["open", _]:
            return decode_position(item := PositionItem.from_raw_data(raw), item.sk)
        case ["board"]:
            return decode_board(BoardItem.from_raw_data(raw))
    return None


def _bytes(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """The client of a table decodes binary values, the event of a stream leaves them as text."""
    return {"B": base64.b64decode(value["B"])} if "B" in value else value
