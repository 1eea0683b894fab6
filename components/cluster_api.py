"""The Kubernetes API of the cluster that the settings name, for what Pulumi itself cannot see."""

from typing import Any, cast

import pulumi

from components.settings import ClusterSettings


def cluster_api(cluster: ClusterSettings) -> Any:
    """Returns a client that uses the provider's kubeconfig and context.

    Raises:
        pulumi.RunError: The kubeconfig has no such context.
    """
    # Imported here: most runs change nothing that has to be watched.
    from kubernetes import client, config

    configuration: Any = client.Configuration()
    try:
        cast("Any", config).load_kube_config(
            cluster.kubeconfig, cluster.context, client_configuration=configuration
        )
    except Exception as error:  # any of the many ways in which a kubeconfig can be wrong
        raise pulumi.RunError(
            f"the kubeconfig has no usable context {cluster.context or '(current)'} "
            f"({' '.join(str(error).split())[:200]}): correct todo:settings.cluster"
        ) from None
    return client.ApiClient(configuration)
