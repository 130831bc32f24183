"""What deploy/s3 lets each service do in the bucket, as S3 reads it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from tests.unit.deploy.workloads import ROOT

BUCKET = "afin"
RESOURCE = "arn:aws:s3:::"


@dataclass(frozen=True)
class Right:
    """`resource`: a bucket, or bucket/key with `*` for any end."""

    action: str
    resource: str


def rights_of(service: str) -> set[Right]:
    """All rights of a service; ValueError for a policy that says more than what we read here."""
    policy = json.loads((ROOT / f"deploy/s3/{service}.json").read_text())
    return {right for statement in policy["Statement"] for right in _rights(statement)}


def may(rights: set[Right], action: str, key: str = "") -> bool:
    """Whether the rights let somebody do that with an object, or with the bucket itself."""
    resource = f"{BUCKET}/{key}" if key else BUCKET
    return any(right.action == action and fnmatchcase(resource, right.resource) for right in rights)


def _rights(statement: dict[str, Any]) -> Iterator[Right]:
    if statement.keys() != {"Sid", "Effect", "Action", "Resource"} or statement["Effect"] != "Allow":
        raise ValueError(f"statement {statement.get('Sid')} is not a plain permission")
    for action in statement["Action"]:
        for resource in statement["Resource"]:
            yield Right(action, resource.removeprefix(RESOURCE))
