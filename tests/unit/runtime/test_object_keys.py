"""Keys of objects, and URLs of stores."""

import pytest

from services.runtime.objects.opening import checked_store_url, open_object_store
from services.runtime.objects.store import ObjectNotFound, checked_key


@pytest.mark.parametrize("key", ["a", "a/b.json", "..a/b..", "é" * 512])
def test_a_relative_path_is_a_key(key: str) -> None:
    assert checked_key(key) == key


@pytest.mark.parametrize("key", ["", "/a", "a/", "a//b", "..", "a/../b", "./a", "é" * 513])
def test_a_path_that_could_be_read_in_two_ways_is_no_key(key: str) -> None:
    with pytest.raises(ValueError, match="not an object key"):
        checked_key(key)


@pytest.mark.parametrize("url", ["s3://bucket", "s3://bucket/some/prefix", "file:///absolute/folder"])
def test_a_store_has_a_url(url: str) -> None:
    assert checked_store_url(url) == url


@pytest.mark.parametrize("url", ["", "s3://", "bucket", "/folder", "file://folder", "file://host/folder", "http://x/y"])
def test_any_other_url_is_refused_with_an_example(url: str) -> None:
    with pytest.raises(ValueError, match=r"s3://bucket\[/prefix\] or file:///absolute/folder"):
        open_object_store(url)


def test_a_missing_object_is_named() -> None:
    error = ObjectNotFound("some/key")

    assert "'some/key'" in error.message
    assert error.metadata == {"key": "some/key"}
