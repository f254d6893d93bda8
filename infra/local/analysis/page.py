"""The report as one HTML file: nothing is loaded, nothing runs, and it prints."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from infra.local.analysis.chance import calibration, resampling, thresholds
from infra.local.analysis.charts import Line, Whisker, line_chart, whisker_chart
from infra.local.analysis.figures import Analysis
from infra.local.analysis.parts import card, listing, plain_name, section, side, signed
from infra.local.report import Row
from plumbline.markup import Content, Markup, joined, tag
from plumbline.summaries.wording import (
    HOW_TO_READ,
    NOT_YET,
    change,
    interval,
    ratio,
    share,
    short_day,
    usd,
    without_doubt,
)

BOOKS = ("ideal", "net", "pessimistic")
DIMENSIONS = (
    ("After", "by_interval", "interval"),
    ("Tier", "by_tier", "tier"),
    ("Scanner", "by_scanner", "scanner"),
    ("Direction", "by_type", "type"),
    ("Channel", "by_channel", "channel"),
    ("Symbol", "by_symbol", "symbol"),
)
_DRAWN = 4
_MOST_SYMBOLS = 25
_OF_BOOKS = (
    "",
    "P/L",
    "won",
    "95 % interval",
    "n",
    "break-even",
    "per trade",
    "profit factor",
    "Sharpe",
    "deepest fall",
)
_OF_CHANNELS = ("", "trades", "won", "95 % interval", "break-even", "per trade", "net", "gross")
_SIMULATED = "A simulated market: these figures show that the service works, and prove nothing about a real one."
_BOOKS_DIFFER = (
    "Ideal enters at the signal's own price without costs, net a minute later with fees and slippage, pessimistic at "
    "the worst price of every minute. The truth lies between the outer two."
)
_RATES = (
    "The share of outcomes that won (+5 % or more), its 95 % interval over independent signals, and, as a short "
    "upright line, the rate at which the average win and the average loss would cancel out."
)


def page(found: Analysis) -> str:
    """The whole document."""
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", f"Plumbline report, {found.days} days to {found.report['to'][:10]}, {found.market}"),
        tag("style", Markup(Path(__file__).with_name("page.css").read_text())),
    )
    return f"<!DOCTYPE html>\n{tag('html', head, tag('body', tag('main', *_parts(found))), lang='en')}\n"


def _parts(found: Analysis) -> Iterator[Markup]:
    yield _opening(found)
    yield from _book(found.book)
    yield from _record(found.report)
    yield from _advice(found.report["recommendations"])
    yield from _standouts(found.report)
    yield from calibration(found)
    yield from thresholds(found)
    yield from resampling(found)
    yield tag("p", HOW_TO_READ, class_="soft small end")


def _opening(found: Analysis) -> Markup:
    about = joined(tag("span", "Plumbline", class_="brand"), f" · report · {found.market}")
    return joined(
        tag("p", about, class_="soft about"),
        tag("h1", f"{found.days} days to {found.report['to'][:16].replace('T', ' ')} UTC"),
        tag("p", _SIMULATED, class_="note") if found.simulated else None,
        tag("div", *_tiles(found), class_="tiles"),
    )


def _tiles(found: Analysis) -> Iterator[Markup]:
    net, overall = found.book["books"]["net"], found.report["overall"]
    made, won = net["total_pnl_usd"], interval(net["win_rate_low"], net["win_rate_high"])
    each, even = usd(net["expectancy_usd"]), share(net["break_even_win_rate"])
    capital = usd(found.book["capital_usd"], sign=False).removesuffix(".00")
    yield _tile(usd(made), f"net on {found.book['closed']:,} paper trades, {each} each", side(made))
    yield _tile(share(net["win_rate"]), f"of trades won ({won}, n = {net['n']:,}); break-even {even}")
    yield _tile(
        f"{overall['total_signals']:,}",
        f"signals given; {overall['outcomes_checked']:,} outcomes checked, {share(overall['coverage'])} of those due",
    )
    yield _tile(
        usd(net["max_drawdown_usd"], sign=False),
        f"deepest fall, {net['max_drawdown_pct']:.2f} % of the capital of {capital}",
    )


def _tile(figure: str, told: str, look: str | None = None) -> Markup:
    return tag("div", tag("b", figure, class_=look), tag("span", told), class_="tile")


def _book(book: Row) -> Iterator[Markup]:
    yield section("The paper book", _BOOKS_DIFFER)
    curve = book["equity"]
    if curve:
        lines = [Line(n, n, [day["equity_usd"][n] for day in curve]) for n in ("ideal", "pessimistic", "net")]
        end = usd(curve[-1]["equity_usd"]["net"], sign=False)
        said = f"Equity of the three books over {len(curve)} days; net ends at {end}."
        days = [short_day(day["day"]) for day in curve]
        yield card(line_chart(days, lines, said, lambda value: usd(value, sign=False).removesuffix(".00")))
    yield card(listing(_OF_BOOKS, [[name, *_book_row(book["books"][name])] for name in BOOKS]))
    if book["rows"]:
        yield card(tag("h3", "By channel"), listing(_OF_CHANNELS, [_group_row(row) for row in book["rows"]]))


def _book_row(book: Row) -> list[Content]:
    return [
        signed(usd(book["total_pnl_usd"]), book["total_pnl_usd"]),
        share(book["win_rate"]),
        interval(book["win_rate_low"], book["win_rate_high"]),
        f"{book['n']:,}",
        share(book["break_even_win_rate"]),
        usd(book["expectancy_usd"]),
        ratio(book["profit_factor"]),
        ratio(book["sharpe_ratio"]),
        usd(book["max_drawdown_usd"], sign=False),
    ]


def _group_row(row: Row) -> list[Content]:
    return [
        row["key"],
        f"{row['closed']:,}",
        share(row["win_rate"]),
        interval(row["win_rate_low"], row["win_rate_high"]),
        share(row["break_even_win_rate"]),
        usd(row["average_pnl_usd"]),
        signed(usd(row["total_pnl_usd"]), row["total_pnl_usd"]),
        signed(usd(row["gross_pnl_usd"]), row["gross_pnl_usd"]),
    ]


def _record(report: Row) -> Iterator[Markup]:
    yield section("What became of signals", _RATES)
    whiskers = [_whisker("All signals", report["overall"])]
    for title, rows, key in DIMENSIONS[:_DRAWN]:
        named = "" if key == "tier" else f"{title} "
        whiskers += [_whisker(named + plain_name(row[key]), row) for row in report[rows]]
    yield card(whisker_chart(whiskers, "Win rates with their 95 % intervals; the table below has the figures."))
    heads = ("", "signals", "checked", "coverage", "won", "95 % interval", "independent n", "break-even", "average")
    yield card(listing(heads, [*_record_rows(report)]))
    yield tag("p", trend_line(report), class_="soft small after")


def _record_rows(report: Row) -> Iterator[Sequence[Content]]:
    yield ["All", *_statistics(report["overall"])]
    for title, name, key in DIMENSIONS:
        rows = sorted(report[name], key=lambda row: -row["outcomes_checked"]) if key == "symbol" else report[name]
        if rows:
            yield [title]
        for row in rows[:_MOST_SYMBOLS]:
            yield [plain_name(row[key]), *_statistics(row)]


def trend_line(report: Row) -> str:
    """Whether the tiers rank the signals, in a sentence."""
    return (
        "If the tiers did not differ, win rates that fall so clearly from the best tier to the last would come by "
        f"chance with p = {report['tier_trend_p_value']:.3f} (Cochran–Armitage, one-sided)."
    )


def _whisker(name: str, row: Row) -> Whisker:
    bounds = row["win_rate_low"], row["win_rate_high"]
    return Whisker(name, row["independent_n"], row["win_rate"], *bounds, row["break_even_win_rate"])


def _statistics(row: Row) -> list[Content]:
    return [
        f"{row['total_signals']:,}",
        f"{row['outcomes_checked']:,}",
        share(row["coverage"]),
        share(row["win_rate"]),
        interval(row["win_rate_low"], row["win_rate_high"]),
        f"{row['independent_n']:,}",
        share(row["break_even_win_rate"]),
        signed(change(row["avg_pnl_pct"]), row["avg_pnl_pct"]),
    ]


def _advice(recommendations: Sequence[Row]) -> Iterator[Markup]:
    yield tag("h2", "What the record suggests")
    yield card(*(_recommendation(one) for one in recommendations))


def _recommendation(one: Row) -> Markup:
    doubt = tag("span", f" {NOT_YET}", class_="soft small") if not one["significant"] else None
    told = tag("div", without_doubt(one["message"]), class_="soft small")
    badge = tag("span", one["priority"], class_=f"badge {one['priority']}")
    return tag("div", badge, tag("div", tag("b", one["action"]), doubt, told), class_="advice")


def _standouts(report: Row) -> Iterator[Markup]:
    yield tag("h2", "Best and worst signals, 24 hours later")
    heads = ("", "given (UTC)", "channel", "score", "P/L")
    for title, name in (("Gained most", "best_signals"), ("Lost most", "worst_signals")):
        rows = [_standout(row) for row in report[name][:10]]
        yield card(tag("h3", title), listing(heads, rows) if rows else tag("p", "None.", class_="soft"))


def _standout(row: Row) -> list[Content]:
    return [
        f"{row['symbol']} {row['signal_type'].lower()}",
        row["timestamp"][:16].replace("T", " "),
        row["channel_id"],
        f"{row['unified_score']:.0f}",
        signed(change(row["pnl_pct"]), row["pnl_pct"]),
    ]
