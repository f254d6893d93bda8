"""The measured part of `docs/scanners.md`: tables between two markers, the words around them left as they are."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from plumbline.domain.calendar import iso
from plumbline.domain.errors import InvalidInput

type Report = Mapping[str, Any]

FEW = 30
"""Signals below which a part of them is only counted."""

_TITLES = {
    "recorded": "Recorded candles",
    "simulated": "The simulated market: not a market, and its trends are built in",
    "directionless": "The same simulated market with its direction drawn by lot: nothing can be found there",
}
_TRADES = ["", "signals", "long", "decided", "worth", "hit rate", "random", "R after costs", "random R", "shown"]
_OUTCOMES = ["", "WIN", "LOSS", "NEUTRAL", "UNKNOWN", "average P&L %", "random P&L %"]


def rewrite(page: Path, name: str, text: str) -> None:
    """Put `text` between the page's markers `<!-- name: begin -->` and `<!-- name: end -->`; InvalidInput if absent."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, found, rest = page.read_text(encoding="utf-8").partition(begin)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise InvalidInput(f"{page} has no {begin} … {end} to write between")
    page.write_text(f"{before}{begin}\n{text.strip()}\n{end}{after}", encoding="utf-8")


def write(reports: Mapping[str, Report], card: Mapping[str, Any]) -> str:
    """The tables of these reports; `card` is that of the policy asked on recorded candles."""
    return "\n\n".join(part for market, report in reports.items() for part in _market(market, report, card))


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _market(market: str, report: Report, card: Mapping[str, Any]) -> Iterable[str]:
    first, last = (iso(instant)[:16].replace("T", " ") for instant in report["span"])
    counted = ", ".join(f"{symbol} {count:,}" for symbol, count in report["markets"].items())
    rows = report["rows"]
    yield f"### {_TITLES[market]}"
    yield f"Candles closing from {first} to {last} UTC: {counted}."
    yield table(_TRADES, [_trades(name, row) for name, row in rows.items()])
    if market == "directionless":
        return
    yield "At 24 hours, by the outcome contract, before costs:"
    yield table(_OUTCOMES, [_outcomes(name, row) for name, row in rows.items()])
    yield f"R after costs by side and quarter, and the number of signals; from {FEW} signals:"
    parts = sorted({part for row in rows.values() for part in row["parts"]}, key=_order)
    yield table(["", *parts], [[name, *(_part(row["parts"].get(p)) for p in parts)] for name, row in rows.items()])
    yield "Buying at the beginning and holding:"
    yield table(
        ["", "return %", "largest fall %"], [[k, f"{a:+.1f}", f"{b:.1f}"] for k, (a, b) in report["held"].items()]
    )
    if market == "recorded":
        yield _of_the_policy(card)


def _of_the_policy(card: Mapping[str, Any]) -> str:
    pooled, trained = card["pooled"], card["trained_on"]
    counted = f"{pooled['n']} candles of {pooled['examples']:,} reached 0.65"
    hits = f", {pooled['hits']} of them the target" if pooled["n"] else ""
    watched = "By its card it has no edge: it is asked, and never acts. " if card["verdict"] != "edge" else ""
    return (
        f"{watched}"
        f"The policy's weights were learned on candles up to {trained['train'][1][:10]}; when to stop and its "
        f"temperature come from {trained['val'][0][:10]} to {trained['cal'][1][:10]}, so that for `model` these months "
        "are not wholly unseen. In its own walk-forward judgement ([model.md](model.md)), where they are, "
        f"{counted}{hits}."
    )


def _trades(name: str, row: Report) -> list[str]:
    counts = [name, f"{row['n']:,}", f"{row['long']:,}", f"{row['decided']:,}"]
    if "r" not in row:
        return [*counts, "", "", "", "", "", "nothing to judge by"]
    return [
        *counts,
        f"{row['effective']:.0f}",
        f"{row['hit_rate']:.3f} {_interval(row['hit_interval'], '.3f')}",
        f"{row['random_hit_rate']:.3f}",
        f"{row['r']:+.3f} {_interval(row['r_interval'], '+.3f')}",
        f"{row['random_r']:+.3f} {_interval(row['random_r_band'], '+.3f')}",
        row["shown"],
    ]


def _outcomes(name: str, row: Report) -> list[str]:
    known = row["WIN"] + row["LOSS"] + row["NEUTRAL"]
    if "pnl" not in row:
        return [name, "", "", "", str(row["UNKNOWN"]), "", ""]
    return [
        name,
        *(f"{row[label]:,} ({row[label] / known:.1%})" for label in ("WIN", "LOSS", "NEUTRAL")),
        str(row["UNKNOWN"]),
        f"{row['pnl']:+.3f} {_interval(row['pnl_interval'], '+.3f')}",
        f"{row['random_pnl']:+.3f} {_interval(row['random_pnl_band'], '+.3f')}",
    ]


def _part(row: Report | None) -> str:
    if row is None or row["n"] < FEW or "r" not in row:
        return f"({row['n'] if row else 0})"
    return f"{row['r']:+.2f} {_interval(row['r_interval'], '+.2f')} ({row['n']:,})"


def _order(part: str) -> tuple[bool, str]:
    return part not in {"long", "short"}, part


def _interval(pair: Sequence[float] | None, digits: str) -> str:
    return f"[{pair[0]:{digits}}, {pair[1]:{digits}}]" if pair else ""
