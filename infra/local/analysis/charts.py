"""Charts as SVG of a few lines each: no script, no library, colours from the page's style sheet.

Every chart says in words what it shows, for those who do not see it; every mark has its figures as a title.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from plumbline.domain.calibration import Reliability
from plumbline.domain.resampling import Bands
from plumbline.markup import Content, Markup, joined, tag

WIDTH = 980
_LEFT, _RIGHT = 64, 16


@dataclass(frozen=True, slots=True)
class Scale:
    """Values in [low, high] to pixels from `start` to `end`."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Where this value lies, in pixels; two decimals."""
        span = self.high - self.low or 1.0
        return round(self.start + (value - self.low) / span * (self.end - self.start), 2)

    def ticks(self, about: int = 5) -> list[float]:
        """Round values within it, about so many."""
        span = self.high - self.low or 1.0
        raw = span / about
        power: float = 10.0 ** math.floor(math.log10(raw))
        step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= raw)
        first = math.ceil(self.low / step - 1e-9)
        return [round(n * step, 10) for n in range(first, math.floor(self.high / step + 1e-9) + 1)]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a chart: its name, its look, and a value for each place on the x axis."""

    name: str
    look: str
    values: Sequence[float]


def line_chart(
    labels: Sequence[str], lines: Sequence[Line], said: str, written: Callable[[float], str], height: int = 260
) -> Markup:
    """Lines over consecutive days, the last named one on top; the names stand in a legend above."""
    values = [value for line in lines for value in line.values]
    low, high = min(values), max(values)
    pad = 0.06 * (high - low or abs(high) or 1.0)
    y = Scale(low - pad, high + pad, height - 28, 26)
    x = Scale(0, max(1, len(labels) - 1), _LEFT, WIDTH - _RIGHT)
    drawn = [
        tag(
            "polyline",
            tag("title", f"{line.name}: {written(line.values[-1])} at the end"),
            points=" ".join(f"{x(place)},{y(value)}" for place, value in enumerate(line.values)),
            class_=f"line {line.look}",
        )
        for line in lines
    ]
    return _svg(height, said, *_legend(lines), *_grid_y(y, written), *_days(labels, x, height), *drawn)


@dataclass(frozen=True, slots=True)
class Whisker:
    """A rate (percent) with its 95 % interval; `even` is the rate at which nothing would be earned."""

    name: str
    n: int
    rate: float | None
    low: float | None
    high: float | None
    even: float | None = None


def whisker_chart(rows: Sequence[Whisker], said: str) -> Markup:
    """One row for each rate, on an axis from 0 to 100 %."""
    top, step, left = 22, 26, 190
    height = top + step * len(rows) + 8
    x = Scale(0, 100, left, WIDTH - 120)
    grid = [
        joined(
            tag("line", x1=x(tick), x2=x(tick), y1=top - 4, y2=height - 8, class_="grid"),
            _text(f"{tick} %", x(tick), 12, "middle"),
        )
        for tick in (0, 25, 50, 75, 100)
    ]
    drawn = [_whisker(row, x, top + step * (place + 0.5)) for place, row in enumerate(rows)]
    return _svg(height, said, *grid, *drawn)


def _whisker(row: Whisker, x: Scale, y: float) -> Markup:
    name = _text(row.name, x.start - 12, y + 4, "end", "name")
    if row.rate is None or row.low is None or row.high is None:
        return joined(name, _text("nothing yet", WIDTH - _RIGHT, y + 4, "end"))
    told = f"{row.name}: {row.rate:.1f} %, 95 % interval {row.low:.1f}–{row.high:.1f}, n = {row.n}"
    even = None
    if row.even is not None:
        even = tag(
            "line",
            tag("title", f"break-even {row.even:.1f} %"),
            x1=x(row.even),
            x2=x(row.even),
            y1=y - 9,
            y2=y + 9,
            class_="even",
        )
    return joined(
        name,
        tag("line", x1=x(row.low), x2=x(row.high), y1=y, y2=y, class_="whisker"),
        even,
        tag("circle", tag("title", told), cx=x(row.rate), cy=y, r=5, class_="dot"),
        _text(f"{row.rate:.1f} %, n = {row.n:,}", WIDTH - _RIGHT, y + 4, "end"),
    )


def reliability_chart(found: Reliability, said: str) -> Markup:
    """What was stated against what happened: on the diagonal one is as good as one's word. Dots grow with their n."""
    size, left, top = 320, 52, 12
    x, y = Scale(0, 1, left, left + 250), Scale(0, 1, top + 250, top)
    grid = [
        joined(
            tag("line", x1=x(0), x2=x(1), y1=y(tick / 4), y2=y(tick / 4), class_="grid"),
            _text(f"{25 * tick} %", x(0) - 8, y(tick / 4) + 4, "end"),
            _text(f"{25 * tick} %", x(tick / 4), y(0) + 18, "middle"),
        )
        for tick in range(5)
    ]
    most = max((one.n for one in found.bins), default=1) or 1
    drawn = []
    for one in found.bins:
        if one.mean_stated is not None and one.rate is not None:
            low, high = one.interval
            told = f"stated {one.mean_stated:.0%}, happened {one.rate:.0%} ({low:.0%}–{high:.0%}), n = {one.n}"
            at = x(one.mean_stated)
            drawn += [
                tag("line", x1=at, x2=at, y1=y(low), y2=y(high), class_="whisker thin"),
                tag(
                    "circle",
                    tag("title", told),
                    cx=at,
                    cy=y(one.rate),
                    r=round(3 + 6 * math.sqrt(one.n / most), 1),
                    class_="dot",
                ),
            ]
    diagonal = tag("line", x1=x(0), y1=y(0), x2=x(1), y2=y(1), class_="diagonal")
    axis = _text("stated", x(0.5), y(0) + 38, "middle", "name")
    return _svg(size - 10, said, *grid, diagonal, *drawn, axis, width=left + 270)


