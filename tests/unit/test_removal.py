"""`make down` shows what there is, asks, and removes what the stack made and nothing else."""

import io
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from console.confirm import confirm
from console.failure import Failure
from tests.unit.clone import (
    MANAGED,
    PROJECT,
    SALT,
    Clone,
    deployed,
    in_namespace,
    mark,
    owned_by,
    thing,
)


class TestDown:
    def test_removes_the_stacks_namespace_from_its_own_cluster(self, cloud: Clone) -> None:
        done = cloud.run("down", "cloud")
        assert done.code == 0, done.err
        assert cloud.objects("shop-cluster") == {"Namespace todo-app"}
        assert cloud.objects("current") == {"Namespace todo-app", "Namespace shop"}
        asked = [it for it in done.calls if it.startswith("kubectl")]
        assert asked
        assert all("--context shop-cluster" in it for it in asked)
        assert all("--kubeconfig" in it for it in asked)
        assert not (cloud.answers / "cloud.state.json").exists()
        assert "EMBEDDED CLUSTER DELETED" not in done.out

    def test_what_an_operator_leaves_in_a_namespace_keeps_none(self, cloud: Clone) -> None:
        queries = thing("ConfigMap", "cnpg-default-monitoring", "shop")
        cloud.cluster("shop-cluster", *in_namespace("cloud"), queries)
        done = cloud.run("down", "cloud")
        assert done.code == 0, done.err
        assert cloud.objects("shop-cluster") == set()

    def test_leaves_a_namespace_with_what_an_operator_runs_for_another(self, cloud: Clone) -> None:
        theirs = thing("Cluster", "theirs", "shop")
        pod, stored = thing("Pod", "theirs-1", "shop"), thing("Secret", "theirs-app", "shop")
        claim = thing("PersistentVolumeClaim", "theirs-1", "shop")
        for it in (pod, stored, claim):
            owned_by(theirs, it)
        cloud.cluster("shop-cluster", *in_namespace("cloud"), theirs, pod, stored, claim)
        done = cloud.run("down", "cloud")
        assert done.code == 0, done.err
        left = cloud.objects("shop-cluster")
        assert {"Namespace shop", "Cluster theirs", "PersistentVolumeClaim theirs-1"} <= left
        assert "namespace shop, which has Cluster theirs that this stack did not make" in done.out

    def test_what_its_own_objects_have_made_is_nobody_elses(self, cloud: Clone) -> None:
        deployment = thing("Deployment", "backend", "shop", "cloud")
        cluster = thing("Cluster", "postgres-cluster", "shop", "cloud")
        replicas, pod = (
            thing("ReplicaSet", "backend-1", "shop"),
            thing("Pod", "backend-1-x", "shop"),
        )
        instance, gone = thing("Pod", "postgres-cluster-1", "shop"), thing("Job", "ended", "shop")
        owned_by(deployment, replicas)
        owned_by(replicas, pod)
        owned_by(cluster, instance)
        owned_by(thing("Workflow", "gone", "shop"), gone)
        objects = (deployment, cluster, replicas, pod, instance, gone)
        cloud.cluster("shop-cluster", *in_namespace("cloud"), *objects)
        done = cloud.run("down", "cloud")
        assert done.code == 0, done.err
        assert cloud.objects("shop-cluster") == set()

    def test_a_database_cluster_goes_before_the_claims_that_it_uses(self, cloud: Clone) -> None:
        own = thing("Cluster", "postgres-cluster", "shop", "cloud")
        others = [thing("Cluster", "theirs", "shop"), thing("ConfigMap", "notes", "shop")]
        cloud.cluster("shop-cluster", *in_namespace("cloud"), own, *others)
        done = cloud.run("down", "cloud")
        deletions = [it for it in done.changes() if it.startswith("kubectl")]
        assert "clusters.postgresql.cnpg.io postgres-cluster " in deletions[0]
        assert "persistentvolumeclaim data-postgres-0" in deletions[1]
        assert "Cluster theirs" in cloud.objects("shop-cluster")

    def test_shows_what_it_is_going_to_remove_and_asks(self, cloud: Clone) -> None:
        done = cloud.run("down", "cloud", yes=False)
        assert done.code == 1
        assert "YES=1" in done.err
        assert not done.changes()
        for shown in (
            "stack cloud",
            "shop-cluster at https://shop-cluster.example",
            "shop, with all that is in it",
            "postgres-0",
            "data-postgres-0 (5Gi)",
            " d old",
            "the cluster",
        ):
            assert shown in done.out

    def test_leaves_a_namespace_with_other_peoples_things(self, cloud: Clone) -> None:
        cloud.cluster(
            "shop-cluster", *in_namespace("cloud"), thing("Secret", "certificate", "shop")
        )
        done = cloud.run("down", "cloud")
        assert done.code == 0, done.err
        left = cloud.objects("shop-cluster")
        assert {"Namespace shop", "Secret certificate"} <= left
        assert "PersistentVolumeClaim data-postgres-0" not in left
        assert "Secret certificate that this stack did not make" in done.out
        # What stays has the stack's mark, by which the next `make up` knows it.
        assert SALT in (cloud.folder / "Pulumi.cloud.yaml").read_text()

    def test_leaves_a_namespace_that_was_there_before(self, cloud: Clone) -> None:
        own = thing("PersistentVolumeClaim", "data-postgres-0", "shop", "cloud")
        other = thing("PersistentVolumeClaim", "theirs", "shop")
        cloud.state("cloud", *deployed(own, context="shop-cluster"))
        cloud.cluster("shop-cluster", thing("Namespace", "shop"), own, other)
        done = cloud.run("down", "cloud")
        assert done.code == 0, done.err
        left = {"Namespace shop", "PersistentVolumeClaim theirs"}
        assert cloud.objects("shop-cluster") == left
        assert "namespace shop: this stack did not make it" in done.out

    @pytest.mark.parametrize("other", ["Namespace of the name", "another stack's"])
    def test_does_not_run_where_another_has_the_name(self, cloud: Clone, other: str) -> None:
        found = thing("Namespace", "shop", of="two" if other == "another stack's" else None)
        found["metadata"]["uid"] = "made later"
        cloud.cluster("shop-cluster", found, thing("Pod", "theirs", "shop"))
        done = cloud.run("down", "cloud")
        assert done.code == 1
        assert not done.changes()
        assert "is not the one that stack cloud made" in done.err

    @pytest.mark.parametrize("organization", ["organization", "acme"])
    def test_removes_what_an_earlier_destroy_kept(self, cloud: Clone, organization: str) -> None:
        cloud.state("cloud")
        kept = thing("Namespace", "shop", of="cloud")
        claim = thing("PersistentVolumeClaim", "data-postgres-0", "shop", "cloud")
        for it in (kept, claim):
            made_by = mark("cloud").replace("organization", organization)
            it["metadata"]["annotations"]["todo-kubernetes/stack"] = made_by
        cloud.cluster("shop-cluster", kept, claim)
        done = cloud.run("down", "cloud")
        assert done.code == 0, done.err
        assert not cloud.objects("shop-cluster")

    def test_goes_where_the_stack_was_deployed_when_the_settings_say_otherwise_now(
        self, cloud: Clone
    ) -> None:
        cloud.stack("cloud", MANAGED.replace("shop-cluster", "current"))
        done = cloud.run("down", "cloud")
        assert done.code == 0, done.err
        assert "Namespace shop" in cloud.objects("current")
        assert "Namespace shop" not in cloud.objects("shop-cluster")

    @pytest.mark.parametrize("how", ["stopped", "not in the kubeconfig"])
    def test_never_forgets_a_stack_whose_cluster_does_not_answer(
        self, cloud: Clone, how: str
    ) -> None:
        if how == "stopped":
            cloud.stopped("shop-cluster")
        else:
            (cloud.answers / "shop-cluster.json").unlink()
        done = cloud.run("down", "cloud")
        assert done.code == 1
        assert not done.changes()
        assert "may still exist" in done.err
        assert "pulumi stack rm cloud --force --preserve-config" in done.err
        assert "nothing was changed" in done.err

    def test_of_a_cloud_stack_never_touches_a_stopped_embedded_cluster(self, cloud: Clone) -> None:
        cloud.embedded()
        (cloud.answers / "shop-cluster.json").unlink()
        done = cloud.run("down", "cloud")
        assert done.code == 1
        assert not done.changes()
        assert "EMBEDDED CLUSTER DELETED" not in done.out

    def test_says_how_protected_data_is_removed(self, cloud: Clone) -> None:
        objects = in_namespace("cloud")
        cloud.state("cloud", *deployed(*objects, context="shop-cluster", protect=True))
        done = cloud.run("down", "cloud")
        assert done.code == 1
        assert not done.changes()
        assert "pulumi state unprotect --all --yes --stack cloud" in done.err

    def test_says_what_to_do_where_the_plugin_that_deployed_it_is_gone(self, cloud: Clone) -> None:
        state = deployed(*in_namespace("cloud"), context="shop-cluster")
        for it in state:
            if it["type"].startswith("pulumi:providers:"):
                it["inputs"]["version"] = "4.18.1"
        cloud.state("cloud", *state)
        # A Pulumi that was built here, which fetches no plugin.
        built = cloud.folder / ".cache/todo-kubernetes/built/distribution-1/pulumi"
        built.parent.mkdir(parents=True)
        built.write_text(f'#!/bin/sh\nexec {cloud.answers}/pulumi "$@"\n')
        built.chmod(0o755)
        link = cloud.folder / ".local/bin/pulumi"
        link.parent.mkdir(parents=True)
        link.symlink_to(built)
        done = cloud.run("down", "cloud")
        assert done.code == 1
        assert not done.changes()
        assert "Pulumi's kubernetes plugin 4.18.1" in done.err
        assert "run `make up STACK=cloud`" in done.err
        plugin = cloud.folder / "pulumi-home/plugins/resource-kubernetes-v4.18.1"
        plugin.mkdir(parents=True)
        (plugin / "pulumi-resource-kubernetes").touch()
        assert cloud.run("down", "cloud").code == 0

    @pytest.mark.parametrize("what", ["destroy", "delete"])
    def test_reports_what_failed_and_forgets_nothing(self, cloud: Clone, what: str) -> None:
        (cloud.answers / f"{what}-fails").touch()
        done = cloud.run("down", "cloud")
        assert done.code == 1
        assert re.search(r"run `make down( STACK=cloud)?`", done.err)
        assert "is removed" not in done.out
        assert (cloud.answers / "cloud.state.json").exists()
        assert "Namespace shop" in cloud.objects("shop-cluster")

    def test_of_a_stack_that_is_not_there_changes_nothing(self, clone: Clone) -> None:
        clone.stack("cloud", MANAGED)
        clone.cluster("shop-cluster", thing("Namespace", "shop"), thing("Pod", "theirs", "shop"))
        done = clone.run("down", "cloud")
        assert (done.code, done.changes()) == (0, [])
        assert "nothing to remove" in done.out


