"""Nothing is taken over that the stack did not make."""

from collections.abc import Collection, Mapping
from typing import Any

import pulumi
import pytest

from addons.cluster import REMEDIES as ADDONS_REMEDIES
from components.cluster.guard import Guard
from components.cluster.mark import Mark
from components.todo.cluster import REMEDIES

OWN, OTHER = "organization/todo/minikube/0123456789ab", "organization/todo/two/ba9876543210"
MARK = "todo-kubernetes/stack"
SELECTOR = {"app.kubernetes.io/name": "postgres", "app.kubernetes.io/instance": "todo"}


class FakeCluster:
    """Objects by kind, namespace and name, and what was asked of them."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str | None, str], dict[str, Any]] = {}
        self.asked: list[tuple[str, str]] = []
        self.lacks: set[tuple[str, str]] = set()

    def has(
        self,
        kind: str,
        namespace: str | None,
        name: str,
        mark: str | None = None,
        labels: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        annotations = {MARK: mark} if mark else None
        metadata = {"name": name, "annotations": annotations, "labels": labels, **more}
        self.objects[kind, namespace, name] = {"metadata": metadata}

    def find(
        self, api_version: str, kind: str, namespace: str | None, name: str
    ) -> Mapping[str, Any] | None:
        self.asked.append((kind, name))
        return self.objects.get((kind, namespace, name))

    def serves(self, api_version: str, kind: str) -> bool:
        return (api_version, kind) not in self.lacks

    def annotate(
        self, api_version: str, kind: str, namespace: str, name: str, annotations: Mapping[str, str]
    ) -> None:
        self.objects[kind, namespace, name]["metadata"]["annotations"] = dict(annotations)


@pytest.fixture
def cluster() -> FakeCluster:
    return FakeCluster()


def guard_of(owner: str, cluster: FakeCluster, adopted: Collection[str] = ()) -> Guard:
    """A guard of a stack, with the words of the application."""
    mark = Mark(owner=owner, key=MARK)
    return Guard(mark, cluster, adopted=adopted, remedies=REMEDIES)


def creation(
    kind: str, name: str, namespace: str | None = "shop", **fields: Any
) -> pulumi.ResourceHookArgs:
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
    inputs = {"apiVersion": "v1", "kind": kind, "metadata": metadata, **fields}
    return pulumi.ResourceHookArgs(
        urn=f"urn::{kind}::{name}", id="", name=name, type=kind, new_inputs=inputs
    )


def update(created: pulumi.ResourceHookArgs, mark: str | None = OWN) -> pulumi.ResourceHookArgs:
    """The update of an object that has been given this mark."""
    inputs = dict(created.new_inputs or {})
    annotations = {MARK: mark} if mark else {}
    old = {**inputs, "metadata": {**inputs["metadata"], "annotations": annotations}}
    return pulumi.ResourceHookArgs(
        urn=created.urn,
        id="",
        name=created.name,
        type=created.type,
        new_inputs=inputs,
        old_inputs=old,
    )


NAMESPACE = creation("Namespace", "shop", None)
BACKEND = creation("Deployment", "backend")
DATABASE = creation(
    "StatefulSet",
    "postgres",
    spec={
        "replicas": 1.0,
        "volumeClaimTemplates": [{"metadata": {"name": "data", "labels": SELECTOR}}],
    },
)


def refusal(guard: Guard, args: pulumi.ResourceHookArgs) -> str:
    with pytest.raises(pulumi.RunError) as error:
        guard.refuse_others(args)
    message = str(error.value)
    assert "\n" not in message
    return message


def test_a_namespace_that_nobody_made_with_pulumi_is_refused(cluster: FakeCluster) -> None:
    cluster.has("Namespace", None, "shop")
    message = refusal(guard_of(OWN, cluster), NAMESPACE)
    assert "Namespace shop is there already" in message
    assert "todo:settings.namespace.name" in message
    assert "todo:settings.namespace.adopt: true" in message
    assert f"kubectl annotate --overwrite namespace shop {MARK}={OWN}" in message


@pytest.mark.parametrize("adopted", [[], ["shop"]])
@pytest.mark.parametrize("args", [NAMESPACE, BACKEND])
def test_another_stacks_namespace_is_refused_even_where_it_is_to_be_adopted(
    cluster: FakeCluster, adopted: list[str], args: pulumi.ResourceHookArgs
) -> None:
    cluster.has("Namespace", None, "shop", OTHER)
    cluster.has("Deployment", "shop", "backend", OTHER)
    message = refusal(guard_of(OWN, cluster, adopted=adopted), args)
    assert OTHER in message
    assert "adopt" not in message
    assert "kubectl annotate" not in message


def test_another_stack_is_told_apart_where_the_names_are_all_there_is(cluster: FakeCluster) -> None:
    cluster.has("Namespace", None, "shop", "acme/todo/two")
    assert "kubectl annotate" not in refusal(guard_of("acme/todo/one", cluster), NAMESPACE)


def going(cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch, looks: int) -> None:
    """Has the backend in the cluster, being deleted, until it was looked at so often."""
    cluster.has("Namespace", None, "shop", OWN)
    cluster.has("Deployment", "shop", "backend", OWN, deletionTimestamp="2026-01-31T09:00:00Z")
    times = [0.0]

    def sleep(seconds: float) -> None:
        times.append(times[-1] + seconds)
        if len(times) > looks:
            cluster.objects.pop(("Deployment", "shop", "backend"), None)

    monkeypatch.setattr("components.cluster.guard.time.sleep", sleep)
    monkeypatch.setattr("components.cluster.guard.time.monotonic", lambda: times[-1])


def test_nothing_is_made_of_what_is_still_being_deleted(
    cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    going(cluster, monkeypatch, looks=5)
    guard_of(OWN, cluster).refuse_others(BACKEND)
    assert ("Deployment", "shop", "backend") not in cluster.objects


def test_what_is_not_deleted_within_a_minute_is_named(
    cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    going(cluster, monkeypatch, looks=1000)
    assert "Deployment shop/backend is still being deleted" in refusal(
        guard_of(OWN, cluster), BACKEND
    )


def test_a_preview_waits_for_no_deletion(
    cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    going(cluster, monkeypatch, looks=5)
    monkeypatch.setattr("pulumi.runtime.is_dry_run", lambda: True)
    guard_of(OWN, cluster).refuse_others(BACKEND)
    assert ("Deployment", "shop", "backend") in cluster.objects


def test_one_object_is_not_declared_twice(cluster: FakeCluster) -> None:
    guard = guard_of(OWN, cluster)
    guard.refuse_others(BACKEND)
    guard.refuse_others(BACKEND)
    again = creation("Deployment", "backend")
    again.urn = "urn::Deployment::again"
    assert "Deployment shop/backend is declared twice" in refusal(guard, again)


def test_a_clone_with_the_same_names_is_another_stack(cluster: FakeCluster) -> None:
    cluster.has("Namespace", None, "shop", OWN.replace("0", "f"))
    assert "did not make it" in refusal(guard_of(OWN, cluster), NAMESPACE)


@pytest.mark.parametrize("kind", ["Deployment", "Secret", "Ingress", "HTTPRoute", "ExternalSecret"])
@pytest.mark.parametrize("mark", [None, OTHER])
def test_an_object_of_others_in_the_stacks_own_namespace_is_refused(
    cluster: FakeCluster, kind: str, mark: str | None
) -> None:
    cluster.has("Namespace", None, "shop", OWN)
    cluster.has(kind, "shop", "backend", mark)
    message = refusal(guard_of(OWN, cluster), creation(kind, "backend"))
    assert f"{kind} shop/backend is there already" in message


def test_what_others_share_is_to_be_used_and_neither_deleted_nor_taken_over(
    cluster: FakeCluster,
) -> None:
    name = "httproutes.gateway.networking.k8s.io"
    cluster.has("CustomResourceDefinition", None, name)
    guard = Guard(Mark(owner=OWN, key=MARK), cluster, remedies=ADDONS_REMEDIES)
    message = refusal(guard, creation("CustomResourceDefinition", name, None))
    assert "gateway.definitions.gatewayApi: present" in message
    assert "delete it" not in message
    assert "annotate" not in message


def test_an_object_without_a_namespace_is_refused(cluster: FakeCluster) -> None:
    cluster.has("PriorityClass", None, "high")
    assert "PriorityClass high" in refusal(
        guard_of(OWN, cluster), creation("PriorityClass", "high", None)
    )


def test_what_destroy_kept_or_an_interrupted_update_made_is_the_stacks_own(
    cluster: FakeCluster,
) -> None:
    cluster.has("Namespace", None, "shop", OWN)
    cluster.has("PersistentVolumeClaim", "shop", "postgres-backup", OWN)
    cluster.has("PersistentVolumeClaim", "shop", "data-postgres-0", labels=SELECTOR)
    guard = guard_of(OWN, cluster)
    for args in (NAMESPACE, creation("PersistentVolumeClaim", "postgres-backup"), DATABASE):
        guard.refuse_others(args)


def test_a_claim_from_before_there_were_marks_is_known_by_its_labels(cluster: FakeCluster) -> None:
    cluster.has("Namespace", None, "shop", OWN)
    cluster.has("PersistentVolumeClaim", "shop", "postgres-backup", labels=SELECTOR)
    args = creation("PersistentVolumeClaim", "postgres-backup")
    assert args.new_inputs is not None
    args.new_inputs["metadata"]["labels"] = SELECTOR
    guard_of(OWN, cluster).refuse_others(args)
    cluster.has("PersistentVolumeClaim", "shop", "postgres-backup", labels={"app": "theirs"})
    assert "PersistentVolumeClaim shop/postgres-backup" in refusal(guard_of(OWN, cluster), args)


EXTERNAL = creation(
    "ExternalSecret", "todo", spec={"target": {"name": "todo", "creationPolicy": "Owner"}}
)
CERTIFICATE = creation("Certificate", "public-certificate", spec={"secretName": "public-tls"})


@pytest.mark.parametrize(("args", "secret"), [(EXTERNAL, "todo"), (CERTIFICATE, "public-tls")])
def test_no_controller_is_given_a_secret_that_somebody_keeps(
    cluster: FakeCluster, args: pulumi.ResourceHookArgs, secret: str
) -> None:
    """It would be emptied, filled with other keys, and deleted with the stack."""
    cluster.has("Namespace", None, "shop")
    guard = guard_of(OWN, cluster, adopted=["shop"])
    guard.refuse_others(args)
    cluster.has("Secret", "shop", secret)
    message = refusal(guard, args)
    assert f"Secret shop/{secret} is there already" in message
    assert f"--namespace shop secret {secret} {MARK}={OWN}" in message
    cluster.has("Secret", "shop", secret, OTHER)
    assert OTHER in refusal(guard, args)


def test_a_secret_that_the_stack_or_a_controller_made_is_filled_again(cluster: FakeCluster) -> None:
    """As after an interrupted update, or a change of where the stack's secrets are."""
    cluster.has("Namespace", None, "shop", OWN)
    guard = guard_of(OWN, cluster)
    cluster.has("Secret", "shop", "todo", OWN)
    guard.refuse_others(EXTERNAL)
    owner = {"kind": "ExternalSecret", "name": "todo"}
    cluster.has("Secret", "shop", "todo", ownerReferences=[owner])
    guard.refuse_others(EXTERNAL)
    cluster.has("Secret", "shop", "todo", ownerReferences=[{**owner, "name": "another"}])
    assert "Secret shop/todo" in refusal(guard, EXTERNAL)
    issued = {"cert-manager.io/certificate-name": "public-certificate"}
    cluster.has("Secret", "shop", "public-tls", annotations=issued)
    guard.refuse_others(CERTIFICATE)


