"""What answers clients: one index for everybody, or two while an experiment is running."""

from dataclasses import dataclass

from services.contracts.bundle import Publication
from services.contracts.client_keys import client_key
from services.contracts.variants import Split
from services.recommender.domain.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class InService:
    """The snapshots of one publication; a request takes it once. Nothing in it ever changes.

    `challenger`: None without an experiment, and where its version is of no use: then `problem` tells why, and the main
    one answers everybody.
    """

    main: Snapshot
    challenger: Snapshot | None = None
    problem: str = ""
    split: Split | None = None

    @classmethod
    def of(cls, main: Snapshot, challenger: Snapshot | None = None, problem: str = "") -> "InService":
        """With the split that the publication wants."""
        wanted = main.publication.challenger
        return cls(main, challenger, problem, Split(wanted.experiment, wanted.share) if wanted else None)

    @property
    def epoch(self) -> int:
        """The publication's number."""
        return self.main.epoch

    def answering(self, client_id: str) -> Snapshot:
        """The snapshot for a client, known or not; the main one for a basket, whose client_id is empty."""
        if self.challenger is None or self.split is None or not client_id:
            return self.main
        return self.challenger if self.split.takes(client_key(client_id)) else self.main

    @property
    def challenger_share(self) -> float:
        """Of the clients that the challenger answers now."""
        wanted = self.main.publication.challenger
        return wanted.share if wanted and self.challenger else 0.0


def of_challenger(publication: Publication) -> Publication | None:
    """The publication as the challenger's snapshot is of it: with its version in the main one's place."""
    wanted = publication.challenger
    if wanted is None:
        return None
    changes = {"version": wanted.version, "manifest_sha256": wanted.manifest_sha256, "search": wanted.search}
    return publication.model_copy(update=changes)