IN_MINIKUBE = {
    "hostPathProvisionerIdentity": "2d0c44b8-623d-45e5-9e2a-e7cd7f633512",
    "pv.kubernetes.io/provisioned-by": "k8s.io/minikube-hostpath",
}
"""Annotations of Minikube 1.38.1's volumes."""
PROVISIONED = "/tmp/hostpath-provisioner"  # noqa: S108  (on Minikube's node)
FOLDER = f"{PROVISIONED}/shop/data-postgres-0"


def volume(
    name: str = "pvc-1", claim: str = "data-postgres-0", namespace: str = "shop", **more: Any
) -> dict[str, Any]:
    """A volume of Minikube's provisioner, in which something is another than there."""
    made = thing("PersistentVolume", name, status={"phase": "Bound"})
    made["metadata"]["annotations"] = more.pop("annotations", IN_MINIKUBE)
    made["spec"] = {
        "claimRef": {"name": claim, "namespace": namespace},
        "hostPath": {"path": f"{PROVISIONED}/{namespace}/{claim}"},
        "persistentVolumeReclaimPolicy": "Delete",
    } | more
    return made


def machine(name: str, profile: str = "work") -> dict[str, Any]:
    """A node of a Minikube profile."""
    node = thing("Node", name, status={"nodeInfo": {"machineID": f"id-of-{name}"}})
    node["metadata"]["labels"] = {"minikube.k8s.io/name": profile}
    return node


