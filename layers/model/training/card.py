"""What a policy's file says of itself: its contract, its provenance and every figure of its judgement."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from layers.model.training.checks import Gate, verdict
from layers.model.training.examples import COST_PCT, STOP_ATR, TARGET_ATR, Examples
from layers.model.training.history import TIMEFRAME
from layers.model.training.scores import CONFIDENCE, THRESHOLD
from layers.model.training.trainer import ROOT
from layers.model.training.walkforward import MODELS, PURGE, SEED, SERVED, Course, Figures, Judged
from plumbline.domain.brackets import HORIZON
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
_CODE = ("features", "policy", "brackets")
_MEANING = (
    "p(BUY) is the probability that a long trade entered at the candle's close, with its stop 2 ATR below and its "
    "target 3 ATR above, reaches the target before the stop within 24 hours; p(SELL) is the same of a short "
    "one, mirrored; p(HOLD) is that neither does"
)


def metadata(market: str, course: Course, temperature: float, card: Figures) -> Figures:
    """The properties of the file, but for the golden windows and the opset, which the export adds."""
    train = course.last.train
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
        "data_sha256": course.examples.digest(),
        "code_sha256": code_digest(),
        "prior": [round(float(share), 6) for share in course.frequencies(train)],
        "psi": distribution(course.examples, train),
        "card": card,
    }


def of(course: Course, judged: Judged, controls: dict[str, Figures], gates: Sequence[Gate], steps: int) -> Figures:
    """Every figure of the judgement, as the API shows it."""
    e, last = course.examples, course.last
    counts = dict(zip(e.symbols.tolist(), np.bincount(e.market, minlength=len(e.symbols)).tolist(), strict=True))
    return {
        "verdict": verdict(judged.served),
        "meaning": _MEANING,
        "threshold": THRESHOLD,
        "confidence": CONFIDENCE,
        "span": course.span(np.arange(len(e))),
        "symbols": counts,
        "examples": len(e),
        "trained_on": {"train": course.span(last.train), "val": course.span(last.val), "cal": course.span(last.cal)},
        "purge_hours": PURGE // TIMEFRAME.ms,
        "ppo_steps": steps,
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


def code_digest(folder: Path = ROOT / "shared" / "plumbline" / "domain") -> str:
    """SHA-256 of the code that makes inputs and labels."""
    return hashlib.sha256(b"".join((folder / f"{name}.py").read_bytes() for name in _CODE)).hexdigest()
