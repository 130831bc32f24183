"""Pages over a whole stack: what operators see, start, follow and mend; what is refused; where no client id may be.

One file, so that one worker runs it over one stack.
"""

import pytest

from afin.ingest.v1 import ingest_pb2
from tests.e2e.canary.world import CANARY, of_the_canary
from tests.e2e.console.world import Browser, ConsoleWorld, a_browser
from tests.integration.ingest.source_server import NOW, status

pytestmark = [pytest.mark.timeout(600), pytest.mark.asyncio(loop_scope="session")]


async def test_the_first_page_tells_how_things_stand(browser: Browser) -> None:
    page = await browser.open("/")

    assert page.status == 200
    assert page.text.count("ready") == 4
    assert "epoch 1" in page.text
    assert "validate payments index" in page.text


async def test_every_page_is_guarded_and_kept_nowhere(browser: Browser) -> None:
    for path in ("/", "/runs", "/system", "/enter", "/nowhere", "/runs/nothing"):
        headers = (await browser.open(path)).headers

        assert "script-src 'self'; style-src 'self'" in headers["content-security-policy"], path
        assert headers["x-frame-options"] == "DENY", path
        assert headers["cache-control"] == "no-store", path


async def test_nothing_on_a_page_is_written_into_it_that_the_policy_forbids(browser: Browser) -> None:
    for path in ("/", "/runs", "/system", "/pipelines/recommendations"):
        html = (await browser.open(path)).html

        assert " style=" not in html
        assert "<style" not in html
        assert " on" not in {word[:3] for word in html.split("<script")[1:]}
        assert "http://" not in html.replace("http://www.w3.org/", "")


async def test_a_run_is_started_by_hand_and_followed_to_its_end(browser: Browser) -> None:
    pipeline = await browser.open("/pipelines/companies")

    run = await browser.send(pipeline, "/pipelines/companies/start", request_id=pipeline.field("request_id"))
    again = await browser.send(pipeline, "/pipelines/companies/start", request_id=pipeline.field("request_id"))
    events = await browser.follow(f"{run.path}/follow")

    assert run.path.startswith("/runs/")
    assert again.path == run.path
    assert events[-1] == ("end", "")
    assert "Run of companies succeeded: 2 of 2 steps done" in {content for _, content in events}
    assert "balances" in (await browser.open(run.path)).text


async def test_a_failed_run_tells_its_cause_and_is_retried(browser: Browser, console: ConsoleWorld) -> None:
    console.world.source.misdeeds = [status(500)] * 2
    failed = await console.world.recommendations()
    console.world.source.misdeeds = []
    page = await browser.open(f"/runs/{failed.run_id}")

    retried = await browser.send(page, f"/runs/{failed.run_id}/retry")
    events = await browser.follow(f"/runs/{failed.run_id}/follow")

    assert failed.state == ingest_pb2.RUN_STATE_FAILED
    assert failed.error in page.text
    assert "Retry from the failed step" in page.text
    assert retried.path == f"/runs/{failed.run_id}"
    assert any("Run of recommendations succeeded" in content for _, content in events)


async def test_a_schedule_is_paused_and_resumed(browser: Browser) -> None:
    page = await browser.open("/pipelines/companies")

    paused = await browser.send(page, "/pipelines/companies/pause")
    resumed = await browser.send(paused, "/pipelines/companies/resume")

    assert "Resume the schedule" in paused.text
    assert "Pause the schedule" in resumed.text


async def test_a_backfill_without_days_is_refused_in_words(browser: Browser) -> None:
    page = await browser.open("/pipelines/backfill")

    refused = await browser.send(page, "/backfill", first_day="yesterday", last_day="", request_id="x")

    assert refused.status == 400
    assert "first_day" in refused.text


async def test_what_is_not_there_is_told_as_that(browser: Browser) -> None:
    for path in ("/nowhere", "/pipelines/nothing", "/runs/00000000-0000-0000-0000-000000000000"):
        assert (await browser.open(path)).status == 404, path


async def test_forms_without_the_token_of_this_session_or_from_elsewhere_change_nothing(browser: Browser) -> None:
    page = await browser.open("/pipelines/companies")
    async with a_browser(browser.address) as other:
        stranger = (await other.open("/")).headers
        theirs = (await other.open("/pipelines/companies")).field("token")
    token = page.field("token")

    without = await browser.post("/pipelines/companies/pause")
    of_another = await browser.post("/pipelines/companies/pause", token=theirs)
    from_elsewhere = await browser.post("/pipelines/companies/pause", {"Origin": "http://evil.example"}, token=token)
    across_sites = await browser.post("/pipelines/companies/pause", {"Sec-Fetch-Site": "cross-site"}, token=token)

    assert [each.status for each in (without, of_another, from_elsewhere, across_sites)] == [403] * 4
    assert "Pause the schedule" in (await browser.open("/pipelines/companies")).text
    assert "httponly" in stranger["set-cookie"].lower()
    assert "samesite=lax" in stranger["set-cookie"].lower()


