"""The Kubernetes provider of a cluster."""

from typing import Final

import pulumi_kubernetes as k8s

_REQUESTS_A_SECOND: Final = 1000
"""More than Pulumi makes: it has four operations a core under way, each of some milliseconds."""


def declare_provider(
    name: str, *, kubeconfig: str | None = None, context: str | None = None
) -> k8s.Provider:
    """Declares the provider of a cluster.

    Objects that exist already are patched: `pulumi destroy` keeps namespaces and claims that are
    retained, and the next `pulumi up` must find them. Up to 4.28 the plugin always does so with
    server-side apply; from 4.29 on it has to be asked. Those of others it never gets to see:
    `guard.py` refuses them first.

    Fields that somebody has changed by hand are taken back, which the plugin can be asked for once
    and for all from 4.29 on; before, each object says so itself (`ownership.py`).

    The plugin's client waits by itself after 120 requests, to make 50 a second. Each object is one
    in a preview, and several in an update, so that 200 applications waited for most of the time.
    Here it does not, unless the environment says how often it may ask (`PULUMI_K8S_CLIENT_QPS`):
    API servers have had a protection of their own since Kubernetes 1.20, Priority and Fairness.

    None of this replaces the provider of a deployed stack, which would replace all its objects: the
    plugin does that for another cluster and `renderYamlToDirectory` alone (its DiffConfig, in 4.18
    and 4.32).

    Args:
        name: The Pulumi name.
        kubeconfig: A path or the contents; None: as kubectl finds it.
        context: A context of it; None: the current one.
    """
    asks = k8s.KubeClientSettingsArgs()  # as the environment says
    asks.qps, asks.burst = asks.qps or _REQUESTS_A_SECOND, asks.burst or _REQUESTS_A_SECOND
    args = k8s.ProviderArgs(
        kubeconfig=kubeconfig,
        context=context,
        enable_server_side_apply=True,
        kube_client_settings=asks,
    )
    for option in ("upsert_existing_objects", "enable_patch_force"):
        if hasattr(k8s.ProviderArgs, option):
            setattr(args, option, True)
    return k8s.Provider(name, args)


def forces_patches() -> bool:
    """Returns whether the provider takes fields back for all objects."""
    return hasattr(k8s.ProviderArgs, "enable_patch_force")
