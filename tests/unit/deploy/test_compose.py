"""What holds for every container of the compose stack."""

import re
import tomllib
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from demo.stack.options import FIXED_PORTS
from tests.unit.deploy.composition import compose
from tests.unit.deploy.contract import GRPC_SERVICES, module_of, read_settings
from tests.unit.deploy.workloads import ROOT, SERVICES, SETTINGS_FOLDER

FOLDER = ROOT / "deploy/compose"
# Gives a new volume to the user who writes to it, which only root can.
GIVES_VOLUME = "seaweedfs-volume"
# Run by up.sh once all of it is healthy.
FIRST_RUN = "first-run"
CREDENTIALS = re.compile(r"://[^/\s]*:[^/\s]*@")

Service = dict[str, Any]


@pytest.fixture(scope="module")
def model() -> dict[str, Any]:
    """The whole stack."""
    return compose(FOLDER / "compose.yaml")


@pytest.fixture(scope="module")
def services(model: dict[str, Any]) -> dict[str, Service]:
    """Its services by name."""
    return dict(model["services"])


def offenders(services: dict[str, Service], offends: Callable[[Service], object]) -> list[str]:
    """Names of the services that break a rule."""
    return [name for name, service in services.items() if offends(service)]


def test_the_whole_suite_is_there(services: dict[str, Service]) -> None:
    assert {
        *SERVICES,
        "migrate",
        "accounts",
        "postgres",
        "seaweedfs",
        "source",
        "prometheus",
        "grafana",
    } <= services.keys()


def test_images_are_pinned(services: dict[str, Service]) -> None:
    tags = {name: service["image"].rpartition("/")[2].partition(":")[2] for name, service in services.items()}

    assert {name for name, tag in tags.items() if tag in ("", "latest")} == set()


def test_our_own_images_are_of_this_version(services: dict[str, Service]) -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    own = {service["image"] for service in services.values() if service["image"].startswith("afin/")}

    assert {image for image in own if not image.endswith(f":{version}")} == set()


def test_our_own_images_are_those_that_are_built_and_are_never_pulled(services: dict[str, Service]) -> None:
    ours = {name: service for name, service in services.items() if service["image"].startswith("afin/")}
    built = re.search(r"^  services=\((.*)\)$", (ROOT / "deploy/build-images.sh").read_text(), re.MULTILINE)

    assert built
    assert {f"afin/{name}" for name in built[1].split()} == {each["image"].partition(":")[0] for each in ours.values()}
    assert offenders(ours, lambda service: service.get("pull_policy") != "never") == []


def test_none_can_gain_privileges_or_write_to_its_image(services: dict[str, Service]) -> None:
    def offends(service: Service) -> bool:
        return not (
            service["read_only"]
            and service["cap_drop"] == ["ALL"]
            and service["security_opt"] == ["no-new-privileges:true"]
            and not service.get("privileged")
        )

    assert offenders(services, offends) == []


def test_none_runs_as_root_but_the_one_that_gives_a_volume_away(services: dict[str, Service]) -> None:
    def offends(service: Service) -> bool:
        # Our own images name their user themselves.
        return not service["image"].startswith("afin/") and service.get("user", "0").startswith("0")

    assert offenders(services, offends) == [GIVES_VOLUME]
    assert offenders(services, lambda service: "cap_add" in service) == [GIVES_VOLUME]
    assert services[GIVES_VOLUME]["network_mode"] == "none"


def test_each_has_limits(services: dict[str, Service]) -> None:
    assert offenders(services, lambda service: not {"mem_limit", "pids_limit"} <= service.keys()) == []


def test_what_goes_on_is_asked_for_its_health_and_started_again(services: dict[str, Service]) -> None:
    def offends(service: Service) -> bool:
        return not _is_once(service) and not (service["restart"] == "unless-stopped" and "healthcheck" in service)

    assert offenders(services, offends) == []


def test_what_ends_is_waited_for(services: dict[str, Service]) -> None:
    ends = {name for name, service in services.items() if _is_once(service)}
    awaited = {
        name
        for service in services.values()
        for name, how in service.get("depends_on", {}).items()
        if how["condition"] == "service_completed_successfully"
    }

    assert awaited == ends - {FIRST_RUN}
    assert f" run --rm {FIRST_RUN}\n" in (FOLDER / "up.sh").read_text()
    assert "migrate" in ends


