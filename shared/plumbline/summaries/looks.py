"""How the parts of the mail look. Mail programs read styles where they stand; only some read a style sheet as well.

So every look is written into its element, and the sheet holds what a single element cannot say: the dark colours and
what changes on a narrow screen. Colours are those of the dashboard: profit teal, loss vermilion, told apart by those
who do not tell green from red, and a sign says the same.
"""

from collections.abc import Mapping

from plumbline.markup import Content, Markup, tag

SANS = "-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif"

_COLOURS: Mapping[str, tuple[str, str, str]] = {
    "page": ("background-color", "#fbfaf7", "#0f1215"),
    "card": ("background-color", "#ffffff", "#161a1f"),
    "sunk": ("background-color", "#f3f1eb", "#1b2026"),
    "ink": ("color", "#15191f", "#ebe8e1"),
    "soft": ("color", "#59616c", "#9da5af"),
    "accent": ("color", "#1f4e9e", "#8db6ff"),
    "gain": ("color", "#00695c", "#52d1bc"),
    "loss": ("color", "#b0380c", "#ff9268"),
    "rim": ("border-color", "#e6e2d9", "#272d34"),
    "band": ("background-color", "#a9bcdd", "#2f466d"),
    "mark": ("background-color", "#1f4e9e", "#8db6ff"),
    "even": ("background-color", "#b98a2c", "#d3a75a"),
    "rest": ("background-color", "#ece9e1", "#222830"),
    "up": ("background-color", "#00695c", "#52d1bc"),
    "down": ("background-color", "#b0380c", "#ff9268"),
    "upbefore": ("background-color", "#9cc8c1", "#25594f"),
    "downbefore": ("background-color", "#e3b49f", "#6d3c25"),
    "warnground": ("background-color", "#fdf1cf", "#2c2511"),
    "warnink": ("color", "#664500", "#f0cd78"),
    "badground": ("background-color", "#fde6dd", "#33190f"),
    "badink": ("color", "#8f2a06", "#ffb192"),
    "goodground": ("background-color", "#dcefeb", "#12302c"),
    "goodink": ("color", "#00574c", "#7ee0cf"),
}
_SHAPES: Mapping[str, str] = {
    "body": f"margin:0;padding:0;font-family:{SANS};font-size:15px;line-height:1.5",
    "heading": "margin:0;font-size:23px;line-height:1.25;font-weight:650;letter-spacing:-0.01em",
    "section": "margin:0 0 6px;font-size:15px;line-height:1.3;font-weight:650",
    "label": "margin:0;font-size:13px;line-height:1.4",
    "small": "font-size:12.5px;line-height:1.45",
    "hero": "margin:2px 0 0;font-size:44px;line-height:1.1;font-weight:650;letter-spacing:-0.02em",
    "tile": "font-size:21px;line-height:1.25;font-weight:650",
    "number": "text-align:right;white-space:nowrap",
    "strong": "font-weight:600",
    "badge": "display:inline-block;padding:1px 7px;border-radius:4px;font-size:11px;line-height:1.5;font-weight:700;"
    "letter-spacing:0.04em",
    "button": "display:inline-block;padding:9px 16px;border-radius:6px;border-width:1px;border-style:solid;"
    "font-weight:600;text-decoration:none",
    "head": "padding:7px 0;font-size:12px;line-height:1.3;font-weight:400;text-align:left;vertical-align:bottom;"
    "border-bottom-width:1px;border-bottom-style:solid",
    "cell": "padding:7px 0;font-size:14px;line-height:1.35;text-align:left;vertical-align:top;"
    "border-bottom-width:1px;border-bottom-style:solid",
    "bar": "font-size:0;line-height:0;height:10px;padding:0",
    "hidden": "display:none;max-height:0;overflow:hidden;mso-hide:all",
}
_NARROW = """\
@media only screen and (max-width:480px){
.wide{display:none!important}
.pad{padding-left:16px!important;padding-right:16px!important}
.hero{font-size:36px!important}
.tile{font-size:18px!important}
}"""


def styled(name: str, looks: str, /, *content: Content, style: str = "", **attributes: str | float | None) -> Markup:
    """An element with these looks, named with blanks between; `style` is put behind theirs."""
    names = looks.split()
    written = [_SHAPES[look] for look in names if look in _SHAPES]
    written += [f"{_COLOURS[look][0]}:{_COLOURS[look][1]}" for look in names if look in _COLOURS]
    css = ";".join(part for part in (*written, style) if part)
    return tag(name, *content, **attributes, class_=looks or None, style=css or None)


def sheet() -> str:
    """The style sheet: the dark colours, and what changes on a narrow screen."""
    dark = "\n".join(f".{name}{{{attribute}:{dark}!important}}" for name, (attribute, _, dark) in _COLOURS.items())
    both = ":root{color-scheme:light dark;supported-color-schemes:light dark}"
    return f"{both}\n{_NARROW}\n@media (prefers-color-scheme:dark){{\n{dark}\n}}"
