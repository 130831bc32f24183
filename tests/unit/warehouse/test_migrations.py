"""Migrations only expand: code of the release before goes on working on the new schema (docs/upgrades.md)."""

import ast
import re
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory

from services.warehouse.migrations.history import alembic_config, is_enough
from tests.compat.previous import record, revisions

# What code that was written before may trip over.
DESTRUCTIVE = re.compile(
    r"""
    \bDROP\s+(TABLE|COLUMN|VIEW|SCHEMA|FUNCTION|TYPE|SEQUENCE|ROLE|OWNED|CONSTRAINT\s+\S+\s+CASCADE)\b
    | \bRENAME\b | \bTRUNCATE\b | \bDELETE\s+FROM\b | \bREVOKE\b | \bSET\s+SCHEMA\b
    | \bALTER\s+COLUMN\s+\S+\s+(SET\s+DATA\s+)?TYPE\b | \bSET\s+NOT\s+NULL\b
    | \bADD\s+COLUMN\b(?!.*\bDEFAULT\b)[^;]*\bNOT\s+NULL\b
    """,
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
# What a docstring says of a migration that takes away: which release was the first that does without.
CONTRACTS = re.compile(r"unused since \d+\.\d+\.\d+")
# The same through alembic's own operations, which we do not use: SQL is read by more people.
OPERATIONS = re.compile(r"\bop\.(?!execute\b)\w+")


def problems(source: str) -> list[str]:
    """What in a migration's source breaks the rule; nothing, where its docstring says that it may."""
    tree = ast.parse(source)
    if CONTRACTS.search(ast.get_docstring(tree) or ""):
        return []
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    found = [match.group() for text in texts for match in DESTRUCTIVE.finditer(text)]
    return found + OPERATIONS.findall(source)


def since_the_previous_release() -> list[str]:
    known = record().revisions
    return [name for name in revisions() if name not in known]


def source_of(name: str) -> str:
    return (Path(alembic_config().get_main_option("script_location") or "") / "versions" / name).read_text()


def test_a_migration_of_a_release_is_never_changed() -> None:
    now = revisions()

    assert {name: now.get(name) for name in record().revisions} == record().revisions


@pytest.mark.parametrize("name", since_the_previous_release() or [pytest.param("", marks=pytest.mark.skip("none yet"))])
def test_a_migration_since_the_previous_release_takes_nothing_away(name: str) -> None:
    assert problems(source_of(name)) == [], "write what it expands; take away one release later (docs/upgrades.md)"


def test_revisions_are_numbers_that_tell_their_order() -> None:
    scripts = ScriptDirectory.from_config(alembic_config()).walk_revisions()

    numbers = [script.revision for script in scripts][::-1]

    assert numbers == [f"{number:04d}" for number in range(1, len(numbers) + 1)]
    assert (is_enough("0010", "0011"), is_enough("0011", "0011"), is_enough("0012", "0011")) == (False, True, True)
    assert not is_enough(None, "0001")


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE warehouse.loads DROP COLUMN sequence",
        "DROP VIEW warehouse.training_payments",
        "ALTER TABLE ingest.runs RENAME COLUMN error TO problem",
        "ALTER TABLE ingest.runs ALTER COLUMN error TYPE jsonb",
        "ALTER TABLE ingest.runs ALTER COLUMN error SET NOT NULL",
        "ALTER TABLE ingest.runs ADD COLUMN colour text NOT NULL",
        "DELETE FROM ingest.runs",
        "REVOKE SELECT ON ingest.runs FROM afin_ingest",
    ],
)
def test_what_takes_away_is_found_and_may_be_where_its_release_is_told(statement: str) -> None:
    source = f'"""{{}}"""\nfrom alembic import op\n\ndef upgrade():\n    op.execute("{statement}")\n'

    assert len(problems(source.format("Takes it away."))) == 1
    assert problems(source.format("Takes away what is unused since 0.2.0.")) == []


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE ingest.runs ADD COLUMN colour text",
        "ALTER TABLE ingest.runs ADD COLUMN colour text NOT NULL DEFAULT 'grey'",
        "CREATE TABLE ingest.colours (name text NOT NULL PRIMARY KEY)",
        "CREATE OR REPLACE VIEW warehouse.training_payments AS SELECT 1",
    ],
)
def test_what_adds_is_no_problem(statement: str) -> None:
    assert problems(f'"""Adds."""\nop.execute("{statement}")') == []
