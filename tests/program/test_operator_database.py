"""The application on an operator's database: the same services, secrets and operations."""

from typing import Any

import pulumi
import pytest

from components.cluster.missing_kind import refuse_missing_kind
from components.todo.cluster import REMEDIES
from components.todo.settings.parse import parse_settings
from ops.contract import OperatorDatabase, operations_in
from policy.rules import STACK_RULES, Resource
from stack_settings.errors import SettingsError
from tests.programs import run_program, stack_settings
from tests.recording import SECRETS, Recording

_STORE = {"bucket": "backups", "endpoint": "https://10.1.2.3", "prefix": "shop"}
_BACKUP = {"objectStore": {**_STORE, "cidr": "10.1.2.3/32"}}
_STORE_SECRETS = {"todo:objectStoreKeyId": "id-of-the-tests", "todo:objectStoreSecret": "s3-secret"}


def settings(**database: Any) -> dict[str, Any]:
    return {**stack_settings("minikube"), "database": {"mode": "operator", **database}}


@pytest.fixture(scope="module")
def found() -> Recording:
    given = settings(instances=3, synchronous=True, backup=_BACKUP)
    return run_program(given, secrets={**SECRETS, **_STORE_SECRETS})


def test_operations_are_told_what_they_need(found: Recording) -> None:
    told = operations_in(found.outputs)
    database = told.database
    assert isinstance(database, OperatorDatabase)
    cluster = found.one("Cluster", database.cluster).inputs
    secret = found.one("Secret", database.password_secret.name).inputs["stringData"]
    assert secret[database.password_secret.key] == SECRETS["todo:databasePassword"]
    assert secret["username"] == database.user == cluster["spec"]["bootstrap"]["initdb"]["owner"]
    assert database.backup
    found.one("ScheduledBackup", database.backup.scheduled_backup)
    service = told.of_role("database")
    labels = cluster["spec"]["inheritedMetadata"]["labels"]
    assert labels["app.kubernetes.io/component"] == service.component
    assert (service.kind, service.workload) == ("Cluster", database.cluster)
    assert database.host == service.service == f"{database.cluster}-rw"


def test_the_backend_waits_for_the_cluster_and_writes_where_the_operator_leads_it(
    found: Recording,
) -> None:
    backend = found.one("Deployment", "backend")
    # The quota of the operator's servers grows and shrinks as that of others does.
    assert "room in the quota of todo" in found.one("Cluster").hooks
    assert found.one("Cluster").urn in found.one("ResourceQuota").dependencies
    assert found.one("Cluster").urn in backend.dependencies
    container = backend.inputs["spec"]["template"]["spec"]["containers"][0]
    env = {it["name"]: it.get("value") for it in container["env"]}
    assert env["DATABASE_HOST"] == "postgres-cluster-rw"
    assert env["DATABASE_CHANNEL_BINDING"] == "require"


def test_backend_and_cluster_reach_each_other(found: Recording) -> None:
    cluster = found.one("Cluster").inputs["spec"]["inheritedMetadata"]["labels"]
    egress = found.one("NetworkPolicy", "backend-egress").inputs["spec"]["egress"]
    reached = [
        peer["podSelector"]["matchLabels"]
        for rule in egress
        for peer in rule.get("to", [])
        if "podSelector" in peer
    ]
    assert any(it.items() <= cluster.items() for it in reached)
    ingress = found.one("NetworkPolicy", "postgres-cluster-ingress").inputs["spec"]["ingress"]
    backend = found.one("Deployment", "backend").inputs["spec"]["template"]["metadata"]["labels"]
    peers = [rule["from"][0]["podSelector"]["matchLabels"] for rule in ingress]
    assert any(it.items() <= backend.items() for it in peers)


def test_nothing_of_the_stateful_set_is_declared_besides(found: Recording) -> None:
    assert found.of("StatefulSet") == found.of("CronJob") == []


