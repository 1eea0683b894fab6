"""The Kubernetes provider of the cluster that the settings name."""

import pulumi_kubernetes as k8s

from ..todo.settings.settings import ClusterSettings


def kubernetes_provider(name: str, cluster: ClusterSettings) -> k8s.Provider:
    """Returns the provider for a cluster.

    Objects that exist already are patched: `pulumi destroy` keeps the namespace, since the claim
    with the data is in it, and the next `pulumi up` must find both. Up to 4.28 the plugin always
    does so with server-side apply; from 4.29 on it has to be asked. Those of others it never gets
    to see: `components/cluster/ownership.py` refuses them first.
    """
    args = k8s.ProviderArgs(
        kubeconfig=cluster.kubeconfig, context=cluster.context, enable_server_side_apply=True
    )
    if hasattr(k8s.ProviderArgs, "upsert_existing_objects"):
        args.upsert_existing_objects = True  # pyright: ignore[reportAttributeAccessIssue]
    return k8s.Provider(name, args)
