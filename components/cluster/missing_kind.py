"""Says what to do where a cluster lacks a kind that the settings need."""

from collections.abc import Callable

import pulumi

_OF = {
    "ServiceMonitor": (
        "servicemonitors.monitoring.coreos.com",
        "the Prometheus Operator",
        "todo:settings.metrics.mode to annotations or none",
    ),
    "HTTPRoute": (
        "httproutes.gateway.networking.k8s.io",
        "the Gateway API",
        "another exposure.mode than gateway in todo:settings.frontend and todo:settings.backend",
    ),
    "ExternalSecret": (
        "externalsecrets.external-secrets.io",
        "the External Secrets Operator",
        "todo:settings.secrets.mode to generated (with todo:settings.database.mode inCluster)",
    ),
}
"""Definition of each kind that Kubernetes itself does not have, who brings it, and the way without.

What else a program declares may be defined by that same program.
"""


def refuse_missing_kind(api_version: str, kind: str, serves: Callable[[str, str], bool]) -> None:
    """Refuses an object that the cluster would not know.

    Args:
        api_version: Of the object, e.g. `monitoring.coreos.com/v1`.
        kind: Of the object.
        serves: Whether the cluster has a kind of an API version.

    Raises:
        pulumi.RunError: The cluster has no such kind; says how to go on.
    """
    if kind not in _OF or serves(api_version, kind):
        return
    definition, bringer, setting = _OF[kind]
    raise pulumi.RunError(
        f"the cluster has no kind {kind} of {api_version} (CustomResourceDefinition {definition}): "
        f"install {bringer}, or set {setting}"
    )
