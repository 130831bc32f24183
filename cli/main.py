"""Entry point of the installed command `afin`."""

import os


def main() -> None:
    """Runs the command."""
    # We call services and start processes; gRPC need not work in forks, and should not speak of them.
    os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
    from cli.app import app  # noqa: PLC0415 - gRPC reads the variable when it is imported

    app()
