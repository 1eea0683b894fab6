"""The Kubernetes provider of a cluster."""

import pulumi_kubernetes as k8s


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

    None of this replaces the provider of a deployed stack, which would replace all its objects: the
    plugin does that for another cluster and `renderYamlToDirectory` alone (its DiffConfig, in 4.18
    and 4.32).

    Args:
        name: The Pulumi name.
        kubeconfig: A path or the contents; None: as kubectl finds it.
        context: A context of it; None: the current one.
    """
    args = k8s.ProviderArgs(kubeconfig=kubeconfig, context=context, enable_server_side_apply=True)
    for option in ("upsert_existing_objects", "enable_patch_force"):
        if hasattr(k8s.ProviderArgs, option):
            setattr(args, option, True)
    return k8s.Provider(name, args)


def forces_patches() -> bool:
    """Returns whether the provider takes fields back for all objects."""
    return hasattr(k8s.ProviderArgs, "enable_patch_force")
