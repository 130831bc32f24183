"""The command `afin`. Exit codes: 0 done, 1 failed, 2 wrong use, 130 interrupted."""

import typer

from cli.demo_command import demo
from cli.key_command import key_app
from cli.recommend_command import recommend
from cli.up_command import up

app = typer.Typer(
    name="afin",
    help="Tells each client of a payments company which companies they are likely to pay next.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command()(up)
app.command()(demo)
app.add_typer(key_app, name="key")
app.command()(recommend)
