"""The record as a table, and the report's figures computed from it by pandas: another way to the same numbers."""

import math
from collections.abc import Iterable, Iterator, Mapping

import pandas as pd

from plumbline.domain.outcomes import Outcome
from plumbline.domain.performance import Cell
from plumbline.domain.rankings import consistency
from plumbline.reports import Report

COUNTS = ("checked", "unknown", "wins", "losses", "neutral", "independent")


def frame(outcomes: Iterable[Outcome]) -> pd.DataFrame:
    """One row for each outcome that counts."""
    rows = [
        {
            "signal": o.signal_id,
            "interval": str(o.interval),
            "all": "all",
            "scanner": o.scanner_type,
            "tier": str(o.tier),
            "type": str(o.signal_type),
            "symbol": o.symbol,
            "channel": o.channel_id,
            "snapshot": o.snapshot_id,
            "label": str(o.outcome),
            "pnl": math.nan if o.pnl_pct is None else float(o.pnl_pct),
            "score": o.unified_score,
            "due": o.due_at,
        }
        for o in outcomes
        if o.origin.counts
    ]
    return pd.DataFrame(rows)


def by_pandas(rows: pd.DataFrame) -> dict[str, float]:
    """The figures of these outcomes, from their rows."""
    priced = rows[rows["pnl"].notna()]
    per_label = priced["label"].value_counts()
    pnl, won, lost = priced["pnl"], priced[priced["label"] == "WIN"], priced[priced["label"] == "LOSS"]
    return {
        "checked": len(priced),
        "unknown": len(rows) - len(priced),
        "wins": per_label.get("WIN", 0),
        "losses": per_label.get("LOSS", 0),
        "neutral": per_label.get("NEUTRAL", 0),
        "independent": priced.groupby("interval")["signal"].nunique().max() if len(priced) else 0,
        "total": pnl.sum(),
        "mean": pnl.mean(),
        "mean_win": won["pnl"].mean(),
        "mean_loss": lost["pnl"].mean(),
        "mean_score": priced["score"].mean(),
        "consistency": pnl.mean() / pnl.std() if len(priced) > 1 and pnl.std() > 0 else math.nan,
    }


def by_rollups(cell: Cell) -> dict[str, float]:
    """The same of a cell, not rounded."""
    tally = cell.pooled()
    steady = consistency(tally)
    return {
        "checked": tally.checked,
        "unknown": tally.unknown,
        "wins": tally.wins,
        "losses": tally.losses,
        "neutral": tally.neutral,
        "independent": max((t.checked for t in cell.tallies.values()), default=0),
        "total": float(tally.pnl),
        "mean": _ratio(tally.pnl, tally.checked),
        "mean_win": _ratio(tally.pnl_wins, tally.wins),
        "mean_loss": _ratio(tally.pnl_losses, tally.losses),
        "mean_score": _ratio(tally.score, tally.checked),
        "consistency": math.nan if steady is None else steady,
    }


def compared(report: Report, rows: pd.DataFrame) -> Iterator[tuple[str, str, float, float]]:
    """Every figure of every cell of a report that has outcomes: cell, figure, by the rollups, by pandas."""
    breakdowns: dict[str, Mapping[str, Cell]] = {
        "all": {"all": report.overall},
        "scanner": report.by_scanner,
        "tier": {str(tier): cell for tier, cell in report.by_tier.items()},
        "interval": {str(interval): cell for interval, cell in report.by_interval.items()},
        "type": {str(side): cell for side, cell in report.by_type.items()},
        "symbol": report.by_symbol,
        "channel": report.by_channel,
        "snapshot": report.by_snapshot,
    }
    for dimension, cells in breakdowns.items():
        for value, cell in cells.items():
            ours, theirs = by_rollups(cell), by_pandas(rows[rows[dimension] == value])
            for figure, number in ours.items():
                yield f"{dimension} {value}", figure, number, float(theirs[figure])


def differs(figure: str, ours: float, theirs: float) -> float:
    """How far two figures are apart, relative where they are above one; counts by how many. Infinite if one is nan."""
    if math.isnan(ours) or math.isnan(theirs):
        return 0.0 if math.isnan(ours) and math.isnan(theirs) else math.inf
    return abs(ours - theirs) if figure in COUNTS else abs(ours - theirs) / max(1.0, abs(theirs))


def _ratio(total: object, n: int) -> float:
    return float(str(total)) / n if n else math.nan
