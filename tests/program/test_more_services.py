"""A cache and a worker, as CONTRIBUTING.md says: a description each, and all else follows."""

from pathlib import Path

import pytest

from components.pod.probes import ExecProbe, TcpProbe
from components.todo import todo_stack
from components.todo.secret_table import DATABASE_PASSWORD, JWT_KEY
from components.todo.service import AnyService, ImageOf, PublishedImage, ServiceDescription
from components.todo.services.all_services import services
from components.todo.services.database import database_environment, database_files
from components.todo.settings.settings import Settings
from components.values.resources import Resources
from components.values.scaling import Fixed
from ops.contract import operations_in
from policy.rules import STACK_RULES, Resource
from tests.certificates import authority
from tests.programs import run_program, stack_settings
from tests.recording import SECRETS, Recording

_SMALL = Resources(cpu_request="50m", cpu_limit="250m", memory_request="64Mi", memory_limit="128Mi")
_REFERENCE = "docker.io/library/redis:8.2.1-bookworm"


def with_two_more(settings: Settings) -> tuple[AnyService, ...]:
    cache = ServiceDescription(
        name="cache",
        image=PublishedImage(reference=_REFERENCE),
        liveness=TcpProbe(),
        readiness=ExecProbe(["redis-cli", "ping"]),
        writable_paths=("/data",),
        resources=_SMALL,
        scaling=Fixed(replicas=1),
        port=6379,
    )
    worker = ServiceDescription(
        name="worker",
        image=ImageOf(service="backend"),
        command=("python", "-m", "todo_backend.worker"),
        environment=database_environment(settings),
        config_files=database_files(settings),
        secrets=[DATABASE_PASSWORD],
        resources=_SMALL,
        waits_for=["backend"],
        reaches=["database", "cache"],
    )
    return (*services(settings), cache, worker)


@pytest.fixture(scope="module")
def recording() -> Recording:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(todo_stack, "services", with_two_more)
        return run_program(stack_settings("minikube"))


def names(peers: list[dict[str, dict[str, dict[str, str]]]]) -> list[str]:
    return [it["podSelector"]["matchLabels"]["app.kubernetes.io/name"] for it in peers]


def test_who_reaches_whom(recording: Recording) -> None:
    (rule,) = recording.one("NetworkPolicy", "cache-ingress").inputs["spec"]["ingress"]
    assert names(rule["from"]) == ["worker"]
    egress = recording.one("NetworkPolicy", "worker-egress").inputs["spec"]["egress"]
    assert [names(rule["to"]) for rule in egress] == [["postgres"], ["cache"]]
    inward = recording.one("NetworkPolicy", "worker-ingress").inputs["spec"]
    assert (inward["policyTypes"], inward.get("ingress", [])) == (["Ingress"], [])
    ingress = recording.one("NetworkPolicy", "postgres-ingress").inputs["spec"]["ingress"]
    assert [names(rule["from"]) for rule in ingress] == [
        ["backend"],
        ["worker"],
        ["postgres-backup"],
    ]


def test_the_worker_is_the_backends_image_with_another_command(recording: Recording) -> None:
    backend, worker = (recording.one("Deployment", name) for name in ("backend", "worker"))
    (its,), (others,) = (
        it.inputs["spec"]["template"]["spec"]["containers"] for it in (worker, backend)
    )
    assert its["image"] == others["image"]
    assert its["command"] == ["python", "-m", "todo_backend.worker"]
    assert backend.urn in worker.dependencies
    assert recording.of("Service", "worker") == []


def test_the_cache_is_a_published_image_that_speaks_no_http(recording: Recording) -> None:
    assert recording.outputs["images"]["cache"] == _REFERENCE
    (port,) = recording.one("Service", "cache").inputs["spec"]["ports"]
    assert "appProtocol" not in port
    assert "cacheUrl" not in recording.outputs


def test_a_service_has_its_own_secrets_alone(recording: Recording) -> None:
    files = recording.one("Secret", "todo-worker-secrets").inputs["stringData"]
    assert files == {DATABASE_PASSWORD.file: SECRETS[DATABASE_PASSWORD.config_key]}
    (container,) = recording.one("Deployment", "worker").inputs["spec"]["template"]["spec"][
        "containers"
    ]
    variables = {it["name"] for it in container["env"]}
    assert DATABASE_PASSWORD.variable in variables
    assert JWT_KEY.variable not in variables


def test_from_a_store_a_service_mounts_its_own_secrets_alone() -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(todo_stack, "services", with_two_more)
        recording = run_program(stack_settings("cloud"), secrets={})
    pod = recording.one("Deployment", "worker").inputs["spec"]["template"]["spec"]
    (secret,) = (it["secret"] for it in pod["volumes"] if "secret" in it)
    assert [it["key"] for it in secret["items"]] == [DATABASE_PASSWORD.file]


def test_the_worker_reads_the_authorities_of_an_external_database(tmp_path: Path) -> None:
    bundle = authority(tmp_path, "provider")[0].read_text(encoding="utf-8")
    cloud = stack_settings("cloud")
    database = {**cloud["database"], "sslMode": "verify-full", "caBundle": bundle}
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(todo_stack, "services", with_two_more)
        recording = run_program({**cloud, "database": database}, secrets={})
    spec = recording.one("Deployment", "worker").inputs["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    (path,) = (it["value"] for it in container["env"] if it["name"] == "DATABASE_SSLROOTCERT")
    folder, _, name = path.rpartition("/")
    (mount,) = (it for it in container["volumeMounts"] if it["mountPath"] == folder)
    (volume,) = (it for it in spec["volumes"] if it["name"] == mount["name"])
    assert "configMap" in volume
    assert recording.one("ConfigMap", "todo-worker-config").inputs["data"] == {name: bundle}


def test_a_rotation_reaches_all_who_read_the_password(recording: Recording) -> None:
    rows = [it for it in operations_in(recording.outputs).secrets if it.name == "databasePassword"]
    assert [it.service for it in rows] == ["backend", "worker"]
    changed = {
        recording.one(kind, name).urn
        for kind, name in (
            ("Secret", "todo-backend-secrets"),
            ("Secret", "todo-worker-secrets"),
            ("Secret", "todo-postgres-credentials"),
            ("Deployment", "backend"),
            ("Deployment", "worker"),
        )
    }
    assert all(set(row.targets) == changed for row in rows)


def test_operations_know_both(recording: Recording) -> None:
    known = {it.name: it for it in operations_in(recording.outputs).services}
    assert (known["cache"].port, known["cache"].url) == (6379, None)
    assert (known["worker"].service, known["worker"].writes_to_database) == (None, True)


def test_the_rules_hold_and_the_quota_has_grown(recording: Recording) -> None:
    resources = [
        Resource(type=r.type, name=r.name, properties=r.inputs) for r in recording.resources
    ]
    assert [line for rule in STACK_RULES for line in rule.check(resources)] == []
    pods = int(recording.one("ResourceQuota").inputs["spec"]["hard"]["pods"])
    before = run_program(stack_settings("minikube")).one("ResourceQuota").inputs["spec"]["hard"]
    assert pods == int(before["pods"]) + 12
