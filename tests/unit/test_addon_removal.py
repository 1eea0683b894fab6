"""The add-ons are removed with what they made, and one by one when their block is taken out."""

import shutil
from typing import Any

import pytest

from distribution.cluster import registry
from tests.unit.clone import EMBEDDED, SALT, Clone, add_ons, in_namespace, of_add_ons, put_in, thing
from toolchain.kubectl import Kubectl, KubectlError


class TestAddonsDown:
    def test_shows_what_goes_and_who_may_use_it_and_removes_the_add_ons_alone(
        self, local: Clone
    ) -> None:
        add_ons(local)
        done = local.run("addons-down", "minikube", runs=True)
        assert done.code == 0, done.err
        assert "namespaces metrics-server" in done.out
        assert "metrics-server/samples (2Gi)" in done.out
        assert "perhaps minikube, in the same cluster" in done.out
        assert "pulumi --cwd addons destroy --yes --skip-preview --stack minikube" in done.calls
        assert "PORTS OF THIS MACHINE LET GO" in done.out
        assert not (local.answers / "minikube.addons-state.json").exists()
        assert not (local.folder / ".local" / "settings.addons.minikube.json").exists()
        assert (local.answers / "minikube.state.json").exists()

    def test_leaves_the_node_no_authority_of_a_registry_that_is_gone(self, local: Clone) -> None:
        add_ons(local)
        trusted = registry.folder(local.folder / ".local" / "cluster") / registry.ADDRESS
        trusted.mkdir(parents=True)
        (trusted / "ca.crt").write_text("an authority")
        assert local.run("addons-down", "minikube", yes=False, runs=True).code == 1
        assert trusted.exists()
        done = local.run("addons-down", "minikube", runs=True)
        assert done.code == 0, done.err
        assert not trusted.exists()

    def test_of_the_last_stack_of_the_embedded_cluster_says_how_that_goes(
        self, local: Clone
    ) -> None:
        add_ons(local)
        assert "make cluster-down" not in local.run("addons-down", "minikube", runs=True).out
        add_ons(local)
        (local.answers / "minikube.state.json").unlink()
        done = local.run("addons-down", "minikube", runs=True)
        assert "No stack is in the embedded cluster any more; `make cluster-down`" in done.out

    def test_asks(self, local: Clone) -> None:
        add_ons(local)
        done = local.run("addons-down", "minikube", yes=False, runs=True)
        assert done.code == 1
        assert not done.changes()

    def test_leaves_a_namespace_with_other_peoples_things(self, local: Clone) -> None:
        add_ons(local)
        put_in(local, thing("Deployment", "grafana", "metrics-server"))
        done = local.run("addons-down", "minikube", runs=True)
        assert done.code == 0, done.err
        assert "stays      namespace metrics-server: it has Deployment grafana" in done.out
        assert "Deployment grafana that this stack did not make" in done.out
        left = local.objects(EMBEDDED)
        assert {"Namespace metrics-server", "Deployment grafana"} <= left
        assert "PersistentVolumeClaim samples" not in left
        # What stays has the stack's mark, by which the next `make addons` knows it.
        assert SALT in (local.folder / "addons" / "Pulumi.minikube.yaml").read_text()

    def test_of_definitions_that_stay_keeps_what_they_are_recognised_by(self, local: Clone) -> None:
        add_ons(local)
        put_in(local, of_add_ons("CustomResourceDefinition", "gateways.gateway.networking.k8s.io"))
        (local.answers / "minikube.state.json").unlink()
        for _ in range(2):
            done = local.run("addons-down", "minikube", runs=True)
            assert "`make cluster-down` removes it" in done.out
            assert done.code == 0, done.err
            assert "the definitions gateways.gateway.networking.k8s.io" in done.out
        assert "Namespace metrics-server" not in local.objects(EMBEDDED)
        assert SALT in (local.folder / "addons" / "Pulumi.minikube.yaml").read_text()

    def test_names_what_of_others_does_nothing_without_them(self, local: Clone) -> None:
        add_ons(local)
        put_in(local, thing("HorizontalPodAutoscaler", "web", "theirs"))
        done = local.run("addons-down", "minikube", yes=False, runs=True)
        assert "HorizontalPodAutoscaler theirs/web" in done.out

    def test_removes_nothing_while_somebodys_gateway_holds_the_class(self, local: Clone) -> None:
        add_ons(local, thing("GatewayClass", "envoy"))
        theirs = thing("Gateway", "shop", "theirs", spec={"gatewayClassName": "envoy"})
        other = thing("Gateway", "other", "theirs", spec={"gatewayClassName": "of-the-cloud"})
        own = of_add_ons("Gateway", "public", "gateway", spec={"gatewayClassName": "envoy"})
        put_in(local, theirs, other, own)
        done = local.run("addons-down", "minikube", runs=True)
        assert done.code == 1
        assert "theirs/shop of the kind Gateway" in done.err
        assert "class envoy" in done.err
        assert "other" not in done.err.replace("another controller", "")
        assert "public" not in done.err
        assert not done.changes()
        local.cluster(EMBEDDED, *in_namespace("minikube"), other, own)
        assert local.run("addons-down", "minikube", runs=True).code == 0

    @pytest.mark.parametrize(
        ("kind", "name", "where"),
        [
            ("Namespace", "metrics-server", None),
            ("ClusterRole", "system:metrics-server", None),
            ("RoleBinding", "metrics-server-auth-reader", "kube-system"),
        ],
    )
    @pytest.mark.parametrize("command", ["addons-down", "addons"])
    def test_touches_nothing_that_somebody_made_in_a_cluster_made_anew(
        self, local: Clone, command: str, kind: str, name: str, where: str | None
    ) -> None:
        add_ons(local, thing(kind, name, where))
        theirs = thing(kind, name, where)
        theirs["metadata"]["uid"] = "made later"
        local.cluster(EMBEDDED, theirs)
        done = local.run(command, "minikube", runs=True)
        assert done.code == 1
        path = f"{kind} {where}/{name}" if where else f"{kind} {name}"
        assert f"{path} at https://{EMBEDDED}.example" in done.err
        assert "somebody has made it anew" in done.err
        assert "pulumi --cwd addons stack rm minikube --force --preserve-config" in done.err
        assert not done.changes()
        assert local.objects(EMBEDDED) == {f"{kind} {name}"}

    def test_without_add_ons_changes_nothing(self, local: Clone) -> None:
        local.stack("minikube", "    cluster: {kind: local}\n", of="addons")
        done = local.run("addons-down", "minikube", runs=True)
        assert (done.code, done.changes()) == (0, [])
        assert "There are no add-ons of stack minikube" in done.out

    def test_of_a_cluster_that_does_not_answer_changes_nothing(self, local: Clone) -> None:
        add_ons(local)
        local.stopped(EMBEDDED)
        done = local.run("addons-down", "minikube")
        assert done.code == 1
        assert not done.changes()
        assert "start it (`make cluster-start`" in done.err
        forgotten = "pulumi --cwd addons stack rm minikube --force --preserve-config"
        assert "if it is gone for good, forget them with: " in done.err
        assert forgotten in done.err

    def test_of_a_cluster_that_is_gone_forgets_them(self, local: Clone) -> None:
        add_ons(local)
        shutil.rmtree(local.folder / ".local" / "cluster")
        done = local.run("addons-down", "minikube")
        assert done.code == 0, done.err
        assert not (local.answers / "minikube.addons-state.json").exists()

    @pytest.mark.parametrize(
        ("settings", "said"),
        [
            ("    cluster: {kind: local}\n    metrics: {}\n", "did you mean metricsServer?"),
            ("    cluster: {kind: moon}\n", "todo-addons:settings.cluster.kind is 'moon'"),
        ],
    )
    def test_of_wrong_settings_says_what_is_allowed(
        self, local: Clone, settings: str, said: str
    ) -> None:
        local.stack("minikube", settings, of="addons")
        done = local.run("addons-down", "minikube", runs=True)
        assert done.code == 1
        assert not done.changes()
        assert said in done.err
        assert "addons/Pulumi.minikube.yaml: invalid settings" in done.err


