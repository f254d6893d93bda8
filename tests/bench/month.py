"""Promise P5 at full length: a month in one step, hour by hour and minute by minute leaves the same record."""

import logging
import time
from collections.abc import Iterator

from plumbline.domain.calendar import DAY, HOUR, MINUTE
from tests.world import START, Record, a_stack, an_exchange, run, steps

DAYS = 31


def lines() -> Iterator[str]:
    """Each way through the month, and whether its record is that of the first."""
    logging.disable(logging.WARNING)
    end = START + DAYS * DAY
    yield f"{DAYS} days of five markets"
    yield ""
    yield "| steps | seconds | signals | outcomes | the same record |"
    yield "|---|---|---|---|---|"
    first: Record | None = None
    for moments in ([START, end], steps(DAYS, HOUR), steps(DAYS, MINUTE)):
        stores, began = a_stack(), time.perf_counter()
        # The last moment once more, for what its own run called back.
        run(stores, an_exchange(DAYS), [*moments, end])
        record = Record.of(stores)
        first = first or record
        seconds = time.perf_counter() - began
        counts = f"{len(record.signals)} | {len(record.outcomes)}"
        yield f"| {len(moments):,} | {seconds:.0f} | {counts} | {'yes' if record == first else 'NO'} |"