@pytest.fixture
def in_minikube(cloud: Clone) -> Clone:
    """The stack's cluster is Minikube's, and was started anew since its volumes were made."""
    objects = [*in_namespace("cloud"), machine("work"), machine("work-m02")]
    cloud.cluster("shop-cluster", *objects, volume(), volume("pvc-2", namespace="todo-app"))
    (cloud.answers / "volumes-stay").touch()
    minikube(cloud, "echo removed")
    return cloud


def minikube(clone: Clone, answer: str) -> None:
    program = clone.answers / "minikube"
    program.write_text(f'#!/bin/sh\necho minikube "$@" >> $STAND_INS/calls\n{answer}\n')
    program.chmod(0o755)


class TestVolumesOfItsClaims:
    def test_that_their_provisioner_removes_are_left_to_it(self, in_minikube: Clone) -> None:
        (in_minikube.answers / "volumes-stay").unlink()
        done = in_minikube.run("down", "cloud")
        assert done.code == 0, done.err
        assert "PersistentVolume" not in done.out
        assert not [it for it in done.calls if it.startswith("minikube")]

    def test_that_minikube_leaves_are_removed_with_their_data(self, in_minikube: Clone) -> None:
        done = in_minikube.run("down", "cloud")
        assert done.code == 0, done.err
        volumes = {it for it in in_minikube.objects("shop-cluster") if "Volume" in it}
        assert volumes == {"PersistentVolume pvc-2"}
        asked = [it for it in done.calls if it.startswith("minikube")]
        assert len(asked) == 2
        for name, call in zip(("work", "work-m02"), asked, strict=True):
            assert call.startswith(f"minikube ssh --profile work --node {name} ")
            assert f"id-of-{name}" in call
            assert f"sudo rm -rf {FOLDER} " in call
        assert "PersistentVolume pvc-1 of data-postgres-0 had stayed" in done.out
        assert f"removed, with {FOLDER} on work, work-m02" in done.out
        # Nothing is gone before the claim is.
        order = [it.split("--context shop-cluster ")[-1] for it in done.changes()]
        assert order[-2].startswith("delete persistentvolume pvc-1")

    def test_goes_on_where_an_earlier_removal_was_cut_off(self, in_minikube: Clone) -> None:
        minikube(in_minikube, "echo it is another machine; exit 1")
        done = in_minikube.run("down", "cloud")
        assert done.code == 1
        assert len(done.err.strip().splitlines()) == 1
        assert f"{FOLDER} on node work" in done.err
        assert "it is another machine" in done.err
        assert (in_minikube.answers / "cloud.state.json").exists()
        assert "PersistentVolume pvc-1" in in_minikube.objects("shop-cluster")
        minikube(in_minikube, "echo removed")
        done = in_minikube.run("down", "cloud")
        assert done.code == 0, done.err
        assert "PersistentVolume pvc-1" not in in_minikube.objects("shop-cluster")

    @pytest.mark.parametrize(
        "other",
        [
            volume(annotations={"pv.kubernetes.io/provisioned-by": "ebs.csi.aws.com"}, hostPath={}),
            volume(annotations={}),
            volume(hostPath={"path": f"{PROVISIONED}/shop"}),
            volume(hostPath={"path": "/home"}),
            volume(persistentVolumeReclaimPolicy="Retain"),
        ],
        ids=["a disk", "no provisioner", "all of the namespace", "elsewhere", "to be kept"],
    )
    def test_of_others_stay_and_it_is_said(self, in_minikube: Clone, other: dict[str, Any]) -> None:
        in_minikube.cluster("shop-cluster", *in_namespace("cloud"), machine("work"), other)
        done = in_minikube.run("down", "cloud")
        assert done.code == 0, done.err
        assert "PersistentVolume pvc-1" in in_minikube.objects("shop-cluster")
        assert not [it for it in done.calls if it.startswith("minikube")]
        assert "PersistentVolume pvc-1 of data-postgres-0 stays, since" in done.out
        assert "shop-cluster delete persistentvolume pvc-1" in done.out

    def test_that_released_ones_had_in_anothers_namespace_are_not_its_own(
        self, in_minikube: Clone
    ) -> None:
        objects = in_namespace("cloud")
        del objects[0]["metadata"]["annotations"]
        in_minikube.state("cloud", *deployed(objects[2], context="shop-cluster"))
        theirs = volume("pvc-3", claim="theirs") | {"status": {"phase": "Released"}}
        in_minikube.cluster("shop-cluster", *objects, machine("work"), volume(), theirs)
        done = in_minikube.run("down", "cloud")
        assert done.code == 0, done.err
        volumes = {it for it in in_minikube.objects("shop-cluster") if "PersistentVolume " in it}
        assert volumes == {"PersistentVolume pvc-3"}


