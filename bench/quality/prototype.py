"""The method of the prototype that Afín replaces: features of a company, one beside the other, in one Annoy index.

Average amount, average days between payments, category, top biller and co-occurrence with every other company are
concatenated as they are; a client is the mean of its companies' directions.
"""

import numpy as np
import pandas as pd
from annoy import AnnoyIndex

from bench.quality.paid import Paid, Ranker
from services.contracts.factors import FloatArray
from services.indexer.domain.evaluation import Task
from services.indexer.domain.features import company_features
from services.indexer.domain.payments import Payments

TREES = 10
# A vector is as long as there are companies: beyond these, the most popular ones must do.
MOST_COMPANIES = 5_000


def prototype(payments: Payments, catalogue: pd.DataFrame, paid: Paid) -> Ranker:
    """`catalogue`: a row a company, by number."""
    vectors = _vectors(payments, catalogue, paid)
    index = AnnoyIndex(vectors.shape[1], "angular")
    index.set_seed(0)
    for item, vector in enumerate(vectors):
        index.add_item(item, vector)
    index.build(TREES, n_jobs=1)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), np.finfo(np.float32).tiny)
    starts = np.searchsorted(paid.client, np.arange(paid.clients + 1))

    def one(client: int, task: Task, k: int) -> list[int]:
        own = paid.column[starts[client] : starts[client + 1]]
        own = own[own < len(vectors)]
        if not len(own):
            return []
        barred = frozenset(own.tolist()) if task == "new" else frozenset()
        near = index.get_nns_by_vector(vectors[own].mean(axis=0), k + len(barred))
        return [int(paid.numbers[column]) for column in near if column not in barred][:k]

    return lambda clients, task, k: [one(client, task, k) for client in clients.tolist()]


def _vectors(payments: Payments, catalogue: pd.DataFrame, paid: Paid) -> FloatArray:
    ones = paid.ones()[:, :MOST_COMPANIES]
    rows = paid.numbers[:MOST_COMPANIES]
    features = company_features(payments).iloc[rows]
    described = catalogue.iloc[rows][["category_id", "is_top_biller"]].astype("float64")
    own = np.nan_to_num(np.hstack([features.to_numpy(), described.to_numpy()]))
    together: FloatArray = np.hstack([own, (ones.T @ ones).toarray()]).astype(np.float32)
    return together
