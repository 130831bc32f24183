"""Links between our pages lead to a file, and to a heading of it; targets of make that pages name are there."""

import re
from functools import cache
from pathlib import Path

from tests.unit.reference.protos import ROOT

PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "deploy/README.md", ROOT / "client/README.md"]
)
CODE = re.compile(r"```.*?```", re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
MAKE = re.compile(r"(?:`|^)(?:[A-Z_]+=\S+ )*make ([a-z][a-z-]+)[ `\n]", re.MULTILINE)


@cache
def _headings(page: Path) -> frozenset[str]:
    """As a repository's page makes anchors of them."""
    found = re.findall(r"^#+ (.+)$", CODE.sub("", page.read_text()), re.MULTILINE)
    return frozenset(re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in found)


def _problem(page: Path, link: str) -> str | None:
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    if not target.exists():
        return f"{link}: no such file"
    if anchor and target.suffix == ".md" and anchor not in _headings(target):
        return f"{link}: no such heading"
    return None


def test_links_lead_somewhere() -> None:
    found = ((page, link) for page in PAGES for link in LINK.findall(CODE.sub("", page.read_text())))
    ours = [(page, link) for page, link in found if not re.match(r"[a-z]+:", link)]

    assert [f"{page}: {problem}" for page, link in ours if (problem := _problem(page, link))] == []


def test_targets_that_pages_name_are_in_the_makefile() -> None:
    targets = set(re.findall(r"^([a-z][a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    pages = [page for page in PAGES if page.parent.name != "adr"]

    assert {target for page in pages for target in MAKE.findall(page.read_text())} - targets == set()


def test_every_page_can_be_reached_from_the_index() -> None:
    seen: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page not in seen:
            seen.add(page)
            found = (page.parent / link.partition("#")[0] for link in LINK.findall(CODE.sub("", page.read_text())))
            waiting += [each.resolve() for each in found if each.suffix == ".md" and each.exists()]

    # Decisions are reached by their folder, a runbook by its alert.
    others = {page for page in PAGES if page.parent.name in ("adr", "runbooks")}
    assert set(PAGES) - others - seen == set()
