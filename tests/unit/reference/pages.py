"""All pages of docs/reference that are made of the code. `python -m tests.unit.reference.pages` writes them."""

from pathlib import Path

from cli.reference import reference
from tests.unit.reference import api_pages, settings_page
from tests.unit.reference.protos import ROOT, proto_files

REFERENCE = ROOT / "docs/reference"


def pages() -> dict[Path, str]:
    """What each file must hold."""
    apis = {REFERENCE / "api" / f"{service}.md": api_pages.page(service) for service in proto_files()}
    return {REFERENCE / "settings.md": settings_page.page(), REFERENCE / "cli.md": reference(), **apis}


if __name__ == "__main__":
    for path, text in pages().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
