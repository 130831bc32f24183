"""What must hold of store and folders, whatever was killed."""

from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from services.contracts.bundle import (
    PUBLISHED_PREFIX,
    VERSIONS_PREFIX,
    IndexManifest,
    Publication,
    manifest_key,
    version_file_key,
)
from services.runtime.checksums import sha256_of
from services.runtime.objects.store import ObjectStore


def publications(store: ObjectStore) -> list[Publication]:
    """In order of their keys."""
    return [Publication.model_validate_json(store.get(info.key)) for info in store.list(PUBLISHED_PREFIX)]


def problems_of_publications(published: list[Publication], seen: dict[int, str]) -> Iterator[str]:
    """Epochs count from one, without a gap; nothing was served that was not published under its epoch."""
    epochs = [publication.epoch for publication in published]
    if epochs != list(range(1, len(epochs) + 1)):
        yield f"the epochs are {epochs}"
    by_epoch = {publication.epoch: publication.versions for publication in published}
    for epoch, version in seen.items():
        if version not in by_epoch.get(epoch, ()):
            yield f"{version} was served as epoch {epoch}, which is {by_epoch.get(epoch)}"


def problems_of_versions(store: ObjectStore) -> Iterator[str]:
    """Whatever has a manifest is whole: so it is the one thing that may be published, loaded, and rolled back to."""
    keys = [info.key for info in store.list(VERSIONS_PREFIX)]
    for key in keys:
        version, _, name = key.removeprefix(VERSIONS_PREFIX).partition("/")
        if name == "manifest.json":
            yield from _problems_of_version(store, version, set(keys))


def problem_of_service(store: ObjectStore) -> Iterator[str]:
    """What is in service, a challenger too, has the manifest that was published."""
    for present in publications(store)[-1:]:
        for each in (present, present.challenger):
            if each and sha256_of(store.get(manifest_key(each.version))) != each.manifest_sha256:
                yield f"the manifest of {each.version}, in service, is not the one that was published"


def problems_of_folders(work: Path, scratch: Path, living: int) -> Iterator[str]:
    """Only the living indexer has a folder, and nothing in it; of the store's own scratch nothing is left."""
    left = [path.name for path in work.iterdir() if path.name != f"afin-indexer-{living}"]
    left += [path.name for path in work.glob("*/*")]
    left += [path.name for path in scratch.iterdir()] if scratch.exists() else []
    if left:
        yield f"left over: {left}"


def _problems_of_version(store: ObjectStore, version: str, keys: set[str]) -> Iterator[str]:
    try:
        manifest = IndexManifest.model_validate_json(store.get(manifest_key(version)))
    except ValidationError as error:
        yield f"the manifest of {version} is none: {error}"
        return
    for file in manifest.files:
        key = version_file_key(version, file.name)
        if key not in keys:
            yield f"{key} is missing"
        elif sha256_of(store.get(key)) != file.sha256:
            yield f"{key} is not the file that its manifest means"
