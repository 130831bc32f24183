"""Each command of `afin` against a whole stack: what a person reads, and what a program."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.reference import leaves
from tests.e2e.canary.world import ordinary
from tests.e2e.cli.shell import EARLY, Shell, open_shell, terminal
from tests.integration.ingest.source_server import status

CLIENT = "client-1"
DAY = ("--first-day", "2026-01-01", "--last-day", "2026-01-02")


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A stack that serves."""
    with open_shell(tmp_path_factory.mktemp("state")) as shell:
        yield shell


@pytest.fixture(scope="module")
def loaded(shell: Shell) -> list[str]:
    """Both pipelines were run once, as a person runs them; what was shown of each."""
    companies = shell.afin("run", "companies", "--watch").stdout
    return [companies, shell.afin("run", "recommendations", "--watch").stdout]


@pytest.fixture(scope="module")
def versions(shell: Shell, loaded: list[str]) -> list[str]:
    """Two index versions, newest first."""
    shell.source.payments += [ordinary(number) for number in range(600, 640)]
    shell.afin("run", "recommendations", "--watch")
    return [each["version"] for each in shell.json("index", "list")["indexVersions"]]


@pytest.fixture
def run(shell: Shell, loaded: list[str]) -> dict[str, Any]:
    """The first run of the payments."""
    runs: list[dict[str, Any]] = shell.json("runs", "--pipeline", "recommendations")["runs"]
    return runs[-1]


def test_a_run_is_watched_step_by_step(loaded: list[str]) -> None:
    companies, recommendations = loaded
    assert "✓ save_companies" in companies
    assert "succeeded in" in companies
    for step in ("save_payments_to_bucket", "save_payments_to_db", "validate_payments_index"):
        assert f"✓ {step}" in recommendations
    assert "read 602, new 600, quarantined 2" in recommendations


def test_runs_are_listed_and_shown(shell: Shell, run: dict[str, Any]) -> None:
    assert run["state"] == "RUN_STATE_SUCCEEDED"
    listed = shell.afin("run", "list").stdout
    assert run["runId"] in listed
    assert "companies" in listed

    shown = shell.afin("run", "show", run["runId"]).stdout
    assert "save_payments_to_db" in shown
    assert f"afin quarantine list {run['runId']}" in shown
    assert shell.json("run", "show", run["runId"])["runId"] == run["runId"]
    assert shell.afin("run", "watch", run["runId"]).stdout.count("✓") == len(run["steps"])


def test_a_failed_run_tells_why_and_is_retried(shell: Shell, loaded: list[str]) -> None:
    shell.source.misdeeds.append(status(500))
    failed = shell.afin("run", "backfill", *DAY, "--watch", code=1)
    assert "afin retry" in failed.stderr
    found = shell.json("run", "list", "-n", "1")["runs"][0]
    assert found["state"] == "RUN_STATE_FAILED"
    assert found["error"] in shell.afin("run", "show", found["runId"]).stdout

    assert "succeeded" in shell.afin("retry", found["runId"], "--watch").stdout
    again = shell.afin("run", "retry", found["runId"], code=5)
    assert again.stderr.count("\n") == 1


def test_ctrl_c_ends_the_watching_and_not_the_run(shell: Shell, loaded: list[str]) -> None:
    shell.tell_source(shell.source.open.clear)
    try:
        with terminal(shell, "run", "backfill", *DAY, "--watch") as seen:
            seen.until("save_payments_to_bucket  ")
            seen.press(b"\x03")
            code = seen.ended()
        shown = seen.shown.decode()
        assert code == 130, shown
        assert "goes on without you" in shown
        assert "Traceback" not in shown
        assert "\x1b[" in shown
        found = shell.json("runs", "-n", "1")["runs"][0]
        assert found["state"] in ("RUN_STATE_RUNNING", "RUN_STATE_QUEUED")
        assert found["runId"] in shell.afin("cancel", found["runId"]).stdout
        shell.afin("run", "cancel", found["runId"])
        shell.afin("run", "watch", found["runId"], code=1)
    finally:
        shell.tell_source(shell.source.open.set)


