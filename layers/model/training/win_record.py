"""Signals and what became of them: what the win probability learns from."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import batched

import numpy as np

from layers.model.training.history import TIMEFRAME, History
from layers.model.training.record import signals_of
from layers.model.training.record_scores import outcome_of
from plumbline.domain.candles import Floats, Ints
from plumbline.domain.errors import InvalidInput
from plumbline.domain.outcomes import Outcome
from plumbline.domain.policy import Policy
from plumbline.domain.signals import Signal
from plumbline.domain.strategies import DEFAULT_CHANNELS, default_configuration
from plumbline.domain.win import HORIZON, WIN_FEATURES, Rows, describe, worth_it
from plumbline.ports import Stores

KNOWS = 0.9
"""An input that tells the outcome apart as well as this, by itself, was not known when the signal was made."""

_PAGE = 100


@dataclass(frozen=True, slots=True)
class Record:
    """Signals in order of time. Arrays (n,), `rows` (n, features): `won` is 1 where a signal was worth it, `pnl` is
    percent from the holder's side before costs, `time` that of the signal (ms).
    """

    rows: Rows
    won: Ints
    pnl: Floats
    time: Ints
    markets: int

    def __len__(self) -> int:
        return len(self.won)

    @classmethod
    def of(cls, judged: Iterable[tuple[Signal, Outcome | None]]) -> "Record":
        """Those whose outcome is known, and which say everything the model wants to know."""
        known = [(s, o) for s, o in judged if o is not None and o.pnl_pct is not None and s.stop_loss is not None]
        known.sort(key=lambda pair: pair[0].signal_id)
        rows = [describe(signal) for signal, _ in known]
        return cls(
            np.array(rows, dtype=np.float32).reshape(-1, len(WIN_FEATURES)),
            np.array([bool(worth_it(outcome)) for _, outcome in known], dtype=np.int64),
            np.array([float(outcome.pnl_pct or 0) for _, outcome in known]),
            np.array([signal.timestamp for signal, _ in known], dtype=np.int64),
            len({signal.symbol for signal, _ in known}),
        )

    def digest(self) -> str:
        """SHA-256 of inputs, labels and times: the provenance of whatever is learned from them."""
        return hashlib.sha256(b"".join(column.tobytes() for column in (self.rows, self.won, self.time))).hexdigest()


def on_candles(history: History, policy: Policy | None = None) -> Record:
    """The record that the default channels would have left on these candles.

    Without a policy, its channel leaves nothing, and it has no say in the others.
    """
    whole = [c for c in history.values() if len(c)]
    span = min(int(c.open_time[0]) for c in whole), max(int(c.open_time[-1]) for c in whole) + TIMEFRAME.ms
    found = (s for c in DEFAULT_CHANNELS for s in signals_of(history, c, default_configuration(c), span, policy))
    return Record.of((signal, outcome_of(signal, history[signal.symbol])) for signal in found)


def in_stores(stores: Stores, after: int, until: int) -> Record:
    """The record of a stack in (after, until] (ms): signals on hourly candles that count, and their outcomes."""
    return Record.of(_judged(stores, after, until))


def check_no_input_knows(record: Record) -> None:
    """InvalidInput names the input that tells the outcome by itself: something of the future is in it."""
    for name, values in zip(WIN_FEATURES, record.rows.T, strict=True):
        told = area(values.astype(np.float64), record.won)
        if max(told, 1 - told) >= KNOWS:
            raise InvalidInput(
                f"{name} alone tells what became of {max(told, 1 - told):.0%} of the pairs of signals; nothing that is "
                f"known before entry reaches {KNOWS:.0%}: the outcome is among the inputs"
            )


def area(values: Floats, won: Ints) -> float:
    """Area under the ROC curve: how often a won signal has the higher value than a lost one, ties counted half.

    0.5 where all were won, or none (Hanley and McNeil 1982).
    """
    wins = int(won.sum())
    losses = len(won) - wins
    if not wins or not losses:
        return 0.5
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    return float((ranks[won == 1].sum() - wins * (wins + 1) / 2) / (wins * losses))


def _judged(stores: Stores, after: int, until: int) -> Iterator[tuple[Signal, Outcome | None]]:
    counting = (s for s in stores.signals.between(after, until) if s.origin.counts and s.timeframe is TIMEFRAME)
    for page in batched(counting, _PAGE, strict=False):
        outcomes = stores.outcomes.get([(signal.signal_id, HORIZON) for signal in page])
        yield from ((signal, outcomes.get((signal.signal_id, HORIZON))) for signal in page)
