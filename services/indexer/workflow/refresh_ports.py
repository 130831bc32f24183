"""What refreshing histories needs of the world, and in which words."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from services.contracts.bundle import LedgerPlace
from services.contracts.fresh import Fresh
from services.indexer.domain.freshening import Barred, ClientHistories, Keys
from services.indexer.domain.history_rules import HistoryRules
from services.indexer.domain.training import Selection
from services.runtime.errors import FailedPrecondition


class CannotRefresh(FailedPrecondition):
    """Of this version no newer histories can be made; the next build is as fresh as can be."""

    reason = "CANNOT_REFRESH"


@dataclass(frozen=True, slots=True)
class ServedModel:
    """What it takes to make histories of a version. codes: of companies, by dense id; keys: of its clients.

    behind, erasures: what its training rows knew. since: payments made earlier did not train, None: all did.
    """

    version: str
    codes: tuple[str, ...]
    keys: Keys
    rules: HistoryRules
    selection: Selection
    since: datetime | None
    behind: LedgerPlace
    erasures: frozenset[str]


@dataclass(frozen=True, slots=True)
class Known:
    """What the newest object of a version knows, or else its build."""

    behind: LedgerPlace
    erasures: frozenset[str]


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed since. keys: of clients whose payments did, ascending; rows: how many payments they have now.

    paying: keys of all clients with payments, None unless clients were erased. `are_too_many`: keys are only those
    that erasures changed, and behind is what it was.
    """

    behind: LedgerPlace
    erasures: tuple[str, ...]
    keys: Keys
    rows: int
    paying: Keys | None
    barred: Barred
    are_too_many: bool


class ServedModels(Protocol):
    """Models of versions in service."""

    async def load(self, version: str) -> ServedModel:
        """The model of a version; CannotRefresh."""


class ClientChanges(Protocol):
    """The warehouse's payments of those whose payments changed."""

    async def read(self, model: ServedModel, known: Known, most: int, folder: Path) -> Changes:
        """Changes of at most `most` clients; their payments are put into an empty folder. CannotRefresh."""

    async def histories(self, model: ServedModel, changes: Changes, folder: Path) -> ClientHistories:
        """The histories of those who have payments there."""


class FreshObjects(Protocol):
    """Where fresh histories stand."""

    async def newest(self, version: str) -> Fresh | None:
        """None before the first; one that is damaged is passed over."""

    async def number(self, version: str, published_at: datetime) -> int:
        """That of the next object: whoever asks before there is one gets the same.

        `published_at`: when what is in service was published, by which the first object of a version is numbered.
        """

    async def add(self, fresh: Fresh) -> bool:
        """False, changing nothing, when its number is taken."""

    async def keep_only_newest(self, versions: set[str]) -> None:
        """Removes all but the newest objects of these versions."""
