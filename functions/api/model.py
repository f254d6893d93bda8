"""The model behind the signals: what it is, how well it did, whether it is in order."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, cast

from api.answers import Mode, ModelBody
from api.context import Services
from api.inputs import MODEL_CHANNEL
from api.model_answers import BinBody, CalibrationBody, DriftBody, ModelInfo, WinBody
from api.operations import Call
from plumbline import queries
from plumbline.domain.calendar import day_of
from plumbline.domain.errors import ModelRefused
from plumbline.domain.strategies import Configuration
from plumbline.observability import logger
from plumbline.pipeline.channels import active_configuration

ABSENT = "no model file is shipped for this market, or the settings ask for none: the rules stand in its place"


def mode_of(services: Services) -> Mode:
    """What the service is set up to decide by, without opening the model."""
    return "MODEL" if services.has_model() else "PLACEHOLDER"


def model_state(services: Services) -> ModelBody:
    """The model, opened if it was not yet: a file that is refused looks like any other until then."""
    try:
        policy = services.policy()
    except ModelRefused as refused:
        logger.warning("the model is refused: %s", refused)
        return _state("MODEL", "refused", message=str(refused))
    if policy is None:
        return _state("PLACEHOLDER", "absent")
    facts = policy.facts
    return _state("MODEL", "ready", name=facts.name, version=facts.version, hash=facts.hash)


def model_info(call: Call) -> ModelInfo:
    """Everything about the model; ModelRefused where its file is not for this code."""
    policy = call.services.policy()
    if policy is None:
        nothing = dict.fromkeys(ModelInfo.__annotations__)
        return cast("ModelInfo", nothing | {"mode": "PLACEHOLDER", "reason": ABSENT})
    from plumbline.domain.policy import ACTIONS, FEATURES, WINDOW  # noqa: PLC0415  the kernels, which it has loaded

    facts, configuration = policy.facts, _configuration(call)
    return ModelInfo(
        mode="MODEL",
        reason=None,
        name=facts.name,
        version=facts.version,
        hash=facts.hash,
        market=facts.market,
        timeframe=facts.timeframe,
        features=list(FEATURES),
        window=WINDOW,
        actions=list(ACTIONS),
        prior=dict(zip(ACTIONS, facts.prior, strict=True)),
        confidence_threshold=configuration.confidence_threshold,
        min_expected_value=configuration.min_expected_value,
        card=dict(facts.card),
        calibration=_calibration(facts.card),
        drift=_drift(call, facts.name),
        win=_win(call.services),
    )


def _state(mode: Mode, state: Any, **known: str) -> ModelBody:
    return cast("ModelBody", dict.fromkeys(ModelBody.__annotations__) | {"mode": mode, "state": state} | known)


def _configuration(call: Call) -> Configuration:
    channel = queries.channel_named(call.stores, MODEL_CHANNEL)
    return active_configuration(call.stores, channel, call.now, call.settings)


def _calibration(card: Mapping[str, Any]) -> CalibrationBody:
    """Out of sample, all folds together; null what the card does not say."""
    pooled = card.get("pooled", {})
    return CalibrationBody(
        calibration_error=pooled.get("ece"),
        brier=pooled.get("brier"),
        log_loss=pooled.get("log_loss"),
        prior_log_loss=pooled.get("prior_log_loss"),
        bins=[BinBody(n=n, stated=stated, observed=seen) for n, stated, seen in card.get("reliability", ())],
    )


def _win(services: Services) -> WinBody | None:
    model = services.win()
    if model is None:
        return None
    facts = model.facts
    return WinBody(
        enabled=facts.enabled,
        reason=facts.reason,
        version=facts.version,
        hash=facts.hash,
        market=facts.market,
        timeframe=facts.timeframe,
        figures=dict(facts.figures),
    )


def _drift(call: Call, name: str) -> DriftBody | None:
    report = call.stores.model_reports.latest(name, day_of(call.now))
    if report is None:
        return None
    known = asdict(report) | {"symbols": list(report.symbols), "psi": dict(report.psi)}
    return cast("DriftBody", {name: known[name] for name in DriftBody.__annotations__})
