"""What services of a newer release tell is shown as far as this command knows it."""

import pytest

from afin.ingest.v1 import ingest_pb2
from afin.recommender.v1 import recommender_pb2 as pb
from cli.recommendations import print_recommendations
from cli.run_screen import print_run
from cli.screen import Screen

NEWER = 99


def test_a_strategy_and_a_cause_without_words_are_told_as_that(capsys: pytest.CaptureFixture[str]) -> None:
    answer = pb.RecommendResponse(recommendations=[pb.Recommendation(company_code="c1", company_name="One")])
    answer.strategy = NEWER  # type: ignore[assignment]
    answer.explanation.cause = NEWER  # type: ignore[assignment]

    print_recommendations(answer, Screen())

    shown = capsys.readouterr().out
    assert "by a strategy which this version of afin cannot name" in shown
    assert "1. One (c1)" in shown
    assert "why: a cause which this version of afin cannot name" in shown


def test_a_state_without_a_name_is_told_by_its_number(capsys: pytest.CaptureFixture[str]) -> None:
    run = ingest_pb2.Run(run_id="r1", steps=[ingest_pb2.Step(name="save")])
    run.state = run.pipeline = run.steps[0].state = NEWER  # type: ignore[assignment]
    screen = Screen()

    with screen.following() as follower:
        follower(run)
    print_run(run, screen)

    shown = capsys.readouterr().out
    assert shown.count("? save") == 1
    assert "99" in shown
