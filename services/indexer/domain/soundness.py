"""What must hold inside a bundle, whatever made it. Each function tells what is wrong; nothing when all is well."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from services.contracts import bundle
from services.contracts.bundle import IndexManifest, Search
from services.contracts.bundle_arrays import Arrays, expected_arrays, lists_in, table_in
from services.contracts.candidate_lists import NOBODY, CandidateLists, list_problems
from services.contracts.client_keys import are_ascending
from services.contracts.companies import CompanyTable, key_problems, table_problems
from services.contracts.factors import Factors, History, padded
from services.contracts.ranking import Query, Ranked, rank, ranked
from services.contracts.validation import Check
from services.indexer.domain.histories import Histories

# In the order in which they are made; the names stand in validations.
CHECKS = ("files", "arrays", "annoy", "answers", "search")
SAMPLE_CLIENTS = 50
SAMPLE_VECTORS = 1000
ANSWER_LENGTH = 10
# Annoy's angular node: number of descendants, two children or the norm, and the vector; all of four bytes.
NODE_HEADER_BYTES = 12
FLOAT_BYTES = 4
# Annoy stores what it was given, but for float32 rounding.
VECTOR_TOLERANCE = 1e-5
# What the best places of an exact search must share with those served, and how near equal scores may lie.
MIN_FOUND = 0.99
SCORE_TOLERANCE = 1e-6
SEARCHED_CLIENTS = 200


def array_problems(manifest: IndexManifest, arrays: Arrays) -> Iterator[str]:
    """Types, shapes and ranges; shapes are judged first, as the rest relies on them."""
    wrong = [
        f"{name} is {arrays[name].dtype} {arrays[name].shape}, the manifest says {dtype} {shape}"
        for name, (dtype, shape) in expected_arrays(manifest).items()
        if (arrays[name].dtype, arrays[name].shape) != (dtype, shape)
    ]
    yield from wrong
    if not wrong:
        yield from _range_problems(manifest, arrays)
        yield from _holdout_problems(manifest, arrays)
        lists = list_problems(lists_in(arrays), manifest.companies)
        yield from (f"the lists made ahead must hold {problem}" for problem in lists)
        yield from _company_problems(table_in(arrays), manifest.indexed)


def annoy_size_problems(manifest: IndexManifest, size: int) -> Iterator[str]:
    """A cut file, and one of another dimension, seldom have a whole number of nodes."""
    node = NODE_HEADER_BYTES + FLOAT_BYTES * (manifest.dimension + 1)
    if size % node or size < node * max(manifest.indexed, 1):
        yield f"{bundle.ANNOY_FILE} has {size} bytes: not {manifest.indexed} or more nodes of {node} bytes"


def vector_problems(target: NDArray[np.float32], item: Callable[[int], Sequence[float]]) -> Iterator[str]:
    """The vectors in the Annoy file are the padded targets; looks at up to 1,000 of them."""
    vectors = padded(target)
    for place in _sample(len(vectors), SAMPLE_VECTORS):
        if not np.allclose(item(place), vectors[place], rtol=VECTOR_TOLERANCE, atol=VECTOR_TOLERANCE):
            yield f"{bundle.ANNOY_FILE}: the vector of item {place} is not that of {bundle.TARGET_FILE}"
            return


def sample_histories(histories: Histories, clients: int, most: int) -> list[History]:
    """At most `most` of the clients' histories, evenly spread over all."""
    return [histories.of(client) for client in _sample(clients, most)]


def answer_problems(factors: Factors, histories: Histories, manifest: IndexManifest) -> Iterator[str]:
    """Answers to up to 50 clients, with and without paid companies, and to one without a history."""
    nobody = History(np.empty(0, np.int32), np.empty(0, np.float32), np.empty(0, np.float32))
    for history in (nobody, *sample_histories(histories, manifest.clients, SAMPLE_CLIENTS)):
        paid = frozenset(history.companies.tolist())
        yield from _list_problems(rank(factors, history, Query(ANSWER_LENGTH)), paid, manifest.companies)
        yield from _list_problems(rank(factors, history, Query(ANSWER_LENGTH, True)), frozenset(), manifest.companies)


def ahead_problems(factors: Factors, histories: Histories, lists: CandidateLists) -> Iterator[str]:
    """Whether the lists made ahead are what up to 50 clients get by exact ranking, to the last bit."""
    exactly = replace(factors, nearest=None)
    clients = np.flatnonzero(lists.rows != NOBODY)
    for client in clients[_sample(len(clients), SAMPLE_CLIENTS)].tolist():
        exact = ranked(exactly, histories.of(client), Query(lists.companies.shape[1]))
        if lists.places(int(lists.rows[client]), len(exact.companies) + 1) != exact:
            yield f"a list made ahead is not what ranking gives: that of row {client} of {bundle.CLIENTS_FILE}"
            return


