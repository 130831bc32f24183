"""Every file of a bundle under every damage: refused by name where its checksum disagrees, never a crash where not."""

from collections.abc import Callable
from datetime import timedelta
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from services.contracts import bundle
from services.contracts.bundle import MANIFEST_FILE, BundleFile, IndexManifest, version_file_key
from services.contracts.bundle_arrays import table_in
from services.contracts.texts import texts_of
from services.indexer.adapters.inspection_process import InspectionProcess
from services.indexer.inspection import inspect
from services.runtime.checksums import sha256_of
from tests.integration.indexer.conftest import World
from tests.integration.recommender.refusing import bytes_changed

DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "half": lambda content: content[: len(content) // 2],
    "zeros": lambda content: bytes(len(content)),
    "200 bytes": bytes_changed,
    "longer": lambda content: content + b"\0",
}
# Rightly signed numbers of the right range are what a model is made of: nobody can tell them from others.
FREE_NUMBERS = {bundle.WEIGHTS_FILE, bundle.HABITS_FILE, bundle.JUDGED_NDCG_FILE, bundle.SOURCE_FILE}
PATIENCE = timedelta(minutes=1)


@pytest.fixture
def folder(world: World, tmp_path: Path) -> Path:
    """A downloaded bundle, sound as yet."""
    downloaded = tmp_path / "downloaded"
    downloaded.mkdir()
    for name in (*bundle.FILES, MANIFEST_FILE):
        (downloaded / name).write_bytes(world.store.get(version_file_key(world.first, name)))
    return downloaded


def sign(folder: Path, name: str) -> None:
    """Makes the manifest agree with a file as it is now."""
    manifest = IndexManifest.model_validate_json((folder / MANIFEST_FILE).read_bytes())
    content = (folder / name).read_bytes()
    changed = BundleFile(name=name, size=len(content), sha256=sha256_of(content))
    files = tuple(changed if file.name == name else file for file in manifest.files)
    (folder / MANIFEST_FILE).write_bytes(manifest.model_copy(update={"files": files}).to_bytes())


async def failed(folder: Path) -> dict[str, str]:
    """The checks that fail, with what they say."""
    checks = await InspectionProcess(PATIENCE).inspect(folder)
    return {check.name: check.detail for check in checks if not check.passed}


@pytest.mark.parametrize(("name", "damage"), [*product(bundle.FILES, DAMAGES)])
def test_a_file_that_changed_in_the_store_is_refused_by_its_name(folder: Path, name: str, damage: str) -> None:
    path = folder / name
    path.write_bytes(DAMAGES[damage](path.read_bytes()))

    check = next(inspect(folder))

    assert (check.name, check.passed) == ("files", False)
    assert check.detail.startswith(f"{name} ")


@pytest.mark.parametrize("name", bundle.FILES)
def test_a_missing_file_is_refused_by_its_name(folder: Path, name: str) -> None:
    (folder / name).unlink()

    check = next(inspect(folder))

    assert (check.name, check.passed) == ("files", False)
    assert check.detail.startswith(f"{name} is missing")


@pytest.mark.parametrize(("name", "damage"), [*product(bundle.FILES, ["half", "zeros", "200 bytes"])])
async def test_a_damaged_file_that_is_rightly_signed_is_refused_or_harmless(
    folder: Path, name: str, damage: str
) -> None:
    path = folder / name
    path.write_bytes(DAMAGES[damage](path.read_bytes()))
    sign(folder, name)

    found = await failed(folder)

    if damage != "200 bytes" or name not in FREE_NUMBERS:
        assert list(found) in (["arrays"], ["annoy"], ["answers"])


async def test_companies_that_were_exchanged_are_refused(folder: Path) -> None:
    table = table_in({name: np.load(folder / name) for name in bundle.FILES if name.endswith(".npy")})
    order = np.random.default_rng(1).permutation(len(table)).tolist()
    texts = [each[place] for each in (table.codes, table.names) for place in order]
    exchanged = texts_of([*texts, *table.category_names.tolist()])
    places = np.argsort(order).astype(np.int32)[table.code_companies]
    changed = {
        bundle.COMPANIES_FILE: table.rows[order],
        bundle.TEXTS_FILE: exchanged.blob,
        bundle.TEXT_OFFSETS_FILE: exchanged.offsets,
        bundle.CODE_COMPANIES_FILE: places,
    }
    for name, array in changed.items():
        np.save(folder / name, array)
        sign(folder, name)

    assert "companies in order of company_code" in (await failed(folder))["arrays"]


async def test_clients_that_were_exchanged_are_refused(folder: Path) -> None:
    path = folder / bundle.CLIENTS_FILE
    np.save(path, np.random.default_rng(1).permutation(np.load(path)))
    sign(folder, bundle.CLIENTS_FILE)

    assert "clients.npy is not in ascending order" in (await failed(folder))["arrays"]


async def test_vectors_of_companies_that_were_exchanged_are_refused(folder: Path) -> None:
    path = folder / bundle.TARGET_FILE
    np.save(path, np.load(path)[::-1])
    sign(folder, bundle.TARGET_FILE)

    assert "is not that of target_factors.npy" in (await failed(folder))["annoy"]