class _Kinds(Kubectl):
    """A cluster that was made anew, without the kinds of a part."""

    def __init__(self, said: str) -> None:
        self._said = said

    def items(self, *what: str) -> list[dict[str, Any]]:
        kinds = what[0].split(",")
        if "GatewayClass.v1.gateway.networking.k8s.io" in kinds:
            raise KubectlError(self._said)
        return [thing(kind.partition(".")[0], "found") for kind in kinds]


@pytest.mark.parametrize(
    "said",
    [
        'error: the server doesn\'t have a resource type "GatewayClass"',
        "Error from server (NotFound): Unable to list: the server could not find the requested "
        "resource",
    ],
)
def test_a_kind_that_a_cluster_has_not_hides_no_object_of_another(said: str) -> None:
    kinds = ["ClusterRole.v1.", "GatewayClass.v1.gateway.networking.k8s.io", "Namespace.v1."]
    found = _Kinds(said).listed(kinds)
    assert [it["kind"] for it in found] == ["ClusterRole", "Namespace"]
    with pytest.raises(KubectlError):
        _Kinds("Unable to connect to the server").listed(kinds)


class TestAddonsWithoutABlockThatWasThere:
    @pytest.fixture
    def without(self, local: Clone) -> Clone:
        add_ons(local)
        local.stack("minikube", "    cluster: {kind: local}\n", of="addons")
        return local

    def test_show_what_goes_and_ask(self, without: Clone) -> None:
        done = without.run("addons", "minikube", yes=False, runs=True)
        assert done.code == 1
        assert "YES=1" in done.err
        for shown in ("parts      metrics-server", "metrics-server/samples (2Gi)"):
            assert shown in done.out
        assert not [it for it in done.calls if " up " in it]
        assert "Namespace metrics-server" in without.objects(EMBEDDED)

    def test_remove_the_part_with_its_namespace(self, without: Clone) -> None:
        done = without.run("addons", "minikube", runs=True)
        assert done.code == 0, done.err
        assert [it for it in done.calls if " up " in it]
        assert "Namespace metrics-server" not in without.objects(EMBEDDED)
        assert "Namespace shop" in without.objects(EMBEDDED)

    def test_leave_a_namespace_with_other_peoples_things(self, without: Clone) -> None:
        put_in(without, thing("Deployment", "grafana", "metrics-server"))
        done = without.run("addons", "minikube", runs=True)
        assert done.code == 0, done.err
        left = without.objects(EMBEDDED)
        assert {"Namespace metrics-server", "Deployment grafana"} <= left
        assert "PersistentVolumeClaim samples" not in left

    def test_with_all_blocks_there_ask_nothing(self, local: Clone) -> None:
        add_ons(local)
        done = local.run("addons", "minikube", yes=False, runs=True)
        assert done.code == 0, done.err
        assert not [it for it in done.calls if " delete " in it]
