"""h2load beside our own load. It sends one body only, so it cannot ask for many clients; it checks how we count."""

import re
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.serving.load_process import Task

RATE = re.compile(r"finished in [\d.]+m?s, ([\d.]+) req/s")


def h2load_rate(task: Task) -> float | None:
    """Calls a second, all with the first message of the task; None where h2load is not installed."""
    target = task.target
    program = shutil.which("h2load")
    if program is None:
        return None
    with TemporaryDirectory(prefix="afin-bench-") as folder:
        body = Path(folder) / "body"
        body.write_bytes(task.messages[0])
        numbers = [
            f"--warm-up-time={task.warm:.0f}",
            f"-D{task.seconds:.0f}",
            f"-c{target.connections}",
            f"-m{task.at_once}",
        ]
        headers = ["-Hcontent-type: application/grpc", "-Hte: trailers", f"-d{body}"]
        url = f"http://{target.host}:{target.port}{target.path}"
        pinned = ["taskset", "-c", str(task.core)] if task.core is not None else []
        command = [*pinned, program, *numbers, *headers, url]
        told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = RATE.search(told)
    return float(found.group(1)) if found else None
