"""A publisher and experiments over publications that are kept in memory."""

from services.contracts.bundle import Build, Publication
from services.indexer.workflow.experiments import Experiments, Trial
from services.indexer.workflow.publish import Publisher
from tests.unit.indexer.boards import SHA256, Board, epochs

TRY = Trial("try", 0.2, "fewer factors may do")


class House:
    """A publisher and experiments over one board; versions are approved, whatever they are."""

    def __init__(self, *builds: Build, board: Board | None = None, removed: str = "") -> None:
        self.board = board or Board()
        self.epochs = epochs(self.board, *builds, removed=removed)
        self.experiments = Experiments(self.epochs)
        self.publisher = Publisher(self.epochs)

    async def publish(self, *versions: str) -> Publication | None:
        published = None
        for version in versions:
            published = await self.publisher.publish(version, SHA256, approved)
        return published

    async def start(self, version: str, wanted: Trial = TRY) -> Publication | None:
        return await self.experiments.start(version, SHA256, approved, "annoy", wanted)

    @property
    def pairs(self) -> list[tuple[str, ...]]:
        """Main version and challenger of each epoch."""
        return [publication.versions for publication in self.board.published]

    @property
    def last(self) -> Publication:
        return self.board.published[-1]


async def approved(present: Publication | None) -> str:
    return "passed"
