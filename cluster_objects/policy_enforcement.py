"""Who enforces NetworkPolicies in a cluster, by the daemon sets of its network plugin."""

from __future__ import annotations

import re
from collections.abc import Iterable

from cluster_objects.json_tree import Json, part, parts

_ENFORCERS = {
    "calico-node": "Calico",
    "cilium": "Cilium",
    "kube-router": "kube-router",
    "antrea-agent": "Antrea",
    "weave-net": "Weave Net",
    "canal": "Canal",
    "ovnkube-node": "OVN-Kubernetes",
}
"""Daemon sets that enforce (kubernetes.io/docs/concepts/services-networking/network-policies)."""
_FAILING = re.compile(r'"syncing nftables rules".* error=')
"""What kindnet says each second on a kernel without nftables' queues."""
_KINDNET_SINCE = "20240813"
"""Of kind 0.24, which enforces (https://github.com/kubernetes-sigs/kind/releases/tag/v0.24.0)."""


def enforcer(daemon_sets: Iterable[Json]) -> str | None:
    """Returns the network plugin that enforces NetworkPolicies, by the daemon sets; None: none."""
    kindnet = False
    for item in daemon_sets:
        name = str(part(item, "metadata").get("name"))
        if name in _ENFORCERS:
            return _ENFORCERS[name]
        kindnet = kindnet or (name == "kindnet" and _kindnet_enforces(item))
    return "kindnet" if kindnet else None


def kindnet_fails(log: str) -> bool:
    """Returns whether kindnet's newest lines say that it cannot enforce on this kernel."""
    return _FAILING.search(log) is not None


def _kindnet_enforces(item: Json) -> bool:
    containers = parts(item, "spec", "template", "spec", "containers")
    dated = re.search(r"kindnetd:v(\d{8})", " ".join(str(it.get("image")) for it in containers))
    return dated is not None and dated[1] >= _KINDNET_SINCE
