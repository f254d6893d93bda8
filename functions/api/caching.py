"""Validators for public answers: a strong ETag over the body, and 304 where the reader already has it."""

import hashlib

from chalice.app import Request, Response

_KEPT = frozenset({"ETag", "Cache-Control", "Vary"})
"""What a 304 repeats (RFC 9110, 15.4.5)."""


def conditional(request: Request, response: Response) -> Response:
    """The response with its ETag, or 304 Not Modified; untouched where it is not public or not a success."""
    if response.status_code != 200 or not str(response.headers.get("Cache-Control", "")).startswith("public"):
        return response
    tag = f'"{hashlib.sha256(response.body.encode()).hexdigest()[:32]}"'
    response.headers["ETag"] = tag
    if not _has(request.headers.get("if-none-match", ""), tag):
        return response
    kept = {name: value for name, value in response.headers.items() if name in _KEPT}
    return Response(body="", status_code=304, headers=kept)


def _has(header: str, tag: str) -> bool:
    """Weak comparison, as RFC 9110 13.1.2 wants it for If-None-Match."""
    known = {part.strip().removeprefix("W/") for part in header.split(",")}
    return tag in known or "*" in known
