"""One index version in service. A request takes the snapshot once and answers from it alone."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from services.contracts.bundle import IndexManifest, Publication
from services.contracts.ranking import Factors, FloatArray
from services.recommender.domain.catalogue import Catalogue
from services.recommender.domain.clients import ClientHistories


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Nothing in it ever changes; a newer index is another snapshot. target_norms: (indexed,), without popularity."""

    publication: Publication
    manifest: IndexManifest
    loaded_at: datetime
    factors: Factors
    catalogue: Catalogue
    clients: ClientHistories
    target_norms: FloatArray

    @property
    def epoch(self) -> int:
        """The publication's number."""
        return self.publication.epoch


def norms_of(vectors: FloatArray) -> FloatArray:
    """Euclidean lengths, (n,), of the rows of (n, d), without a copy of them."""
    squares: FloatArray = np.einsum("nd,nd->n", vectors, vectors)
    return np.sqrt(squares)
