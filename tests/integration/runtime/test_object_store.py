"""What every object store must do, in a folder and over HTTP alike."""

import hashlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from services.runtime.objects.store import ObjectInfo, ObjectNotFound, ObjectStore, ObjectStoreUnavailable

LARGE_BYTES = 12 * 1024 * 1024 + 7
WRITERS = 8
BAD_KEYS = ["", "/", "/a", "a/", "a//b", ".", "a/../b", "a/./b", "é" * 513]

Call = Callable[[ObjectStore, str, Path], object]
CALLS: dict[str, Call] = {
    "put_if_absent": lambda store, key, _: store.put_if_absent(key, b"x"),
    "put_if_absent of a file": lambda store, key, path: store.put_if_absent(key, path),
    "get": lambda store, key, _: store.get(key),
    "fetch": lambda store, key, path: store.fetch(key, path.with_name("fetched")),
    "delete": lambda store, key, _: store.delete(key),
}
LISTINGS: dict[str, Call] = {
    "list": lambda store, _, __: list(store.list("a/")),
    "list of all": lambda store, _, __: list(store.list("")),
    "check": lambda store, _, __: store.check(),
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file to store."""
    path = tmp_path / "content"
    path.write_bytes(b"content of a file")
    return path


@pytest.mark.parametrize("content", [b"", b"x", bytes(range(256)) * 100, "Afín\r\n".encode()])
def test_bytes_come_back_as_they_were_stored(store: ObjectStore, content: bytes) -> None:
    assert store.put_if_absent("some/key", content)

    assert store.get("some/key") == content


def test_a_large_file_comes_back_as_it_was_stored(store: ObjectStore, tmp_path: Path) -> None:
    stored, fetched = tmp_path / "stored", tmp_path / "fetched"
    stored.write_bytes(np.random.default_rng(1).bytes(LARGE_BYTES))

    assert store.put_if_absent("large", stored)
    store.fetch("large", fetched)

    assert fetched.stat().st_size == LARGE_BYTES
    assert hashlib.sha256(fetched.read_bytes()).digest() == hashlib.sha256(stored.read_bytes()).digest()


@pytest.mark.parametrize("key", ["a", "a/b/c.json", "with space/ä+%&=?#.json", ".hidden", "a" * 200])
def test_a_key_may_hold_any_character(store: ObjectStore, key: str) -> None:
    store.put_if_absent(key, b"content")

    assert store.get(key) == b"content"
    assert [info.key for info in store.list("")] == [key]


def test_a_key_that_is_taken_keeps_what_it_holds(store: ObjectStore, file: Path) -> None:
    assert store.put_if_absent("key", b"first")

    assert not store.put_if_absent("key", b"second")
    assert not store.put_if_absent("key", file)
    assert store.get("key") == b"first"


def test_of_many_writers_of_one_key_one_wins_and_its_content_stands(store: ObjectStore) -> None:
    start = threading.Barrier(WRITERS)

    def write(number: int) -> bool:
        start.wait(10)
        return store.put_if_absent("epoch/1", f"writer {number}".encode() * 1000)

    with ThreadPoolExecutor(WRITERS) as pool:
        won = list(pool.map(write, range(WRITERS)))

    assert won.count(True) == 1
    assert store.get("epoch/1") == f"writer {won.index(True)}".encode() * 1000


def test_what_is_not_there_cannot_be_read(store: ObjectStore) -> None:
    with pytest.raises(ObjectNotFound, match="'not/there'"):
        store.get("not/there")


def test_what_is_not_there_cannot_be_fetched_and_leaves_no_file(store: ObjectStore, tmp_path: Path) -> None:
    with pytest.raises(ObjectNotFound, match="'not/there'"):
        store.fetch("not/there", tmp_path / "fetched")

    assert not (tmp_path / "fetched").exists()


def test_a_folder_of_objects_is_no_object(store: ObjectStore, tmp_path: Path) -> None:
    store.put_if_absent("folder/object", b"x")

    with pytest.raises(ObjectNotFound):
        store.get("folder")
    with pytest.raises(ObjectNotFound):
        store.fetch("folder", tmp_path / "fetched")


def test_nothing_stands_below_an_object(store: ObjectStore) -> None:
    store.put_if_absent("object", b"x")

    with pytest.raises(ObjectNotFound):
        store.get("object/below")


def test_a_listing_has_all_keys_below_a_prefix_in_order_with_sizes(store: ObjectStore) -> None:
    for key in ("b/2", "b/10", "a/1", "b/1/x", "bc", "c"):
        store.put_if_absent(key, key.encode())

    assert list(store.list("b/")) == [ObjectInfo("b/1/x", 5), ObjectInfo("b/10", 4), ObjectInfo("b/2", 3)]


def test_a_prefix_may_end_inside_a_name(store: ObjectStore) -> None:
    for key in ("runs/id-1", "runs/id-12", "runs/id-2"):
        store.put_if_absent(key, b"")

    assert [info.key for info in store.list("runs/id-1")] == ["runs/id-1", "runs/id-12"]


def test_an_empty_store_lists_nothing(store: ObjectStore) -> None:
    assert list(store.list("")) == []
    assert list(store.list("some/prefix/")) == []


def test_a_deleted_object_is_gone_and_its_key_free(store: ObjectStore) -> None:
    store.put_if_absent("key", b"first")

    store.delete("key")

    assert list(store.list("")) == []
    assert store.put_if_absent("key", b"second")


def test_deleting_what_is_not_there_is_no_error(store: ObjectStore) -> None:
    store.delete("not/there")

    assert list(store.list("")) == []


@pytest.mark.parametrize("key", BAD_KEYS)
@pytest.mark.parametrize("call", CALLS)
def test_a_key_that_could_leave_the_store_is_refused(store: ObjectStore, file: Path, call: str, key: str) -> None:
    with pytest.raises(ValueError, match="not an object key"):
        CALLS[call](store, key, file)


def test_a_store_that_is_there_passes_its_check(store: ObjectStore) -> None:
    store.check()


@pytest.mark.parametrize("call", CALLS | LISTINGS)
def test_without_its_folder_or_bucket_every_call_says_so(missing_store: ObjectStore, file: Path, call: str) -> None:
    with pytest.raises(ObjectStoreUnavailable, match="create it"):
        (CALLS | LISTINGS)[call](missing_store, "a/key", file)


def test_a_missing_store_is_not_made_by_a_write(missing_store: ObjectStore) -> None:
    with pytest.raises(ObjectStoreUnavailable):
        missing_store.put_if_absent("a/key", b"x")

    with pytest.raises(ObjectStoreUnavailable):
        missing_store.check()
