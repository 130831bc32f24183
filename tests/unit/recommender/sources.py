"""A source of snapshots in memory, that fails as it is told."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from services.contracts.bundle import Challenger, Publication
from services.recommender.domain.snapshot import Snapshot
from services.recommender.search import IndexRefused
from tests.unit.recommender.snapshots import snapshot


@dataclass
class FakeSource:
    """`loads` are the epochs that were asked for; `before_load` is called first, in the thread that loads.

    `challenger`: of all its publications; `challengers`: how often one was asked for.
    """

    published: list[int] = field(default_factory=list)
    refused: set[int] = field(default_factory=set)
    failure: Exception | None = None
    loads: list[int] = field(default_factory=list)
    challenger: Challenger | None = None
    challenger_failure: Exception | None = None
    challengers: int = 0
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
        return snapshot(epoch, challenger=self.challenger)

    def load_version(self, publication: Publication) -> Snapshot:
        """See SnapshotSource; of challengers alone."""
        self.challengers += 1
        if self.challenger_failure:
            raise self.challenger_failure
        return replace(snapshot(publication.epoch), publication=publication)
