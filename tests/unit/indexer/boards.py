"""Publications and manifests in memory, and rivals who publish meanwhile."""

from services.contracts.bundle import Build, Publication
from services.indexer.workflow.epochs import Epochs
from services.indexer.workflow.errors import VersionNotFound
from services.runtime.checksums import sha256_of
from tests.unit.indexer.planted import MANIFEST, NOON

CONTENT = MANIFEST.to_bytes()
SHA256 = sha256_of(CONTENT)


class OneManifest:
    """Every version has this manifest."""

    def __init__(self, *builds: Build, removed: str = "") -> None:
        self._builds = list(builds)
        self._removed = removed

    async def manifest(self, version: str) -> bytes:
        if version == self._removed:
            raise VersionNotFound(version)
        return CONTENT

    async def builds(self) -> list[Build]:
        return self._builds


class Board:
    """Publications in memory. Each of the rivals publishes just before our next attempt."""

    def __init__(self, *rivals: str) -> None:
        self.published: list[Publication] = []
        self.rivals = list(rivals)

    async def all(self) -> list[Publication]:
        return list(self.published)

    async def add(self, publication: Publication) -> bool:
        if self.rivals:
            self.published.append(publication.model_copy(update={"version": self.rivals.pop(0), "challenger": None}))
        if any(known.epoch == publication.epoch for known in self.published):
            return False
        self.published.append(publication)
        return True


def epochs(board: Board, *builds: Build, removed: str = "") -> Epochs:
    """A line of publications on this board."""
    return Epochs(OneManifest(*builds, removed=removed), board, lambda: NOON)


def built(version: str, *erasures: str) -> Build:
    """A build of a version, that knew these erasures."""
    return Build(build_id=f"of-{version}", version=version, manifest_sha256=SHA256, built_at=NOON, erasures=erasures)


def versions(board: Board) -> list[tuple[int, str]]:
    """Epochs and main versions."""
    return [(publication.epoch, publication.version) for publication in board.published]
