"""A client that speaks HTTP/2 frame by frame, and so can do what no gRPC library would."""

import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from hpack import Encoder

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY = 0, 1, 3, 4, 6, 7
END_STREAM, END_HEADERS = 1, 4
ACKNOWLEDGED = 1
INITIAL_WINDOW_SIZE = 4
PATIENCE = 20


class RudeClient:
    """One connection, with its settings exchanged as far as the client's side goes."""

    def __init__(self, port: int, window: int = 65_535) -> None:
        """`window`: bytes that each stream may send us."""
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self._encoder = Encoder()
        self._next_stream = 1
        self._write(PREFACE)
        self._send(SETTINGS, 0, 0, struct.pack(">HI", INITIAL_WINDOW_SIZE, window))

    def settle(self) -> None:
        """Takes the server's settings, so that it waits for nothing."""
        self.until(SETTINGS)
        self._send(SETTINGS, ACKNOWLEDGED, 0, b"")

    def open_stream(self, path: str) -> None:
        """Sends the headers of a call, and nothing after them."""
        headers = [
            (":method", "POST"),
            (":scheme", "http"),
            (":path", path),
            (":authority", "house"),
            ("content-type", "application/grpc"),
            ("te", "trailers"),
        ]
        self._send(HEADERS, END_HEADERS, self._next_stream, self._encoder.encode(headers))
        self._next_stream += 2

    def ask(self, path: str, request: bytes) -> None:
        """Sends a whole call, and reads nothing of its answer."""
        stream = self._next_stream
        self.open_stream(path)
        self._send(DATA, END_STREAM, stream, struct.pack(">BI", 0, len(request)) + request)

    def ping(self) -> None:
        """Asks whether the server is there."""
        self._send(PING, 0, 0, bytes(8))

    def until(self, kind: int) -> bytes:
        """The payload of the next frame of this kind; ConnectionError where none comes."""
        while True:
            length, found = self._header()
            payload = self._exactly(length)
            if found == kind:
                return payload

    def is_closed(self) -> bool:
        """Waits for the server to close; False when it does not within the patience."""
        try:
            while self._socket.recv(65536):
                pass
        except TimeoutError:
            return False
        except ConnectionError:
            pass
        return True

    def close(self) -> None:
        """Goes away."""
        self._socket.close()

    def _send(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        self._write(struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload)

    def _write(self, content: bytes) -> None:
        with suppress(ConnectionError):  # who is sent away hears of it when reading
            self._socket.sendall(content)

    def _header(self) -> tuple[int, int]:
        header = self._exactly(9)
        return int.from_bytes(header[:3], "big"), header[3]

    def _exactly(self, count: int) -> bytes:
        found = b""
        while len(found) < count:
            part = self._socket.recv(count - len(found))
            if not part:
                raise ConnectionError("the server closed the connection")
            found += part
        return found


@contextmanager
def rude_clients(port: int, count: int) -> Iterator[list[RudeClient]]:
    """So many connections, closed in the end."""
    clients = [RudeClient(port) for _ in range(count)]
    try:
        yield clients
    finally:
        for client in clients:
            client.close()
