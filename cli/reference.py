"""The reference of all commands, made of the tree itself: `python -m cli.reference > docs/reference/cli.md`."""

from collections.abc import Iterator
from typing import Any

import typer
from typer.main import get_command

from cli.app import app
from cli.ending import EXIT_CODES

Path = tuple[str, ...]
HEAD = """# The command `afin`

Made of the commands themselves by `.venv/bin/python -m cli.reference > docs/reference/cli.md`; a test compares the two.

Every command that calls a service takes the options of *Where and how*, at the end of this page. It goes by a profile
of `~/.config/afin/profiles.toml`, or of the file that AFIN_PROFILES names: that of `--profile`, of AFIN_PROFILE, else
`default`; without a file it calls the usual ports of 127.0.0.1. `afin up` and `afin demo` write such a file into their
state.

```toml
[default]
host = "127.0.0.1"                  # the usual ports

[prod]
host = "afin.example"               # or each alone: ingest = "ingest.afin.example:443", ...
ca_file = "prod/ca.crt"             # turns TLS on; paths count from this file's folder
api_key_file = "prod/me.key"        # must be closed to others: chmod 600
# certificate_file and key_file, where services ask callers for certificates
```

Tables are for people, `--json` for programs: the answer as protobuf has it in JSON, zeros included, and with `--watch`
a line for each change of the run. Colours and motion come on a terminal alone; NO_COLOR takes the colours. `-` in place
of a client reads the id from stdin, so that no list of processes shows it. `afin --install-completion` completes
commands in your shell.
"""


def leaves() -> list[Path]:
    """The words of each command."""
    return [path for path, _ in _commands(get_command(app), ())]


def reference() -> str:
    """The page."""
    parts = [HEAD, _endings()]
    shared: dict[str, str] = {}
    for path, command in _commands(get_command(app), ()):
        parts.append(_section(path, command, shared))
    parts.append("## Where and how\n\n" + "\n".join(shared.values()) + "\n")
    return "\n".join(parts)


def _commands(command: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    children = getattr(command, "commands", None)
    if children is None:
        yield path, command
        return
    for name, child in children.items():
        yield from _commands(child, (*path, name))


def _endings() -> str:
    rows = "\n".join(f"| {code} | {words} |" for code, words in EXIT_CODES.items())
    return f"| exit code | what it says |\n|---|---|\n{rows}\n"


def _section(path: Path, command: Any, shared: dict[str, str]) -> str:
    named = [_name(each) for each in command.params if _is_argument(each)]
    usage = " ".join(("afin", *path, *named, "[OPTIONS]"))
    lines = [f"## afin {' '.join(path)}", "", command.help or "", "", f"`{usage}`", ""]
    for parameter in command.params:
        if getattr(parameter, "rich_help_panel", None):
            shared[parameter.name] = _line(parameter)
        else:
            lines.append(_line(parameter))
    return "\n".join(lines).rstrip() + "\n"


def _line(parameter: Any) -> str:
    needed = " Required." if parameter.required and not _is_argument(parameter) else ""
    default = parameter.default
    usual = "" if default in (None, "", False, ()) or callable(default) else f" Usually {default}."
    return f"- `{_name(parameter)}`: {parameter.help or ''}{needed}{usual}"


def _name(parameter: Any) -> str:
    if _is_argument(parameter):
        return str(parameter.metavar or parameter.name.upper())
    return ", ".join((*parameter.opts, *parameter.secondary_opts))


def _is_argument(parameter: Any) -> bool:
    return bool(parameter.param_type_name == "argument")


if __name__ == "__main__":
    typer.echo(reference(), nl=False)
