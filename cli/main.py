"""The command `afin`. Exit codes: 0 done, 1 failed, 2 wrong use."""

import os

import typer

from cli.demo_command import demo
from cli.up_command import up

app = typer.Typer(
    name="afin",
    help="Tells each client of a payments company which companies they are likely to pay next.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command()(up)
app.command()(demo)


def main() -> None:
    """Entry point of the installed command."""
    # We call services and start processes: gRPC need not work in forks, and should not speak of them.
    os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
    app()
