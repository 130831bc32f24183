"""The file of API keys: what it takes, what it refuses, and that it tells nothing of what it refuses."""

from datetime import UTC, datetime

import pytest

from services.runtime.access.keys import KEY_PREFIX, AccessFileError, line_of, make_key, parse_keys
from services.runtime.access.roles import Role

DIGEST = "a" * 64


def test_a_key_is_found_by_the_line_that_was_made_for_it() -> None:
    key = make_key()

    found = parse_keys(line_of(key, "shop", "operate")).of_key(key)

    assert found is not None
    assert (found.name, found.role) == ("shop", Role.OPERATE)


def test_the_file_holds_no_key() -> None:
    key = make_key()

    assert key not in line_of(key, "shop", "read")
    assert key.removeprefix(KEY_PREFIX) not in line_of(key, "shop", "read")


def test_keys_are_random_and_long() -> None:
    keys = {make_key() for _ in range(100)}

    assert len(keys) == 100
    assert {len(key) for key in keys} == {len(KEY_PREFIX) + 43}


def test_two_keys_of_one_name_are_valid_at_once() -> None:
    old, new = make_key(), make_key()

    ring = parse_keys(
        f"# while the shop changes over\n{line_of(old, 'shop', 'read')}\n\n{line_of(new, 'shop', 'read')}\n"
    )

    assert ring.of_key(old) is not None
    assert ring.of_key(new) is not None


@pytest.mark.parametrize("key", ["", "afin_", "é", "x" * 100_000, DIGEST])
def test_another_key_is_nobodys(key: str) -> None:
    assert parse_keys(f'{{"name": "shop", "role": "read", "sha256": "{DIGEST}"}}').of_key(key) is None


def test_a_key_expires_when_its_line_says() -> None:
    key, moment = make_key(), datetime(2027, 1, 31, tzinfo=UTC)

    found = parse_keys(line_of(key, "shop", "read", moment)).of_key(key)

    assert found is not None
    assert found.expires_at == moment.timestamp()


def test_a_certificate_is_found_by_any_of_its_names() -> None:
    ring = parse_keys('{"name": "billing", "role": "admin", "certificate": "billing.example"}')

    found = ring.of_certificate(["10.0.0.1", "billing.example"])

    assert found is not None
    assert found.name == "billing"
    assert ring.of_certificate(["shop.example"]) is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "holds no key"),
        ("# nobody", "holds no key"),
        ("afin_secret", "line 1: must be one JSON object"),
        ('\n{"name": "x", "role": "read", "sha256": "afin_secret"}', "line 2: sha256: "),
        ('{"name": "x", "role": "secret", "sha256": "' + DIGEST + '"}', "line 1: role: "),
        ('{"name": "a secret", "role": "read", "sha256": "' + DIGEST + '"}', "line 1: name: "),
        ('{"name": "x", "role": "read"}', "line 1: Value error, give either sha256 or certificate"),
        ('{"name": "x", "role": "read", "sha256": "' + DIGEST + '", "certificate": "y"}', "line 1: Value error, give"),
        ('{"name": "x", "role": "read", "sha256": "' + DIGEST + '", "secret": 1}', "line 1: Extra inputs"),
        ('{"name": "x", "role": "read", "sha256": "' + DIGEST + '", "expires_at": "2027-01-31"}', "line 1: expires_at"),
        (('{"name": "x", "role": "read", "sha256": "' + DIGEST + '"}\n') * 2, "the same key or certificate twice"),
        ("\n" * 10_001, "at most 10000"),
    ],
)
def test_a_wrong_file_is_told_by_line_without_what_stands_there(text: str, problem: str) -> None:
    with pytest.raises(AccessFileError) as caught:
        parse_keys(text)

    assert problem in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(("name", "role"), [("", "read"), ("the shop", "read"), ("shop", "root")])
def test_no_line_is_made_that_the_file_would_refuse(name: str, role: str) -> None:
    with pytest.raises(ValueError, match=r"name|role"):
        line_of(make_key(), name, role)
