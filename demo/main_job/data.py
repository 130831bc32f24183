"""Which payments a state was begun with: a later run finds the very same, and never mixes them with others."""

from datetime import date
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from demo.dataset import Dataset, DatasetError, read_dataset
from demo.generator import generate
from demo.population.parameters import GeneratorParameters

RECORD = "data.json"


class Origin(BaseModel):
    """A folder, or the generator with the day before which its payments lie."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    folder: Path | None
    generated_until: date

    def __str__(self) -> str:
        return str(self.folder) if self.folder else "the generator"

    def dataset(self) -> Dataset:
        """Its payments and companies; DatasetError when the folder cannot be read."""
        return read_dataset(self.folder) if self.folder else generate(GeneratorParameters(end=self.generated_until))


def origin_of(state: Path, folder: Path | None, today: date) -> Origin:
    """Where the payments of `state` come from; DatasetError when it was begun with others."""
    record = state / RECORD
    asked = Origin(folder=folder.resolve() if folder else None, generated_until=today)
    if not record.exists():
        return asked
    begun = Origin.model_validate_json(record.read_text())
    if begun.folder != asked.folder:
        raise DatasetError(
            f"{state} holds the payments of {begun}, not of {asked}; name another folder: STATE=folder (--state)"
        )
    return begun


def remember(state: Path, origin: Origin) -> None:
    """Writes down where the payments of `state` come from."""
    state.mkdir(parents=True, exist_ok=True)
    (state / RECORD).write_text(origin.model_dump_json(indent=1) + "\n")
