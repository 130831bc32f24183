"""The training as a child process."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

from services.indexer.adapters.child_process import ChildDied, child_lines
from services.indexer.adapters.training_files import BUNDLE_FOLDER, write_task
from services.indexer.domain.training import Stage, Task
from services.runtime.errors import FailedPrecondition

MODULE = "services.indexer.training"


class TrainingProcess:
    """Trains outside of this process; see Trainer."""

    async def train(self, task: Task, folder: Path) -> AsyncGenerator[Stage, None]:
        """See Trainer."""
        await asyncio.to_thread(write_task, folder, task)
        try:
            async with child_lines(MODULE, folder) as lines:
                async for line in lines:
                    yield Stage.model_validate_json(line)
        except ChildDied as error:
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
