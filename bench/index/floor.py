"""`python -m bench.index.floor NAME DIVISOR KIND`: co-occurrence of the companies of made-up rows by other means.

KIND is `scipy`, A.T @ A of an A that is ready, or `prototype`, pandas and a dense product. One line of JSON: seconds
(medians) and the most memory held meanwhile, in MiB. A process of its own, so that this is its memory. Rows come in
order of their clients, as the training has them.
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
from services.runtime.resident_memory import forget_peak, peak_rss_mib

TURNS = 3


def main(name: str, divisor: str, kind: str) -> None:
    """Measures."""
    size = SIZES[name].divided(int(divisor))
    with threadpool_limits(limits=1):
        print(json.dumps(KINDS[kind](*_payments(size), size)))


def _payments(size: Size) -> tuple[Numbers, Numbers]:
    """Clients and companies, in order; clients are numbered by their keys, as the training numbers them."""
    number = np.empty(size.clients, dtype=np.int64)
    keys = client_keys(np.arange(size.clients))
    number[np.lexsort((keys[:, 1], keys[:, 0]))] = np.arange(size.clients)
    pieces = [(number[batch.client].astype(np.int32), batch.company.astype(np.int32)) for batch in batches(size)]
    client, company = map(np.concatenate, zip(*pieces, strict=True))
    order = np.lexsort((company, client))
    return client[order], company[order]


def _scipy(client: Numbers, company: Numbers, size: Size) -> dict[str, float]:
    cells = (np.ones(len(client)), (client, company))
    matrix = sparse.csr_matrix(cells, shape=(size.clients, size.companies))
    return _measured(lambda: matrix.T @ matrix, TURNS)


def _prototype(client: Numbers, company: Numbers, _: Size) -> dict[str, float]:
    def cooccurrence() -> pd.DataFrame:
        table = pd.crosstab(client, company).astype(np.float64)
        return table.T.dot(table)

    return _measured(cooccurrence, 1)


def _measured(work: Callable[[], object], turns: int) -> dict[str, float]:
    forget_peak()
    seconds, cpu = [], []
    for _ in range(turns):
        begun, cpu_begun = time.perf_counter(), time.process_time()
        work()
        seconds.append(time.perf_counter() - begun)
        cpu.append(time.process_time() - cpu_begun)
    return {"seconds": median(seconds), "cpu_seconds": median(cpu), "peak_rss_mib": peak_rss_mib()}


KINDS = {"scipy": _scipy, "prototype": _prototype}


if __name__ == "__main__":
    main(*sys.argv[1:4])
