"""An S3 server with a door for each service, which refuses, as S3 would, what the service's policy does not allow."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from threading import Thread
from typing import Any

import boto3
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

from tests.unit.deploy.object_rights import BUCKET, Right, may, rights_of

ACTIONS = {"GET": "s3:GetObject", "HEAD": "s3:GetObject", "PUT": "s3:PutObject", "DELETE": "s3:DeleteObject"}
REFUSAL = b"<Error><Code>AccessDenied</Code></Error>"
Environment = dict[str, Any]
Answer = Callable[..., Any]
Application = Callable[[Environment, Answer], Iterable[bytes]]
# Any will do: doors know their service.
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}


@dataclass
class Door:
    """A WSGI application before the server; `refused`: what was asked for beyond the rights, `used`: the rest."""

    behind: Application
    rights: set[Right]
    refused: list[str] = field(default_factory=list)
    used: set[str] = field(default_factory=set)

    def __call__(self, environment: Environment, answer: Answer) -> Iterable[bytes]:
        """One request: /bucket, or /bucket/key."""
        bucket, _, key = environment["PATH_INFO"].lstrip("/").partition("/")
        action = ACTIONS[environment["REQUEST_METHOD"]] if key else "s3:ListBucket"
        if bucket != BUCKET or not may(self.rights, action, key):
            self.refused.append(f"{action} {bucket}/{key}")
            answer("403 Forbidden", [("Content-Type", "application/xml")])
            return [REFUSAL]
        self.used.add(action)
        return self.behind(environment, answer)


@contextmanager
def guarded_bucket(services: Iterable[str]) -> Iterator[tuple[dict[str, str], dict[str, Door]]]:
    """The address of each service's door, and the door; behind all of them is one bucket."""
    behind = DomainDispatcherApplication(create_backend_app)
    with _served(behind) as address:
        _create_bucket(address)
    doors = {name: Door(behind, rights_of(name)) for name in services}
    with ExitStack() as stack:
        yield {name: stack.enter_context(_served(door)) for name, door in doors.items()}, doors


def _create_bucket(address: str) -> None:
    client = boto3.client(
        "s3",
        endpoint_url=address,
        region_name=CREDENTIALS["AWS_DEFAULT_REGION"],
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
    )
    client.create_bucket(Bucket=BUCKET)
    client.close()


@contextmanager
def _served(door: Application) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, door, threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
