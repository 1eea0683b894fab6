"""A clone of the project with stacks, whose commands run with `pulumi` and `kubectl` stood in for.

The step that deletes an embedded cluster is left out.
"""

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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


EMBEDDED = "kubernetes-admin@todo"


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