async def test_names_that_are_not_ours_are_not_answered(browser: Browser) -> None:
    assert (await browser.open("/", Host="evil.example")).status == 421
    assert (await browser.open("/healthz", Host="10.0.0.7:8090")).status == 200


async def test_a_form_that_never_ends_is_cut_off(browser: Browser) -> None:
    page = await browser.open("/enter")

    assert (await browser.send(page, "/enter", key="k" * 100_000)).status == 413


async def test_refused_rows_are_told_with_their_reasons_and_replayed(browser: Browser, console: ConsoleWorld) -> None:
    console.world.source.payments.append(of_the_canary(700, amount="much", updated_at=NOW.isoformat()))
    run = await console.world.recommendations()
    listed = await browser.open("/quarantine")
    rows = await browser.open(f"/runs/{run.run_id}/quarantine")

    replay = await browser.send(rows, f"/runs/{run.run_id}/replay", request_id=rows.field("request_id"))

    assert f"/runs/{run.run_id}/quarantine" in listed.html
    assert "amount is not a number" in rows.text
    assert '"amount": "much"' in rows.text
    assert "Run of replay" in (await browser.open(replay.path)).text


async def test_a_company_is_found_by_its_name_with_history_and_the_like(browser: Browser) -> None:
    found = await browser.open("/companies?q=COMPANY%2019")
    company = await browser.open("/companies/c19")

    assert found.html.count('href="/companies/c') == 1
    assert "current" in company.text
    assert "Similarity" in company.text
    assert (await browser.open("/companies/nobody")).status == 404


async def test_a_client_is_followed_to_its_recommendations_and_reasons_at_any_moment(browser: Browser) -> None:
    form = await browser.open("/client")

    page = await browser.send(form, "/client", client_id=CANARY)
    before = await browser.post("/client", {"x-fragment": "1"}, token=form.field("token"), client_id=CANARY, as_of="0")

    assert page.path == "/client"
    assert "because it pays" in page.text
    assert page.html.count('<rect class="span') == 10
    assert "No payment of this client was known as of 1970-01-01 00:00" in before.text
    assert "<html" not in before.html


async def test_a_client_that_nobody_knows_is_told_as_that(browser: Browser) -> None:
    page = await browser.send(await browser.open("/client"), "/client", client_id="nobody-at-all")

    assert "not known to the index" in page.text
    assert (await browser.send(await browser.open("/client"), "/client", client_id="")).status == 400


async def test_index_versions_are_shown_compared_and_rolled_back(browser: Browser, console: ConsoleWorld) -> None:
    console.world.source.payments += [of_the_canary(number, updated_at=NOW.isoformat()) for number in range(800, 840)]
    await console.world.recommendations()
    listed = await browser.open("/index")
    new, old = _versions(listed.html)[:2]

    compared = await browser.open(f"/index/compare?base={old}&version={new}")
    one = await browser.open(f"/index/versions/{new}")
    sides = await browser.send(
        await browser.open("/client"), "/client/compare", client_id=CANARY, base=old, version=new
    )
    refused = await browser.send(listed, "/index/rollback", version="", reason="")
    back = await browser.send(listed, "/index/rollback", version=old, reason="as it was")

    assert "Ten recommendations alike" in compared.text
    assert "passed" in one.text
    assert sides.text.count("because it pays") >= 2
    assert refused.status == 400
    assert back.path == "/index"
    assert "as it was" in back.text


async def test_companies_are_on_a_map(browser: Browser) -> None:
    page = await browser.open("/map?company=c3")

    assert page.html.count("<circle") == 20
    assert page.html.count("chosen") == 1
    assert "Clients of each company" in page.text


async def test_a_client_that_was_looked_up_stands_in_no_log_metric_or_address(
    browser: Browser, console: ConsoleWorld
) -> None:
    page = await browser.send(await browser.open("/client"), "/client", client_id=CANARY)
    await browser.send(page, "/client", client_id=CANARY + "x" * 200)
    await browser.send(page, "/client/compare", client_id=CANARY, base="none", version="none")

    said = console.world.everything_said()

    assert {"console.log", "console-metrics"} <= said.keys()
    assert [name for name, content in said.items() if CANARY.encode() in content] == []
    assert f"/{CANARY}" not in page.html


def _versions(html: str) -> list[str]:
    """Names of versions, newest first."""
    parts = html.split('<th scope="row"><a href="/index/versions/')[1:]
    return [part.split('"')[0] for part in parts]
