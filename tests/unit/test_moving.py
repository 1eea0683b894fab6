"""A changed `database.mode` is refused while the data are in the other kind of server."""

import json
from fnmatch import fnmatchcase
from types import SimpleNamespace
from typing import Any, cast

import pulumi
import pytest

from cluster_objects.database_move import MOVED_TO, VARIABLE
from components.todo.moving import keep_data, move_targets, refuse_half_moved, refuse_other_mode
from stack_settings.errors import SettingsError

CLUSTER = "kubernetes:postgresql.cnpg.io/v1:Cluster"
STATEFUL_SET = "kubernetes:apps/v1:StatefulSet"
CLAIMS = "/api/v1/namespaces/app/persistentvolumeclaims"
GROUP = "/apis/postgresql.cnpg.io/v1"
CLUSTERS = f"{GROUP}/namespaces/app/clusters"


def create(type_: str, objects: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs what is to run before an object of a type is made, where a cluster has some objects."""
    hooks: list[Any] = []

    def hook(name: str, callback: Any, options: object) -> Any:
        return SimpleNamespace(callback=callback)

    monkeypatch.setattr(pulumi, "ResourceHook", hook)
    monkeypatch.setattr(
        pulumi, "ResourceHookBinding", lambda before_create: hooks.extend(before_create)
    )
    served = {"resources": [{"kind": "Cluster", "name": "clusters", "namespaced": True}]}

    def request(method: str, path: str) -> Any:
        """Answers as a cluster does to somebody who may read one namespace."""
        if path == GROUP:
            return served if CLUSTERS in objects else None
        if isinstance(failure := objects.get(CLUSTERS), str) and path.startswith(CLUSTERS):
            raise pulumi.RunError(failure)
        if path.startswith(CLUSTERS):
            name = path.rpartition("/")[2]
            items = objects[CLUSTERS]["items"]
            return next((it for it in items if it["metadata"]["name"] == name), None)
        return objects.get(path)

    api: Any = SimpleNamespace(request=request)
    keep = keep_data("todo", api, "postgres", "postgres-cluster")
    given = SimpleNamespace(type_=type_, props={}, opts=pulumi.ResourceOptions())
    keep(cast("pulumi.ResourceTransformationArgs", given))
    for it in hooks:
        templates = [{"metadata": {"name": "data"}}]
        inputs = {
            "metadata": {"namespace": "app", "name": "postgres"},
            "spec": {"volumeClaimTemplates": templates},
        }
        it.callback(SimpleNamespace(new_inputs=inputs))


def there(**moved_to: str | None) -> dict[str, Any]:
    """Returns objects by their names, `_` for `-`, each with where its data went."""
    return {
        "items": [
            {
                "metadata": {
                    "name": name.replace("_", "-"),
                    "annotations": {MOVED_TO: mode} if mode else None,
                }
            }
            for name, mode in moved_to.items()
        ]
    }


@pytest.mark.parametrize(
    ("type_", "path", "name", "mode", "other"),
    [
        (CLUSTER, CLAIMS, "data_postgres_0", "operator", "inCluster"),
        (CLUSTER, CLAIMS, "data_2_postgres_0", "operator", "inCluster"),
        (STATEFUL_SET, CLUSTERS, "postgres_cluster", "inCluster", "operator"),
    ],
)
def test_a_server_beside_the_data_of_another_is_refused(
    type_: str, path: str, name: str, mode: str, other: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for went in (None, other):
        with pytest.raises(pulumi.RunError, match=f"python -m ops move-database --to {mode}"):
            create(type_, {path: there(**{name: went})}, monkeypatch)
    create(type_, {path: there(**{name: mode})}, monkeypatch)
    create(type_, {path: there(postgres_backup=None)}, monkeypatch)
    create(type_, {}, monkeypatch)
    monkeypatch.setenv(VARIABLE, mode)  # the command itself
    create(type_, {path: there(**{name: None})}, monkeypatch)


def labelled(objects: dict[str, Any], **labels: str) -> dict[str, Any]:
    """The same objects with these labels, `_` for `/`."""
    for it in objects["items"]:
        it["metadata"]["labels"] = {key.replace("_", "/"): it for key, it in labels.items()}
    return objects


@pytest.mark.parametrize(
    ("type_", "path", "name"),
    [(CLUSTER, CLAIMS, "data_postgres_0"), (STATEFUL_SET, CLUSTERS, "postgres_cluster")],
)
def test_what_another_application_has_in_the_namespace_is_not_the_stacks_data(
    type_: str, path: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its labels say so, as StatefulSets and the operator give them; in a namespace of others."""
    theirs = labelled(there(**{name: None}), app="wiki")
    create(type_, {path: theirs}, monkeypatch)
    instance = {"app.kubernetes.io_instance": "wiki"}
    create(type_, {path: labelled(there(**{name: None}), **instance)}, monkeypatch)
    own = labelled(there(**{name: None}), **{"app.kubernetes.io_instance": "todo"})
    with pytest.raises(pulumi.RunError, match="would stay behind"):
        create(type_, {path: own}, monkeypatch)


def test_a_volume_of_before_a_major_upgrade_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    claims = there(data_postgres_0=None, data_2_postgres_0="operator")
    create(CLUSTER, {CLAIMS: claims}, monkeypatch)


FORBIDDEN = "HTTP 403 Forbidden"


@pytest.mark.parametrize("objects", [{}, {CLUSTERS: FORBIDDEN}], ids=["no operator", "no rights"])
def test_who_may_read_no_cluster_can_have_a_stateful_set(
    objects: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    create(STATEFUL_SET, objects, monkeypatch)


def test_a_cluster_that_does_not_tell_is_not_taken_for_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(pulumi.RunError, match="HTTP 503"):
        create(STATEFUL_SET, {CLUSTERS: "HTTP 503 Service Unavailable"}, monkeypatch)


def test_a_volume_whose_data_went_to_an_operator_is_not_gone_on_with(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    claim = there(data_postgres_0="operator")["items"][0]
    objects = {CLUSTERS: FORBIDDEN, f"{CLAIMS}/data-postgres-0": claim}
    with pytest.raises(
        pulumi.RunError, match="the data of the volume claim data-postgres-0 went to"
    ):
        create(STATEFUL_SET, objects, monkeypatch)
    monkeypatch.setenv(VARIABLE, "inCluster")  # the command, which brings them back
    create(STATEFUL_SET, objects, monkeypatch)


def test_other_objects_are_asked_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    claims = there(data_postgres_0=None)
    create("kubernetes:apps/v1:Deployment", {CLAIMS: claims}, monkeypatch)


def test_an_update_in_the_middle_of_a_move_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_half_moved(None)
    pending = json.dumps({"to": "operator", "from": {"mode": "inCluster"}})
    with pytest.raises(SettingsError, match="was cut off: go on with") as refused:
        refuse_half_moved(pending)
    assert "go back with `python -m ops move-database --to inCluster`" in str(refused.value)
    assert "pulumi config rm todo:databaseMove" in str(refused.value)
    monkeypatch.setenv(VARIABLE, "operator")
    refuse_half_moved(pending)


def test_a_move_to_another_server_than_the_settings_have_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    refuse_other_mode("inCluster")
    monkeypatch.setenv(VARIABLE, "operator")
    refuse_other_mode("operator")
    with pytest.raises(SettingsError, match="the settings say inCluster: set it to operator"):
        refuse_other_mode("inCluster")


def test_all_that_an_operators_servers_read_is_there_before_the_data_are_moved() -> None:
    parent = "urn:pulumi:x::todo::todo:kubernetes:TodoStack$"
    wanted = [
        f"{parent}kubernetes:core/v1:Secret::todo-postgres-cluster-store",
        f"{parent}kubernetes-app-components:index:PostgresCluster$k8s::todo-postgres-cluster-x",
        f"{parent}kubernetes-app-components:index:PostgresCluster::todo-postgres-cluster",
    ]
    targets = move_targets("postgres-cluster")["operator"]
    for urn in wanted:
        assert any(fnmatchcase(urn, it) for it in targets), urn
    application = f"{parent}kubernetes-app-components:index:AppDeployment$k8s::todo-backend"
    assert not any(fnmatchcase(application, it) for it in targets)
