"""The second model speaks beside a signal, where it beat the base rate, and changes nothing else about it."""

from dataclasses import replace

import numpy as np
import pytest

from plumbline.domain.calendar import HOUR, Timeframe
from plumbline.domain.candles import Floats
from plumbline.domain.signals import Signal
from plumbline.domain.win import Rows
from plumbline.pipeline.generating import generate_signals, with_win_probability
from plumbline.pipeline.ruling import Models
from tests.builders import a_signal
from tests.fakes import FakePolicy, FakeWin
from tests.world import SETTINGS, START, a_stack, an_exchange, collect


def generated(models: Models) -> list[Signal]:
    stores, exchange = a_stack(), an_exchange()
    for hour in range(24):
        collect(stores, exchange, START + hour * HOUR)
        generate_signals(stores, SETTINGS, Timeframe.H1, START + hour * HOUR, models=models)
    return list(stores.signals.between(0, START + 24 * HOUR))


def test_the_recorded_signals_carry_the_probability_and_are_otherwise_the_same() -> None:
    plain = generated(Models(FakePolicy))
    told = generated(Models(FakePolicy, FakeWin))
    assert plain
    assert all(signal.win_probability is None for signal in plain)
    assert all(signal.win_probability == pytest.approx(signal.unified_score / 100, abs=5e-5) for signal in told)
    assert [replace(signal, win_probability=None) for signal in told] == plain


@pytest.mark.parametrize("model", [FakeWin(enabled=False), FakeWin(timeframe=Timeframe.H4), None])
def test_a_model_that_is_off_or_reads_another_timeframe_says_nothing(model: FakeWin | None) -> None:
    [signal] = with_win_probability([a_signal()], lambda: model)
    assert signal.win_probability is None


def test_without_a_signal_the_model_is_not_opened() -> None:
    def opened() -> FakeWin:
        raise AssertionError("nobody asked")

    assert with_win_probability([], opened) == []


class Silent(FakeWin):
    """A model for which a value is missing."""

    def probability(self, rows: Rows) -> Floats:
        return np.full(len(rows), np.nan)


def test_a_probability_that_is_no_number_is_none() -> None:
    [signal] = with_win_probability([a_signal()], Silent)
    assert signal.win_probability is None
