"""The mail, against a small SES on this machine: botocore's own client over real HTTP."""

import base64
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from plumbline.adapters.mail import SesMail
from plumbline.domain.errors import Unavailable
from plumbline.ports import Attachment, Letter

LETTER = Letter(
    subject="Plumbline, Friday 20 November 2026: net −$9.37",
    html="<p>net −$9.37</p>",
    text="net −$9.37\n",
    attachments=(Attachment(name="day.csv", media_type="text/csv", content="kind,Σ\r\n".encode()),),
)
TO = ("desk@example.com", "risk@example.com")


class Ses(ThreadingHTTPServer):
    """Answers like SES. `refusals` holds (status, error) for coming requests; `requests` what arrived."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.refusals: list[tuple[int, str]] = []
        self.requests: list[tuple[str, dict[str, Any]]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Ses

    def do_POST(self) -> None:
        content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append((self.path, content))
        status, error = self.server.refusals.pop(0) if self.server.refusals else (200, "")
        body = json.dumps({"message": error} if error else {"MessageId": "m-1"}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if error:
            self.send_header("x-amzn-ErrorType", error)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def ses(monkeypatch: pytest.MonkeyPatch) -> Iterator[Ses]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with Ses() as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def mail(ses: Ses) -> SesMail:
    return SesMail("plumbline@example.com", TO, region="eu-central-1", endpoint=ses.url)


def test_a_letter_goes_to_everybody_in_both_forms(ses: Ses, mail: SesMail) -> None:
    mail.send(LETTER)
    [(path, request)] = ses.requests
    assert path == "/v2/email/outbound-emails"
    assert request["FromEmailAddress"] == "plumbline@example.com"
    assert request["Destination"] == {"ToAddresses": [*TO]}
    message = request["Content"]["Simple"]
    assert message["Subject"] == {"Data": LETTER.subject, "Charset": "UTF-8"}
    assert message["Body"]["Html"] == {"Data": LETTER.html, "Charset": "UTF-8"}
    assert message["Body"]["Text"] == {"Data": LETTER.text, "Charset": "UTF-8"}


def test_what_is_attached_arrives_byte_by_byte(ses: Ses, mail: SesMail) -> None:
    mail.send(LETTER)
    [attached] = ses.requests[0][1]["Content"]["Simple"]["Attachments"]
    assert (attached["FileName"], attached["ContentType"]) == ("day.csv", "text/csv")
    assert base64.b64decode(attached["RawContent"]) == "kind,Σ\r\n".encode()


def test_a_letter_without_files_has_none(ses: Ses, mail: SesMail) -> None:
    mail.send(Letter(subject="s", html="<p>", text="t"))
    assert "Attachments" not in ses.requests[0][1]["Content"]["Simple"]


@pytest.mark.parametrize(
    ("status", "error"),
    [(400, "MessageRejected"), (403, "AccessDeniedException"), (429, "TooManyRequestsException"), (500, "Internal")],
)
def test_a_refusal_says_why_and_is_not_tried_again_at_once(ses: Ses, mail: SesMail, status: int, error: str) -> None:
    ses.refusals = [(status, error)]
    with pytest.raises(Unavailable, match=f"SES refused the letter .* from plumbline@example.com: .*{error}"):
        mail.send(LETTER)
    assert len(ses.requests) == 1
    mail.send(LETTER)
    assert len(ses.requests) == 2


def test_where_nobody_answers_the_letter_may_not_have_gone(ses: Ses) -> None:
    away = SesMail("plumbline@example.com", TO, region="eu-central-1", endpoint="http://127.0.0.1:1")
    with pytest.raises(Unavailable, match="SES did not answer about the letter 'Plumbline, Friday"):
        away.send(LETTER)
