"""What makes a command of a coroutine that calls services: options of where and how, and an end for each error."""

import inspect
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any, Concatenate, ParamSpec

import grpc
import typer

from cli.afin_calls import Afin
from cli.ending import Failed, WrongUse, ending_of
from cli.profiles import SERVICES, Target, profiles_file, read_profile
from cli.screen import Screen
from cli.session import run_session
from services.runtime.access.keys import AccessFileError

P = ParamSpec("P")
Work = Callable[Concatenate[Afin, P], Coroutine[Any, Any, None]]
PANEL = "Where and how"

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.", rich_help_panel=PANEL)]
ProfileOption = Annotated[
    str,
    typer.Option(
        help="Of ~/.config/afin/profiles.toml (or the file AFIN_PROFILES).",
        envvar="AFIN_PROFILE",
        rich_help_panel=PANEL,
    ),
]
AddressOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="HOST|HOST:PORT|SERVICE=HOST:PORT",
        help="Instead of the profile's: all services' host, or one service's address. May be repeated.",
        rich_help_panel=PANEL,
    ),
]
CaOption = Annotated[
    Path | None, typer.Option("--ca", help="The services' authorities, PEM: turns TLS on.", rich_help_panel=PANEL)
]
CertificateOption = Annotated[
    Path | None, typer.Option("--cert", help="Your certificate, PEM, where it is asked for.", rich_help_panel=PANEL)
]
CertificateKeyOption = Annotated[
    Path | None, typer.Option("--cert-key", help="The private key of --cert.", rich_help_panel=PANEL)
]
KeyOption = Annotated[
    Path | None, typer.Option("--key-file", help="File that holds your API key.", rich_help_panel=PANEL)
]


def _options(  # noqa: PLR0913, PLR0917 - typer makes an option of each argument
    as_json: JsonOption = False,
    profile: ProfileOption = "",
    address: AddressOption = None,
    ca: CaOption = None,
    cert: CertificateOption = None,
    cert_key: CertificateKeyOption = None,
    key_file: KeyOption = None,
) -> tuple[Target, bool]:
    target = read_profile(profiles_file(), profile)
    told = {"ca_file": ca, "certificate_file": cert, "key_file": cert_key, "api_key_file": key_file}
    changes: dict[str, Any] = {name: path for name, path in told.items() if path is not None}
    return Target(target.name, target.profile.model_copy(update=changes | _addresses(address or []))), as_json


def calling(service: str, lists: str = "") -> Callable[[Work[P]], Callable[..., None]]:
    """Makes a command for typer. `service`: whom a bare HOST:PORT means; `lists`: what tells what is there."""

    def decorate(work: Work[P]) -> Callable[..., None]:
        shared = inspect.signature(_options).parameters

        def command(**given: Any) -> None:
            screen = Screen()
            options = {name: given.pop(name) for name in shared}
            options["address"] = [_named(each, service) for each in options["address"] or []]
            with screen.ending():
                target, as_json = _options(**options)
                afin = Afin(target, screen, as_json=as_json)
                run_session(_working(work, afin, given, lists), screen)

        own = list(inspect.signature(work).parameters.values())[1:]
        parameters = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in (*own, *shared.values())]
        command.__name__, command.__doc__ = work.__name__, work.__doc__
        command.__annotations__ = {each.name: each.annotation for each in parameters}
        # inspect.signature reads it, and typer that.
        vars(command)["__signature__"] = inspect.Signature(parameters)
        return command

    return decorate


async def _working(
    work: Callable[..., Coroutine[Any, Any, None]], afin: Afin, given: dict[str, Any], lists: str
) -> None:
    try:
        async with afin:
            await work(afin, **given)
    except AccessFileError as error:
        raise Failed(str(error)) from error
    except grpc.aio.AioRpcError as error:
        raise ending_of(error, afin.asked, afin.target.profile.address(afin.asked), lists) from error


def _named(address: str, service: str) -> str:
    is_bare = "=" not in address and ":" in address
    return f"{service}={address}" if is_bare else address


def _addresses(told: list[str]) -> dict[str, str]:
    changes: dict[str, str] = {}
    for each in told:
        service, named, address = each.partition("=")
        if not named:
            changes |= {"host": each} | dict.fromkeys(SERVICES, "")
        elif service in SERVICES and address:
            changes[service] = address
        else:
            raise WrongUse(
                f"--address {each}: give HOST, HOST:PORT, or one of {', '.join(SERVICES)} as SERVICE=HOST:PORT"
            )
    return changes
