"""A digest in words: the plain-text part of the mail, and a message for Telegram."""

import textwrap
from collections.abc import Iterator, Sequence
from html import escape

from plumbline.domain.digest import Digest, SignalLine
from plumbline.domain.recommendations import Recommendation
from plumbline.summaries.wording import (
    HOW_TO_READ,
    NOT_YET,
    change,
    count,
    heading,
    interval,
    rate_in_words,
    ratio,
    share,
    since,
    usd,
)

WIDTH = 72
"""Columns of the plain text."""
TELEGRAM_WIDTH = 32
"""Columns that a telephone shows of a fixed-width block without breaking a line."""
TELEGRAM_LIMIT = 4_096
"""Characters of one message, counted after its tags are read."""
_SIMULATED = "SIMULATED MARKET: these figures prove nothing about a real one."

type Rows = Sequence[Sequence[str]]


def plain_text(digest: Digest, dashboard_url: str = "") -> str:
    """The same as the mail, in lines of at most `WIDTH` columns (a link may be longer)."""
    blocks = [[f"PLUMBLINE: {digest.kind.upper()} SUMMARY", f"{heading(digest)}, {digest.source}"]]
    if digest.simulated:
        blocks.append([_SIMULATED])
    blocks += [
        _wrapped(_result(digest)),
        _titled("WHAT BECAME OF SIGNALS", _aligned(_outcomes(digest))),
        _titled("BEST AND WORST SIGNALS, 24 HOURS LATER", _aligned(_standouts(digest))),
        _titled("PAPER TRADES BY CHANNEL", _aligned(_channels(digest))),
        _titled(f"CONFIGURATIONS, TRADES OF {digest.compared_days} DAYS", _aligned(_configurations(digest))),
        _titled("WHAT THE LAST 30 DAYS SUGGEST", [line for one in digest.recommendations for line in _advice(one)]),
        [dashboard_url] if dashboard_url else [],
        _wrapped([HOW_TO_READ]),
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def telegram_text(digest: Digest) -> str:
    """A message in Telegram's HTML: the result, the outcomes, the ends, and as much advice as still fits."""
    said = [f"<b>{escape(heading(digest))}</b>"]
    if digest.simulated:
        said.append(f"<i>{_SIMULATED}</i>")
    said.append(_fixed(_aligned(_at_a_glance(digest))))
    said.append(_fixed(_aligned(_short_outcomes(digest))))
    if digest.best or digest.worst:
        ends = [*digest.best[:1], *(line for line in digest.worst[:1] if line not in digest.best[:1])]
        said.append(_fixed(_aligned([[line.symbol, line.side.lower(), change(line.pnl_pct)] for line in ends])))
    for one in digest.recommendations:
        doubt = "" if one.significant else f" <i>({NOT_YET})</i>"
        advice = f"<b>{one.priority}</b> {escape(one.action)}{doubt}"
        if len("\n".join([*said, advice])) <= TELEGRAM_LIMIT:
            said.append(advice)
    return "\n".join(said)


def _result(digest: Digest) -> list[str]:
    trades, record = digest.trades, digest.record
    net = trades.figures.net
    if not trades.figures.closed:
        made = "No paper trade closed."
    else:
        made = (
            f"Net {usd(net.total_pnl_usd)} on {count(trades.figures.closed, 'paper trade')}, {usd(net.expectancy_usd)} "
            f"each; gross {usd(trades.figures.gross_pnl_usd)}, pessimistic {usd(trades.figures.pessimistic_pnl_usd)}. "
            f"Win rate {rate_in_words(net.rate)}, break-even {share(net.break_even_win_rate)}."
        )
    checked = (
        f"{count(record.signals, 'signal')} given; {count(record.checked, 'outcome')} checked, "
        f"{share(record.coverage)} of those due, of which {share(record.win_rate)} won "
        f"(95 %: {interval(record.win_rate_low, record.win_rate_high)}, n = {record.independent_n})."
    )
    return [made, checked]


def _outcomes(digest: Digest) -> Rows:
    rows = [
        [
            line.name,
            f"{line.checked:,}",
            share(line.win_rate),
            interval(line.win_rate_low, line.win_rate_high),
            change(line.avg_pnl_pct),
            share(line.coverage),
        ]
        for line in digest.intervals
    ]
    return [["after", "checked", "win rate", "95 %", "average", "coverage"], *rows]


def _standouts(digest: Digest) -> Rows:
    worst = [line for line in digest.worst if line not in digest.best]
    return [_standout(line) for line in (*digest.best, *reversed(worst))]


def _standout(line: SignalLine) -> list[str]:
    return [line.symbol, line.side.lower(), line.channel_id, change(line.pnl_pct)]


def _channels(digest: Digest) -> Rows:
    ranked = sorted(digest.channels, key=lambda c: -c.figures.net.total_pnl_usd)
    rows = [
        [
            line.name,
            str(line.figures.closed),
            share(line.figures.net.rate.win_rate),
            interval(line.figures.net.rate.win_rate_low, line.figures.net.rate.win_rate_high),
            usd(line.figures.net.total_pnl_usd),
        ]
        for line in ranked
    ]
    return [["channel", "trades", "win rate", "95 %", "net"], *rows] if rows else []


def _configurations(digest: Digest) -> Rows:
    rows = [
        [
            line.channel_id,
            since(line.active_from, line.active_until),
            str(line.figures.closed),
            share(line.figures.net.rate.win_rate),
            ratio(line.figures.net.profit_factor),
            usd(line.figures.net.total_pnl_usd),
        ]
        for line in digest.configurations
    ]
    return [["channel", "current", "trades", "won", "factor", "net"], *rows] if rows else []


def _advice(one: Recommendation) -> list[str]:
    head = textwrap.wrap(f"{one.priority}: {one.action}", WIDTH, subsequent_indent="  ")
    return [*head, *textwrap.wrap(one.message, WIDTH, initial_indent="  ", subsequent_indent="  ")]


def _at_a_glance(digest: Digest) -> Rows:
    figures, record = digest.trades.figures, digest.record
    rate = figures.net.rate
    rows = [
        ["net", usd(figures.net.total_pnl_usd), f"{figures.closed} trades"],
        ["won", share(rate.win_rate), interval(rate.win_rate_low, rate.win_rate_high)],
        ["needs", share(figures.net.break_even_win_rate), "to break even"],
    ]
    return [*rows, ["new", f"{record.signals:,}", "signals"]]


def _short_outcomes(digest: Digest) -> Rows:
    return [
        [line.name, f"{line.checked:,}", share(line.win_rate), interval(line.win_rate_low, line.win_rate_high)]
        for line in digest.intervals
        if line.checked
    ]


def _titled(title: str, lines: Sequence[str]) -> list[str]:
    return [title, *lines] if lines else []


def _wrapped(paragraphs: Sequence[str]) -> list[str]:
    return [line for paragraph in paragraphs for line in textwrap.wrap(paragraph, WIDTH)]


def _aligned(rows: Rows) -> list[str]:
    """Columns of their widest entry: the first to the left, words to the left, figures to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    numeric = [bool(place) and _is_numeric(column) for place, column in enumerate(zip(*rows, strict=True))]
    return ["  ".join(_padded(row, widths, numeric)).rstrip() for row in rows]


def _padded(row: Sequence[str], widths: Sequence[int], numeric: Sequence[bool]) -> Iterator[str]:
    for text, width, right in zip(row, widths, numeric, strict=True):
        yield text.rjust(width) if right else text.ljust(width)


def _is_numeric(column: Sequence[str]) -> bool:
    """Whether it ends in a figure: heads stand over figures as they are."""
    return column[-1][-1:].isdigit() or column[-1].endswith(" %") or column[-1] == "–"


def _fixed(lines: Sequence[str]) -> str:
    return f"<pre>{escape(chr(10).join(lines))}</pre>" if lines else ""
