"""What may be worked on at once."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

from services.ingest.adapters.room import Room

PATIENCE = 10


def test_small_things_are_worked_on_side_by_side() -> None:
    room = Room(10)

    with room.of(5), room.of(5):
        pass


def test_a_large_one_waits_for_the_others() -> None:
    room, entered = Room(10), Event()

    def enter() -> None:
        with room.of(6):
            entered.set()

    with ThreadPoolExecutor(1) as pool:
        with room.of(5):
            waiting = pool.submit(enter)
            assert not entered.wait(0.05)
        waiting.result(PATIENCE)

    assert entered.is_set()


def test_one_larger_than_the_room_has_it_alone() -> None:
    room = Room(10)

    with room.of(11):
        pass
    with room.of(10):
        pass
