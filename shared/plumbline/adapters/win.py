"""The model of the win probability as an ONNX file, checked like the policy before its first answer."""

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort

from plumbline.adapters.model import SCHEMA, open_session, reading, require_equal, require_golden
from plumbline.domain.calendar import Timeframe
from plumbline.domain.candles import Floats
from plumbline.domain.win import WIN_FEATURES, Rows, WinFacts


@dataclass(frozen=True, slots=True)
class OnnxWin:
    """A model of the win probability in an open session."""

    facts: WinFacts
    session: ort.InferenceSession

    def probability(self, rows: Rows) -> Floats:
        """Probability that each signal is worth its costs; NaN where a value is missing."""
        [answer] = self.session.run(["win_probability"], {"signals": rows})
        return np.asarray(answer, dtype=np.float64)


def open_win(path: Path) -> OnnxWin:
    """Open a model file; ModelRefused says in what it differs from what this code computes."""
    with reading(path, _STATED):
        session, stated, digest = open_session(path, _STATED)
        require_equal(path, stated, {"schema": SCHEMA, "features": list(WIN_FEATURES)})
        model = OnnxWin(_facts(stated, digest), session)
        golden = stated["golden"]
        rows = np.frombuffer(base64.b64decode(golden["signals"]), dtype="<f4").reshape(-1, len(WIN_FEATURES))
        require_golden(path, model.probability(rows.astype(np.float32)), golden["win_probability"])
    return model


_STATED = (
    *("name", "version", "timeframe", "market", "reason", "schema", "features"),
    *("enabled", "figures", "golden"),
)


def _facts(stated: dict[str, Any], digest: str) -> WinFacts:
    return WinFacts(
        name=stated["name"],
        version=stated["version"],
        hash=digest,
        market=stated["market"],
        timeframe=Timeframe.parse(stated["timeframe"]),
        enabled=stated["enabled"],
        reason=stated["reason"],
        figures=stated["figures"],
    )
