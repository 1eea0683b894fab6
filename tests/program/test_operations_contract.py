"""What the program tells operations is what they understand, and is true."""

from typing import Any

import pytest

from components.todo.secret_table import STORE_SECRETS
from components.values.quantities import quantity_value
from ops.contract import Operations, operations_in
from tests.programs import STACKS, run_program, stack_settings
from tests.recording import SECRETS, Recording


@pytest.fixture(scope="module", params=STACKS)
def recording(request: pytest.FixtureRequest) -> Recording:
    return run_program(stack_settings(request.param), stack=request.param)


@pytest.fixture(scope="module")
def minikube() -> Recording:
    return run_program(stack_settings("minikube"))


def told(recording: Recording) -> Operations:
    return operations_in(recording.outputs)


def test_operations_understand_every_stack(recording: Recording) -> None:
    it = told(recording)
    assert it.namespace == recording.outputs["namespace"]
    assert it.of_role("frontend")
    assert it.database.mode in ("inCluster", "external")


def test_every_service_is_found_in_the_cluster(recording: Recording) -> None:
    for service in told(recording).services:
        workload = recording.one(service.kind, service.workload).inputs
        pod = workload["spec"]["template"]
        container = next(c for c in pod["spec"]["containers"] if c["name"] == service.container)
        assert pod["metadata"]["labels"]["app.kubernetes.io/component"] == service.component
        assert container["image"] == service.image
        ports = [it["containerPort"] for it in container["ports"]]
        assert {service.port, service.metrics_port} - {None} <= set(ports)
        spec = recording.one("Service", service.service).inputs["spec"]
        assert [it["port"] for it in spec["ports"]] == [service.port]
        for name, probe in (("liveness", "livenessProbe"), ("readiness", "readinessProbe")):
            if service.paths:
                assert container[probe]["httpGet"]["path"] == getattr(service.paths, name)


def test_whose_signature_images_have_is_told_of_those_that_the_stack_makes() -> None:
    settings = stack_settings("minikube")
    services = told(run_program({**settings, "images": stack_settings("cloud")["images"]})).services
    signed = {it.name: it.signature.public_key for it in services if it.signature}
    public = stack_settings("cloud")["images"]["signature"]["publicKey"]
    assert signed == {"backend": public, "frontend": public}
    assert not any(it.signature for it in told(run_program(settings)).services)


def test_addresses_are_those_that_people_get(recording: Recording) -> None:
    for service in told(recording).services:
        assert service.url == recording.outputs.get(f"{service.name}Url")


def test_who_writes_to_the_database_is_who_may_connect_to_it(minikube: Recording) -> None:
    policy = minikube.one("NetworkPolicy", "postgres-ingress").inputs["spec"]["ingress"]
    clients = {
        peer["podSelector"]["matchLabels"]["app.kubernetes.io/name"]
        for rule in policy
        for peer in rule["from"]
    }
    writers = {it.workload for it in told(minikube).services if it.writes_to_database}
    assert clients == {*writers, "postgres-backup"}


def test_the_databases_objects_are_there(minikube: Recording) -> None:
    it = told(minikube).database
    assert it.mode == "inCluster"
    workload = minikube.one("StatefulSet", it.pod.removesuffix("-0")).inputs["spec"]
    (container,) = (
        c for c in workload["template"]["spec"]["containers"] if c["name"] == it.container
    )
    assert it.data_path in [mount["mountPath"] for mount in container["volumeMounts"]]
    (template,) = workload["volumeClaimTemplates"]
    assert it.claim == f"{template['metadata']['name']}-{it.pod}"
    minikube.one("Service", it.service)
    assert it.backup
    minikube.one("PersistentVolumeClaim", it.backup.claim)
    job = minikube.one("CronJob", it.backup.cron_job).inputs["spec"]
    assert job["schedule"] == it.backup.schedule
    pod = job["jobTemplate"]["spec"]["template"]["spec"]
    assert [c["name"] for c in pod["containers"]] == [it.backup.container]


def test_a_drill_is_known_where_it_has_a_schedule() -> None:
    backup = {"drill": {"schedule": "5 4 * * 1"}}
    settings = {**stack_settings("minikube"), "database": {"backup": backup}}
    recording = run_program(settings)
    drill = told(recording).drill
    assert drill
    job = recording.one("CronJob", drill.cron_job).inputs["spec"]
    assert job["schedule"] == "5 4 * * 1"
    pod = job["jobTemplate"]["spec"]["template"]["spec"]
    assert [c["name"] for c in pod["containers"]] == [drill.container]


