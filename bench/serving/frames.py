"""Frames of HTTP/2 as a client that wants to be fast writes them: ready bytes, joined. RFC 9113; headers: RFC 7541.

Requests are encoded by hand: the first of a connection puts its headers into the server's table, all later ones name
their places there, as every gRPC client does.
"""

import struct

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
ACK = END_STREAM = 1
END_HEADERS = 4
MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE = 3, 4
LARGEST_WINDOW = 2**31 - 1
FIRST_WINDOW = 65_535
HEAD = 9
MAX_FRAME = 16_384
# Of the static table.
_POST, _HTTP, _PATH, _AUTHORITY, _CONTENT_TYPE = 0x83, 0x86, 4, 1, 31
_FIRST_DYNAMIC, _LITERAL_INDEXED, _INDEXED = 62, 0x40, 0x80
_SHORT = 127


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """A whole frame."""
    return struct.pack(">BHBBI", len(payload) >> 16, len(payload) & 0xFFFF, kind, flags, stream) + payload


def settings(values: dict[int, int]) -> bytes:
    """A SETTINGS frame."""
    return frame(SETTINGS, 0, 0, b"".join(struct.pack(">HI", key, value) for key, value in values.items()))


def window_update(stream: int, increment: int) -> bytes:
    """More room for what the peer sends."""
    return frame(WINDOW_UPDATE, 0, stream, struct.pack(">I", increment))


def opening(window: int = LARGEST_WINDOW) -> bytes:
    """What a client says first: `window` bytes may come on each stream, and as many as can be on the connection."""
    return PREFACE + settings({INITIAL_WINDOW_SIZE: window}) + window_update(0, LARGEST_WINDOW - FIRST_WINDOW)


def request_headers(path: str, authority: str, others: dict[str, str]) -> tuple[bytes, bytes]:
    """The header block of a connection's first call, and that of all later calls. Values of up to 126 bytes."""
    fields = [
        (_PATH, "", path),
        (_AUTHORITY, "", authority),
        (_CONTENT_TYPE, "", "application/grpc"),
        (0, "te", "trailers"),
        *((0, name, value) for name, value in others.items()),
    ]
    first = bytes((_POST, _HTTP)) + b"".join(_literal(*field) for field in fields)
    places = reversed(range(_FIRST_DYNAMIC, _FIRST_DYNAMIC + len(fields)))  # the newest has the first place
    return first, bytes((_POST, _HTTP, *(_INDEXED | place for place in places)))


def message(payload: bytes) -> bytes:
    """As gRPC sends it: not compressed, its length, itself."""
    return struct.pack(">BI", 0, len(payload)) + payload


def _literal(name_place: int, name: str, value: str) -> bytes:
    """That enters the table."""
    return bytes((_LITERAL_INDEXED | name_place,)) + (b"" if name_place else _text(name)) + _text(value)


def _text(value: str) -> bytes:
    content = value.encode()
    if len(content) >= _SHORT:
        raise ValueError(f"a header of {len(content)} bytes; at most {_SHORT - 1} are written here")
    return bytes((len(content),)) + content
