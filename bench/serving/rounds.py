"""Rounds in which the same load is put on bare echoes and on the recommender in turn.

What else the machine does meets all of them alike. Ratios are of one round, and of all rounds the median.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.serving import requests
from bench.serving.checking import Checked, checked
from bench.serving.echo_process import KINDS, OURS
from bench.serving.echo_process import PATH as ECHO
from bench.serving.h2load import h2load_rate
from bench.serving.indexes import Say, Served
from bench.serving.load import OK, Load, Target
from bench.serving.load_process import Task, loaded
from bench.serving.processes import Memory, Server, cores, echo, recommender

RECOMMEND = "/afin.recommender.v1.RecommenderService/Recommend"
CONNECTIONS, AT_ONCE = 8, 4
PROBE_SECONDS = 2.0
# Of grpcio's servers the one like the recommender's own: a handler runs in the polling thread.
OWN_KIND = "inline"
FLOOR, FASTEST, ECHO_OF_OURS, PLAIN, ONLINE = "floor", "fastest floor", "echo of ours", "plain", "online"


class FailedCallsError(Exception):
    """Calls of a measurement failed; the message says how many, and with what."""


@dataclass(frozen=True, slots=True)
class Length:
    """Of the measurement."""

    rounds: int = 7
    warm: float = 1.0
    seconds: float = 4.0


@dataclass(frozen=True, slots=True)
class Turn:
    """One load on one server; `cpu_us`: the server's processor time, in microseconds a call; latencies in ms."""

    qps: float
    p50_ms: float
    p99_ms: float
    cpu_us: float


@dataclass(slots=True)
class Rounds:
    """Turns by what was loaded; calls whose status was not OK; and what the server is like."""

    answers: Checked
    fastest_kind: str = OWN_KIND
    turns: dict[str, list[Turn]] = field(default_factory=dict)
    failed: dict[str, int] = field(default_factory=dict)
    memory: Memory = field(default_factory=lambda: Memory(0, 0, 0))
    ready_seconds: float = 0.0
    h2load_qps: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Loaded:
    server: Server
    path: str
    messages: Sequence[bytes]


def measure(served: Served, length: Length, say: Say) -> Rounds:
    """All rounds of one index, on two cores: one for whichever server is loaded, one for the load."""
    (core, *_), _ = cores()
    plain, online = requests.plain(served), requests.baskets(served)
    with TemporaryDirectory(prefix="afin-bench-") as folder, ExitStack() as stack:
        ours = stack.enter_context(recommender(served.objects, Path(folder) / "cache", [core]))
        found = Rounds(checked(ours.port, plain, online), ready_seconds=ours.ready_seconds)
        floors = {kind: stack.enter_context(echo(kind, found.answers.mean_bytes, core)) for kind in (*KINDS, OURS)}
        echoed = {kind: _Loaded(server, ECHO, requests.messages(plain)) for kind, server in floors.items()}
        ours_echoed = echoed.pop(OURS)
        found.fastest_kind = _fastest(echoed, say)
        contestants = {
            FLOOR: echoed[OWN_KIND],
            **({FASTEST: echoed[found.fastest_kind]} if found.fastest_kind != OWN_KIND else {}),
            ECHO_OF_OURS: ours_echoed,
            PLAIN: _Loaded(ours, RECOMMEND, requests.messages(plain)),
            ONLINE: _Loaded(ours, RECOMMEND, requests.messages(online)),
        }
        for number in range(length.rounds):
            for name, contestant in contestants.items():
                turn = _turn(found, name, contestant, length)
                say(f"  round {number + 1}, {name}: {turn.qps:,.0f}/s, p99 {turn.p99_ms:.1f} ms, {turn.cpu_us:.0f} us")
            if rate := h2load_rate(_task(contestants[FLOOR], length.warm, length.seconds)):
                found.h2load_qps.append(rate)
                say(f"  round {number + 1}, floor by h2load: {rate:,.0f}/s")
        found.memory = ours.memory()
    return found


def two_processes(served: Served, length: Length, say: Say) -> float | None:
    """Calls a second of two worker processes to those of one; None where there are not three cores."""
    on, _ = cores()
    if len(on) < 2:
        say("two processes: not measured, which takes three cores: one for each and one for the load")
        return None
    plain = requests.messages(requests.plain(served))
    rates = {}
    for number in (1, 2):
        with TemporaryDirectory(prefix="afin-bench-") as folder:
            settings = {"PROCESSES": str(number)}
            with recommender(served.objects, Path(folder) / "cache", on[:number], settings) as server:
                load = _load(_Loaded(server, RECOMMEND, plain), length.warm, length.seconds)
                rates[number] = _rate(load)
    return rates[2] / rates[1]


def _fastest(echoed: dict[str, _Loaded], say: Callable[[str], None]) -> str:
    rates = {}
    for kind, contestant in echoed.items():
        load = _load(contestant, PROBE_SECONDS / 2, PROBE_SECONDS)
        rates[kind] = _rate(load)
    say("  bare echoes: " + ", ".join(f"{kind} {rate:,.0f}/s" for kind, rate in rates.items()))
    return max(rates, key=lambda kind: rates[kind])


def _rate(load: Load) -> float:
    """Calls a second, where all were answered; FailedCallsError where not: how fast a server fails tells nothing."""
    others = {status: count for status, count in load.statuses.items() if status != OK}
    if others or not load.calls:
        raise FailedCallsError(f"of {load.calls} calls these were not answered: {others}")
    return load.calls / load.seconds


def _turn(found: Rounds, name: str, contestant: _Loaded, length: Length) -> Turn:
    before = contestant.server.cpu_seconds()
    load = _load(contestant, length.warm, length.seconds)
    cpu = contestant.server.cpu_seconds() - before
    failed = load.calls - load.statuses[OK]
    found.failed[name] = found.failed.get(name, 0) + failed
    turn = Turn(
        qps=load.statuses[OK] / load.seconds,
        p50_ms=load.quantile(0.5) * 1000,
        p99_ms=load.quantile(0.99) * 1000,
        cpu_us=cpu / max(load.ended, 1) * 1e6,
    )
    found.turns.setdefault(name, []).append(turn)
    return turn


def _load(contestant: _Loaded, warm: float, seconds: float) -> Load:
    return loaded(_task(contestant, warm, seconds))


def _task(contestant: _Loaded, warm: float, seconds: float) -> Task:
    _, core = cores()
    target = Target(contestant.server.port, contestant.path, CONNECTIONS)
    return Task(target, contestant.messages, AT_ONCE, warm, seconds, core)
