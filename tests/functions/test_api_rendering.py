"""What the API promises of a signal and a trade is what the library renders, for the feed as well."""

from typing import Any, get_type_hints

import pytest

from api.answers import ProvenanceBody, SignalBody
from api.paper_answers import TradeBody
from plumbline.rendering import position_body, signal_body, trade_body
from tests.builders import a_position, a_signal, a_trade


@pytest.mark.parametrize(
    ("body", "shape"),
    [
        (signal_body(a_signal()), SignalBody),
        (signal_body(a_signal(), a_trade()), SignalBody),
        (signal_body(a_signal())["provenance"], ProvenanceBody),
        (position_body(a_position(), "simulated"), TradeBody),
        (trade_body(a_trade(), "simulated"), TradeBody),
    ],
)
def test_every_field_is_there_and_no_other(body: Any, shape: Any) -> None:
    assert set(body) == set(get_type_hints(shape)) - {"outcomes"}
