"""The folder for temporary files, and what killed processes left of it."""

import os
import subprocess
import sys
from pathlib import Path

from services.indexer.adapters.work_folder import PREFIX, own_work_folder


def test_the_folder_is_gone_with_all_that_is_in_it(tmp_path: Path) -> None:
    with own_work_folder(tmp_path) as folder:
        (folder / "bundle").mkdir()
        (folder / "bundle" / "file").touch()

    assert list(tmp_path.iterdir()) == []


def test_what_dead_processes_left_is_removed_and_what_living_ones_use_stays(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    own, alive = tmp_path / f"{PREFIX}{os.getpid()}", tmp_path / f"{PREFIX}{os.getppid()}"
    for folder in (own, alive, tmp_path / f"{PREFIX}{ended.pid}", tmp_path / "somebody-elses"):
        folder.mkdir()
        (folder / "file").touch()

    with own_work_folder(tmp_path) as folder:
        left = {path.name for path in tmp_path.iterdir()}

    assert folder == own
    assert left == {own.name, alive.name, "somebody-elses"}
    assert (alive / "file").exists()
