"""Where a running stack is called, with commands ready to paste."""

import os
import sys
from pathlib import Path

from cli.profiles import SERVICES
from cli.screen import Screen
from demo.stack.options import HOST
from demo.stack.stack import Stack

# It comes with the set-up, beside this very Python.
BUF = os.path.relpath(Path(sys.executable).parent / "buf")
AFIN = os.path.relpath(Path(sys.executable).parent / "afin")
RECOMMEND = "afin.recommender.v1.RecommenderService/Recommend"


def print_addresses(stack: Stack, screen: Screen, client: str = "CLIENT") -> None:
    """Prints what serves where, and how to call it with grpcurl and buf; `client`: an id that gives an answer."""
    screen.is_serving = True
    ports = stack.options.ports
    screen.title("Serving (Ctrl-C stops)")
    for service in SERVICES:
        screen.say(f"{service:<12} grpc {stack.address(service)}   metrics http://{HOST}:{ports[f'{service}-metrics']}")
    screen.say(f"{'console':<12} http://{HOST}:{ports['console']}")
    screen.say(f"{'source':<12} {stack.source_url}/payments?updated_at=2020-01-01&limit=5&offset=0")
    screen.say(f"{'logs':<12} {stack.options.state / 'logs'}")
    profiles = write_profiles(stack)
    screen.say(f"{'profiles':<12} {profiles}")
    screen.title("Try")
    if _asks_for_proof(stack):
        screen.say("callers need keys, or speak TLS; docs/access.md tells how")
        return
    for line in _recipes(stack, client):
        screen.console.print(f"  {line}", markup=False)


def write_profiles(stack: Stack) -> Path:
    """The file for AFIN_PROFILES that has these addresses as its default."""
    path = stack.options.state / "profiles.toml"
    lines = [f'{service} = "{stack.address(service)}"' for service in SERVICES]
    metrics = [f'{service} = "{HOST}:{stack.options.ports[f"{service}-metrics"]}"' for service in SERVICES]
    path.write_text("\n".join(["[default]", *lines, f"metrics = {{ {', '.join(metrics)} }}", ""]))
    return path


def _asks_for_proof(stack: Stack) -> bool:
    settings = {**os.environ, **stack.options.settings}
    proofs = ("API_KEYS_FILE", "TLS_CERT_FILE")
    return any(f"{service.upper()}_{proof}" in settings for service in SERVICES for proof in proofs)


def _recipes(stack: Stack, client: str) -> list[str]:
    recommend = f'\'{{"client_id": "{client}", "max_results": 5}}\''
    run = '\'{"pipeline": "PIPELINE_RECOMMENDATIONS"}\''
    return [
        f"export AFIN_PROFILES={stack.options.state / 'profiles.toml'}",
        f"{AFIN} recommend {client} --why",
        f"{AFIN} run recommendations --watch",
        f"grpcurl -plaintext {stack.address('recommender')} list",
        f"grpcurl -plaintext -d {recommend} {stack.address('recommender')} {RECOMMEND}",
        _buf(stack, "recommender", RECOMMEND, recommend),
        _buf(stack, "ingest", "afin.ingest.v1.IngestService/RunPipeline", run),
        _buf(stack, "ingest", "afin.ingest.v1.IngestService/ListRuns", "'{}'"),
    ]


def _buf(stack: Stack, service: str, method: str, data: str) -> str:
    return f"{BUF} curl --protocol grpc --http2-prior-knowledge -d {data} http://{stack.address(service)}/{method}"
