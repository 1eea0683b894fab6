"""PostgresCluster: what the operator is told, who reaches the instances, what is never lost."""

from typing import Any

import pulumi
import pytest

from components.cluster.polling import Polling
from components.postgres_cluster import (
    ContinuousBackup,
    Drill,
    PostgresCluster,
    PostgresClusterArgs,
    StoreCredentials,
)
from components.postgres_cluster.hooks import refuse_to_wait
from components.postgres_cluster.rollout import ClusterRollout
from components.values.metrics import ScrapeAnnotations, ServiceMonitorMetrics
from components.values.object_store import ObjectStore
from components.values.quantities import quantity_value
from policy.rules import RULES, Resource
from tests.recording import ROOT, Recording, record

PAGE = (ROOT / "docs/components/postgres-cluster.md").read_text(encoding="utf-8")
STORE = ObjectStore(
    bucket="backups", endpoint="https://10.1.2.3:9000", prefix="shop/live", cidr="10.1.2.3/32"
)
BACKUP = {
    "backup": ContinuousBackup(store=STORE),
    "store_credentials": StoreCredentials(secret="store", key_id="id", secret_key="key"),
}


def deploy(**arguments: Any) -> Recording:
    def program() -> None:
        args: dict[str, Any] = {"namespace": "x", "password": "secret-of-the-test", **arguments}
        PostgresCluster("db", PostgresClusterArgs(**args))

    return record(program)


def spec_of(recording: Recording) -> dict[str, Any]:
    return recording.one("Cluster").inputs["spec"]


def test_what_holds_data_is_neither_deleted_nor_replaced() -> None:
    assert deploy().one("Cluster").protect
    found = deploy(protect=False)
    assert not found.one("Cluster").protect
    # Its volumes would go with it; without password and policies it would not go on.
    for kind in ("Cluster", "Secret", "NetworkPolicy"):
        assert all(it.retain_on_delete for it in found.of(kind))


def test_the_password_is_a_secret_that_the_operator_follows() -> None:
    recording = deploy()
    secret = recording.one("Secret")
    assert secret.inputs["stringData"] == {"username": "app", "password": "secret-of-the-test"}
    assert secret.inputs["metadata"]["labels"]["cnpg.io/reload"] == "true"
    assert "secret-of-the-test" not in str([it.raw for it in recording.resources])
    bootstrap = spec_of(recording)["bootstrap"]["initdb"]
    assert bootstrap["secret"] == {"name": "db-credentials"}
    assert secret.urn not in recording.one("Cluster").property_dependencies


def test_a_secret_of_others_is_used_as_it_is() -> None:
    recording = deploy(password=None, existing_secret="kept")
    assert recording.of("Secret") == []
    assert spec_of(recording)["bootstrap"]["initdb"]["secret"] == {"name": "kept"}


def test_an_update_switches_over_where_there_is_somebody_to_switch_to() -> None:
    assert spec_of(deploy(instances=2))["primaryUpdateMethod"] == "switchover"
    single = spec_of(deploy())
    assert single["primaryUpdateMethod"] == "restart"
    # It could only keep a node from being drained, for ever.
    assert not single["enablePDB"]


