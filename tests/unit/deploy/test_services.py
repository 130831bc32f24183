"""What holds for the four services in every overlay: settings, ports, probes, a clean end."""

from pathlib import Path
from typing import Any

import pytest

from demo.stack.options import FIXED_PORTS
from services.runtime.access.keys import parse_keys
from services.runtime.peers import CallingSettings
from services.runtime.settings import ServiceSettings
from tests.unit.deploy.contract import GRPC_SERVICES, module_of, read_settings
from tests.unit.deploy.kustomize import Manifest
from tests.unit.deploy.workloads import (
    SERVICES,
    Container,
    containers,
    environment,
    named,
    secret_keys,
    secret_settings,
)

# By keys, and by certificates.
KEYS, CERTIFICATES = "kind-access", "operators"


@pytest.fixture(params=SERVICES)
def service(request: pytest.FixtureRequest, manifests: list[Manifest]) -> Container:
    """The container of each service."""
    return next(each for each in containers(manifests) if each.name == f"{request.param}/{request.param}")


@pytest.fixture
def settings(service: Container, manifests: list[Manifest]) -> ServiceSettings:
    """What the service would read."""
    told, secret = environment(service, manifests), secret_settings(service, manifests)
    (read,) = read_settings(f"services.{service.workload}", told, secret)
    assert isinstance(read, ServiceSettings)
    return read


def test_each_process_is_told_what_it_needs_and_nothing_that_it_refuses(manifests: list[Manifest]) -> None:
    ours = [each for each in containers(manifests) if "afin/" in each.spec["image"]]
    modules = {each.name: module_of(each.spec["image"], each.spec.get("args", [])) for each in ours}

    for container in ours:
        read_settings(modules[container.name], environment(container, manifests), secret_settings(container, manifests))

    assert {f"services.{name}" for name in SERVICES} | {"services.warehouse.migrate"} <= set(modules.values())


def test_a_service_listens_for_others_on_the_ports_that_are_known_everywhere(
    service: Container, settings: ServiceSettings, manifests: list[Manifest]
) -> None:
    name = service.workload
    expected = {"grpc": FIXED_PORTS[name], "metrics": FIXED_PORTS[f"{name}-metrics"]}

    assert settings.host == "0.0.0.0"
    assert {"grpc": settings.port, "metrics": settings.metrics_port} == expected
    ports = {port["name"]: port["containerPort"] for port in service.spec["ports"]}
    assert ports == {**expected, "health": settings.health_port}
    assert {port["name"]: port["port"] for port in _service(name, manifests)["ports"]} == expected


def test_prometheus_finds_the_metrics(service: Container, settings: ServiceSettings, manifests: list[Manifest]) -> None:
    annotations = named(manifests, "Deployment")[service.workload]["spec"]["template"]["metadata"]["annotations"]

    assert annotations == {"prometheus.io/scrape": "true", "prometheus.io/port": str(settings.metrics_port)}


def test_started_and_alive_ask_for_the_process_and_ready_for_the_work(
    service: Container, settings: ServiceSettings
) -> None:
    asked = {name: service.spec[f"{name}Probe"]["grpc"] for name in ("startup", "liveness", "readiness")}

    assert asked == {
        "startup": {"port": settings.health_port},
        "liveness": {"port": settings.health_port},
        "readiness": {"port": settings.health_port, "service": GRPC_SERVICES[service.workload]},
    }


def test_calls_in_flight_end_before_the_pod_is_killed(service: Container, settings: ServiceSettings) -> None:
    first = service.spec["lifecycle"]["preStop"]["sleep"]["seconds"]

    assert first > 0
    assert service.pod["terminationGracePeriodSeconds"] > first + settings.drain_seconds


def test_a_disruption_takes_one_pod_at_a_time(service: Container, manifests: list[Manifest]) -> None:
    budget = named(manifests, "PodDisruptionBudget")[service.workload]["spec"]

    assert budget["maxUnavailable"] == 1
    assert budget["selector"] == named(manifests, "Deployment")[service.workload]["spec"]["selector"]


def test_pods_of_a_service_spread_over_nodes(service: Container) -> None:
    constraints = service.pod["topologySpreadConstraints"]

    assert [each["topologyKey"] for each in constraints] == ["kubernetes.io/hostname", "topology.kubernetes.io/zone"]
    # Without it the pods of before a rollout would count, and those after it lie together.
    assert [each["matchLabelKeys"] for each in constraints] == [["pod-template-hash"]] * 2