def test_who_may_not_read_secrets_may_still_declare_what_makes_one(
    cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.has("Namespace", None, "shop", OWN)
    find, status = cluster.find, "403 Forbidden"

    def forbidden(*what: Any) -> Mapping[str, Any] | None:
        if what[1] == "Secret":
            raise pulumi.RunError(f"the cluster does not tell what is there (HTTP {status})")
        return find(*what)

    monkeypatch.setattr(cluster, "find", forbidden)
    guard_of(OWN, cluster).refuse_others(EXTERNAL)
    status = "500 Internal Server Error"
    with pytest.raises(pulumi.RunError, match="HTTP 500"):
        guard_of(OWN, cluster).refuse_others(EXTERNAL)


def test_a_namespace_to_adopt_is_left_to_its_owner(cluster: FakeCluster) -> None:
    cluster.has("Namespace", None, "shop")
    guard = guard_of(OWN, cluster, adopted=["shop"])
    guard.refuse_others(BACKEND)
    cluster.has("Deployment", "shop", "backend")
    assert "Deployment shop/backend" in refusal(guard, BACKEND)


def test_a_namespace_to_adopt_has_to_be_there(cluster: FakeCluster) -> None:
    message = refusal(guard_of(OWN, cluster, adopted=["shop"]), BACKEND)
    assert "Namespace shop does not exist" in message


@pytest.mark.parametrize(
    ("labels", "mark", "owner_of_namespace"),
    [
        ({"app": "mysql"}, None, OWN),
        (SELECTOR, None, None),
        (SELECTOR, OTHER, OWN),
        (None, None, OWN),
    ],
    ids=["no labels of the stack's", "in a namespace of others", "another stack's", "no labels"],
)
def test_a_strangers_volume_is_not_used(
    cluster: FakeCluster,
    labels: dict[str, str] | None,
    mark: str | None,
    owner_of_namespace: str | None,
) -> None:
    cluster.has("Namespace", None, "shop", owner_of_namespace)
    cluster.has("PersistentVolumeClaim", "shop", "data-postgres-0", mark, labels)
    message = refusal(guard_of(OWN, cluster, adopted=["shop"]), DATABASE)
    assert "PersistentVolumeClaim shop/data-postgres-0 is there already" in message


def test_a_volume_kept_in_a_namespace_of_others_is_recognised(cluster: FakeCluster) -> None:
    cluster.has("Namespace", None, "shop")
    guard = guard_of(OWN, cluster, adopted=["shop"])
    guard.refuse_others(DATABASE)
    cluster.has("PersistentVolumeClaim", "shop", "data-postgres-0", labels=SELECTOR)
    guard.mark_claims(DATABASE)
    guard.refuse_others(DATABASE)
    other = guard_of(OTHER, cluster, adopted=["shop"])
    assert "data-postgres-0" in refusal(other, DATABASE)
    other.mark_claims(DATABASE)
    other.refuse_others(DATABASE)


def test_in_a_namespace_that_does_not_exist_nothing_is_looked_for(cluster: FakeCluster) -> None:
    guard = guard_of(OWN, cluster)
    for args in (NAMESPACE, BACKEND, DATABASE):
        guard.refuse_others(args)
    assert cluster.asked == [("Namespace", "shop")]


def test_a_name_that_a_preview_does_not_know_is_left_to_the_update(cluster: FakeCluster) -> None:
    cluster.has("Deployment", "shop", "backend")
    args = creation("Deployment", "backend")
    assert args.new_inputs is not None
    args.new_inputs["metadata"]["namespace"] = object()
    guard_of(OWN, cluster).refuse_others(args)
    assert cluster.asked == []


@pytest.mark.parametrize("preview", [False, True])
@pytest.mark.parametrize(
    ("kind", "api_version", "definition", "setting"),
    [
        (
            "ServiceMonitor",
            "monitoring.coreos.com/v1",
            "servicemonitors.monitoring.coreos.com",
            "todo:settings.metrics.mode",
        ),
        (
            "HTTPRoute",
            "gateway.networking.k8s.io/v1",
            "httproutes.gateway.networking.k8s.io",
            "exposure.mode than gateway",
        ),
        (
            "ExternalSecret",
            "external-secrets.io/v1",
            "externalsecrets.external-secrets.io",
            "todo:settings.secrets.mode",
        ),
    ],
)
def test_a_kind_that_the_cluster_lacks_is_said_so_even_before_the_namespace_is_there(
    cluster: FakeCluster,
    preview: bool,
    kind: str,
    api_version: str,
    definition: str,
    setting: str,
) -> None:
    args = creation(kind, "todo", apiVersion=api_version)
    if preview:
        assert args.new_inputs is not None
        args.new_inputs["metadata"]["namespace"] = object()
    guard = guard_of(OWN, cluster)
    guard.refuse_others(args)
    cluster.lacks.add((api_version, kind))
    message = refusal(guard, args)
    assert f"no kind {kind} of {api_version}" in message
    assert definition in message
    assert setting in message


def test_a_kind_that_the_same_program_defines_may_still_be_missing(cluster: FakeCluster) -> None:
    api_version = "gateway.networking.k8s.io/v1"
    cluster.lacks.add((api_version, "HTTPRoute"))
    definition = creation(
        "CustomResourceDefinition",
        "httproutes.gateway.networking.k8s.io",
        None,
        apiVersion="apiextensions.k8s.io/v1",
    )
    guard = guard_of(OWN, cluster)
    guard.refuse_others(definition)
    guard.refuse_others(creation("HTTPRoute", "redirect", apiVersion=api_version))


def test_a_kind_that_the_same_program_may_define_is_not_asked_for(cluster: FakeCluster) -> None:
    cluster.lacks.add(("v1", "Widget"))
    guard_of(OWN, cluster).refuse_others(creation("Widget", "a"))


@pytest.mark.parametrize("args", [NAMESPACE, BACKEND, creation("Secret", "backend-secrets")])
@pytest.mark.parametrize("given", [OWN, None])
def test_what_is_another_stacks_by_now_is_not_updated(
    cluster: FakeCluster, args: pulumi.ResourceHookArgs, given: str | None
) -> None:
    kind, metadata = args.type, (args.new_inputs or {})["metadata"]
    cluster.has(kind, metadata.get("namespace"), metadata["name"], OTHER)
    with pytest.raises(pulumi.RunError, match=f"{kind} .*is there already.*{OTHER}") as error:
        guard_of(OWN, cluster).refuse_changed_hands(update(args, given))
    assert "\n" not in str(error.value)
    assert "forget it with `pulumi stack rm" in str(error.value)


@pytest.mark.parametrize(
    ("given", "live"),
    [(OWN, OWN), (OWN, None), (None, None), (OWN.replace("0", "f"), OWN.replace("0", "f"))],
    ids=["its own", "mark removed by hand", "from before marks", "from before a new passphrase"],
)
def test_what_is_the_stacks_own_is_updated(
    cluster: FakeCluster, given: str | None, live: str | None
) -> None:
    cluster.has("Deployment", "shop", "backend", live)
    guard_of(OWN, cluster).refuse_changed_hands(update(BACKEND, given))
    assert cluster.asked == [("Deployment", "backend")]


def test_what_is_gone_is_no_matter_of_ownership(cluster: FakeCluster) -> None:
    guard_of(OWN, cluster).refuse_changed_hands(update(BACKEND))


def test_a_program_without_words_of_its_own_speaks_of_arguments(cluster: FakeCluster) -> None:
    cluster.has("Namespace", None, "shop")
    guard = Guard(Mark(owner=OWN), cluster)
    message = refusal(guard, NAMESPACE)
    assert "choose another namespace; or name it among those to adopt" in message
    assert f"kubernetes-app-components/stack={OWN}" in message
    cluster.lacks.add(("monitoring.coreos.com/v1", "ServiceMonitor"))
    monitor = creation("ServiceMonitor", "shop", apiVersion="monitoring.coreos.com/v1")
    assert refusal(guard, monitor).endswith("install the Prometheus Operator")
