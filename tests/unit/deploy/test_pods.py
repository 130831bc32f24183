"""What holds for every container of every overlay."""

import tomllib
from collections.abc import Callable

import pytest

from tests.unit.deploy.kustomize import Manifest
from tests.unit.deploy.workloads import ROOT, SERVICES, Container, containers

PRODUCTION = {"operators", "production"}
WITH_CONSOLE = {"kind", "kind-access", "minikube"}
SMALL_CLUSTER = {"accounts", "postgres", "seaweedfs", "source"}
# Below it machines have users of their own.
FIRST_FREE_ID = 10_000
# https://kubernetes.io/docs/concepts/security/pod-security-standards, of those that we use
RESTRICTED_VOLUMES = {"configMap", "emptyDir", "secret"}
Offends = Callable[[Container], object]


@pytest.fixture(scope="session")
def all_containers(manifests: list[Manifest]) -> list[Container]:
    """Those of one overlay."""
    return containers(manifests)


def offenders(found: list[Container], offends: Offends) -> list[str]:
    """Names of the containers that break a rule."""
    return [container.name for container in found if offends(container)]


def test_an_overlay_runs_the_services_and_in_a_small_cluster_what_they_lean_on(
    overlay: str, all_containers: list[Container]
) -> None:
    expected = {*SERVICES, "migrate", *(SMALL_CLUSTER if overlay not in PRODUCTION else ())}
    expected |= {"console"} if overlay in WITH_CONSOLE else set()
    expected |= {"dask-scheduler", "dask-worker"} if overlay == "kind-dask" else set()

    assert {container.workload for container in all_containers} == expected


def test_none_runs_as_root_or_as_a_user_that_the_machine_may_have(all_containers: list[Container]) -> None:
    def offends(container: Container) -> object:
        context = container.pod["securityContext"]
        ids = {context["runAsUser"], context["runAsGroup"], context["fsGroup"]}
        return not context["runAsNonRoot"] or min(ids) < FIRST_FREE_ID

    assert offenders(all_containers, offends) == []


def test_none_can_gain_privileges_or_write_to_its_image(all_containers: list[Container]) -> None:
    def offends(container: Container) -> object:
        return container.spec["securityContext"] != {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }

    assert offenders(all_containers, offends) == []


def test_system_calls_are_filtered(all_containers: list[Container]) -> None:
    def offends(container: Container) -> object:
        return container.pod["securityContext"]["seccompProfile"] != {"type": "RuntimeDefault"}

    assert offenders(all_containers, offends) == []


def test_none_shares_the_machine_or_mounts_what_the_restricted_standard_forbids(
    all_containers: list[Container],
) -> None:
    def offends(container: Container) -> object:
        kinds = {key for volume in container.pod.get("volumes", []) for key in volume if key != "name"}
        shared = {"hostNetwork", "hostPID", "hostIPC", "hostUsers"} & container.pod.keys()
        return (
            shared or kinds - RESTRICTED_VOLUMES or any("hostPort" in each for each in container.spec.get("ports", []))
        )

    assert offenders(all_containers, offends) == []


def test_each_has_a_folder_for_temporary_files(all_containers: list[Container]) -> None:
    def offends(container: Container) -> object:
        return "emptyDir" not in container.mounts().get("/tmp", {})  # noqa: S108 - a path of the container

    assert offenders(all_containers, offends) == []


def test_each_asks_for_cpu_and_memory_and_is_limited_in_both(all_containers: list[Container]) -> None:
    def offends(container: Container) -> object:
        resources = container.spec["resources"]
        return not {"cpu", "memory"} == resources["requests"].keys() == resources["limits"].keys()

    assert offenders(all_containers, offends) == []


def test_none_may_talk_to_the_cluster(all_containers: list[Container], manifests: list[Manifest]) -> None:
    accounts = {each["metadata"]["name"]: each for each in manifests if each["kind"] == "ServiceAccount"}

    def offends(container: Container) -> object:
        account = accounts[container.pod["serviceAccountName"]]
        return account["automountServiceAccountToken"] or container.pod["automountServiceAccountToken"]

    assert offenders(all_containers, offends) == []


def test_none_gets_the_variables_of_services_which_our_settings_would_refuse(all_containers: list[Container]) -> None:
    assert offenders(all_containers, lambda container: container.pod["enableServiceLinks"] is not False) == []


def test_secrets_are_mounted_read_only_and_for_no_other_user(all_containers: list[Container]) -> None:
    def offends(container: Container) -> object:
        mounted = container.mounts()
        secret = {path for path, volume in mounted.items() if "secret" in volume}
        writable = {mount["mountPath"] for mount in container.spec["volumeMounts"] if not mount.get("readOnly")}
        return secret & writable or any(mounted[path]["secret"]["defaultMode"] != 0o440 for path in secret)

    assert offenders(all_containers, offends) == []


def test_images_are_pinned(all_containers: list[Container]) -> None:
    def offends(container: Container) -> object:
        name, _, digest = container.spec["image"].partition("@sha256:")
        tag = name.rpartition("/")[2].partition(":")[2]
        return not digest and tag in ("", "latest")

    assert offenders(all_containers, offends) == []


def test_our_own_images_are_of_this_version_and_named_by_digest_in_production(
    overlay: str, all_containers: list[Container]
) -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    own = {container.spec["image"] for container in all_containers if "afin/" in container.spec["image"]}
    pinned = "@sha256:" if overlay in PRODUCTION else f":{version}"

    assert len(own) >= len(SERVICES)
    assert {image for image in own if pinned not in image} == set()


def test_what_goes_on_says_that_it_started_lives_and_is_ready(all_containers: list[Container]) -> None:
    def offends(container: Container) -> object:
        return not container.once and not {"startupProbe", "livenessProbe", "readinessProbe"} <= container.spec.keys()

    assert offenders(all_containers, offends) == []


def test_what_ends_is_not_tried_for_ever(manifests: list[Manifest]) -> None:
    jobs = {each["metadata"]["name"]: each["spec"] for each in manifests if each["kind"] == "Job"}

    assert "migrate" in jobs
    assert [name for name, spec in jobs.items() if not {"backoffLimit", "activeDeadlineSeconds"} <= spec.keys()] == []
