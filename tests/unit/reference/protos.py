"""The protos with their comments, as protoc reads them."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet

ROOT = Path(__file__).parents[3]
# Numbers of the fields that lead to a definition, by which comments are found (descriptor.proto).
MESSAGES, ENUMS, SERVICES = 4, 5, 6
FIELDS_OF_MESSAGE, MESSAGES_OF_MESSAGE, ENUMS_OF_MESSAGE = 2, 3, 4
VALUES_OF_ENUM = 2
METHODS_OF_SERVICE = 2

Place = tuple[int, ...]


@dataclass(frozen=True)
class Comments:
    """What stands above, or behind, each definition of a file."""

    by_place: dict[Place, str]

    def at(self, *place: int) -> str:
        """In one line; empty where nothing is said."""
        return self.by_place.get(place, "")


@cache
def proto_files() -> dict[str, FileDescriptorProto]:
    """By service: ingest, warehouse, indexer, recommender."""
    sources = sorted(str(path.relative_to(ROOT / "protos")) for path in (ROOT / "protos").rglob("*.proto"))
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "protos.binpb"
        command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{ROOT / 'protos'}", "--include_source_info"]
        subprocess.run([*command, f"--descriptor_set_out={target}", *sources], check=True)
        found = FileDescriptorSet.FromString(target.read_bytes())
    return {file.package.split(".")[1]: file for file in found.file}


def comments_of(file: FileDescriptorProto) -> Comments:
    """Leading ones before those at the end of a line."""
    return Comments(dict(_comments(file)))


def _comments(file: FileDescriptorProto) -> Iterator[tuple[Place, str]]:
    for location in file.source_code_info.location:
        text = location.leading_comments or location.trailing_comments
        if text:
            yield tuple(location.path), " ".join(text.split())
