"""What must hold before a policy is shipped, and how the file itself is tried."""

import base64
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import onnxruntime

from layers.model.training.walkforward import Figures, Judged
from plumbline.domain.candles import Floats
from plumbline.domain.policy import ACTIONS, WINDOW, Windows

LEAST_GAIN = 0.02
LEAST_SIGNALS = 100
HIT_RATE = (0.60, 0.80)
MOST_FALSE_SIGNALS = 0.001
MOST_LOSS = 0.01
MOST_CALIBRATION_ERROR = 0.05
PARITY = 1e-5
LEAST_SURPLUS = -0.05
"""What came of the confident answers may lie below what they said by this much."""

LEAST_TRADES = 30
"""Trades, one at a time, below which no edge is claimed whatever they earned."""

_BATCH = 4_096


@dataclass(frozen=True, slots=True)
class Gate:
    """One condition of a release: what was measured, what was asked, whether it held."""

    name: str
    measured: float
    asked: str
    passed: bool

    def figures(self) -> Figures:
        """As the card holds it."""
        return asdict(self)


class Shipped:
    """A policy's file, as the service would run it."""

    def __init__(self, file: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
        self.metadata: dict[str, str] = self._session.get_modelmeta().custom_metadata_map

    def run(self, windows: Windows) -> tuple[Floats, Floats]:
        """`action_probs` and `policy_probs`, each float32 (n, 3)."""
        batches = [
            self._session.run(["action_probs", "policy_probs"], {"windows": windows[k : k + _BATCH]})
            for k in range(0, len(windows), _BATCH)
        ]
        calibrated, raw = (np.concatenate(parts) for parts in zip(*batches, strict=True))
        return calibrated, raw

    def golden(self) -> tuple[Windows, Floats, Floats]:
        """The windows the file carries, and what the training framework made of them."""
        kept = json.loads(self.metadata["golden"])
        windows = np.frombuffer(base64.b64decode(kept["windows"]), "<f4").reshape(kept["shape"])
        return windows, np.array(kept["action_probs"]), np.array(kept["policy_probs"])

    def parity(self) -> float:
        """Largest difference between this runtime and the framework on the golden windows."""
        windows, *kept = self.golden()
        return max(float(np.abs(a - b).max()) for a, b in zip(self.run(windows), kept, strict=True))

    def swallowed(self) -> int:
        """Places of a window where a NaN or an infinity does not come out as NaN; there must be none."""
        window = self.golden()[0][:1]
        count = 0
        for fault in (np.nan, np.inf, -np.inf):
            broken = np.repeat(window, window.size, axis=0)
            broken.reshape(len(broken), -1)[np.diag_indices(len(broken))] = fault
            count += int(sum(np.isfinite(given).any(axis=1).sum() for given in self.run(broken)))
        return count


def of_controls(positive: Judged, negative: Judged) -> list[Gate]:
    """The method must find what is there, and nothing where there is nothing."""
    found, nothing = positive.served, negative.served
    rate, false = _number(found["hit_rate"] or 0.0), _number(nothing["n"]) / _number(nothing["examples"])
    low, high = HIT_RATE
    interval = nothing["direction_gain_interval"]
    least = interval[0] if isinstance(interval, list) else float("inf")
    gain, loss = _number(found["log_loss_gain"]), -_number(nothing["log_loss_gain"])
    return [
        Gate("positive control: log-loss below the prior's", gain, f">= {LEAST_GAIN}", gain >= LEAST_GAIN),
        Gate("positive control: signals at 0.65", _number(found["n"]), f">= {LEAST_SIGNALS}", _enough(found)),
        Gate("positive control: their hit rate", rate, f"{low:.2f} to {high:.2f}", low <= rate <= high),
        Gate("negative control: share of signals", false, f"<= {MOST_FALSE_SIGNALS}", false <= MOST_FALSE_SIGNALS),
        Gate("negative control: log-loss above the prior's", loss, f"<= {MOST_LOSS}", loss <= MOST_LOSS),
        Gate("negative control: least gain of direction, of 95 %", least, "<= 0", least <= 0),
    ]


def of_market(judged: Judged) -> list[Gate]:
    """On its own market the policy must be honest; it need not find anything."""
    loss, error = -_number(judged.served["log_loss_gain"]), _number(judged.served["ece"])
    return [
        Gate("its market: log-loss above the prior's", loss, f"<= {MOST_LOSS}", loss <= MOST_LOSS),
        Gate("its market: calibration error", error, f"<= {MOST_CALIBRATION_ERROR}", error <= MOST_CALIBRATION_ERROR),
    ]


def of_file(shipped: Shipped) -> list[Gate]:
    """The file computes what the training framework computed, and hides no broken input."""
    parity, swallowed = shipped.parity(), shipped.swallowed()
    shape = shipped.run(np.zeros((3, WINDOW, shipped.golden()[0].shape[2]), np.float32))[0].shape
    return [
        Gate("the file: difference from the training framework", parity, f"< {PARITY}", parity < PARITY),
        Gate("the file: broken inputs it answers", swallowed, "0", swallowed == 0),
        Gate("the file: actions", shape[1], str(len(ACTIONS)), shape == (3, len(ACTIONS))),
    ]


def verdict(served: Figures) -> str:
    """`edge` only where direction was foreseen and trades earned, after costs, beyond what chance explains.

    Nor where confident answers came less often than they said, by more than `LEAST_SURPLUS` and beyond chance. What too
    few weeks tell is nothing.
    """
    gain, alone, surplus = (
        served[f"{name}_interval"] for name in ("direction_gain", "one_at_a_time", "confident_surplus")
    )
    if not (isinstance(gain, list) and isinstance(alone, list) and isinstance(surplus, list)):
        return "no edge"
    enough = _number(served["one_at_a_time_n"]) >= LEAST_TRADES
    return "edge" if enough and gain[0] > 0 and alone[0] > 0 and surplus[1] >= LEAST_SURPLUS else "no edge"


def _enough(found: Figures) -> bool:
    return _number(found["n"]) >= LEAST_SIGNALS


def _number(value: object) -> float:
    if not isinstance(value, int | float):
        raise TypeError(f"{value!r} is not a number")
    return value
