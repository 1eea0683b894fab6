"""A local cluster goes with all that is in it, and no other does."""

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from console.failure import Failure
from distribution.cluster import node
from tests.unit.clone import (
    CLUSTER,
    EMBEDDED,
    LOCAL,
    MANAGED,
    Clone,
    add_ons,
    deployed,
    in_namespace,
    owned_by,
    thing,
)


class TestDownWithAnEmbeddedCluster:
    def test_removes_the_cluster_when_nothing_else_is_in_it(self, local: Clone) -> None:
        done = local.run("down", "minikube", runs=True)
        assert done.code == 0, done.err
        assert "the embedded cluster goes too" in done.out
        assert "EMBEDDED CLUSTER DELETED" in done.out

    @pytest.mark.parametrize(
        "more",
        [
            [thing("Namespace", "mine")],
            [thing("Pod", "try-out", "default")],
            [thing("PersistentVolumeClaim", "mine", "default")],
            [CLUSTER, owned_by(CLUSTER, thing("Pod", "mine-1", "default"))],
        ],
        ids=["a namespace", "a pod in default", "a claim in default", "a database in default"],
    )
    def test_keeps_a_cluster_with_other_things(
        self, local: Clone, more: Sequence[dict[str, Any]]
    ) -> None:
        local.cluster(EMBEDDED, *in_namespace("minikube"), *more)
        done = local.run("down", "minikube", runs=True)
        assert done.code == 0, done.err
        assert "EMBEDDED CLUSTER DELETED" not in done.out
        assert f"{more[0]['metadata']['name']}" in done.out
        left = local.objects(EMBEDDED)
        assert left == {f"{it['kind']} {it['metadata']['name']}" for it in more}

    def test_keeps_a_cluster_with_another_stack(self, local: Clone) -> None:
        kubeconfig = str(local.folder / ".local" / "cluster" / "config" / "admin.conf")
        two = thing("Secret", "of-two", "elsewhere")
        local.state("two", *deployed(two, context=EMBEDDED, kubeconfig=kubeconfig))
        done = local.run("down", "minikube", runs=True)
        assert done.code == 0, done.err
        assert "stack two" in done.out
        assert "EMBEDDED CLUSTER DELETED" not in done.out
        assert (local.answers / "two.state.json").exists()

    def test_keeps_a_cluster_with_add_ons_and_says_what_removes_them(self, local: Clone) -> None:
        add_ons(local)
        done = local.run("down", "minikube", runs=True)
        assert done.code == 0, done.err
        assert "add-ons minikube (`make addons-down` removes them)" in done.out
        assert "namespace metrics-server" not in done.out
        assert "EMBEDDED CLUSTER DELETED" not in done.out
        assert "Namespace metrics-server" in local.objects(EMBEDDED)
        assert (local.answers / "minikube.addons-state.json").exists()

    def test_forgets_the_add_ons_with_a_cluster_that_is_gone(self, local: Clone) -> None:
        add_ons(local)
        shutil.rmtree(local.folder / ".local" / "cluster")
        done = local.run("down", "minikube")
        assert done.code == 0, done.err
        assert "its add-ons (minikube) are gone, too" in done.out
        assert not (local.answers / "minikube.addons-state.json").exists()
        assert not (local.folder / ".local" / "settings.addons.minikube.json").exists()

    def test_asks_for_a_stopped_cluster_to_be_started(self, local: Clone) -> None:
        local.stopped(EMBEDDED)
        done = local.run("down", "minikube")
        assert done.code == 1
        assert not done.changes()
        assert "EMBEDDED CLUSTER DELETED" not in done.out
        assert "make cluster-start" in done.err

    def test_forgets_a_stack_whose_cluster_is_gone_with_its_volumes(self, local: Clone) -> None:
        shutil.rmtree(local.folder / ".local" / "cluster")
        done = local.run("down", "minikube")
        assert done.code == 0, done.err
        assert not (local.answers / "minikube.state.json").exists()


