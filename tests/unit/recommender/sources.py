"""A source of snapshots in memory, that fails as it is told."""

from collections.abc import Callable
from dataclasses import dataclass, field

from services.recommender.domain.snapshot import Snapshot
from services.recommender.search import IndexRefused
from tests.unit.recommender.snapshots import snapshot


@dataclass
class FakeSource:
    """`loads` are the epochs that were asked for; `before_load` is called first, in the thread that loads."""

    published: list[int] = field(default_factory=list)
    refused: set[int] = field(default_factory=set)
    failure: Exception | None = None
    loads: list[int] = field(default_factory=list)
    before_load: Callable[[], object] = lambda: None

    def epochs(self) -> list[int]:
        """See SnapshotSource."""
        if self.failure:
            raise self.failure
        return sorted(self.published, reverse=True)

    def load(self, epoch: int) -> Snapshot:
        """See SnapshotSource."""
        self.before_load()
        self.loads.append(epoch)
        if epoch in self.refused:
            raise IndexRefused(f"index epoch {epoch}", "it is not sound")
        return snapshot(epoch)
