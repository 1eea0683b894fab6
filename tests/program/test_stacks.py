"""The whole program, once for each stack file."""

import copy
import json
import os
from pathlib import Path
from typing import Any

import pytest

from components.image.node_images import NodeImages
from policy.rules import STACK_RULES, Resource
from tests.programs import STACKS, run_program, stack_settings
from tests.recording import SECRETS, SIGNING_KEY, Recording

SNAPSHOTS = Path(__file__).parent / "snapshots"
CHAT = {
    "todo:jwtNextKey": "next-key-of-the-tests",
    "todo:jwtPreviousKey": "previous-key-of-the-tests",
    "todo:chatApiKey": "chat-key-of-the-tests",
}
_PINNED = ("serviceName", "podManagementPolicy", "selector", "volumeClaimTemplates")


@pytest.fixture(scope="module", params=STACKS)
def stack(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def recording(stack: str) -> Recording:
    return run_program(stack_settings(stack), stack=stack)


def snapshot_of(recording: Recording) -> dict[str, Any]:
    """Returns what cannot change without replacing an object, which for data means losing it."""
    immutable: dict[str, Any] = {}
    for resource in recording.resources:
        spec: dict[str, Any] = resource.inputs.get("spec") or {}
        keys = _PINNED if resource.kind == "StatefulSet" else ("selector",)
        if resource.kind in ("StatefulSet", "Deployment"):
            immutable[resource.urn] = {key: spec[key] for key in keys if key in spec}
        if resource.kind == "PersistentVolumeClaim":
            immutable[resource.urn] = spec
    return {
        "urns": {
            r.urn: r.kubernetes_name for r in sorted(recording.resources, key=lambda r: r.urn)
        },
        "immutable": immutable,
    }


def test_names_and_immutable_fields_are_as_they_were(stack: str, recording: Recording) -> None:
    path = SNAPSHOTS / f"{stack}.json"
    text = json.dumps(snapshot_of(recording), indent=2, sort_keys=True) + "\n"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8"), (
        "A URN, a name or an immutable field changed. On a running stack Pulumi will DELETE the "
        "old object and make a new one; for the database, its claims or the namespace THIS LOSES "
        "USERS' DATA. Give renamed resources an alias (pulumi.Alias) and plan a migration first. "
        "If the change is meant, run the tests once with UPDATE_SNAPSHOTS=1 and review the diff."
    )


def test_no_secret_in_the_clear(stack: str) -> None:
    settings = stack_settings(stack)
    settings["backend"]["chat"] = {"baseUrl": "https://chat.example.com/v1", "model": "m"}
    recording = run_program(settings, secrets={**SECRETS, **CHAT})
    seen = str([(r.raw, r.name) for r in recording.resources]) + str(recording.outputs)
    for value in (*SECRETS.values(), *SIGNING_KEY.values(), *CHAT.values()):
        assert value not in seen


def test_everything_uses_the_cluster_s_provider(recording: Recording) -> None:
    for resource in recording.resources:
        if resource.type.startswith("kubernetes:"):
            assert "pulumi:providers:kubernetes::cluster" in resource.provider


def test_namespaced_objects_are_in_the_namespace(recording: Recording) -> None:
    own = recording.one("Namespace").kubernetes_name
    for manifest in recording.manifests():
        if manifest["kind"] != "Namespace":
            assert manifest["metadata"]["namespace"] == own


def test_node_ports() -> None:
    recording = run_program(stack_settings("minikube"))
    ports = {
        name: recording.one("Service", name).inputs["spec"]["ports"][0]
        for name in ("frontend", "backend")
    }
    assert (ports["frontend"]["port"], ports["frontend"]["nodePort"]) == (3000, 30000)
    assert (ports["backend"]["port"], ports["backend"]["nodePort"]) == (8000, 30001)
    assert recording.outputs["frontendUrl"].endswith(":30000")


@pytest.mark.parametrize(
    ("app", "resources"),
    [
        ("frontend", [("100m", "200m"), ("128Mi", "256Mi")]),
        ("backend", [("250m", "500m"), ("256Mi", "512Mi")]),
    ],
)
def test_sizes(app: str, resources: list[tuple[str, str]]) -> None:
    spec = run_program(stack_settings("minikube")).one("Deployment", app).inputs["spec"]
    assert spec["replicas"] == 2
    it = spec["template"]["spec"]["containers"][0]["resources"]
    for key, (request, limit) in zip(("cpu", "memory"), resources, strict=True):
        assert (it["requests"][key], it["limits"][key]) == (request, limit)


