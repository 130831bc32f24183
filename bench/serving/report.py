"""The figures of a run: JSON for programs, a table for people."""

from collections.abc import Iterator, Mapping
from statistics import median
from typing import Any

from rich.table import Table

from bench.serving.rounds import ECHO_OF_OURS, FASTEST, FLOOR, ONLINE, OWN_KIND, PLAIN, Rounds, Turn

# What serving the given data is held to.
AT_LEAST = {"ratio": 0.85, "fastest_floor_ratio": 0.8, "online_ratio": 0.5, "two_processes_ratio": 1.6}
AT_MOST = {"added_cpu_us": 50.0, "p99_to_floor": 1.5}
# What serving any of the two is held to.
COLD_START_SECONDS = 10.0


def figures(found: Rounds, two_processes: float | None) -> dict[str, Any]:
    """Of medians over rounds. Ratios are of calls a second of a round: ours to a floor's.

    Floors are grpcio's own servers. What is added is told beyond the echo of our server, which is quicker.
    """
    turns = found.turns
    return {
        "qps": round(_median(turns[PLAIN], "qps")),
        "floor_qps": round(_median(turns[FLOOR], "qps")),
        "ratio": _ratio(turns, PLAIN, FLOOR, "qps"),
        "fastest_floor_ratio": _ratio(turns, PLAIN, FASTEST if FASTEST in turns else FLOOR, "qps"),
        "online_ratio": _ratio(turns, ONLINE, FLOOR, "qps"),
        "p50_ms": round(_median(turns[PLAIN], "p50_ms"), 2),
        "p99_ms": round(_median(turns[PLAIN], "p99_ms"), 2),
        "floor_p99_ms": round(_median(turns[FLOOR], "p99_ms"), 2),
        "p99_to_floor": _ratio(turns, PLAIN, FLOOR, "p99_ms"),
        "echo_of_ours_qps": round(_median(turns[ECHO_OF_OURS], "qps")),
        "echo_of_ours_ratio": _ratio(turns, PLAIN, ECHO_OF_OURS, "qps"),
        "echo_of_ours_cpu_us": round(_median(turns[ECHO_OF_OURS], "cpu_us"), 1),
        "added_cpu_us": _added(turns, PLAIN),
        "online_added_cpu_us": _added(turns, ONLINE),
        "floor_cpu_us": round(_median(turns[FLOOR], "cpu_us"), 1),
        "rss_mib": found.memory.rss,
        "pss_mib": found.memory.pss,
        "private_mib": found.memory.private,
        "ready_seconds": round(found.ready_seconds, 2),
        "two_processes_ratio": two_processes and round(two_processes, 2),
        "h2load_floor_qps": round(median(found.h2load_qps)) if found.h2load_qps else None,
        "server_kind": OWN_KIND,
        "fastest_kind": found.fastest_kind,
        "answer_bytes": found.answers.mean_bytes,
        "answers_read": found.answers.answers,
        "failed_calls": sum(found.failed.values()),
        "rounds": len(turns[PLAIN]),
    }


def table(figures_by_name: Mapping[str, Mapping[str, Any]]) -> Table:
    """A column an index."""
    shown = Table("", *figures_by_name, title="Serving (medians over rounds)")
    for key in next(iter(figures_by_name.values())):
        shown.add_row(key.replace("_", " "), *(_shown(each[key]) for each in figures_by_name.values()))
    return shown


def shortfalls(figures_by_name: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """What serving is held to and does not reach, a line each."""
    return [
        *_short_of_the_given(figures_by_name.get("given", {})),
        *(
            f"{name}: {each['failed_calls']} calls failed"
            for name, each in figures_by_name.items()
            if each["failed_calls"]
        ),
        *(
            f"{name}: ready after {each['ready_seconds']} s, over {COLD_START_SECONDS}"
            for name, each in figures_by_name.items()
            if each["ready_seconds"] > COLD_START_SECONDS
        ),
    ]


def _short_of_the_given(found: Mapping[str, Any]) -> Iterator[str]:
    for key, least in AT_LEAST.items():
        if found.get(key) is not None and found[key] < least:
            yield f"given: {key} is {found[key]}, under {least}"
    for key, most in AT_MOST.items():
        if found.get(key) is not None and found[key] > most:
            yield f"given: {key} is {found[key]}, over {most}"


def _ratio(turns: Mapping[str, list[Turn]], ours: str, floor: str, key: str) -> float:
    pairs = zip(turns[ours], turns[floor], strict=True)
    return round(median(float(getattr(one, key) / getattr(other, key)) for one, other in pairs), 3)


def _added(turns: Mapping[str, list[Turn]], ours: str) -> float:
    pairs = zip(turns[ours], turns[ECHO_OF_OURS], strict=True)
    return round(median(one.cpu_us - other.cpu_us for one, other in pairs), 1)


def _median(turns: list[Turn], key: str) -> float:
    return median(float(getattr(turn, key)) for turn in turns)


def _shown(value: object) -> str:
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, (int, float)) else str(value)
