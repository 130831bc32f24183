"""Methods of the library implicit, each in a process of an environment that has it."""

import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from scipy import sparse

from bench.quality.paid import LongInts, Paid, Ranker
from services.indexer.domain.evaluation import Task

MODULE = "bench.quality.rivals.implicit_lists"


def outside(python: Path, name: str, paid: Paid) -> Ranker:
    """`name`: a method that the module knows; `python`: of the environment that has implicit."""

    def lists(clients: LongInts, task: Task, k: int) -> list[list[int]]:
        with TemporaryDirectory(prefix="afin-quality-") as folder:
            sparse.save_npz(Path(folder) / "counts.npz", sparse.csr_matrix(paid.matrix(paid.count)))
            np.save(Path(folder) / "clients.npy", clients)
            subprocess.run([str(python), "-m", MODULE, name, task, str(k), folder], check=True)
            columns = np.load(Path(folder) / "lists.npy")
        return [paid.numbers[row[row >= 0]].tolist() for row in columns]

    return lists
