"""Says what to do where a cluster lacks a kind that a program declares."""

from collections.abc import Callable, Mapping

import pulumi

_DEFINED = {
    "ServiceMonitor": ("servicemonitors.monitoring.coreos.com", "the Prometheus Operator"),
    "PodMonitor": ("podmonitors.monitoring.coreos.com", "the Prometheus Operator"),
    "Cluster": ("clusters.postgresql.cnpg.io", "the CloudNativePG operator"),
    "ScheduledBackup": ("scheduledbackups.postgresql.cnpg.io", "the CloudNativePG operator"),
    "HTTPRoute": ("httproutes.gateway.networking.k8s.io", "the Gateway API"),
    "Certificate": ("certificates.cert-manager.io", "cert-manager"),
    "ExternalSecret": (
        "externalsecrets.external-secrets.io",
        "the External Secrets Operator",
    ),
}
"""Definition of each kind that components declare and Kubernetes itself does not have, and who
brings it. What else a program declares may be defined by that same program."""


def refuse_missing_kind(
    api_version: str,
    kind: str,
    serves: Callable[[str, str], bool],
    defines: Callable[[str], bool],
    without: Mapping[str, str],
) -> None:
    """Refuses an object that the cluster would not know.

    Args:
        api_version: Of the object, e.g. `monitoring.coreos.com/v1`.
        kind: Of the object.
        serves: Whether the cluster has a kind of an API version.
        defines: Whether the program itself declares a definition of this name.
        without: How to do without a kind, in words, by kind.

    Raises:
        pulumi.RunError: The cluster has no such kind; says how to go on.
    """
    if kind not in _DEFINED:
        return
    definition, bringer = _DEFINED[kind]
    if defines(definition) or serves(api_version, kind):
        return
    ways = [f"install {bringer}", *([without[kind]] if kind in without else [])]
    raise pulumi.RunError(
        f"the cluster has no kind {kind} of {api_version} (CustomResourceDefinition {definition}): "
        f"{', or '.join(ways)}"
    )