def test_what_is_asked_of_nothing_ends_with_its_own_code(shell: Shell) -> None:
    missing = shell.afin("run", "show", "00000000-0000-0000-0000-000000000000", code=3)
    assert missing.stderr.startswith("afin: no run 00000000")
    assert shell.afin("run", "list", "--pipeline", "nonsense", code=2).stdout == ""
    away = shell.afin("watermark", "--address", "ingest=127.0.0.1:9", code=6)
    assert away.stderr.startswith("afin: ingest at 127.0.0.1:9 does not answer; `afin doctor`")
    assert shell.afin("watermark", "--profile", "nowhere", code=2).stderr.count("\n") == 1


def test_a_run_that_is_not_watched_is_named(shell: Shell, loaded: list[str]) -> None:
    started = shell.json("run", "reconcile", "--request-id", "by-hand")
    assert shell.json("run", "reconcile", "--request-id", "by-hand")["runId"] == started["runId"]
    lines = shell.afin("run", "watch", started["runId"], "--json").stdout.splitlines()
    assert json.loads(lines[-1])["state"] == "RUN_STATE_SUCCEEDED"


def test_schedules_are_listed_paused_and_resumed(shell: Shell) -> None:
    assert "PIPELINE" in shell.afin("schedule", "list").stdout
    assert "is paused" in shell.afin("schedule", "pause", "companies").stdout
    paused = {each["pipeline"]: each["paused"] for each in shell.json("schedule", "list")["schedules"]}
    assert paused["PIPELINE_COMPANIES"] is True
    assert "starts next at" in shell.afin("schedule", "resume", "companies").stdout


def test_the_watermark_is_shown(shell: Shell, loaded: list[str]) -> None:
    assert "updates after" in shell.afin("watermark").stdout
    assert shell.json("watermark")["payments"]


def test_refused_rows_are_told_shown_and_replayed(shell: Shell, run: dict[str, Any]) -> None:
    assert run["runId"] in shell.afin("quarantine", "list").stdout
    reasons = shell.json("quarantine", "list", run["runId"])["reasons"]
    assert sum(int(each["rows"]) for each in reasons) == 2
    assert reasons[0]["reason"] in shell.afin("quarantine", "list", run["runId"]).stdout
    assert EARLY["id"] in shell.afin("quarantine", "show", run["runId"]).stdout

    shell.source.now = shell.source.now.replace(hour=23)
    assert "new 1" in shell.afin("quarantine", "replay", run["runId"], "--watch").stdout


def test_companies_are_listed_found_shown_and_compared(shell: Shell, loaded: list[str]) -> None:
    assert "Company 7" in shell.afin("company", "list").stdout
    found = shell.json("company", "list", "--matching", "company 7")["companies"]
    assert [each["companyCode"] for each in found] == ["c7"]
    assert "Company 7" in shell.afin("company", "show", "c7").stdout
    assert "COSINE" in shell.afin("company", "similar", "c7", "-k", "3").stdout
    assert len(shell.json("company", "similar", "c7", "-k", "3")["companies"]) == 3
    assert "afin company list" in shell.afin("company", "show", "no-such", code=3).stderr


def test_a_client_is_shown_as_of_any_moment(shell: Shell, loaded: list[str]) -> None:
    told = shell.afin("client", "show", "-", stdin=f"{CLIENT}\n").stdout
    assert "payments to 5 companies" in told
    assert "Recommended" in told
    assert len(shell.json("client", "history", CLIENT, "-n", "3")["payments"]) == 3
    assert shell.json("client", "history", CLIENT, "--as-of", "2020-01-01")["payments"] == []
    assert "TRUE FROM" in shell.afin("client", "history", CLIENT).stdout
    assert shell.json("client", "show", CLIENT)["recommended"]["clientKnown"] is True