def bands_chart(rows: Sequence[tuple[str, Bands, float | None]], said: str, written: Callable[[float], str]) -> Markup:
    """Percentiles of many possible orders: the middle half thick, nine tenths thin, and what really happened."""
    values = [v for _, b, real in rows for v in (b.p5, b.p95, 0.0, *([real] if real is not None else []))]
    pad = 0.04 * (max(values) - min(values) or 1.0)
    x = Scale(min(values) - pad, max(values) + pad, 150, WIDTH - _RIGHT)
    top, step = 24, 46
    height = top + step * len(rows) + 6
    grid = [
        joined(
            tag("line", x1=x(tick), x2=x(tick), y1=top - 6, y2=height - 8, class_="zero" if tick == 0 else "grid"),
            _text(written(tick), x(tick), 12, "middle"),
        )
        for tick in x.ticks()
    ]
    drawn = [_band(name, b, real, x, top + step * (place + 0.5), written) for place, (name, b, real) in enumerate(rows)]
    return _svg(height, said, *grid, *drawn)


def _band(name: str, b: Bands, real: float | None, x: Scale, y: float, written: Callable[[float], str]) -> Markup:
    shares = {"5 %": b.p5, "25 %": b.p25, "50 %": b.p50, "75 %": b.p75, "95 %": b.p95}
    told = f"{name}: {', '.join(f'{share} {written(value)}' for share, value in shares.items())}"
    mark = None
    if real is not None:
        mark = tag("circle", tag("title", f"the record itself: {written(real)}"), cx=x(real), cy=y, r=5, class_="real")
    return joined(
        _text(name, x.start - 14, y + 4, "end", "name"),
        tag("line", x1=x(b.p5), x2=x(b.p95), y1=y, y2=y, class_="whisker"),
        tag(
            "rect",
            tag("title", told),
            x=x(b.p25),
            y=y - 9,
            width=max(1.0, round(x(b.p75) - x(b.p25), 2)),
            height=18,
            rx=2,
            class_="box",
        ),
        tag("line", x1=x(b.p50), x2=x(b.p50), y1=y - 9, y2=y + 9, class_="median"),
        mark,
    )


def _svg(height: float, said: str, *content: Content, width: int = WIDTH) -> Markup:
    return tag(
        "svg",
        *content,
        viewBox=f"0 0 {width} {height:g}",
        width="100%",
        role="img",
        aria_label=said,
        style=f"max-width:{width if width == WIDTH else width * 3 // 2}px",
        class_="chart" if width == WIDTH else None,
    )


def _text(text: str, x: float, y: float, anchor: str, look: str = "tick") -> Markup:
    return tag("text", text, x=round(x, 2), y=round(y, 2), text_anchor=anchor, class_=look)


def _legend(lines: Sequence[Line]) -> Iterator[Markup]:
    place = float(_LEFT)
    for line in lines:
        yield tag("line", x1=place, x2=place + 16, y1=10, y2=10, class_=f"line {line.look}")
        yield _text(line.name, place + 22, 14, "start")
        place += 40 + 7.2 * len(line.name)


def _grid_y(y: Scale, written: Callable[[float], str]) -> Iterator[Markup]:
    for tick in y.ticks():
        yield tag("line", x1=_LEFT, x2=WIDTH - _RIGHT, y1=y(tick), y2=y(tick), class_="zero" if tick == 0 else "grid")
        yield _text(written(tick), _LEFT - 8, y(tick) + 4, "end")


def _days(labels: Sequence[str], x: Scale, height: int) -> Iterator[Markup]:
    last = len(labels) - 1
    shown = sorted({round(last * part / 4) for part in range(5)}) if labels else []
    for place in shown:
        anchor = "start" if place == 0 else "end" if place == last else "middle"
        yield _text(labels[place], x(place), height - 8, anchor)
