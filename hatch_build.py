"""Build hook: makes at every install what is never committed: stubs of protos/ (package `afin`), modules of C++."""

import contextlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

# No -march: what is built here runs on another CPU, and gives the same bits there, so no fused multiply-add either.
CPP_FLAGS = ["-O3", "-std=c++17", "-ffp-contract=off", "-g0"]


class GeneratingHook(BuildHookInterface):  # type: ignore[type-arg]
    """Writes afin/<service>/v1/*_pb2.py, *_pb2_grpc.py and their type stubs, and beside each C++ file its module."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before it collects files, for wheels and editable installs alike."""
        root = Path(self.root)
        generate(root / "protos", root)
        compile_modules(root)
        build_data["pure_python"] = False
        build_data["infer_tag"] = True


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


def compile_modules(root: Path) -> None:
    """Makes a module of each services/**/*.cpp, beside it; raises CompileError with the compiler's words."""
    from pybind11.setup_helpers import Pybind11Extension, build_ext  # noqa: PLC0415 - the client's build does without
    from setuptools import Distribution  # noqa: PLC0415

    for earlier in (root / "services").rglob("*.so"):  # of sources that have gone, or of another Python
        earlier.unlink()
    sources = sorted(path.relative_to(root) for path in (root / "services").rglob("*.cpp"))
    named = [(".".join(source.with_suffix("").parts), str(source)) for source in sources]
    modules = [Pybind11Extension(name, [source], extra_compile_args=CPP_FLAGS) for name, source in named]
    # setuptools looks for sources, and puts modules, below where it is called
    with contextlib.chdir(root), TemporaryDirectory(prefix="afin-build-") as objects:
        command = build_ext(Distribution({"ext_modules": modules}))
        command.inplace = True
        command.force = True  # it looks at no header
        command.build_temp = objects
        command.ensure_finalized()
        command.run()


if __name__ == "__main__":
    ROOT = Path(__file__).parent
    generate(ROOT / "protos", ROOT)
    compile_modules(ROOT)
