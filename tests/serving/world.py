"""What is served: an object store with versions of an index that can be published in turn."""

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from afin.recommender.v1 import recommender_pb2 as pb
from bench.serving.indexes import generated
from demo.stack.options import free_ports
from services.contracts import bundle
from services.contracts.bundle import IndexManifest, Publication
from services.runtime.objects.local import LocalObjectStore
from tests.integration.recommender.bundles import (
    CLIENTS,
    INDEXED,
    StoredVersion,
    code_of,
    planted,
    publish,
    upload,
    write,
)

# One more than a recommender's cache keeps: each swap fetches, verifies and opens a bundle.
LABELS = "ABC"
MAX_RESULTS = 10


@dataclass
class World:
    """A store in the folder `objects`, and whom and what its versions know."""

    objects: Path
    store: LocalObjectStore
    versions: Sequence[StoredVersion]
    clients: Sequence[str]
    codes: Sequence[str]
    epoch: int = 0

    def publish_next(self) -> int:
        """The next version in turn enters service; its epoch."""
        self.epoch += 1
        publish(self.store, self.epoch, self.versions[self.epoch % len(self.versions)])
        return self.epoch

    def plain(self, chance: random.Random) -> pb.RecommendRequest:
        """A known client, nothing special asked."""
        return pb.RecommendRequest(client_id=chance.choice(self.clients), max_results=MAX_RESULTS)

    def basket(self, chance: random.Random, companies: int = 5) -> pb.RecommendRequest:
        """Some companies in the place of a client."""
        codes = dict.fromkeys(chance.choices(self.codes, k=companies))
        return pb.RecommendRequest(company_codes=codes, max_results=MAX_RESULTS)

    def batch(self, chance: random.Random, size: int = 100) -> pb.BatchRecommendRequest:
        """The most costly call there is: baskets, each of which is computed."""
        return pb.BatchRecommendRequest(requests=[self.basket(chance) for _ in range(size)])


def small_world(folder: Path) -> World:
    """A few planted companies, and no epoch yet."""
    objects, store = _store(folder)
    versions = [upload(store, folder / label, write(folder / label, planted(label))) for label in LABELS]
    clients = [f"client-{number}" for number in range(CLIENTS)]
    return World(objects, store, versions, clients, [code_of(dense) for dense in range(INDEXED)])


def large_world(folder: Path, keep: Path, divisor: int = 1) -> World:
    """100k companies and 1M clients, of the bench; its versions differ in nothing but their names."""
    served = generated(keep, divisor, print)
    objects, store = _store(folder)
    versions = [_renamed(LocalObjectStore(served.objects), served.objects, store, label) for label in LABELS]
    return World(objects, store, versions, served.clients, served.paid_codes)


def free_port() -> int:
    """One that no connection out takes while its server is away."""
    return free_ports(["recommender"])["recommender"]


def _store(folder: Path) -> tuple[Path, LocalObjectStore]:
    objects = folder / "objects"
    objects.mkdir(parents=True)
    return objects, LocalObjectStore(objects)


def _renamed(built: LocalObjectStore, objects: Path, store: LocalObjectStore, label: str) -> StoredVersion:
    newest = max(built.list(bundle.PUBLISHED_PREFIX), key=lambda info: info.key)
    publication = Publication.model_validate_json(built.get(newest.key))
    manifest = IndexManifest.model_validate_json(built.get(bundle.manifest_key(publication.version)))
    content = manifest.model_copy(update={"code_version": label}).to_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    version = bundle.version_of(manifest.watermark, sha256)
    for file in manifest.files:
        source = objects / bundle.version_file_key(publication.version, file.name)
        store.put_if_absent(bundle.version_file_key(version, file.name), source)
    store.put_if_absent(bundle.manifest_key(version), content)
    return StoredVersion(version, sha256)