def locked(clone: Clone, process: int) -> Path:
    """A lock of the stack, as Pulumi writes one."""
    folder = clone.folder / ".local/pulumi/.pulumi/locks/organization/todo/minikube"
    folder.mkdir(parents=True)
    file = folder / "lock.json"
    holder = {"hostname": os.uname().nodename, "pid": process, "username": "tester"}
    file.write_text(json.dumps(holder))
    return file


class TestClusterDown:
    def test_tells_of_the_add_ons_and_forgets_them_too(self, local: Clone) -> None:
        add_ons(local)
        done = local.run("cluster-down", "minikube", runs=True)
        assert done.code == 0, done.err
        assert "add-ons    minikube" in done.out
        assert "metrics-server/samples (2Gi)" in done.out
        assert "EMBEDDED CLUSTER DELETED" in done.out
        assert not (local.answers / "minikube.addons-state.json").exists()
        assert not (local.answers / "minikube.state.json").exists()

    def test_forgets_the_stacks_that_were_in_it_and_no_other(
        self, local: Clone, cloud: Clone
    ) -> None:
        done = local.run("cluster-down", "minikube", runs=True)
        assert done.code == 0, done.err
        assert "EMBEDDED CLUSTER DELETED" in done.out
        assert not (local.answers / "minikube.state.json").exists()
        assert (cloud.answers / "cloud.state.json").exists()

    @pytest.mark.parametrize("command", ["cluster-down", "cluster-stop"])
    def test_is_none_of_a_stack_that_is_elsewhere(
        self, local: Clone, cloud: Clone, command: str
    ) -> None:
        done = local.run(command, "cloud", runs=True)
        assert done.code == 1
        assert "Stack cloud is in no local cluster (cluster.context is shop-cluster" in done.err
        assert "EMBEDDED CLUSTER DELETED" not in done.out
        assert (cloud.answers / "minikube.state.json").exists()

    def test_lets_go_of_what_a_killed_update_holds(self, local: Clone) -> None:
        lock = locked(local, 2**30)
        done = local.run("cluster-down", "minikube", runs=True)
        assert done.code == 0, done.err
        assert not lock.exists()
        assert not (local.answers / "minikube.state.json").exists()

    def test_removes_nothing_while_a_stack_in_it_is_updated(self, local: Clone) -> None:
        lock = locked(local, os.getpid())
        done = local.run("cluster-down", "minikube", runs=True)
        assert done.code == 1
        assert f"stack minikube is running (process {os.getpid()} of tester" in done.err
        assert "EMBEDDED CLUSTER DELETED" not in done.out
        assert lock.exists()
        assert (local.answers / "minikube.state.json").exists()

    def test_asks(self, local: Clone) -> None:
        done = local.run("cluster-down", "minikube", yes=False)
        assert done.code == 1
        assert "stacks     minikube" in done.out
        assert "shop/data-postgres-0 (5Gi)" in done.out
        assert not done.changes()
        assert "EMBEDDED CLUSTER DELETED" not in done.out

    def test_of_a_make_up_that_ended_before_there_was_a_state_removes_the_cluster(
        self, clone: Clone
    ) -> None:
        clone.stack("minikube", LOCAL)
        (clone.folder / ".local" / "cluster" / "config").mkdir(parents=True)
        done = clone.run("cluster-down", "minikube", runs=True)
        assert done.code == 0, done.err
        assert "stacks     none of this clone" in done.out
        assert "EMBEDDED CLUSTER DELETED" in done.out

    def test_without_a_cluster_changes_nothing(self, clone: Clone) -> None:
        clone.stack("minikube", LOCAL)
        done = clone.run("cluster-down", "minikube")
        assert (done.code, done.changes()) == (0, [])
        assert "EMBEDDED CLUSTER DELETED" not in done.out