@pytest.mark.parametrize(("provider", "prefers"), [("minikube", ["true"]), ("kind", None)])
def test_minikubes_volumes_have_their_pods_on_its_first_node(
    provider: str, prefers: list[str] | None
) -> None:
    settings = stack_settings("minikube")
    cluster = {**settings["cluster"], "provider": provider}
    recording = run_program({**settings, "cluster": cluster})
    backup = recording.one("CronJob").inputs["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    for pod in (recording.one("StatefulSet").inputs["spec"]["template"]["spec"], backup):
        if prefers is None:
            assert "affinity" not in pod
            continue
        node = pod["affinity"]["nodeAffinity"]
        # Another provisioner's volume may be bound to another node.
        (preferred,) = node.pop("preferredDuringSchedulingIgnoredDuringExecution")
        assert not node
        (wanted,) = preferred["preference"]["matchExpressions"]
        assert wanted == {
            "key": "minikube.k8s.io/primary",
            "operator": "In",
            "values": prefers,
        }


def test_namespace_and_backups_survive_destroy_with_the_data() -> None:
    recording = run_program(stack_settings("minikube"))
    kept = {r.kind for r in recording.resources if r.retain_on_delete}
    # Images that no registry has are left to whoever clears the node.
    assert kept - {"Image"} == {"Namespace", "PersistentVolumeClaim"}


def test_destroy_leaves_the_namespace_since_others_may_have_put_something_in_it() -> None:
    recording = run_program(stack_settings("cloud"))
    kept = {r.kind for r in recording.resources if r.retain_on_delete}
    assert kept - {"Image"} == {"Namespace"}


@pytest.mark.parametrize("engine", ["docker-build", "docker"])
def test_destroy_leaves_pushed_images_since_others_may_run_them(engine: str) -> None:
    """The plugin deletes them from the registry, by the digest that another stack may have."""
    settings = stack_settings("cloud")
    settings["images"] |= {"builder": {"engine": engine}}
    images = [it for it in run_program(settings).resources if it.kind == "Image"]
    assert len(images) == 2
    assert all(it.retain_on_delete for it in images)


@pytest.mark.parametrize("name", STACKS)
def test_in_a_namespace_of_others_nothing_holds_for_their_pods(name: str) -> None:
    settings = {**stack_settings(name), "namespace": {"name": "shared", "adopt": True}}
    recording = run_program(settings)
    assert not recording.of("Namespace")
    assert not recording.of("ResourceQuota")
    assert not recording.of("LimitRange")
    assert {m["metadata"]["namespace"] for m in recording.manifests()} == {"shared"}
    assert recording.outputs["namespace"] == "shared"
    policies = [r.inputs["spec"]["podSelector"] for r in recording.of("NetworkPolicy")]
    assert policies
    assert all(it["matchLabels"]["app.kubernetes.io/instance"] == "todo" for it in policies)


def test_in_a_namespace_of_others_the_stacks_own_pods_are_denied_by_default() -> None:
    settings = {**stack_settings("minikube"), "namespace": {"name": "shared", "adopt": True}}
    recording = run_program(settings)
    resources = [
        Resource(type=r.type, name=r.name, properties=r.inputs) for r in recording.resources
    ]
    assert [line for rule in STACK_RULES for line in rule.check(resources)] == []
    stranger = copy.deepcopy(next(r for r in resources if r.name == "todo-backend-deployment"))
    stranger.properties["spec"]["template"]["metadata"]["labels"] = {"app": "mysql"}
    deny = next(rule for rule in STACK_RULES if rule.name == "default-deny")
    assert list(deny.check([*resources, stranger])) != []


def test_database_is_protected_in_production_only() -> None:
    development = stack_settings("minikube")
    assert not run_program(development).one("StatefulSet").protect
    assert run_program({**development, "environment": "production"}).one("StatefulSet").protect


def test_of_all_there_is_the_backends_pods_and_the_quota_alone_wait_for_the_database() -> None:
    recording = run_program(stack_settings("minikube"))
    database = recording.one("StatefulSet").urn
    waiting = {r.name for r in recording.resources if database in r.dependencies}
    of_backups = {name for name in waiting if name.startswith("todo-postgres-backup")}
    assert waiting - of_backups == {"todo-backend-deployment", "todo-quota"}
    # Nor for what comes after the server, such as its backups.
    backend = recording.one("Deployment", "backend").dependencies
    assert not any("postgres" in urn for urn in backend if urn != database)


def test_the_quota_grows_before_the_pods_and_shrinks_after_them(recording: Recording) -> None:
    workloads = [it for kind in ("Deployment", "StatefulSet") for it in recording.of(kind)]
    # The size of an exporter is no setting.
    sized = {it.urn for it in workloads if "exporter" not in it.name}
    assert sized <= {*recording.one("ResourceQuota").dependencies}
    for it in workloads:
        assert "room in the quota of todo" in it.hooks


def test_in_a_namespace_of_others_nobody_changes_a_quota() -> None:
    settings = {**stack_settings("minikube"), "namespace": {"name": "shared", "adopt": True}}
    recording = run_program(settings)
    assert recording.of("ResourceQuota") == []
    assert not any("quota" in hook for it in recording.resources for hook in it.hooks)


def test_no_service_is_waited_for_but_the_workload_behind_it_is(recording: Recording) -> None:
    skip = "pulumi.com/skipAwait"
    awaited: list[dict[str, str]] = []
    for workload in (*recording.of("Deployment"), *recording.of("StatefulSet")):
        assert skip not in workload.inputs["metadata"].get("annotations", {})
        awaited.append(workload.inputs["spec"]["template"]["metadata"]["labels"])
    services = recording.of("Service")
    assert len(services) >= 2
    for service in services:
        assert service.inputs["metadata"]["annotations"][skip] == "true", service.name
        selector = service.inputs["spec"]["selector"]
        assert any(selector.items() <= labels.items() for labels in awaited), service.name


def test_only_the_changed_application_rolls() -> None:
    before = run_program(stack_settings("minikube"))
    images = {"mode": "prebuilt", "backend": "b:2", "frontend": "f:1"}
    settings = stack_settings("minikube")
    one = run_program({**settings, "images": {**images, "backend": "b:1"}})
    two = run_program({**settings, "images": images})
    changed = {
        r.name
        for r, other in zip(
            sorted(one.resources, key=lambda r: r.urn),
            sorted(two.resources, key=lambda r: r.urn),
            strict=True,
        )
        if r.inputs != other.inputs and r.type.startswith("kubernetes:")
    }
    assert changed == {"todo-backend-deployment"}
    assert before.one("Deployment", "backend")


def test_images_that_the_nodes_lost_are_built_again_and_no_pod_rolls_for_it() -> None:
    there = run_program(stack_settings("minikube"))
    gone = run_program(stack_settings("minikube"), nodes=NodeImages(lambda: frozenset()))
    changed = {
        r.name for r in gone.resources if r.inputs not in [o.inputs for o in there.resources]
    }
    assert changed == {"todo-backend-image-build", "todo-frontend-image-build"}
    for app in ("backend", "frontend"):
        image = gone.one("Image", f"todo-{app}-image-build").urn
        assert image in gone.one("Deployment", app).property_dependencies


def test_outputs_hold_no_password(recording: Recording) -> None:
    assert set(recording.outputs) >= {"namespace", "frontendUrl", "backendUrl", "images", "ports"}
    assert recording.outputs["databaseAddress"].startswith("postgresql://todo@")


def test_external_database_is_reached_at_its_addresses_only() -> None:
    recording = run_program(stack_settings("cloud"))
    assert recording.of("StatefulSet") == []
    egress = recording.one("NetworkPolicy", "backend-egress").inputs["spec"]["egress"]
    assert egress == [
        {
            "to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}],
            "ports": [{"protocol": "TCP", "port": 5432}],
        }
    ]


def test_what_is_open_to_the_outside_stays_closed_to_other_namespaces() -> None:
    settings = stack_settings("minikube")
    settings["cluster"]["podCidr"] = "10.1.0.0/16"
    recording = run_program(settings)
    outside = {"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.1.0.0/16"]}}
    for app in ("frontend", "backend"):
        rules = recording.one("NetworkPolicy", f"{app}-ingress").inputs["spec"]["ingress"]
        assert rules[-1]["from"] == [outside]


