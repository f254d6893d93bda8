"""A digest as an HTML e-mail: tables and colours alone, no picture, nothing that is loaded from anywhere.

Six hundred pixels at most; on a telephone columns that are not essential give way.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from plumbline.domain.digest import ConfigurationLine, Digest, Kind, RecordLine, SignalLine, TradesLine
from plumbline.domain.figures import Rate
from plumbline.domain.recommendations import Priority, Recommendation
from plumbline.markup import Content, Markup, joined, lines, tag
from plumbline.summaries.looks import sheet, styled
from plumbline.summaries.wording import (
    HOW_TO_READ,
    NOT_YET,
    change,
    count,
    heading,
    interval,
    moment,
    ratio,
    share,
    short_day,
    since,
    subject,
    usd,
    without_doubt,
)

_STEPS = 200
"""Steps in which the strip of a rate is drawn, from 0 to 100 %."""
_HALF = 44
"""Pixels of the tallest bar, above and below the line together twice as many at most."""
_BADGES = {
    Priority.URGENT: "badground badink",
    Priority.HIGH: "goodground goodink",
    Priority.MEDIUM: "warnground warnink",
    Priority.INFO: "sunk soft",
}


def html_mail(digest: Digest, dashboard_url: str = "") -> str:
    """The whole document; a link to the dashboard where its address is known."""
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="supported-color-schemes", content="light dark"),
        tag("title", subject(digest)),
        tag("style", Markup(sheet())),
    )
    column = _table(
        *(_row(part) for part in _parts(digest, dashboard_url)), style="max-width:600px;margin:0 auto;text-align:left"
    )
    preview = styled("div", "hidden", subject(digest))
    outer = styled(
        "table", "page", tag("tr", styled("td", "", column, align="center", style="padding:20px 0 32px")), **_GRID
    )
    body = styled("body", "body page ink", preview, outer)
    return f"<!DOCTYPE html>\n{tag('html', head, body, lang='en')}\n"


def _parts(digest: Digest, dashboard_url: str) -> Iterator[Markup]:
    yield _opening(digest)
    yield _result(digest.trades)
    yield _tiles(digest)
    yield _trend(digest)
    yield _outcomes(digest)
    yield _standouts(digest)
    yield _channels(digest.channels)
    yield _configurations(digest)
    yield _advice(digest.recommendations)
    yield _closing(dashboard_url)


# --- from the top ----------------------------------------------------------------------------------------------------


def _opening(digest: Digest) -> Markup:
    name = {Kind.DAILY: "Daily", Kind.WEEKLY: "Weekly", Kind.MONTHLY: "Monthly"}[digest.kind]
    said = [
        styled("p", "label soft", styled("span", "strong accent", "Plumbline"), f" · {name} summary · {digest.source}"),
        styled("h1", "heading ink", heading(digest)),
    ]
    if digest.simulated:
        warning = "A simulated market: these figures show that the service works, and prove nothing about a real one."
        said.append(
            styled("p", "label warnground warnink", warning, style="margin-top:10px;padding:8px 12px;border-radius:6px")
        )
    return joined(*said)


def _result(trades: TradesLine) -> Markup:
    net = trades.figures.net
    if not trades.figures.closed:
        return _card(
            styled("p", "label soft", "The paper book"),
            styled("p", "tile ink", "No trade closed", style="margin:2px 0 0"),
        )
    beside = (
        f"{count(trades.figures.closed, 'trade')} closed, {usd(net.expectancy_usd)} each · gross "
        f"{usd(trades.figures.gross_pnl_usd)} · pessimistic {usd(trades.figures.pessimistic_pnl_usd)} · "
        f"deepest fall {usd(trades.max_drawdown_usd, sign=False)}"
    )
    return _card(
        styled("p", "label soft", "The paper book, net of costs"),
        styled("p", f"hero {_side(net.total_pnl_usd)}", usd(net.total_pnl_usd)),
        styled("p", "label soft", beside, style="margin-top:4px"),
        _rate(net.rate, net.break_even_win_rate),
    )


def _rate(rate: Rate, break_even: float | None) -> Markup:
    """A win rate on a strip from 0 to 100 %: its interval, the rate itself, and where nothing would be earned."""
    if rate.win_rate is None:
        return Markup()
    strip = ["rest"] * _STEPS
    _paint(strip, rate.win_rate_low, rate.win_rate_high, "band")
    _paint(strip, break_even, break_even, "even")
    _paint(strip, rate.win_rate, rate.win_rate, "mark")
    parts = [(look, len([*same])) for look, same in groupby(strip)]
    cells = [styled("td", f"bar {look}", width=f"{100 * n / _STEPS:g}%") for look, n in parts]
    said = [
        styled("span", "strong ink", f"Win rate {share(rate.win_rate)}"),
        f", 95 % interval {interval(rate.win_rate_low, rate.win_rate_high)}, n = {rate.n}",
    ]
    if break_even is not None:
        tick = styled("span", "even", Markup("&nbsp;&nbsp;"), style="font-size:9px")
        said.append(joined(", ", tick, Markup("&nbsp;"), f"break-even {share(break_even)}"))
    return joined(
        _table(tag("tr", *cells), style="margin-top:14px;table-layout:fixed;border-radius:3px"),
        styled("p", "label soft", *said, style="margin-top:6px"),
    )


def _paint(strip: list[str], low: float | None, high: float | None, look: str) -> None:
    """Colour a stretch of the strip, at least two steps wide; what is not known is not painted."""
    if low is None or high is None:
        return
    first = min(round(low / 100 * _STEPS), _STEPS - 2)
    last = max(first + 2, round(high / 100 * _STEPS))
    strip[first:last] = [look] * (min(last, _STEPS) - first)


def _tiles(digest: Digest) -> Markup:
    record = digest.record
    tiles = (
        (f"{record.signals:,}", "signals given"),
        (f"{record.checked:,}", f"outcomes checked, {share(record.coverage)} of those due"),
        (
            share(record.win_rate),
            f"of outcomes won ({interval(record.win_rate_low, record.win_rate_high)}, n = {record.independent_n:,})",
        ),
    )
    cells = [
        styled(
            "td",
            "card rim",
            styled("div", "tile ink", figure),
            styled("div", "small soft", told),
            width="33%",
            valign="top",
            style="padding:12px 14px;border-width:1px;border-style:solid;border-radius:8px",
        )
        for figure, told in tiles
    ]
    gap = styled("td", "", width="8", style="font-size:0")
    return _table(tag("tr", cells[0], gap, cells[1], gap, cells[2]))


def _trend(digest: Digest) -> Markup:
    """One bar for each day, up or down; the days of this summary stronger than those before."""
    values = [day.net_pnl_usd for day in digest.trend]
    top, bottom = max(values, default=0.0), min(values, default=0.0)
    span = max(top - bottom, 0.01)
    own = len(values) - digest.kind.days
    above, below = [], []
    for place, value in enumerate(values):
        height = max(1, round(2 * _HALF * abs(value) / span)) if value else 0
        before = "" if place >= own else "before"
        above.append(_bar("bottom", height if value > 0 else 0, f"up{before}"))
        below.append(_bar("top", height if value < 0 else 0, f"down{before}"))
    earning = sum(value > 0 for value in values)
    traded = sum(1 for day in digest.trend if day.closed)
    told = f"{usd(sum(values))} in {len(values)} days; {earning} of {count(traded, 'day')} with trades earned"
    rows = [tag("tr", *above)]
    rows.append(tag("tr", styled("td", "rest", colspan=len(values), height="1", style="font-size:0;line-height:0")))
    if bottom < 0:
        rows.append(tag("tr", *below))
    ends = _table(
        tag(
            "tr",
            styled("td", "small soft", short_day(digest.trend[0].day), align="left"),
            styled("td", "small soft", short_day(digest.trend[-1].day), align="right"),
        )
    )
    return _card(
        styled("h2", "section ink", "Net result by day"),
        styled("p", "label soft", told, style="margin-bottom:10px"),
        _table(*rows, style="table-layout:fixed"),
        ends,
    )


def _bar(align: str, height: int, look: str) -> Markup:
    bar = (
        styled("div", look, style=f"height:{height}px;font-size:0;line-height:0;border-radius:1px") if height else None
    )
    return tag("td", bar, valign=align, style="padding:0 1px;font-size:0;line-height:0;vertical-align:" + align)


# --- tables ----------------------------------------------------------------------------------------------------------


def _outcomes(digest: Digest) -> Markup:
    columns = (
        Column("after"),
        Column("checked", number=True),
        Column("win rate", number=True),
        Column("average", number=True),
        Column("coverage", number=True, wide=True),
    )
    return _listing("What became of signals", columns, [_outcome_row(line) for line in digest.intervals])


def _outcome_row(line: RecordLine) -> list[Content]:
    return [
        line.name,
        f"{line.checked:,}",
        _with_interval(line.win_rate, line.win_rate_low, line.win_rate_high),
        _signed(change(line.avg_pnl_pct), line.avg_pnl_pct),
        share(line.coverage),
    ]


def _standouts(digest: Digest) -> Markup:
    """The best and the worst, each once where there are few."""
    worst = [line for line in digest.worst if line not in digest.best]
    rows = [_standout_row(line) for line in (*digest.best, *reversed(worst))]
    columns = (
        Column("signal"),
        Column("given", wide=True),
        Column("channel", wide=True),
        Column("24 h later", number=True),
    )
    return _listing("Best and worst signals", columns, rows, "No signal was judged at 24 h.")


def _standout_row(line: SignalLine) -> list[Content]:
    named = joined(styled("span", "strong", line.symbol), f" {line.side.lower()}, score {line.unified_score:.0f}")
    given = moment(line.given_at)
    return [named, given, line.channel_id, _signed(change(line.pnl_pct), line.pnl_pct)]


def _channels(channels: Sequence[TradesLine]) -> Markup:
    columns = (
        Column("channel"),
        Column("trades", number=True),
        Column("win rate", number=True),
        Column("per trade", number=True, wide=True),
        Column("net", number=True),
    )
    rows = [_channel_row(line) for line in sorted(channels, key=lambda c: -c.figures.net.total_pnl_usd)]
    return _listing("Paper trades by channel", columns, rows, "No trade closed.")


def _channel_row(line: TradesLine) -> list[Content]:
    net = line.figures.net
    return [
        line.name,
        f"{line.figures.closed:,}",
        _with_interval(net.rate.win_rate, net.rate.win_rate_low, net.rate.win_rate_high),
        usd(net.expectancy_usd),
        _signed(usd(net.total_pnl_usd), net.total_pnl_usd),
    ]


def _configurations(digest: Digest) -> Markup:
    columns = (
        Column("configuration"),
        Column("trades", number=True),
        Column("win rate", number=True),
        Column("profit factor", number=True, wide=True),
        Column("net", number=True),
    )
    rows = [_configuration_row(line) for line in digest.configurations]
    title = f"Configurations, their trades of the last {digest.compared_days} days"
    return _listing(title, columns, rows, "None was active.")


def _configuration_row(line: ConfigurationLine) -> list[Content]:
    net = line.figures.net
    said = f"{since(line.active_from, line.active_until)} · {line.config_hash[:8]}"
    named = lines(line.channel_id, styled("span", "small soft", said), styled("span", "small soft", line.notes))
    return [
        named,
        f"{line.figures.closed:,}",
        _with_interval(net.rate.win_rate, net.rate.win_rate_low, net.rate.win_rate_high),
        ratio(net.profit_factor),
        _signed(usd(net.total_pnl_usd), net.total_pnl_usd) if line.figures.closed else usd(None),
    ]


def _advice(recommendations: Sequence[Recommendation]) -> Markup:
    cards = [_recommendation(one) for one in recommendations]
    title = styled("h2", "section ink", "What the last 30 days suggest")
    return _card(title, *cards) if cards else _card(title, styled("p", "label soft", "Nothing."))


def _recommendation(one: Recommendation) -> Markup:
    badges: list[Content] = [styled("span", f"badge {_BADGES[one.priority]}", one.priority.value)]
    if not one.significant:
        badges += [" ", styled("span", "small soft", NOT_YET)]
    return styled(
        "div",
        "rim",
        tag("div", *badges),
        styled("div", "strong ink", one.action, style="margin-top:4px;font-size:14px"),
        styled("div", "small soft", without_doubt(one.message), style="margin-top:1px"),
        style="padding:9px 0;border-top-width:1px;border-top-style:solid",
    )


def _closing(dashboard_url: str) -> Markup:
    link = styled(
        "p", "", styled("a", "button accent rim", "Open the dashboard", href=dashboard_url), style="margin:4px 0 16px"
    )
    return joined(link if dashboard_url else None, styled("p", "small soft", HOW_TO_READ, style="margin:0"))


# --- building blocks -------------------------------------------------------------------------------------------------

_GRID = {"role": "presentation", "width": "100%", "cellpadding": "0", "cellspacing": "0", "border": "0"}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a listing: `wide` ones give way on a narrow screen."""

    title: str
    number: bool = False
    wide: bool = False

    @property
    def looks(self) -> str:
        """Names of its looks."""
        return " ".join(name for name, has in (("number", self.number), ("wide", self.wide)) if has)


