"""The list of mutants keeps up with the code."""

from pathlib import Path

import pytest

from tests.mutants.killing import ROOT, apply
from tests.mutants.mutants import MUTANTS, Mutant


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_each_mutant_finds_its_place_and_is_python(mutant: Mutant, tmp_path: Path) -> None:
    path = tmp_path / mutant.file
    path.parent.mkdir(parents=True)
    path.write_text((ROOT / mutant.file).read_text())
    apply(mutant, tmp_path)
    compile(path.read_text(), mutant.file, "exec")
    assert path.read_text() != (ROOT / mutant.file).read_text()


def test_no_two_mutants_share_a_name() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)
