"""How the backend reaches the database: certificates, poolers, and enough connections."""

import copy
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.todo.services.database import database_environment
from components.todo.settings.parse import parse_settings
from components.todo.settings.settings import Settings
from components.values.postgres.connections import max_connections, pool_size
from stack_settings.errors import SettingsError
from tests.certificates import authority
from tests.programs import run_program, stack_settings
from tests.recording import Recording


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("authorities")
    return "".join(authority(folder, name)[0].read_text() for name in ("one", "two"))


@pytest.fixture
def cloud() -> dict[str, Any]:
    return copy.deepcopy(stack_settings("cloud"))


def external(cloud: dict[str, Any], **changed: object) -> dict[str, Any]:
    return {**cloud, "database": {**cloud["database"], **changed}}


def refusal(tree: dict[str, Any]) -> str:
    with pytest.raises(SettingsError) as error:
        parse_settings(tree)
    return str(error.value)


def backend(recording: Recording) -> dict[str, Any]:
    return recording.one("Deployment", "backend").inputs["spec"]["template"]["spec"]


def variables(container: dict[str, Any]) -> dict[str, str]:
    return {it["name"]: it["value"] for it in container["env"]}


def test_a_bundle_is_a_file_for_the_application_and_for_the_migration(
    cloud: dict[str, Any], bundle: str
) -> None:
    recording = run_program(external(cloud, caBundle=bundle))
    (config,) = recording.of("ConfigMap")
    pod = backend(recording)
    for container in (*pod["initContainers"], *pod["containers"]):
        folder, _, name = variables(container)["DATABASE_SSLROOTCERT"].rpartition("/")
        mount = next(it for it in container["volumeMounts"] if it["mountPath"] == folder)
        volume = next(it for it in pod["volumes"] if it["name"] == mount["name"])
        assert "configMap" in volume
        assert config.inputs["data"][name] == bundle
        assert variables(container)["DATABASE_SSLMODE"] == "verify-full"
    # A name of Pulumi's own: another bundle is another ConfigMap, which rolls the pods.
    assert config.kubernetes_name is None


def test_verify_full_without_a_bundle_names_no_file(cloud: dict[str, Any]) -> None:
    recording = run_program(external(cloud, sslMode="verify-full"))
    assert recording.of("ConfigMap") == []
    assert "DATABASE_SSLROOTCERT" not in variables(backend(recording)["containers"][0])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "PEM file"),
        ("rds-ca.pem", "PEM file"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "number 1 of 1"),
        ("-----BEGIN CERTIFICATE-----\nnot base64\n-----END CERTIFICATE-----\n", "number 1 of 1"),
        ("-----BEGIN CERTIFICATE-----\ncut off", "PEM file"),
        ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "PEM file"),
        ("#" * 1024**2, "at most 900 KiB"),
    ],
)
def test_what_is_no_bundle_is_refused(cloud: dict[str, Any], text: str, reason: str) -> None:
    said = refusal(external(cloud, caBundle=text))
    assert "todo:settings.database" in said
    assert "caBundle" in said
    assert reason in said
    assert len(said.splitlines()) == 2


def test_a_bundle_that_is_damaged_further_down_is_refused(
    cloud: dict[str, Any], bundle: str
) -> None:
    damaged = bundle.replace(bundle.splitlines()[-2], "AAAA")
    assert "number 2 of 2" in refusal(external(cloud, caBundle=damaged))


def test_a_private_key_is_refused_and_not_repeated(cloud: dict[str, Any], tmp_path: Path) -> None:
    key = authority(tmp_path, "careless")[1].read_text()
    said = refusal(external(cloud, caBundle=key))
    assert "private key" in said
    assert not any(line in said for line in key.splitlines()[1:-1])


def test_verify_ca_needs_a_bundle_and_require_has_no_use_for_one(
    cloud: dict[str, Any], bundle: str
) -> None:
    assert "caBundle" in refusal(external(cloud, sslMode="verify-ca"))
    assert "verify-full" in refusal(external(cloud, sslMode="require", caBundle=bundle))
    parse_settings(external(cloud, sslMode="verify-ca", caBundle=bundle))


