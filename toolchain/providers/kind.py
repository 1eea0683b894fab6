"""kind: clusters whose nodes are containers of this machine's Docker."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from components.todo.names import CLUSTER_NAMES
from console.failure import Failure
from console.waiting import last_answer
from toolchain import missing, paths, ui
from toolchain.providers import (
    docker,
    kubeconfig,
    node_containers,
    policies,
    tool,
    user_environment,
)
from toolchain.providers.docker import Docker
from toolchain.providers.node_containers import Node
from toolchain.providers.provider import Cluster

_CLUSTER = "io.x-k8s.kind.cluster"
_ROLE = "io.x-k8s.kind.role"
"""Labels of the nodes' containers (kind's pkg/cluster/internal/providers/docker/constants.go)."""
_BALANCER = "external-load-balancer"
_ORDER = ("control-plane", "worker", _BALANCER)
_PREFIX = "kind-"
_CONTROLLER_MANAGER = "/etc/kubernetes/manifests/kube-controller-manager.yaml"
_POD_CIDR = "cluster-cidr="
"""kubeadm's argument for the pods' addresses (cmd/kubeadm/app/phases/controlplane/manifests.go)."""
_TIMEOUT_SECONDS = 180.0
"""Seconds for the API server of a cluster that was stopped.

It waits for etcd and the node's new address.
"""


class Kind:
    """Clusters of an installed kind."""

    key = "kind"
    title = "kind cluster"
    usual = CLUSTER_NAMES["kind"]

    def __init__(self) -> None:
        """Asks nothing yet."""
        # What `start` has just asked of a running cluster, so that `found` need not ask again.
        self._asked: dict[str, tuple[Docker, list[tuple[str, str, str]]]] = {}

    def installed(self) -> bool:
        """Returns whether the `kind` command is on PATH."""
        return shutil.which("kind") is not None

    def clusters(self) -> list[Cluster]:
        """Returns the clusters; one command, the same that kind itself lists them by."""
        states: dict[str, list[bool]] = {}
        for _, state, cluster in node_containers.table(_CLUSTER, _CLUSTER) or ():
            states.setdefault(cluster, []).append(state == "running")
        return [Cluster(name=name, running=all(it)) for name, it in sorted(states.items())]

    def named_by(self, context: str) -> str | None:
        """Returns the name of the cluster whose context is called kind-<name>."""
        return context.removeprefix(_PREFIX) if context.startswith(_PREFIX) else None

    def start(self, name: str, ports: Sequence[int]) -> None:
        """Starts the nodes of a stopped cluster, and makes a cluster where there is none.

        Raises:
            Failure: kind or something of Docker is missing, or the cluster does not come up.
        """
        what = f"{self.title} {name}"
        if not self.installed():
            raise missing.failure("kind", what)
        self._refuse_others(what)
        host = docker.running(what)
        nodes = _table(name)
        if not nodes:
            self._make(name, ports)
            return
        stopped = [container for container, state, _ in nodes if state != "running"]
        if not stopped:
            self._asked[name] = (host, nodes)
            return
        with ui.step(f"kind cluster {name}"):
            _docker("start", stopped, f"starting kind cluster {name}")
            _wait(next((it for it, _, role in nodes if role == _ORDER[0]), nodes[0][0]), what)

    def found(self, name: str, ports: Sequence[int]) -> dict[str, Any]:
        """Returns context, node address, and that images are loaded as archives.

        Raises:
            Failure: There is no such cluster any more, or Docker cannot build.
        """
        what = f"{self.title} {name}"
        host, rows = self._asked.pop(name, None) or (docker.running(what), _table(name))
        nodes = [container for container, _, _ in rows]
        answer = user_environment.ask(["kind", "get", "kubeconfig", "--name", name])
        if answer.code or not nodes:
            raise Failure(
                f"{what} does not tell how it is reached ({answer.reason}); `kind get clusters` "
                "shows the clusters that there are; correct cluster.name in the stack's "
                "todo:settings."
            )
        context = f"{_PREFIX}{name}"
        cluster: dict[str, Any] = {"provider": self.key, "name": name, "context": context}
        cluster |= kubeconfig.own(self.key, name, context, answer.text)
        if address := node_containers.reach(_with_pods(node_containers.nodes(nodes)), ports, host):
            cluster["nodeAddress"] = address
        if pods := _pods(nodes[0]):
            cluster["podCidr"] = pods
        builder = {"name": host.context, "exporter": "archive"}
        return {"cluster": cluster, "images": {"mode": "load", "builder": builder}}

    def policies(self, name: str) -> str:
        """Asks the cluster: kindnet enforces since kind 0.24; others may be in its place."""
        return policies.line(kubeconfig.flags(self.key, name, f"{_PREFIX}{name}"))

    def stop(self, name: str) -> None:
        """Stops the nodes; their data stays.

        Raises:
            Failure: Docker does not stop them.
        """
        running = [container for container, state, _ in _table(name) if state == "running"]
        if running:
            _docker("stop", running, f"stopping kind cluster {name}")

    def delete(self, name: str) -> None:
        """Removes the cluster, and what this clone has written down of it.

        Raises:
            Failure: kind cannot remove it.
        """
        tool.run(
            ["kind", "delete", "cluster", "--name", name],
            log=_log(),
            what=f"removing kind cluster {name}",
        )
        kubeconfig.path(self.key, name).unlink(missing_ok=True)
        _config(name).unlink(missing_ok=True)

    def _make(self, name: str, ports: Sequence[int]) -> None:
        mappings = [
            {
                "containerPort": port,
                "hostPort": port,
                "listenAddress": docker.LOOPBACK,
                "protocol": "TCP",
            }
            for port in docker.free(ports)
        ]
        node = {"role": "control-plane", "extraPortMappings": mappings}
        # kind reads YAML, of which JSON is a part.
        config = {"kind": "Cluster", "apiVersion": "kind.x-k8s.io/v1alpha4", "nodes": [node]}
        paths.LOCAL.mkdir(exist_ok=True)
        _config(name).write_text(json.dumps(config, indent=2) + "\n")
        with ui.step(f"kind cluster {name}"), kubeconfig.current_kept():
            command = ["kind", "create", "cluster", "--name", name, "--config", str(_config(name))]
            tool.run(
                [*command, "--wait", f"{_TIMEOUT_SECONDS:.0f}s"],
                log=_log(),
                what=f"making kind cluster {name}",
                remove=f"kind delete cluster --name {name}",
            )

    def _refuse_others(self, what: str) -> None:
        """Images are built in Docker and loaded from there, so the nodes have to be Docker's.

        Raises:
            Failure: kind is told to use something else.
        """
        other = user_environment.environment().get("KIND_EXPERIMENTAL_PROVIDER", "docker")
        if other not in {"", "docker"}:
            raise Failure(
                f"{what} has to be in Docker, in which its images are built, but "
                f"KIND_EXPERIMENTAL_PROVIDER is {other!r}; run `unset KIND_EXPERIMENTAL_PROVIDER` "
                "and run again; nothing was changed."
            )


def _table(name: str) -> list[tuple[str, str, str]]:
    """Returns the name, state and role of a cluster's containers, the nodes in front."""
    rows = [
        (it[0], it[1], it[2]) for it in node_containers.table(f"{_CLUSTER}={name}", _ROLE) or ()
    ]
    return sorted(rows, key=lambda it: (_ORDER.index(it[2]) if it[2] in _ORDER else 0, it[0]))