def test_a_rollout_takes_no_pod_away_before_another_is_ready_but_of_the_indexer(manifests: list[Manifest]) -> None:
    strategies = {name: named(manifests, "Deployment")[name]["spec"]["strategy"] for name in SERVICES}

    one_more = {"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}
    assert strategies == {**dict.fromkeys(SERVICES, one_more), "indexer": {"type": "Recreate"}}


def test_whoever_takes_calls_from_outside_has_two_pods(manifests: list[Manifest]) -> None:
    replicas = {name: named(manifests, "Deployment")[name]["spec"].get("replicas") for name in SERVICES}

    # None: the autoscaler says it.
    assert replicas == {"ingest": 2, "warehouse": 2, "indexer": 1, "recommender": None}


def test_the_autoscaler_alone_says_how_many_recommenders_there_are(manifests: list[Manifest]) -> None:
    scaler = named(manifests, "HorizontalPodAutoscaler")["recommender"]["spec"]

    assert "replicas" not in named(manifests, "Deployment")["recommender"]["spec"]
    assert (scaler["scaleTargetRef"]["name"], scaler["minReplicas"]) == ("recommender", 2)


def test_the_autoscaler_goes_up_at_once_and_down_slowly_and_by_one(manifests: list[Manifest]) -> None:
    behavior = named(manifests, "HorizontalPodAutoscaler")["recommender"]["spec"]["behavior"]

    assert behavior["scaleUp"]["stabilizationWindowSeconds"] == 0
    assert behavior["scaleDown"] == {
        "stabilizationWindowSeconds": 300,
        "policies": [{"type": "Pods", "value": 1, "periodSeconds": 60}],
    }


def test_clients_see_every_recommender_and_spread_their_calls(manifests: list[Manifest]) -> None:
    assert _service("recommender", manifests)["clusterIP"] == "None"


def test_the_recommender_keeps_its_index_in_a_folder_that_it_can_write(manifests: list[Manifest]) -> None:
    recommender = next(each for each in containers(manifests) if each.workload == "recommender")
    folder = environment(recommender, manifests)["RECOMMENDER_CACHE_FOLDER"]

    assert "emptyDir" in recommender.mounts()[folder]


def test_the_recommender_is_given_no_database(manifests: list[Manifest]) -> None:
    recommender = next(each for each in containers(manifests) if each.workload == "recommender")

    assert secret_settings(recommender, manifests) == set()


def test_files_of_keys_and_certificates_are_where_the_settings_say(
    service: Container, settings: ServiceSettings, manifests: list[Manifest], overlay: str
) -> None:
    named_files = {name: value for name, value in settings.model_dump().items() if isinstance(value, Path)}
    access = {name: value for name, value in named_files.items() if "tls" in name or "api_key" in name}
    mounted = {path: volume["secret"]["secretName"] for path, volume in service.mounts().items() if "secret" in volume}
    secrets = secret_keys(manifests)

    astray = {name for name, path in access.items() if path.name not in secrets[mounted[str(path.parent)]]}

    assert astray == set()
    assert {"tls_cert_file", "tls_key_file"} <= access.keys() or overlay not in (KEYS, CERTIFICATES)
    assert "api_keys_file" in access or overlay != KEYS


def test_where_services_speak_tls_ingest_trusts_them_and_says_who_it_is(
    settings: ServiceSettings, overlay: str
) -> None:
    if isinstance(settings, CallingSettings) and settings.tls_cert_file is not None:
        assert settings.peers_tls_ca_file is not None
        assert (settings.peers_api_key_file is not None) == (overlay == KEYS)
        assert (settings.peers_tls_cert_file is not None) == (overlay == CERTIFICATES)
    assert (settings.tls_cert_file is not None) == (overlay in (KEYS, CERTIFICATES))


def test_where_cert_manager_is_only_the_recommender_lets_in_callers_without_a_certificate(
    service: Container, settings: ServiceSettings, overlay: str
) -> None:
    asks = settings.tls_client_ca_file is not None and settings.api_keys_file is not None

    assert asks == (overlay == CERTIFICATES and service.workload != "recommender")


def test_certificates_name_the_service_as_its_callers_do_and_a_role_has_each_that_calls(
    manifests: list[Manifest], overlay: str
) -> None:
    certificates = {name: each["spec"] for name, each in named(manifests, "Certificate").items()}
    if overlay != CERTIFICATES:
        assert certificates == {}
        return
    callers = parse_keys(named(manifests, "Secret")["api-keys"]["data"]["api_keys"])
    calling = {each["commonName"] for each in certificates.values() if "client auth" in each.get("usages", [])}

    assert {name: callers.of_certificate([name]) is not None for name in calling} == {"ingest": True, "operator": True}
    for name in SERVICES:
        assert {name, f"{name}.afin", "localhost"} <= set(certificates[name]["dnsNames"])
        assert certificates[name]["secretName"] == f"{name}-tls"
        assert "server auth" in certificates[name]["usages"]


def _service(name: str, manifests: list[Manifest]) -> dict[str, Any]:
    spec: dict[str, Any] = named(manifests, "Service")[name]["spec"]
    return spec