@pytest.mark.parametrize("word", ["1", "y", "yes", "true", "", "0", "n", "no", "false"])
@pytest.mark.parametrize(
    "command",
    ["down", "cluster-down", "restore", "rotate-password", "rotate-jwt-key", "separate-roles"],
)
def test_only_a_word_that_says_yes_leaves_out_the_question(command: str, word: str) -> None:
    environment = {**os.environ, "YES": word}
    printed = subprocess.run(
        ["make", "--just-print", command],
        cwd=PROJECT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    asking = [line for line in printed.splitlines() if command in line]
    assert asking
    assert {"--yes" in line.split() for line in asking} == {word in ("1", "y", "yes", "true")}


@pytest.mark.parametrize("typed", ["", "\n", "no\n", "yes please\n"])
def test_anything_but_yes_is_no(monkeypatch: pytest.MonkeyPatch, typed: str) -> None:
    terminal = io.StringIO(typed)
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdin", terminal)
    with pytest.raises(Failure, match="Nothing was changed"):
        confirm("Remove this for good?", assume_yes=False, flag="YES=1")


def test_removal_is_not_done_without_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    with Path(os.devnull).open() as nobody:
        monkeypatch.setattr("sys.stdin", nobody)
        with pytest.raises(Failure, match="YES=1"):
            confirm("Remove everything?", assume_yes=False, flag="YES=1")
