"""`python -m bench.load.rivals.dlt_scd2 DATABASE_URL FORMAT`: dlt's merge strategy scd2, as its documentation has it.

With a merge key, so that payments which a batch does not hold stay as they are. FORMAT: `csv`, the faster of the two
for which `dlt[postgres]` brings what it needs, or `parquet`, which goes through ADBC for those who install that too.
"""

import os
import sys
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import parse_qs, urlparse

import pyarrow as pa
import pyarrow.parquet as pq

from bench.load.rivals.serving import serve

KEY = ["payment_id", "company_code"]
ATTRIBUTES = ["payment_at", "status", "amount", "external_client_id"]
QUIET = {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "CRITICAL"}


def main(database_url: str, file_format: str) -> None:
    """Each file is one run of a pipeline."""
    with TemporaryDirectory(prefix="afin-dlt-") as folder:
        os.environ.update(QUIET, DLT_DATA_DIR=folder)
        pipeline = _pipeline(database_url, folder)
        serve(lambda path: _load(pipeline, path, file_format))


def _pipeline(database_url: str, folder: str) -> Any:
    import dlt  # noqa: PLC0415 - reads the environment when it is imported
    from dlt.destinations import postgres  # noqa: PLC0415
    from dlt.destinations.impl.postgres.configuration import PostgresCredentials  # noqa: PLC0415

    address = urlparse(database_url)
    credentials = PostgresCredentials(
        {
            "database": address.path.strip("/"),
            "username": address.username,
            "password": address.password or "none",
            "host": "localhost",
            # The folder of the socket, which goes before the host.
            "query": {"host": parse_qs(address.query)["host"][0]},
        }
    )
    return dlt.pipeline("bench", pipelines_dir=folder, destination=postgres(credentials), dataset_name="dlt_payments")


def _load(pipeline: Any, path: str, file_format: str) -> None:
    import dlt  # noqa: PLC0415
    from dlt.sources.helpers.transform import add_row_hash_to_table  # noqa: PLC0415

    table = pq.read_table(path).drop(["position"])
    resource = dlt.resource(
        lambda: _batches(table),
        name="payments",
        write_disposition={"disposition": "merge", "strategy": "scd2", "row_version_column_name": "row_version"},
        merge_key=KEY,
    ).add_map(add_row_hash_to_table("row_version"))
    pipeline.run(resource, loader_file_format=file_format).raise_on_failed_jobs()


def _batches(table: pa.Table) -> Any:
    yield from (pa.Table.from_batches([batch]) for batch in table.to_batches(max_chunksize=100_000))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
