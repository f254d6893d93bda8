"""The public dashboard: the built page and its assets, all text, from the folder that the build left beside us."""

import re
from pathlib import Path
from urllib.parse import urlsplit

from api.operations import HTML, Access, Answer, Call, Resource
from plumbline.domain.errors import NotFound, Unavailable

dashboard = Resource("dashboard")

MEDIA_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".json": "application/json",
    ".map": "application/json",
}
"""What the build may hold beside the page itself; all of it text, since the gateway passes no bytes on."""

_ASSET = r"^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,199}$"
_INDEX = "index.html"
_RELATIVE = re.compile(r'(?<=\s)(src|href)="\./')
_NAMED_BY_CONTENT = re.compile(r".+-[A-Za-z0-9_-]{8}\.\w+(\.map)?")
_SHORT = "public, max-age=300"
_FOREVER = "public, max-age=31536000, immutable"
_UNUSED = ("camera", "display-capture", "geolocation", "microphone", "payment", "usb")


@dashboard.get(
    "/bot-performance",
    "The dashboard",
    access=Access.PUBLIC,
    cache=_SHORT,
    media_type=HTML,
    answers={200: str},
)
def dashboard_page(call: Call) -> Answer:
    """The public record as a page: no login, nothing loaded from elsewhere. 503 where the page is not built."""
    index = call.services.page() / _INDEX
    if not index.is_file():
        raise Unavailable("the dashboard is not built into this service: run `make build` and deploy again")
    # The page answers with and without a last slash, from which its assets are seen differently.
    place = "./" if str(call.request.context.get("path", "")).endswith("/") else "bot-performance/"
    text = _RELATIVE.sub(rf'\1="{place}', index.read_text(encoding="utf-8"))
    return Answer(text, headers=_guards(call.settings.feed_url))


@dashboard.get(
    "/bot-performance/{asset}",
    "A file of the dashboard",
    access=Access.PUBLIC,
    cache=_FOREVER,
    media_type=MEDIA_TYPES[".js"],
    formats=(MEDIA_TYPES[".css"], MEDIA_TYPES[".svg"], MEDIA_TYPES[".json"]),
    parts={"asset": {"type": "string", "pattern": _ASSET, "description": "name of a file that the page refers to"}},
    answers={200: str},
    problems=(404,),
)
def dashboard_asset(call: Call, asset: str) -> Answer:
    """A script, style sheet or picture of the page. One whose name holds a digest of its content may be kept."""
    folder = call.services.page()
    media_type = MEDIA_TYPES.get(Path(asset).suffix)
    file = folder / asset
    # The name is one segment without a slash; the resolved parent also keeps a link from leading out of the folder.
    known = media_type and re.fullmatch(_ASSET, asset) and file.is_file() and file.resolve().parent == folder.resolve()
    if not known or media_type is None:
        raise NotFound(f"the dashboard has no file {asset!r}")
    kept = _FOREVER if _NAMED_BY_CONTENT.fullmatch(asset) else _SHORT
    return Answer(file.read_text(encoding="utf-8"), headers={"Cache-Control": kept}, media_type=media_type)


def policy(feed_url: str) -> str:
    """Content-Security-Policy of the page: its own files and API, and the live feed where that has another origin."""
    address = urlsplit(feed_url)
    feed = f" {address.scheme}://{address.netloc}" if address.netloc else ""
    rules = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "connect-src": f"'self'{feed}",
        "font-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def _guards(feed_url: str) -> dict[str, str]:
    return {
        "Content-Security-Policy": policy(feed_url),
        "Referrer-Policy": "no-referrer",
        "Permissions-Policy": ", ".join(f"{feature}=()" for feature in _UNUSED),
        "Cross-Origin-Opener-Policy": "same-origin",
    }
