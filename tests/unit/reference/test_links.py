"""Every link between our pages leads to a file, and to a heading of it; every target of make that they name is there."""

import re
from functools import cache
from pathlib import Path

import pytest

from tests.unit.reference.protos import ROOT

PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "deploy/README.md", ROOT / "client/README.md"]
)
CODE = re.compile(r"```.*?```", re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
MAKE = re.compile(r"(?:`|^|[;&(] ?|[A-Z_]+=\S+ )make ([a-z][a-z-]+)", re.MULTILINE)


def _name(page: Path) -> str:
    return str(page.relative_to(ROOT))


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


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_links_of_a_page_lead_somewhere(page: Path) -> None:
    links = [link for link in LINK.findall(CODE.sub("", page.read_text())) if not re.match(r"[a-z]+:", link)]

    assert [problem for link in links if (problem := _problem(page, link))] == []


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_targets_that_a_page_names_are_in_the_makefile(page: Path) -> None:
    targets = set(re.findall(r"^([a-z][a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))

    assert set(MAKE.findall(page.read_text())) - targets == set()


def test_every_page_can_be_reached_from_the_index() -> None:
    index, seen = ROOT / "docs/README.md", set[Path]()
    waiting = [index, ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page not in seen:
            seen.add(page)
            found = (page.parent / link.partition("#")[0] for link in LINK.findall(CODE.sub("", page.read_text())))
            waiting += [each.resolve() for each in found if each.suffix == ".md" and each.exists()]

    decisions = {page for page in PAGES if page.parent.name == "adr"}
    assert set(PAGES) - decisions - seen == set()