def test_each_process_is_told_what_it_needs_and_nothing_that_it_refuses(services: dict[str, Service]) -> None:
    ours = {name: service for name, service in services.items() if service["image"].startswith("afin/")}

    for service in ours.values():
        module = module_of(service["image"], service.get("command", []))
        read_settings(module, service.get("environment", {}), _secret_settings(service))

    assert set(SERVICES) < ours.keys()


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_listens_on_the_ports_that_are_known_everywhere(services: dict[str, Service], name: str) -> None:
    told, port = services[name]["environment"], FIXED_PORTS[name]

    assert told[f"{name.upper()}_HOST"] == "0.0.0.0"
    assert told[f"{name.upper()}_PORT"] == str(port)
    assert told[f"{name.upper()}_METRICS_PORT"] == str(FIXED_PORTS[f"{name}-metrics"])
    assert services[name]["ports"] == [f"127.0.0.1:{port}:{port}"]


@pytest.mark.parametrize("name", SERVICES)
def test_health_asks_for_the_work_except_before_there_is_an_index(services: dict[str, Service], name: str) -> None:
    probe = ["CMD", "python", "-m", "services.runtime.probe", f"127.0.0.1:{FIXED_PORTS[name]}"]
    asked = [] if name == "recommender" else [GRPC_SERVICES[name]]

    assert services[name]["healthcheck"]["test"] == [*probe, *asked]


@pytest.mark.parametrize("name", SERVICES)
def test_calls_in_flight_end_before_a_service_is_killed(services: dict[str, Service], name: str) -> None:
    service = services[name]
    (settings,) = read_settings(f"services.{name}", service["environment"], _secret_settings(service))

    assert int(service["stop_grace_period"].removesuffix("s")) > settings.model_dump()["drain_seconds"]


def test_nothing_is_reachable_from_another_machine(services: dict[str, Service]) -> None:
    published = [port for service in services.values() for port in service.get("ports", [])]

    assert {port for port in published if not port.startswith("127.0.0.1:")} == set()
    assert len(published) >= len(SERVICES)


def test_no_secret_stands_in_the_files(model: dict[str, Any], services: dict[str, Service]) -> None:
    told = [item for service in services.values() for item in service.get("environment", {}).items()]
    named = {name for name, _ in told if re.search("PASSWORD|SECRET|TOKEN|DATABASE_URL", name)}

    assert named == {"POSTGRES_PASSWORD_FILE"}
    assert [path.name for path in FOLDER.glob("*.yaml") if CREDENTIALS.search(path.read_text())] == []
    assert {secret["file"] for secret in model["secrets"].values()} == {f"secrets/{name}" for name in model["secrets"]}


def test_one_variable_names_the_bucket_everywhere() -> None:
    told = "".join((FOLDER / name).read_text() for name in ("compose.yaml", "stores.yaml"))

    assert re.findall(r"(?:s3://|-bucket=)(.*)", told) == ["${AFIN_BUCKET:-afin}"] * 5


def test_prometheus_asks_every_service(services: dict[str, Service]) -> None:
    jobs = yaml.safe_load((FOLDER / "prometheus.yaml").read_text())["scrape_configs"]
    targets = {target for job in jobs for group in job["static_configs"] for target in group["targets"]}

    assert {f"{name}:{FIXED_PORTS[f'{name}-metrics']}" for name in SERVICES} <= targets
    assert "./prometheus.yaml:/etc/prometheus/prometheus.yaml:ro" in services["prometheus"]["volumes"]


def test_grafana_has_its_source_of_data_and_no_user(services: dict[str, Service]) -> None:
    (source,) = yaml.safe_load((FOLDER / "grafana/datasources/prometheus.yaml").read_text())["datasources"]
    (provider,) = yaml.safe_load((FOLDER / "grafana/dashboards/afin.yaml").read_text())["providers"]
    grafana = services["grafana"]

    assert source["url"] == "http://prometheus:9090"
    assert f"../monitoring/dashboards:{provider['options']['path']}:ro" in grafana["volumes"]
    assert grafana["environment"]["GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION"] == "true"
    assert grafana["environment"]["GF_AUTH_ANONYMOUS_ORG_ROLE"] == "Viewer"


def test_what_is_mounted_is_there(services: dict[str, Service]) -> None:
    mounts = [each for service in services.values() for each in service.get("volumes", []) if isinstance(each, str)]
    paths = {mount.partition(":")[0] for mount in mounts if mount.startswith(".")}

    assert len(paths) >= 5
    assert {path for path in paths if not (FOLDER / path).exists()} == set()


def test_postgres_and_s3_are_those_of_the_small_cluster(services: dict[str, Service]) -> None:
    folder = ROOT / "deploy/k8s/components/small-cluster"

    for name in ("postgres", "accounts", "seaweedfs"):
        assert f"image: {services[name]['image']}\n" in (folder / f"{name}.yaml").read_text()


def _is_once(service: Service) -> bool:
    return bool(service["restart"] == "no")


def _secret_settings(service: Service) -> set[str]:
    targets = [secret["target"] for secret in service.get("secrets", []) if isinstance(secret, dict)]
    return {target.rpartition("/")[2] for target in targets if target.startswith(f"{SETTINGS_FOLDER}/")}
