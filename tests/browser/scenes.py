"""What an operator does at the console, as they do it: clicks, forms, and waiting for what the page tells by itself."""

import re
from datetime import timedelta

from playwright.async_api import expect

from tests.browser.watching import Watched
from tests.browser.world import Stage
from tests.integration.ingest.source_server import NOW, status

# A run on a busy machine, in milliseconds.
RUN = 240_000


async def first_runs(watched: Watched, stage: Stage) -> None:
    """Starts both pipelines from their pages and watches them to their ends, without a reload."""
    await watched.open("/")
    await watched.page.keyboard.press("Tab")
    await expect(watched.page.locator(".skip")).to_be_focused()
    for pipeline in ("companies", "recommendations"):
        await _start(watched, pipeline)
        await watched.page.evaluate("window.stayed = true")
        await _ends(watched, "succeeded")
        assert await watched.page.evaluate("window.stayed")
    await expect(watched.page.locator("text=balances")).to_be_visible()
    await watched.judge("run")


async def failure(watched: Watched, stage: Stage) -> None:
    """A source that fails: the run tells why, and goes on from there when it is asked to."""
    stage.change_payments()
    stage.source.payments += stage.later[::2]
    stage.source.misdeeds = [status(500)] * 2
    await _start(watched, "recommendations")
    await _ends(watched, "failed")
    await expect(watched.page.locator(".problem").first).to_contain_text("500")
    await watched.judge("run-failed")
    stage.source.misdeeds = []
    await watched.page.get_by_role("button", name="Retry from the failed step").click()
    await _ends(watched, "succeeded")


async def quarantine(watched: Watched, stage: Stage) -> None:
    """Rows are refused, one of them only because it was dated beyond the source's clock; by now it is past."""
    early = stage.later[1] | {"id": "early", "updated_at": (NOW + timedelta(hours=2)).isoformat()}
    bad = stage.later[1] | {"id": "bad", "amount": "much", "updated_at": NOW.isoformat()}
    stage.source.payments += [early, bad]
    await _start(watched, "recommendations")
    await _ends(watched, "succeeded")
    await watched.open("/quarantine")
    await watched.judge("quarantine")
    await watched.page.get_by_role("link", name="Reasons and rows").first.click()
    await expect(watched.page.locator("h1")).to_have_text("2 refused rows")
    await watched.judge("quarantined")
    await watched.page.get_by_role("button", name="Replay them all").click()
    await _ends(watched, "succeeded")
    await expect(watched.page.locator(".parts")).to_contain_text("new 1")
    await expect(watched.page.locator(".parts")).to_contain_text("quarantined 1")


async def client(watched: Watched, stage: Stage) -> None:
    """From a client's id to its recommendations, why they are given, and its payments at another moment."""
    await watched.open("/client")
    await watched.judge("client-search")
    await watched.page.get_by_label("Client id").fill(stage.client_id)
    await watched.page.get_by_role("button", name="Look up").click()
    await expect(watched.page.locator("text=because it pays").first).to_be_visible()
    assert stage.client_id not in watched.page.url
    await watched.judge("client")
    told = watched.page.locator("#as-of p").first
    now = await told.inner_text()
    slider = watched.page.locator("#as_of")
    await slider.focus()
    await watched.page.keyboard.press("Home")
    await expect(told).not_to_have_text(now)
    assert await slider.evaluate("slider => slider === document.activeElement")


async def index(watched: Watched, stage: Stage) -> None:
    """Two versions side by side, for all and for one client, and back to the older one."""
    await watched.open("/index")
    await watched.judge("index")
    versions = await watched.page.locator("#versions + div tbody th a").all_inner_texts()
    await watched.open(f"/index/versions/{versions[0]}")
    await watched.judge("version")
    await watched.page.get_by_role("button", name="Compare").click()
    await expect(watched.page.locator("h1")).to_have_text("Two versions")
    await watched.judge("compared")
    await watched.open("/client")
    await watched.page.get_by_label("Client id").fill(stage.client_id)
    await watched.page.get_by_role("button", name="Look up").click()
    await watched.page.locator("select[name=version]").select_option(versions[1])
    await watched.page.get_by_role("button", name="Compare").click()
    await expect(watched.page.locator("text=companies are on both lists")).to_be_visible(timeout=RUN)
    await watched.judge("client-compared")
    await watched.open("/index")
    watched.page.once("dialog", lambda dialog: dialog.accept())
    rollback = watched.page.locator("form[action='/index/rollback']")
    await rollback.get_by_label("Why").fill("customers complained")
    await rollback.get_by_role("button", name="Roll back").click()
    await expect(watched.page.locator("#publications + div tbody tr").first).to_contain_text("customers complained")


async def looks(watched: Watched, stage: Stage) -> None:
    """The pages that tell and do nothing."""
    for name, path in (
        ("overview", "/"),
        ("runs", "/runs"),
        ("pipeline", "/pipelines/recommendations"),
        ("companies", "/companies?q=ca"),
        ("map", "/map"),
        ("system", "/system"),
        ("enter", "/enter"),
    ):
        await watched.open(path)
        await watched.judge(name)
    await watched.open("/companies")
    await watched.page.locator("tbody th a").first.click()
    await expect(watched.page.locator("h2#similar")).to_be_visible()
    await watched.judge("company")
    await watched.open("/")
    await watched.picture("overview", "dark")


async def _start(watched: Watched, pipeline: str) -> None:
    await watched.open(f"/pipelines/{pipeline}")
    await watched.page.get_by_role("button", name="Run now", exact=True).click()
    await expect(watched.page.locator("h1")).to_have_text(f"Run of {pipeline}")


async def _ends(watched: Watched, state: str) -> None:
    """The page itself tells so, to everybody: on the screen and to a screen reader."""
    told = watched.page.locator("#run .card .state").first
    await expect(told).to_contain_text(re.compile("succeeded|failed|cancelled"), timeout=RUN)
    await expect(told).to_contain_text(state)
    await expect(watched.page.locator("#run-status")).to_contain_text(state)
