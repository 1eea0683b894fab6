"""Who enforces NetworkPolicies in a local cluster, or that nobody does."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from toolchain.providers import user_environment

NOBODY = "network policies are declared, but nothing in this cluster enforces them"
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


def enforced_by(who: str) -> str:
    """Returns the line for a cluster in which somebody enforces them."""
    return f"network policies are enforced by {who}"


def line(flags: Sequence[str]) -> str:
    """Returns what the daemon sets of a cluster tell.

    Args:
        flags: What leads kubectl to the cluster.
    """
    listed = ["get", "daemonsets", "--all-namespaces", "--output=json"]
    answer = user_environment.ask(["kubectl", *flags, "--request-timeout=15s", *listed])
    if answer.code:
        return (
            "network policies are declared; the cluster does not tell whether anything enforces "
            "them"
        )
    who = enforcer(user_environment.parts(answer.object(), "items"))
    if who == "kindnet":
        told = ["--namespace=kube-system", "logs", "daemonset/kindnet", "--tail=60"]
        log = user_environment.ask(["kubectl", *flags, "--request-timeout=15s", *told]).text
        if kindnet_fails(log):
            return (
                f"{NOBODY}: kindnet cannot, as this machine's kernel lacks what its nftables rules "
                "need"
            )
    return enforced_by(who) if who else NOBODY


def enforcer(daemon_sets: Iterable[dict[str, Any]]) -> str | None:
    """Returns the network plugin that enforces NetworkPolicies, by the daemon sets; None: none."""
    kindnet = False
    for item in daemon_sets:
        name = str(user_environment.part(item, "metadata").get("name"))
        if name in _ENFORCERS:
            return _ENFORCERS[name]
        kindnet = kindnet or (name == "kindnet" and _kindnet_enforces(item))
    return "kindnet" if kindnet else None


def kindnet_fails(log: str) -> bool:
    """Returns whether kindnet's newest lines say that it cannot enforce on this kernel."""
    return _FAILING.search(log) is not None


def _kindnet_enforces(item: dict[str, Any]) -> bool:
    containers = user_environment.parts(item, "spec", "template", "spec", "containers")
    dated = re.search(r"kindnetd:v(\d{8})", " ".join(str(it.get("image")) for it in containers))
    return dated is not None and dated[1] >= _KINDNET_SINCE