def test_external_secrets_hold_references_only() -> None:
    recording = run_program(stack_settings("cloud"), secrets={})
    assert recording.of("Secret") == []
    spec = recording.one("ExternalSecret").inputs["spec"]
    assert [it["secretKey"] for it in spec["data"]] == ["database-password", "jwt-key"]
    assert (spec["refreshInterval"], spec.get("refreshPolicy")) == ("1h", None)


def test_a_store_that_is_asked_by_sync_secrets_alone_is_not_asked_by_the_clock() -> None:
    settings = stack_settings("cloud")
    settings["secrets"]["refreshInterval"] = None
    spec = run_program(settings, secrets={}).one("ExternalSecret").inputs["spec"]
    assert (spec.get("refreshInterval"), spec["refreshPolicy"]) == (None, "OnChange")


def test_chat_and_key_rotation_reach_the_backend() -> None:
    settings = stack_settings("minikube")
    settings["backend"]["chat"] = {"baseUrl": "http://chat.example.com:8443/v1", "model": "m"}
    recording = run_program(settings, secrets={**SECRETS, **CHAT})
    pod = recording.one("Deployment", "backend").inputs["spec"]["template"]["spec"]
    env = {it["name"]: it["value"] for it in pod["containers"][0]["env"]}
    assert env["CHAT_BASE_URL"] == "http://chat.example.com:8443/v1"
    assert env["CHAT_API_KEY_FILE"] == "/run/secrets/todo/chat-api-key"
    assert env["JWT_NEXT_KEY_FILE"] == "/run/secrets/todo/jwt-next-key"
    assert env["JWT_PREVIOUS_KEY_FILE"] == "/run/secrets/todo/jwt-previous-key"
    egress = recording.one("NetworkPolicy", "backend-egress").inputs["spec"]["egress"]
    assert egress[1]["ports"] == [{"protocol": "TCP", "port": 8443}]