def test_a_commit_waits_for_a_second_instance_if_it_is_to() -> None:
    assert "synchronous" not in spec_of(deploy(instances=3))["postgresql"]
    three = spec_of(deploy(instances=3, synchronous=True))["postgresql"]["synchronous"]
    assert three["number"] == 1
    assert three["dataDurability"] == "required"
    assert three["failoverQuorum"]
    # Two have no majority without one of them.
    two = spec_of(deploy(instances=2, synchronous=True))["postgresql"]["synchronous"]
    assert not two["failoverQuorum"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"password": None}, "exactly one"),
        ({"user": "postgres"}, "superuser"),
        ({"instances": 4}, "1 to 3 instances"),
        ({"synchronous": True}, "at least 2 instances"),
        ({"backup": BACKUP["backup"]}, "store_credentials"),
    ],
)
def test_what_would_fail_in_the_cluster_fails_before(
    arguments: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        deploy(**arguments)


def _rules(recording: Recording, name: str, direction: str) -> list[dict[str, Any]]:
    return recording.one("NetworkPolicy", name).inputs["spec"][direction]


def test_clients_and_the_instances_themselves_connect_and_nobody_else() -> None:
    client = {"app.kubernetes.io/name": "shop"}
    recording = deploy(clients=[client], operator_namespace="operators")
    peers = [
        rule["from"][0]["podSelector"]["matchLabels"]
        for rule in _rules(recording, "db-ingress", "ingress")
    ]
    own = recording.one("NetworkPolicy", "db-ingress").inputs["spec"]["podSelector"]["matchLabels"]
    assert peers == [client, own]
    # The labels that the operator gives each pod that it makes, jobs included.
    labels = spec_of(recording)["inheritedMetadata"]["labels"]
    assert own.items() <= labels.items()
    operator, instances = _rules(recording, "db-status-ingress", "ingress")
    chosen = operator["from"][0]["namespaceSelector"]["matchLabels"]
    assert chosen == {"kubernetes.io/metadata.name": "operators"}
    assert instances["from"][0]["podSelector"]["matchLabels"] == own
    assert [it["ports"][0]["port"] for it in (operator, instances)] == [8000, 8000]


def test_the_store_is_reached_with_a_backup_alone() -> None:
    def reached(recording: Recording) -> list[Any]:
        rules = _rules(recording, "db-egress", "egress")
        return [rule["to"] for rule in rules if rule["ports"][0]["port"] == STORE.port]

    assert reached(deploy(**BACKUP)) == [[{"ipBlock": {"cidr": STORE.cidr}}]]
    assert reached(deploy()) == []


def test_the_log_goes_to_the_stacks_own_folder_of_the_store() -> None:
    recording = deploy(**BACKUP)
    backup = spec_of(recording)["backup"]
    store = backup["barmanObjectStore"]
    assert store["destinationPath"] == "s3://backups/shop/live/wal"
    assert store["s3Credentials"]["accessKeyId"] == {"name": "store", "key": "id"}
    assert store["s3Credentials"]["secretAccessKey"] == {"name": "store", "key": "key"}
    assert backup["retentionPolicy"] == "30d"
    schedule = recording.one("ScheduledBackup", "db-backup").inputs["spec"]
    assert schedule["cluster"] == {"name": "db"}
    # Six fields, the first of which is the second; and one at once, or the log restores nothing.
    assert schedule["schedule"] == "0 17 3 * * *"
    assert schedule["immediate"]


def test_a_cluster_that_is_made_anew_archives_into_a_folder_of_its_own() -> None:
    """The operator archives nothing into a folder that has another's log."""
    named = spec_of(deploy(**BACKUP, archive_name="db-2"))["backup"]["barmanObjectStore"]
    assert named["serverName"] == "db-2"
    assert "serverName" not in spec_of(deploy(**BACKUP))["backup"]["barmanObjectStore"]


def test_a_store_with_an_authority_of_its_own_is_verified_by_it() -> None:
    public = spec_of(deploy(**BACKUP))["backup"]["barmanObjectStore"]
    assert "endpointCA" not in public
    store = STORE.model_copy(update={"ca_bundle": "the authority"})
    recording = deploy(**{**BACKUP, "backup": ContinuousBackup(store=store)})
    verified = spec_of(recording)["backup"]["barmanObjectStore"]["endpointCA"]
    authority = recording.one("Secret", verified["name"]).inputs
    assert authority["stringData"][verified["key"]] == "the authority"


DRILLED = {**BACKUP, "backup": ContinuousBackup(store=STORE, drill=Drill(schedule="5 4 * * 1"))}


def drill_of(recording: Recording) -> dict[str, Any]:
    return recording.one("CronJob", "db-drill").inputs["spec"]


def test_a_drill_has_no_right_in_the_cluster_and_reaches_the_store_alone() -> None:
    recording = deploy(**DRILLED, dns_cidrs=None)
    spec = drill_of(recording)
    assert (spec["schedule"], spec["timeZone"]) == ("5 4 * * 1", "Etc/UTC")
    template = spec["jobTemplate"]["spec"]["template"]
    assert template["spec"]["automountServiceAccountToken"] is False
    assert recording.of("Role") == recording.of("RoleBinding") == []
    policy = recording.one("NetworkPolicy", "db-drill-egress").inputs["spec"]
    labels = template["metadata"]["labels"]
    assert policy["podSelector"]["matchLabels"].items() <= labels.items()
    assert [(it["to"], it["ports"][0]["port"]) for it in policy["egress"]] == [
        ([{"ipBlock": {"cidr": STORE.cidr}}], STORE.port)
    ]
    for rule in _rules(recording, "db-ingress", "ingress"):
        for peer in rule["from"]:
            assert not peer["podSelector"]["matchLabels"].items() <= labels.items()


def test_a_drill_reads_the_archive_that_the_cluster_writes() -> None:
    store = STORE.model_copy(update={"ca_bundle": "the authority"})
    backup = ContinuousBackup(store=store, drill=Drill())
    recording = deploy(**{**BACKUP, "backup": backup}, archive_name="db-2")
    written = spec_of(recording)["backup"]["barmanObjectStore"]
    pod = drill_of(recording)["jobTemplate"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    env = {it["name"]: it["value"] for it in container["env"]}
    assert env["DESTINATION"] == written["destinationPath"]
    assert env["ARCHIVE"] == written["serverName"] == "db-2"
    assert env["ENDPOINT"] == written["endpointURL"]
    assert container["image"] == spec_of(recording)["imageName"]
    mounts = {it["name"]: it["mountPath"] for it in container["volumeMounts"]}
    volumes = {it["name"]: it for it in pod["volumes"]}
    secret = volumes["credentials"]["secret"]
    assert secret["secretName"] == "store"
    files = {f"{mounts['credentials']}/{it['path']}": it["key"] for it in secret["items"]}
    assert files == {env["KEY_ID_FILE"]: "id", env["SECRET_FILE"]: "key"}
    assert volumes["authority"]["secret"]["secretName"] == written["endpointCA"]["name"]
    assert env["AUTHORITY_FILE"] == f"{mounts['authority']}/{written['endpointCA']['key']}"
    without = drill_of(deploy(**DRILLED))["jobTemplate"]["spec"]["template"]["spec"]
    assert "AUTHORITY_FILE" not in {it["name"] for it in without["containers"][0]["env"]}


def test_a_drill_may_write_as_much_as_a_volume_holds_and_asks_for_that_room() -> None:
    pod = drill_of(deploy(**DRILLED, storage_size="10Gi"))["jobTemplate"]["spec"]["template"][
        "spec"
    ]
    (container,) = pod["containers"]
    scratch = next(it["emptyDir"] for it in pod["volumes"] if it["name"] == "scratch")
    room = next(it["value"] for it in container["env"] if it["name"] == "ROOM")
    assert quantity_value(scratch["sizeLimit"]) == int(room) > quantity_value("10Gi")
    # An emptyDir counts against the container's limit: with less it would be evicted.
    assert quantity_value(container["resources"]["limits"]["ephemeral-storage"]) > int(room)


def test_no_drill_without_asking() -> None:
    assert deploy(**BACKUP).of("CronJob") == []


def test_metrics_are_found_as_a_prometheus_looks_for_them() -> None:
    plain = deploy()
    assert plain.of("PodMonitor") == plain.of("NetworkPolicy", "db-metrics-ingress") == []
    annotated = deploy(metrics=ScrapeAnnotations())
    annotations = spec_of(annotated)["inheritedMetadata"]["annotations"]
    assert annotations["prometheus.io/port"] == "9187"
    (rule,) = _rules(annotated, "db-metrics-ingress", "ingress")
    assert rule["ports"][0]["port"] == 9187
    monitored = deploy(metrics=ServiceMonitorMetrics(labels={"release": "p"}))
    monitor = monitored.one("PodMonitor").inputs
    assert monitor["metadata"]["labels"]["release"] == "p"
    assert (
        monitor["spec"]["selector"]["matchLabels"].items()
        <= spec_of(monitored)["inheritedMetadata"]["labels"].items()
    )


def test_a_small_volume_is_not_filled_by_what_is_kept_for_standbys() -> None:
    parameters = spec_of(deploy(instances=3))["postgresql"]["parameters"]
    assert parameters["wal_keep_size"] == "64MB"
    assert parameters["max_slot_wal_keep_size"] == "256MB"


def test_the_page_names_what_is_declared() -> None:
    client = {"app.kubernetes.io/name": "shop"}
    recording = deploy(clients=[client], metrics=ServiceMonitorMetrics(), instances=3, **DRILLED)
    for it in recording.resources:
        if it.type.startswith("kubernetes:"):
            name = (it.kubernetes_name or "").replace("db", "NAME")
            assert f"| {it.kind} | `{name}` | `{it.name.replace('db', 'name')}` |" in PAGE, it.name


def test_the_policy_pack_has_nothing_to_say() -> None:
    found = [
        Resource(type=it.type, name=it.name, properties=it.inputs)
        for it in deploy(instances=3, **DRILLED).resources
    ]
    assert [line for rule in RULES for it in found for line in rule.check(it)] == []


class Operator:
    """An API server with the one Cluster x/db."""

    def __init__(self, status: dict[str, Any], pods: list[dict[str, Any]] | None = None) -> None:
        self.cluster = {"spec": {"instances": 2, "imageName": "i"}, "status": status}
        self.pods = pods or []

    def request(self, method: str, path: str, body: object = None) -> Any:
        if path == "/apis/postgresql.cnpg.io/v1/namespaces/x/clusters/db":
            return self.cluster
        assert path == "/api/v1/namespaces/x/pods?labelSelector=cnpg.io/cluster=db"
        return {"items": self.pods}


READY = {
    "phase": "Cluster in healthy state",
    "instances": 2,
    "readyInstances": 2,
    "image": "i",
    "currentPrimary": "db-1",
    "targetPrimary": "db-1",
}


def _wait(api: Operator) -> None:
    polling = Polling(timeout=0.3, grace=0.02, interval=0.01)
    ClusterRollout(api, "operators", "the settings", polling).wait("x", "db")


def test_a_cluster_that_is_what_it_says_is_awaited() -> None:
    _wait(Operator(READY))


@pytest.mark.parametrize(
    "other",
    [
        {"readyInstances": 1},
        {"instances": 3},
        {"image": "former"},
        {"targetPrimary": "db-2"},
        {"phase": "Upgrading cluster"},
    ],
)
def test_an_update_ends_only_when_the_operator_is_done(other: dict[str, Any]) -> None:
    with pytest.raises(pulumi.RunError, match="not ready"):
        _wait(Operator({**READY, **other}))


def test_without_an_operator_it_is_said_where_one_is_looked_for() -> None:
    with pytest.raises(pulumi.RunError, match="one runs in the namespace operators"):
        _wait(Operator({}))


def test_the_operators_own_words_are_given() -> None:
    status = {**READY, "phase": "Invalid cluster definition", "phaseReason": "no such class"}
    with pytest.raises(pulumi.RunError, match="Invalid cluster definition: no such class"):
        _wait(Operator(status))


def test_a_pod_that_cannot_start_says_more_than_the_phase() -> None:
    waiting = {"waiting": {"reason": "ErrImagePull", "message": "no such image"}}
    pod = {
        "metadata": {"name": "db-2"},
        "status": {"containerStatuses": [{"name": "postgres", "state": waiting}]},
    }
    done = {"metadata": {"name": "db-1-initdb"}, "status": {"phase": "Succeeded"}}
    api = Operator({**READY, "phase": "Creating a new replica"}, [done, pod])
    with pytest.raises(pulumi.RunError, match=r"pod db-2: ErrImagePull: no such image.*settings"):
        _wait(api)


def _change(old: dict[str, Any], new: dict[str, Any]) -> None:
    inputs = [{"spec": spec_of(deploy(**it))} for it in (old, new)]
    refuse_to_wait(
        pulumi.ResourceHookArgs(
            urn="", id="", name="", type="", old_inputs=inputs[0], new_inputs=inputs[1]
        )
    )


def test_no_commit_waits_for_an_instance_that_is_yet_to_be_made() -> None:
    three = {"instances": 3, "synchronous": True}
    with pytest.raises(pulumi.RunError, match="have 3 instances first"):
        _change({"instances": 1}, three)
    _change({"instances": 3}, three)
    _change(three, {"instances": 1})
