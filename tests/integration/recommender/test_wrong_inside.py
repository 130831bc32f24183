"""Bundles that are rightly signed but wrong inside: refused by name before they can kill or mislead the process."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from services.contracts import bundle
from services.contracts.bundle_arrays import arrays_of
from services.contracts.company_columns import table_of
from services.runtime.objects.local import LocalObjectStore
from tests.integration.recommender.bundles import (
    COMPANIES,
    INDEXED,
    World,
    code_of,
    columns_of,
    planted,
    signed,
    upload,
    write,
    write_annoy,
)
from tests.integration.recommender.refusing import assert_refused_and_served_on, bytes_changed


def with_array(name: str, array: NDArray[Any]) -> Callable[[World], None]:
    """A world with another array."""
    return lambda world: world.arrays.update({name: array})


def with_value(name: str, change: Callable[[NDArray[Any]], None]) -> Callable[[World], None]:
    """A world with a change in an array."""

    def changed(world: World) -> None:
        world.arrays[name] = world.arrays[name].copy()
        change(world.arrays[name])

    return changed


def with_manifest(**values: object) -> Callable[[World], None]:
    """A world whose manifest says something else."""
    return lambda world: world.manifest.update(values)


def with_columns(**values: list[Any]) -> Callable[[World], None]:
    """A world with other columns in its company table."""
    return lambda world: world.arrays.update(arrays_of(table_of(replace(columns_of("B"), **values))))


WRONG_WORLDS: dict[str, tuple[str, Callable[[World], None]]] = {
    "companies counted wrong": (bundle.COMPANIES_FILE, with_manifest(companies=COMPANIES + 1)),
    "indexed counted wrong": (bundle.SOURCE_FILE, with_manifest(indexed=INDEXED - 1)),
    "clients counted wrong": (bundle.CLIENTS_FILE, with_manifest(clients=3)),
    "pairs counted wrong": (bundle.HISTORY_FILE, with_manifest(pairs=3)),
    "dimension told wrong": (bundle.SOURCE_FILE, with_manifest(dimension=4)),
    "no dimension": ("manifest", with_manifest(dimension=0)),
    "more indexed than there are": ("manifest", with_manifest(indexed=COMPANIES + 1)),
    "a habit weight that is no number": ("manifest", with_manifest(habit_weight=float("inf"))),
    "company ids of another type": (
        bundle.COMPANIES_FILE,
        with_array(bundle.COMPANIES_FILE, np.zeros(COMPANIES, np.int64)),
    ),
    "one code twice": (
        "keys of codes",
        with_value(bundle.CODE_KEYS_FILE, lambda a: a[:2].fill(0)),
    ),
    "a code of no company": (
        "every company once",
        with_value(bundle.CODE_COMPANIES_FILE, lambda a: a[:1].fill(COMPANIES)),
    ),
    "companies exchanged": (
        bundle.COMPANIES_FILE,
        with_columns(company_code=[*map(code_of, [1, 0, *range(2, COMPANIES)])]),
    ),
    "a category that is none": (
        bundle.COMPANIES_FILE,
        with_value(bundle.COMPANIES_FILE, lambda a: a["category"].fill(3)),
    ),
    "a name too few": (
        bundle.TEXT_OFFSETS_FILE,
        with_array(bundle.TEXT_OFFSETS_FILE, planted().arrays[bundle.TEXT_OFFSETS_FILE][:-1]),
    ),
    "text offsets beyond the end": (
        "offsets that rise",
        with_value(bundle.TEXT_OFFSETS_FILE, lambda a: a[-1:].fill(10**6)),
    ),
    "text that is no UTF-8": ("UTF-8", with_value(bundle.TEXTS_FILE, lambda a: a[:1].fill(0xFF))),
    "a list too few": (bundle.LIST_COMPANIES_FILE, with_manifest(lists=2)),
    "two clients of one list": (bundle.LIST_ROWS_FILE, with_value(bundle.LIST_ROWS_FILE, lambda a: a[:3].fill(1))),
    "a list of a company that is none": (
        bundle.LIST_ROWS_FILE,
        with_value(bundle.LIST_COMPANIES_FILE, lambda a: a[0, :1].fill(COMPANIES)),
    ),
    "a list of scores that are none": (
        bundle.LIST_ROWS_FILE,
        with_value(bundle.LIST_SCORES_FILE, lambda a: a[0, :1].fill(np.nan)),
    ),
    "factors of another type": (bundle.SOURCE_FILE, with_array(bundle.SOURCE_FILE, np.ones((INDEXED, 5)))),
    "factors in columns": (
        bundle.TARGET_FILE,
        with_array(bundle.TARGET_FILE, np.asfortranarray(planted().arrays[bundle.TARGET_FILE])),
    ),
    "a source that is no number": (bundle.SOURCE_FILE, with_value(bundle.SOURCE_FILE, lambda a: a.fill(np.nan))),
    "a target that is infinite": (bundle.TARGET_FILE, with_value(bundle.TARGET_FILE, lambda a: a.fill(np.inf))),
    "targets that Annoy does not hold": (bundle.ANNOY_FILE, with_value(bundle.TARGET_FILE, lambda a: a.sort(axis=0))),
    "one popular company twice": (bundle.POPULAR_FILE, with_value(bundle.POPULAR_FILE, lambda a: a.fill(1))),
    "a popular company that is none": (
        bundle.POPULAR_FILE,
        with_array(bundle.POPULAR_FILE, np.arange(1, COMPANIES + 1, dtype=np.int32)),
    ),
    "clients out of order": (
        bundle.CLIENTS_FILE,
        with_array(bundle.CLIENTS_FILE, planted().arrays[bundle.CLIENTS_FILE][::-1].copy()),
    ),
    "offsets that fall": (bundle.OFFSETS_FILE, with_value(bundle.OFFSETS_FILE, lambda a: a[1:-1].fill(-1))),
    "offsets beyond the end": (bundle.OFFSETS_FILE, with_value(bundle.OFFSETS_FILE, lambda a: a[-1:].fill(10**6))),
    "history of a company that is none": (
        bundle.HISTORY_FILE,
        with_value(bundle.HISTORY_FILE, lambda a: a[:1].fill(COMPANIES)),
    ),
    "history of a negative company": (bundle.HISTORY_FILE, with_value(bundle.HISTORY_FILE, lambda a: a[:1].fill(-1))),
    "a weight that is no number": (bundle.WEIGHTS_FILE, with_value(bundle.WEIGHTS_FILE, lambda a: a.fill(np.nan))),
    "a habit above one": (bundle.HABITS_FILE, with_value(bundle.HABITS_FILE, lambda a: a.fill(1.5))),
}


@pytest.mark.parametrize("wrong", WRONG_WORLDS)
async def test_a_bundle_that_is_rightly_signed_but_wrong_inside_is_refused(
    object_store: LocalObjectStore, tmp_path: Path, wrong: str
) -> None:
    named, change = WRONG_WORLDS[wrong]
    world = planted("B")
    change(world)
    bad = upload(object_store, tmp_path / "bad", write(tmp_path / "bad", world))

    await assert_refused_and_served_on(object_store, tmp_path, bad, bad.version, named)


def one_dimension_more(path: Path, world: World) -> None:
    """An index of another dimension, cut to a size that the right dimension could have."""
    wider = np.hstack([world.annoy_vectors, np.ones((INDEXED, 1), np.float32)])
    write_annoy(path, wider)
    right, size = 12 + 4 * world.annoy_vectors.shape[1], path.stat().st_size
    path.write_bytes(path.read_bytes()[: size - size % right])


def cut_at_a_node(path: Path, world: World) -> None:
    """Without its last two nodes, and so without a tree."""
    path.write_bytes(path.read_bytes()[: -2 * (12 + 4 * world.annoy_vectors.shape[1])])


def items_only(path: Path, world: World) -> None:
    """Without its trees."""
    path.write_bytes(path.read_bytes()[: INDEXED * (12 + 4 * world.annoy_vectors.shape[1])])


def other_vectors(path: Path, world: World) -> None:
    """The companies in another order: every id would name a wrong company."""
    write_annoy(path, world.annoy_vectors[::-1].copy())


def children_elsewhere(path: Path, world: World) -> None:
    """The trees lead out of the file: Annoy would read foreign memory, and the process die."""
    nodes = np.fromfile(path, "<i4").reshape(-1, 3 + world.annoy_vectors.shape[1])
    nodes[INDEXED:, 1:3] = 10**8
    nodes.tofile(path)


def a_circle(path: Path, world: World) -> None:
    """A node is its own child: a search would never end."""
    nodes = np.fromfile(path, "<i4").reshape(-1, 3 + world.annoy_vectors.shape[1])
    inner = np.flatnonzero(nodes[:, 0] > world.annoy_vectors.shape[1] + 2)
    nodes[inner, 1] = inner
    nodes.tofile(path)


def random_bytes(path: Path, _: World) -> None:
    """200 bytes changed before it was signed."""
    path.write_bytes(bytes_changed(path.read_bytes()))


def zeros(path: Path, _: World) -> None:
    """Of the right size, and empty."""
    path.write_bytes(bytes(path.stat().st_size))


@pytest.mark.parametrize(
    "damage",
    [
        one_dimension_more,
        cut_at_a_node,
        items_only,
        other_vectors,
        children_elsewhere,
        a_circle,
        random_bytes,
        zeros,
    ],
)
async def test_an_annoy_file_that_would_kill_or_mislead_the_process_is_refused(
    object_store: LocalObjectStore, tmp_path: Path, damage: Callable[[Path, World], None]
) -> None:
    world = planted("B")
    write(tmp_path / "bad", world)
    damage(tmp_path / "bad" / bundle.ANNOY_FILE, world)
    bad = upload(object_store, tmp_path / "bad", signed(tmp_path / "bad", world))

    await assert_refused_and_served_on(object_store, tmp_path, bad, bad.version, bundle.ANNOY_FILE)
