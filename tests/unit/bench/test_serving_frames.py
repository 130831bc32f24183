"""Requests written by hand say what a reader of the standard reads."""

import pytest
from hpack import Decoder

from bench.serving.frames import message, request_headers

FIELDS = [
    (":method", "POST"),
    (":scheme", "http"),
    (":path", "/a.B/C"),
    (":authority", "127.0.0.1:1"),
    ("content-type", "application/grpc"),
    ("te", "trailers"),
    ("grpc-timeout", "1S"),
]


def test_the_first_headers_and_all_later_ones_are_the_same_to_a_reader() -> None:
    first, later = request_headers("/a.B/C", "127.0.0.1:1", {"grpc-timeout": "1S"})
    decoder = Decoder()

    read = [[(str(name), str(value)) for name, value, *_ in decoder.decode(block)] for block in (first, later, later)]

    assert read == [FIELDS] * 3
    assert len(later) == len(FIELDS)


def test_a_header_too_long_to_be_written_is_refused() -> None:
    with pytest.raises(ValueError, match="127 bytes"):
        request_headers("/" + "a" * 126, "127.0.0.1:1", {})


def test_a_message_tells_its_length() -> None:
    assert message(b"abc") == b"\x00\x00\x00\x00\x03abc"
