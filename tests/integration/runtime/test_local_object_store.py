"""What the folder alone must do."""

import os
import threading
from pathlib import Path

import pytest

from services.runtime.objects.local import LocalObjectStore
from services.runtime.objects.opening import open_object_store
from services.runtime.objects.store import ObjectStoreUnavailable


def test_a_url_of_a_folder_opens_it(tmp_path: Path) -> None:
    (tmp_path / "with space").mkdir()
    store = open_object_store(f"file://{tmp_path}/with%20space")

    store.put_if_absent("a/key", b"content")

    assert (tmp_path / "with space" / "a" / "key").read_bytes() == b"content"


def test_what_is_being_written_is_not_listed(object_store: LocalObjectStore, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=object_store.put_if_absent, args=("a/key", pipe))
    writer.start()
    with pipe.open("wb") as half_written:
        half_written.write(b"half")
        half_written.flush()
        during = list(object_store.list(""))
    writer.join(10)

    assert during == []
    assert object_store.get("a/key") == b"half"


def test_what_a_dead_process_left_half_written_goes_and_what_a_living_one_writes_stays(
    object_store: LocalObjectStore, tmp_path: Path
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=object_store.put_if_absent, args=("of/the/living", pipe))
    writer.start()
    with pipe.open("wb") as half_written:
        scratch = tmp_path / "objects" / ".unfinished"
        (of_the_living,) = scratch.iterdir()
        (scratch / "of the dead").write_bytes(b"half")
        LocalObjectStore(tmp_path / "objects").put_if_absent("another", b"")
        left = list(scratch.iterdir())
        half_written.write(b"whole")
    writer.join(10)

    assert left == [of_the_living]
    assert object_store.get("of/the/living") == b"whole"
    assert list(scratch.iterdir()) == []


def test_a_write_that_fails_leaves_nothing(object_store: LocalObjectStore, tmp_path: Path) -> None:
    with pytest.raises(ObjectStoreUnavailable):
        object_store.put_if_absent("a/key", tmp_path / "no such file")

    assert [path for path in (tmp_path / "objects").rglob("*") if path.is_file()] == []


def test_listing_goes_on_while_objects_come_and_go(object_store: LocalObjectStore) -> None:
    stop = threading.Event()

    def come_and_go() -> None:
        while not stop.is_set():
            object_store.put_if_absent("coming/and/going", b"x")
            object_store.delete("coming/and/going")

    object_store.put_if_absent("staying", b"x")
    restless = threading.Thread(target=come_and_go)
    restless.start()
    try:
        listed = [{info.key for info in object_store.list("")} for _ in range(300)]
    finally:
        stop.set()
        restless.join(10)

    assert all("staying" in keys for keys in listed)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read what nobody may")
def test_a_folder_that_may_not_be_written_fails_its_check(object_store: LocalObjectStore, tmp_path: Path) -> None:
    (tmp_path / "objects").chmod(0o500)

    with pytest.raises(ObjectStoreUnavailable, match="not writable"):
        object_store.check()
