"""The policy as an ONNX file: opened once a container, checked before its first answer, run in one batch."""

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort

from plumbline.domain.brackets import HORIZON
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
        if not len(windows):
            return np.empty((0, len(ACTIONS)))  # an LSTM over an empty batch ends the whole process
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
    with reading(path, _STATED):
        session, stated, digest = open_session(path, _STATED)
        expected = {"schema": SCHEMA, "features": list(FEATURES), "window": WINDOW, "actions": list(ACTIONS)}
        require_equal(path, stated, expected)
        require_equal(path, stated["bracket"], {"horizon": HORIZON})
        policy = OnnxPolicy(_facts(stated, digest), session)
        golden = stated["golden"]
        windows = np.frombuffer(base64.b64decode(golden["windows"]), dtype="<f4").reshape(-1, WINDOW, len(FEATURES))
        require_golden(path, policy.probabilities(windows.astype(np.float32)), golden["action_probs"])
    return policy


@contextmanager
def reading(path: Path, names: Sequence[str]) -> Iterator[None]:
    """ModelRefused for whatever a file is wrong with: onnxruntime's own errors have no root but Exception."""
    try:
        yield
    except ModelRefused:
        raise
    except Exception as fault:
        raise ModelRefused(f"{path.name} is no model of ours: {fault!r}; it must state {', '.join(names)}") from fault


def open_session(path: Path, names: Sequence[str]) -> tuple[ort.InferenceSession, dict[str, Any], str]:
    """A session of the file, what it states under these names, and its SHA-256; ModelRefused where one is missing."""
    content = path.read_bytes()
    # One thread: a Lambda of this size has hardly more, and the answers stay the same to the last bit.
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    with reading(path, names):
        session = ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        metadata = session.get_modelmeta().custom_metadata_map
        stated = {name: metadata[name] if name in TEXTS else json.loads(metadata[name]) for name in names}
    return session, stated, hashlib.sha256(content).hexdigest()


def require_equal(path: Path, stated: Mapping[str, Any], expected: Mapping[str, Any]) -> None:
    """ModelRefused where the file states something else than this code expects, with both."""
    for name, ours in expected.items():
        if stated[name] != ours:
            raise ModelRefused(
                f"{path.name} was made for {name} {stated[name]}, this code computes {ours}: train it again"
            )


def require_golden(path: Path, answers: Floats, expected: Sequence[Any]) -> None:
    """The file carries examples with the answers its training framework gave: this runtime must give the same."""
    wanted = np.array(expected, dtype=np.float64)
    if answers.shape != wanted.shape or not wanted.size:
        raise ModelRefused(f"{path.name} carries {wanted.shape} answers to examples whose answers are {answers.shape}")
    difference = float(np.max(np.abs(answers - wanted)))
    if not difference < _TOLERANCE:
        raise ModelRefused(
            f"{path.name} answers its own examples {difference:.2g} away from what its training framework answered; "
            f"at most {_TOLERANCE:g} is allowed: the file or the runtime is broken"
        )


TEXTS = ("name", "version", "timeframe", "market", "reason")
"""What a file states as plain text; all else is JSON."""
_STATED = (
    *("name", "version", "timeframe", "market", "schema", "features", "window", "actions"),
    *("bracket", "prior", "psi", "golden", "card"),
)


def _facts(stated: Mapping[str, Any], digest: str) -> ModelFacts:
    return ModelFacts(
        name=stated["name"],
        version=stated["version"],
        hash=digest,
        market=stated["market"],
        timeframe=Timeframe.parse(stated["timeframe"]),
        stop_atr=float(stated["bracket"]["stop_atr"]),
        target_atr=float(stated["bracket"]["target_atr"]),
        prior=tuple(stated["prior"]),
        spread={name: (tuple(part["edges"]), tuple(part["shares"])) for name, part in stated["psi"].items()},
        card=stated["card"],
    )
