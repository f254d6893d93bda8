"""The report in depth as tables in a terminal."""

from collections.abc import Iterator, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from infra.local.analysis.figures import TARGETS, Analysis, measures, percentiles
from infra.local.analysis.words import skill_words
from infra.local.report import Row
from plumbline.domain.calibration import Reliability
from plumbline.domain.resampling import Bands
from plumbline.summaries.wording import NOTHING, change, interval, ratio, share, tier, usd

_PRIORITIES = {"URGENT": "bold red", "HIGH": "bold green", "MEDIUM": "yellow", "INFO": "dim"}
_SECTIONS = (
    ("interval", "by_interval", "interval"),
    ("scanner", "by_scanner", "scanner"),
    ("tier", "by_tier", "tier"),
    ("direction", "by_type", "type"),
    ("channel", "by_channel", "channel"),
)


def show(console: Console, found: Analysis) -> None:
    """Print everything, the result first."""
    for part in _parts(found):
        console.print(part, highlight=False)


def _parts(found: Analysis) -> Iterator[RenderableType]:
    report = found.report
    yield Text(
        f"{found.days} days to {report['to'][:16].replace('T', ' ')} UTC on the {found.market} market", style="bold"
    )
    if found.simulated:
        yield Text("A simulated market: these figures prove nothing about a real one.", style="yellow")
    yield paper_table(found.book)
    yield record_table(report)
    yield recommendations_table(report["recommendations"])
    yield standouts_table(report)
    yield from calibration_tables(found)
    yield from threshold_lines(found)
    yield resampling_table(found)
    yield Text(skill_words(found.skill))


def paper_table(book: Row) -> Table:
    """The three books side by side, with what they rest on."""
    table = _table("The paper book")
    for name in ("ideal", "net", "pessimistic"):
        table.add_column(name, justify="right")
    books = [book["books"][name] for name in ("ideal", "net", "pessimistic")]
    table.add_row("P/L", *(_money(b["total_pnl_usd"]) for b in books))
    table.add_row(f"win rate (n = {books[0]['n']})", *(share(b["win_rate"]) for b in books))
    table.add_row("  95 % interval", *(interval(b["win_rate_low"], b["win_rate_high"]) for b in books))
    table.add_row("  break-even", *(share(b["break_even_win_rate"]) for b in books))
    table.add_row("per trade", *(usd(b["expectancy_usd"]) for b in books))
    table.add_row("profit factor", *(ratio(b["profit_factor"]) for b in books))
    table.add_row(f"Sharpe ratio, annual ({books[0]['days']} days)", *(ratio(b["sharpe_ratio"]) for b in books))
    table.add_row("deepest fall", *(usd(b["max_drawdown_usd"], sign=False) for b in books))
    return table


def record_table(report: Row) -> Table:
    """What became of signals, as a whole and along each dimension."""
    table = _table("What became of signals")
    for name in ("signals", "checked", "coverage", "won", "95 % interval", "independent n", "break-even", "average"):
        table.add_column(name, justify="right")
    table.add_row("all", *_statistics(report["overall"]), end_section=True)
    for title, rows, key in _SECTIONS:
        for place, row in enumerate(report[rows]):
            last = place == len(report[rows]) - 1
            table.add_row(f"{title} {_name(row[key])}", *_statistics(row), end_section=last)
    table.caption = f"Tiers in order by chance: p = {report['tier_trend_p_value']:.3f} (Cochran–Armitage, one-sided)"
    return table


def recommendations_table(recommendations: Sequence[Row]) -> Table:
    """What to do, what it rests on, and whether that carries it."""
    table = Table(title="What the record suggests", title_justify="left", box=SIMPLE_HEAD, show_header=False)
    for one in recommendations:
        what = Text.assemble((one["action"], "bold"), "\n", one["message"])
        table.add_row(Text(one["priority"], style=_PRIORITIES[one["priority"]]), what)
    return table


def standouts_table(report: Row) -> Table:
    """The five best and worst signals."""
    table = _table("Best and worst signals, 24 hours later")
    for name in ("given (UTC)", "channel", "score"):
        table.add_column(name)
    table.add_column("P/L", justify="right")
    rows = [*report["best_signals"][:5], *reversed(report["worst_signals"][:5])]
    for row in rows:
        at = row["timestamp"][:16].replace("T", " ")
        named = f"{row['symbol']} {row['signal_type'].lower()}"
        table.add_row(
            named, at, row["channel_id"], f"{row['unified_score']:.0f}", _signed(change(row["pnl_pct"]), row["pnl_pct"])
        )
    return table


def calibration_tables(found: Analysis) -> Iterator[Table]:
    """Whether what was stated is what happened, by scanner."""
    for target, reliabilities in found.calibration.items():
        table = _table(f"Stated, and so: {TARGETS[target]}")
        table.add_column("stated")
        for name in ("n", "mean stated", "happened", "Brier", "of the base rate", "ECE", "by chance"):
            table.add_column(name, justify="right")
        for (scanner, stated), one in reliabilities.items():
            table.add_row(scanner, stated, *_reliability(one))
        yield table


def threshold_lines(found: Analysis) -> Iterator[Text]:
    """The thresholds that would have been best; what they were worth on trades held out comes first."""
    for stated, best in found.thresholds.items():
        if best is None:
            yield Text(f"Threshold of the {stated}: too few trades to choose one and to hold it out.", style="dim")
            continue
        yield Text.assemble((f"Threshold of the {stated} {100 * best.threshold:.1f} %. ", "bold"), best.warning)


def resampling_table(found: Analysis) -> RenderableType:
    """What days like these could have come to in other orders."""
    resampled = found.resampled
    if resampled is None:
        return Text("Too few days to be resampled.", style="dim")
    table = _table(f"{resampled.paths:,} other orders of these {resampled.days} days")
    for name in ("5 %", "25 %", "50 %", "75 %", "95 %"):
        table.add_column(name, justify="right")
    table.add_row("P/L at the end", *_bands(resampled.final, sign=True))
    table.add_row("deepest fall", *_bands(resampled.drawdown, sign=False))
    table.caption = (
        f"Whole days in blocks of {resampled.mean_block:.1f} on average (stationary bootstrap); "
        f"{share(100 * resampled.probability_of_loss)} of them end in a loss"
    )
    return table


def _table(title: str) -> Table:
    table = Table(title=title, title_justify="left", caption_justify="left", box=SIMPLE_HEAD)
    table.add_column("")
    return table


def _name(value: str) -> str:
    return tier(value) if value.startswith("TIER_") else value


def _statistics(row: Row) -> list[str | Text]:
    return [
        f"{row['total_signals']:,}",
        f"{row['outcomes_checked']:,}",
        share(row["coverage"]),
        share(row["win_rate"]),
        interval(row["win_rate_low"], row["win_rate_high"]),
        f"{row['independent_n']:,}",
        share(row["break_even_win_rate"]),
        _signed(change(row["avg_pnl_pct"]), row["avg_pnl_pct"]),
    ]


def _reliability(one: Reliability) -> list[str]:
    return [f"{one.n:,}", *(NOTHING if value is None else f"{value:.3f}" for value in measures(one))]


def _bands(bands: Bands, *, sign: bool) -> list[str]:
    return [usd(value, sign=sign) for value in percentiles(bands)]


def _money(value: float) -> Text:
    return _signed(usd(value), value)


def _signed(text: str, value: float | None) -> Text:
    return Text(text, style="" if not value else "green" if value > 0 else "red")
