"""HTML and SVG written as nested calls: whatever is not markup already is escaped."""

from html import escape

_VOID = frozenset({"br", "hr", "img", "meta"})


class Markup(str):
    """Text that is markup, to be put in as it is."""

    __slots__ = ()


type Content = str | Markup | None
"""A piece of an element: None is left out, plain text is escaped."""


def tag(name: str, /, *content: Content, **attributes: str | float | None) -> Markup:
    """An element. `class_` writes `class`, `stroke_width` writes `stroke-width`; an attribute of None is left out."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _VOID:
        return Markup(f"<{name}{written}>")
    return Markup(f"<{name}{written}>{joined(*content)}</{name}>")


def joined(*content: Content) -> Markup:
    """One piece after the other."""
    return Markup("".join(piece if isinstance(piece, Markup) else escape(piece or "") for piece in content))


def lines(*content: Content) -> Markup:
    """Each piece on its own line."""
    return Markup("<br>".join(joined(piece) for piece in content if piece))
