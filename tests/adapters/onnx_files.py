"""Model files with another metadata: an ONNX file is a protobuf message, whose fields stand one after the other.

Encoding: "Protocol Buffers: Encoding"; field 14 of ModelProto in onnx.proto holds one metadata entry (1 key, 2 value).
"""

from collections.abc import Iterator, Mapping

_METADATA = 14


def stating(model: bytes, changes: Mapping[str, str | None]) -> bytes:
    """The same model stating these values instead; None leaves a key out."""
    kept = (field for field in _fields(model) if _key(field) not in changes)
    return b"".join(kept) + b"".join(_entry(key, value) for key, value in changes.items() if value is not None)


def _fields(message: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(message):
        start = at
        tag, at = _number(message, at)
        size, after = _number(message, at)  # of a number (wire type 0) this is the value itself, of the rest a length
        at = after + size if tag & 7 else after
        yield message[start:at]


def _key(field: bytes) -> str | None:
    tag, at = _number(field, 0)
    if tag >> 3 != _METADATA:
        return None
    _, at = _number(field, at)
    _, at = _number(field, at)
    size, at = _number(field, at)
    return field[at : at + size].decode()


def _entry(key: str, value: str) -> bytes:
    pair = b"".join(_sized(number, text.encode()) for number, text in ((1, key), (2, value)))
    return _sized(_METADATA, pair)


def _sized(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    low, rest = value & 0x7F, value >> 7
    return bytes([low | 0x80]) + _varint(rest) if rest else bytes([low])


def _number(message: bytes, at: int) -> tuple[int, int]:
    """A number and where it ends."""
    value = shift = 0
    while True:
        value |= (message[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if message[at - 1] < 0x80:
            return value, at
