"""Every command that docs/recommend.md shows is answered by a recommender, and every field is shown or told there."""

import asyncio
import json
import re
import sys
from pathlib import Path

import pytest

from afin.recommender.v1 import recommender_pb2 as pb
from tests.integration.recommender.bundles import GROUP_SIZE, client_of, code_of
from tests.integration.recommender.serving import Recommender

PAGE = (Path(__file__).parents[3] / "docs" / "recommend.md").read_text()
FUNCTION, *COMMANDS = (line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines())
NAMES = {"CLIENT": client_of(1), "CODE": code_of(GROUP_SIZE), "CATEGORY": "20"}


async def said(recommender: Recommender, command: str) -> tuple[int | None, str, str]:
    """Exit code, output and errors of a command of the page, asked of this recommender."""
    ask = FUNCTION.replace(".venv/bin/buf", str(Path(sys.executable).parent / "buf"))
    for word, value in NAMES.items():
        command = re.sub(rf"\b{word}\b", value, command)
    script = f"{ask.replace('127.0.0.1:50054', recommender.address)}\n{command}"
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec("bash", "-euc", script, stdout=pipe, stderr=pipe)
    output, errors = await asyncio.wait_for(process.communicate(), 30)
    return process.returncode, output.decode(), errors.decode()


@pytest.mark.parametrize("command", COMMANDS)
async def test_a_command_of_the_page_is_answered(recommender: Recommender, command: str) -> None:
    code, output, errors = await said(recommender, command)

    assert (code, errors) == (0, "")
    answer = json.loads(output)
    assert answer.get("recommendations") or answer.get("responses") or answer.get("companies")


@pytest.mark.parametrize("request_", [pb.RecommendRequest, pb.BatchRecommendRequest, pb.SimilarCompaniesRequest])
def test_every_field_of_a_request_is_on_the_page(request_: type[pb.RecommendRequest]) -> None:
    assert {field.name for field in request_.DESCRIPTOR.fields if field.name not in PAGE} == set()
