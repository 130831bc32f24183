"""`afin recommend` against a recommender, as a process of its own."""

import asyncio
import json
import sys
from pathlib import Path

from tests.integration.recommender.bundles import GROUP_SIZE, client_of, code_of
from tests.integration.recommender.serving import Recommender

AFIN = str(Path(sys.executable).parent / "afin")


async def told(recommender: Recommender, *arguments: str) -> tuple[int | None, str, str]:
    """Exit code, output and errors of the command."""
    pipe = asyncio.subprocess.PIPE
    command = (AFIN, "recommend", *arguments, "--address", recommender.address)
    process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe)
    output, errors = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode, output.decode(), errors.decode()


async def test_a_person_reads_the_list_and_why(recommender: Recommender) -> None:
    code, output, errors = await told(recommender, client_of(1), "-k", "2", "--why")

    assert (code, errors) == (0, "")
    assert "from what like clients pay, by index version 20260301T120000Z-" in output
    assert "1. A company" in output
    assert "because this client pays A company" in output
    assert "its history speaks for the first place; the model knows 3 of 3 companies of the history" in output


async def test_popular_companies_have_places_and_no_scores(recommender: Recommender) -> None:
    code, output, errors = await told(recommender, "nobody", "-k", "1", "--why")

    assert (code, errors) == (0, "")
    heading, place, why = output.splitlines()
    assert heading.startswith("  what most clients pay, by index version ")
    assert place.startswith("    1. ")
    assert "score" not in place
    assert why == "  why: the index does not know whom it is for; popular companies from place 1 on"


async def test_that_no_company_is_left_is_told(recommender: Recommender) -> None:
    code, output, errors = await told(recommender, client_of(1), "--only", "no-such-company")

    assert (code, errors) == (0, "")
    assert output.startswith("  no company of index version 20260301T120000Z-")


async def test_a_program_reads_json(recommender: Recommender) -> None:
    wishes = ("--category", "30", "--exclude", code_of(2 * GROUP_SIZE), "--per-category", "2", "--json")
    code, output, errors = await told(recommender, "--company", code_of(GROUP_SIZE), *wishes)

    assert (code, errors) == (0, "")
    places = json.loads(output)["recommendations"]
    assert [place["categoryId"] for place in places] == ["30", "30"]
    assert code_of(2 * GROUP_SIZE) not in {place["companyCode"] for place in places}


async def test_what_is_wrong_is_told_in_one_line(recommender: Recommender) -> None:
    code, output, errors = await told(recommender, client_of(1), "-k", "0")

    assert (code, output) == (2, "")
    assert errors == "afin: max_results: must be 1 to 100, is 0\n"


async def test_files_that_cannot_be_used_are_told_in_one_line(recommender: Recommender, tmp_path: Path) -> None:
    code, output, errors = await told(recommender, client_of(1), "--ca", str(tmp_path / "none.pem"))

    assert (code, output) == (1, "")
    assert errors.startswith("afin: ")
    assert "none.pem" in errors
