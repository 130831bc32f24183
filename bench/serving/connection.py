"""One HTTP/2 connection of the load: many calls at once, and of every answer its status, its size and its end."""

import socket
import struct
from collections import deque
from typing import NamedTuple

from hpack import Decoder

from bench.serving import frames

READ_BYTES = 1 << 18
# The server is told of room again after so many bytes.
RENEW_BYTES = 1 << 28
# Every byte of a header block that only names places in the table is that large.
ONLY_PLACES = 0x80
STATUS = b"grpc-status"


class Ended(NamedTuple):
    """A call's end: its stream, and gRPC's number of its status, or in words what ended it."""

    stream: int
    status: str


class Connection:
    """Not of any thread but one. Sends and reads without waiting; `fileno` is for a selector."""

    def __init__(self, address: tuple[str, int], path: str, headers: dict[str, str]) -> None:
        self._socket = socket.create_connection(address)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.setblocking(False)
        authority = f"{address[0]}:{address[1]}"
        self._headers, self._later_headers = frames.request_headers(path, authority, headers)
        self._out = [frames.opening()]
        self._unsent = b""
        self._in = b""
        self._next_stream = 1
        self._under_way: set[int] = set()
        self._sendable = frames.FIRST_WINDOW
        self._blocked: deque[tuple[int, bytes]] = deque()
        self._decoder = Decoder()
        self._statuses: dict[bytes, str] = {}
        self._unrenewed = 0
        self.most_at_once = 100
        self.at_once = 0
        self.received = 0
        self.closed = ""

    def fileno(self) -> int:
        """Of the socket."""
        return self._socket.fileno()

    def close(self) -> None:
        """Whatever is under way."""
        self._socket.close()

    @property
    def has_room(self) -> bool:
        """For one call more, as the server allows."""
        return not self.closed and self.at_once < self.most_at_once

    def start(self, message: bytes) -> int:
        """A call with this message, in gRPC's frame; its stream. It leaves with the next `flush`."""
        stream = self._next_stream
        self._next_stream += 2
        self._under_way.add(stream)
        self.at_once += 1
        self._out.append(frames.frame(frames.HEADERS, frames.END_HEADERS, stream, self._headers))
        self._headers = self._later_headers
        if self._blocked or len(message) > self._sendable:
            self._blocked.append((stream, message))
        else:
            self._send_message(stream, message)
        return stream

    def flush(self) -> bool:
        """Sends what it can; False while something is left."""
        data = self._unsent + b"".join(self._out)
        self._out.clear()
        try:
            sent = self._socket.send(data) if data else 0
        except BlockingIOError:
            sent = 0
        except OSError as error:
            self.closed = self.closed or type(error).__name__
            sent = len(data)
        self._unsent = data[sent:]
        return not self._unsent

    def read(self) -> list[Ended]:
        """What ended by what has come; all calls under way when the server went away."""
        try:
            came = self._socket.recv(READ_BYTES)
        except BlockingIOError:
            return []
        except OSError as error:
            self.closed = self.closed or type(error).__name__
            return []
        if not came:
            self.closed = self.closed or "closed by the server"
        return self._parse(self._in + came if self._in else came)

    def _parse(self, data: bytes) -> list[Ended]:
        ended, place, end = [], 0, len(data)
        while place + frames.HEAD <= end:
            high, low, kind, flags, stream = struct.unpack_from(">BHBBI", data, place)
            after = place + frames.HEAD + (high << 16) + low
            if after > end:
                break
            if kind == frames.DATA:
                self.received += after - place - frames.HEAD
            elif kind == frames.HEADERS:
                status = self._status(data[place + frames.HEAD : after])
                if flags & frames.END_STREAM:
                    ended.append(Ended(stream, status))
            elif kind == frames.RST_STREAM:
                ended.append(Ended(stream, f"reset {int.from_bytes(data[after - 4 : after])}"))
            else:
                self._control(kind, flags, stream, data[place + frames.HEAD : after])
            place = after
        self._in = data[place:]
        # A server may reset a stream that it has answered, which ends nothing more.
        ended = [each for each in ended if self._ends(each.stream)]
        self.at_once -= len(ended)
        self._renew()
        return ended

    def _ends(self, stream: int) -> bool:
        if stream not in self._under_way:
            return False
        self._under_way.remove(stream)
        return True

    def _status(self, block: bytes) -> str:
        """Blocks that change nothing of the table are read once."""
        known = self._statuses.get(block)
        if known is not None:
            return known
        decoded = self._decoder.decode(block, raw=True)
        status = next((value.decode() for name, value, *_ in decoded if name == STATUS), "")
        if min(block) >= ONLY_PLACES:
            self._statuses[block] = status
        else:
            self._statuses.clear()
        return status

    def _control(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        if kind == frames.SETTINGS and not flags & frames.ACK:
            for key, value in struct.iter_unpack(">HI", payload):
                if key == frames.MAX_CONCURRENT_STREAMS:
                    self.most_at_once = value
            self._out.append(frames.frame(frames.SETTINGS, frames.ACK, 0))
        elif kind == frames.PING and not flags & frames.ACK:
            self._out.append(frames.frame(frames.PING, frames.ACK, 0, payload))
        elif kind == frames.WINDOW_UPDATE and not stream:
            self._sendable += int.from_bytes(payload)
            self._send_blocked()
        elif kind == frames.GOAWAY:
            self.closed = f"go away: {payload[8:].decode(errors='replace') or int.from_bytes(payload[4:8])}"

    def _send_blocked(self) -> None:
        while self._blocked and len(self._blocked[0][1]) <= self._sendable:
            self._send_message(*self._blocked.popleft())

    def _send_message(self, stream: int, message: bytes) -> None:
        """Within a stream's first window: messages here are smaller than that."""
        self._sendable -= len(message)
        last = max(len(message) - 1, 0) // frames.MAX_FRAME
        for number in range(last + 1):
            piece = message[number * frames.MAX_FRAME : (number + 1) * frames.MAX_FRAME]
            self._out.append(frames.frame(frames.DATA, frames.END_STREAM * (number == last), stream, piece))

    def _renew(self) -> None:
        grown = self.received - self._unrenewed
        if grown > RENEW_BYTES:
            self._out.append(frames.window_update(0, grown))
            self._unrenewed = self.received
