"""A page that is watched: its errors, what it asks elsewhere, what axe-core finds, and how it looks."""

import json
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page

DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
AXE = (files("axe_playwright_python") / "axe.min.js").read_text()
SERIOUS = ("serious", "critical")
# Taller pages are cut: what is below repeats what is above.
TALLEST = 1900


@dataclass
class Findings:
    """What went wrong, by page; all of it is a failure."""

    told: list[str] = field(default_factory=list)

    def add(self, place: str, problem: str) -> None:
        """Notes one."""
        self.told.append(f"{place}: {problem}")


class Watched:
    """One browser page, at the width of a desktop."""

    def __init__(self, page: Page, address: str, findings: Findings, pictures: Path | None) -> None:
        self.page = page
        self.address = address
        self.findings = findings
        self._pictures = pictures
        page.on("console", self._console)
        page.on("pageerror", lambda error: findings.add(page.url, f"script failed: {error}"))
        page.on("request", self._request)

    @property
    def path(self) -> str:
        """Where it is."""
        return str(self.page.url).removeprefix(self.address)

    async def open(self, path: str) -> None:
        """Goes there; anything but 200 is found."""
        answer = await self.page.goto(self.address + path)
        if answer is None or answer.status != 200:
            self.findings.add(path, f"answered {answer.status if answer else 'nothing'}")

    async def judge(self, name: str) -> None:
        """Has axe-core look at the page in both colour schemes, and takes its pictures."""
        for scheme in ("dark", "light"):
            await self.page.emulate_media(color_scheme=scheme)
            for fault in await self._faults():
                self.findings.add(f"{name} ({scheme})", fault)
        await self._picture(name)

    async def picture(self, name: str, scheme: str) -> None:
        """One more, in a colour scheme of its own."""
        await self.page.emulate_media(color_scheme=scheme)
        await self._picture(f"{name}-{scheme}", phone=False)
        await self.page.emulate_media(color_scheme="light")

    async def _picture(self, name: str, *, phone: bool = True) -> None:
        if self._pictures is None:
            return
        await self._shoot(self._pictures / f"{name}.png", DESKTOP)
        if phone:
            await self.page.set_viewport_size(PHONE)
            if await self.page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                self.findings.add(name, "is wider than a phone")
            await self._shoot(self._pictures / f"{name}-phone.png", PHONE)
            await self.page.set_viewport_size(DESKTOP)

    async def _shoot(self, path: Path, viewport: dict[str, int]) -> None:
        tall = await self.page.evaluate("document.documentElement.scrollHeight")
        clip = {"x": 0, "y": 0, "width": viewport["width"], "height": min(tall, TALLEST)}
        await self.page.screenshot(path=path, full_page=True, clip=clip)

    async def _faults(self) -> list[str]:
        # By the debugger, as the page's own policy lets no script in.
        await self.page.evaluate(AXE)
        violations = json.loads(await self.page.evaluate("axe.run().then(found => JSON.stringify(found.violations))"))
        return [
            f"axe {each['impact']} {each['id']}: {each['help']} ({each['nodes'][0]['html'][:120]})"
            for each in violations
            if each["impact"] in SERIOUS
        ]

    def _console(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.findings.add(self.path, f"console {message.type}: {message.text}")

    def _request(self, request: Any) -> None:
        if not request.url.startswith((self.address, "data:", "blob:")):
            self.findings.add(self.path, f"asked elsewhere: {request.url}")


async def watched(browser: Browser, address: str, findings: Findings, pictures: Path | None) -> Watched:
    """A page of a browser context of its own."""
    context = await browser.new_context(viewport=DESKTOP, color_scheme="light", reduced_motion="reduce")
    return Watched(await context.new_page(), address, findings, pictures)
