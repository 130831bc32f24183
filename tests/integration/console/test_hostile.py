"""What a hostile browser sends is refused in words, and never a failure of the console."""

from typing import Any

import pytest
from prometheus_client import REGISTRY

from tests.integration.console.conftest import Console

pytestmark = pytest.mark.asyncio


async def test_a_cookie_that_is_not_ascii_is_no_session(lonely: Console) -> None:
    cookie = f"{lonely.cookie}=é".encode()
    lonely.client.cookies.clear()

    opened = await lonely.client.get("/enter", headers={b"cookie": cookie})
    missing = await lonely.client.get("/nowhere", headers={b"cookie": cookie})

    assert (opened.status_code, missing.status_code) == (200, 404)


@pytest.mark.parametrize("origin", ["http://[", "null", "", "http://localhost.evil.example", "http://localhost:1"])
async def test_a_form_of_another_origin_is_refused(lonely: Console, origin: str) -> None:
    answer = await lonely.client.post("/leave", headers={"origin": origin}, data={"token": lonely.session.token})

    assert answer.status_code == 403


async def test_a_page_that_only_shows_takes_no_form(lonely: Console) -> None:
    answer = await lonely.client.post("/runs", data={"token": lonely.session.token})

    assert answer.status_code == 405
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD"}
    assert "Method Not Allowed" in answer.text


@pytest.mark.parametrize("field", ["as_of", "first"])
@pytest.mark.parametrize("moment", ["²", "9" * 5000, "nan", "-1e30"])
async def test_a_moment_that_is_none_is_told_as_that(lonely: Console, field: str, moment: str) -> None:
    form = {"token": lonely.session.token, "client_id": "c", field: moment}

    assert (await lonely.client.post("/client", data=form)).status_code == 400


async def test_what_is_missing_among_the_files_is_a_page_of_the_session_and_kept_nowhere(lonely: Console) -> None:
    missing, script = [await lonely.client.get(f"/static/{name}") for name in ("nothing", "console.js")]

    assert lonely.session.token in missing.text
    assert missing.headers["cache-control"] == "no-store"
    assert script.headers["cache-control"] == "public, max-age=3600"


@pytest.mark.parametrize("path", ["%2e%2e/app.py", "..%2f..%2fpyproject.toml", "%2fetc/passwd"])
async def test_no_file_beside_ours_is_given_away(lonely: Console, path: str) -> None:
    assert (await lonely.client.get(f"/static/{path}")).status_code == 404


async def test_nobody_is_sent_elsewhere_after_entering(lonely: Console) -> None:
    for back in ("//evil.example", "/\\evil.example", "https://evil.example", "/\t/evil.example"):
        form = {"token": lonely.session.token, "key": "afin_key", "back": back}
        answer = await lonely.client.post("/enter", data=form)
        lonely.client.cookies.clear()
        lonely.client.cookies.update(answer.cookies)
        break_out = answer.headers.get("location", "/")

        assert break_out == "/" or break_out.startswith("/%09"), back


async def test_refusals_are_counted_as_what_they_are(lonely: Console) -> None:
    labels = {"page": "/leave", "method": "POST", "status": "403"}
    before = REGISTRY.get_sample_value("afin_console_requests_total", labels) or 0

    await lonely.client.post("/leave", data={"token": "of another"})

    assert REGISTRY.get_sample_value("afin_console_requests_total", labels) == before + 1


async def test_a_form_that_breaks_off_is_no_failure(lonely: Console) -> None:
    told: list[Any] = []
    headers = [(b"host", b"localhost"), (b"content-type", b"application/x-www-form-urlencoded")]
    scope = {"type": "http", "method": "POST", "path": "/leave", "query_string": b"", "headers": headers}

    async def receive() -> dict[str, str]:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        told.append(message)

    await lonely.app(scope, receive, send)

    assert told[0]["status"] == 400


async def test_what_ingest_cannot_tell_now_is_not_told_as_nothing(lonely: Console) -> None:
    page = (await lonely.client.get("/")).text

    assert "Its runs are not known now" in page
    assert "No run yet" not in page
