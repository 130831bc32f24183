"""`python -m tests.browser`: plays the scenes; exits with 1 when one fails or a page has a fault."""

import argparse
import asyncio
import json
import os
import shutil
import statistics
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp
from playwright.async_api import async_playwright

from tests.browser import scenes
from tests.browser.watching import Findings, watched
from tests.browser.world import Stage, open_stage

SCENES = (scenes.first_runs, scenes.failure, scenes.quarantine, scenes.client, scenes.index, scenes.looks)
FIRST_PAGES = 20


async def play(state: Path, pictures: Path | None) -> dict[str, Any]:
    """Plays all scenes in their order, in one browser; what failed is told under its name."""
    findings = Findings()
    seconds: dict[str, float] = {}
    async with open_stage(state) as stage, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=_chromium(), args=["--no-sandbox"])
        page = await watched(browser, stage.console, findings, pictures)
        for scene in SCENES:
            began = time.monotonic()
            try:
                await scene(page, stage)
            except Exception as error:  # noqa: BLE001 - the other scenes are played all the same
                findings.add(scene.__name__, f"{type(error).__name__}: {error}")
            seconds[scene.__name__] = round(time.monotonic() - began, 1)
            print(f"{scene.__name__}: {seconds[scene.__name__]} s", flush=True)
        await browser.close()
        first_page = await _first_page(stage)
    return {"findings": findings.told, "seconds": seconds, "first_page_ms": first_page}


async def _first_page(stage: Stage) -> dict[str, float]:
    """How long the server takes for the first page, one request after the other, over a kept connection."""
    told = []
    async with aiohttp.ClientSession() as session:
        for _ in range(FIRST_PAGES):
            began = time.perf_counter()
            async with session.get(stage.console) as answer:
                await answer.read()
            told.append((time.perf_counter() - began) * 1000)
    return {"median": round(statistics.median(told), 1), "worst": round(max(told), 1)}


def _chromium() -> str:
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not found:
        sys.exit("test-console needs a chromium: Debian and Ubuntu have it in the package chromium; CHROMIUM names one")
    return found


def main() -> None:
    """Reads the options, plays, tells."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=Path, help="folder for screenshots, at the widths of a desktop and a phone")
    parser.add_argument("--report", type=Path, help="JSON file for what was found")
    options = parser.parse_args()
    if options.pictures:
        options.pictures.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="afin-console-") as state:
        told = asyncio.run(play(Path(state), options.pictures))
    if options.report:
        options.report.write_text(json.dumps(told, indent=1) + "\n")
    print(f"first page: median {told['first_page_ms']['median']} ms, worst {told['first_page_ms']['worst']} ms")
    for finding in told["findings"]:
        print(f"FOUND {finding}", file=sys.stderr)
    if told["findings"]:
        sys.exit(1)
    print(f"{len(SCENES)} scenes played; no error, no request elsewhere, no serious fault")


if __name__ == "__main__":
    main()
