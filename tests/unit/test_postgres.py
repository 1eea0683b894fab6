"""PostgresStatefulSet: data, tuning, backup, and what a change must not do."""

import dataclasses
import re
import ssl
import subprocess
from pathlib import Path
from typing import Any

import pulumi_kubernetes as k8s
import pytest

from components.postgres import (
    Backup,
    Drill,
    PostgresMetrics,
    PostgresStatefulSet,
    PostgresStatefulSetArgs,
)
from components.postgres.tuning import shared_memory_size, tuning
from components.values.metrics import ScrapeAnnotations
from components.values.quantities import quantity_value
from tests.recording import ROOT, Recording, record

PAGE = (ROOT / "docs/components/postgres-stateful-set.md").read_text(encoding="utf-8")


def deploy(**arguments: Any) -> Recording:
    def program() -> None:
        args: dict[str, Any] = {"namespace": "x", "password": "secret-of-the-test", **arguments}
        PostgresStatefulSet("postgres", PostgresStatefulSetArgs(**args))

    return record(program)


def container_of(recording: Recording) -> dict[str, Any]:
    return recording.one("StatefulSet").inputs["spec"]["template"]["spec"]["containers"][0]


def env_of(recording: Recording) -> dict[str, str]:
    return {it["name"]: it["value"] for it in container_of(recording)["env"]}


def test_data_is_protected_unless_told_otherwise() -> None:
    assert deploy().one("StatefulSet").protect
    assert not deploy(protect=False).one("StatefulSet").protect


def test_claims_outlive_the_stateful_set() -> None:
    spec = deploy().one("StatefulSet").inputs["spec"]
    assert spec["persistentVolumeClaimRetentionPolicy"] == {
        "whenDeleted": "Retain",
        "whenScaled": "Retain",
    }


def test_a_new_password_replaces_nothing_but_the_secret() -> None:
    """An output of the Secret in the pod would make Pulumi replace the StatefulSet with it."""
    recording = deploy()
    secret, server = recording.one("Secret"), recording.one("StatefulSet")
    assert secret.urn in server.dependencies
    assert secret.urn not in server.property_dependencies


def test_password_is_a_file_and_never_in_the_clear() -> None:
    recording = deploy()
    assert env_of(recording)["POSTGRES_PASSWORD_FILE"] == "/run/secrets/postgres/database-password"
    assert "secret-of-the-test" not in str([r.raw for r in recording.resources])


def test_password_from_an_existing_secret() -> None:
    recording = deploy(password=None, existing_secret="kept")
    assert recording.of("Secret") == []
    volumes = recording.one("StatefulSet").inputs["spec"]["template"]["spec"]["volumes"]
    assert next(v for v in volumes if v["name"] == "secrets")["secret"]["secretName"] == "kept"


@pytest.mark.parametrize("sources", [{"password": None}, {"existing_secret": "kept"}])
def test_password_has_one_source(sources: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="exactly one"):
        deploy(**sources)


def test_data_is_in_a_folder_of_its_own() -> None:
    recording = deploy()
    data = next(m for m in container_of(recording)["volumeMounts"] if m["name"] == "data")
    assert env_of(recording)["PGDATA"] == f"{data['mountPath']}/pgdata"


def test_checksums_and_scram() -> None:
    options = env_of(deploy())["POSTGRES_INITDB_ARGS"].split()
    assert options == ["--data-checksums", "--auth-host=scram-sha-256"]