def found_share(served: Sequence[Sequence[Ranked]], best: Sequence[Sequence[Ranked]]) -> float:
    """The mean share of the best places of an exact search that the served lists hold; 1.0 without such a place.

    A place counts when its score is one of the best ones: of companies with equal scores any is as good. What was
    filled with popular companies was not searched for, and counts on neither side.
    """
    pairs = ((_searched(ours), _searched(exact)) for ours, exact in zip(served, best, strict=True))
    shares = [_found(ours, exact) for ours, exact in pairs if exact]
    return float(np.mean(shares)) if shares else 1.0


def quicker_search(checks: Sequence[Check]) -> Search:
    """By the medians that the check `search` measured; Annoy where they are equal, or were not measured."""
    figures = next((check.figures for check in checks if check.name == "search"), {})
    return "exact" if figures.get("exact_p50_us", 0.0) < figures.get("annoy_p50_us", 0.0) else "annoy"


def _searched(places: Sequence[Ranked]) -> list[Ranked]:
    return [place for place in places if place.modelled]


def _found(served: Sequence[Ranked], best: Sequence[Ranked]) -> float:
    least = best[-1].score - SCORE_TOLERANCE * max(abs(place.score) for place in best)
    return sum(place.score >= least for place in served) / len(best)


def _list_problems(places: Sequence[Ranked], paid: frozenset[int], companies: int) -> Iterator[str]:
    answered = [place.company for place in places]
    length = min(ANSWER_LENGTH, companies - len(paid))
    if len(answered) != length:
        yield f"an answer has {len(answered)} companies instead of {length}"
    if any(not 0 <= company < companies for company in answered):
        yield "an answer names a company that the catalogue does not hold"
    if any(company in paid for company in answered):
        yield "an answer of new companies names one already paid"
    if not np.isfinite([place.score for place in places]).all():
        yield "an answer has a score that is no finite number"


def _range_problems(manifest: IndexManifest, arrays: Arrays) -> Iterator[str]:
    for name in (bundle.SOURCE_FILE, bundle.TARGET_FILE, bundle.WEIGHTS_FILE):
        if not np.isfinite(arrays[name]).all():
            yield f"{name} holds numbers that are not finite"
    habits = arrays[bundle.HABITS_FILE]
    if not ((habits >= 0) & (habits <= 1)).all():
        yield f"{bundle.HABITS_FILE} holds numbers that are not from 0 to 1"
    if not np.array_equal(np.sort(arrays[bundle.POPULAR_FILE]), np.arange(manifest.companies)):
        yield f"{bundle.POPULAR_FILE} does not name every company once"
    history, offsets = arrays[bundle.HISTORY_FILE], arrays[bundle.OFFSETS_FILE]
    if len(history) and (history.min() < 0 or history.max() >= manifest.companies):
        yield f"{bundle.HISTORY_FILE} names companies that the catalogue does not hold"
    if offsets[0] != 0 or offsets[-1] != manifest.pairs or (np.diff(offsets) < 0).any():
        yield f"{bundle.OFFSETS_FILE} does not divide the {manifest.pairs} pairs"
    if not are_ascending(arrays[bundle.CLIENTS_FILE]):
        yield f"{bundle.CLIENTS_FILE} is not in ascending order"


def _company_problems(table: CompanyTable, indexed: int) -> Iterator[str]:
    problems = list(table_problems(table, indexed))
    for problem in problems or key_problems(table):
        yield f"the files of companies must hold {problem}"


def _holdout_problems(manifest: IndexManifest, arrays: Arrays) -> Iterator[str]:
    judged, ndcg = arrays[bundle.JUDGED_FILE], arrays[bundle.JUDGED_NDCG_FILE]
    if len(judged) and (judged[0] < 0 or judged[-1] >= manifest.clients or (np.diff(judged) <= 0).any()):
        yield f"{bundle.JUDGED_FILE} does not name clients in ascending order"
    if ((ndcg < 0) | (ndcg > 1 + VECTOR_TOLERANCE)).any():
        yield f"{bundle.JUDGED_NDCG_FILE} holds numbers that are no NDCG"


def _sample(size: int, most: int) -> list[int]:
    return sorted(set(np.linspace(0, size - 1, min(size, most)).astype(int).tolist())) if size else []
