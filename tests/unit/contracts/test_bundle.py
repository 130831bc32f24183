"""Names, keys and records of bundles."""

import hashlib
from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from services.contracts import bundle
from services.contracts.bundle import BundleFile, Publication
from services.contracts.client_keys import client_key
from services.contracts.validation import Check, Validation

NOON = datetime(2026, 3, 1, 12, 30, 15, tzinfo=UTC)


def test_a_version_is_named_by_its_watermark_and_its_content() -> None:
    assert bundle.version_of(NOON, "ab" * 32) == "20260301T123015Z-abababababab"


def test_a_version_without_a_watermark_has_a_name_too() -> None:
    assert bundle.version_of(None, "ab" * 32) == "unknown-abababababab"


def test_keys_of_publications_sort_as_their_epochs_do() -> None:
    keys = [bundle.publication_key(epoch) for epoch in (1, 2, 9, 10, 99, 100, 12345)]

    assert keys == sorted(keys)


def test_the_manifest_lies_beside_the_files_of_its_version() -> None:
    assert bundle.manifest_key("v") == "index/versions/v/manifest.json"
    assert bundle.version_file_key("v", bundle.ANNOY_FILE) == "index/versions/v/companies.annoy"


def test_a_client_is_known_by_the_two_halves_of_a_hash_of_its_id() -> None:
    high, low = client_key("Zoë-7")

    digest = hashlib.sha256("Zoë-7".encode()).hexdigest()[:32]
    assert f"{high:016x}{low:016x}" == digest


def test_a_record_comes_back_from_its_bytes_as_it_was() -> None:
    publication = Publication(epoch=3, version="v", manifest_sha256="0" * 64, published_at=NOON, reason="why")

    assert Publication.model_validate_json(publication.to_bytes()) == publication


def test_a_field_of_a_later_release_is_left_out() -> None:
    told = {"name": "files", "passed": True, "detail": ""}

    assert Check.model_validate({**told, "later": 1}) == Check.model_validate(told)


def test_a_checksum_that_is_none_is_refused() -> None:
    with pytest.raises(ValidationError, match="sha256"):
        BundleFile(name="companies.annoy", size=1, sha256="not hex")


@pytest.mark.parametrize(("outcomes", "passed"), [((True, True), True), ((True, False), False), ((), False)])
def test_a_validation_passes_when_there_are_checks_and_all_pass(outcomes: tuple[bool, ...], passed: bool) -> None:
    checks = tuple(Check(name=str(number), passed=outcome, detail="") for number, outcome in enumerate(outcomes))

    assert Validation(version="v", validated_at=NOON, checks=checks).passed is passed
