"""The Kubernetes provider of the cluster that the settings name."""

import inspect

import pulumi_kubernetes as k8s

from components.settings import ClusterSettings


def kubernetes_provider(name: str, cluster: ClusterSettings) -> k8s.Provider:
    """Returns the provider for a cluster.

    Objects that exist already are taken over: `pulumi destroy` keeps the namespace, since the claim with the data is in
    it, and the next `pulumi up` must find both. Up to 4.28 the plugin always did so with server-side apply; since 4.29
    it has to be asked.
    """
    adopt: dict[str, bool] = {}
    if "upsert_existing_objects" in inspect.signature(k8s.ProviderArgs).parameters:
        adopt["upsert_existing_objects"] = True
    return k8s.Provider(
        name,
        kubeconfig=cluster.kubeconfig,
        context=cluster.context,
        enable_server_side_apply=True,
        **adopt,
    )
