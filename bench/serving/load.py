"""Load on a server of gRPC: closed (each answer starts the next call) or open (calls come when they are due).

One thread and ready bytes: it takes about a tenth of the processor time that a server in Python takes for the same
calls, and less than h2load where answers are small. The status of every call is read; latencies of calls of an open
load count from when they were due, whenever they left.
"""

import selectors
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from bench.serving.connection import Connection

DRAIN_SECONDS = 20.0
LONGEST_WAIT_SECONDS = 0.05
OK = "0"


@dataclass(frozen=True, slots=True)
class Target:
    """What is called, and over how many connections; `headers` beside those that gRPC asks for."""

    port: int
    path: str
    connections: int
    host: str = "127.0.0.1"
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Load:
    """What came of it: seconds of latency by status, in the order of the ends; `ended`: calls, also uncounted ones."""

    seconds: float = 0.0
    latencies: dict[str, list[float]] = field(default_factory=dict)
    ended: int = 0

    @property
    def calls(self) -> int:
        """All that ended."""
        return sum(map(len, self.latencies.values()))

    @property
    def statuses(self) -> Counter[str]:
        """Calls by status."""
        return Counter({status: len(found) for status, found in self.latencies.items()})

    def quantile(self, share: float, status: str = OK) -> float:
        """Seconds within which this share of the calls of a status ended; 0 without any."""
        found = sorted(self.latencies.get(status, ()))
        return found[min(int(share * len(found)), len(found) - 1)] if found else 0.0


class _Loader:
    def __init__(self, target: Target, messages: Sequence[bytes]) -> None:
        self._target = target
        self._messages = messages
        self._sent = 0
        self._turn = 0
        self._selector = selectors.DefaultSelector()
        self.connections = [self._connect() for _ in range(target.connections)]
        self._begun: dict[Connection, dict[int, float]] = {connection: {} for connection in self.connections}
        self.load = Load()
        self.counting = True

    @property
    def under_way(self) -> int:
        """Calls."""
        return sum(map(len, self._begun.values()))

    def start(self, connection: Connection, begun: float) -> None:
        """The next message as a call."""
        stream = connection.start(self._messages[self._sent % len(self._messages)])
        self._sent += 1
        self._begun[connection][stream] = begun

    def next_with_room(self) -> Connection | None:
        """The next in turn that may have one call more; None where none may."""
        for _ in self.connections:
            self._turn = (self._turn + 1) % len(self.connections)
            if self.connections[self._turn].has_room:
                return self.connections[self._turn]
        return None

    def flush(self, connection: Connection) -> None:
        """Sends, and waits for room where there is none."""
        wanted = selectors.EVENT_READ if connection.flush() else selectors.EVENT_READ | selectors.EVENT_WRITE
        if self._selector.get_key(connection).events != wanted:
            self._selector.modify(connection, wanted)

    def wait(self, seconds: float) -> Iterator[tuple[Connection, int]]:
        """Reads what has come: each connection with it, and how many of its calls ended."""
        for key, _ in self._selector.select(max(seconds, 0.0)):
            connection: Connection = key.fileobj  # type: ignore[assignment]
            ended = connection.read()
            now, begun = time.perf_counter(), self._begun[connection]
            for stream, status in ended:
                self._note(status, now - begun.pop(stream))
            if connection.closed and not (connection.closed.startswith("go away") and begun):
                self._replace(connection, now)
            else:
                yield connection, len(ended)

    def close(self) -> None:
        """All connections; what was under way is noted as unanswered."""
        now = time.perf_counter()
        for connection in self.connections:
            for begun in self._begun[connection].values():
                self._note("unanswered", now - begun)
            connection.close()
        self._selector.close()

    def _connect(self) -> Connection:
        connection = Connection((self._target.host, self._target.port), self._target.path, self._target.headers)
        self._selector.register(connection, selectors.EVENT_READ)
        return connection

    def _replace(self, connection: Connection, now: float) -> None:
        """By a new one; what was under way has failed."""
        for begun in self._begun.pop(connection).values():
            self._note(connection.closed, now - begun)
        self._selector.unregister(connection)
        connection.close()
        new = self._connect()
        self.connections[self.connections.index(connection)] = new
        self._begun[new] = {}

    def _note(self, status: str, seconds: float) -> None:
        self.load.ended += 1
        if self.counting:
            self.load.latencies.setdefault(status, []).append(seconds)


def closed_load(target: Target, messages: Sequence[bytes], at_once: int, warm: float, seconds: float) -> Load:
    """`at_once` calls on each connection all the time; what ends in the first `warm` seconds is not counted."""
    loader = _Loader(target, messages)
    loader.counting = warm == 0
    begun = time.perf_counter()
    for connection in loader.connections:
        for _ in range(at_once):
            loader.start(connection, begun)
        loader.flush(connection)
    _keep_closed(loader, begun + warm, at_once)
    loader.counting, counted_from = True, time.perf_counter()
    _keep_closed(loader, begun + warm + seconds, at_once)
    loader.load.seconds = time.perf_counter() - counted_from
    loader.counting = False
    _drain(loader)
    loader.close()
    return loader.load


def open_load(target: Target, messages: Sequence[bytes], rate: float, seconds: float) -> Load:
    """`rate` calls a second, evenly, whatever becomes of them; in turn over the connections that have room.

    Its seconds go on until the last call has ended, which is counted as the others are.
    """
    loader = _Loader(target, messages)
    begun = time.perf_counter()
    due, total = 0, int(rate * seconds)
    waiting: deque[float] = deque()
    while due < total or waiting:
        now = time.perf_counter()
        while due < total and begun + due / rate <= now:
            waiting.append(begun + due / rate)
            due += 1
        _send_waiting(loader, waiting)
        if now > begun + seconds + DRAIN_SECONDS:
            break
        until = begun + due / rate if due < total else now + LONGEST_WAIT_SECONDS
        for connection, _ in loader.wait(min(until - time.perf_counter(), LONGEST_WAIT_SECONDS)):
            loader.flush(connection)
    _drain(loader)
    loader.load.seconds = time.perf_counter() - begun
    loader.close()
    loader.load.latencies.setdefault("never sent", []).extend(begun + seconds - at for at in waiting)
    return loader.load


def _keep_closed(loader: _Loader, until: float, at_once: int) -> None:
    while (left := until - time.perf_counter()) > 0:
        for connection, ended in loader.wait(min(left, LONGEST_WAIT_SECONDS)):
            now = time.perf_counter()
            for _ in range(ended):
                loader.start(connection, now)
            loader.flush(connection)
        for connection in loader.connections:
            if not connection.at_once:  # new, after one that was closed
                for _ in range(at_once):
                    loader.start(connection, time.perf_counter())
                loader.flush(connection)


def _send_waiting(loader: _Loader, waiting: deque[float]) -> None:
    used = set()
    while waiting and (connection := loader.next_with_room()):
        loader.start(connection, waiting.popleft())
        used.add(connection)
    for connection in used:
        loader.flush(connection)


def _drain(loader: _Loader) -> None:
    """Waits for what is under way."""
    until = time.perf_counter() + DRAIN_SECONDS
    while loader.under_way and time.perf_counter() < until:
        for connection, _ in loader.wait(LONGEST_WAIT_SECONDS):
            loader.flush(connection)