def test_a_drill_of_backups_elsewhere_has_room_for_the_dump_too_and_reaches_the_store_alone() -> (
    None
):
    store = {
        "mode": "s3",
        "bucket": "backups",
        "endpoint": "https://10.1.2.3:7070",
        "prefix": "todo/production",
        "cidr": "10.1.2.3/32",
    }
    backup = {"drill": {}, "destination": store, "storage": {"size": "3Gi"}}
    keys = {it.config_key: "of-the-tests" for it in STORE_SECRETS}
    settings = {**stack_settings("minikube"), "database": {"backup": backup}}
    recording = run_program(settings, secrets={**SECRETS, **keys})
    job = recording.one("CronJob", "postgres-drill").inputs["spec"]["jobTemplate"]["spec"]
    pod = job["template"]["spec"]
    room = sum(
        quantity_value(it["emptyDir"]["sizeLimit"])
        for it in pod["volumes"]
        if it.get("emptyDir", {}).get("medium") is None and "emptyDir" in it
    )
    (container,) = pod["containers"]
    assert quantity_value(container["resources"]["limits"]["ephemeral-storage"]) >= room
    policy = recording.one("NetworkPolicy", "postgres-drill-egress").inputs["spec"]
    reached = [peer for rule in policy["egress"] for peer in rule["to"]]
    assert reached == [{"ipBlock": {"cidr": "10.1.2.3/32"}}]


def test_a_stack_without_drills_says_nothing_of_them(minikube: Recording) -> None:
    """Or its output would differ from that of a stack deployed before."""
    assert "drill" not in minikube.outputs["operations"]["database"]["backup"]


def test_without_a_schedule_there_is_no_backup() -> None:
    settings: dict[str, Any] = {**stack_settings("minikube"), "database": {"backup": None}}
    database = told(run_program(settings)).database
    assert database.mode == "inCluster"
    assert database.backup is None


def test_a_secrets_file_is_in_the_pods_of_its_service(minikube: Recording) -> None:
    it = told(minikube)
    assert "jwtNextKey" in [secret.name for secret in it.secrets]  # a rotation makes it
    for secret in it.secrets:
        service = it.service(secret.service)
        assert service
        pod = minikube.one(service.kind, service.workload).inputs["spec"]["template"]["spec"]
        mounts = [mount["mountPath"] for mount in pod["containers"][0]["volumeMounts"]]
        assert secret.mount_path in mounts
        if secret.config_key in SECRETS:
            files = minikube.one("Secret", f"todo-{service.name}-secrets").inputs["stringData"]
            assert files[secret.file] == SECRETS[secret.config_key]


@pytest.mark.parametrize("key", SECRETS)
def test_an_update_of_a_secrets_targets_brings_a_new_value_everywhere(
    key: str, minikube: Recording
) -> None:
    other = run_program(stack_settings("minikube"), secrets={**SECRETS, key: "another"})
    before = {r.urn: r.inputs for r in minikube.resources}
    changed = {r.urn for r in other.resources if r.inputs != before[r.urn]}
    secret = next(it for it in told(minikube).secrets if it.config_key == key)
    # Its pods roll, since the Secret that they mount has another name then.
    rolls = minikube.one("Deployment", "backend").urn
    assert {*secret.targets} == {*changed, rolls}


def test_secrets_of_a_store_are_nobodys_to_update() -> None:
    for secret in told(run_program(stack_settings("cloud"), secrets={})).secrets:
        assert not secret.generated
        assert not secret.targets


def test_behind_a_gateway_the_address_has_its_port_and_the_authority_is_named() -> None:
    gateway = {
        "mode": "gateway",
        "host": "todo.localhost",
        "gateway": "public",
        "gatewayNamespace": "gateway",
    }
    local = {"port": 30443, "authority": "public-authority"}
    found = {
        name: told(run_program({**stack_settings("minikube"), "frontend": {"exposure": exposure}}))
        for name, exposure in (("public", gateway), ("local", {**gateway, **local}))
    }
    public, here = (found[it].of_role("frontend") for it in ("public", "local"))
    assert (public.url, public.authority) == ("https://todo.localhost", None)
    assert here.url == "https://todo.localhost:30443"
    assert here.authority
    assert (here.authority.namespace, here.authority.config_map) == ("gateway", "public-authority")
