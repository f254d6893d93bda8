"""What the pages of a report are put together from."""

from collections.abc import Sequence

from plumbline.markup import Content, Markup, tag
from plumbline.summaries.wording import tier


def section(title: str, told: str) -> Markup:
    """A heading and how to read what follows."""
    return Markup(tag("h2", title) + tag("p", told, class_="soft"))


def card(*content: Content) -> Markup:
    """A box; what is wider than it scrolls inside."""
    return tag("div", *content, class_="card")


def listing(heads: Sequence[str], rows: Sequence[Sequence[Content]]) -> Markup:
    """A table. A row of one piece is the title of those that follow."""
    top = tag("tr", *(tag("th", head, scope="col") for head in heads))
    return tag("table", top, *(_row(row, len(heads)) for row in rows))


def _row(row: Sequence[Content], columns: int) -> Markup:
    if len(row) == 1:
        return tag("tr", tag("td", row[0], colspan=columns), class_="section")
    return tag("tr", *(tag("td", piece) for piece in row))


def signed(text: str, value: float | None) -> Content:
    """A gain or a loss in its colour; the sign is in the text."""
    return tag("span", text, class_=side(value)) if value else text


def side(value: float | None) -> str | None:
    """Name of the colour."""
    return None if not value else "gain" if value > 0 else "loss"


def plain_name(value: str) -> str:
    """A value of a dimension as people say it."""
    return tier(value) if value.startswith("TIER_") else value
