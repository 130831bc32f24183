"""A client's id on its way from a person to a service: a list of processes need not show it."""

import sys
from typing import Annotated

import typer


def client_of(argument: str) -> str:
    """The id that is meant: `-` is one line of stdin, asked for unseen at a terminal. Before signals are ours."""
    if argument != "-":
        return argument
    told = typer.prompt("client", hide_input=True, err=True) if sys.stdin.isatty() else sys.stdin.readline()
    client = str(told).strip()
    if not client:
        raise typer.BadParameter("stdin holds no client's id; write one line to it")
    return client


ClientArgument = Annotated[
    str,
    typer.Argument(
        help="The client's id; - reads it from stdin, so that no list of processes shows it.",
        metavar="CLIENT",
        callback=client_of,
    ),
]
