"""Who is answered by which snapshot."""

from dataclasses import replace

from services.contracts.client_keys import client_key
from services.contracts.variants import Split
from services.recommender.domain.in_service import InService, of_challenger
from services.recommender.domain.snapshot import Snapshot
from tests.unit.recommender.snapshots import CHALLENGER, snapshot

CLIENTS = [f"client-{number}" for number in range(200)]


def of_experiment() -> tuple[Snapshot, Snapshot]:
    """The main version and its challenger."""
    main = snapshot(7, challenger=CHALLENGER)
    theirs = of_challenger(main.publication)
    assert theirs is not None
    return main, replace(snapshot(7), publication=theirs)


def test_without_an_experiment_one_snapshot_answers_everybody() -> None:
    main = snapshot(7)
    index = InService.of(main)

    assert all(index.answering(client) is main for client in CLIENTS)
    assert (main.variant, main.role, index.challenger_share, of_challenger(main.publication)) == (
        "main",
        "main",
        0,
        None,
    )


def test_the_challenger_answers_the_clients_whom_the_split_takes() -> None:
    main, challenger = of_experiment()
    index = InService.of(main, challenger)
    split = Split("try", 0.5)

    assert all((index.answering(each) is challenger) == split.takes(client_key(each)) for each in CLIENTS)
    assert {index.answering(each).variant for each in CLIENTS} == {"main", "try"}
    assert (main.role, challenger.role, index.challenger_share) == ("main", "challenger", 0.5)


def test_a_basket_is_the_main_versions() -> None:
    main, challenger = of_experiment()

    assert InService.of(main, challenger).answering("") is main


def test_without_its_challenger_the_main_version_answers_everybody() -> None:
    main, _ = of_experiment()
    index = InService.of(main, problem="damaged")

    assert all(index.answering(client) is main for client in CLIENTS)
    assert index.challenger_share == 0


def test_both_are_of_one_publication() -> None:
    main, challenger = of_experiment()

    assert challenger.publication.version == CHALLENGER.version
    assert challenger.epoch == main.epoch == InService.of(main, challenger).epoch == 7