@pytest.mark.parametrize("pooler", [True, False])
def test_the_backend_is_told_of_a_pooler(cloud: dict[str, Any], pooler: bool) -> None:
    pod = backend(run_program(external(cloud, pooler=pooler)))
    for container in (*pod["initContainers"], *pod["containers"]):
        assert variables(container)["DATABASE_POOLER"] == str(pooler).lower()


def test_inside_the_cluster_every_client_binds_its_password_to_an_encrypted_connection() -> None:
    recording = run_program(stack_settings("minikube"))
    pod = backend(recording)
    for container in (*pod["initContainers"], *pod["containers"]):
        env = variables(container)
        assert env["DATABASE_SSLMODE"] == env["DATABASE_CHANNEL_BINDING"] == "require"
    job = recording.one("CronJob").inputs["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    env = variables(job["containers"][0])
    assert env["PGSSLMODE"] == env["PGCHANNELBINDING"] == "require"


# What is connected beside the backend: backup and drill, and administrators.
BESIDES = 10
PODS = st.integers(min_value=1, max_value=50)
MEBIBYTES = st.integers(min_value=16, max_value=64 * 1024)


def scaled(most: int, memory: str, mode: str) -> dict[str, Any]:
    tree = copy.deepcopy(stack_settings("minikube"))
    scaling = (
        {"mode": "fixed", "replicas": most}
        if mode == "fixed"
        else {"mode": "autoscaled", "minReplicas": 1, "maxReplicas": most}
    )
    resources = {
        "cpuRequest": "250m",
        "cpuLimit": "1",
        "memoryRequest": "1Mi",
        "memoryLimit": memory,
    }
    tree["backend"]["scaling"] = scaling
    tree["database"] = {"mode": "inCluster", "resources": resources}
    return tree


@given(most=PODS, mebibytes=MEBIBYTES, mode=st.sampled_from(["fixed", "autoscaled"]))
def test_whatever_is_accepted_has_connections_for_all(most: int, mebibytes: int, mode: str) -> None:
    tree = scaled(most, f"{mebibytes}Mi", mode)
    try:
        settings: Settings = parse_settings(tree)
    except SettingsError as error:
        (line,) = str(error).splitlines()[1:]
        enough = re.search(r"memoryLimit \(\d+Mi\) of at least (\d+Mi) for", line)
        assert enough, line
        parse_settings(scaled(most, enough[1], mode))  # what it says does help
        return
    pool = int(database_environment(settings)["DATABASE_POOL_SIZE"])
    allowed = max_connections(most)
    assert pool >= 1
    assert (most + 1) * pool + BESIDES <= allowed
    # Each with work_mem of 1 MiB in three operations beside the cache, a quarter of the memory.
    assert (most + 1) * pool * 3 <= mebibytes * 3 / 4


def test_the_default_sizes_have_whole_pools() -> None:
    assert pool_size(2, "512Mi") == pool_size(10, "512Mi") == 8


def test_scaling_up_to_ten_pods_does_not_restart_the_server() -> None:
    assert {max_connections(pods) for pods in range(1, 11)} == {100}


@pytest.mark.parametrize("most", [1, 10, 14, 50])
def test_the_server_is_started_with_room_for_all(most: int) -> None:
    recording = run_program(scaled(most, "4Gi", "fixed"))
    server = recording.one("StatefulSet").inputs["spec"]["template"]["spec"]["containers"][0]
    parameters = dict(it.removeprefix("-c").split("=", 1) for it in server["args"][1:])
    pool = int(variables(backend(recording)["containers"][0])["DATABASE_POOL_SIZE"])
    reserved = int(parameters["superuser_reserved_connections"])
    assert pool == 8
    assert (most + 1) * pool + BESIDES <= int(parameters["max_connections"])
    assert reserved >= 3
