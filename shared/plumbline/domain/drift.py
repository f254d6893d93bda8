"""Whether the model still sees the market it was trained on, and still earns its place in it."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelReport:
    """What became of the model over the `days` that ended with `day`, on all candles it was asked about.

    `examples` counts the candles whose trades are decided. `psi` is each feature's population stability index against
    the training examples. Log-losses are nats per example; `skill` is the prior's minus the model's, positive where the
    model knows more than the frequencies of its training, with a 95 % interval over days. `acted` counts the candles on
    which it would have signalled, `hits` those of them whose trade reached its target, `stated` their mean probability.
    """

    day: str
    days: int
    model: str
    version: str
    model_hash: str
    symbols: tuple[str, ...]
    examples: int
    psi: Mapping[str, float]
    log_loss: float
    prior_log_loss: float
    skill: float
    skill_low: float
    skill_high: float
    brier: float
    calibration_error: float
    acted: int
    hits: int
    stated: float
    earns_its_place: bool
