"""`python -m bench.quality.rivals.implicit_lists METHOD TASK K FOLDER`: lists by a method of the library implicit.

FOLDER: counts.npz, payments by client and column; clients.npy, who asks; it writes lists.npy, columns, -1 for none.
"""

import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from implicit.als import AlternatingLeastSquares
from implicit.nearest_neighbours import BM25Recommender
from scipy import sparse
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

# Chosen among some by payments before the cut of two real sets: of all pairs the counts, not the ones, do best. With
# the library's usual B, 0.75, companies of many clients are held back so far that BM25 ends below popularity on one.
METHODS: dict[str, Any] = {
    "als": lambda: AlternatingLeastSquares(factors=32, regularization=0.05, alpha=2.0, random_state=0),
    "bm25": lambda: BM25Recommender(K=500, K1=0.5, B=0.1),
}


def main(method: str, task: str, k: int, folder: Path) -> None:
    """Fits and asks."""
    counts = sparse.csr_matrix(sparse.load_npz(folder / "counts.npz"), dtype=np.float32)
    clients = np.load(folder / "clients.npy")
    warnings.simplefilter("ignore")  # of how the library converts its own matrices
    with threadpool_limits(1):
        model = METHODS[method]()
        model.fit(counts, show_progress=False)
        places = min(k, counts.shape[1])
        columns, scores = model.recommend(clients, counts[clients], N=places, filter_already_liked_items=task == "new")
    # What it was to leave out stands at the end, with the least score there is.
    found = np.isfinite(scores) & (scores > np.finfo(np.float32).min)
    np.save(folder / "lists.npy", np.where(found, columns, -1))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), Path(sys.argv[4]))
