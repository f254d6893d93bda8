"""The report against pandas over the raw outcomes: counts exact, everything else to 1e-9."""

from decimal import Decimal

import numpy as np

from plumbline import reports
from plumbline.domain.calendar import DAY, HOUR, MINUTE, Interval, day_of, day_start
from plumbline.domain.signals import Action, Origin
from plumbline.pipeline.progress import SUMMARISE
from plumbline.pipeline.summarising import summarise_day
from plumbline.ports import Stores
from tests.builders import NOON, a_signal, an_outcome
from tests.fakes import memory_stores
from tests.frames import COUNTS, compared, differs, frame

TODAY = day_start(day_of(NOON))
DAYS = 14


def a_market(count: int) -> Stores:
    """A record over sixteen days of whatever may happen: five symbols, both sides, prices missing here and there."""
    random, stores = np.random.default_rng(5), memory_stores()
    for n in range(count):
        signal = a_signal(
            timestamp=TODAY - 16 * DAY + int(random.integers(0, 16 * DAY // MINUTE)) * MINUTE + n,
            symbol=f"S{random.integers(5)}/USDT",
            scanner_type=("technical", "mss", "social")[int(random.integers(3))],
            channel_id=f"channel-{random.integers(3)}",
            snapshot_id=str(random.integers(2)) * 64,
            action=Action.BUY if random.random() < 0.6 else Action.SELL,
            unified_score=round(float(random.uniform(30, 100)), 4),
            origin=Origin.BACKFILL if random.random() < 0.05 else Origin.LIVE,
        )
        stores.signals.add(signal)
        for interval in Interval:
            move = Decimal(repr(round(float(random.normal(1, 0.05)), 9)))
            if signal.due(interval) <= NOON:
                price = None if random.random() < 0.03 else signal.entry_price * move
                stores.outcomes.add(an_outcome(signal, interval, price=price))
    return stores


def test_every_figure_of_every_breakdown_is_the_one_that_pandas_finds() -> None:
    stores = a_market(400)
    stores.cursors.move(None, SUMMARISE, TODAY - 17 * DAY, {})
    summarise_day(stores, NOON - 3 * HOUR)
    found = reports.report(stores, DAYS, NOON)
    rows = frame(stores.outcomes.due_between(found.period.start - 1, NOON))
    assert len(rows) > 1_000
    checked = list(compared(found, rows))
    assert len(checked) > 250
    for cell, figure, ours, theirs in checked:
        assert differs(figure, ours, theirs) <= (0 if figure in COUNTS else 1e-9), (cell, figure, ours, theirs)