def test_every_pod_makes_a_certificate_that_only_its_server_can_read(tmp_path: Path) -> None:
    pod = deploy().one("StatefulSet").inputs["spec"]["template"]["spec"]
    (maker,) = pod["initContainers"]
    (mount,) = maker["volumeMounts"]
    script = maker["command"][-1].replace(mount["mountPath"], str(tmp_path))
    env = {"PATH": "/usr/bin:/bin", "NAME": maker["env"][0]["value"]}
    done = subprocess.run(
        ["sh", "-c", script], env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    parameters = dict(it[2:].split("=", 1) for it in pod["containers"][0]["args"][1:])
    assert parameters["ssl"] == "on"
    certificate, key = (
        tmp_path / Path(parameters[it]).relative_to(mount["mountPath"])
        for it in ("ssl_cert_file", "ssl_key_file")
    )
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
    assert key.stat().st_mode & 0o077 == 0
    volume = next(it for it in pod["volumes"] if it["name"] == mount["name"])
    assert volume["emptyDir"]["medium"] == "Memory"


def test_an_image_without_openssl_says_what_is_missing(tmp_path: Path) -> None:
    (maker,) = deploy().one("StatefulSet").inputs["spec"]["template"]["spec"]["initContainers"]
    done = subprocess.run(
        ["/bin/sh", "-c", maker["command"][-1]],
        env={"PATH": str(tmp_path), "NAME": "x"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "no openssl" in done.stdout


def test_probes_ask_over_tcp_and_recovery_has_time() -> None:
    container = container_of(deploy())
    for probe in ("startupProbe", "readinessProbe"):
        assert container[probe]["exec"]["command"][:3] == ["pg_isready", "-h", "127.0.0.1"]
    startup = container["startupProbe"]
    assert startup["periodSeconds"] * startup["failureThreshold"] >= 300


@pytest.mark.parametrize(
    ("exit_code", "alive"),
    [(0, True), (1, True), (2, False), (3, False)],
    ids=["accepts", "recovers", "no answer", "not asked"],
)
def test_a_server_that_recovers_is_alive(exit_code: int, alive: bool, tmp_path: Path) -> None:
    pg_isready = tmp_path / "pg_isready"
    pg_isready.write_text(f'#!/bin/sh\n[ "$*" = "-h 127.0.0.1 -U u -d d" ] && exit {exit_code}\n')
    pg_isready.chmod(0o755)
    probe = container_of(deploy(user="u", database="d"))["livenessProbe"]
    done = subprocess.run(probe["exec"]["command"], env={"PATH": str(tmp_path)}, check=False)
    assert (done.returncode == 0) == alive


def test_only_clients_and_backups_may_connect() -> None:
    client = {"app.kubernetes.io/name": "backend"}
    (policy,) = deploy(clients=[client]).of("NetworkPolicy")
    peers = [
        peer["podSelector"]["matchLabels"]["app.kubernetes.io/name"]
        for rule in policy.inputs["spec"]["ingress"]
        for peer in rule["from"]
    ]
    assert peers == ["backend", "postgres-backup"]


def test_backups_reach_the_server_and_name_servers_and_nothing_else() -> None:
    recording = deploy(backup=Backup(), dns_cidrs=["10.0.0.10/32"])
    policy = recording.one("NetworkPolicy", "postgres-backup-egress").inputs["spec"]
    job = recording.one("CronJob").inputs["spec"]["jobTemplate"]["spec"]["template"]
    assert policy["podSelector"]["matchLabels"].items() <= job["metadata"]["labels"].items()
    server = recording.one("StatefulSet").inputs["spec"]["selector"]["matchLabels"]
    to_server, to_dns = policy["egress"]
    assert to_server == {
        "to": [{"podSelector": {"matchLabels": server}}],
        "ports": [{"protocol": "TCP", "port": 5432}],
    }
    assert {"ipBlock": {"cidr": "10.0.0.10/32"}} in to_dns["to"]
    assert {it["port"] for it in to_dns["ports"]} == {53}


def test_what_is_declared_can_be_had_from_the_component() -> None:
    found: list[PostgresStatefulSet] = []

    def program() -> None:
        for name, backup in (("db", Backup()), ("bare", None)):
            args = PostgresStatefulSetArgs(
                namespace="x",
                existing_secret=None if backup else "s",
                password=backup and "p",
                backup=backup,
            )
            found.append(PostgresStatefulSet(name, args))

    recording = record(program)
    db, bare = found
    assert bare.secret is None
    assert bare.backup is None
    assert db.secret
    assert db.backup
    assert db.backup.claim
    had = [
        db.stateful_set,
        db.service,
        db.headless_service,
        db.service_account,
        db.roles,
        db.secret,
        db.network_policy,
        db.backup.cron_job,
        db.backup.claim,
        db.backup.service_account,
        db.backup.network_policy,
    ]
    names = {it.pulumi_resource_name for it in had}
    component = next(r for r in recording.resources if r.name == "db")
    assert names == {r.name for r in recording.resources if r.parent == component.urn}
    assert db.selector == recording.one("Service", "db").inputs["spec"]["selector"]


def test_both_pods_run_where_they_are_told_to() -> None:
    recording = deploy(
        backup=Backup(),
        node_selector={"disk": "ssd"},
        tolerations=[k8s.core.v1.TolerationArgs(key="db", operator="Exists")],
        priority_class="high",
        pod_annotations={"a": "b"},
        pull_secrets=["registry"],
    )
    job = recording.one("CronJob").inputs["spec"]["jobTemplate"]["spec"]["template"]
    for template in (recording.one("StatefulSet").inputs["spec"]["template"], job):
        assert template["metadata"]["annotations"] == {"a": "b"}
        assert template["spec"]["nodeSelector"] == {"disk": "ssd"}
        assert template["spec"]["tolerations"] == [{"key": "db", "operator": "Exists"}]
        assert template["spec"]["priorityClassName"] == "high"
        assert template["spec"]["imagePullSecrets"] == [{"name": "registry"}]


def test_server_and_backups_may_have_a_role_of_the_cloud() -> None:
    role = {"eks.amazonaws.com/role-arn": "arn:aws:iam::111122223333:role/db"}
    accounts = deploy(backup=Backup(), service_account_annotations=role).of("ServiceAccount")
    assert {it.kubernetes_name for it in accounts} == {"postgres", "postgres-backup"}
    assert all(it.inputs["metadata"]["annotations"] == role for it in accounts)


def test_whoever_knows_better_has_the_last_word() -> None:
    def more_history(spec: k8s.apps.v1.StatefulSetSpecArgs) -> k8s.apps.v1.StatefulSetSpecArgs:
        spec.revision_history_limit = 10
        return spec

    spec = deploy(customize=more_history).one("StatefulSet").inputs["spec"]
    assert spec["revisionHistoryLimit"] == 10
    assert spec["replicas"] == 1


def test_a_secret_of_an_operator_may_call_the_password_as_it_likes() -> None:
    recording = deploy(
        password=None, existing_secret="kept", password_key="password", backup=Backup()
    )
    assert env_of(recording)["POSTGRES_PASSWORD_FILE"] == "/run/secrets/postgres/password"
    job = recording.one("CronJob").inputs["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    assert {"name": "PASSWORD_FILE", "value": "/run/secrets/postgres/password"} in (
        job["containers"][0]["env"]
    )
    for pod in (recording.one("StatefulSet").inputs["spec"]["template"]["spec"], job):
        (secret,) = [it["secret"] for it in pod["volumes"] if it["name"] == "secrets"]
        assert secret["items"] == [{"key": "password", "path": "password"}]


def test_by_default_an_instance_is_called_as_its_component() -> None:
    labels = deploy().one("StatefulSet").inputs["metadata"]["labels"]
    assert labels["app.kubernetes.io/instance"] == "postgres"
    assert labels["app.kubernetes.io/part-of"] == "postgres"


def test_the_applications_role_is_no_superuser() -> None:
    assert env_of(deploy())["APPLICATION_USER"] != "postgres"
    with pytest.raises(ValueError, match="superuser"):
        deploy(user="postgres")


def test_the_applications_role_is_not_the_one_that_reads_metrics() -> None:
    """Which may change nothing, and gets a password of its own."""
    deploy(user="metrics_exporter")
    with pytest.raises(ValueError, match="reads the metrics"):
        deploy(user="metrics_exporter", metrics=PostgresMetrics())


def test_no_backup_without_asking() -> None:
    assert deploy().of("CronJob") == []


def test_backup() -> None:
    recording = deploy(backup=Backup(schedule="5 4 * * *", keep=3, storage_size="2Gi"))
    job = recording.one("CronJob").inputs["spec"]
    assert job["schedule"] == "5 4 * * *"
    assert job["concurrencyPolicy"] == "Forbid"
    claim = recording.one("PersistentVolumeClaim")
    assert claim.retain_on_delete
    assert claim.inputs["spec"]["resources"]["requests"]["storage"] == "2Gi"
    container = job["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]
    assert {"name": "KEEP", "value": "3"} in container["env"]


def drill_of(recording: Recording) -> dict[str, Any]:
    return recording.one("CronJob", "postgres-drill").inputs["spec"]


def test_a_drill_has_neither_the_password_nor_anybody_to_talk_to() -> None:
    recording = deploy(backup=Backup(drill=Drill(schedule="5 4 * * 1")), dns_cidrs=["10.0.0.1/32"])
    spec = drill_of(recording)
    assert (spec["schedule"], spec["timeZone"]) == ("5 4 * * 1", "Etc/UTC")
    template = spec["jobTemplate"]["spec"]["template"]
    assert template["spec"]["automountServiceAccountToken"] is False
    assert not any("secret" in volume for volume in template["spec"]["volumes"])
    policy = recording.one("NetworkPolicy", "postgres-drill-egress").inputs["spec"]
    assert policy["policyTypes"] == ["Egress"]
    assert not policy.get("egress")
    labels = template["metadata"]["labels"]
    assert policy["podSelector"]["matchLabels"].items() <= labels.items()
    for rule in recording.one("NetworkPolicy", "postgres-ingress").inputs["spec"]["ingress"]:
        for peer in rule["from"]:
            assert not peer["podSelector"]["matchLabels"].items() <= labels.items()


def test_a_drill_reads_the_backups_and_may_write_as_much_as_the_data_volume_holds() -> None:
    spec = drill_of(deploy(backup=Backup(drill=Drill()), storage_size="10Gi"))
    pod = spec["jobTemplate"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    mounts = {it["name"]: it for it in container["volumeMounts"]}
    env = {it["name"]: it["value"] for it in container["env"]}
    assert mounts["backups"]["readOnly"] is True
    assert env["BACKUPS"] == mounts["backups"]["mountPath"]
    assert env["SCRATCH"] == mounts["scratch"]["mountPath"]
    volumes = {it["name"]: it for it in pod["volumes"]}
    assert volumes["backups"]["persistentVolumeClaim"]["claimName"] == "postgres-backup"
    assert volumes["scratch"]["emptyDir"]["sizeLimit"] == "10752Mi"
    # An emptyDir counts against the container's limit: with less it would be evicted.
    limit = quantity_value(container["resources"]["limits"]["ephemeral-storage"])
    assert limit > quantity_value("10752Mi")


def test_no_drill_without_asking() -> None:
    recording = deploy(backup=Backup())
    assert {it.kubernetes_name for it in recording.of("CronJob")} == {"postgres-backup"}


def test_a_backup_waits_until_the_network_lets_it_through(tmp_path: Path) -> None:
    recording = deploy(backup=Backup())
    pod = recording.one("CronJob").inputs["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    (tmp_path / "password").write_text("p")
    asked = f"{tmp_path}/asked"
    programs = {
        "pg_isready": f'echo >> {asked}; [ "$(wc -l < {asked})" -ge 3 ]',
        "sleep": "exit 0",
        "pg_dump": f'[ "$(wc -l < {asked})" -ge 3 ]',
        "pg_restore": "exit 0",
    }
    for name, script in programs.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)
    script = pod["containers"][0]["command"][-1].replace("/backups", str(tmp_path))
    done = subprocess.run(
        ["sh", "-c", script],
        env={
            "PATH": f"{tmp_path}:/usr/bin:/bin",
            "PASSWORD_FILE": f"{tmp_path}/password",
            "PGDATABASE": "todo",
            "KEEP": "7",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_tuning_for_half_a_gibibyte_and_a_small_volume() -> None:
    assert tuning("512Mi", "1Gi") == {
        "max_connections": "100",
        "shared_buffers": "128MB",
        "effective_cache_size": "256MB",
        "maintenance_work_mem": "32MB",
        "work_mem": "1310kB",
        "max_wal_size": "256MB",
        "min_wal_size": "64MB",
        "password_encryption": "scram-sha-256",
        "superuser_reserved_connections": "5",
    }


@pytest.mark.parametrize("memory", ["64Mi", "256Mi", "1Gi", "16Gi"])
def test_tuning_fits_the_memory(memory: str) -> None:
    parameters = tuning(memory, "10Gi")
    assert int(parameters["shared_buffers"][:-2]) * 4 <= 16384
    assert int(parameters["work_mem"][:-2]) >= 64


def test_shared_memory() -> None:
    assert shared_memory_size("256Mi") == "64Mi"
    assert shared_memory_size("4Gi") == "512Mi"


def test_its_page_names_every_argument_once_and_in_order() -> None:
    table = PAGE.split("## Arguments")[1].split("##")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == [
        it.name for it in dataclasses.fields(PostgresStatefulSetArgs)
    ]


def test_the_example_of_its_page_declares_the_objects_that_the_page_names() -> None:
    (example,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    code = example.replace("kubernetes_app_components", "components")
    recording = record(lambda: exec(code, {}), {"todo:databasePassword": "p"})  # noqa: S102
    table = PAGE.split("## What it declares")[1].split("## Arguments")[0]
    named = re.findall(r"^\| .* \| `(NAME.*?)` \| `(name.*?)` \|", table, re.MULTILINE)
    assert {
        (name.replace("NAME", "db"), pulumi.replace("name", "db")) for name, pulumi in named
    } == {
        (r.kubernetes_name, r.name) for r in recording.resources if r.type.startswith("kubernetes:")
    }


def test_metrics_are_read_by_a_role_of_their_own_whose_password_never_changes() -> None:
    recording = deploy(metrics=PostgresMetrics(scraped=ScrapeAnnotations()))
    secret = recording.one("Secret", "postgres-metrics")
    assert secret.secret_paths == ("stringData",)
    assert {*secret.ignore_changes} == {"stringData", "data"}
    spec = recording.one("StatefulSet").inputs["spec"]["template"]["spec"]
    (volume,) = [it for it in spec["volumes"] if it["name"] == "metrics"]
    assert volume["secret"]["secretName"] == "postgres-metrics"
    exporter = recording.one("Deployment", "postgres-exporter").inputs["spec"]
    assert exporter["replicas"] == 1
    pod = exporter["template"]
    assert pod["metadata"]["annotations"]["prometheus.io/port"] == "9187"
    env = {it["name"]: it["value"] for it in pod["spec"]["containers"][0]["env"]}
    assert env["DATA_SOURCE_USER"] == "metrics_exporter"
    assert env["DATA_SOURCE_URI"].endswith("sslmode=require")


def test_the_exporter_alone_is_admitted_besides_clients_and_backups() -> None:
    def admitted(**arguments: Any) -> list[str]:
        (rule, *more) = (
            deploy(**arguments).one("NetworkPolicy", "postgres-ingress").inputs["spec"]["ingress"]
        )
        return [
            it["from"][0]["podSelector"]["matchLabels"]["app.kubernetes.io/name"]
            for it in (rule, *more)
        ]

    assert admitted() == ["postgres-backup"]
    assert admitted(metrics=PostgresMetrics()) == ["postgres-backup", "postgres-exporter"]


def test_without_metrics_the_servers_pod_is_as_it_was_before_there_were_any() -> None:
    recording = deploy()
    assert "metrics" not in str(recording.one("StatefulSet").inputs)
    assert [*recording.one("ConfigMap").inputs["data"]] == ["10-roles.sh"]