def _env(recording: Recording, app: str) -> dict[str, str]:
    pod = recording.one("Deployment", app).inputs["spec"]["template"]["spec"]
    return {it["name"]: it["value"] for it in pod["containers"][0]["env"]}


def test_name_servers_outside_kube_system_are_reached() -> None:
    settings = stack_settings("minikube")
    settings["cluster"]["dnsCidrs"] = ["169.254.20.10/32", "fd00::10/128"]
    (rule,) = run_program(settings).one("NetworkPolicy", "allow-dns").inputs["spec"]["egress"]
    assert [it["ipBlock"]["cidr"] for it in rule["to"] if "ipBlock" in it] == [
        "169.254.20.10/32",
        "fd00::10/128",
    ]
    assert {(it["protocol"], it["port"]) for it in rule["ports"]} == {("UDP", 53), ("TCP", 53)}


def test_node_local_dns_is_reached_on_every_cluster(recording: Recording) -> None:
    (rule,) = recording.one("NetworkPolicy", "allow-dns").inputs["spec"]["egress"]
    assert {"ipBlock": {"cidr": "169.254.20.10/32"}} in rule["to"]


def test_the_outside_of_an_ipv6_cluster_is_ipv6() -> None:
    settings = stack_settings("minikube")
    settings["cluster"]["podCidr"] = "fd00:1::/48"
    settings["backend"]["chat"] = {"baseUrl": "https://chat.example.com/v1", "model": "m"}
    recording = run_program(settings, secrets={**SECRETS, **CHAT})
    rules = recording.one("NetworkPolicy", "frontend-ingress").inputs["spec"]["ingress"]
    assert rules[-1]["from"] == [{"ipBlock": {"cidr": "::/0", "except": ["fd00:1::/48"]}}]
    egress = recording.one("NetworkPolicy", "backend-egress").inputs["spec"]["egress"]
    assert egress[1]["to"] == [{"ipBlock": {"cidr": "::/0"}}]
    assert _env(recording, "frontend")["HOSTNAME"] == "::"
    assert _env(recording, "backend")["LISTEN_HOST"] == "::"


