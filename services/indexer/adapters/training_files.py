"""A training's input as files in a folder: how the service hands it to the child process that trains."""

from pathlib import Path

import numpy as np
import pandas as pd

from services.indexer.domain.payments import Payments
from services.indexer.domain.training import Task, TrainingSet

TASK_FILE = "task.json"
PAYMENTS_FILE = "payments.npz"
CATALOGUE_FILE = "catalogue.parquet"
BUNDLE_FOLDER = "bundle"


def write_training(folder: Path, data: TrainingSet, task: Task) -> None:
    """Writes all that read_task and read_training_set read."""
    (folder / TASK_FILE).write_text(task.model_dump_json())
    data.catalogue.to_parquet(folder / CATALOGUE_FILE)
    payments = data.payments
    np.savez(
        folder / PAYMENTS_FILE,
        client=payments.client,
        company=payments.company,
        at=payments.at,
        cents=payments.cents,
        client_keys=data.client_keys,
        left_out=np.int64(data.left_out),
    )


def read_task(folder: Path) -> Task:
    """What is to be trained."""
    return Task.model_validate_json((folder / TASK_FILE).read_bytes())


def read_training_set(folder: Path, task: Task) -> TrainingSet:
    """The rows as they were written."""
    catalogue = pd.read_parquet(folder / CATALOGUE_FILE)
    with np.load(folder / PAYMENTS_FILE, allow_pickle=False) as arrays:
        keys = arrays["client_keys"]
        columns = (arrays["client"], arrays["company"], arrays["at"], arrays["cents"])
        payments = Payments(*columns, clients=len(keys), companies=len(catalogue))
        return TrainingSet(payments, keys, catalogue, task.watermark, int(arrays["left_out"]))
