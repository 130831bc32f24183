"""Build hook of the client's own distribution: the stubs of ../protos go into the wheel, and nowhere else."""

import shutil
import sys
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class StubsHook(BuildHookInterface):  # type: ignore[type-arg]
    """Generates the package `afin` into a temporary folder, which the wheel takes it from."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before it collects files."""
        repository = Path(self.root).parent
        sys.path.insert(0, str(repository))
        from hatch_build import generate  # noqa: PLC0415 - found beside protos only now

        self._folder = Path(mkdtemp(prefix="afin-client-"))
        generate(repository / "protos", self._folder)
        build_data["force_include"][str(self._folder / "afin")] = "afin"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Called when the wheel is made."""
        shutil.rmtree(self._folder)
