"""k3d: k3s clusters whose nodes are containers of this machine's Docker."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cluster_objects.json_tree import part, parts
from components.todo.names import CLUSTER_NAMES
from console.failure import Failure
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

_PREFIX = "k3d-"
_USUAL_PODS = "10.42.0.0/16"
"""Default of k3s' --cluster-cidr (https://docs.k3s.io/cli/server)."""
_ROLES = ("server", "agent", "loadbalancer")
"""Roles of what answers on a NodePort, by whose address is the cluster's.

The load balancer passes on what it maps.
"""
_TIMEOUT = "180s"


class K3d:
    """Clusters of an installed k3d."""

    key = "k3d"
    title = "k3d cluster"
    usual = CLUSTER_NAMES["k3d"]

    def __init__(self) -> None:
        """Asks nothing yet."""
        # What `start` has just asked of a running cluster, so that `found` need not ask again.
        self._asked: dict[str, tuple[Docker, dict[str, Any]]] = {}

    def installed(self) -> bool:
        """Returns whether the `k3d` command is on PATH."""
        return shutil.which("k3d") is not None

    def clusters(self) -> list[Cluster]:
        """Returns the clusters; one command."""
        return [Cluster(name=str(it.get("name")), running=_runs(it)) for it in _listed()]

    def named_by(self, context: str) -> str | None:
        """Returns the name of the cluster whose context is called k3d-<name>."""
        return context.removeprefix(_PREFIX) if context.startswith(_PREFIX) else None

    def start(self, name: str, ports: Sequence[int]) -> None:
        """Starts a cluster that is stopped, and makes it where there is none.

        Raises:
            Failure: k3d or something of Docker is missing, or the cluster does not come up.
        """
        what = f"{self.title} {name}"
        if not self.installed():
            raise missing.failure("k3d", what)
        host = docker.running(what)
        listed = _find(name)
        if listed and _runs(listed):
            self._asked[name] = (host, listed)
            return
        if listed:
            command = ["k3d", "cluster", "start", name, "--wait", "--timeout", _TIMEOUT]
        else:
            command = ["k3d", "cluster", "create", name, "--wait", "--timeout", _TIMEOUT]
            # The NodePorts are ours; k3s' own ingress controller would only take memory and ports.
            command += ["--k3s-arg", "--disable=traefik@server:0"]
            for port in docker.free(ports):
                command += ["--port", f"{docker.LOOPBACK}:{port}:{port}@server:0"]
        with ui.step(f"k3d cluster {name}"), kubeconfig.current_kept():
            tool.run(
                command,
                log=_log(),
                what=f"{'starting' if listed else 'making'} k3d cluster {name}",
                remove=f"k3d cluster delete {name}",
            )

    def found(self, name: str, ports: Sequence[int]) -> dict[str, Any]:
        """Returns context, node address, and that images are loaded as archives.

        Raises:
            Failure: There is no such cluster any more, or Docker cannot build.
        """
        what = f"{self.title} {name}"
        host, listed = self._asked.pop(name, None) or (docker.running(what), _find(name))
        answer = user_environment.ask(["k3d", "kubeconfig", "get", name])
        if answer.code or listed is None:
            raise Failure(
                f"{what} does not tell how it is reached ({answer.reason}); `k3d cluster list` "
                "shows the clusters that there are; correct cluster.name in the stack's "
                "todo:settings."
            )
        context = f"{_PREFIX}{name}"
        cluster: dict[str, Any] = {"provider": self.key, "name": name, "context": context}
        cluster |= kubeconfig.own(self.key, name, context, answer.text)
        if address := node_containers.reach(_nodes(listed), ports, host):
            cluster["nodeAddress"] = address
        cluster["podCidr"] = _pods(listed)
        builder = {"name": host.context, "exporter": "archive"}
        return {"cluster": cluster, "images": {"mode": "load", "builder": builder}}

    def policies(self, name: str) -> str:
        """Says who enforces: k3s's own controller (https://docs.k3s.io/networking/networking-services)."""
        if "--disable-network-policy" not in _server_command(_find(name) or {}):
            return policies.enforced_by("k3s")
        return policies.line(kubeconfig.flags(self.key, name, f"{_PREFIX}{name}"))

    def stop(self, name: str) -> None:
        """Stops the cluster; its data stays.

        Raises:
            Failure: k3d cannot stop it.
        """
        _run("stop", name, "stopping")

    def delete(self, name: str) -> None:
        """Removes the cluster, and what this clone has written down of it.

        Raises:
            Failure: k3d cannot remove it.
        """
        _run("delete", name, "removing")
        kubeconfig.path(self.key, name).unlink(missing_ok=True)


def _run(word: str, name: str, what: str) -> None:
    tool.run(
        ["k3d", "cluster", word, name],
        log=_log(),
        what=f"{what} k3d cluster {name}",
    )


def _listed() -> list[dict[str, Any]]:
    return user_environment.ask(["k3d", "cluster", "list", "--output", "json"]).objects()


def _server_command(listed: dict[str, Any]) -> str:
    """Returns what the k3s servers were started with."""
    servers = [it for it in listed.get("nodes") or () if it.get("role") == "server"]
    return " ".join(str(word) for it in servers for word in it.get("Cmd") or ())


def _pods(listed: dict[str, Any]) -> str:
    """Returns the pods' addresses, to which what is open to the outside stays closed."""
    said = re.search(r"--cluster-cidr[= ]([0-9a-fA-F.:]+/\d+)", _server_command(listed))
    return said[1] if said else _USUAL_PODS


def _find(name: str) -> dict[str, Any] | None:
    return next((it for it in _listed() if it.get("name") == name), None)


def _runs(listed: dict[str, Any]) -> bool:
    """Returns whether every server and agent runs: pods may be on any of them."""
    counts = [
        (listed.get(f"{role}Running", 0), listed.get(f"{role}Count", 0))
        for role in ("servers", "agents")
    ]
    return counts[0][1] > 0 and all(running == count for running, count in counts)


def _nodes(listed: dict[str, Any]) -> list[Node]:
    """Returns the cluster's containers, as k3d has just listed them."""
    nodes = [it for it in parts(listed, "nodes") if it.get("role") in _ROLES]
    nodes.sort(key=lambda it: (_ROLES.index(str(it["role"])), str(it.get("name"))))
    return [
        Node(
            name=str(it.get("name")),
            running=bool(part(it, "State").get("Running")),
            address=str(part(it, "IP").get("IP") or ""),
            ports=node_containers.same_ports(part(it, "portMappings")),
        )
        for it in nodes
    ]


def _log() -> Path:
    return paths.LOCAL / "log" / "k3d.log"
