"""Chooses the shrinkage by trial on the last part of the payments before the cut: never on those that judge."""

from dataclasses import dataclass

import numpy as np

from services.contracts.ranking import padded
from services.indexer.domain.evaluation import CUT_SHARE, relevant_companies, score_lists
from services.indexer.domain.judging import Indexing, panel, ranked_lists
from services.indexer.domain.model import Shape, prepare
from services.indexer.domain.payments import Payments, split_by_time

SHRINKAGES = (1.0, 3.0, 10.0)
USUAL_SHRINKAGE = 3.0


@dataclass(frozen=True, slots=True)
class Choice:
    """The shrinkage, and the NDCG of each that was tried; none was when there was no client to judge by."""

    shrinkage: float
    ndcg: dict[float, float]


def choose_shrinkage(payments: Payments, shape: Shape, indexing: Indexing, limit: int) -> Choice:
    """The best for companies never paid before; the first of equals. At most `limit` clients judge.

    One decomposition serves all trials.
    """
    split = split_by_time(payments, CUT_SHARE)
    relevant = panel(relevant_companies(split, "new"), limit)
    if not relevant:
        return Choice(USUAL_SHRINKAGE, {})
    prepared = prepare(split.before, np.unique(split.before.company), shape)
    ndcg = {}
    for shrinkage in SHRINKAGES:
        model = prepared.model(shrinkage)
        lists = ranked_lists(model, model.served_through(indexing(padded(model.target))), list(relevant), "new")
        ndcg[shrinkage] = float(score_lists(lists, list(relevant.values()), len(model.companies.numbers)).ndcg.mean())
    return Choice(max(ndcg, key=lambda shrinkage: ndcg[shrinkage]), ndcg)
