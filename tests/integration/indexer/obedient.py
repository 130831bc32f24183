"""A module for tests of child processes: the file `order` in its folder says what it does after its first line."""

import os
import signal
import sys
from pathlib import Path

from services.indexer.adapters.child_life import die_with_parent

die_with_parent()
print(os.getpid(), flush=True)
match Path(sys.argv[1], "order").read_text():
    case "wait":
        signal.pause()
    case "die":
        os.kill(os.getpid(), signal.SIGSEGV)
    case "talk":
        print("x" * 200_000, flush=True)
    case "fail":
        sys.exit(3)
    case "tell":
        print(",".join(sorted(os.environ)), flush=True)
