"""A digest as a letter: HTML and plain text, with its figures attached."""

from plumbline.domain.digest import Digest
from plumbline.ports import Attachment, Letter
from plumbline.summaries.files import csv_file, json_file
from plumbline.summaries.mail import html_mail
from plumbline.summaries.text import plain_text
from plumbline.summaries.wording import subject


def letter(digest: Digest, dashboard_url: str = "") -> Letter:
    """What is sent of a digest."""
    name = f"plumbline-{digest.kind}-{digest.last_day}"
    return Letter(
        subject=subject(digest),
        html=html_mail(digest, dashboard_url),
        text=plain_text(digest, dashboard_url),
        attachments=(
            Attachment(name=f"{name}.csv", media_type="text/csv", content=csv_file(digest).encode()),
            Attachment(name=f"{name}.json", media_type="application/json", content=json_file(digest).encode()),
        ),
    )