def _listing(title: str, columns: Sequence[Column], rows: Sequence[Sequence[Content]], nothing: str = "") -> Markup:
    """A table of facts with its heads, or a word where there are none."""
    heads = [styled("th", f"head soft rim {c.looks}", c.title, scope="col", style=_edge(c, columns)) for c in columns]
    body = [
        tag(
            "tr", *(_piece(column, piece, columns, row is rows[-1]) for column, piece in zip(columns, row, strict=True))
        )
        for row in rows
    ]
    grid = {name: value for name, value in _GRID.items() if name != "role"}
    shown = tag("table", tag("tr", *heads), *body, **grid) if rows else styled("p", "label soft", nothing)
    return _card(styled("h2", "section ink", title), shown)


def _piece(column: Column, piece: Content, columns: Sequence[Column], is_last: bool) -> Markup:
    line = ";border-bottom-width:0;padding-bottom:0" if is_last else ""
    return styled("td", f"cell ink rim {column.looks}", piece, style=_edge(column, columns) + line)


def _edge(column: Column, columns: Sequence[Column]) -> str:
    return "padding-right:0" if column is columns[-1] else "padding-right:10px"


def _card(*content: Content) -> Markup:
    looks = "padding:16px 18px;border-width:1px;border-style:solid;border-radius:8px"
    return _table(tag("tr", styled("td", "card rim", *content, style=looks)), style="border-collapse:separate")


def _row(part: Markup) -> Markup:
    return tag("tr", styled("td", "pad", part, style="padding:0 20px 14px"))


def _table(*rows: Markup, style: str = "") -> Markup:
    """A table that only arranges."""
    return tag("table", *rows, **_GRID, style=style or None)


def _with_interval(rate: float | None, low: float | None, high: float | None) -> Content:
    return lines(share(rate), styled("span", "small soft", interval(low, high))) if rate is not None else share(rate)


def _signed(text: str, value: float | None) -> Content:
    return styled("span", _side(value), text) if value else text


def _side(value: float | None) -> str:
    return "ink" if not value else "gain" if value > 0 else "loss"