def _pods(node: str) -> str | None:
    """Returns the addresses of pods, which then do not count as the outside.

    Of a cluster with IPv4 and IPv6 the first range, which Services are in. kindnet and others
    decide before a NodePort's client gets the node's address, so what comes from outside is never
    taken for a pod.
    """
    said = user_environment.ask(
        ["docker", "exec", node, "grep", _POD_CIDR, _CONTROLLER_MANAGER]
    ).text
    found = re.search(rf"{_POD_CIDR}([0-9a-fA-F.:]+/[0-9]+)", said)
    return found[1] if found else None


def _with_pods(nodes: Sequence[Node]) -> list[Node]:
    """Returns the nodes with pods; no other answers on NodePorts (`externalTrafficPolicy: Local`).

    kind keeps pods off a control plane that has workers beside it; a balancer in front of several
    knows no NodePorts.
    """
    workers = [it for it in nodes if it.labels.get(_ROLE) == _ORDER[1]]
    return workers or [it for it in nodes if it.labels.get(_ROLE) != _BALANCER]


def _docker(word: str, containers: Sequence[str], what: str) -> None:
    """Starts or stops containers, for which kind has no command.

    Raises:
        Failure: Docker does not do it: its first line says why, a port that is taken for one.
    """
    answer = user_environment.ask(["docker", word, *containers], seconds=_TIMEOUT_SECONDS)
    if answer.code:
        lines = answer.errors.strip().splitlines() or [answer.reason]
        raise Failure(
            f"{what} failed: {lines[0].strip()[:300]}; put that right and run again, or try it "
            f"with `docker {word} {' '.join(containers)}`."
        )


def _wait(node: str, what: str) -> None:
    """Waits for the API server, asked inside its own node: no kubeconfig is needed.

    Raises:
        Failure: It does not become ready.
    """
    ready = ["kubectl", "--kubeconfig=/etc/kubernetes/admin.conf", "get", "--raw=/readyz"]
    answer = last_answer(
        lambda: user_environment.ask(["docker", "exec", node, *ready], seconds=30),
        lambda it: not it.code,
        _TIMEOUT_SECONDS,
        every=1,
    )
    if answer.code:
        raise Failure(
            f"{what} was started, but its API server does not become ready "
            f"({answer.reason[:160]}); `docker logs {node}` says more; a cluster that cannot be "
            f"repaired is removed with `kind delete cluster --name {what.rsplit(' ', 1)[-1]}`."
        )


def _config(name: str) -> Path:
    return paths.LOCAL / f"kind-{name}.yaml"


def _log() -> Path:
    return paths.LOCAL / "log" / "kind.log"
