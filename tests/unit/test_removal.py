"""What removes things: it shows them, asks, and removes what the stack made and nothing else.

`make down` and `make cluster-down` run in a clone of their own, with `pulumi` and `kubectl` stood
in for (`stand_ins.py`), and without the step that deletes an embedded cluster.
"""

import compileall
import errno
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from console.confirm import confirm
from console.failure import Failure
from distribution.cluster import node, registry
from tests.unit.answering import programs
from tests.unit.stand_ins import StandIns
from toolchain import paths, stack_file
from toolchain.kubectl import Kubectl, KubectlError
from toolchain.project import ADDONS
from toolchain.stack import Stack

PROJECT = Path(__file__).parents[2]
SALT = "v1:c2FsdHNhbHQ=:v1:bm9uY2U=:Y2lwaGVydGV4dA=="
DRIVER = """
import os, sys
from toolchain import __main__, groundwork, machine, python_env, tools, volumes
from distribution.cluster import loopback, node
from toolchain.stack import Stack
loopback.down = lambda: print("PORTS OF THIS MACHINE LET GO")
node.running = lambda: "CLUSTER_RUNS" in os.environ
node.delete = lambda: print("EMBEDDED CLUSTER DELETED")
machine.chosen = lambda _: None
machine.prepare = Stack.prepare = lambda *_: None
python_env.ensure = lambda *_, **__: None
tools.builds_pulumi = lambda: True
groundwork.lay = lambda *_, **__: None
tools.ensure_pulumi = lambda: None
volumes._TIMEOUT_SECONDS = volumes._MINIKUBE_TIMEOUT_SECONDS = 0.0
sys.exit(__main__.main())
"""


