"""What a policy's file says of itself: its contract, its provenance and every figure of its judgement."""

import hashlib
from collections.abc import Sequence

import numpy as np

from layers.model.training.checks import Gate, verdict
from layers.model.training.examples import COST_PCT, STOP_ATR, TARGET_ATR, Examples
from layers.model.training.history import TIMEFRAME
from layers.model.training.scores import CONFIDENCE, THRESHOLD
from layers.model.training.trainer import ROOT
from layers.model.training.walkforward import MODELS, PURGE, SEED, SERVED, Course, Figures, Judged
from plumbline.domain.brackets import HORIZON
from plumbline.domain.calendar import iso
from plumbline.domain.candles import Ints
from plumbline.domain.policy import ACTIONS, FEATURES, WINDOW

SCHEMA = 1
VERSION = "1.0.0"
BRACKET = {
    "stop_atr": STOP_ATR,
    "target_atr": TARGET_ATR,
    "horizon": HORIZON,
    "round_trip_cost_pct": COST_PCT,
}
_DOMAIN = ("kernels", "features", "policy", "windows", "brackets")
_CODE = [
    *(ROOT / "shared" / "plumbline" / "domain" / f"{name}.py" for name in _DOMAIN),
    ROOT / "layers" / "model" / "training" / "examples.py",
]
CODE_SHA256 = hashlib.sha256(b"".join(path.read_bytes() for path in _CODE)).hexdigest()
"""Of the modules that make inputs and labels of candles, as they are when this is loaded."""

_MEANING = (
    "`action_probs` are three probabilities. That of BUY is that a long trade entered at the candle's close, with its "
    f"stop {STOP_ATR:g} ATR below and its target {TARGET_ATR:g} ATR above, reaches the target before the stop within "
    f"{HORIZON} hours; that of SELL is the same of a short one, mirrored; that of HOLD is that neither does"
)


def metadata(course: Course, shown: Ints, temperature: float, card: Figures) -> Figures:
    """The properties of the file, but for the golden windows and the opset, which the export adds.

    `shown` are the examples of the golden windows; the file says of which candles they are, so that code which no
    longer computes the same inputs is found out.
    """
    e, market, train = course.examples, course.name, course.last.train
    return {
        "schema": SCHEMA,
        "name": "ppo-lstm" if market == "recorded" else f"ppo-lstm-{market}",
        "version": VERSION,
        "features": FEATURES,
        "window": WINDOW,
        "actions": ACTIONS,
        "timeframe": str(TIMEFRAME),
        "bracket": BRACKET,
        "market": market,
        "temperature": round(temperature, 6),
        "seed": SEED,
        "data_sha256": e.digest(),
        "code_sha256": CODE_SHA256,
        "prior": [round(float(share), 6) for share in course.frequencies(train)],
        "golden_candles": [[str(e.symbols[e.market[i]]), iso(int(e.time[i]))] for i in shown.tolist()],
        "psi": distribution(e, train),
        "card": card,
    }


def of(
    course: Course, judged: Judged, controls: dict[str, Figures], gates: Sequence[Gate], steps: int, source: str
) -> Figures:
    """Every figure of the judgement, as the API shows it; `source` says where the candles come from."""
    e, last = course.examples, course.last
    counts = dict(zip(e.symbols.tolist(), np.bincount(e.market, minlength=len(e.symbols)).tolist(), strict=True))
    return {
        "verdict": verdict(judged.served),
        "meaning": _MEANING,
        "threshold": THRESHOLD,
        "confidence": CONFIDENCE,
        "source": source,
        "data_sha256": e.digest(),
        "span": course.span(np.arange(len(e))),
        "symbols": counts,
        "examples": len(e),
        "trained_on": {"train": course.span(last.train), "val": course.span(last.val), "cal": course.span(last.cal)},
        "purge_hours": PURGE // TIMEFRAME.ms,
        "ppo_steps": steps,
        "models_fitted": len(MODELS),
        "settings_tried": 1,
        "pooled": judged.served,
        "folds": judged.folds,
        "baselines": {MODELS.get(name, name): f for name, f in judged.models.items() if name != SERVED},
        "rules": judged.rules,
        "reliability": judged.reliability,
        "seeds": judged.seeds,
        "controls": controls,
        "gates": [gate.figures() for gate in gates],
    }


def distribution(examples: Examples, some: Ints) -> dict[str, Figures]:
    """Of each feature at the windows' last candles: nine inner decile edges, and the share in each of the ten parts.

    Part k holds what is at or above edge k − 1 and below edge k. A population stability index compares with the shares
    and not with tenths, because values that stand at the cut, or are often the same, share an edge.
    """
    last = examples.rows[examples.start[some] + WINDOW - 1].astype(np.float64)
    return {name: _deciles(last[:, k]) for k, name in enumerate(FEATURES)}


def _deciles(values: np.ndarray) -> Figures:
    edges = np.round(np.quantile(values, np.arange(1, 10) / 10), 6)
    shares = np.bincount(np.digitize(values, edges), minlength=10) / len(values)
    return {"edges": edges.tolist(), "shares": np.round(shares, 6).tolist()}