def test_recommendations_come_with_their_reasons(shell: Shell, loaded: list[str]) -> None:
    assert "by index version" in shell.afin("recommend", CLIENT, "-k", "10", "--why").stdout
    assert shell.json("recommend", "-", "-k", "2", stdin=f"{CLIENT}\n")["clientKnown"] is True
    wrong = shell.afin("recommend", CLIENT, "-k", "0", code=2)
    assert wrong.stderr == "afin: max_results: must be 1 to 100, is 0\n"


def test_index_versions_are_listed_compared_rolled_back_and_promoted(shell: Shell, versions: list[str]) -> None:
    newest, first = versions
    assert newest in shell.afin("index", "list").stdout
    shown = shell.afin("index", "show", newest).stdout
    assert "in service" in shown
    assert "Validation of" in shown
    assert "What they know" in shell.afin("index", "compare", first).stdout
    assert shell.json("index", "compare", newest, "--base", first)["version"]["version"] == newest

    assert f"{first} is in service" in shell.afin("index", "rollback", "--reason", "a test").stdout
    assert "a test" in shell.afin("index", "publications").stdout
    refused = shell.afin("index", "promote", newest, code=5)
    assert f"afin index rollback {newest}" in refused.stderr
    assert newest in shell.afin("index", "rollback", newest, "--reason", "back").stdout
    assert shell.json("index", "promote", newest)["publication"]["version"] == newest
    assert "popularity" in shell.afin("eval").stdout.lower()
    assert shell.json("eval")["version"] in versions


def test_an_experiment_is_started_changed_reported_and_stopped(shell: Shell, versions: list[str]) -> None:
    reason, although = ("--reason", "a test"), ("--override", "it is older")
    assert "10%" in shell.afin("experiment", "start", "few", versions[1], "--share", "0.1", *reason, *although).stdout
    assert shell.json("experiment", "change", "few", "--share", "0.5", *reason)["experiment"]["share"] == 0.5
    assert "nothing was told" in shell.afin("experiment", "report").stdout
    assert shell.json("experiment", "report")["variants"] == []
    assert "has ended" in shell.afin("experiment", "stop", "few", *reason).stdout


def test_a_client_is_erased_after_a_question(shell: Shell, versions: list[str]) -> None:
    shell.afin("client", "erase", "-", stdin="client-2\nn\n", code=1)
    erased = shell.afin("client", "erase", "-", "--watch", stdin="client-2\ny\n").stdout
    assert "versions and" in erased
    assert "client-2" not in erased
    found = shell.json("erasure", "list")["erasures"]
    assert [each["state"] for each in found] == ["RUN_STATE_SUCCEEDED"]
    assert found[0]["erasureId"] in shell.afin("erasure", "list").stdout
    assert "index" in shell.afin("erasure", "show", found[0]["erasureId"]).stdout
    assert shell.json("client", "history", "client-2")["payments"] == []


def test_doctor_finds_all_well_and_tells_what_is_not(shell: Shell, loaded: list[str]) -> None:
    told = shell.afin("doctor").stdout
    for subject in ("recommender process", "warehouse call", "ingest clock", "indexer limit", "watermark"):
        assert f"✓ {subject}" in told.replace("✓  ", "✓ ")
    wrong = shell.afin("doctor", "--address", "indexer=127.0.0.1:9", code=1)
    assert "nobody listens on 127.0.0.1:9" in wrong.stdout
    assert "--address indexer=HOST:PORT" in wrong.stderr
    levels = {each["subject"]: each["level"] for each in shell.json("doctor")}
    assert levels["recommender health"] == "ok"


def test_every_command_is_called_above() -> None:
    """A command that is added is tested here as well; those of this machine elsewhere."""
    told = Path(__file__).read_text()
    elsewhere = {"up", "demo", "key", "check-data"}
    names = [path for path in leaves() if path[0] not in elsewhere]
    assert [" ".join(path) for path in names if '"' + '", "'.join(path) + '"' not in told] == []
