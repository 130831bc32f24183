"""`python -m bench.index.floor NAME DIVISOR KIND`: co-occurrence of the companies of made-up rows by other means.

KIND is `scipy`, a sparse product of the distinct pairs, or `prototype`, pandas and a dense product. One line of JSON:
seconds, the median of some, and the most memory held meanwhile, in MiB. A process of its own: so
this is its memory.
"""

import json
import sys
import time
from collections.abc import Callable
from statistics import median

import numpy as np
import pandas as pd
from scipy import sparse
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from bench.index.rows import SIZES, Numbers, Size, batches, client_keys
from services.indexer.adapters.resident_memory import forget_peak, peak_rss_mib

TURNS = 3


def main(name: str, divisor: str, kind: str) -> None:
    """Measures."""
    client, company = _payments(SIZES[name].divided(int(divisor)))
    size = SIZES[name].divided(int(divisor))
    with threadpool_limits(limits=1):
        measured = _scipy(client, company, size) if kind == "scipy" else _prototype(client, company)
    print(json.dumps(measured))


def _payments(size: Size) -> tuple[Numbers, Numbers]:
    """Clients, numbered by their keys as the training numbers them, and companies."""
    number = np.empty(size.clients, dtype=np.int64)
    keys = client_keys(np.arange(size.clients))
    number[np.lexsort((keys[:, 1], keys[:, 0]))] = np.arange(size.clients)
    pieces = [(number[batch.client].astype(np.int32), batch.company.astype(np.int32)) for batch in batches(size)]
    client, company = (np.concatenate(column).astype(np.int64) for column in zip(*pieces, strict=True))
    return client, company


def _scipy(client: Numbers, company: Numbers, size: Size) -> dict[str, float]:
    """The product alone: the matrix is made before."""
    pairs = np.unique(client * size.companies + company)
    cells = (np.ones(len(pairs)), (pairs // size.companies, pairs % size.companies))
    matrix = sparse.csr_matrix(cells, shape=(size.clients, size.companies))
    return _measured(lambda: matrix.T @ matrix, TURNS)


def _prototype(client: Numbers, company: Numbers) -> dict[str, float]:
    def cooccurrence() -> pd.DataFrame:
        table = pd.crosstab(client, company).astype(np.float64)
        return table.T.dot(table)

    return _measured(cooccurrence, 1)


def _measured(work: Callable[[], object], turns: int) -> dict[str, float]:
    forget_peak()
    seconds = []
    for _ in range(turns):
        begun = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begun)
    return {"seconds": median(seconds), "peak_rss_mib": peak_rss_mib()}


if __name__ == "__main__":
    main(*sys.argv[1:4])
