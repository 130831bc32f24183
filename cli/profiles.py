"""Where the services are and what we show them: a profile of ~/.config/afin/profiles.toml, one table each.

[default]                       # asked where no other is chosen
[prod]
host = "afin.example"           # the usual ports; or each alone: ingest = "ingest.example:443", ...
ca_file = "prod/ca.crt"         # turns TLS on; beside it, where they are asked for: certificate_file and key_file
api_key_file = "prod/me.key"    # for your eyes alone: chmod 600
"""

import os
import stat
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from cli.ending import Failed, WrongUse
from demo.stack.options import FIXED_PORTS, HOST
from services.runtime.access.proof import Proof

SERVICES = ("ingest", "warehouse", "indexer", "recommender")
USUAL = "default"


class Profile(BaseModel):
    """Addresses are host:port; paths count from the folder of the file, and ~ is your home."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = HOST
    ingest: str = ""
    warehouse: str = ""
    indexer: str = ""
    recommender: str = ""
    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None
    api_key_file: Path | None = None
    # host:port of pages of metrics by service, for `afin doctor`.
    metrics: dict[str, str] = {}

    def metrics_address(self, service: str) -> str:
        """Where its page of metrics is; empty where nothing tells."""
        usual = "" if getattr(self, service) else f"{self.host}:{FIXED_PORTS[f'{service}-metrics']}"
        return self.metrics.get(service, usual)

    def address(self, service: str) -> str:
        """Where a service is."""
        return str(getattr(self, service)) or f"{self.host}:{FIXED_PORTS[service]}"


@dataclass(frozen=True, slots=True)
class Target:
    """The profile that a command goes by: its name, and what came of it."""

    name: str
    profile: Profile

    def proof(self) -> Proof:
        """What we show; Failed where a secret lies open to others."""
        profile = self.profile
        for secret in (profile.api_key_file, profile.key_file):
            if secret is not None:
                refuse_open_file(secret)
        return Proof(profile.ca_file, profile.certificate_file, profile.key_file, profile.api_key_file)


def profiles_file() -> Path:
    """AFIN_PROFILES, or profiles.toml where configuration belongs."""
    named = os.environ.get("AFIN_PROFILES")
    home = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(named or f"{home}/afin/profiles.toml").expanduser()


def read_profile(path: Path, name: str) -> Target:
    """The profile of that name; without a name `default`, or the usual addresses. WrongUse says what is wrong where."""
    tables = _read(path)
    chosen = name or USUAL
    if chosen not in tables:
        if not name:
            return Target(USUAL, Profile())
        known = ", ".join(tables) or "none"
        raise WrongUse(f"{path} has no profile {name!r}; it has: {known}")
    try:
        profile = Profile.model_validate(tables[chosen])
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        fields = ", ".join(Profile.model_fields)
        raise WrongUse(f"{path}: [{chosen}] {field}: {first['msg']}; a profile may have {fields}") from None
    return Target(chosen, _rooted(profile, path.parent))


def refuse_open_file(path: Path) -> None:
    """Failed when others may read a secret, or anyone but its owner may change it."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError as error:
        raise Failed(f"{path}: cannot be read: {error.strerror}") from None
    if mode & 0o027:
        raise Failed(f"{path} is open to others (mode {mode:04o}); do: chmod 600 {path}")


def _read(path: Path) -> dict[str, Any]:
    try:
        tables = tomllib.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise WrongUse(f"{path}: cannot be read: {error}") from None
    loose = [name for name, table in tables.items() if not isinstance(table, dict)]
    if loose:
        raise WrongUse(f"{path}: {loose[0]!r} stands in no profile; begin one with a line [{USUAL}]")
    return tables


def _rooted(profile: Profile, folder: Path) -> Profile:
    paths = {name: value for name, value in profile if isinstance(value, Path)}
    return profile.model_copy(update={name: folder / path.expanduser() for name, path in paths.items()})
