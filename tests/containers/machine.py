"""What this machine allows, and podman told of it."""

import resource
from pathlib import Path

from tests.containers.standins import PROCESSES

SYSTEMD = Path("/run/systemd/system")


def open_files() -> int:
    """That a process may have, at most."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[1]


def write_settings(path: Path) -> None:
    """Podman's own settings, for CONTAINERS_CONF: within the limits, and without systemd where there is none."""
    files, manager = open_files(), "systemd" if SYSTEMD.exists() else "cgroupfs"
    path.write_text(f"""[containers]
default_ulimits = ["nofile={files}:{files}", "nproc={PROCESSES}:{PROCESSES}"]
[engine]
cgroup_manager = "{manager}"
events_logger = "file"
runtime = "runc"
""")
