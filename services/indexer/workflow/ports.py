"""What the workflow needs of the world. The adapters fit; every method may raise Unavailable."""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Protocol

from services.contracts.bundle import Build, Publication
from services.contracts.validation import Check, Comparison, Validation
from services.indexer.domain.training import RowsRead, Stage, Task


class TrainingRows(Protocol):
    """The warehouse's payments and companies."""

    async def read(self, folder: Path) -> RowsRead:
        """Puts all of one moment into an empty folder, for a Trainer; FailedPrecondition when nothing can train."""


class Trainer(Protocol):
    """Makes a bundle of rows."""

    def train(self, task: Task, folder: Path) -> AsyncGenerator[Stage, None]:
        """Tells each stage when it ends; FailedPrecondition when killed. `folder`: with what TrainingRows put there."""

    def bundle_folder(self, folder: Path) -> Path:
        """Where, in that folder, the files of the bundle and its manifest then are."""


class Inspector(Protocol):
    """Looks into a bundle that may be damaged in any way."""

    async def inspect(self, folder: Path) -> tuple[Check, ...]:
        """The checks that were made, in their order; the last of them is the only one that may have failed."""


class Comparator(Protocol):
    """Looks into two bundles side by side."""

    def folders(self, folder: Path) -> tuple[Path, Path]:
        """Where, in a folder, the base and the version to compare with it must lie."""

    async def compare(self, folder: Path) -> Comparison:
        """How the version differs from the base; NotComparable when one of them is damaged, or of another format."""


class Manifests(Protocol):
    """Manifests and builds alone, for those who need no more of versions."""

    async def manifest(self, version: str) -> bytes:
        """The manifest as it is stored; NotFound when there is no such version."""

    async def builds(self) -> list[Build]:
        """All builds of versions that were not removed."""


class Versions(Manifests, Protocol):
    """Bundles and what is known of them; all of it is written once, and never changed."""

    async def build(self, build_id: str) -> Build | None:
        """What an earlier build made."""

    async def record_build(self, build: Build) -> Build:
        """Records it, or gives what was recorded under its id before."""

    async def store(self, version: str, folder: Path) -> None:
        """Stores the files of a bundle, the manifest last; those that are there already stay."""

    async def fetch(self, version: str, manifest: bytes, folder: Path) -> None:
        """Writes a bundle into a folder: the manifest as given, and the files, but for those that the store lacks."""

    async def newest_first(self) -> list[str]:
        """All versions with a manifest, by the time when they were first built."""

    async def first_build(self, version: str) -> Build | None:
        """The build that made it first; None when that build was broken off at its very end."""

    async def record_validation(self, validation: Validation) -> None:
        """Records it as the newest of its version."""

    async def newest_validation(self, version: str) -> Validation | None:
        """None when there was none."""

    async def unfinished(self) -> list[str]:
        """What lies beside the versions without a manifest: of builds and removals that broke off, or go on."""

    async def withdraw(self, version: str) -> list[Build]:
        """Removes the records of its builds, which it gives, then its manifest: from then on it is no version."""

    async def restore(self, version: str, manifest: bytes, builds: list[Build]) -> None:
        """Undoes `withdraw`."""

    async def remove(self, version: str) -> None:
        """Removes all that is left of it, validations included."""


class Publications(Protocol):
    """Which version is in service, and was."""

    async def all(self) -> list[Publication]:
        """In order of their epochs."""

    async def add(self, publication: Publication) -> bool:
        """False, changing nothing, when its epoch is taken."""
