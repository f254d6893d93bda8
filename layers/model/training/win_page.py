"""The figures of the win probability as `docs/scanners.md` shows them."""

from collections.abc import Mapping, Sequence
from typing import Any

from layers.model.training.record_page import table
from layers.model.training.win_scores import verdict

type Figures = Mapping[str, Any]

_HEAD = [
    *("signals", "worth it", "log-loss", "base rate's", "better by", "Brier", "base rate's", "ECE", "AUC"),
    *("answers", "P&L % after costs, all", "from 0.5", "worth it", "P&L %"),
]
_MARKETS = {
    "recorded": "recorded candles: `win.onnx`",
    "simulated": "positive control: the simulated market",
    "directionless": "negative control: its direction drawn by lot",
}


def write(figures: Figures, market: str, controls: Mapping[str, Figures]) -> str:
    """Tables of the model's figures and of those of the controls."""
    name = _MARKETS[market] if market == "recorded" else f"the record of `{market}`: `win.onnx`"
    rows = {name: figures, **{_MARKETS[control]: f for control, f in controls.items()}}
    parts = [
        f"`win.onnx` is {verdict(dict(figures))[1]}.",
        table(["", *_HEAD], [[name, *_row(f)] for name, f in rows.items()]),
        f"By the same rule the positive control is {verdict(dict(controls['simulated']))[1]}.",
        f"The negative control is {verdict(dict(controls['directionless']))[1]}.",
        "Folds of `win.onnx`:",
        table(["judged on", *_HEAD], [[_days(f["test"]), *_row(f)] for f in figures["folds"]]),
        "What it said, and how often it came:",
        table(
            ["answers", "mean said", "came"], [[f"{n:,}", f"{a:.3f}", f"{b:.3f}"] for n, a, b in figures["reliability"]]
        ),
    ]
    return "\n\n".join(parts)


def _row(f: Figures) -> list[str]:
    taken = f["at_half"]
    return [
        f"{f['signals']:,}",
        f"{f['won']:.3f}",
        f"{f['log_loss']:.4f}",
        f"{f['base_log_loss']:.4f}",
        f"{f['log_loss_gain']:+.4f} {_pair(f['log_loss_gain_interval'], '+.4f')}",
        f"{f['brier']:.4f}",
        f"{f['base_brier']:.4f}",
        f"{f['ece']:.3f}",
        f"{f['auc']:.3f}",
        f"{f['smallest']:.2f} to {f['largest']:.2f}",
        f"{f['net_pct']:+.2f} {_pair(f['net_pct_interval'], '+.2f')}",
        f"{taken:,}",
        f"{f['at_half_won']:.3f}" if taken else "",
        f"{f['at_half_net_pct']:+.2f} {_pair(f['at_half_net_pct_interval'], '+.2f')}" if taken else "",
    ]


def _pair(pair: Sequence[float] | None, digits: str) -> str:
    return f"[{pair[0]:{digits}}, {pair[1]:{digits}}]" if pair else ""


def _days(span: Sequence[str]) -> str:
    return f"{span[0][:10]} to {span[1][:10]}"
