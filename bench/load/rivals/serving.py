"""What every rival's process is: one line of JSON in, {"parquet": path}; one line out, the seconds it took."""

import json
import sys
import time
from collections.abc import Callable


def serve(load: Callable[[str], None]) -> None:
    """Loads what it is told until the input ends; only `load` itself is timed."""
    for line in sys.stdin:
        path = json.loads(line)["parquet"]
        started = time.perf_counter()
        load(path)
        print(json.dumps({"seconds": time.perf_counter() - started}), flush=True)
