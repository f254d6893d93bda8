"""The part of the page that doubts the rest: calibration, thresholds in hindsight, other orders of the same days."""

from collections.abc import Iterator

from infra.local.analysis.charts import bands_chart, reliability_chart
from infra.local.analysis.figures import TARGETS, Analysis, measures, percentiles
from infra.local.analysis.parts import card, listing, section
from infra.local.analysis.words import skill_words
from plumbline.domain.calibration import STATED, Reliability, Stated, Table
from plumbline.domain.resampling import Resampled
from plumbline.domain.thresholds import BestThreshold, Kept
from plumbline.markup import Content, Markup, tag
from plumbline.summaries.wording import NOTHING, change, interval, share, usd

_CALIBRATION = (
    "What signals stated of themselves against what happened: on the dashed line they are as good as their word. A "
    "Brier score must lie below that of always stating the base rate to be of use; a calibration error (ECE) that is "
    "not above what chance would show is none."
)
_TOO_FEW = "Too few trades to choose one on the earlier and to judge it by the later."


def calibration(found: Analysis) -> Iterator[Markup]:
    """Reliability diagrams of all signals, and the measures by scanner."""
    yield section("Calibration", _CALIBRATION)
    for target, table in found.calibration.items():
        known = [(stated, table[("all", stated)]) for stated in STATED if ("all", stated) in table]
        if known:
            yield tag("div", *(_diagram(stated, one, TARGETS[target]) for stated, one in known), class_="pair")
        yield card(tag("h3", f"Stated, and so: {TARGETS[target]}"), _measured(table))


def _diagram(stated: Stated, one: Reliability, target: str) -> Markup:
    said = f"Reliability of the {stated}: in ten bins, what was stated and for what share {target}, n = {one.n}."
    return card(tag("h3", f"{stated.capitalize()}: {target}"), reliability_chart(one, said))


def _measured(table: Table) -> Markup:
    heads = ("", "n", "mean stated", "happened", "Brier", "of the base rate", "ECE", "by chance")
    rows = [
        [f"{scanner}, {stated}", f"{one.n:,}", *(NOTHING if m is None else f"{m:.3f}" for m in measures(one))]
        for (scanner, stated), one in table.items()
    ]
    return listing(heads, rows) if rows else tag("p", "No result yet.", class_="soft")


def thresholds(found: Analysis) -> Iterator[Markup]:
    """The best ones, the figures that were not chosen first."""
    yield tag("h2", "Thresholds in hindsight")
    for stated, best in found.thresholds.items():
        title = tag("h3", f"The {stated} from which on trades would have made most")
        if best is None:
            yield card(title, tag("p", _TOO_FEW, class_="soft"))
        else:
            yield card(title, tag("p", best.warning), _judged(best))


def _judged(best: BestThreshold) -> Markup:
    at, hindsight = share(100 * best.threshold), share(100 * best.hindsight)
    rows = [
        _kept("held out, the later trades: kept", at, best.held_out),
        _kept("held out: all of them", "", best.held_out_all),
        _kept("where it was chosen, the earlier: kept", at, best.searched),
        _kept("where it was chosen: all of them", "", best.searched_all),
        _kept("best over everything", hindsight, best.hindsight_kept),
    ]
    return listing(("", "threshold", "trades", "won", "95 % interval", "a trade", "in all"), rows)


def _kept(name: str, threshold: str, kept: Kept) -> list[Content]:
    rate = None if kept.win_rate is None else 100 * kept.win_rate
    bounds = interval(100 * kept.win_rate_low, 100 * kept.win_rate_high) if kept.n else NOTHING
    average, total = change(kept.average_pnl_pct), change(kept.total_pnl_pct)
    return [name, threshold, f"{kept.n:,}", share(rate), bounds, average, total]


def resampling(found: Analysis) -> Iterator[Markup]:
    """What days like these could have come to, and what is left of the Sharpe ratio."""
    if found.resampled is None:
        yield section("How much of it may be chance", "Too few days to be resampled.")
    else:
        yield section("How much of it may be chance", _orders(found.resampled))
        yield card(_bands(found, found.resampled), _percentiles(found.resampled))
    yield card(tag("p", skill_words(found.skill), class_="last"))


def _orders(resampled: Resampled) -> str:
    return (
        f"{resampled.paths:,} other orders of the same {resampled.days} days, drawn in blocks of "
        f"{resampled.mean_block:.1f} days on average (stationary bootstrap of the net book): "
        f"{share(100 * resampled.probability_of_loss)} of them end in a loss. The thick part holds the middle half, "
        "the thin one nine tenths; the dot is what happened."
    )


def _percentiles(resampled: Resampled) -> Markup:
    rows: list[list[Content]] = [
        ["P/L at the end", *(usd(value) for value in percentiles(resampled.final))],
        ["deepest fall", *(usd(value, sign=False) for value in percentiles(resampled.drawdown))],
    ]
    return listing(("", "5 %", "25 %", "50 %", "75 %", "95 %"), rows)


def _bands(found: Analysis, resampled: Resampled) -> Markup:
    net = found.book["books"]["net"]
    said = (
        f"Bands of the resampled results: median P/L {usd(resampled.final.p50)}, median of the deepest fall "
        f"{usd(resampled.drawdown.p50, sign=False)}."
    )
    rows = (
        ("P/L at the end", resampled.final, net["total_pnl_usd"]),
        ("Deepest fall", resampled.drawdown, net["max_drawdown_usd"]),
    )
    return bands_chart(rows, said, lambda value: usd(value, sign=False).removesuffix(".00"))
