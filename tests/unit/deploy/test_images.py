"""The Dockerfile, as far as it can be read without building: what it copies, what it runs, for whom."""

import importlib.util
import re
import shlex
import tomllib

import pytest

from demo.stack.options import FIXED_PORTS
from tests.unit.deploy.contract import IMAGE_MODULES
from tests.unit.deploy.workloads import ROOT, SERVICES

PORTS = {
    **{name: f"{FIXED_PORTS[name]} {FIXED_PORTS[f'{name}-metrics']}" for name in (*SERVICES, "console")},
    "dask": f"{FIXED_PORTS['indexer']} {FIXED_PORTS['indexer-metrics']}",
    "source": str(FIXED_PORTS["source"]),
}


@pytest.fixture(scope="module")
def dockerfile() -> str:
    """Its text, with continued lines joined."""
    return (ROOT / "deploy/Dockerfile").read_text().replace("\\\n", " ")


def stage(dockerfile: str, name: str) -> str:
    """The instructions of one stage."""
    found = re.search(rf"^FROM \S+ AS {name}\n(.*?)(?=^FROM |\Z)", dockerfile, re.MULTILINE | re.DOTALL)
    assert found, f"the Dockerfile has no stage {name}"
    return found[1]


@pytest.mark.parametrize("image", IMAGE_MODULES)
def test_each_image_has_an_extra_a_module_to_run_and_its_ports(dockerfile: str, image: str) -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]

    assert image in extras
    assert importlib.util.find_spec(f"{IMAGE_MODULES[image]}.__main__") is not None
    assert stage(dockerfile, image).split("\n")[:2] == [f"EXPOSE {PORTS[image]}", f'CMD ["{IMAGE_MODULES[image]}"]']


def test_the_last_stage_is_the_chosen_service(dockerfile: str) -> None:
    assert dockerfile.rstrip().endswith("FROM ${SERVICE}")


def test_what_runs_is_not_root_and_takes_only_the_installed_packages(dockerfile: str) -> None:
    runtime = stage(dockerfile, "runtime")

    assert re.findall(r"^(?:COPY|ADD|RUN) .*", runtime, re.MULTILINE) == ["COPY --from=build /opt/afin /opt/afin"]
    assert "\nUSER 10001:10001\n" in runtime


def test_every_package_is_installed_by_its_hash(dockerfile: str) -> None:
    installs = re.findall(r"pip (?:--python \S+ )?install [^&\n]*", dockerfile)

    assert len(installs) == 4
    assert [install for install in installs if "--require-hashes" not in install] == []


def test_nothing_of_chance_or_of_the_clock_is_in_a_layer(dockerfile: str) -> None:
    build = stage(dockerfile, "build")

    assert "--no-compile" in build
    assert "--invalidation-mode unchecked-hash" in build
    assert "PYTHONHASHSEED=0" in build
    assert '--timestamp "$SOURCE_DATE_EPOCH"' in (ROOT / "deploy/build-images.sh").read_text()


def test_each_image_holds_a_list_of_what_is_in_it(dockerfile: str) -> None:
    written = re.search(r"--output-file (\S+)", dockerfile)

    assert written
    assert written[1].startswith("/opt/afin/")
    assert f'afin.sbom="{written[1]}"' in stage(dockerfile, "runtime")


def test_annoy_is_compiled_for_any_processor_of_the_architecture(dockerfile: str) -> None:
    arguments = re.search(r"ANNOY_COMPILER_ARGS=(\S+)", dockerfile)

    assert arguments
    assert [flag for flag in arguments[1].split(",") if flag.startswith(("-march", "-mtune", "-mcpu"))] == []


def test_the_builder_is_sent_what_is_copied_and_nothing_else(dockerfile: str) -> None:
    copied = {
        path
        for line in re.findall(r"^COPY (?!--from)(.*)", dockerfile, re.MULTILINE)
        for path in shlex.split(line)[:-1]
    }
    ignore = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]

    assert ignore[0] == "*"
    assert {line.removeprefix("!") for line in ignore if line.startswith("!")} == copied
    assert {path for path in copied if not (ROOT / path).exists()} == set()
