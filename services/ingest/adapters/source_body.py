"""The bytes of an answer: bounded while they are read, and bounded again while they are unpacked."""

import zlib

import aiohttp

# With this window zlib takes the format, gzip or zlib, from the first bytes.
ANY_FORMAT = zlib.MAX_WBITS | 32
PACKED = ("gzip", "x-gzip", "deflate")
ACCEPTED = {"Accept-Encoding": "gzip"}


class TooLarge(Exception):
    """More bytes than allowed, packed or unpacked."""


class NotUnpackable(Exception):
    """The body is not what its header says; says what it is."""


async def read_body(response: aiohttp.ClientResponse, most: int) -> bytes:
    """The body as it is sent. TooLarge at the first byte too many: nothing is taken in first and measured after."""
    if (response.content_length or 0) > most:
        raise TooLarge
    chunks: list[bytes] = []
    size = 0
    # Whatever has come, which aiohttp bounds.
    async for chunk in response.content.iter_any():
        chunks.append(chunk)
        size += len(chunk)
        if size > most:
            raise TooLarge
    return b"".join(chunks)


def unpacked(body: bytes, encoding: str, most: int) -> bytes:
    """The body as it was before the source packed it. TooLarge, or NotUnpackable. Works a while: not on the loop."""
    if encoding in ("", "identity"):
        return body
    if encoding not in PACKED:
        raise NotUnpackable("is packed in a way that was not asked for")
    unpacker = zlib.decompressobj(ANY_FORMAT)
    try:
        plain = unpacker.decompress(body, most + 1)
    except zlib.error:
        raise NotUnpackable("cannot be unpacked") from None
    if len(plain) > most:
        raise TooLarge
    if not unpacker.eof or unpacker.unused_data:
        raise NotUnpackable("is cut, or goes on behind its end")
    return plain
