"""Ways to damage a stored version: bytes that no longer agree with the manifest, and bundles wrong in themselves."""

from pathlib import Path

from services.contracts import bundle
from services.contracts.bundle import BundleFile, IndexManifest, manifest_key, version_file_key, version_of
from services.runtime.checksums import sha256_of
from tests.integration.indexer.conftest import World


def file_of(world: World, name: str) -> Path:
    """Where a file of the first version lies."""
    return world.objects / version_file_key(world.first, name)


def flip(world: World, name: str) -> None:
    """Changes one byte in the middle of a file of the first version."""
    path = file_of(world, name)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)


def wrong_in_itself(world: World, name: str, content: bytes) -> str:
    """A new version, which is the first but for one file; its manifest agrees with that file. Gives its name."""
    manifest = IndexManifest.model_validate_json(world.store.get(manifest_key(world.first)))
    changed = BundleFile(name=name, size=len(content), sha256=sha256_of(content))
    files = tuple(changed if file.name == name else file for file in manifest.files)
    return stored(world, manifest.model_copy(update={"files": files}), {name: content})


def stored(world: World, manifest: IndexManifest, contents: dict[str, bytes]) -> str:
    """Stores a version under its right name, with the first version's files but for `contents`."""
    document = manifest.to_bytes()
    version = version_of(manifest.watermark, sha256_of(document))
    for name in bundle.FILES:
        content = contents.get(name) or file_of(world, name).read_bytes()
        world.store.put_if_absent(version_file_key(version, name), content)
    world.store.put_if_absent(manifest_key(version), document)
    return version