def test_a_drill_by_schedule_is_known_to_operations() -> None:
    given = settings(backup={**_BACKUP, "drill": {"schedule": "5 4 * * 1"}})
    recording = run_program(given, secrets={**SECRETS, **_STORE_SECRETS})
    drill = operations_in(recording.outputs).drill
    assert drill
    job = recording.one("CronJob", drill.cron_job).inputs["spec"]
    assert job["schedule"] == "5 4 * * 1"
    pod = job["jobTemplate"]["spec"]["template"]["spec"]
    assert [it["name"] for it in pod["containers"]] == [drill.container]
    env = {it["name"]: it.get("value") for it in pod["containers"][0]["env"]}
    store = recording.one("Cluster").inputs["spec"]["backup"]["barmanObjectStore"]
    assert env["ARCHIVE"] == store["serverName"]
    text = str([it.raw for it in recording.resources])
    assert not [it for it in _STORE_SECRETS.values() if it in text]


def test_no_secret_is_in_the_clear(found: Recording) -> None:
    text = str([it.raw for it in found.resources])
    assert not [it for it in (*SECRETS.values(), *_STORE_SECRETS.values()) if it in text]


def test_the_store_is_opened_by_the_stacks_secrets(found: Recording) -> None:
    store = found.one("Cluster").inputs["spec"]["backup"]["barmanObjectStore"]["s3Credentials"]
    for key, config in (
        ("accessKeyId", "todo:objectStoreKeyId"),
        ("secretAccessKey", "todo:objectStoreSecret"),
    ):
        secret = found.one("Secret", "postgres-cluster-store").inputs["stringData"]
        assert secret[store[key]["key"]] == _STORE_SECRETS[config]


def test_the_policy_pack_has_nothing_to_say(found: Recording) -> None:
    stack = [Resource(type=it.type, name=it.name, properties=it.inputs) for it in found.resources]
    assert [line for rule in STACK_RULES for line in rule.check(stack)] == []


def test_a_password_in_a_secret_store_reaches_the_operator_in_the_form_that_it_reads() -> None:
    keys = {"databasePassword": "shop/database", "jwtKey": "shop/jwt"}
    external = {"mode": "external", "store": "vault", "storeKind": "SecretStore", "keys": keys}
    recording = run_program({**settings(), "secrets": external}, secrets={})
    name = recording.one("Cluster").inputs["spec"]["bootstrap"]["initdb"]["secret"]["name"]
    spec = recording.one("ExternalSecret", name).inputs["spec"]
    assert spec["target"]["template"]["type"] == "kubernetes.io/basic-auth"
    assert spec["target"]["template"]["data"] == {
        "username": "todo",
        "password": "{{ .password }}",
    }
    assert spec["data"] == [{"secretKey": "password", "remoteRef": {"key": "shop/database"}}]


@pytest.mark.parametrize(
    ("database", "sentence"),
    [
        ({"instances": 4}, "less than or equal to 3"),
        ({"instances": 1, "synchronous": True}, "instances of 2 or 3 with synchronous true"),
        ({"image": "ghcr.io/cloudnative-pg/postgresql:latest-17"}, "begins with PostgreSQL's ver"),
        ({"storage": {"size": "256Mi"}}, "at least 512Mi"),
        ({"user": "streaming_replica"}, "another name"),
        ({"user": "cnpg_metrics_exporter"}, "the operator's roles"),
        ({"resources": {"memoryLimit": "32Mi"}}, "memoryLimit"),
    ],
)
def test_a_wrong_setting_is_refused_in_one_sentence(
    database: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(SettingsError, match=sentence):
        parse_settings(settings(**database))


def test_a_cluster_without_the_operator_is_led_to_the_add_on() -> None:
    with pytest.raises(pulumi.RunError, match=r"make addons.*postgresOperator.*database.mode"):
        refuse_missing_kind(
            "postgresql.cnpg.io/v1",
            "Cluster",
            lambda _, __: False,
            lambda _: False,
            REMEDIES.without_kind,
        )
