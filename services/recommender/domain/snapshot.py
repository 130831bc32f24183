"""One index version in service. A request takes the snapshot once and answers from it alone."""

from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from services.contracts.bundle import IndexManifest, Publication
from services.contracts.candidate_lists import NOBODY, CandidateLists
from services.contracts.client_keys import client_key
from services.contracts.factors import Factors, FloatArray, History
from services.contracts.recommendation_ids import Origin, Role
from services.contracts.variants import MAIN
from services.recommender.domain.catalogue import Catalogue
from services.recommender.domain.clients import ClientHistories
from services.recommender.domain.overlay import NOTHING_NEWER, Overlay


@dataclass(frozen=True, slots=True)
class AnswerTail:
    """What all answers of a publication end with, encoded, and what their ids have in common."""

    publication: Publication
    content: bytes
    origin: Origin


@dataclass(slots=True)
class AnswerParts:
    """Parts of answers that were encoded before; companies: by dense id. Whoever finds one missing puts it there."""

    companies: dict[int, bytes] = field(default_factory=dict)
    tail: AnswerTail | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Nothing in it ever changes; a newer index, or a newer overlay, is another snapshot.

    target_norms: (indexed,), without popularity.
    """

    publication: Publication
    manifest: IndexManifest
    loaded_at: datetime
    factors: Factors
    catalogue: Catalogue
    clients: ClientHistories
    lists: CandidateLists
    target_norms: FloatArray
    fresh: Overlay = NOTHING_NEWER
    parts: AnswerParts = field(default_factory=AnswerParts, compare=False, repr=False)

    @property
    def epoch(self) -> int:
        """The publication's number."""
        return self.publication.epoch

    def history(self, client_id: str) -> History | None:
        """What the client paid, by the newest that is known; None for one without payments."""
        newer = self.fresh.find(client_id)
        if newer is None:
            return self.clients.find(client_id)
        return newer if len(newer.companies) else None

    def row_of_list(self, client_id: str, count: int) -> int | None:
        """Of the list made ahead for the client; None when there is none of so many places, or it is out of date."""
        if count > self.manifest.list_length:
            return None
        key = client_key(client_id)
        if self.fresh.knows(key):
            return None
        client = self.clients.row_of_key(key)
        row = NOBODY if client is None else self.lists.rows.item(client)
        if row == NOBODY or client is None:
            return None
        if self.fresh.barred_companies.size:
            left_out = self.fresh.left_out(self.clients.of(client))
            return None if left_out.intersection(self.lists.companies[row, :count].tolist()) else row
        return row

    @property
    def role(self) -> Role:
        """Whether it is an experiment's challenger: then the publication names its version twice."""
        challenger = self.publication.challenger
        return "challenger" if challenger and challenger.version == self.publication.version else "main"

    @property
    def variant(self) -> str:
        """What answers call it: main, or the name of the experiment whose challenger it is."""
        challenger = self.publication.challenger
        return challenger.experiment if challenger and self.role == "challenger" else MAIN


def norms_of(vectors: FloatArray) -> FloatArray:
    """Euclidean lengths, (n,), of the rows of (n, d), without a copy of them."""
    squares: FloatArray = np.einsum("nd,nd->n", vectors, vectors)
    return np.sqrt(squares)
