"""The figures of a run: JSON for programs, lines for people."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from bench.index.measuring import Building, Measured

COOCCURRENCE = "cooccurrence"
# The service's own work after the training process: not part of what that process takes.
AFTER_TRAINING = {"store", "validate_and_publish"}
# What builds are held to, by size and key.
AT_MOST: dict[str, dict[str, float]] = {
    "10m_10k": {
        "cooccurrence_ratio": 1.1,
        "build_ratio": 30.0,
        "peak_rss_mib": 3072,
        "cooccurrence_peak_rss_mib": 1024,
    },
    "100k_companies": {"peak_rss_mib": 3072},
}
AT_LEAST: dict[str, dict[str, float]] = {"1m_1k": {"prototype_ratio": 20.0}}
# Ten times the payments, clients and companies: what the seconds of a stage grow with.
GROWTH = {
    "arrange_payments": "one sort by client in 64 parts: with the payments",
    "evaluate": "trials as for choose_model; a model of what is before the cut; lists for a bounded number of clients",
    "choose_model": "trials on a bounded sample of clients, each with a co-occurrence of its own",
    "weigh_pairs": "features of every pair; what repeats is learned of a bounded sample: with the payments",
    "cooccurrence": "pairs of companies of one client: with the payments; half of companies x companies cells",
    "fit": "products of companies x companies cells: up to the square of the companies",
    "make_lists": "clients x companies, up to INDEXER_LIST_SCORES of them",
    "build_annoy": "trees: with the companies and their logarithm; the rest with pairs",
    "store": "bytes: vectors with the companies, histories with the pairs",
    "validate_and_publish": "bytes, all read and hashed once more",
}


def figures(buildings: dict[str, Building]) -> dict[str, dict[str, Any]]:
    """By size. Ratios are of processor seconds: ours to scipy's, the prototype's to ours, the build to co-occurrence.

    All of these work in one thread; other work on the machine hardly changes what they take of the processor.
    """
    return {name: _figures(building) for name, building in buildings.items()}


def _figures(building: Building) -> dict[str, Any]:
    stages, rivals = building.stages, building.rivals
    trained = [stage for name, stage in stages.items() if name not in AFTER_TRAINING]
    found: dict[str, Any] = {
        "build_seconds": round(sum(stage.seconds for stage in trained), 2),
        "published": not building.refused,
        "peak_rss_mib": max(stage.peak_rss_mib for stage in stages.values()),
    }
    if COOCCURRENCE in stages:
        ours = stages[COOCCURRENCE]
        build_ratio = sum(stage.cpu_seconds for stage in trained) / ours.cpu_seconds
        found |= {"build_ratio": round(build_ratio, 1), "cooccurrence_peak_rss_mib": ours.peak_rss_mib}
        if "scipy" in rivals:
            found["cooccurrence_ratio"] = round(ours.cpu_seconds / rivals["scipy"].cpu_seconds, 2)
        if "prototype" in rivals:
            found["prototype_ratio"] = round(rivals["prototype"].cpu_seconds / ours.cpu_seconds, 1)
    return found | {"stages": _told(stages), "rivals": _told(rivals)}


def _told(measured: dict[str, Measured]) -> dict[str, dict[str, float]]:
    return {name: {key: round(value, 3) for key, value in asdict(one).items()} for name, one in measured.items()}


def growth(buildings: dict[str, Building]) -> Iterator[str]:
    """A line a stage, of the processor seconds at 1M payments and at 10M, and why they grow so."""
    small, large = buildings["1m_1k"].stages, buildings["10m_10k"].stages
    for name, stage in large.items():
        if name in small:
            before, after = max(small[name].cpu_seconds, 0.001), stage.cpu_seconds
            yield f"{name:<22}{before:>9.2f} s{after:>10.2f} s{after / before:>7.1f} x  {GROWTH.get(name, '')}"


def shortfalls(found: dict[str, dict[str, Any]]) -> list[str]:
    """What builds are held to and do not reach, a line each."""
    return [
        *(f"{name}: not published" for name, each in found.items() if not each["published"]),
        *(f"{name}: {key} is {found[name].get(key)}, over {most}" for name, key, most in _over(found)),
        *(f"{name}: {key} is {found[name].get(key)}, under {least}" for name, key, least in _under(found)),
    ]


def _over(found: dict[str, dict[str, Any]]) -> Iterator[tuple[str, str, float]]:
    for name, limits in AT_MOST.items():
        yield from ((name, key, most) for key, most in limits.items() if found[name].get(key, most + 1) > most)


def _under(found: dict[str, dict[str, Any]]) -> Iterator[tuple[str, str, float]]:
    for name, limits in AT_LEAST.items():
        yield from ((name, key, least) for key, least in limits.items() if found[name].get(key, 0) < least)
