"""A training's input as files in a folder: how the service hands it to the child process that trains.

Payments lie there twice: partition files as they are read (see partition_files), then columns in order (see arranging).
"""

from pathlib import Path

import pandas as pd
import pyarrow as pa

from services.indexer.adapters.arranging import arranged
from services.indexer.domain.training import Task, TrainingSet

TASK_FILE = "task.json"
CATALOGUE_FILE = "catalogue.parquet"
BUNDLE_FOLDER = "bundle"
FAILURE_FILE = "failure.txt"
CATALOGUE_SCHEMA = pa.schema(
    {
        "company_id": pa.int64(),
        "company_code": pa.string(),
        "company_name": pa.string(),
        "category_id": pa.int64(),
        "category_name": pa.string(),
        "is_top_biller": pa.bool_(),
    }
)


def write_task(folder: Path, task: Task) -> None:
    """Writes what read_task reads."""
    (folder / TASK_FILE).write_text(task.model_dump_json())


def read_task(folder: Path) -> Task:
    """What is to be trained."""
    return Task.model_validate_json((folder / TASK_FILE).read_bytes())


def read_training_set(folder: Path, task: Task) -> TrainingSet:
    """The payments in order, whatever the order in which they were read; they may be read so but once."""
    catalogue = pd.read_parquet(folder / CATALOGUE_FILE, dtype_backend="numpy_nullable")
    payments, keys = arranged(folder, len(catalogue))
    return TrainingSet(payments, keys, catalogue, task.watermark)
