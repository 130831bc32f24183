"""Build hook: generates the gRPC stubs (package `afin`) from protos/ at every install; none is ever committed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ProtoBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Writes afin/<service>/v1/*_pb2.py, *_pb2_grpc.py and their type stubs beside the other packages."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before it collects files, for wheels and editable installs alike."""
        root = Path(self.root)
        generate(root / "protos", root)


def generate(protos: Path, target: Path) -> None:
    """Compiles every .proto below `protos` into `target`; raises CalledProcessError with protoc's own message."""
    shutil.rmtree(target / "afin", ignore_errors=True)
    sources = sorted(str(path.relative_to(protos)) for path in protos.rglob("*.proto"))
    outputs = [f"--{kind}_out={target}" for kind in ("python", "grpc_python", "mypy", "mypy_grpc")]
    # protoc looks for mypy's plugins on the path; they stand beside this Python, also where nobody activated it.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{protos}", *outputs, *sources]
    subprocess.run(command, check=True, env={**os.environ, "PATH": path})
    for folder in {target / "afin", *(path for path in (target / "afin").rglob("*") if path.is_dir())}:
        (folder / "__init__.py").write_text('"""Generated from protos/ at install; do not edit."""\n')
        (folder / "py.typed").touch()


if __name__ == "__main__":
    generate(Path(__file__).parent / "protos", Path(__file__).parent)
