"""Digests and the mail in memory."""

from plumbline.domain.digest import Digest, Kind, dump_digest, parse_digest
from plumbline.domain.errors import Unavailable
from plumbline.ports import Letter


class InMemoryDigests:
    """ports.Digests. Kept as bytes, as every real store does: what is read is never what was handed over."""

    def __init__(self) -> None:
        self.digests: dict[tuple[Kind, str], str] = {}
        self.versions: dict[tuple[Kind, str], int] = {}

    def put(self, digest: Digest, version: int) -> None:
        key = digest.kind, digest.last_day
        if version >= self.versions.get(key, version):
            self.versions[key] = version
            self.digests[key] = dump_digest(digest)

    def get(self, kind: Kind, last_day: str) -> Digest | None:
        text = self.digests.get((kind, last_day))
        return parse_digest(text) if text else None


class FakeMail:
    """ports.Mail. `refusals` holds an error for each coming letter that is not accepted."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []
        self.refusals: list[Unavailable] = []

    def send(self, letter: Letter) -> None:
        if self.refusals:
            raise self.refusals.pop(0)
        self.letters.append(letter)

    def __len__(self) -> int:
        return len(self.letters)