@dataclass
class Clone:
    """A clone with stacks, and the clusters that their contexts lead to."""

    folder: Path
    answers: Path

    def stack(self, name: str, settings: str, more: str = "", *, of: str = "") -> None:
        key = "todo-addons:settings" if of == "addons" else "todo:settings"
        text = f"# mine\nconfig:\n  {key}:\n{settings}{more}encryptionsalt: {SALT}\n"
        (self.folder / of / f"Pulumi.{name}.yaml").write_text(text)

    def state(self, name: str, *resources: dict[str, Any], of: str = "") -> None:
        state = {"deployment": {"resources": list(resources)}}
        kind = f"{of}-state" if of else "state"
        (self.answers / f"{name}.{kind}.json").write_text(json.dumps(state))

    def cluster(self, context: str, *objects: dict[str, Any]) -> None:
        found = {"server": f"https://{context}.example", "objects": list(objects)}
        (self.answers / f"{context}.json").write_text(json.dumps(found))

    def finds_nothing_to_change(self) -> None:
        """Lets `pulumi preview` write the events of one that finds all as it is."""
        todo = {"urn": "u::todo"}
        step = json.dumps({"op": "same", **todo, "old": todo, "new": todo})
        (self.answers / "events").write_text(
            f'{{"resOutputsEvent": {{"metadata": {step}}}}}\n'
            '{"summaryEvent": {"resourceChanges": {"same": 1}}}\n'
        )

    def stopped(self, context: str) -> None:
        (self.answers / f"{context}.json").write_text('{"server": "https://stopped.example"}')

    def embedded(self) -> str:
        """An embedded cluster, and the path of its kubeconfig."""
        kubeconfig = self.folder / ".local" / "cluster" / "config" / "admin.conf"
        kubeconfig.parent.mkdir(parents=True)
        kubeconfig.write_text("")
        return str(kubeconfig)

    def run(self, command: str, stack: str, *, yes: bool = True, runs: bool = False) -> "Done":
        environment = {
            "PATH": f"{self.answers}:{os.environ['PATH']}",
            "HOME": str(self.folder),
            "STAND_INS": str(self.answers),
            "PULUMI_HOME": str(self.folder / "pulumi-home"),
        } | ({"CLUSTER_RUNS": "1"} if runs else {})
        done = subprocess.run(
            [sys.executable, "-c", DRIVER, "--stack", stack, command, *(["--yes"] if yes else [])],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        calls = self.answers / "calls"
        return Done(
            done.returncode,
            done.stdout,
            done.stderr,
            calls.read_text().splitlines() if calls.exists() else [],
        )

    def objects(self, context: str) -> set[str]:
        cluster = json.loads((self.answers / f"{context}.json").read_text())
        return {f"{o['kind']} {o['metadata']['name']}" for o in cluster["objects"]}


@dataclass
class Done:
    """What a command did."""

    code: int
    out: str
    err: str
    calls: list[str]

    def changes(self) -> list[str]:
        """The calls that change something."""
        verbs = (" delete ", " destroy ", " stack rm ")
        return [it for it in self.calls if any(verb in it for verb in verbs)]


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone, compiled once: whatever copies it is spared that, which is most of a command."""
    folder = tmp_path_factory.mktemp("template")
    left_out = shutil.ignore_patterns(
        "modules", "base_images", "addon_images", "Pulumi*.yaml", "__pycache__"
    )
    packages = ("addons", "cluster_objects", "components", "console", "distribution")
    for package in (*packages, "stack_settings", "toolchain"):
        shutil.copytree(PROJECT / package, folder / package, ignore=left_out)
    assert compileall.compile_dir(folder, quiet=1)
    return folder


@pytest.fixture
def clone(tmp_path: Path, template: Path) -> Iterator[Clone]:
    folder, answers = tmp_path / "clone", tmp_path / "answers"
    answers.mkdir()
    # Links to files that nobody writes to: a copy takes longer than what is tested.
    shutil.copytree(template, folder, copy_function=os.link)
    (folder / ".venv").symlink_to(Path(sys.prefix))
    with programs(answers, ("pulumi", "kubectl"), StandIns(answers).answer):
        yield Clone(folder, answers)


MANAGED = """\
    environment: development
    cluster: {kind: managed, context: shop-cluster}
    images: {mode: prebuilt, backend: "example.com/b:1", frontend: "example.com/f:1"}
    namespace: {name: shop}
"""
LOCAL = "    cluster: {kind: local}\n    images: {mode: load}\n    namespace: {name: shop}\n"


def mark(stack: str) -> str:
    return f"organization/todo/{stack}/{hashlib.sha256(SALT.encode()).hexdigest()[:12]}"


def thing(
    kind: str, name: str, namespace: str | None = None, of: str | None = None, **more: object
) -> dict[str, Any]:
    """An object in a cluster; `of` is the stack that has marked it."""
    metadata: dict[str, Any] = {"name": name, "uid": f"uid-of-{kind}-{name}"}
    if namespace:
        metadata["namespace"] = namespace
    if of:
        metadata["annotations"] = {"todo-kubernetes/stack": mark(of)}
        metadata["labels"] = {"app.kubernetes.io/instance": "todo"}
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata, **more}


def deployed(
    *objects: dict[str, Any], context: str | None, kubeconfig: str | None = None, **more: object
) -> list[dict[str, Any]]:
    """A state with these objects, made through this context."""
    inputs = {k: v for k, v in (("context", context), ("kubeconfig", kubeconfig)) if v}
    provider = "pulumi:providers:kubernetes"
    outputs = {"namespace": "shop", "kubeContext": context}
    return [
        {"urn": "u::todo", "type": "pulumi:pulumi:Stack", "outputs": outputs},
        {"urn": "u::cluster", "type": provider, "custom": True, "inputs": inputs},
        *(
            {
                "urn": f"urn:x::{o['metadata']['name']}",
                "type": f"kubernetes:core/v1:{o['kind']}",
                "custom": True,
                "outputs": o,
                **more,
            }
            for o in objects
        ),
    ]


def owned_by(owner: dict[str, Any], item: dict[str, Any]) -> dict[str, Any]:
    reference = {key: owner["metadata"][key] for key in ("name", "uid")}
    kind = {key: owner[key] for key in ("apiVersion", "kind")}
    item["metadata"]["ownerReferences"] = [{**kind, **reference}]
    return item


CLUSTER = thing("Cluster", "mine", "default")
"""Somebody's, of an operator."""


def in_namespace(stack: str) -> list[dict[str, Any]]:
    claim = {"status": {"capacity": {"storage": "5Gi"}}}
    backup = {"status": {"lastSuccessfulTime": "2020-01-01T00:00:00Z"}}
    return [
        thing("Namespace", "shop", of=stack),
        thing("Pod", "postgres-0", "shop", stack),
        thing("PersistentVolumeClaim", "data-postgres-0", "shop", stack, **claim),
        thing("CronJob", "postgres-backup", "shop", stack, **backup),
        thing("ConfigMap", "kube-root-ca.crt", "shop"),
    ]


@pytest.fixture
def cloud(clone: Clone) -> Clone:
    """A stack on a managed cluster, which is not the kubeconfig's current one."""
    clone.stack("cloud", MANAGED)
    objects = in_namespace("cloud")
    clone.state("cloud", *deployed(*objects[:1], context="shop-cluster"))
    clone.cluster("shop-cluster", *objects, thing("Namespace", "todo-app"))
    clone.cluster("current", thing("Namespace", "todo-app"), thing("Namespace", "shop"))
    return clone


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


class TestUp:
    """What heals a stack makes nothing again where somebody else is by now."""

    @pytest.mark.parametrize("of", ["two", None])
    def test_does_not_heal_in_a_namespace_of_others(self, cloud: Clone, of: str | None) -> None:
        found = thing("Namespace", "shop", of=of)
        found["metadata"]["uid"] = "made later"
        cloud.cluster("shop-cluster", found, thing("Secret", "theirs", "shop", of))
        done = cloud.run("up", "cloud")
        assert done.code == 1
        assert not [it for it in done.calls if it.startswith("pulumi up")]
        assert len(done.err.strip().splitlines()) == 1
        assert "Namespace shop at https://shop-cluster.example" in done.err
        assert (mark("two") if of else "somebody has made it anew") in done.err
        assert (f"shop todo-kubernetes/stack={mark('cloud')}" in done.err) is (of is None)

    def test_heals_in_its_own_namespace(self, cloud: Clone) -> None:
        done = cloud.run("up", "cloud")
        assert done.code == 0, done.err
        assert [it for it in done.calls if it.startswith("pulumi up")]

    def test_makes_a_namespace_that_is_gone_again(self, cloud: Clone) -> None:
        cloud.cluster("shop-cluster")
        done = cloud.run("up", "cloud")
        assert done.code == 0, done.err
        assert [it for it in done.calls if it.startswith("pulumi up") and "--refresh" in it]

    @pytest.mark.parametrize("ready", [True, False])
    def test_looks_after_a_database_that_an_earlier_update_broke(
        self, cloud: Clone, ready: bool
    ) -> None:
        pods = {"replicas": 1, "updatedReplicas": 1, "readyReplicas": int(ready)}
        status = {"observedGeneration": 1, **pods}
        server = thing("StatefulSet", "postgres", "shop", "cloud", status=status)
        cloud.state("cloud", *deployed(*in_namespace("cloud")[:1], server, context="shop-cluster"))
        cloud.cluster("shop-cluster", *in_namespace("cloud"), server)
        cloud.finds_nothing_to_change()
        done = cloud.run("up", "cloud")
        assert done.code == 0, done.err
        updates = [it for it in done.calls if it.startswith("pulumi up")]
        assert len(updates) == (0 if ready else 1)
        assert ("so there is no update" in done.out) is ready
        assert ("not ready: StatefulSet postgres" in done.out) is not ready

    def test_does_not_move_a_stack_to_another_cluster(self, cloud: Clone) -> None:
        cloud.stack("cloud", MANAGED.replace("shop-cluster", "current"))
        cloud.cluster("current", thing("Namespace", "todo-app"))
        done = cloud.run("up", "cloud")
        assert done.code == 1
        assert not [it for it in done.calls if it.startswith("pulumi up")]
        assert len(done.err.strip().splitlines()) == 1
        assert "deployed to context shop-cluster" in done.err
        assert "lead to context current at https://current.example" in done.err

    def test_may_call_the_same_cluster_by_another_name(self, cloud: Clone) -> None:
        cloud.stack("cloud", MANAGED.replace("shop-cluster", "renamed"))
        cloud.cluster("renamed", *in_namespace("cloud"))
        done = cloud.run("up", "cloud")
        assert done.code == 0, done.err

    def test_without_a_context_is_not_made_again_in_another_current_cluster(
        self, cloud: Clone
    ) -> None:
        cloud.stack("cloud", MANAGED.replace(", context: shop-cluster", ""))
        cloud.state("cloud", *deployed(*in_namespace("cloud")[:1], context=None))
        cloud.cluster("current", thing("Namespace", "todo-app"))
        done = cloud.run("up", "cloud")
        assert done.code == 1
        assert not [it for it in done.calls if it.startswith("pulumi up")]
        assert "Nothing that stack cloud made is in the cluster of context current" in done.err
        cloud.cluster("current", *in_namespace("cloud"))
        done = cloud.run("up", "cloud")
        assert done.code == 0, done.err

    @pytest.mark.parametrize("there", [[], [thing("Namespace", "shop", of="cloud")]])
    def test_without_a_context_is_not_forgotten_in_another_current_cluster(
        self, cloud: Clone, there: list[dict[str, Any]]
    ) -> None:
        cloud.stack("cloud", MANAGED.replace(", context: shop-cluster", ""))
        cloud.state("cloud", *deployed(*in_namespace("cloud")[:1], context=None))
        others = [{**it, "metadata": {**it["metadata"], "uid": "another"}} for it in there]
        cloud.cluster("current", *others)
        done = cloud.run("down", "cloud")
        assert done.code == 1
        assert not done.changes()
        assert "Nothing that stack cloud made is in the cluster of context current" in done.err

    def test_is_found_by_the_list_of_kubeconfigs_that_pulumi_has_written_down(
        self, cloud: Clone
    ) -> None:
        own = in_namespace("cloud")[:1]
        cloud.state("cloud", *deployed(*own, context="shop-cluster", kubeconfig="/mine:/theirs"))
        done = cloud.run("down", "cloud")
        assert done.code == 0, done.err
        asked = [it for it in done.calls if it.startswith("kubectl")]
        assert asked
        assert not any("/mine:/theirs" in it for it in asked)

    def test_goes_where_it_likes_while_nothing_is_deployed(self, cloud: Clone) -> None:
        cloud.stack("cloud", MANAGED.replace("shop-cluster", "current"))
        cloud.state("cloud", *deployed(context="shop-cluster"))
        done = cloud.run("up", "cloud")
        assert done.code == 0, done.err


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


EMBEDDED = "kubernetes-admin@todo"


@pytest.fixture
def local(clone: Clone) -> Clone:
    """A stack in the embedded cluster, which has nothing else in it."""
    clone.stack("minikube", LOCAL)
    kubeconfig = clone.embedded()
    found = {"cluster": {"kubeconfig": kubeconfig, "context": EMBEDDED}}
    (clone.folder / ".local" / "settings.minikube.json").write_text(json.dumps(found))
    objects = in_namespace("minikube")
    state = deployed(*objects[:1], context=EMBEDDED, kubeconfig=kubeconfig)
    clone.state("minikube", *state)
    clone.cluster(EMBEDDED, *objects, thing("Namespace", "kube-system"))
    return clone


PART = "urn:pulumi:minikube::todo-addons::todo-addons:index:MetricsServer::metrics-server"


def of_add_ons(kind: str, name: str, namespace: str | None = None, **more: Any) -> Any:
    made = thing(kind, name, namespace, **more)
    made_by = mark("minikube").replace("/todo/", "/todo-addons/")
    made["metadata"]["annotations"] = {"todo-kubernetes/stack": made_by}
    return made


def put_in(local: Clone, *more: dict[str, Any]) -> None:
    """Adds objects to the embedded cluster."""
    there = json.loads((local.answers / f"{EMBEDDED}.json").read_text())["objects"]
    local.cluster(EMBEDDED, *there, *more)


def add_ons(local: Clone, *more: dict[str, Any]) -> None:
    """The add-ons of that cluster: a namespace, what is in it, and more that they made."""
    local.stack("minikube", "    cluster: {kind: local}\n    metricsServer: {}\n", of="addons")
    namespace = of_add_ons("Namespace", "metrics-server")
    size = {"capacity": {"storage": "2Gi"}}
    claim = of_add_ons("PersistentVolumeClaim", "samples", "metrics-server", status=size)
    local.cluster(EMBEDDED, *in_namespace("minikube"), namespace, claim)
    kubeconfig = str(local.folder / ".local" / "cluster" / "config" / "admin.conf")
    state = deployed(namespace, *more, context=EMBEDDED, kubeconfig=kubeconfig)
    component = {"urn": PART, "type": "todo-addons:index:MetricsServer"}
    for it in state[2:]:
        it["parent"] = PART
    local.state("minikube", *state[:2], component, *state[2:], of="addons")
    found = {"cluster": {"kubeconfig": kubeconfig, "context": EMBEDDED}}
    (local.folder / ".local" / "settings.addons.minikube.json").write_text(json.dumps(found))


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


def full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets no file be made or written, as on a disk that is full."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    for name in ("fsync", "fdopen"):
        monkeypatch.setattr(os, name, refuse)
    truncating = Path.write_text

    def write(self: Path, *_: object, **__: object) -> int:
        truncating(self, "")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_text", write)


SECRETS = """\
  # of the application
  todo:databasePassword:
    secure: v1:YQ==:Yg==
  todo:jwtKey: {secure: "v1:YQ==:Yg=="}
  todo:jwtNextKey:
    secure: v1:YQ==:Yg==
"""


class TestForgetting:
    def test_leaves_a_file_that_a_new_passphrase_can_be_used_with(self, cloud: Clone) -> None:
        cloud.stack("cloud", MANAGED, SECRETS)
        assert cloud.run("down", "cloud").code == 0
        text = (cloud.folder / "Pulumi.cloud.yaml").read_text()
        assert text == f"# mine\nconfig:\n  todo:settings:\n{MANAGED}  # of the application\n"

    def test_keeps_a_persons_own_secret_and_says_what_opens_it(self, cloud: Clone) -> None:
        own = "  todo:chatApiKey:\n    secure: v1:YQ==:Yg==\n"
        cloud.stack("cloud", MANAGED, own + SECRETS)
        done = cloud.run("down", "cloud")
        assert done.code == 0
        text = (cloud.folder / "Pulumi.cloud.yaml").read_text()
        assert own in text
        assert SALT in text
        assert "databasePassword" not in text
        assert (
            "todo:chatApiKey stays encrypted in Pulumi.cloud.yaml: keep the passphrase" in done.out
        )

    def test_keeps_the_key_of_backups_that_outlive_the_stack(self, cloud: Clone) -> None:
        key = "  todo:backupKey:\n    secure: v1:YQ==:Yg==\n"
        cloud.stack("cloud", MANAGED, key + SECRETS)
        done = cloud.run("down", "cloud")
        assert done.code == 0
        text = (cloud.folder / "Pulumi.cloud.yaml").read_text()
        assert key in text
        assert SALT in text
        assert "jwtKey" not in text
        assert "todo:backupKey stays encrypted in Pulumi.cloud.yaml" in done.out

    def test_keeps_the_file_where_the_disk_is_full(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file = tmp_path / "Pulumi.cloud.yaml"
        text = f"config:\n  todo:chatApiKey:\n    secure: v1:YQ==:Yg==\n{SECRETS}"
        file.write_text(text)
        full_disk(monkeypatch)
        with pytest.raises(OSError, match="No space left"):
            stack_file.main(str(file), "todo:databasePassword")
        assert file.read_text() == text
        assert [it.name for it in tmp_path.iterdir()] == [file.name]

    def test_keeps_the_ends_of_lines_and_who_may_read_the_file(self, tmp_path: Path) -> None:
        file, link = tmp_path / "Pulumi.cloud.yaml", tmp_path / "link"
        file.write_bytes(f"config:\n  a: 1\n{SECRETS}".replace("\n", "\r\n").encode())
        file.chmod(0o640)
        link.symlink_to(file)
        stack_file.main(str(link), "todo:databasePassword", "todo:jwtKey", "todo:jwtNextKey")
        assert file.read_bytes() == b"config:\r\n  a: 1\r\n  # of the application\r\n"
        assert file.stat().st_mode & 0o777 == 0o640
        assert link.is_symlink()

    @pytest.mark.parametrize("text", ["", "config: {}\n", "{config: {}, encryptionsalt: x}\n"])
    def test_leaves_a_file_of_another_shape_alone(self, text: str) -> None:
        assert stack_file.forget(text, ["todo:jwtKey"]) == (text, [])


@pytest.fixture
def prepared(
    clone: Clone, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Callable[..., str]], Stack]:
    """A stack in that clone, with `pulumi` answering as it is told."""
    monkeypatch.setattr(paths, "PROJECT", clone.folder)
    monkeypatch.setattr(paths, "VENV", clone.folder / ".venv")
    monkeypatch.setattr(paths, "PULUMI_STATE", clone.folder / ".local" / "pulumi")
    monkeypatch.setattr(paths, "PASSPHRASE_FILE", clone.folder / ".local" / "passphrase")
    for name in ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"):
        monkeypatch.delenv(name, raising=False)
    clone.stack("minikube", LOCAL, SECRETS)

    def make(answer: Callable[..., str]) -> Stack:
        monkeypatch.setattr(Stack, "_pulumi", lambda _, *arguments, **__: answer(*arguments))
        return Stack("minikube")

    return make


class TestPassphrase:
    def test_that_is_gone_is_not_replaced(
        self, prepared: Callable[[Callable[..., str]], Stack], clone: Clone
    ) -> None:
        before = (clone.folder / "Pulumi.minikube.yaml").read_text()
        stack = prepared(lambda *_: '{"deployment": {}}')
        with pytest.raises(Failure, match=r"passphrase.*restore.*nothing was changed") as raised:
            stack.prepare(stack.state())
        for line in ("encryptionsalt", "todo:databasePassword", "todo:jwtKey"):
            assert line in str(raised.value)
        assert not paths.PASSPHRASE_FILE.exists()
        assert (clone.folder / "Pulumi.minikube.yaml").read_text() == before

    @pytest.mark.parametrize("left", [None, "", "\n"])
    def test_is_never_an_empty_one(
        self,
        prepared: Callable[[Callable[..., str]], Stack],
        clone: Clone,
        monkeypatch: pytest.MonkeyPatch,
        left: str | None,
    ) -> None:
        (clone.folder / "Pulumi.minikube.yaml").write_text(f"config:\n  todo:settings:\n{LOCAL}")
        paths.PASSPHRASE_FILE.parent.mkdir(parents=True)
        if left is not None:
            paths.PASSPHRASE_FILE.write_text(left)
        stack = prepared(lambda *_: "{}")
        with monkeypatch.context() as disk:
            full_disk(disk)
            with pytest.raises(OSError, match="No space left"):
                stack.prepare(None)
        assert not paths.PASSPHRASE_FILE.exists()
        stack.prepare(None)
        assert len(paths.PASSPHRASE_FILE.read_text()) > 32
        assert paths.PASSPHRASE_FILE.stat().st_mode & 0o777 == 0o600
        assert {it.name for it in paths.PASSPHRASE_FILE.parent.iterdir()} == {
            "passphrase",
            "pulumi",
        }

    def test_of_a_deployed_stack_is_asked_for_alone(
        self, prepared: Callable[[Callable[..., str]], Stack]
    ) -> None:
        state = deployed(thing("Namespace", "shop"), context="x")
        stack = prepared(lambda *_: json.dumps({"deployment": {"resources": state}}))
        with pytest.raises(Failure) as raised:
            stack.prepare(stack.state())
        assert "delete" not in str(raised.value)

    @pytest.mark.parametrize("files", [None, {"plaintext": None}, {"plaintext": "null"}])
    def test_that_is_wrong_makes_no_new_password(
        self, prepared: Callable[[Callable[..., str]], Stack], clone: Clone, files: object
    ) -> None:
        clone.stack("minikube", LOCAL)
        paths.PASSPHRASE_FILE.parent.mkdir(parents=True)
        paths.PASSPHRASE_FILE.write_text("another")
        calls: list[tuple[str, ...]] = []
        secret = {
            "urn": "urn:x::backend-secrets",
            "type": "kubernetes:core/v1:Secret",
            "custom": True,
            "inputs": {"data": files},
        }

        def answer(*arguments: str) -> str:
            calls.append(arguments)
            return json.dumps({"deployment": {"resources": [secret]}})

        stack = prepared(answer)
        with pytest.raises(Failure, match="passphrase does not open stack minikube"):
            stack.prepare(stack.state())
        assert not any(call[:2] == ("config", "set") for call in calls)

    def test_a_salt_that_the_file_lost_is_taken_from_the_state(
        self, prepared: Callable[[Callable[..., str]], Stack], clone: Clone
    ) -> None:
        file = clone.folder / "Pulumi.minikube.yaml"
        file.write_text(f"config:\n  todo:settings:\n{LOCAL}")
        paths.PASSPHRASE_FILE.parent.mkdir(parents=True)
        paths.PASSPHRASE_FILE.write_text("ours")
        provider = {"type": "passphrase", "state": {"salt": SALT}}
        stack = prepared(lambda *_: json.dumps({"deployment": {"secrets_providers": provider}}))
        stack.prepare(stack.state())
        assert stack.document()["encryptionsalt"] == SALT


class TestSecretsOfTheAddons:
    @pytest.fixture
    def calls(self, prepared: Callable[..., Stack], clone: Clone) -> list[tuple[str, ...]]:
        del prepared  # for its paths
        clone.stack("minikube", "    cluster: {kind: local}\n    registry: {}\n", of="addons")
        paths.PASSPHRASE_FILE.parent.mkdir(parents=True)
        paths.PASSPHRASE_FILE.write_text("ours")
        return []

    def prepare(
        self, calls: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch, *deployed: str
    ) -> None:
        resources = [
            {"urn": f"urn:x::{it}", "type": "kubernetes:core/v1:ConfigMap", "custom": True}
            for it in deployed
        ]
        state = {"deployment": {"resources": resources}}

        def answer(_: Stack, *arguments: str, **__: object) -> str:
            calls.append(arguments)
            return json.dumps(state)

        monkeypatch.setattr(Stack, "_pulumi", answer)
        Stack("minikube", ADDONS).prepare(state)

    def test_that_a_file_lost_are_not_made_anew_while_they_are_in_use(
        self, calls: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with pytest.raises(Failure, match=r"lost todo-addons:registryPassword.*put the file back"):
            self.prepare(calls, monkeypatch, "registry-secrets")
        assert not any(call[:2] == ("config", "set") for call in calls)

    def test_are_made_for_a_part_that_is_new(
        self, calls: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.prepare(calls, monkeypatch, "metrics-server-namespace")
        assert any("todo-addons:registryPassword" in call for call in calls)


def test_a_lock_that_says_nothing_is_left_alone(
    prepared: Callable[[Callable[..., str]], Stack], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PULUMI_BACKEND_URL", raising=False)
    monkeypatch.setenv("PULUMI_HOME", str(paths.PULUMI_STATE))
    folder = paths.PULUMI_STATE / ".pulumi" / "locks" / "organization" / "todo" / "minikube"
    folder.mkdir(parents=True)
    unreadable, foreign, dead = (folder / f"{name}.json" for name in ("a", "b", "c"))
    unreadable.write_text("")
    foreign.write_text(json.dumps({"hostname": "elsewhere", "pid": 1}))
    dead.write_text(json.dumps({"hostname": os.uname().nodename, "pid": 2**30}))
    prepared(lambda *_: "")._release_stale_lock()  # pyright: ignore[reportPrivateUsage]
    assert [it.name for it in sorted(folder.iterdir())] == ["a.json", "b.json"]
