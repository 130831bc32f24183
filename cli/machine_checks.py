"""What `afin doctor` looks at on the machine it runs on: profile, secrets, certificates, limits."""

import resource
import shutil
from pathlib import Path

from cli.ending import Failed
from cli.findings import Finding, bad, good, warning
from cli.profiles import Target, profiles_file, refuse_open_file
from cli.words import size
from services.runtime.access.bearer import read_key
from services.runtime.access.keys import AccessFileError

FEW_FILES = 1024
LITTLE_SPACE = 2 * 2**30


def check_machine(target: Target) -> list[Finding]:
    """Reads files and limits; asks nobody."""
    return [_profile(target), *_secrets(target), _certificates(target), _open_files(), _space(Path.cwd())]


def _profile(target: Target) -> Finding:
    path = profiles_file()
    if path.exists():
        return good("profile", f"{target.name} of {path}")
    return good("profile", f"none ({path} is not there): the usual ports of {target.profile.host}")


def _secrets(target: Target) -> list[Finding]:
    profile = target.profile
    found = []
    if profile.api_key_file is None:
        found.append(good("API key", "none: callers without a key"))
    for name, path in (("API key", profile.api_key_file), ("private key", profile.key_file)):
        if path is None:
            continue
        try:
            refuse_open_file(path)
            if name == "API key":
                read_key(path)
        except Failed as error:
            found.append(bad(name, str(error).partition(";")[0], f"chmod 600 {path}, or name another file"))
        except AccessFileError as error:
            found.append(bad(name, str(error), "name the file that `afin key new --key-file` wrote"))
        else:
            found.append(good(name, f"{path}, closed to others"))
    return found


def _certificates(target: Target) -> Finding:
    profile = target.profile
    if profile.ca_file is None:
        return good("TLS", "off: calls travel in plaintext")
    try:
        target.proof().channel_credentials()
    except Failed as error:
        return bad("TLS", str(error), "close the private key to others")
    except AccessFileError as error:
        return bad("TLS", str(error), "name files in PEM that are valid now: --ca, --cert, --cert-key")
    return good("TLS", f"on, by the authorities of {profile.ca_file}")


def _open_files() -> Finding:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    found = f"{soft:,} (at most {hard:,})"
    if soft < FEW_FILES:
        return warning("open files", found, f"ulimit -n {FEW_FILES}, before `afin up` or anything that calls a lot")
    return good("open files", found)


def _space(folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    found = f"{size(free)} free at {folder}"
    if free < LITTLE_SPACE:
        return warning("disk", found, "make room, or let `afin up --state` name a folder on another disk")
    return good("disk", found)