@pytest.fixture
def in_kind(clone: Clone) -> Clone:
    """A stack in a kind cluster, which answers."""
    clone.stack("minikube", LOCAL)
    cluster = {"provider": "kind", "name": "todo", "context": "kind-todo"}
    (clone.folder / ".local").mkdir()
    (clone.folder / ".local" / "settings.minikube.json").write_text(
        json.dumps({"cluster": cluster})
    )
    objects = in_namespace("minikube")
    clone.state("minikube", *deployed(*objects[:1], context="kind-todo"))
    clone.cluster("kind-todo", *objects)
    kind = clone.answers / "kind"
    kind.write_text('#!/bin/sh\necho kind "$@" >> $STAND_INS/calls\necho todo\n')
    kind.chmod(0o755)
    docker(clone, "todo-control-plane\trunning\ttodo\n")
    return clone


def docker(clone: Clone, containers: str) -> None:
    """Nobody's own containers count, whatever this machine runs."""
    listed = clone.answers / "docker-ps.txt"
    listed.write_text(containers)
    program = clone.answers / "docker"
    program.write_text(f"#!/bin/sh\ncat {listed}\n")
    program.chmod(0o755)


class TestClustersOfOtherTools:
    def test_one_that_somebody_else_made_is_not_removed(self, in_kind: Clone) -> None:
        done = in_kind.run("cluster-down", "minikube")
        assert done.code == 1
        assert "kind cluster todo was not made by `make up`" in done.err
        assert not done.changes()

    @pytest.mark.parametrize("kubeconfig", [None, "/home/somebody/config"])
    def test_its_own_is_removed_and_its_stacks_forgotten(
        self, in_kind: Clone, kubeconfig: str | None
    ) -> None:
        # With KUBECONFIG set, the state has it.
        namespace = in_namespace("minikube")[0]
        state = deployed(namespace, context="kind-todo", kubeconfig=kubeconfig)
        in_kind.state("minikube", *state)
        (in_kind.folder / ".local" / "clusters.json").write_text('[["kind", "todo"]]')
        asked = in_kind.run("cluster-down", "minikube", yes=False)
        assert asked.code == 1
        assert "stacks     minikube" in asked.out
        assert not asked.changes()
        done = in_kind.run("cluster-down", "minikube")
        assert done.code == 0, done.err
        assert [it for it in done.calls if it.startswith("kind delete cluster")]
        assert not (in_kind.answers / "minikube.state.json").exists()
        assert not (in_kind.folder / ".local" / "settings.minikube.json").exists()

    def test_its_removal_forgets_no_stack_that_nothing_is_known_of(self, in_kind: Clone) -> None:
        (in_kind.folder / ".local" / "clusters.json").write_text('[["kind", "todo"]]')
        in_kind.stack("cloud", MANAGED)
        in_kind.state("cloud", *deployed(in_namespace("cloud")[0], context="shop-cluster"))
        done = in_kind.run("cluster-down", "minikube")
        assert done.code == 0, done.err
        assert "stacks     minikube\n" in done.out
        assert (in_kind.answers / "cloud.state.json").exists()

    def test_its_removal_forgets_no_add_ons_of_its_name_on_a_managed_cluster(
        self, in_kind: Clone
    ) -> None:
        (in_kind.folder / ".local" / "clusters.json").write_text('[["kind", "todo"]]')
        elsewhere = deployed(
            thing("Namespace", "monitoring"), context="kind-todo", kubeconfig="/elsewhere/config"
        )
        in_kind.state("minikube", *elsewhere, of="addons")
        done = in_kind.run("cluster-down", "minikube")
        assert done.code == 0, done.err
        assert (in_kind.answers / "minikube.addons-state.json").exists()

    def test_stacks_are_forgotten_that_went_into_it_by_the_persons_kubeconfig(
        self, in_kind: Clone
    ) -> None:
        """Pulumi's provider takes KUBECONFIG for an input of its own."""
        (in_kind.folder / ".local" / "clusters.json").write_text('[["kind", "todo"]]')
        namespace = in_namespace("minikube")[:1]
        mine = deployed(*namespace, context="kind-todo", kubeconfig="/mine/config")
        in_kind.state("minikube", *mine)
        elsewhere = deployed(*namespace, context="kind-todo", kubeconfig="/elsewhere/config")
        in_kind.state("other", *elsewhere)
        done = in_kind.run("cluster-down", "minikube")
        assert done.code == 0, done.err
        assert "stacks     minikube\n" in done.out
        assert not (in_kind.answers / "minikube.state.json").exists()
        assert (in_kind.answers / "other.state.json").exists()

    @pytest.mark.parametrize("command", ["cluster-stop", "cluster-down"])
    def test_a_silent_docker_is_not_taken_for_no_cluster(
        self, command: str, in_kind: Clone
    ) -> None:
        (in_kind.folder / ".local" / "clusters.json").write_text('[["kind", "todo"]]')
        silent = "Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?"
        (in_kind.answers / "docker").write_text(f"#!/bin/sh\necho '{silent}' >&2\nexit 1\n")
        done = in_kind.run(command, "minikube")
        assert done.code == 1
        assert "kind cluster todo needs Docker, which does not answer" in done.err
        assert not done.changes()

    def test_its_removal_leaves_the_cluster(self, in_kind: Clone) -> None:
        (in_kind.folder / ".local" / "clusters.json").write_text('[["kind", "todo"]]')
        done = in_kind.run("down", "minikube")
        assert done.code == 0, done.err
        assert not [it for it in done.calls if it.startswith("kind delete")]
        assert "Namespace shop" not in in_kind.objects("kind-todo")
        # The next `make up` is free to choose.
        assert not (in_kind.folder / ".local" / "settings.minikube.json").exists()

    @pytest.mark.parametrize("how", ["stopped", "not in the kubeconfig"])
    def test_that_do_not_answer_are_to_be_started_first(self, in_kind: Clone, how: str) -> None:
        if how == "stopped":
            in_kind.stopped("kind-todo")
        else:
            (in_kind.answers / "kind-todo.json").unlink()
        done = in_kind.run("down", "minikube")
        assert done.code == 1
        assert not done.changes()
        assert "run `make cluster-start`, which starts kind cluster todo" in done.err
        assert "stack rm" not in done.err

    def test_that_are_gone_have_nothing_to_be_started(self, in_kind: Clone) -> None:
        (in_kind.answers / "kind-todo.json").unlink()
        docker(in_kind, "")
        done = in_kind.run("down", "minikube")
        assert done.code == 1
        assert not done.changes()
        assert "cluster-start" not in done.err
        assert "pulumi stack rm minikube --force" in done.err

    def test_stopping_says_what_it_stops(self, clone: Clone) -> None:
        clone.stack("minikube", LOCAL)
        done = clone.run("cluster-stop", "minikube")
        assert done.code == 1
        assert "There is no embedded cluster that could be stopped" in done.err


class TestTheEmbeddedClustersFolder:
    @pytest.fixture
    def folder(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
        folder = tmp_path / "cluster"
        folder.mkdir()
        monkeypatch.setattr(node, "_ROOT", folder)
        monkeypatch.setattr(node, "_alive", lambda: None)
        monkeypatch.setattr(node, "_owner", lambda: str(folder))
        monkeypatch.setattr(node, "_clear_runtime", lambda: None)
        return folder

    def test_is_kept_while_the_cluster_runs(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(node, "stop", lambda: None)
        monkeypatch.setattr(node, "_alive", lambda: 1)
        with pytest.raises(Failure, match="does not stop, so it is kept"):
            node.delete()
        assert folder.exists()

    def test_that_cannot_be_removed_is_said(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(shutil, "rmtree", lambda *_, **__: None)
        with pytest.raises(Failure, match=f"{folder} cannot be removed"):
            node.delete()

    def test_of_another_clone_that_is_being_started_is_left_alone(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        cleared: list[Path] = []
        monkeypatch.setattr(node, "_clear_runtime", lambda: cleared.append(folder))
        monkeypatch.setattr(node, "_alive", lambda: 1)
        monkeypatch.setattr(node, "_owner", lambda: None)
        node.stop()
        assert not cleared
