"""The containers that are a cluster's nodes.

What Docker tells of them, and how they are reached from here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from cluster_objects.json_tree import part, parts
from toolchain.providers import user_environment
from toolchain.providers.docker import LOOPBACK, Docker, is_local

_EVERYWHERE = {"", "0.0.0.0", "::", LOOPBACK, "::1"}  # noqa: S104
"""Host addresses of a port mapping that answers on 127.0.0.1, too."""
_TAB = "\t"


@dataclass(frozen=True, kw_only=True)
class Node:
    """A container that is a cluster's node, or stands in front of its nodes."""

    name: str
    running: bool
    address: str
    """Its address in the daemon's network; empty: it has none now."""
    ports: dict[int, set[str]] = field(default_factory=dict[int, "set[str]"])
    """The addresses of the host on which a port of the container answers under the same number."""
    labels: dict[str, str] = field(default_factory=dict[str, str])


def table(label: str, *columns: str) -> list[list[str]] | None:
    """Returns name, state and labels of the containers that have a label, stopped ones too.

    Args:
        label: A label, with or without a value.
        columns: Labels whose values are wanted, too.

    Returns:
        A row for each container; None: Docker does not answer.
    """
    shown = ["{{.Names}}", "{{.State}}", *(f'{{{{.Label "{it}"}}}}' for it in columns)]
    wanted = ["--filter", f"label={label}", "--format", _TAB.join(shown)]
    answer = user_environment.ask(["docker", "ps", "--all", "--no-trunc", *wanted])
    if answer.code:
        return None
    return [line.split(_TAB) for line in answer.text.splitlines() if line.strip()]


def nodes(names: Sequence[str], *, cli: str = "docker") -> list[Node]:
    """Containers as they are now; those that are gone are left out.

    Args:
        names: Their names.
        cli: The Docker CLI, or Podman's, which answers alike.
    """
    if not names:
        return []
    # Of several names the ones that are there are printed, though the exit code says that one is
    # not.
    return [
        _node(it) for it in user_environment.ask([cli, "container", "inspect", *names]).objects()
    ]


def reach(nodes: Sequence[Node], ports: Sequence[int], found: Docker) -> str | None:
    """Returns the address at which every port of the cluster's nodes answers from here.

    None: no way leads there.

    Args:
        nodes: The cluster's nodes, the one whose address is the cluster's first, and what stands in
            front of them.
        ports: NodePorts, which every node answers on.
        found: Docker, where the containers are.
    """
    mapped = {port for it in nodes for port, hosts in it.ports.items() if hosts & _EVERYWHERE}
    if ports and mapped.issuperset(ports) and is_local(found):
        return LOOPBACK
    addresses = [it.address for it in nodes if it.running and it.address]
    return addresses[0] if found.is_native and addresses else None


def _node(told: dict[str, Any]) -> Node:
    settings = part(told, "NetworkSettings")
    networks = part(settings, "Networks")
    addresses = [str(part(networks, it).get("IPAddress") or "") for it in networks]
    addresses.append(str(settings.get("IPAddress") or ""))
    return Node(
        name=str(told.get("Name", "")).removeprefix("/"),
        running=bool(part(told, "State").get("Running")),
        address=next((it for it in addresses if it), ""),
        ports=same_ports(part(settings, "Ports")),
        labels=part(told, "Config", "Labels"),
    )


def same_ports(mappings: dict[str, Any]) -> dict[int, set[str]]:
    """Returns the ports that are mapped to the same number, with the host's addresses.

    Args:
        mappings: As Docker and k3d write them: `{"30000/tcp": [{"HostIp": "127.0.0.1", "HostPort":
            "30000"}]}`.
    """
    result: dict[int, set[str]] = {}
    for inner in mappings:
        number, _, protocol = inner.partition("/")
        if protocol == "tcp" and number.isdigit():
            bindings = parts(mappings, inner)
            same = [it for it in bindings if str(it.get("HostPort")) == number]
            if same:
                result[int(number)] = {str(it.get("HostIp") or "") for it in same}
    return result
