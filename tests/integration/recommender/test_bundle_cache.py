"""What stays on disk, and what is removed when."""

from pathlib import Path

import pytest

from services.contracts.bundle import Challenger, Publication
from services.recommender.adapters.bundle_cache import BundleCache
from tests.integration.recommender.bundles import PUBLISHED_AT


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Of the cache."""
    path = tmp_path / "cache"
    path.mkdir()
    return path


def in_service(epoch: int, version: int | None = None) -> Publication:
    """A publication of a version, each epoch's own unless one is given."""
    return Publication(
        epoch=epoch,
        version=f"unknown-{version or epoch:012x}",
        manifest_sha256="0" * 64,
        published_at=PUBLISHED_AT,
        reason="test",
    )


def take(folder: Path, publication: Publication) -> None:
    """As when its bundle was loaded."""
    (folder / publication.version).mkdir(exist_ok=True)
    BundleCache(folder).retain(publication)


def versions_in(folder: Path) -> set[str]:
    """Which bundles lie there."""
    return {path.name for path in folder.iterdir() if path.is_dir()}


def test_the_version_in_service_and_its_predecessor_stay(folder: Path) -> None:
    for epoch in (1, 2, 3):
        take(folder, in_service(epoch))

    assert versions_in(folder) == {in_service(2).version, in_service(3).version}
    assert [each.epoch for each in BundleCache(folder).publications()] == [3, 2]


def test_of_an_experiment_both_versions_stay_and_the_main_one_before(folder: Path) -> None:
    challenger = Challenger(
        experiment="try", version="unknown-00000000000f", manifest_sha256="0" * 64, share=0.5, since=2
    )
    take(folder, in_service(1))
    for epoch in (2, 3):
        (folder / challenger.version).mkdir(exist_ok=True)
        take(folder, in_service(epoch, version=2).model_copy(update={"challenger": challenger}))

    assert versions_in(folder) == {in_service(1).version, in_service(2).version, challenger.version}
    take(folder, in_service(4, version=2))
    assert versions_in(folder) == {in_service(1).version, in_service(2).version}


def test_after_a_rollback_the_version_that_was_rolled_back_is_the_predecessor(folder: Path) -> None:
    for publication in (in_service(1), in_service(2), in_service(3, version=1)):
        take(folder, publication)

    assert versions_in(folder) == {in_service(1).version, in_service(2).version}


def test_a_version_under_a_new_epoch_is_not_its_own_predecessor(folder: Path) -> None:
    for publication in (in_service(1), in_service(2), in_service(3, version=2)):
        take(folder, publication)

    assert versions_in(folder) == {in_service(1).version, in_service(2).version}


def test_what_a_store_that_began_anew_no_longer_has_is_forgotten(folder: Path) -> None:
    take(folder, in_service(9))

    take(folder, in_service(1))

    assert [each.epoch for each in BundleCache(folder).publications()] == [1]


def test_nothing_is_removed_while_somebody_loads(folder: Path) -> None:
    for epoch in (1, 2):
        take(folder, in_service(epoch))
    with BundleCache(folder).loading():
        take(folder, in_service(3))
        during = versions_in(folder)
    take(folder, in_service(4))

    assert during == {in_service(epoch).version for epoch in (1, 2, 3)}
    assert versions_in(folder) == {in_service(3).version, in_service(4).version}


def test_what_a_killed_process_left_is_removed_and_other_peoples_files_are_not(folder: Path) -> None:
    (folder / ".unfinished-bundle").mkdir()
    (folder / ".unfinished-note").touch()
    (folder / "somebody else's").mkdir()

    take(folder, in_service(1))

    assert {path.name for path in folder.iterdir()} == {
        ".lock",
        "published-0000000001.json",
        in_service(1).version,
        "somebody else's",
    }


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff"])
def test_a_note_that_cannot_be_read_counts_as_none(folder: Path, content: bytes) -> None:
    take(folder, in_service(1))
    (folder / "published-0000000002.json").write_bytes(content)

    assert BundleCache(folder).publications() == [in_service(1)]


@pytest.mark.parametrize(
    "version", ["", "..", "a/b", "unknown-0123456789ab/..", "20260301T120000Z", "UNKNOWN-0123456789ab"]
)
def test_only_the_name_of_a_version_is_a_path(folder: Path, version: str) -> None:
    with pytest.raises(ValueError, match="not the name of an index version"):
        BundleCache(folder).path(version)
