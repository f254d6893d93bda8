"""What the record holds, read through the HTTP API as any user reads it, and shown as tables."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import httpx
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from infra.local.stack import Stack
from plumbline.domain.calendar import Interval
from plumbline.domain.errors import PlumblineError, Unavailable

type Row = Mapping[str, Any]
"""A JSON object of the API."""

_PAGE = 100
_YEAR = 366
_PAPER = "/api/public/paper-trading"
_DECIDED = {"WIN": "green", "LOSS": "red"}
_FIGURES = {
    "total_signals": "signals",
    "outcomes_checked": "outcomes checked",
    "outcomes_unknown": "unknown (holes in the data)",
    "coverage": "coverage, checked / due %",
    "wins": "wins (≥ +5 %)",
    "losses": "losses (≤ −3 %)",
    "neutral": "neutral",
    "win_rate": "win rate %",
    "break_even_win_rate": "break-even win rate %",
    "avg_pnl_pct": "average P/L %",
    "total_pnl_pct": "total P/L %",
}


class Reader:
    """The stack's API with a user's token."""

    def __init__(self, stack: Stack, token: str) -> None:
        self._http = httpx.Client(base_url=stack.api_url, timeout=60, headers={"Authorization": f"Bearer {token}"})

    def get(self, path: str, **query: str | int) -> dict[str, Any]:
        """One answer; the error names path, status and what the API said."""
        try:
            response = self._http.get(path, params=query)
        except httpx.HTTPError as exc:
            raise Unavailable(f"the API at {self._http.base_url} does not answer: {exc}") from exc
        if response.is_error:
            raise PlumblineError(f"GET {response.url} answered {response.status_code}: {response.text}")
        return dict(response.json())

    def signals(self, **query: str | int) -> Iterator[Row]:
        """Every signal with its outcomes, newest first, page by page."""
        yield from self._pages("/api/signals/history", "signals", include="outcomes", **query)

    def trades(self, days: int = _YEAR) -> Iterator[Row]:
        """Every paper trade, open and closed, of the last `days`: by default as far back as the API goes."""
        yield from self._pages(f"{_PAPER}/", "trades", days=days)

    def record(self, days: int) -> Row:
        """The record along every dimension, with what it recommends."""
        return dict(self.get("/performance/report", days=days)["data"])

    def paper_performance(self, days: int, by: str) -> Row:
        """The paper book's figures, its equity curve, and a row for each value of a dimension."""
        return self.get(f"{_PAPER}/performance/", days=days, by=by)

    def paper(self, days: int) -> Row:
        """What the paper book made over the last `days`."""
        return self.get(f"{_PAPER}/summary/", days=days)

    def paper_as_of(self) -> str | None:
        """The minute up to which trades are matched; None before the first."""
        as_of: str | None = self.get(f"{_PAPER}/open-positions/", limit=1)["as_of"]
        return as_of

    def statistics(self, days: int) -> Row:
        """Figures of the whole record over the last `days`."""
        return dict(self.get("/performance/stats", days=days)["data"])

    def by_interval(self, days: int) -> list[Row]:
        """The same for each interval."""
        return list(self.get("/performance/by-interval", days=days)["data"])

    def _pages(self, path: str, rows: str, **query: str | int) -> Iterator[Row]:
        cursor: dict[str, str] = {}
        while True:
            page = self.get(path, limit=_PAGE, **query, **cursor)
            yield from page[rows]
            if not page.get("next_cursor"):
                return
            cursor = {"cursor": page["next_cursor"]}

    def close(self) -> None:
        """Let the connection go."""
        self._http.close()


def signal_table(signals: Sequence[Row], market: str, rows: int) -> Table:
    """Signals in order of time with what became of them; the middle is left out beyond `rows`."""
    ordered = sorted(signals, key=lambda s: (s["timestamp"], s["signal_id"]))
    first, last = _ends(ordered, rows)
    table = Table(
        title=f"{len(ordered)} signals on a {market} market, each checked against what the market then did",
        caption="P/L in % from the holder's side: WIN from +5, LOSS from −3, neutral between. "
        "· not due yet; ? no price at the due time",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    for name in ("time (UTC)", "channel", "symbol", "side"):
        table.add_column(name, no_wrap=True)
    for name in ("score", "entry", *(f"after {interval}" for interval in Interval)):
        table.add_column(name, justify="right", no_wrap=True)
    for signal in first:
        table.add_row(*_cells(signal))
    if last:
        table.add_row("…", f"{len(ordered) - len(first) - len(last)} more", style="dim")
    for signal in last:
        table.add_row(*_cells(signal))
    return table


def figures_table(overall: Row, by_interval: Mapping[str, Row], market: str) -> Table:
    """The record's figures over all intervals and for each; a rate stands with its sample and 95 % interval."""
    columns = {"all": overall} | {i: by_interval[i] for i in Interval if i in by_interval}
    table = Table(title=f"The record on this {market} market", box=SIMPLE_HEAD)
    table.add_column("")
    for name in columns:
        table.add_column(name, justify="right")
    for key, label in _FIGURES.items():
        table.add_row(label, *(_figure(column.get(key)) for column in columns.values()))
        if key == "win_rate":
            table.add_row("  95 % interval", *(_interval(column) for column in columns.values()))
            table.add_row("  independent n", *(_figure(column.get("independent_n")) for column in columns.values()))
    return table


def paper_line(book: Row) -> str:
    """The paper book in a line: what its closed trades made net, and how many won."""
    line = f"Paper book: {book['closed']} trades closed, {book['open']} open"
    if book["win_rate"] is None:
        return line
    return (
        f"{line}; net {book['total_pnl_usd']:+,.2f} USD on {book['costs']['position_usd']:g} USD each, "
        f"win rate {book['win_rate']:.1f} % (95 % interval {_interval(book)}, n = {book['n']})"
    )


def _ends(ordered: Sequence[Row], rows: int) -> tuple[Sequence[Row], Sequence[Row]]:
    if len(ordered) <= rows:
        return ordered, ()
    half = rows // 2
    return ordered[: rows - half], ordered[len(ordered) - half :]


def _cells(signal: Row) -> list[str | Text]:
    outcomes = {outcome["interval"]: outcome for outcome in signal.get("outcomes", [])}
    time = str(signal["timestamp"]).replace("T", " ").removesuffix("Z")[:16]
    side = str(signal["action"])
    return [
        time,
        str(signal["channel_id"]),
        str(signal["symbol"]),
        Text(side, style="green" if side == "BUY" else "red"),
        f"{float(signal['unified_score']):.0f}",
        f"{float(signal['entry_price']):,.8g}",
        *(_outcome(outcomes.get(interval)) for interval in Interval),
    ]


def _outcome(outcome: Row | None) -> Text:
    label = outcome and outcome.get("outcome")
    if not outcome or not label:
        return Text("·", style="dim")
    if outcome.get("pnl_pct") is None:
        return Text("?", style="magenta")
    word = f" {label}" if label in _DECIDED else ""
    return Text(f"{float(outcome['pnl_pct']):+.2f}{word}", style=_DECIDED.get(label, ""))


def _figure(value: object) -> str:
    if value is None:
        return "–"
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def _interval(column: Row) -> str:
    low, high = column.get("win_rate_low"), column.get("win_rate_high")
    return "–" if low is None or high is None else f"{low:.1f} – {high:.1f}"
