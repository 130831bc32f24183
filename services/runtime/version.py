"""Which code this is."""

import os
from importlib import metadata


def code_version() -> str:
    """The distribution's version, with the revision that its image was built from where AFIN_REVISION names it."""
    version = metadata.version("afin")
    revision = os.environ.get("AFIN_REVISION", "")
    return f"{version}+{revision[:12]}" if revision else version
