"""The policy as an ONNX file: opened once a container, checked before its first answer, run in one batch."""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort

from plumbline.domain.calendar import Timeframe
from plumbline.domain.candles import Floats
from plumbline.domain.errors import InvalidInput, ModelRefused
from plumbline.domain.policy import ACTIONS, FEATURES, WINDOW, ModelFacts, Windows

SCHEMA = 1
_TOLERANCE = 1e-5
"""Largest difference from the answers of the training framework that counts as the same model."""


@dataclass(frozen=True, slots=True)
class OnnxPolicy:
    """A policy in an open session."""

    facts: ModelFacts
    session: ort.InferenceSession

    def probabilities(self, windows: Windows) -> Floats:
        """Probability of each action at the end of each window; InvalidInput for a value that is no finite number."""
        if not np.isfinite(windows).all():
            row, candle, feature = np.argwhere(~np.isfinite(windows))[0].tolist()
            raise InvalidInput(
                f"window {row}: {FEATURES[feature]} of candle {candle} is {windows[row, candle, feature]}; "
                "the policy needs a finite number for every feature",
                field="candles",
            )
        [answer] = self.session.run(["action_probs"], {"windows": windows})
        return np.asarray(answer, dtype=np.float64)


def open_policy(path: Path) -> OnnxPolicy:
    """Open a model file; ModelRefused says in what it differs from what this code computes."""
    content = path.read_bytes()
    # One thread: a Lambda of this size has hardly more, and the answers stay the same to the last bit.
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    try:
        session = ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        metadata = session.get_modelmeta().custom_metadata_map
        stated = {name: metadata[name] if name in _TEXTS else json.loads(metadata[name]) for name in _STATED}
    except (KeyError, ValueError, RuntimeError) as fault:
        raise ModelRefused(f"{path.name} is no model of ours: {fault!r}; it must state {', '.join(_STATED)}") from fault
    _require_equal(path, stated)
    policy = OnnxPolicy(_facts(stated, hashlib.sha256(content).hexdigest()), session)
    _require_golden_answers(path, policy, stated["golden"])
    return policy


_TEXTS = ("name", "version", "timeframe", "market")
_STATED = (*_TEXTS, "schema", "features", "window", "actions", "prior", "psi", "golden", "card")


def _require_equal(path: Path, stated: Mapping[str, Any]) -> None:
    expected = {"schema": SCHEMA, "features": list(FEATURES), "window": WINDOW, "actions": list(ACTIONS)}
    for name, ours in expected.items():
        if stated[name] != ours:
            raise ModelRefused(
                f"{path.name} was made for {name} {stated[name]}, this code computes {ours}: train it again"
            )


def _facts(stated: Mapping[str, Any], digest: str) -> ModelFacts:
    return ModelFacts(
        name=stated["name"],
        version=stated["version"],
        hash=digest,
        market=stated["market"],
        timeframe=Timeframe.parse(stated["timeframe"]),
        prior=tuple(stated["prior"]),
        spread={name: (tuple(part["edges"]), tuple(part["shares"])) for name, part in stated["psi"].items()},
        card=stated["card"],
    )


def _require_golden_answers(path: Path, policy: OnnxPolicy, golden: Mapping[str, Any]) -> None:
    """The file carries windows with the answers its training framework gave: this runtime must give the same."""
    windows = np.frombuffer(base64.b64decode(golden["windows"]), dtype="<f4").reshape(-1, WINDOW, len(FEATURES))
    expected = np.array(golden["action_probs"], dtype=np.float64)
    difference = float(np.max(np.abs(policy.probabilities(windows.astype(np.float32)) - expected)))
    if not difference < _TOLERANCE:
        raise ModelRefused(
            f"{path.name} answers its own examples {difference:.2g} away from what its training framework answered; "
            f"at most {_TOLERANCE:g} is allowed: the file or the runtime is broken"
        )
