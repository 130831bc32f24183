"""Under which rights containers really ran, as the kernel tells it of their first process."""

from pathlib import Path
from typing import Any

from tests.containers import podman

NO_CAPABILITY = "0000000000000000"
FIRST_OWN_USER = 10000


def rights(container: str) -> dict[str, Any]:
    """Of its first process."""
    found = podman.inspect(container)
    status = dict(
        line.split(":\t", 1)
        for line in Path(f"/proc/{found['State']['Pid']}/status").read_text().splitlines()
        if ":\t" in line
    )
    return {
        "image": found["ImageName"],
        "user": int(status["Uid"].split()[0]),
        "capabilities": {status[kind] for kind in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")}
        != {NO_CAPABILITY},
        "new_privileges": status["NoNewPrivs"] != "1",
        "writable_root": not found["HostConfig"]["ReadonlyRootfs"],
    }


def problems(container: str, found: dict[str, Any]) -> list[str]:
    """What is more than it needs. Our own images run as users of their own; foreign ones as theirs, never as root."""
    told = [f"{container} has {right}" for right in ("capabilities", "new_privileges", "writable_root") if found[right]]
    least = FIRST_OWN_USER if "/afin/" in found["image"] else 1
    if found["user"] < least:
        told.append(f"{container} runs as user {found['user']}")
    return told
