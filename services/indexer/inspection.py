"""`python -m services.indexer.inspection <folder>`: looks into a downloaded bundle in a process that may die of it.

Prints one Check a line as JSON on stdout, in order of domain.soundness.CHECKS, and ends after the first that fails:
each relies on those before it. A process that ends earlier died in the check that comes next.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import chain
from pathlib import Path

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from services.contracts import bundle
from services.contracts.bundle import IndexManifest
from services.contracts.bundle_arrays import Arrays, lists_in
from services.contracts.factors import Factors, History
from services.contracts.validation import Check
from services.indexer.adapters.annoy_index import load_annoy, nearest_in
from services.indexer.adapters.bundle_reading import (
    UNREADABLE,
    disagreements,
    model_of,
    read_arrays,
    read_manifest,
)
from services.indexer.adapters.child_life import die_with_parent
from services.indexer.domain import soundness
from services.indexer.search_measuring import measure_search


def inspect(folder: Path) -> Iterator[Check]:
    """The checks, each made when it is asked for."""
    manifest = read_manifest(folder)
    found = f"{len(manifest.files)} files, {manifest.size} bytes, each with its size and SHA-256"
    yield _check("files", _file_problems(folder, manifest), found)
    try:
        arrays = read_arrays(folder)
    except UNREADABLE as error:
        yield Check(name="arrays", passed=False, detail=f"a file cannot be read: {error}")
        return
    found = (
        f"{manifest.companies} companies, {manifest.indexed} in {manifest.dimension} factors, {manifest.pairs} pairs"
    )
    yield _check("arrays", soundness.array_problems(manifest, arrays), found)
    yield _check(
        "annoy", _annoy_problems(folder, manifest, arrays), f"{manifest.indexed} items, each its company's vector"
    )
    index = load_annoy(folder / bundle.ANNOY_FILE, manifest.dimension + 1)
    factors, histories = model_of(manifest, arrays, nearest_in(index, manifest.search_nodes))
    problems = soundness.answer_problems(factors, histories, manifest)
    ahead = soundness.ahead_problems(factors, histories, lists_in(arrays))
    yield _check("answers", chain(problems, ahead), "sample clients get valid lists")
    yield _search_check(factors, soundness.sample_histories(histories, manifest.clients, soundness.SEARCHED_CLIENTS))


def main(folder: Path) -> None:
    """Prints the checks."""
    for check in inspect(folder):
        print(check.model_dump_json(), flush=True)
        if not check.passed:
            return


def _check(name: str, problems: Iterator[str], found: str) -> Check:
    told = "; ".join(problems)
    return Check(name=name, passed=not told, detail=told or found)


def _file_problems(folder: Path, manifest: IndexManifest) -> Iterator[str]:
    """A build of the same rows makes the same version, but never overwrites: damaged objects must go first."""
    problems = list(disagreements(folder, manifest))
    yield from problems
    if problems:
        yield "restore these objects, or delete all objects of this version and build it again under a new build id"


def _annoy_problems(folder: Path, manifest: IndexManifest, arrays: Arrays) -> Iterator[str]:
    path = folder / bundle.ANNOY_FILE
    problems = list(soundness.annoy_size_problems(manifest, path.stat().st_size))
    if problems:
        yield from problems
        return
    index = load_annoy(path, manifest.dimension + 1)
    if index.get_n_items() != manifest.indexed:
        yield f"{path.name} holds {index.get_n_items()} items, the manifest says {manifest.indexed}"
        return
    if index.get_n_trees() < manifest.trees:
        yield f"{path.name} holds {index.get_n_trees()} trees, the manifest says {manifest.trees}"
    yield from soundness.vector_problems(arrays[bundle.TARGET_FILE], index.get_item_vector)


def _search_check(factors: Factors, histories: Sequence[History]) -> Check:
    """With one thread, as linear algebra has it in the recommender."""
    if not histories:
        return Check(name="search", passed=True, detail="no client to search for")
    with threadpool_limits(limits=1):
        found = measure_search(factors, histories)
    detail = (
        f"lists of ten have {found.recall_at_10:.2%} of what an exact search finds for {len(histories)} clients; "
        f"asked are {soundness.MIN_FOUND:.0%} (more trees find more: INDEXER_TREES). Median "
        f"{found.annoy_p50_us:g} µs through Annoy, {found.exact_p50_us:g} µs exactly"
    )
    passed = found.recall_at_10 >= soundness.MIN_FOUND
    return Check(name="search", passed=passed, detail=detail, figures=asdict(found))


if __name__ == "__main__":
    die_with_parent()
    main(Path(sys.argv[1]))
