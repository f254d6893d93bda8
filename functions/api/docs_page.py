"""The OpenAPI document as one self-contained page: no script, nothing loaded from elsewhere, light and dark."""

from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from hashlib import sha256
from html import escape
from pathlib import Path
from typing import Any

from api.openapi import SCHEME

type Document = Mapping[str, Any]


def page(document: Document, up: str = "") -> str:
    """The whole page. `up` leads from its address to where the document is (`../` behind a trailing slash)."""
    info = document["info"]
    about = "".join(f"<p>{_text(line)}</p>" for line in info["description"].splitlines() if line)
    sections = "".join(_section(document, tag) for tag in document["tags"])
    return (
        "<!doctype html>"
        '<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(info['title'])} API</title><style>{style()}</style></head><body><main>"
        f"<h1>{escape(info['title'])} API</h1>"
        f'<p class="soft">Version {escape(info["version"])}, OpenAPI {escape(document["openapi"])}: '
        f'<a href="{escape(up)}openapi.json">openapi.json</a></p>'
        f"{about}{sections}</main></body></html>"
    )


@cache
def policy() -> str:
    """Content-Security-Policy of the page: its own style sheet, by hash, and nothing else."""
    digest = b64encode(sha256(style().encode()).digest()).decode()
    nowhere = "; ".join(f"{what} 'none'" for what in ("default-src", "base-uri", "form-action", "frame-ancestors"))
    return f"{nowhere}; style-src 'sha256-{digest}'"


@cache
def style() -> str:
    """The page's style sheet."""
    return Path(__file__).with_name("docs.css").read_text(encoding="utf-8")


def _section(document: Document, tag: Mapping[str, str]) -> str:
    operations = "".join(
        _operation(document, path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if tag["name"] in operation["tags"]
    )
    return (
        f"<section><h2>{escape(tag['name'])}</h2><p class='soft'>{_text(tag['description'])}</p>{operations}</section>"
    )


def _operation(document: Document, path: str, method: str, operation: Mapping[str, Any]) -> str:
    who = _who(operation)
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    return (
        f'<details id="{escape(operation["operationId"])}"><summary>'
        f'<span class="method {method}">{method.upper()}</span><code>{escape(path)}</code>'
        f'<span class="what">{escape(operation["summary"])}</span><span class="who {who}">{who}</span></summary>'
        f'<div class="body"><p>{_text(operation["description"])}</p>'
        f"{_parameters(operation['parameters'])}"
        f"{_schema(document, 'Body', body) if body else ''}"
        f"{''.join(_response(document, *item) for item in operation['responses'].items())}"
        "</div></details>"
    )


def _who(operation: Mapping[str, Any]) -> str:
    if not operation["security"]:
        return "public"
    return "operator" if operation["security"][0][SCHEME] else "user"


def _parameters(parameters: Iterable[Mapping[str, Any]]) -> str:
    rows = [
        (
            f"<code>{escape(p['name'])}</code>",
            _type(p["schema"]),
            _text(p.get("description", "")) + _default(p["schema"]),
        )
        for p in parameters
    ]
    return f"<h3>Parameters</h3>{_table(rows)}" if rows else ""


def _response(document: Document, status: str, response: Mapping[str, Any]) -> str:
    resolved = _resolve(document, response)
    content = resolved.get("content", {})
    title = f"{status} {resolved['description']}"
    if "application/json" in content:
        return _schema(document, title, content["application/json"]["schema"])
    return f"<h3>{escape(title)}</h3>"


def _schema(document: Document, title: str, schema: Mapping[str, Any]) -> str:
    """An object as a table of its fields, a choice as one table for each variant."""
    resolved = _resolve(document, schema)
    variants = resolved.get("oneOf", [resolved])
    tables = []
    for variant in variants:
        whole = _resolve(document, variant)
        about = f"<p class='soft'>{_text(whole['description'])}</p>" if "description" in whole else ""
        tables.append(about + _table(_fields(document, whole)))
    return f"<h3>{escape(title)}</h3>{''.join(tables)}"


def _fields(
    document: Document, schema: Mapping[str, Any], prefix: str = "", depth: int = 0
) -> Iterator[tuple[str, ...]]:
    """One row for each field, those of nested objects below theirs."""
    for name, property_ in schema.get("properties", {}).items():
        needed = "" if name in schema.get("required", ()) or prefix else ' <span class="soft">optional</span>'
        whole = _resolve(document, property_)
        inner = _resolve(document, whole.get("items", whole))
        about = _text(property_.get("description", "")) + _default(property_)
        yield f"<code>{escape(prefix + name)}</code>{needed}", _type(whole), about
        if "properties" in inner and depth < 2:
            dots = "[]." if "items" in whole else "."
            yield from _fields(document, inner, f"{prefix}{name}{dots}", depth + 1)


def _table(rows: Iterable[tuple[str, ...]]) -> str:
    cells = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f'<div class="scroll"><table>{cells}</table></div>' if cells else ""


def _type(schema: Mapping[str, Any]) -> str:
    """A schema in a few words: its type, its choices, its bounds."""
    if "$ref" in schema:
        return escape(schema["$ref"].rsplit("/", 1)[-1])
    if "enum" in schema:
        return " ".join(f"<code>{escape(str(value))}</code>" for value in schema["enum"])
    if "const" in schema:
        return (
            f"<code>{escape(str(schema['const']).lower() if schema['const'] is False else str(schema['const']))}</code>"
        )
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_type(variant) for variant in schema["anyOf"]))
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}" if "items" in schema else "list"
    kind = escape(str(schema.get("format") or schema.get("type", "any")))
    bounds = [f"{sign} {schema[name]:g}" for name, sign in _BOUNDS.items() if name in schema]
    return f"{kind} {escape(', '.join(bounds))}".strip()


_BOUNDS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}


def _default(schema: Mapping[str, Any]) -> str:
    value = schema.get("default")
    return "" if value is None else f' <span class="soft">default</span> <code>{escape(str(value))}</code>'


def _resolve(document: Document, schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a reference points at; anything else is itself."""
    if "$ref" not in schema:
        return schema
    found: Any = document
    for part in schema["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return {**found, **{key: value for key, value in schema.items() if key != "$ref"}}


def _text(text: str) -> str:
    """Plain words with `code` between backticks."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if odd % 2 else part for odd, part in enumerate(parts))
