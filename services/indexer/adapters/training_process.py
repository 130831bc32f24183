"""The training as a child process."""

import asyncio
import os
from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path

from services.indexer.adapters.child_process import ChildDied, child_lines
from services.indexer.adapters.training_files import BUNDLE_FOLDER, FAILURE_FILE, write_task
from services.indexer.domain.training import Stage, Task
from services.runtime.errors import FailedPrecondition, Unavailable
from services.runtime.tracing.spans import process_span

MODULE = "services.indexer.training"


class TrainingProcess:
    """Trains outside of this process; see Trainer."""

    async def train(self, task: Task, folder: Path) -> AsyncGenerator[Stage, None]:
        """See Trainer."""
        await asyncio.to_thread(write_task, folder, task)
        try:
            with process_span("training process") as process:
                async with child_lines(MODULE, folder) as lines:
                    async for line in lines:
                        stage = Stage.model_validate_json(line)
                        process.stage_ended(stage.name, timedelta(seconds=stage.seconds), cpu_seconds=stage.cpu_seconds)
                        yield stage
        except ChildDied as error:
            if error.code == os.EX_TEMPFAIL:
                lost = await asyncio.to_thread((folder / FAILURE_FILE).read_text)
                raise Unavailable(
                    f"the Dask cluster behind {task.scheduler} does not do its work: {lost}; look at its scheduler and "
                    "workers, or set INDEXER_ENGINE=local",
                    reason="DASK_CLUSTER_LOST",
                ) from error
            if not error.signal:
                raise
            raise FailedPrecondition(
                f"the training was killed by {error.signal}; give the service more memory, or set "
                "INDEXER_MAX_TRAINING_PAYMENTS",
                reason="TRAINING_KILLED",
            ) from error

    def bundle_folder(self, folder: Path) -> Path:
        """See Trainer."""
        return folder / BUNDLE_FOLDER
