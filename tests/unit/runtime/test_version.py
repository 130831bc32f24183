"""Which code runs."""

from importlib import metadata

import pytest

from services.runtime.version import code_version


def test_the_version_is_that_of_the_distribution(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AFIN_REVISION", raising=False)

    assert code_version() == metadata.version("afin")


def test_an_image_names_its_revision_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AFIN_REVISION", "0123456789abcdef")

    assert code_version() == f"{metadata.version('afin')}+0123456789ab"
