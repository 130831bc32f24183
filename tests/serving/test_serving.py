"""A little of each fault; `make serve-fault-test` gives all of them their time. No time is asserted here."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.serving import hostile, outages, overload, soak, swaps
from tests.serving.world import World, small_world


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Small, with nothing published yet."""
    return small_world(tmp_path)


async def test_no_call_fails_while_indexes_are_swapped_and_replicas_restarted(world: World, tmp_path: Path) -> None:
    found = await swaps.play(world, tmp_path, swaps=4)

    assert found["failed"] == {}
    assert found["calls"] > swaps.RATE
    assert found["restarts"] == 2


async def test_too_many_costly_calls_are_refused_or_answered_and_health_answers(world: World, tmp_path: Path) -> None:
    found = await overload.play(world, tmp_path, seconds=3)

    assert found["statuses"].keys() == {"0", overload.REFUSED}
    assert found["health"]["failed"] == {}
    assert found["capacity_after"] > 0


@pytest.mark.timeout(300)
async def test_a_polite_client_sees_no_error_beside_hostile_ones(world: World, tmp_path: Path) -> None:
    found = await hostile.play(world, tmp_path, seconds=1.5)

    assert {kind: each["failed"] for kind, each in found["kinds"].items() if each["failed"]} == {}
    assert {each["hostile_exit_code"] for each in found["kinds"].values()} == {0}
    assert all(each["calls"] for each in found["kinds"].values())
    assert [kind for kind, each in found["kinds"].items() if not each["harm_was_done"]] == []


@pytest.mark.timeout(600)
async def test_answers_stay_while_all_others_are_away_and_new_payments_reach_them_afterwards() -> None:
    # PostgreSQL's socket needs a short path.
    with TemporaryDirectory(prefix="afin-serving-") as folder:
        found = await outages.play(Path(folder), seconds=0.5, in_turn=False)

    assert found["problems"] == []
    assert found["epoch_after"] > found["epoch_before"]


async def test_a_mixed_load_with_swaps_is_served(world: World, tmp_path: Path) -> None:
    found = await soak.play(world, tmp_path, minutes=0.1)

    assert found["failed"] == {}
    assert found["swaps"] > 1
    assert found["memory_mib"]["end"]["private"] > 0