def test_behind_node_ports_nobody_is_believed_about_a_client_but_the_frontend() -> None:
    recording = run_program(stack_settings("minikube"))
    backend, frontend = _env(recording, "backend"), _env(recording, "frontend")
    assert (backend["TRUSTED_PROXIES"], frontend["TRUSTED_PROXIES"]) == ("0", "0")
    service = recording.one("Service", backend["TRUSTED_PROXY_HOST"]).inputs["spec"]
    pods = recording.one("Deployment", "frontend").inputs["spec"]["template"]["metadata"]["labels"]
    assert service["selector"].items() <= pods.items()
    assert service["clusterIP"] == "None"


@pytest.mark.parametrize(("given", "meant"), [({}, "1"), ({"trustedProxies": 2}, "2")])
def test_proxies_in_front_are_counted(given: dict[str, int], meant: str) -> None:
    settings = stack_settings("cloud")
    settings["frontend"]["exposure"] |= given
    recording = run_program(settings, secrets={})
    assert _env(recording, "frontend")["TRUSTED_PROXIES"] == meant
    assert _env(recording, "backend")["TRUSTED_PROXIES"] == "0"


def test_idle_connections_outlive_those_of_a_load_balancer() -> None:
    settings = stack_settings("cloud")
    settings["backend"]["exposure"] = {**settings["frontend"]["exposure"], "host": "b.example"}
    recording = run_program(settings, secrets={})
    assert int(_env(recording, "frontend")["KEEP_ALIVE_TIMEOUT"]) > 600_000
    assert int(_env(recording, "backend")["KEEP_ALIVE_SECONDS"]) > 600
    local = run_program(stack_settings("minikube"))
    assert int(_env(local, "frontend")["KEEP_ALIVE_TIMEOUT"]) > 60_000
    assert int(_env(local, "backend")["KEEP_ALIVE_SECONDS"]) > 60


def test_every_pod_pulls_with_the_pull_secrets() -> None:
    settings = stack_settings("minikube")
    settings["images"] = {
        "mode": "prebuilt",
        "backend": "r.example.com/b:1",
        "frontend": "r.example.com/f:1",
        "pullSecrets": ["registry"],
    }
    recording = run_program(settings)
    workloads = [recording.one("Deployment", app) for app in ("frontend", "backend")]
    templates = [it.inputs["spec"]["template"] for it in (*workloads, recording.one("StatefulSet"))]
    job = recording.one("CronJob").inputs["spec"]["jobTemplate"]["spec"]["template"]
    for template in (*templates, job):
        assert template["spec"]["imagePullSecrets"] == [{"name": "registry"}]


def test_the_namespace_has_the_labels_that_controllers_look_for() -> None:
    settings = stack_settings("minikube")
    settings["namespace"] = {"labels": {"elbv2.k8s.aws/pod-readiness-gate-inject": "enabled"}}
    labels = run_program(settings).one("Namespace").inputs["metadata"]["labels"]
    assert labels["elbv2.k8s.aws/pod-readiness-gate-inject"] == "enabled"
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


def test_pods_wait_as_long_as_the_settings_say() -> None:
    settings = stack_settings("minikube")
    settings["frontend"]["preStopSeconds"] = 20
    recording = run_program(settings)
    pods = {
        app: recording.one("Deployment", app).inputs["spec"]["template"]["spec"]
        for app in ("frontend", "backend")
    }
    assert pods["frontend"]["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"] == 20
    assert pods["frontend"]["terminationGracePeriodSeconds"] == 45
    assert pods["backend"]["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"] == 5


def test_metrics_alone_restart_no_database_and_an_exporter_is_asked_for() -> None:
    """A stack that has metrics already gets no exporter with a new version of the program."""

    def server(metrics: str, exporter: dict[str, str] | None) -> Recording:
        settings = stack_settings("minikube")
        settings["metrics"] = {"mode": metrics}
        settings["database"]["exporter"] = exporter
        return run_program(settings)

    without, scraped = server("none", None), server("annotations", None)
    assert without.one("StatefulSet").inputs == scraped.one("StatefulSet").inputs
    assert scraped.of("Deployment", "postgres-exporter") == []
    asked = server("annotations", {})
    assert asked.one("Deployment", "postgres-exporter")
    labels = scraped.one("Namespace").inputs["metadata"]["labels"]
    assert labels["prometheus.io/scrape"] == "true"
