"""The dashboard's files as the service hands them out: at any address, with guards, and nothing beside them."""

import shutil
from pathlib import Path
from urllib.parse import urljoin

import pytest

from api.dashboard import MEDIA_TYPES
from tests.functions.gateway import A_PAGE, Gateway, Reply, services

INDEX = (A_PAGE / "index.html").read_text(encoding="utf-8")


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """A page as the build leaves it, with what does not belong there in and beside it."""
    folder = tmp_path / "page"
    shutil.copytree(A_PAGE, folder)
    files = {
        "index-3f2a9c1b.js.map": "{}",
        "strings.json": '{"n": 1}',
        "font.woff2": "no text",
        ".hidden.js": "secret",
    }
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "nested").mkdir()
    (folder / "nested" / "inner.js").write_text("inner")
    (tmp_path / "secret.js").write_text("secret")
    (folder / "link.js").symlink_to(tmp_path / "secret.js")
    return folder


def page(built: Path, path: str = "/bot-performance", **environment: str) -> Reply:
    return Gateway(services(page=built, environment=environment), claims=None).get(path)


@pytest.mark.parametrize("prefix", ["/v1", "", "/signals/one"])
@pytest.mark.parametrize("slash", ["", "/"])
def test_the_page_finds_its_files_wherever_it_is_served(built: Path, prefix: str, slash: str) -> None:
    reply = Gateway(services(page=built), claims=None, prefix=prefix).get(f"/bot-performance{slash}")
    assert (reply.status, reply.headers["content-type"]) == (200, "text/html; charset=utf-8")
    for name in ("index-3f2a9c1b.js", "index-a1B2_c-4.css", "favicon.svg"):
        [reference] = [part.split('"')[0] for part in reply.body.split('="') if part.split('"')[0].endswith(name)]
        address = urljoin(f"https://host{prefix}/bot-performance{slash}", reference)
        assert address == f"https://host{prefix}/bot-performance/{name}"


def test_nothing_else_of_the_page_is_changed(built: Path) -> None:
    body = page(built, "/bot-performance/").body
    assert body == INDEX
    assert 'data-src="./kept"' in page(built).body


def test_the_page_runs_its_own_scripts_and_talks_to_its_own_origin_only(built: Path) -> None:
    headers = page(built).headers
    assert headers["content-security-policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    assert headers["referrer-policy"] == "no-referrer"
    assert "camera=()" in headers["permissions-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "public, max-age=300"


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("wss://abc.execute-api.eu-west-1.amazonaws.com/live", "wss://abc.execute-api.eu-west-1.amazonaws.com"),
        ("ws://127.0.0.1:4566/_aws/execute-api/abc/live", "ws://127.0.0.1:4566"),
    ],
)
def test_the_page_may_also_listen_to_the_live_feed_where_that_is(built: Path, url: str, origin: str) -> None:
    policy = page(built, PLUMBLINE_FEED_URL=url).headers["content-security-policy"]
    assert f"connect-src 'self' {origin};" in policy


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("index-3f2a9c1b.js", "text/javascript; charset=utf-8"),
        ("index-3f2a9c1b.js.map", "application/json"),
        ("index-a1B2_c-4.css", "text/css; charset=utf-8"),
        ("favicon.svg", "image/svg+xml"),
        ("strings.json", "application/json"),
    ],
)
def test_a_file_is_sent_as_it_is_under_its_media_type(built: Path, name: str, media_type: str) -> None:
    reply = page(built, f"/bot-performance/{name}")
    assert (reply.status, reply.headers["content-type"]) == (200, media_type)
    assert reply.body == (built / name).read_text(encoding="utf-8")


def test_a_file_is_kept_for_ever_where_its_name_says_what_is_in_it(built: Path) -> None:
    for name, kept in (
        ("index-3f2a9c1b.js", "public, max-age=31536000, immutable"),
        ("index-3f2a9c1b.js.map", "public, max-age=31536000, immutable"),
        ("favicon.svg", "public, max-age=300"),
    ):
        assert page(built, f"/bot-performance/{name}").headers["cache-control"] == kept


@pytest.mark.parametrize(
    "name",
    [
        "nothing.js",
        "index.html",
        "font.woff2",
        ".hidden.js",
        "nested",
        "link.js",
        "..",
        "..%2Fsecret.js",
        "%2e%2e%2fsecret.js",
        "nested%2Finner.js",
        "..%5Csecret.js",
        "index-3f2a9c1b.js%00",
        "index-3f2a9c1b.js%0A",
        "a" * 300 + ".js",
    ],
)
def test_what_is_no_file_of_the_build_is_not_found(built: Path, name: str) -> None:
    reply = page(built, f"/bot-performance/{name}")
    assert (reply.status, reply.headers["content-type"]) == (404, "application/problem+json")
    assert "secret" not in reply.body.replace("secret.js", "")


@pytest.mark.parametrize("name", ["../secret.js", "nested/inner.js", "index-3f2a9c1b.js\n", "/etc/passwd", "", "\0.js"])
def test_a_name_that_the_gateway_has_decoded_leads_nowhere_else(built: Path, name: str) -> None:
    gateway = Gateway(services(page=built), claims=None)
    event = gateway.events.create_lambda_event("GET", "/bot-performance/index-3f2a9c1b.js", {})
    event["pathParameters"] = {"asset": name}
    answer = gateway.app(event, None)
    assert answer["statusCode"] == 404


def test_where_the_page_is_not_built_the_answer_says_how_to_build_it(tmp_path: Path) -> None:
    reply = page(tmp_path / "nowhere")
    assert (reply.status, reply.headers["content-type"]) == (503, "application/problem+json")
    assert "run `make build`" in reply.json["detail"]
    assert reply.headers["cache-control"] == "no-store"
    assert page(tmp_path / "nowhere", "/bot-performance/index-3f2a9c1b.js").status == 404


def test_the_page_that_the_reader_has_is_not_sent_again(built: Path) -> None:
    gateway = Gateway(services(page=built), claims=None)
    tag = gateway.get("/bot-performance").headers["etag"]
    assert gateway.get("/bot-performance", if_none_match=tag).status == 304


def test_only_text_is_served_since_the_gateway_passes_no_bytes_on() -> None:
    gateway = Gateway()
    assert not set(MEDIA_TYPES.values()) & set(gateway.app.api.binary_types)
