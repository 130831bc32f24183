"""What the thread server uses of grpcio that is not its public face."""

from types import SimpleNamespace

import pytest
from grpc import _server as inside
from grpc._cython import cygrpc  # type: ignore[attr-defined]

from services.runtime.insides import USED, USED_OF_CORE, require_inside


def test_this_grpcio_is_as_we_use_it() -> None:
    require_inside()


@pytest.mark.parametrize("name", USED)
def test_a_grpcio_that_lacks_a_part_is_refused_by_its_name(name: str) -> None:
    others = {each: getattr(inside, each) for each in USED if each != name}

    with pytest.raises(SystemExit, match=rf"grpc\._server\.{name} .* lock file"):
        require_inside(SimpleNamespace(**others))


@pytest.mark.parametrize("name", USED_OF_CORE)
def test_a_core_that_lacks_a_part_is_refused_by_its_name(name: str) -> None:
    others = {each: getattr(cygrpc, each) for each in USED_OF_CORE if each != name}

    with pytest.raises(SystemExit, match=rf"cygrpc\.{name} .* lock file"):
        require_inside(core=SimpleNamespace(**others))


def test_a_part_with_other_parameters_is_refused() -> None:
    others = {each: getattr(inside, each) for each in USED}
    others["_abort"] = lambda state, call: None

    with pytest.raises(SystemExit, match="_abort"):
        require_inside(SimpleNamespace(**others))
