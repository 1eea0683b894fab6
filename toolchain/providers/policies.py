"""Who enforces NetworkPolicies in a local cluster, or that nobody does."""

from __future__ import annotations

from collections.abc import Sequence

from cluster_objects.json_tree import parts
from cluster_objects.policy_enforcement import enforcer, kindnet_fails
from toolchain.providers import user_environment

NOBODY = "network policies are declared, but nothing in this cluster enforces them"


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
    who = enforcer(parts(answer.object(), "items"))
    if who == "kindnet":
        told = ["--namespace=kube-system", "logs", "daemonset/kindnet", "--tail=60"]
        log = user_environment.ask(["kubectl", *flags, "--request-timeout=15s", *told]).text
        if kindnet_fails(log):
            return (
                f"{NOBODY}: kindnet cannot, as this machine's kernel lacks what its nftables rules "
                "need"
            )
    return enforced_by(who) if who else NOBODY
