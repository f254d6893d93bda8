"""By what a channel decides: its configuration with the policy it asks, or the rules alone where that is missing."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from plumbline.domain.calendar import Timeframe
from plumbline.domain.strategies import Configuration

if TYPE_CHECKING:  # its module brings the indicators' library, and every function's wiring brings this one
    from plumbline.domain.policy import ModelFacts, Policy
    from plumbline.domain.win import WinModel

type Policies = Callable[[], Policy | None]
"""Opens the policy when one is needed; None where there is no model file."""


type WinModels = Callable[[], WinModel | None]
"""Opens the model of the win probability when a signal is found; None where there is none for this market."""


def no_policy() -> None:
    """PLACEHOLDER mode: there is no model."""


def no_win_model() -> None:
    """Nobody says how likely a signal is to be worth its costs."""


@dataclass(frozen=True, slots=True)
class Models:
    """The trained models, each opened by the first who needs it."""

    policy: Policies = no_policy
    win: WinModels = no_win_model


NO_MODELS = Models()
"""PLACEHOLDER mode."""


def unasked(facts: "ModelFacts", configuration: Configuration, timeframe: Timeframe) -> str:
    """Why a model has no say although the configuration asks one; empty where it has."""
    if facts.timeframe is not timeframe:
        return f"the policy reads candles of {facts.timeframe}, and these are of {timeframe}"
    levels = configuration.sl_threshold, configuration.tp_threshold
    if levels != (facts.stop_atr, facts.target_atr):
        return (
            f"the policy knows trades with a stop {facts.stop_atr:g} and a target {facts.target_atr:g} ATR away, "
            f"and these have {levels[0]:g} and {levels[1]:g}"
        )
    return ""


@dataclass(frozen=True, slots=True)
class Ruling:
    """`policy` is None where the configuration does not ask it, or where there is none for its timeframe and levels.

    `placeholder` marks what a model channel finds by the rules while its model is missing: never a record.
    """

    configuration: Configuration
    snapshot_id: str
    policy: "Policy | None" = None
    placeholder: bool = False

    @classmethod
    def of(cls, configuration: Configuration, timeframe: Timeframe, policies: Policies) -> "Ruling":
        """Opens the policy only for a configuration that asks it."""
        policy = policies() if configuration.asks_the_model else None
        if policy and unasked(policy.facts, configuration, timeframe):
            policy = None
        if policy is None and configuration.strategy_type == "model":
            return cls(configuration.by_the_rules(), configuration.config_hash, placeholder=True)
        return cls(configuration, configuration.config_hash, policy)

    @property
    def model_hash(self) -> str:
        """SHA-256 of the model that was asked; empty where none was."""
        return self.policy.facts.hash if self.policy else ""

    @property
    def model_version(self) -> str:
        """Version of the model that was asked; empty where none was."""
        return self.policy.facts.version if self.policy else ""
